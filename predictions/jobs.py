"""The row as the job: state, lease, attempts, priority; one way to claim, one way to sweep.

A message through the broker only wakes a worker up. Which work there is, who has it and how it ended stands in
the row, so that a lost message or a killed worker costs seconds and no result.
"""

from __future__ import annotations

import os
import socket
import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.db import connections, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from accounts import draining
from predictions.heartbeats import HeartbeatQuerySet
from predictions.turns import Turns

LEASE = timedelta(seconds=75)
MAX_ATTEMPTS = 3
# What a worker takes at once, and of one sender of bulk work before it is another one's turn.
CLAIM = 32


def worker_name() -> str:
    """This process as claims and heartbeats name it: ``host:pid``."""
    return f"{socket.gethostname()}:{os.getpid()}"


def parent_name() -> str:
    """The worker whose pool this process belongs to, as its heartbeat is named."""
    return f"{socket.gethostname()}:{os.getppid()}"


def process_is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class JobQuerySet(models.QuerySet[Any]):
    """Every change of a job's state. Each is one statement, so that two workers never both win."""

    def waiting(self) -> Self:
        """Queued jobs in the order in which they will be taken."""
        return self.filter(status=Job.Status.QUEUED).order_by("priority", "created", "id")

    def in_flight(self) -> Self:
        """Queued or running. The database holds such rows, and no others, to have no end; an index of them says so."""
        return self.filter(finished__isnull=True)

    def ended_badly(self) -> Self:
        """Failed or cancelled: what can be tried again."""
        return self.filter(status__in=[Job.Status.FAILED, Job.Status.CANCELLED])

    def lock(self) -> list[Any]:
        """The keys of these rows, locked in their order until the transaction's end.

        Whoever changes several rows in one statement locks them so before: two statements that come upon the same
        rows in different orders would wait for each other.
        """
        return list(self.select_for_update().order_by("pk").values_list("pk", flat=True))

    def claim(
        self, limit: int, *, owner: str | None = None, turns: Turns | None = None
    ) -> tuple[str, list[Any]]:
        """Takes up to ``limit`` waiting jobs of one group under a lease; returns (claim, jobs).

        Jobs that were tried before are taken alone: one of them may be what killed the worker, and its
        neighbours must not pay for it. Somebody who waits for one answer does not wait for bulk work in the same
        claim. With ``turns`` those who sent work for the laboratory or in bulk are served in turn; what one of them
        leaves free of a claim is filled up with the work of the others. A machine that is about to go away takes
        nothing.
        """
        claim = f"{owner or worker_name()}:{uuid.uuid4().hex[:12]}"
        head = None if draining.draining() else self.waiting().first()
        if head is None:
            return claim, []
        in_turn = turns is not None and head.priority >= Job.Priority.LABORATORY
        if turns is not None and in_turn:
            head = turns.take(self.waiting(), head)
        same = {field: getattr(head, field) for field in self.model.GROUP_FIELDS}
        candidates = self.waiting().filter(**same)
        if head.priority < Job.Priority.BULK:
            candidates = candidates.filter(priority__lt=Job.Priority.BULK)
        if head.attempts:
            candidates = candidates.filter(pk=head.pk)
            limit = 1
        else:
            candidates = candidates.filter(attempts=0)
        with transaction.atomic(using=self.db):
            if connections[self.db].features.has_select_for_update_skip_locked:
                candidates = candidates.select_for_update(skip_locked=True)
            if in_turn:
                chosen = list(candidates.filter(owner_id=head.owner_id).values_list("pk", flat=True)[:limit])
                candidates = candidates.exclude(owner_id=head.owner_id)
                limit -= len(chosen)
            else:
                chosen = []
            if limit:
                chosen += candidates.values_list("pk", flat=True)[:limit]
            self.filter(pk__in=chosen, status=Job.Status.QUEUED).update(
                status=Job.Status.RUNNING,
                claimed_by=claim,
                attempts=F("attempts") + 1,
                started=Now(),
                lease_until=Now() + LEASE,
            )
        return claim, list(
            self.filter(claimed_by=claim, status=Job.Status.RUNNING).order_by("priority", "created", "id")
        )

    def held(self, claim: str) -> Self:
        """The jobs that ``claim`` still holds; the only ones whose result may be written."""
        return self.filter(claimed_by=claim, status=Job.Status.RUNNING)

    def finish_all(self, claim: str, results: dict[Any, dict[str, Any]]) -> set[Any]:
        """Writes the results (key of a job -> columns, the same ones for each) of those whose lease still holds.

        No column may be a date, which SQLite would make a number of here.
        One statement for all of them, since a commit for each would cost more than a network's answer. Returns the
        keys of what was written.
        """
        if not results:
            return set()
        connection = connections[self.db]
        meta, quote = self.model._meta, connection.ops.quote_name
        fields = [meta.pk, *(meta.get_field(name) for name in next(iter(results.values())))]
        columns = [f"r{number}" for number in range(len(fields))]
        rows = [[pk, *values.values()] for pk, values in results.items()]
        # The first row's types hold for all: a column of nothing but NULL would be text.
        first = ", ".join(f"CAST(%s AS {field.db_type(connection)})" for field in fields)
        others = f", ({', '.join(['%s'] * len(fields))})" * (len(rows) - 1)
        now, _none = self.query.get_compiler(self.db).compile(Now())
        written = "".join(
            f", {quote(field.column)} = answer.{column}"
            for field, column in zip(fields[1:], columns[1:], strict=True)
        )
        key, table = quote(meta.pk.column), quote(meta.db_table)
        held = [claim, Job.Status.RUNNING.value]
        # In the order of ``lock``, within the same statement. Names are quoted, values are parameters.
        locked = chosen = ""
        if connection.features.has_select_for_update:
            rows_held = f"SELECT {key} FROM {table} WHERE claimed_by = %s AND status = %s"  # noqa: S608
            locked = f"locked AS ({rows_held} ORDER BY {key} FOR UPDATE), "
            chosen = f"AND {table}.{key} IN (SELECT {key} FROM locked) "  # noqa: S608
        sql = (
            f"WITH {locked}answer ({', '.join(columns)}) AS (VALUES ({first}){others}) "  # noqa: S608
            f"UPDATE {table} "
            f"SET status = %s, finished = {now}, lease_until = NULL, claimed_by = ''{written} FROM answer "
            f"WHERE {key} = answer.r0 {chosen}AND claimed_by = %s AND status = %s RETURNING {key}"
        )
        values = [
            field.get_db_prep_save(value, connection)
            for row in rows
            for field, value in zip(fields, row, strict=True)
        ]
        if connection.features.has_select_for_update:
            values = [*held, *values]
        with connection.cursor() as cursor:
            cursor.execute(sql, [*values, Job.Status.DONE.value, *held])
            return {meta.pk.to_python(found) for (found,) in cursor.fetchall()}

    def fail(self, claim: str, job: Any, code: str, message: str) -> bool:
        """Ends a job without a result; ``message`` is read by the student."""
        return bool(self.held(claim).filter(pk=job.pk)._fail(code, message))

    def _fail(self, code: str, message: str) -> int:
        return self.update(
            status=Job.Status.FAILED,
            finished=Now(),
            lease_until=None,
            claimed_by="",
            error_code=code,
            error_message=message,
        )

    def hand_back(self, claim: str) -> int:
        """Returns unfinished jobs to the queue without counting the attempt: the worker is only going away."""
        with transaction.atomic(using=self.db):
            return self.filter(pk__in=self.held(claim).lock()).update(
                status=Job.Status.QUEUED,
                claimed_by="",
                lease_until=None,
                started=None,
                attempts=F("attempts") - 1,
            )

    def give_back(self, claim: str) -> int:
        """Returns unfinished jobs to the queue with the attempt counted, or fails those that have none left."""
        return self.held(claim)._return()

    def cancel(self) -> int:
        """Cancels what still waits."""
        with transaction.atomic(using=self.db):
            waiting = self.filter(status=Job.Status.QUEUED)
            return self.filter(pk__in=waiting.lock()).update(status=Job.Status.CANCELLED, finished=Now())

    def retry(self) -> int:
        """Queues failed and cancelled jobs again, with all their attempts."""
        with transaction.atomic(using=self.db):
            return self.filter(pk__in=self.ended_badly().lock()).update(
                status=Job.Status.QUEUED,
                attempts=0,
                retried=Now(),
                started=None,
                finished=None,
                error_code="",
                error_message="",
            )

    # -- sweeping ------------------------------------------------------------------------------------

    def _return(self) -> int:
        """Back to the queue, or failed where every attempt is spent."""
        with transaction.atomic(using=self.db):
            locked = self.model._default_manager.filter(pk__in=self.lock())
            spent: int = locked.filter(attempts__gte=MAX_ATTEMPTS)._fail("gave_up", self.model.GAVE_UP)
            returned: int = locked.filter(status=Job.Status.RUNNING).update(
                status=Job.Status.QUEUED, claimed_by="", lease_until=None, started=None
            )
        return spent + returned

    def sweep_expired(self) -> int:
        """Returns jobs whose lease has run out: their worker is dead or hangs."""
        return self.filter(status=Job.Status.RUNNING, lease_until__lt=Now())._return()

    def sweep_dead(self, host: str | None = None) -> int:
        """Returns jobs claimed by processes of this host that are no longer there."""
        prefix = f"{host or socket.gethostname()}:"
        claims = (
            self.filter(status=Job.Status.RUNNING, claimed_by__startswith=prefix)
            .values_list("claimed_by", flat=True)
            .distinct()
        )
        return sum(
            self.filter(status=Job.Status.RUNNING, claimed_by=claim)._return()
            for claim in list(claims)
            if not process_is_alive(int(claim.removeprefix(prefix).split(":")[0]))
        )


