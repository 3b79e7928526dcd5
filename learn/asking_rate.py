"""How often something new may be asked of the laboratory's worker.

What is stored already costs nothing and is not counted here.
"""

from __future__ import annotations

from django.http import HttpRequest

from accounts import throttle

PER_MINUTE = 120
PER_MINUTE_FROM_AN_ADDRESS = 600
"""Visitors are told apart by their address only, and a class has one in common."""


def count(request: HttpRequest) -> int:
    """Counts one new question; returns in how many seconds the next one may come, 0 for now."""
    most = PER_MINUTE if request.user.is_authenticated else PER_MINUTE_FROM_AN_ADDRESS
    return throttle.wait("laboratory-new", asker(request), most)


def asker(request: HttpRequest) -> str:
    """Who asks, as far as that is known: an account, or an address."""
    return str(request.user.pk) if request.user.is_authenticated else throttle.address_of(request)
