"""What django-axes has to be told about this site's accounts.

It guards the admin and the token endpoint; allauth limits failures on its own pages.
"""

from __future__ import annotations

from typing import Any

from axes.helpers import get_client_ip_address
from axes.utils import reset
from django.conf import settings
from django.http import HttpRequest

from accounts.fields import normalise_email

# As much as axes' column and the user's address can hold.
_LONGEST = 254


def username(request: HttpRequest | None, credentials: dict[str, Any] | None = None) -> str:
    """The account that somebody tries, in one spelling (``AXES_USERNAME_CALLABLE``).

    The admin calls it ``username``, the token endpoint ``email``; another case must not be another counter.
    """
    given = credentials or (request.POST if request is not None else {})
    value = given.get("email") or given.get("username") or ""
    return normalise_email(str(value))[:_LONGEST]


def forget_failures(request: HttpRequest, email: str) -> None:
    """Starts counting anew after a success that is no login and therefore sends axes no signal."""
    if settings.AXES_ENABLED:
        reset(ip=get_client_ip_address(request), username=username(request, {"email": email}))
