"""How fast this worker answers, kept in its heartbeat row for those who want to know how long they will wait."""

from __future__ import annotations

import logging
import math
import time

from django.db import DatabaseError

from predictions.jobs import Heartbeat, parent_name

logger = logging.getLogger(__name__)

# What was computed so many pictures ago counts a third. By pictures and not by batches, so that a few pictures that
# came alone, and had a whole claim's costs to themselves, do not hide how fast full batches go.
MEMORY = 96
REPORT_SECONDS = 5.0

_seconds: dict[str, float] = {}
_reported = -math.inf


def note(network: str, pictures: int, seconds: float) -> None:
    """Takes a batch into account, from its claim until it was saved, and reports the rates every few seconds."""
    if pictures < 1 or seconds <= 0:
        return
    now = seconds / pictures
    before = _seconds.get(network, now)
    _seconds[network] = before + (1 - math.exp(-pictures / MEMORY)) * (now - before)
    _report()


def rates() -> dict[str, float]:
    """Network -> pictures a second, as this process has answered its last batches."""
    return {network: round(1 / seconds, 3) for network, seconds in _seconds.items()}


def _report() -> None:
    global _reported
    if time.monotonic() - _reported < REPORT_SECONDS:
        return
    _reported = time.monotonic()
    try:
        heartbeats = Heartbeat.objects.filter(name=parent_name())
        # The process before this one may have known a network that this one has not been asked for yet.
        known = heartbeats.values_list("rates", flat=True).first()
        if known is not None:
            heartbeats.update(rates={**known, **rates()})
    except DatabaseError as error:
        # Nobody waits longer for it; the next batch tries again.
        logger.info("The rates could not be reported (%s).", type(error).__name__)
