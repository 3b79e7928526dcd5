"""Bulk by bucket: pictures put below ``inbox/`` are taken, answered, and their results written below ``outbox/``.

Three steps, each of which may be repeated. A message becomes a row, once, and is deleted when the row is committed.
The row's picture is read and given to the networks in one transaction, as a job under a lease. When the networks have
ended, the result is fixed in the row, written, and what the site kept of the picture is removed. Decision 35.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Now

from accounts import draining
from accounts.models import User
from accounts.stored_files import StorageAway
from predictions import inbox_bucket, inbox_messages, inbox_results, removal, services
from predictions.crop import AUTO
from predictions.images import MESSAGES, ImageRejected, PreparedImage, prepare
from predictions.inbox_bucket import Away
from predictions.inbox_rows import InboxObject
from predictions.inbox_tasks import QUEUE, take_inbox
from predictions.models import Heartbeat, Job, Prediction
from predictions.services import RejectedPicture
from predictions.threads import each

logger = logging.getLogger(__name__)

# One task works no longer, so that neither an archive nor the end of its worker waits long.
SECONDS = 10.0
TAKEN = 16
WRITTEN = 50
THREADS = 4
# Of the pictures that were taken no more are read after it: from a slow bucket fewer at a time are settled.
READ_SECONDS = 15.0
# Long polling asks all of the queue's servers; a short wait is enough for that.
POLL_SECONDS = 1
LEASE = timedelta(minutes=1)
PAUSE = timedelta(seconds=5)
# A row is known for longer than a queue keeps messages, which is 14 days at most.
REMEMBERED = timedelta(days=15)

_trouble = ""


class LeaseLostError(Exception):
    """The claim was swept meanwhile: another worker has the rows."""


class Later(Exception):
    """Nothing is wrong with the pictures, but they cannot be taken now; the message says why."""


def enabled() -> bool:
    return bool(settings.INBOX_QUEUE_URL)


def wake_up() -> None:
    """Has a worker ask the queue, unless there is none. A timer calls it."""
    if enabled() and Heartbeat.objects.serving(QUEUE).alive().exists():
        take_inbox.delay()


def work(seconds: float = SECONDS) -> bool:
    """Writes, takes and receives what there is, for at most so long; says whether there may be more to do at once."""
    if not enabled():
        return False
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end and not draining.draining():
            done = write()
            by = owner()
            if by is not None:
                done += take(by)
                done += inbox_messages.receive(0 if done else POLL_SECONDS)
            if not done:
                if by is not None:
                    _say()
                return False
    except Away as error:
        _say("away", f"S3 or SQS does not answer ({error}); it is tried again.")
        return False
    except Later as error:
        _say("later", f"{error} It is tried again.")
        return False
    return True


def sweep() -> int:
    """Forgets what ended long ago. A timer calls it."""
    return InboxObject.objects.filter(written__lt=Now() - REMEMBERED).delete()[0]


def owner() -> User | None:
    """The account that asks; None while it is not there or may not, and then nothing is received."""
    email = settings.INBOX_OWNER.lower()
    found = User.objects.filter(
        email=email, is_active=True, is_guest=False, deletion_due__isnull=True
    ).first()
    if found is None:
        _say(
            "owner",
            "INBOX_OWNER names no active account, so its messages wait. Make the account, or correct the name.",
        )
    return found


def _say(trouble: str = "", sentence: str = "it works again.") -> None:
    """One line whenever something else is the matter, and one when nothing is any more."""
    global _trouble
    if trouble != _trouble:
        logger.log(logging.WARNING if trouble else logging.INFO, "The inbox: %s", sentence)
    _trouble = trouble


# --- from rows to predictions ------------------------------------------------------------------------------


class Refused(NamedTuple):
    code: str
    message: str


def take(by: User) -> int:
    """Reads some pictures and asks the networks about them; returns how many rows were settled.

    Raises Away and Later.
    """
    claim, rows = InboxObject.objects.claim(TAKEN)
    if not rows:
        return 0
    begun = time.monotonic()
    try:
        client = inbox_bucket.s3()

        def one(row: InboxObject) -> PreparedImage | Refused | None:
            return _picture(client, row) if time.monotonic() - begun < READ_SECONDS else None

        read_ones = zip(rows, each(one, rows, THREADS), strict=True)
        pictures = {row: picture for row, picture in read_ones if picture is not None}
        if not pictures:
            raise Away("slow")
        rows = list(pictures)
        _ask(by, claim, rows, list(pictures.values()))
        # What one of them took, which the metrics go by.
        took = timedelta(seconds=(time.monotonic() - begun) / len(rows))
        ended = InboxObject.objects.filter(pk__in=[row.pk for row in rows], status=Job.Status.DONE)
        ended.update(started=F("finished") - took)
    except services.QuotaExceeded as error:
        raise Later(str(error)) from error
    except LeaseLostError:
        return 0
    except (StorageAway, OSError) as error:
        # The storage, while the pictures were kept.
        raise inbox_bucket.away(error) from error
    except (Away, Later, SystemExit, KeyboardInterrupt, OperationalError, InterfaceError):
        raise
    except Exception:
        # Something about one of them that nobody foresaw. The attempt counts, and they are taken alone from now on.
        logger.exception("Claim %s of the inbox could not be taken.", claim)
        InboxObject.objects.give_back(claim)
    finally:
        _leave(claim)
    return len(rows)


def _leave(claim: str) -> None:
    try:
        InboxObject.objects.hand_back(claim)
    except Exception:
        logger.warning("Claim %s could not be returned; its lease will run out.", claim)


def _picture(client: Any, row: InboxObject) -> PreparedImage | Refused:
    """The picture of a row, made safe. Raises Away and Later."""
    too_large = Refused("too_large", str(MESSAGES["too_large"]))
    if row.size > inbox_bucket.MAX_BYTES:
        return too_large
    try:
        data = inbox_bucket.read(client, row.key, row.etag)
        return prepare(data, row.key.rsplit("/", 1)[-1], bulk=True)
    except inbox_bucket.TooLarge:
        return too_large
    except inbox_bucket.Unreadable:
        return Refused(*inbox_results.UNREADABLE)
    except inbox_bucket.Replaced:
        return Refused(inbox_results.REPLACED, "")
    except ImageRejected as error:
        if error.code == "decoder_busy":
            raise Later("Too many pictures are being read just now.") from error
        return Refused(error.code, str(error))


def _ask(
    by: User, claim: str, rows: Sequence[InboxObject], pictures: Sequence[PreparedImage | Refused]
) -> None:
    """Keeps the pictures, asks the networks and ends the rows in one transaction. Raises QuotaExceeded and Later."""
    good = [picture for picture in pictures if isinstance(picture, PreparedImage)]
    names = [name for name in rows[0].networks.split("+") if name]
    files: list[str] = []
    try:
        with transaction.atomic():
            results = {
                row.pk: _ended(None, *picture)
                for row, picture in zip(rows, pictures, strict=True)
                if isinstance(picture, Refused)
            }
            if good:
                asked = [row for row in rows if row.pk not in results]
                results |= _submit(by, asked, good, names, files)
            if InboxObject.objects.finish_all(claim, results) != set(results):
                raise LeaseLostError
    except BaseException:
        removal.delete_files(files)
        raise


def _submit(
    by: User, rows: Sequence[InboxObject], pictures: list[PreparedImage], names: list[str], files: list[str]
) -> dict[Any, dict[str, Any]]:
    """The columns with which each row ends. ``files`` are gone with the transaction's rows if it is rolled back."""
    try:
        submission = services.submit(by, pictures, names, crop=AUTO)
    except services.NoNetwork as error:
        if not names:
            raise Later(str(error)) from error
        return {row.pk: _ended(None, "no_network", str(error)) for row in rows}
    files += [run.upload.file.name or "" for run in submission.runs]
    Prediction.objects.filter(batch=submission.batch).update(priority=Job.Priority.BULK)
    results: dict[Any, dict[str, Any]] = {}
    remaining = iter(rows)
    last: Any = None
    for entry in submission.entries:
        if isinstance(entry, RejectedPicture):
            results[next(remaining).pk] = _ended(None, entry.code, entry.message)
        elif entry.upload_id != last:
            last = entry.upload_id
            results[next(remaining).pk] = _ended(last)
    return results


