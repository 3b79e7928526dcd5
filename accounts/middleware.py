from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone

from accounts import sessions, timezones
from accounts.authentication import DeletionPending

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


class LastSeenMiddleware:
    """Notes which sessions are in use, for the list on the account page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sessions.note_visit(request)
        return self.get_response(request)


class DeletionPendingMiddleware:
    """Whoever has asked for their account to be deleted may keep it or log out, and nothing else until then.

    Programs with an API token are told so by ``accounts.authentication``.
    """

    # What the one page needs, and what anybody may want to read before they decide.
    OPEN = ("accounts:keep", "account_logout", "javascript-catalog", "choose-language", "privacy", "terms")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        user = request.user
        if not user.is_authenticated or user.deletion_due is None:
            return None
        match = request.resolver_match
        if match is not None and match.view_name in self.OPEN:
            return None
        if not request.path_info.startswith("/api/") and (
            request.get_preferred_type(["text/html", "application/json"]) != "application/json"
        ):
            return redirect("accounts:keep")
        error = {"code": DeletionPending.default_code, "message": str(DeletionPending.default_detail)}
        return JsonResponse({"error": error}, status=DeletionPending.status_code)
