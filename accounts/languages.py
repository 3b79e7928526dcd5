"""In which language a page is: what was chosen on this browser, else on the account, else what the browser prefers."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.ways_back import page_of


def offered(name: object) -> bool:
    return isinstance(name, str) and name in dict(settings.LANGUAGES)


def chosen(request: HttpRequest) -> str:
    """The language that this browser has chosen, or nothing."""
    name = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return name if offered(name) else ""


class LanguageMiddleware:
    """The language of the account, where this browser has chosen none; the rest does Django's ``LocaleMiddleware``.

    An account can be left with a language that is no longer offered; then it counts as none.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not chosen(request) and request.user.is_authenticated and offered(request.user.language):
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = request.user.language
        return self.get_response(request)


# Every page has the switch, also those that are served without a cookie, so there is no token that it could carry. A
# browser says itself where a form was sent from; a strange page can therefore change nothing.
@csrf_exempt
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keeps a language in this browser for a year and with the account, and goes back to the page."""
    answer = redirect(page_of(request, "/"))
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return answer
    name = request.POST.get("language")
    if not offered(name):
        messages.error(request, _("There is no such language here. The page stays as it was."))
        return answer
    answer.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        str(name),
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    if request.user.is_authenticated:
        User.objects.filter(pk=request.user.pk).update(language=name)
    return answer
