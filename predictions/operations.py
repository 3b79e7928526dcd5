"""What an operator wants to know of the queue, the workers, the networks, the storage and what failed.

Each part is asked for by itself and says when that was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import DataExport, User
from ml import artifact, config
from ml.artifact import ArtifactError
from predictions.admin_search import owned_by_like
from predictions.jobs import Heartbeat, Job
from predictions.models import Network, Prediction, Upload
from predictions.quotas import QUOTA_BYTES

# A worker shows life every five seconds; after three times that, something keeps it.
LATE = timedelta(seconds=15)
HOUR = timedelta(hours=1)
RECENT = timedelta(minutes=5)
FAILED_DAYS = 7
MOST = 50


@dataclass(frozen=True)
class Part:
    """A table, and the time at which its rows were read."""

    measured: datetime
    rows: list[Any] = field(default_factory=list)


# --- the queue ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """How many predictions of a kind wait, and since when the oldest of them does."""

    title: str
    network: str
    count: int
    oldest: timedelta


@dataclass(frozen=True)
class Queue(Part):
    total: int = 0
    oldest: timedelta | None = None


def queue() -> Queue:
    """What waits, by priority and by network, in the order in which it is taken."""
    now = timezone.now()
    since = Min(Coalesce("retried", "created"))
    found = Prediction.objects.waiting().order_by().values("priority", "model__title")
    rows = [
        Waiting(
            str(Job.Priority(row["priority"]).label),
            row["model__title"],
            row["count"],
            _age(now, row["since"]),
        )
        for row in found.annotate(count=Count("pk"), since=since).order_by("priority", "model__title")
    ]
    oldest = max((row.oldest for row in rows), default=None)
    return Queue(now, rows, sum(row.count for row in rows), oldest)


@dataclass(frozen=True)
class Running:
    """A claim: what one worker process has taken at once."""

    worker: str
    network: str
    count: int
    attempts: int
    since: timedelta
    overdue: bool


def running() -> Part:
    now = timezone.now()
    runs = Prediction.objects.filter(status=Job.Status.RUNNING).order_by()
    claims = runs.values("claimed_by", "model__title").annotate(
        count=Count("pk"), attempts=Max("attempts"), since=Min("started"), lease=Min("lease_until")
    )
    rows = [
        Running(
            row["claimed_by"].rpartition(":")[0],
            row["model__title"],
            row["count"],
            row["attempts"],
            _age(now, row["since"]),
            row["lease"] < now,
        )
        for row in claims.order_by("since")[:MOST]
    ]
    return Part(now, rows)


@dataclass(frozen=True)
class Pace:
    """How many predictions of one network ended, in the last hour and in the last minutes."""

    network: str
    done: int
    failed: int
    done_recently: int
    failed_recently: int

    @property
    def done_a_minute(self) -> float:
        return self.done_recently / (RECENT.total_seconds() / 60)

    @property
    def failed_a_minute(self) -> float:
        return self.failed_recently / (RECENT.total_seconds() / 60)

    @property
    def done_a_minute_of_hour(self) -> float:
        return self.done / 60

    @property
    def failed_a_minute_of_hour(self) -> float:
        return self.failed / 60


def ended(now: datetime) -> list[dict[str, Any]]:
    """Of the last hour: how many predictions ended, by network, version and how."""
    runs = Prediction.objects.filter(finished__gte=now - HOUR, status__in=["done", "failed"]).order_by()
    by = runs.values("model", "model__title", "artifact", "status")
    return list(by.annotate(count=Count("pk"), recently=Count("pk", filter=Q(finished__gte=now - RECENT))))


def throughput(now: datetime, rows: Iterable[dict[str, Any]]) -> Part:
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        one = counts.setdefault(row["model__title"], Counter())
        one[row["status"]] += row["count"]
        one[f"{row['status']} recently"] += row["recently"]
    paces = [
        Pace(title, one["done"], one["failed"], one["done recently"], one["failed recently"])
        for title, one in sorted(counts.items())
    ]
    return Part(now, paces)


# --- workers and networks ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Worker:
    """A worker by its last sign of life."""

    name: str
    queues: list[str]
    age: timedelta
    up: timedelta
    networks: list[tuple[str, str, float | None]]  # name, version, pictures a second

    @property
    def late(self) -> bool:
        return self.age > LATE


@dataclass(frozen=True)
class Workers(Part):
    # Queues that no worker listens to at the moment.
    unattended: list[str] = field(default_factory=list)

    @property
    def alive(self) -> list[Worker]:
        return [row for row in self.rows if not row.late]


def workers() -> Workers:
    now = timezone.now()
    rows = []
    for beat in Heartbeat.objects.order_by("name")[: 10 * MOST]:
        networks = [(name, version, beat.rates.get(name)) for name, version in sorted(beat.models.items())]
        queues = [name for name in beat.queues.split(",") if name]
        rows.append(Worker(beat.name, queues, _age(now, beat.seen), _age(now, beat.started), networks))
    taken = {name for row in rows if not row.late for name in row.queues}
    return Workers(now, rows, [name for name in queue_names() if name not in taken])


def queue_names() -> list[str]:
    """The queues that messages go to."""
    routes = current_app.conf.task_routes or {}
    others = [route["queue"] for route in routes.values() if isinstance(route, dict) and "queue" in route]
    return list(dict.fromkeys([settings.CELERY_TASK_DEFAULT_QUEUE, *others]))


@dataclass(frozen=True)
class Offered:
    """A network: its version on this machine's disk, beside those that workers have and that have answered."""

    title: str
    version: str
    trouble: str
    loaded: list[tuple[str, int]]  # version, live workers
    answered: list[tuple[str, int]]  # version, answers of the last hour

    @property
    def says(self) -> str:
        """What is not as it should be, in a sentence; empty when all agree."""
        if self.trouble:
            return self.trouble
        if not self.version:
            return _("Workers have it, but it is not on this machine's disk.")
        if not self.loaded:
            return _("No live worker has loaded it.")
        if any(version != self.version for version, _count in self.loaded):
            return _(
                "Workers have another version: they are of another release, or have to be started again."
            )
        return ""

    @property
    def other_answers(self) -> bool:
        return any(version != self.version for version, _count in self.answered)


