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
    if request.user.is_authenticated:
        return throttle.wait("laboratory-new", request.user.pk, PER_MINUTE)
    return throttle.wait("laboratory-new", throttle.address_of(request), PER_MINUTE_FROM_AN_ADDRESS)
