"""Who may see a page, and how those are told who may not."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User

View = Callable[..., HttpResponseBase]


class OwnRequest(HttpRequest):
    """A request of somebody who is logged in."""

    user: User


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def problem(status: int, code: str, message: str, fields: dict[str, list[str]] | None = None) -> JsonResponse:
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return JsonResponse({"error": error}, status=status)


def for_owners(view: View) -> View:
    """Lets only those in who are logged in: scripts are told so, people are sent to the login page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if wants_json(request):
            return problem(401, "not_logged_in", _("You are no longer logged in. Log in and try again."))
        # What only takes POST would answer the login's redirect with an error.
        page = (
            request.get_full_path() if request.method in ("GET", "HEAD") else reverse("predictions:predict")
        )
        return redirect_to_login(page)

    return guarded
