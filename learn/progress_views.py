"""Progress in the lessons, as their scripts send it."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST

from accounts.throttle import limit_rate
from learn import progress
from predictions.access import to_login

NOTES_PER_MINUTE = 120
MOST = 500
"""Pairs in one request; there are a few dozen tasks."""


@require_POST
@limit_rate("progress", NOTES_PER_MINUTE)
def note(request: HttpRequest) -> HttpResponseBase:
    """``solved`` (LESSON:TASK, repeatable) -> all that the account has solved. A visitor's stays in the browser."""
    if not request.user.is_authenticated:
        return to_login(request)
    sent = [text.partition(":") for text in request.POST.getlist("solved")[:MOST]]
    progress.note(request.user, [(slug, key) for slug, _colon, key in sent])
    return JsonResponse({"solved": [":".join(pair) for pair in progress.of(request.user)]})
