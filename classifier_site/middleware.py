"""Headers on every answer, the limits of a request's body, and errors in the site's own shape."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from classifier_site.bodies import TOO_LARGE, TOO_SLOW, body_limit
from classifier_site.errors import error_body, method_not_allowed, too_large, too_slow

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
    """Answers 413 before anything reads a body above the limit of its address, and 408 for one that stalled."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.META.get(TOO_SLOW):
            return too_slow(request)
        if request.META.get(TOO_LARGE) or _length(request) > body_limit(request.path_info):
            return too_large(request)
        return self.get_response(request)


def _length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


class ErrorShapeMiddleware:
    """Fills in errors that come without a body, or under /api/ as anything but JSON of the one shape."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST or response.streaming:
            return response
        shaped: HttpResponse
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            shaped = method_not_allowed(request)
        elif request.path_info.startswith("/api/") and not _has_shape(response):
            message = _("The request was refused with status %(status)s.") % {"status": response.status_code}
            shaped = JsonResponse(error_body("refused", message), status=response.status_code)
        else:
            return response
        for name, value in response.items():
            if name not in ("Content-Type", "Content-Length"):
                shaped.setdefault(name, value)
        shaped.cookies = response.cookies
        shaped._has_been_logged = True  # type: ignore[attr-defined]  # the view's own answer was
        return shaped


def _has_shape(response: HttpResponse) -> bool:
    if not response.get("Content-Type", "").startswith("application/json"):
        return False
    try:
        body = json.loads(response.content)
    except ValueError:
        return False
    return isinstance(body, dict) and "error" in body