def networks(found: Workers, rows: Iterable[dict[str, Any]]) -> Part:
    now = timezone.now()
    loaded: dict[str, Counter[str]] = {}
    for worker in found.alive:
        for name, version, _rate in worker.networks:
            loaded.setdefault(name, Counter())[version] += 1
    answered: dict[str, Counter[str]] = {}
    for row in rows:
        if row["status"] == Job.Status.DONE:
            answered.setdefault(row["model"], Counter())[row["artifact"]] += row["count"]
    titles = dict(Network.objects.values_list("name", "title"))
    names = [*config.artifact_names(), *loaded, *answered]
    offered = []
    for name in dict.fromkeys(names):
        try:
            version, trouble = artifact.load_card(name).version, ""
        except ArtifactError as error:
            version, trouble = "", str(error) if name in config.artifact_names() else ""
        counts = [sorted(versions.get(name, {}).items()) for versions in (loaded, answered)]
        offered.append(Offered(titles.get(name, name), version, trouble, *counts))
    return Part(now, offered)


# --- storage, exports, deletions ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Kept:
    """What one account keeps."""

    owner: int
    email: str
    guest: bool
    pictures: int
    bytes: int

    @property
    def share(self) -> float:
        return self.bytes / QUOTA_BYTES


@dataclass(frozen=True)
class Storage(Part):
    pictures: int = 0
    bytes: int = 0
    expired: int = 0
    searched: str = ""


def storage(email: str = "") -> Storage:
    """Who keeps most, of all or of those whose address holds ``email``; the sums are always those of all."""
    now = timezone.now()
    uploads = Upload.objects.kept().order_by()
    # Counting all columns and not the key, which the index does not have.
    total = uploads.aggregate(pictures=Count("*"), bytes=Sum("bytes"))
    if email:
        uploads = uploads.filter(owned_by_like(email))
    by_owner = uploads.values("owner").annotate(pictures=Count("*"), total=Sum("bytes"))
    most = list(by_owner.order_by("-total", "owner")[:MOST])
    people = User.objects.only("email", "is_guest").in_bulk([row["owner"] for row in most])
    rows = [
        Kept(row["owner"], person.email, person.is_guest, row["pictures"], row["total"])
        for row in most
        if (person := people.get(row["owner"]))
    ]
    expired = Upload.objects.filter(expired__isnull=False).count()
    return Storage(now, rows, total["pictures"], total["bytes"] or 0, expired, email)


@dataclass(frozen=True)
class Exports(Part):
    counts: list[tuple[str, int]] = field(default_factory=list)
    oldest: timedelta | None = None


def exports() -> Exports:
    """Archives of people's data: how many in which state, and the latest."""
    now = timezone.now()
    titles = {value: str(label) for value, label in DataExport.Status.choices}
    found = DataExport.objects.order_by().values("status").annotate(count=Count("pk"), since=Min("created"))
    by_status = {row["status"]: row for row in found}
    counts = [(titles[name], by_status[name]["count"]) for name in titles if name in by_status]
    waiting = by_status.get(DataExport.Status.QUEUED)
    rows = list(DataExport.objects.select_related("owner").order_by("-created")[:20])
    return Exports(now, rows, counts, _age(now, waiting["since"]) if waiting else None)


@dataclass(frozen=True)
class Deletions(Part):
    total: int = 0
    overdue: int = 0


def deletions() -> Deletions:
    """Accounts that their owners deleted and that are erased soon, the next one first."""
    now = timezone.now()
    due = User.objects.filter(deletion_due__isnull=False)
    rows = list(due.only("email", "deletion_due").order_by("deletion_due")[:MOST])
    # A timer comes every few minutes.
    overdue = due.filter(deletion_due__lt=now - HOUR).count()
    return Deletions(now, rows, due.count(), overdue)


# --- failures ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Failures(Part):
    """Reasons, the most frequent first, and the latest runs that failed for one of them or for any."""

    runs: list[Prediction] = field(default_factory=list)
    total: int = 0
    chosen: str = ""


def failed(code: str = "") -> QuerySet[Prediction]:
    """What failed in the last days and is still there, for that reason if one is named."""
    since = timezone.now() - timedelta(days=FAILED_DAYS)
    runs = Prediction.objects.visible().filter(status=Job.Status.FAILED, finished__gte=since)
    return runs.filter(error_code=code) if code else runs


def failures(code: str = "") -> Failures:
    now = timezone.now()
    groups = failed().order_by().values("error_code", "model__title", "model")
    reasons = groups.annotate(count=Count("pk"), message=Max("error_message"), last=Max("finished"))
    rows = list(reasons.order_by("-count", "error_code", "model"))
    latest = failed(code).select_related("owner", "upload", "model").defer("upload__fingerprint")
    return Failures(
        now, rows, list(latest.order_by("-finished")[:MOST]), sum(row["count"] for row in rows), code
    )


def _age(now: datetime, then: datetime | None) -> timedelta:
    return max(now - then, timedelta(0)) if then else timedelta(0)
