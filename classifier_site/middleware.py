"""Headers on every answer, and the limit on a request's body."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from classifier_site.bodies import TOO_LARGE
from classifier_site.errors import respond, too_large_message

GetResponse = Callable[[HttpRequest], HttpResponse]


class ResponseHeadersMiddleware:
    """What a page may use of the device, and that pages of a logged-in user stay out of shared caches."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.setdefault("Permissions-Policy", settings.PERMISSIONS_POLICY)
        user = getattr(request, "_cached_user", None)  # only what was looked up anyway
        if user is not None and user.is_authenticated:
            response.setdefault("Cache-Control", "private, no-cache")
        return response


class BodyLimitMiddleware:
    """Answers 413 before anything reads a body above settings.BODY_LIMIT."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.META.get(TOO_LARGE) or _length(request) > settings.BODY_LIMIT:
            return respond(request, 413, "too_large", too_large_message())
        return self.get_response(request)


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
