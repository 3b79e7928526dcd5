"""An account's end: its owner asks for it, may change their mind for seven days, and then everything is erased.

Meanwhile nobody is logged in, the API tokens do not work and shared links show nothing; whoever logs in is asked
whether to keep the account (``accounts.middleware.DeletionPendingMiddleware``).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts import registry
from accounts.models import User

logger = logging.getLogger(__name__)

PAUSE = timedelta(days=7)
# A task begins no other account after this long, but finishes the one it has.
SWEEP_SECONDS = 600.0


class LastSuperuser(Exception):
    """Nobody would be left who may do everything; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "You are this site's only administrator. Make somebody else one before you delete your account."
            )
        )


def ask(user: User) -> bool:
    """Begins the pause and logs the account out everywhere. False if it had begun before. Raises LastSuperuser."""
    from accounts import sessions

    with transaction.atomic():
        if user.is_superuser:
            _check_others(user)
        theirs = User.objects.filter(pk=user.pk, is_guest=False)
        begun = bool(theirs.filter(deletion_due__isnull=True).update(deletion_due=Now() + PAUSE))
        sessions.end_all(user)
    user.refresh_from_db(fields=["deletion_due"])
    return begun


def _check_others(user: User) -> None:
    # Locked, so that the last two cannot both go, each relying on the other.
    superusers = User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk")
    if all(one.pk == user.pk or one.deletion_due is not None for one in superusers):
        raise LastSuperuser


def keep(user: User) -> bool:
    """Ends the pause: everything is as before, except that shared links and tokens work again only from now on.
    False when there is nothing to keep any more, or nothing was to be erased.
    """
    pending = User.objects.filter(pk=user.pk, deletion_due__gt=Now(), is_active=True)
    kept = bool(pending.update(deletion_due=None))
    user.refresh_from_db(fields=["deletion_due"])
    return kept


def over() -> QuerySet[User]:
    """Accounts whose pause is over: nothing brings them back."""
    return User.objects.filter(deletion_due__lte=Now())


def sweep(seconds: float = SWEEP_SECONDS, clock: Callable[[], float] = time.monotonic) -> int:
    """Erases the accounts whose pause is over, and returns how many. Interrupted, it goes on where it was."""
    end = clock() + seconds
    erased = 0
    for user in over().order_by("deletion_due"):
        if clock() >= end:
            break
        try:
            erased += _erase(user)
        except Exception:
            # One that cannot be erased now must not keep the others here.
            logger.exception("An account could not be erased yet.")
    return erased


def _erase(user: User) -> int:
    # From here on no request can act for it, and ``keep`` comes too late.
    if not over().filter(pk=user.pk).update(is_active=False):
        return 0
    registry.forget(user)
    logger.info("An account was erased, as its owner had asked.")
    return 1
