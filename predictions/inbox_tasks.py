"""The wake-up of the bucket's inbox. Apart from ``tasks``, which the services below the inbox send."""

from __future__ import annotations

from celery import shared_task

from accounts.tasks import WakeUp, alone, prepare_exports

QUEUE = "archives"


@shared_task(base=WakeUp, name="predictions.take_inbox")
def take_inbox() -> None:
    """Takes pictures from the inbox and writes results, for some seconds, as a long task among the others."""
    from accounts import exports
    from predictions import inbox

    with alone() as free:
        more = free and inbox.work()
    if more:
        # Thousands of pictures must not keep somebody from their archive.
        if exports.waiting():
            prepare_exports.delay()
        take_inbox.delay()
