"""What people take with them: one archive of all that the site holds about them, prepared in the background."""

from __future__ import annotations

import logging
import secrets
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import IntegrityError, InterfaceError, OperationalError, connection, models, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import stored_files

if TYPE_CHECKING:
    from accounts.models import User

logger = logging.getLogger(__name__)

FOLDER = "exports"
KEPT = timedelta(days=7)
# Asked for again within this time, what is there already is new enough.
FRESH = timedelta(hours=1)
# How long the address of an archive that is over says so.
REMEMBERED = timedelta(days=30)

ATTEMPTS = 3
LEASE = timedelta(minutes=2)
RENEW_SECONDS = 20.0
# After a failed attempt: a full disk or a storage that is away is not better a second later.
PAUSE = timedelta(minutes=1)
# A task begins no other archive after this long, but finishes the one it has.
SLICE = 60.0
# What no row names by then was left by a process that was killed.
STRAY = timedelta(days=1)


def export_path(export: DataExport, filename: str) -> str:
    """A random name, as every file has."""
    return f"{FOLDER}/{secrets.token_hex(16)}.zip"


class DataExportQuerySet(models.QuerySet["DataExport"]):
    def under_way(self) -> DataExportQuerySet:
        return self.filter(status__in=[DataExport.Status.QUEUED, DataExport.Status.RUNNING])

    def free(self) -> DataExportQuerySet:
        """What waits, and what a process has left."""
        return self.under_way().filter(Q(leased_until__isnull=True) | Q(leased_until__lt=Now()))

    def due(self) -> DataExportQuerySet:
        """What can be begun. Nothing is made for an account that is suspended or about to be erased."""
        return self.free().filter(owner__is_active=True, owner__deletion_due__isnull=True)

    def held(self, export: DataExport) -> DataExportQuerySet:
        """The row, as long as it is still this process's attempt."""
        return self.filter(pk=export.pk, status=DataExport.Status.RUNNING, attempts=export.attempts)


class DataExport(models.Model):
    """One archive of an account's data: asked for, being made, ready for some days, or failed."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("being prepared")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="data_exports")
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Until then the process that makes it has it for itself; of what waits, when it is tried again.
    leased_until = models.DateTimeField(null=True, blank=True)
    file = models.FileField(upload_to=export_path, max_length=120, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    created = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    finished = models.DateTimeField(null=True, blank=True)
    expires = models.DateTimeField(_("expires"), null=True, blank=True)

    objects = DataExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("data export")
        verbose_name_plural = _("data exports")
        ordering = ("-created",)
        constraints = [
            # Asked for twice, it is prepared once.
            models.UniqueConstraint(
                fields=["owner"], condition=Q(status__in=["queued", "running"]), name="export_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status="ready") | Q(expires__isnull=False, finished__isnull=False),
                name="export_ready_expires",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}, {self.created:%Y-%m-%d}"

    @property
    def is_under_way(self) -> bool:
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)

    @property
    def is_there(self) -> bool:
        """Whether it can be downloaded now."""
        return self.status == self.Status.READY and self.expires is not None and self.expires > timezone.now()


# --- asking for one ----------------------------------------------------------------------------------------


def latest(user: User) -> DataExport | None:
    """What the account page speaks of: the newest one, unless it is over."""
    found = DataExport.objects.filter(owner=user).first()
    over = found is not None and found.status == DataExport.Status.READY and not found.is_there
    return None if over else found


def ask(user: User) -> tuple[DataExport, bool]:
    """The archive of ``user``, and whether it is a new one: one that is under way, or was ready less than an hour ago,
    is kept.
    """
    from accounts import tasks

    kept = _kept(user)
    if kept is not None:
        return kept, False
    try:
        with transaction.atomic():
            made = DataExport.objects.create(owner=user)
            tasks.prepare_exports.delay_on_commit()
    except IntegrityError:
        # The same form, sent twice at once.
        kept = _kept(user)
        if kept is None:
            raise
        return kept, False
    return made, True


def _kept(user: User) -> DataExport | None:
    own = DataExport.objects.filter(owner=user)
    fresh = Q(status=DataExport.Status.READY, finished__gt=Now() - FRESH, expires__gt=Now())
    return own.under_way().first() or own.filter(fresh).first()


# --- making them -------------------------------------------------------------------------------------------


class LeaseLostError(Exception):
    """Another process has the export by now, or its account is gone."""


def waiting() -> bool:
    """Whether a wake-up is due."""
    return DataExport.objects.due().filter(created__lt=Now() - timedelta(seconds=2)).exists()


def prepare(seconds: float = SLICE) -> bool:
    """Makes one archive after the other, the one asked for first before the others; begins none after ``seconds``.

    Says whether something may still wait.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        export = _claim()
        if export is None:
            return False
        _make(export)
    return DataExport.objects.due().exists()


def _claim() -> DataExport | None:
    """Takes what has waited longest under a lease. What has used up its attempts ends here."""
    while True:
        export = DataExport.objects.due().order_by("created", "pk").first()
        if export is None:
            return None
        # Of two processes that have read the same row, one changes it: no other table is asked in this statement.
        still = DataExport.objects.free().filter(pk=export.pk, status=export.status, attempts=export.attempts)
        if export.attempts >= ATTEMPTS:
            still.update(status=DataExport.Status.FAILED, finished=Now(), leased_until=None)
            continue
        attempt = export.attempts + 1
        if still.update(status=DataExport.Status.RUNNING, attempts=attempt, leased_until=Now() + LEASE):
            export.status, export.attempts = DataExport.Status.RUNNING, attempt
            return export


