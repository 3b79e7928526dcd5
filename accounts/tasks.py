"""Thin Celery tasks: wake-ups for what takes long. What there is to do stands in the rows."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from celery.contrib.django.task import DjangoTask

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
        try:
            return super().apply_async(*args, **options)
        except Exception as error:
            logger.warning("No wake-up could be sent (%s); the timer will.", type(error).__name__)
            return None


@shared_task(base=WakeUp, name="accounts.prepare_exports", time_limit=LONG)
def prepare_exports() -> None:
    """Prepares the archives that wait until there are none."""
    from accounts import exports

    if exports.prepare():
        prepare_exports.delay()


@shared_task(base=WakeUp, name="accounts.erase_accounts", time_limit=LONG)
def erase_accounts() -> None:
    """Erases the accounts whose pause is over."""
    from accounts import deletion

    deletion.sweep()


def wake_up() -> None:
    """Sends the wake-ups again while something waits: a message may have been lost. A timer calls it."""
    from accounts import deletion, exports

    if exports.waiting():
        prepare_exports.delay()
    if deletion.over().exists():
        erase_accounts.delay()
