"""What Auto Scaling and alarms go by, sent to CloudWatch once a minute by whichever process runs the timer.

``BacklogPerWorker`` is what the fleet follows: the seconds that what waits would take, for each machine that answers.
"""

from __future__ import annotations

import logging
import statistics
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from ml import artifact
from predictions import job_tables, metadata
from predictions.jobs import Heartbeat, Job
from predictions.models import Prediction
from predictions.timers import Outage

logger = logging.getLogger(__name__)

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

# Until a worker has said how fast it answers. Fitted to ``benchmarks workshop`` on two cores with AVX-512 VNNI: 88
# pictures a second with 5.2 G multiply-adds.
BASE_SECONDS = 0.001
SECONDS_PER_MULTIPLY_ADD = 2e-12
UNKNOWN_SECONDS = 0.012
# How many jobs of the other tables a machine computes at a time, as ``Procfile`` starts them.
AT_A_TIME = 2
# Of these, the ones that are done say what a job takes.
LATEST = 200

_outage = Outage("Metrics")
_client: Any = None


@dataclass(frozen=True)
class Load:
    """How much waits and who is there. ``oldest`` and ``backlog`` are in seconds."""

    queued: int
    oldest: float
    backlog: float
    workers: int
    failed: int

    def metrics(self) -> dict[str, tuple[float, str]]:
        """Name -> (value, unit), as CloudWatch calls them."""
        return {
            "QueuedRows": (self.queued, "Count"),
            "OldestAge": (self.oldest, "Seconds"),
            "BacklogPerWorker": (self.backlog / max(1, self.workers), "Seconds"),
            "Workers": (self.workers, "Count"),
            "FailedRows": (self.failed, "Count"),
        }


def measure() -> Load:
    """The load now, in few statements however much waits."""
    now = timezone.now()
    heartbeats = list(Heartbeat.objects.answering().alive().values_list("name", "rates"))
    queued, backlog, since = 0, 0.0, [now]
    for name, count, oldest in _waiting(Prediction, "model_id"):
        queued += count
        backlog += count * _seconds(name, [rates for _name, rates in heartbeats])
        since.append(oldest or now)
    failed = Prediction.objects.filter(status=Job.Status.FAILED, finished__gte=Now() - MINUTE).count()
    for table in job_tables.every():
        groups = _waiting(table.model, table.sort)
        taken = _taken(table) if groups else {}
        for sort, count, oldest in groups:
            queued += count
            backlog += count * taken.get(sort, table.seconds) / AT_A_TIME
            since.append(oldest or now)
        # Such a job is asked for and computed within the hour; its table has an index of when.
        recent = table.model._default_manager.filter(created__gte=Now() - DAY)
        failed += recent.filter(status=Job.Status.FAILED, finished__gte=Now() - MINUTE).count()
    return Load(
        queued=queued,
        oldest=max(0.0, (now - min(since)).total_seconds()),
        backlog=backlog,
        workers=len({name.rpartition(":")[0] for name, _rates in heartbeats}),
        failed=failed,
    )


def _waiting(model: type[Job], sort: str) -> list[tuple[str, int, datetime | None]]:
    """What waits: (sort, how many, since when somebody waits for one). For bulk work nobody sits and waits."""
    somebody = Q(priority__lt=Job.Priority.BULK)
    groups = model._default_manager.waiting().order_by().values_list(sort)
    since = Min(Coalesce("retried", "created"), filter=somebody)
    return list(groups.annotate(count=Count("pk"), since=since))


def _seconds(network: str, workers: list[dict[str, float]]) -> float:
    """What one picture takes one worker: as those that are there report it, or by the size of the network."""
    known = [1 / rates[network] for rates in workers if rates.get(network)]
    if known:
        return statistics.fmean(known)
    try:
        return BASE_SECONDS + SECONDS_PER_MULTIPLY_ADD * artifact.load_card(network).multiply_adds
    except Exception:
        return UNKNOWN_SECONDS


def _taken(table: job_tables.JobTable) -> dict[str, float]:
    """Sort -> seconds that one job took lately."""
    latest = table.model._default_manager.order_by("-created", "-id")
    found: dict[str, list[float]] = defaultdict(list)
    for sort, status, begun, ended in latest.values_list(table.sort, "status", "started", "finished")[
        :LATEST
    ]:
        if status == Job.Status.DONE and begun and ended:
            key = sort if table.sort != "status" else Job.Status.QUEUED.value
            found[key].append((ended - begun).total_seconds())
    return {sort: statistics.fmean(times) for sort, times in found.items()}


# --- CloudWatch --------------------------------------------------------------------------------------------


def report() -> None:
    """Measures and sends. CloudWatch being away is said once and stops nothing; the next minute tries again."""
    load = measure()
    try:
        publish(load)
    except Exception as error:
        _outage.begins(error)
    else:
        _outage.ends()


def publish(load: Load) -> None:
    """All values in one request, tried once."""
    data = [
        {"MetricName": name, "Value": float(value), "Unit": unit}
        for name, (value, unit) in load.metrics().items()
    ]
    _cloudwatch().put_metric_data(Namespace=settings.CLOUDWATCH_NAMESPACE, MetricData=data)


def _cloudwatch() -> Any:
    global _client
    if _client is None:
        import boto3
        from botocore.config import Config

        session = boto3.session.Session()
        _client = session.client(
            "cloudwatch",
            region_name=session.region_name or settings.AWS_S3_REGION_NAME or metadata.region(),
            # A heartbeat waits for it.
            config=Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1}),
        )
    return _client