def _ended(upload: Any, code: str = "", message: str = "") -> dict[str, Any]:
    return {"upload": upload, "error_code": code, "error_message": message}


# --- from predictions to results ---------------------------------------------------------------------------


def write() -> int:
    """Writes the results that are ready; returns how many. Raises Away when none could be."""
    rows: list[InboxObject] = InboxObject.objects.take_ready(WRITTEN, Now() + LEASE)
    if not rows:
        return 0
    runs = inbox_results.runs_of(rows)
    rows = _without_interrupted(rows, runs)
    _fix(rows, runs)
    client = inbox_bucket.s3()
    stopped = threading.Event()
    errors: list[Away] = []

    def put(row: InboxObject) -> bool:
        if stopped.is_set():
            return False
        try:
            _put(client, row, answered=inbox_results.is_answered(runs.get(row.upload_id, ())))
        except Away as error:
            errors.append(error)
            stopped.set()
            return False
        return True

    outcome = each(put, rows, THREADS)
    done = [row for row, well in zip(rows, outcome, strict=True) if well]
    left = [row.pk for row, well in zip(rows, outcome, strict=True) if not well]
    _close(done)
    InboxObject.objects.filter(pk__in=left).update(result_due=Now() + PAUSE)
    if errors and not done:
        raise errors[0]
    return len(done)


