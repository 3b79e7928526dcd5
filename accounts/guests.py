"""Visitors without an account. What they make is kept for a day and theirs for good once they have one.

A guest is a row of ``User``, so that whatever has an owner can have a guest as one. It is named in the visitor's
session and nowhere else: Django, allauth and axes never see it logged in, it has no password, no e-mail address that
exists, no rights and no API tokens. Views that are open to guests ask ``of``.

No guest comes back: after ``guest_until`` none is found, kept longer or merged, so that ``sweep`` can erase it while
requests and workers are still busy with it.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from allauth.account import app_settings as allauth_settings
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Greatest, Now
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts import registry, throttle, timezones
from accounts.fields import GUEST_DOMAIN
from accounts.models import User

logger = logging.getLogger(__name__)

SESSION_KEY = "guest"
# The guest of a sign-up in this session, and the address that the sign-up was for.
SIGN_UP_KEY = "guest_sign_up"
LIFETIME = timedelta(hours=24)
# A whole class may sit behind one address.
NEW_PER_HOUR = 60
HOUR = 3600
# Requests that start out together, each without a session, mean one guest.
TOGETHER = timedelta(minutes=1)

# Timers run between heartbeats, so erasing stops after this long and goes on at its next turn.
SWEEP_SECONDS = 3.0
SWEEP_STEP = 20


class TooManyGuests(Exception):
    """More new guests from one address than a class would be; the message says what to do."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(
            _(
                "Too many pictures were tried without an account from where you are. Sign up or log in to go on."
            )
        )


class GuestGone(Exception):
    """The guest was merged into an account or erased while the request was under way."""

    def __init__(self) -> None:
        super().__init__(
            _("You have logged in meanwhile, or the 24 hours without an account are over. Reload the page.")
        )


def living() -> QuerySet[User]:
    """The guests whose time is not over."""
    return User.objects.filter(is_guest=True, is_active=True, guest_until__gt=Now())


def of(request: HttpRequest) -> User | None:
    """The guest of a visitor's session, if there is one."""
    pk = request.session.get(SESSION_KEY)
    return living().filter(pk=pk).first() if pk is not None else None


# --- beginning ---------------------------------------------------------------------------------------------


def make(request: HttpRequest) -> User:
    """Makes the visitor a guest. Raises TooManyGuests.

    Several pictures are sent at once, and the first answer brings the session: until then the requests know each
    other by the browser's CSRF cookie and their address, from which the guest's address is made.
    """
    email = _email(request)
    guest = _made_just_now(email)
    if guest is None:
        seconds = throttle.wait("guests", throttle.address_of(request), NEW_PER_HOUR, HOUR)
        if seconds:
            raise TooManyGuests(seconds)
        try:
            guest = _create(email, request)
        except IntegrityError:
            # The other request was faster; or, if this one is not the browser's first guest, it is another one.
            guest = _made_just_now(email) or _create(_random_email(), request)
    request.session[SESSION_KEY] = guest.pk
    return guest


def _email(request: HttpRequest) -> str:
    secret = request.META.get("CSRF_COOKIE")
    if not secret:
        return _random_email()
    before = request.session.get(SESSION_KEY, "")
    place = f"{secret}:{throttle.address_of(request)}:{before}"
    return f"{salted_hmac('accounts.guests', place, algorithm='sha256').hexdigest()[:32]}@{GUEST_DOMAIN}"


def _random_email() -> str:
    return f"{uuid.uuid4().hex}@{GUEST_DOMAIN}"


def _made_just_now(email: str) -> User | None:
    return living().filter(email=email, created__gt=timezone.now() - TOGETHER).first()


def _create(email: str, request: HttpRequest) -> User:
    with transaction.atomic():
        return User.objects.create(
            email=email,
            password=make_password(None),
            is_guest=True,
            guest_until=timezone.now() + LIFETIME,
            time_zone=timezones.valid_or_default(unquote(request.COOKIES.get(timezones.COOKIE, ""))),
        )


# --- becoming an account -----------------------------------------------------------------------------------