# Stored in English and translated when read, because the worker does not know its reader's language.
GAVE_UP = gettext_noop(
    "This picture stopped the worker three times, so it was given up. Try another picture."
)


class Job(models.Model):
    """A piece of work for a worker. Subclasses say what it is about and what its result is."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    class Priority(models.IntegerChoices):
        LIVE = 0, _("live")
        SINGLE = 10, _("single")
        LABORATORY = 20, _("laboratory")
        BULK = 30, _("bulk")

    # Jobs that agree in these fields may be computed in one batch.
    GROUP_FIELDS: ClassVar[tuple[str, ...]] = ()
    # What the student reads when every attempt was lost.
    GAVE_UP: ClassVar[str] = GAVE_UP

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.QUEUED)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.SINGLE)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created = models.DateTimeField(_("created"), default=timezone.now)
    # When it was last queued again by hand.
    retried = models.DateTimeField(null=True, blank=True, editable=False)
    started = models.DateTimeField(_("started"), null=True, blank=True)
    finished = models.DateTimeField(_("finished"), null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(max_length=255, blank=True, default="")
    error_code = models.CharField(max_length=40, blank=True, default="")
    error_message = models.TextField(_("error"), blank=True, default="")

    objects = JobQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def error_sentence(self) -> str:
        """Why it failed, in the reader's language; empty unless it did."""
        return gettext(self.error_message) if self.error_message else ""

    @property
    def is_final(self) -> bool:
        return self.status not in (self.Status.QUEUED, self.Status.RUNNING)


