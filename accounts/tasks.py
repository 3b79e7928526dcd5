"""Thin Celery tasks: wake-ups for what takes long. What there is to do stands in the rows."""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import shared_task
from celery.contrib.django.task import DjangoTask
from django.conf import settings

from accounts import draining

logger = logging.getLogger(__name__)

# Two gigabytes from a slow storage. The site's own limit of a minute is for answers; these tasks have a queue and a
# process of their own.
LONG = 3600


class WakeUp(DjangoTask):
    """A message whose loss costs seconds: the row is written already, and a timer sends wake-ups again.

    So a broker that is away must not turn what was taken into an error.
    """

    abstract = True

    def apply_async(self, *args: Any, **options: Any) -> Any:
        if draining.draining():
            # It could come back to this machine, which begins nothing more. Others see what waits as well.
            return None
        try:
            return super().apply_async(*args, **options)
        except Exception as error:
            logger.warning("No wake-up could be sent (%s); the timer will.", type(error).__name__)
            return None


@contextmanager
def alone() -> Iterator[bool]:
    """Whether this is the only long task of this machine, which others then wait for, and may be begun.

    They share a worker with the figures of the laboratory, for which one of its processes has to be left. Whoever finds
    another one at work leaves: what was to be done stands in rows, and a timer wakes up again.
    """
    with (settings.DATA_DIR / "long-tasks.lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            # Closing the file gives it back, and so does the end of the process.
            yield not draining.draining()


def at_work() -> bool:
    """Whether a long task is under way on this machine."""
    with (settings.DATA_DIR / "long-tasks.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@shared_task(base=WakeUp, name="accounts.prepare_exports", time_limit=LONG)
def prepare_exports() -> None:
    """Prepares the archives that wait until there are none."""
    from accounts import deletion, exports

    with alone() as free:
        more = free and exports.prepare()
    if more:
        prepare_exports.delay()
    elif free and deletion.over().exists():
        erase_accounts.delay()


@shared_task(base=WakeUp, name="accounts.erase_accounts", time_limit=LONG)
def erase_accounts() -> None:
    """Erases the accounts whose pause is over."""
    from accounts import deletion, exports

    with alone() as free:
        if free:
            deletion.sweep()
    if free and exports.waiting():
        prepare_exports.delay()


def wake_up() -> None:
    """Sends the wake-ups again while something waits: a message may have been lost. A timer calls it."""
    from accounts import deletion, exports

    if exports.waiting():
        prepare_exports.delay()
    if deletion.over().exists():
        erase_accounts.delay()
