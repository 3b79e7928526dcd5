"""How often a user may do something on the pages; the API has the throttles of its framework."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

View = Callable[..., HttpResponseBase]

WINDOW = 60  # seconds


def limit_rate(scope: str, per_minute: int) -> Callable[[View], View]:
    """Lets a signed-in user POST to a view ``per_minute`` times a minute; views of one scope count together.

    Goes below whatever asks for a login. A cache that is away lets everybody through.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method != "POST" or not settings.RATE_LIMITS or not request.user.is_authenticated:
                return view(request, *args, **kwargs)
            now = time.time()
            if _count(scope, request.user.pk, int(now // WINDOW)) <= per_minute:
                return view(request, *args, **kwargs)
            return _refuse(request, WINDOW - int(now % WINDOW))

        return limited

    return decorate


def _count(scope: str, user: Any, window: int) -> int:
    """How many times now, this one included."""
    key = f"rate:{scope}:{user}:{window}"
    cache.add(key, 0, timeout=2 * WINDOW)
    try:
        return int(cache.incr(key))
    except ValueError:  # the cache was emptied between the two lines
        return 1


def _refuse(request: HttpRequest, seconds: int) -> HttpResponseBase:
    message = _("Too many requests. Try again in %(seconds)d seconds.") % {"seconds": seconds}
    response: HttpResponseBase
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        response = JsonResponse({"error": {"code": "throttled", "message": message}}, status=429)
    else:
        response = render(request, "429.html", {"message": message}, status=429)
    response["Retry-After"] = str(seconds)
    return response
