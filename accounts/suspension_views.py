"""How somebody whose account is suspended is told so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from accounts import suspension
from accounts.models import User


class SuspensionMiddleware:
    """What is still open in the browser of somebody who was suspended says so at its next request, once a page."""

    # What pages need and what anybody may read. Programs that send a token are told by ``accounts.authentication``.
    OPEN = ("javascript-catalog", "choose-language", "privacy", "terms")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if "Authorization" in request.headers or (match is not None and match.view_name in self.OPEN):
            return None
        user = suspension.of(request)
        if user is None:
            return None
        # A picture or a script that a page asks for must not use up what the person is to read.
        if not _wants_json(request) and "text/html" in request.headers.get("Accept", "text/html"):
            suspension.noted(request)
        return tell_suspended(request, user)


def tell_suspended(request: HttpRequest, user: User) -> HttpResponse:
    """The page, or the error for a script, that says that and why an account is suspended."""
    response: HttpResponse
    if _wants_json(request):
        error = {"code": suspension.CODE, "message": suspension.says(user)}
        response = JsonResponse({"error": error}, status=403)
    else:
        context = {"reason": user.suspension_reason, "operator": settings.OPERATOR_EMAIL}
        response = render(request, "account/account_inactive.html", context, status=403)
    add_never_cache_headers(response)
    return response


def _wants_json(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/") or (
        request.get_preferred_type(["text/html", "application/json"]) == "application/json"
    )