class Lease:
    """Keeps an export for this process while it goes on with it."""

    def __init__(self, export: DataExport) -> None:
        self.export = export
        self._renewed = time.monotonic()

    def keep(self) -> None:
        """Renews the lease when that is due. Raises LeaseLostError."""
        if time.monotonic() - self._renewed < RENEW_SECONDS:
            return
        self._renewed = time.monotonic()
        if not DataExport.objects.held(self.export).update(leased_until=Now() + LEASE):
            raise LeaseLostError

    def keep_elsewhere(self) -> None:
        """The same in another thread, whose connection nobody would close."""
        try:
            self.keep()
        finally:
            connection.close()


def _make(export: DataExport) -> None:
    from accounts import archive

    try:
        with archive.written(export.owner, Lease(export)) as file:
            size = file.size
            name = default_storage.save(export_path(export, ""), file)
        _finish(export, name, size)
    except (SystemExit, KeyboardInterrupt):
        # The worker is going away, which is not the export's fault.
        with _undisturbed(export):
            _put_back(export, attempts=export.attempts - 1, leased_until=None)
        raise
    except (OperationalError, InterfaceError) as error:
        # Nor is a database that is away. SQLite also says so of a SystemExit in the middle of a query.
        logger.warning("The export %s waits for the database (%s).", export.pk, type(error).__name__)
        with _undisturbed(export):
            _put_back(export, attempts=export.attempts - 1, leased_until=Now() + PAUSE)
        raise
    except LeaseLostError:
        logger.info("The export %s is somebody else's by now.", export.pk)
    except Exception as error:
        # What is wrong with the storage is in the log already.
        trace = not isinstance(error, stored_files.StorageAway)
        text = "The export %s could not be prepared (attempt %d, %s)."
        logger.error(text, export.pk, export.attempts, type(error).__name__, exc_info=trace)
        with _undisturbed(export):
            if export.attempts >= ATTEMPTS:
                _put_back(export, status=DataExport.Status.FAILED, finished=Now(), leased_until=None)
            else:
                _put_back(export, leased_until=Now() + PAUSE * export.attempts)


def _finish(export: DataExport, name: str, size: int) -> None:
    """Hands it out for some days, in the place of earlier ones; a file that came too late is removed again."""
    ready = {"status": DataExport.Status.READY, "leased_until": None, "file": name, "bytes": size}
    try:
        with transaction.atomic():
            done = DataExport.objects.held(export).update(**ready, finished=Now(), expires=Now() + KEPT)
            earlier = DataExport.objects.filter(owner_id=export.owner_id, status=DataExport.Status.READY)
            earlier.exclude(pk=export.pk).update(expires=Now())
    except Exception:
        stored_files.remove([name])
        raise
    if not done:
        stored_files.remove([name])
        raise LeaseLostError


def _put_back(export: DataExport, **values: Any) -> None:
    DataExport.objects.held(export).update(**{"status": DataExport.Status.QUEUED, **values})


@contextmanager
def _undisturbed(export: DataExport) -> Iterator[None]:
    """A database that is away, too: then the lease runs out by itself."""
    try:
        yield
    except Exception as error:
        logger.warning("The export %s could not be put back (%s).", export.pk, type(error).__name__)


def withdraw(owners: Iterable[Any]) -> None:
    """Hands the archives of these accounts out no longer, because of a picture in them.

    What is being made at the moment is made anew. Called inside the transaction that takes the picture away.
    """
    own = DataExport.objects.filter(owner__in=list(owners))
    # In this order: one that becomes ready in between is met by the second statement.
    own.filter(status=DataExport.Status.RUNNING).update(status=DataExport.Status.QUEUED, leased_until=None)
    own.filter(status=DataExport.Status.READY, expires__gt=Now()).update(expires=Now())


# --- removing them -----------------------------------------------------------------------------------------


def sweep() -> int:
    """Removes the files of archives that are over, their rows a month later, and files that no row names.

    A timer calls it. Returns how many files it removed.
    """
    over = dict(DataExport.objects.filter(expires__lte=Now()).exclude(file="").values_list("file", "pk"))
    removed = stored_files.remove(over, stored_files.SECONDS)
    DataExport.objects.filter(pk__in=[over[name] for name in removed]).update(file="", bytes=0)
    ended = DataExport.objects.exclude(finished__isnull=True).filter(finished__lt=Now() - REMEMBERED)
    ended.filter(file="").delete()
    return len(removed) + _sweep_strays()


def forget(user: User) -> None:
    """Removes the files of an account's archives; the rows go with the account."""
    exports = DataExport.objects.filter(owner=user)
    # One that stays behind now has no row any more, and is swept.
    stored_files.remove(exports.exclude(file="").values_list("file", flat=True))
    exports.delete()


def _sweep_strays() -> int:
    old = stored_files.older(FOLDER, STRAY)
    known = set(DataExport.objects.exclude(file="").values_list("file", flat=True))
    return len(stored_files.remove((name for name in old if name not in known), stored_files.SECONDS))
