"""Which tables of jobs there are beside the predictions, and which timers: told by the apps that have them.

``predictions`` runs the workers and must not know the apps above it, so each of them registers in its
``AppConfig.ready()``::

    job_tables.register("explanations", Explanation, queue="lab", wake_up=tasks.explain.delay)
    job_tables.register_timer("unused explanations", timedelta(minutes=1), upkeep.sweep)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from predictions.jobs import Job

# A job that has just been asked for has a wake-up of its own under way.
PATIENCE = timedelta(seconds=2)

Timed = tuple[str, timedelta, Callable[[], Any]]


@dataclass(frozen=True)
class JobTable:
    """A table of jobs; ``wake_up`` sends the message that has workers of ``queue`` look at what waits.

    ``seconds`` is what a job takes as long as none of the latest tells, of each ``sort``: a column whose values differ.
    """

    name: str
    model: type[Job]
    queue: str
    wake_up: Callable[[], Any]
    seconds: float = 1.0
    sort: str = "status"

    def send_lost_wake_up(self) -> None:
        """Sends the wake-up again while something waits: a message may have been lost."""
        if self.model._default_manager.waiting().filter(created__lt=Now() - PATIENCE).exists():
            self.wake_up()

    def timers(self) -> list[Timed]:
        """What every table of jobs needs: leases that run out, messages that are lost."""
        return [
            (f"{self.name}: leases", timedelta(seconds=15), self.model._default_manager.sweep_expired),
            (f"{self.name}: wake-ups", timedelta(seconds=5), self.send_lost_wake_up),
        ]


_tables: dict[str, JobTable] = {}
_timers: dict[str, Timed] = {}


def register(
    name: str,
    model: type[Job],
    *,
    queue: str,
    wake_up: Callable[[], Any],
    seconds: float = 1.0,
    sort: str = "status",
) -> None:
    """Has the workers see to a table of jobs. Raises ValueError for a name that is taken."""
    if name in _tables:
        raise ValueError(f"{name!r} is registered already.")
    _tables[name] = JobTable(name, model, queue, wake_up, seconds, sort)


def register_timer(name: str, every: timedelta, action: Callable[[], Any]) -> None:
    """Has one worker an interval call ``action``, which is idempotent and takes seconds at most.

    Raises ValueError for a name that is taken.
    """
    if name in _timers:
        raise ValueError(f"{name!r} is registered already.")
    _timers[name] = (name, every, action)


def every() -> tuple[JobTable, ...]:
    """The registered tables, in the order of registration."""
    return tuple(_tables.values())


def timers() -> list[Timed]:
    """The registered timers, those of the tables first."""
    return [timer for table in every() for timer in table.timers()] + list(_timers.values())
