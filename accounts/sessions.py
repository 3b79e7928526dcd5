"""Where an account is logged in, and how it is logged out there.

allauth keeps a row for each session. It is written at the login, and brought up to date by later visits at most once
in ``SEEN_RESOLUTION``. Of the address only the network is kept, and of the browser only its name: enough to recognise
one's own devices by, and nothing to follow anybody with.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from allauth.usersessions.models import UserSession
from axes.helpers import get_client_ip_address
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User

logger = logging.getLogger(__name__)

SEEN_RESOLUTION = timedelta(minutes=5)
# How much of an address is its network's, by the version.
NETWORK_BITS = {4: 24, 6: 48}
NO_ADDRESS = "0.0.0.0"  # noqa: S104  (the column wants one; nothing listens there)
SWEEP_STEP = 1000

# The first that matches is shown; many browsers name others as well.
BROWSERS = {
    "Edge": r"Edg",
    "Opera": r"OPR/|Opera",
    "Samsung Internet": r"Samsung",
    "Firefox": r"Firefox|FxiOS",
    "Chrome": r"Chrom|CriOS",
    "Safari": r"Safari",
}
SYSTEMS = {
    "iPhone": r"iPhone",
    "iPad": r"iPad",
    "Android": r"Android",
    "ChromeOS": r"CrOS|ChromeOS",
    "Windows": r"Windows",
    "macOS": r"Mac OS X|macOS",
    "Linux": r"Linux",
}

# When this process looked last at the row of a session, so that a busy page does not ask the database each time.
_looked: dict[str, datetime] = {}
_LOOKED_MOST = 10_000


def end_all(user: User, except_key: str | None = None) -> int:
    """Logs ``user`` out everywhere, except in the session with the key ``except_key``. Returns how many ended."""
    ended = 0
    with transaction.atomic():
        for session in UserSession.objects.filter(user_id=user.pk).exclude(session_key=except_key or ""):
            session.end()
            ended += 1
    return ended


# --- noting ------------------------------------------------------------------------------------------------


def note_login(sender: Any, request: HttpRequest | None, user: User, **details: Any) -> None:
    """Receives Django's ``user_logged_in``: every way in leads past it."""
    if request is not None and getattr(request, "session", None) is not None and not user.is_guest:
        _note(request, user, timezone.now())


def note_logout(sender: Any, request: HttpRequest | None, user: User | None, **details: Any) -> None:
    """Receives Django's ``user_logged_out``, before the session is emptied."""
    if request is not None and user is not None and getattr(request, "session", None) is not None:
        UserSession.objects.filter(session_key=request.session.session_key or "").delete()


def note_visit(request: HttpRequest) -> None:
    """Remembers that the session of a request was used just now."""
    key = request.session.session_key
    if not key or not request.user.is_authenticated:
        return
    now = timezone.now()
    last_login = request.user.last_login
    if now - _looked.get(key, last_login or now - SEEN_RESOLUTION) < SEEN_RESOLUTION:
        return
    if len(_looked) >= _LOOKED_MOST:
        _looked.clear()
    _looked[key] = now
    fresh = UserSession.objects.filter(session_key=key, last_seen_at__gt=now - SEEN_RESOLUTION)
    if not fresh.exists():
        _note(request, request.user, now)


def _note(request: HttpRequest, user: User, now: datetime) -> None:
    values = {
        "user": user,
        "ip": get_client_ip_address(request) or NO_ADDRESS,
        "user_agent": request.META.get("HTTP_USER_AGENT", ""),
        "last_seen_at": now,
    }
    try:
        UserSession.objects.update_or_create(session_key=request.session.session_key, defaults=values)
    except DatabaseError:
        # Nobody is kept from logging in, or from a page, by a list of devices.
        logger.exception("A session could not be noted.")


def shorten(sender: Any, instance: UserSession, **details: Any) -> None:
    """Receives ``pre_save`` of every row, whoever wrote it: only this much of a visitor is kept."""
    instance.ip = network_of(str(instance.ip))
    instance.user_agent = browser_of(str(instance.user_agent))


def network_of(given: str) -> str:
    """The first address of the network that an address lies in."""
    try:
        address = ip_address(given)
    except ValueError:
        return NO_ADDRESS
    return str(ip_network((address, NETWORK_BITS[address.version]), strict=False).network_address)


def browser_of(agent: str) -> str:
    """A browser and its system in words, as "Firefox, Linux"; empty for what is neither."""
    found = (
        next((name for name, pattern in names.items() if re.search(pattern, agent)), "")
        for names in (BROWSERS, SYSTEMS)
    )
    return ", ".join(filter(None, found))


# --- forgetting --------------------------------------------------------------------------------------------


def sweep() -> int:
    """Removes sessions that are over with what is known of them, and counts of failed logins. A timer calls it."""
    now = timezone.now()
    over = Session.objects.filter(expire_date__lt=now).values_list("pk", flat=True)[:SWEEP_STEP]
    Session.objects.filter(pk__in=list(over)).delete()
    living = Session.objects.filter(pk=OuterRef("session_key"))
    ended = UserSession.objects.filter(~Exists(living), last_seen_at__lt=now - SEEN_RESOLUTION)
    removed, _rows = UserSession.objects.filter(
        pk__in=list(ended.values_list("pk", flat=True)[:SWEEP_STEP])
    ).delete()
    AccessAttempt.objects.filter(attempt_time__lt=now - settings.AXES_COOLOFF_TIME).delete()
    return removed
