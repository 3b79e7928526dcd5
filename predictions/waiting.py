"""Where in the line somebody's work stands, and about how long it will take: three queries, however much it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from predictions.jobs import CLAIM
from predictions.models import Heartbeat, Job, Prediction

# A worker that has not been seen for so long is gone; one that starts needs less.
ALIVE = timedelta(seconds=30)
# What an estimate is rounded up to: more would be a precision that nobody has.
SECONDS = (1, 2, 3, 5, 10, 15, 20, 30, 45)
MINUTE, HOUR = 60, 3600


@dataclass(frozen=True)
class Wait:
    """What stands before one waiting run, and how many seconds until it is answered as things are now.

    ``seconds`` is None when no live worker has said how fast it answers.
    """

    ahead: int
    seconds: float | None
    worker: bool

    @property
    def place(self) -> int:
        return self.ahead + 1

    @property
    def says(self) -> str:
        """The estimate in words, or that nobody is there to work; empty where nothing is known."""
        if not self.worker:
            return _(
                "No worker is running at the moment; your picture waits and is answered as soon as one is back."
            )
        return spoken(self.seconds)


def spoken(seconds: float | None) -> str:
    """``about 5 s``, ``about 2 min``: as exact as it is."""
    if seconds is None:
        return ""
    rounded = next((step for step in SECONDS if seconds <= step), None)
    if rounded is not None:
        return _("about %(count)d s") % {"count": rounded}
    if seconds <= 50 * MINUTE:
        return _("about %(count)d min") % {"count": math.ceil(seconds / MINUTE - 0.1)}
    hours = math.ceil(seconds / HOUR - 0.1)
    return ngettext("about %(count)d hour", "about %(count)d hours", hours) % {"count": hours}


def waits(runs: Iterable[Prediction]) -> dict[Any, Wait]:
    """Id -> where it stands, for those of the runs that wait."""
    queued = [run for run in runs if run.status == Job.Status.QUEUED]
    if not queued:
        return {}
    alive = Heartbeat.objects.answering().alive(ALIVE)
    workers = list(alive.values_list("rates", flat=True))
    # Counted here and not by the database: SQLite would read every row of the table to group so few of them.
    running = Counter(
        Prediction.objects.filter(status=Job.Status.RUNNING).order_by().values_list("model_id", flat=True)
    )
    befores = {f"before_{place}": Count("pk", filter=_before(run)) for place, run in enumerate(queued)}
    line = list(
        # The limit leads to the index of what waits.
        Prediction.objects.waiting()
        .filter(priority__lte=max(run.priority for run in queued))
        .order_by()
        .values("model_id", "owner_id", "priority")
        .annotate(total=Count("pk"), **befores)
    )
    found = {}
    for place, run in enumerate(queued):
        before = _ahead(run, line, f"before_{place}")
        # What a worker is at, and the run itself, take their time too.
        work = {name: before.get(name, 0) + running[name] for name in {*before, *running}}
        work[run.model_id] = work.get(run.model_id, 0) + 1
        seconds = _seconds(work, workers)
        found[run.pk] = Wait(round(sum(before.values())), seconds, bool(workers))
    return found


def wait_for_last(runs: Iterable[Prediction]) -> Wait | None:
    """How long until the last of the runs is answered; None when none of them waits."""
    queued = [run for run in runs if run.status == Job.Status.QUEUED]
    if not queued:
        return None
    last = max(queued, key=lambda run: (run.priority, run.created, run.pk))
    return waits([last])[last.pk]


def _before(run: Prediction) -> Q:
    earlier = Q(created__lt=run.created) | Q(created=run.created, pk__lt=run.pk)
    return Q(priority__lt=run.priority) | (Q(priority=run.priority) & earlier)


def _ahead(run: Prediction, line: list[dict[str, Any]], before: str) -> dict[str, float]:
    """Network -> how many runs will be taken before ``run``."""
    ahead: dict[str, float] = {}
    own = 0
    others: dict[Any, dict[str, int]] = {}
    for group in line:
        bulk = run.priority == Job.Priority.BULK == group["priority"]
        if bulk and group["owner_id"] != run.owner_id:
            others.setdefault(group["owner_id"], {})[group["model_id"]] = group["total"]
            continue
        ahead[group["model_id"]] = ahead.get(group["model_id"], 0) + group[before]
        own += group[before] if bulk else 0
    # Those who sent much are served in turn, a claim each: until this run's turn comes, nobody gets more claims than
    # its owner does.
    share = CLAIM * math.ceil((own + 1) / CLAIM)
    for groups in others.values():
        total = sum(groups.values())
        for name, count in groups.items():
            ahead[name] = ahead.get(name, 0) + count * min(1.0, share / total)
    return ahead


def _seconds(work: Mapping[str, float], workers: list[dict[str, float]]) -> float | None:
    """How long all live workers together take for so many runs a network."""
    seconds = 0.0
    for name, count in work.items():
        rate = sum(rates.get(name, 0) for rates in workers)
        if count and not rate:
            return None
        seconds += count / rate if count else 0
    return seconds