def job_constraints(name: str) -> list[models.BaseConstraint]:
    """What the database holds every table of jobs to."""
    status = Job.Status
    return [
        models.CheckConstraint(name=f"{name}_status_known", condition=Q(status__in=status.values)),
        models.CheckConstraint(
            name=f"{name}_ends_after_start",
            condition=Q(finished__isnull=True) | Q(started__isnull=True) | Q(finished__gte=F("started")),
        ),
        models.CheckConstraint(
            name=f"{name}_final_has_end",
            condition=Q(status__in=[status.QUEUED, status.RUNNING], finished__isnull=True)
            | (Q(finished__isnull=False) & ~Q(status__in=[status.QUEUED, status.RUNNING])),
        ),
        models.CheckConstraint(
            name=f"{name}_running_has_lease",
            condition=Q(status=status.RUNNING, lease_until__isnull=False, started__isnull=False)
            | (~Q(status=status.RUNNING) & Q(lease_until__isnull=True)),
        ),
    ]


def job_indexes(name: str) -> list[models.Index]:
    """What claiming and sweeping need, kept small by leaving out finished rows."""
    return [
        models.Index(
            fields=["priority", "created", "id"],
            name=f"{name}_waiting",
            condition=Q(status=Job.Status.QUEUED),
        ),
        models.Index(fields=["lease_until"], name=f"{name}_leased", condition=Q(status=Job.Status.RUNNING)),
    ]


class TimerQuerySet(models.QuerySet["Timer"]):
    def due(self, name: str, every: timedelta) -> bool:
        """Whether the caller may run the timer now; at most one caller an interval is told yes."""
        if self.filter(name=name, next_run__lte=Now()).update(next_run=Now() + every):
            return True
        return self.get_or_create(name=name, defaults={"next_run": timezone.now() + every})[1]


class Timer(models.Model):
    """A lock row a timer, so that timers may run in every worker and still happen once."""

    name = models.CharField(primary_key=True, max_length=40)
    next_run = models.DateTimeField()

    objects = TimerQuerySet.as_manager()

    class Meta:
        app_label = "predictions"

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """A worker that is alive, and the networks that it has loaded (name -> version)."""

    name = models.CharField(_("worker"), primary_key=True, max_length=200)
    queues = models.CharField(_("queues"), max_length=200, blank=True, default="")
    started = models.DateTimeField(_("started"), default=timezone.now)
    seen = models.DateTimeField(_("seen"), default=timezone.now, db_index=True)
    # Network -> pictures a second, as this worker computed its last batches.
    rates = models.JSONField(default=dict, blank=True, db_default=models.Value({}, models.JSONField()))
    # Last, because the name hides the module from the lines below it.
    models = models.JSONField(_("networks"), default=dict, blank=True)
    objects = HeartbeatQuerySet.as_manager()

    class Meta:
        app_label = "predictions"
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name
