"""What the site keeps, where and how long, and on what terms: two pages whose figures come from the code."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from allauth.account import app_settings as allauth_settings
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts import deletion, exports, guests, sessions, throttle, timezones
from learn import upkeep
from predictions import quotas, report_views
from predictions.models import DRAFT_LIFETIME, UNDO

YEAR = timedelta(days=365)


class Kept(NamedTuple):
    """Something that the site puts into the browser of a visitor."""

    name: str
    purpose: Any
    lifetime: Any


def cookies() -> list[Kept]:
    """Every cookie that the site sets; tests/site/test_privacy.py compares."""
    session = timedelta(seconds=settings.SESSION_COOKIE_AGE)
    form = timedelta(seconds=settings.CSRF_COOKIE_AGE)
    return [
        Kept(
            settings.SESSION_COOKIE_NAME,
            _("Knows that you are logged in, or which pictures you tried without an account."),
            duration(session),
        ),
        Kept(
            settings.CSRF_COOKIE_NAME,
            _("Keeps other sites from sending forms in your name."),
            duration(form),
        ),
        Kept("messages", _("Carries a sentence such as “Saved” to the next page."), _("until that page")),
        Kept(
            timezones.COOKIE, _("Your time zone, so that dates are yours."), _("until the browser is closed")
        ),
        Kept(
            settings.LANGUAGE_COOKIE_NAME,
            _("The language, once you have chosen one."),
            duration(timedelta(seconds=settings.LANGUAGE_COOKIE_AGE)),
        ),
    ]


# What the pages keep in the browser itself, which is never sent. The keys of static/js; the same test compares.
STORAGE = [
    Kept(
        "theme",
        gettext_lazy("Light or dark, once you have chosen."),
        gettext_lazy("until you choose “System”"),
    ),
    Kept(
        "live-answers", gettext_lazy("Whether answers follow the bars."), gettext_lazy("until you change it")
    ),
    Kept(
        "convoscope.solved",
        gettext_lazy("Which tasks of the lessons you have solved, until you have an account."),
        gettext_lazy("until you log in"),
    ),
    Kept(
        "convoscope.guesses",
        gettext_lazy("What you guessed in the lessons."),
        gettext_lazy("until the tab is closed"),
    ),
    Kept("copied-bars", gettext_lazy("Bars that you copied."), gettext_lazy("until the tab is closed")),
    Kept(
        "pictures, picture",
        gettext_lazy("Which pictures you are working on."),
        gettext_lazy("until the tab is closed"),
    ),
]


def duration(length: timedelta) -> str:
    """In the largest unit that leaves nothing over."""
    seconds = int(length.total_seconds())
    for unit, words in (
        (YEAR.total_seconds(), lambda n: ngettext("%(n)d year", "%(n)d years", n)),
        (7 * 86400, lambda n: ngettext("%(n)d week", "%(n)d weeks", n)),
        (86400, lambda n: ngettext("%(n)d day", "%(n)d days", n)),
        (3600, lambda n: ngettext("%(n)d hour", "%(n)d hours", n)),
        (60, lambda n: ngettext("%(n)d minute", "%(n)d minutes", n)),
    ):
        if seconds >= unit and not seconds % unit:
            number = int(seconds // unit)
            return words(number) % {"n": number}
    return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}


def facts() -> dict[str, Any]:
    """The figures of both pages, each from where the code has it."""
    return {
        "operator": {
            "name": settings.OPERATOR_NAME,
            "email": settings.OPERATOR_EMAIL,
            "address": settings.OPERATOR_ADDRESS,
        },
        "cookies": cookies(),
        "storage": STORAGE,
        "retention_months": settings.RETENTION_MONTHS,
        "guest": hours(guests.LIFETIME),
        "guest_pictures": quotas.GUEST_PICTURES,
        "sign_up": duration(timedelta(days=allauth_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS)),
        "draft": hours(DRAFT_LIFETIME),
        "undo": duration(UNDO),
        "explanation": days(upkeep.UNUSED),
        "pause": days(deletion.PAUSE),
        "export": days(exports.KEPT),
        "export_named": days(exports.REMEMBERED),
        "session": duration(timedelta(seconds=settings.SESSION_COOKIE_AGE)),
        "seen": duration(sessions.SEEN_RESOLUTION),
        "lockout": duration(settings.AXES_COOLOFF_TIME),
        # A counter outlives its window by one more.
        "rates": hours(timedelta(seconds=throttle.KEPT_WINDOWS * report_views.DAY)),
        "pictures_elsewhere": bool(settings.AWS_STORAGE_BUCKET_NAME),
    }


def hours(length: timedelta) -> str:
    number = int(length.total_seconds() // 3600)
    return ngettext("%(n)d hour", "%(n)d hours", number) % {"n": number}


def days(length: timedelta) -> str:
    return ngettext("%(n)d day", "%(n)d days", length.days) % {"n": length.days}


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept, where, how long and for what."""
    return render(request, "legal/privacy.html", facts())


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """What one may do here, and what nobody promises."""
    return render(request, "legal/terms.html", facts())