def _without_interrupted(rows: list[InboxObject], runs: dict[Any, list[Prediction]]) -> list[InboxObject]:
    """The rows but those whose predictions ended with their account's suspension, which are taken again after it."""
    gone = [
        row
        for row in rows
        if not row.result and any(run.status == Job.Status.CANCELLED for run in runs.get(row.upload_id, ()))
    ]
    if not gone or owner() is not None:
        return rows
    keys = [row.pk for row in gone]
    with transaction.atomic():
        _count, files = removal.remove_rows(
            Prediction.objects.filter(upload__in=[row.upload_id for row in gone])
        )
        InboxObject.objects.filter(pk__in=keys).update(
            status=Job.Status.QUEUED, attempts=0, started=None, finished=None, upload=None, result_due=Now()
        )
    removal.delete_files(files)
    return [row for row in rows if row.pk not in keys]


def _fix(rows: Sequence[InboxObject], runs: dict[Any, list[Prediction]]) -> None:
    """Puts the results into their rows, where they stay as they are."""
    new = [row for row in rows if not row.result]
    for row in new:
        row.result = inbox_results.compose(row, runs.get(row.upload_id, ()))
    if InboxObject.objects.filter(result="").bulk_update(new, ["result"]) == len(new):
        return
    # Another worker, whose lease had run out, was quicker with some: what it has fixed is what is written.
    fixed = dict(InboxObject.objects.filter(pk__in=[row.pk for row in new]).values_list("pk", "result"))
    for row in new:
        row.result = fixed[row.pk]


def _put(client: Any, row: InboxObject, *, answered: bool) -> None:
    """Writes a result, and takes an answered picture out of the inbox. Raises Away."""
    if row.result:
        key = inbox_results.key_of(row.key)
        # That an object is gone takes away no answer that is there.
        replace = row.error_code != inbox_results.UNREADABLE[0]
        if not inbox_bucket.write(client, key, row.result.encode(), row.version, replace=replace):
            logger.warning("The inbox: %r is not ours and was left as it is.", key[:200])
            return
    if answered:
        inbox_bucket.remove(client, row.key, row.etag)


def _close(rows: Sequence[InboxObject]) -> None:
    """Ends the rows and removes what the site kept of their pictures, but not what waits for a moderator."""
    if not rows:
        return
    uploads = [row.upload_id for row in rows if row.upload_id]
    with transaction.atomic():
        runs = Prediction.objects.filter(upload__in=uploads, upload__hidden__isnull=True)
        _count, files = removal.remove_rows(runs)
        InboxObject.objects.filter(pk__in=[row.pk for row in rows]).update(written=Now(), upload=None)
    removal.delete_files(files)