def hold(request: HttpRequest, email: str) -> None:
    """Keeps the session's guest for as long as a confirmation link is good: who signs up may have to confirm first.
    The login with this address is then the sign-up's end, which merges by itself.

    Called whether or not the sign-up made an account, which must not be told from what happens to the pictures.
    Counted from the guest's first picture: signing up again and again keeps nothing for ever.
    """
    pk = request.session.get(SESSION_KEY)
    if pk is None:
        return
    until = F("created") + timedelta(days=allauth_settings.EMAIL_CONFIRMATION_EXPIRE_DAYS)
    living().filter(pk=pk).update(guest_until=Greatest("guest_until", until))
    request.session[SIGN_UP_KEY] = {"guest": pk, "email": email.lower()}


def merge(request: HttpRequest, user: User) -> bool:
    """Gives all that the session's guest has to ``user``, and ends the guest. False if there was none any more."""
    pk = request.session.get(SESSION_KEY)
    if pk is None:
        return False
    sentences: list[str] = []
    with transaction.atomic():
        # Locked, so that a request of the guest either comes before and is merged too, or finds no guest.
        guest = living().select_for_update().filter(pk=pk).first()
        if guest is not None:
            sentences = [merger(guest, user) for merger in registry.mergers().values()]
            guest.delete()
    del request.session[SESSION_KEY]
    for sentence in filter(None, sentences):
        messages.success(request, sentence, fail_silently=True)
    return guest is not None


def merge_at_login(sender: Any, request: HttpRequest | None, user: User, **details: Any) -> None:
    """Receives Django's ``user_logged_in``: by then the account's e-mail address is confirmed where it must be.

    Not at the sign-up, after which the account may belong to whoever confirms the address: a stranger must not put
    pictures into the history of somebody else. And not without a sign-up: on a computer that is shared, whoever logs
    in next need not be the one who tried the pictures, and is asked (``offered``).
    """
    if request is None or not hasattr(request, "session"):
        return
    sign_up = request.session.pop(SIGN_UP_KEY, None)
    if sign_up != {"guest": request.session.get(SESSION_KEY), "email": user.email.lower()}:
        return
    try:
        merge(request, user)
    except DatabaseError:
        # Nobody is kept from logging in by it. The guest stays in the session, and its pictures are offered.
        logger.exception("A guest could not be merged.")


# --- being asked about after a login ------------------------------------------------------------------------


def offered(request: HttpRequest) -> int:
    """How many pictures were tried in this session before somebody logged in who may keep them."""
    user = getattr(request, "user", None)
    # Pages of errors are also drawn for requests that got no further than the first middleware.
    if user is None or not hasattr(request, "session") or not user.is_authenticated or user.is_guest:
        return 0
    guest = of(request)
    return registry.pictures(guest) if guest is not None else 0


def refuse(request: HttpRequest) -> None:
    """Erases the session's guest with all it made."""
    pk = request.session.pop(SESSION_KEY, None)
    guest = living().filter(pk=pk).first() if pk is not None else None
    if guest is None:
        return
    # From now on it is out of reach, and the sweeper erases what is left if something fails here.
    living().filter(pk=pk).update(guest_until=Now())
    try:
        _erase(guest)
    except Exception:
        logger.exception("A guest could not be erased yet.")


# --- ending ------------------------------------------------------------------------------------------------


def sweep(seconds: float = SWEEP_SECONDS, clock: Callable[[], float] = time.monotonic) -> int:
    """Erases guests whose time is over, with all they made, for at most ``seconds``. A timer calls it."""
    end = clock() + seconds
    erased = 0
    failed: set[Any] = set()
    while clock() < end:
        over = User.objects.filter(is_guest=True, guest_until__lte=Now()).exclude(pk__in=failed)
        guests = list(over.order_by("guest_until")[:SWEEP_STEP])
        if not guests:
            break
        for guest in guests:
            if clock() >= end:
                break
            try:
                erased += _erase(guest)
            except Exception:
                # One that cannot be erased now must not keep the others here.
                logger.exception("A guest could not be erased yet.")
                failed.add(guest.pk)
    return erased


def _erase(guest: User) -> int:
    # Waits for a merge or an upload that still holds the row, and lets no other begin.
    over = User.objects.filter(pk=guest.pk, is_guest=True, guest_until__lte=Now())
    if not over.update(is_active=False):
        return 0
    registry.forget(guest)
    return 1
