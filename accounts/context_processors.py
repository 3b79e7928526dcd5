"""What every template may use of accounts."""

from __future__ import annotations

from functools import partial

from django.http import HttpRequest

from accounts import guests


def guest_offer(request: HttpRequest) -> dict[str, object]:
    """How many pictures somebody who has logged in may keep. Looked up by the pages that ask only."""
    return {"guest_offer": partial(guests.offered, request)}
