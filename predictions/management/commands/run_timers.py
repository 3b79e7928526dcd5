"""Runs the timers in the web environment, so that a site whose workers were scaled to zero still deletes and sweeps."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import close_old_connections, connection

from predictions import timers

logger = logging.getLogger(__name__)

BEAT_SECONDS = 5.0
# A timer under way may end within this; each of them goes on where it was interrupted.
GRACE_SECONDS = 1.5


class Command(BaseCommand):
    help = (
        "Runs the timers that the workers' parents run, until SIGTERM: leases that ran out, wake-ups, deletions, "
        "metrics. Each runs once an interval, however many processes do this. Nothing is computed here."
    )
    # What an unsafe production lacks; the others would load every page.
    requires_system_checks = ["convoscope"]

    def handle(self, *arguments: Any, **options: Any) -> None:
        stopping = threading.Event()

        def stop(number: int, frame: FrameType | None) -> None:
            stopping.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        # In a thread that may be left behind: a storage or a database that does not answer holds nobody up.
        worker = threading.Thread(target=run, args=(stopping,), name="timers", daemon=True)
        worker.start()
        logger.info("The timers run.")
        # With a timeout, so that the signal's handler has its turn.
        while worker.is_alive() and not stopping.wait(1.0):
            pass
        worker.join(GRACE_SECONDS)
        logger.info("The timers have ended.")


def run(stopping: threading.Event, pause: float = BEAT_SECONDS) -> None:
    """Runs what is due again and again until ``stopping`` is set. A database that is away is waited for."""
    outage = timers.Outage("Timers")
    while not stopping.is_set():
        try:
            close_old_connections()
            timers.run_due(stopping.is_set)
        except Exception as error:
            outage.begins(error)
        else:
            outage.ends()
        finally:
            connection.close()
        stopping.wait(pause)
