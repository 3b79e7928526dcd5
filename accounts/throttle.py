"""How often somebody may do something on the pages; the API has the throttles of its framework."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from functools import wraps
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from axes.helpers import get_client_ip_address
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _

View = Callable[..., HttpResponseBase]

WINDOW = 60  # seconds
# A counter, and with it whose it is, is kept for so many of its windows.
KEPT_WINDOWS = 2


def limit_rate(
    scope: str, per_minute: int, *, methods: Collection[str] = ("POST",)
) -> Callable[[View], View]:
    """Lets a user ask a view ``per_minute`` times a minute with these methods; views of one scope count together.

    Goes below whatever says who asks. Visitors who are nobody yet are counted by their address. A cache that is away
    lets everybody through.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in methods:
                return view(request, *args, **kwargs)
            who = request.user.pk if request.user.is_authenticated else address_of(request)
            seconds = wait(scope, who, per_minute)
            if not seconds:
                return view(request, *args, **kwargs)
            return refuse(
                request,
                seconds,
                _("Too many requests. Try again in %(seconds)d seconds.") % {"seconds": seconds},
            )

        return limited

    return decorate


def wait(scope: str, who: Any, most: int, window: int = WINDOW) -> int:
    """Counts this time, and says in how many seconds ``who`` may try again; 0 up to ``most`` times a window."""
    if not settings.RATE_LIMITS:
        return 0
    now = time.time()
    if _count(scope, who, int(now // window), window) <= most:
        return 0
    return window - int(now % window)


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, as far as one person can be told from another by it.

    Of an address of version 6 that is its network: within it everybody has as many addresses as they like.
    """
    given = str(get_client_ip_address(request) or "")
    try:
        address = ip_address(given)
    except ValueError:
        return given
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else given


def _count(scope: str, who: Any, number: int, window: int) -> int:
    """How many times in this window, this one included."""
    key = f"rate:{scope}:{who}:{number}"
    cache.add(key, 0, timeout=KEPT_WINDOWS * window)
    try:
        return int(cache.incr(key))
    except ValueError:  # the cache was emptied between the two lines
        return 1


def refuse(request: HttpRequest, seconds: int, message: str) -> HttpResponseBase:
    response: HttpResponseBase
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        response = JsonResponse({"error": {"code": "throttled", "message": message}}, status=429)
    else:
        response = render(request, "429.html", {"message": message}, status=429)
    response["Retry-After"] = str(seconds)
    return response
