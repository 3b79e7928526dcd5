from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import timezones

# Programs are told one zone, whoever runs them.
UTC_PATHS = ("/api/",)


class TimeZoneMiddleware:
    """Dates in pages are those of the person who reads them.

    An account has its zone; everybody else has the one that the browser put in a cookie, or else UTC.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        timezone.activate(self._zone(request))
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()

    @staticmethod
    def _zone(request: HttpRequest) -> ZoneInfo:
        if request.path_info.startswith(UTC_PATHS):
            return timezones.zone(timezones.DEFAULT)
        if request.user.is_authenticated:
            return timezones.zone(request.user.time_zone)
        return timezones.zone(unquote(request.COOKIES.get(timezones.COOKIE, "")))
