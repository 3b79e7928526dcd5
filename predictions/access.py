"""Who may see a page, and how those are told who may not.

A page is its owner's, who has an account or is a guest. Guests are known on the pages below these decorators only:
everywhere else, and for the API, they are nobody.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts import guests, throttle
from accounts.models import User
from predictions import quotas

View = Callable[..., HttpResponseBase]

# How a page that was made for an account says so, in a form's field and in a script's header.
ACCOUNT_FIELD = "account"
ACCOUNT_HEADER = "X-Account"


class OwnRequest(HttpRequest):
    """A request of somebody who can own something. ``for_visitors`` also lets nobody in, until ``owner_of``."""

    user: User


def id_of(text: str | None) -> uuid.UUID | None:
    """The id that was sent; None where it is none, which names nothing."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def problem(status: int, code: str, message: str, fields: dict[str, list[str]] | None = None) -> JsonResponse:
    error: dict[str, Any] = {"code": code, "message": message}
    if fields:
        error["fields"] = fields
    return JsonResponse({"error": error}, status=status)


def for_owners(view: View) -> View:
    """Lets those in who can own something, with an account or as a guest: scripts are told so, people are sent to the
    login page.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if _is_somebody(request):
            return _answer(view, request, *args, **kwargs)
        return to_login(request)

    return guarded


def for_visitors(view: View) -> View:
    """Lets everybody in; what a visitor leaves there has a guest as its owner, whom ``owner_of`` makes.

    A page of an account whose login has ended is told so: the next picture would go to nobody's history.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if _is_somebody(request) or not _is_of_account(request):
            return _answer(view, request, *args, **kwargs)
        return to_login(request)

    return guarded


def unlisted(view: View) -> View:
    """For whoever was given the address: no search engine keeps it, and other sites are not told it.

    A form that stands on a page without a referrer is sent with an Origin of ``null``, which the check of forms
    refuses. So a page with forms, as all pages are to those who can log out, keeps the site's own policy.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        response["X-Robots-Tag"] = "noindex, nofollow"
        response.setdefault("Cache-Control", "private, no-cache")
        response.setdefault(
            "Referrer-Policy", "same-origin" if request.user.is_authenticated else "no-referrer"
        )
        return response

    return guarded


def owner_of(request: OwnRequest) -> User:
    """Who owns what this request keeps. A visitor becomes a guest by it. Raises TooManyGuests."""
    if not request.user.is_authenticated:
        request.user = guests.make(request)
    return request.user


def to_login(request: HttpRequest) -> HttpResponse:
    if wants_json(request):
        return problem(401, "not_logged_in", _("You are no longer logged in. Log in and try again."))
    return redirect_to_login(_page_of(request))


def _page_of(request: HttpRequest) -> str:
    """Where to come back to. What only takes POST would answer the login's redirect with an error."""
    return request.get_full_path() if request.method in ("GET", "HEAD") else reverse("predictions:predict")


def trial_of(request: HttpRequest) -> quotas.Trial | None:
    """What the visitor of this request may still try; None for an account."""
    found = getattr(request, "trial", None)
    return found or None


def _is_somebody(request: HttpRequest) -> bool:
    """Whether there is an owner; the guest of the session becomes ``request.user`` for the rest of the request."""
    if request.user.is_authenticated:
        return True
    guest = None if _is_of_account(request) else guests.of(request)
    if guest is not None:
        request.user = guest
    return guest is not None


def _is_of_account(request: HttpRequest) -> bool:
    return ACCOUNT_HEADER in request.headers or (request.method == "POST" and ACCOUNT_FIELD in request.POST)


def _answer(view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    if request.user.is_authenticated and not request.user.is_guest:
        return view(request, *args, **kwargs)
    # Looked up when a page shows it, after what the request itself has used.
    request.trial = SimpleLazyObject(lambda: quotas.trial(request.user))  # type: ignore[attr-defined]
    request.return_to = _page_of(request)  # type: ignore[attr-defined]
    try:
        response = view(request, *args, **kwargs)
    except guests.GuestGone as error:
        return problem(401, "guest_gone", str(error)) if wants_json(request) else to_login(request)
    except guests.TooManyGuests as error:
        return throttle.refuse(request, error.seconds, str(error))
    response.setdefault("Cache-Control", "private, no-cache")
    return response
