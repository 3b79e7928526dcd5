"""What is done again and again: which timers there are, and running those that are due.

The parents of all workers run them and, where there is one, ``manage.py run_timers``: each timer behind its lock row,
so that it happens once an interval however many processes there are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from predictions import job_tables
from predictions.jobs import Heartbeat, Timer

logger = logging.getLogger(__name__)

HEARTBEAT_KEPT = timedelta(minutes=10)
PUBLISHED_EVERY = timedelta(minutes=1)


def listed() -> list[tuple[str, timedelta, Callable[[], Any]]]:
    """Name, interval, action; each idempotent, and none bound to the machine that runs it."""
    from accounts import exports, guests, sessions
    from accounts import tasks as long_tasks
    from predictions import removal, retention, scaling, upkeep
    from predictions.models import Prediction

    found: list[tuple[str, timedelta, Callable[[], Any]]] = [
        ("expired leases", timedelta(seconds=15), Prediction.objects.sweep_expired),
        ("wake-ups", timedelta(seconds=5), wake_up),
        ("deleted predictions", timedelta(seconds=10), removal.purge),
        ("drafts", timedelta(minutes=10), removal.sweep_orphans),
        ("old pictures", timedelta(minutes=1), retention.sweep),
        ("unnamed predictions", timedelta(seconds=30), upkeep.name_predictions),
        ("unseen pictures", timedelta(seconds=15), upkeep.look_at_uploads),
        ("guests", timedelta(minutes=1), guests.sweep),
        ("long tasks", timedelta(seconds=30), long_tasks.wake_up),
        ("old archives", timedelta(minutes=10), exports.sweep),
        ("orphaned files", timedelta(minutes=1), removal.sweep_files),
        ("sessions", timedelta(minutes=10), sessions.sweep),
        ("heartbeats", timedelta(minutes=5), forget_dead_workers),
        *job_tables.timers(),
    ]
    if settings.CLOUDWATCH_NAMESPACE:
        # Last: it may wait for an address that does not answer.
        found.append(("metrics", PUBLISHED_EVERY, scaling.report))
    return found


def run_due(stopping: Callable[[], bool] = lambda: False) -> None:
    """Runs the timers that are due. One that fails is logged and does not keep the others; a database that is away
    raises.
    """
    for timer, every, action in listed():
        if stopping():
            return
        if Timer.objects.due(timer, every):
            try:
                action()
            except Exception:
                logger.exception("The timer %s failed.", timer)


def wake_up() -> None:
    """Sends the wake-up again while something waits: a message may have been lost."""
    from predictions.models import Prediction
    from predictions.tasks import predict

    if Prediction.objects.waiting().filter(created__lt=Now() - timedelta(seconds=2)).exists():
        predict.delay()


def forget_dead_workers() -> None:
    Heartbeat.objects.filter(seen__lt=Now() - HEARTBEAT_KEPT).delete()


class Outage:
    """Says once that something does not work, and once that it works again."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._begun = False

    def begins(self, error: BaseException) -> None:
        if not self._begun:
            # The error's text may hold an address with its password; the code that AWS gives does not.
            response = getattr(error, "response", None)
            code = response.get("Error", {}).get("Code", "") if isinstance(response, dict) else ""
            reason = " ".join(filter(None, [type(error).__name__, code]))
            logger.warning("%s: put off until it works again (%s).", self._what, reason)
        self._begun = True

    def ends(self) -> None:
        if self._begun:
            logger.info("%s: it works again.", self._what)
        self._begun = False
