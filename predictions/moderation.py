"""What moderators, and the site itself, do about pictures: hide, show, remove, hold for review; and about reports.

A hidden picture's predictions are deleted for everybody who asks, so no page and no query has to know of it. Every verb
is one transaction, does nothing the second time, and writes down what it did. Rows are locked in one order: uploads,
predictions, reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import exports
from accounts.models import ModerationEntry, User
from accounts.moderation_log import as_reason
from predictions import removal, tasks
from predictions.models import Batch, Prediction, RemovedPicture, Report, Share, Upload
from predictions.reports import TEXT_LENGTH

# How a batch names a picture that is held; and the same once it was hidden or removed after the review.
HELD_CODE = "held_for_review"
HIDDEN_CODE = "hidden_by_moderators"
REMOVED_CODE = "removed_by_moderators"

Action = ModerationEntry.Action


class Shown(Protocol):
    """What somebody was shown, as ``sharing.find`` says it."""

    @property
    def share(self) -> Share: ...


class OwnPicture(Exception):
    """A moderator would decide about a picture of their own."""

    def __init__(self) -> None:
        super().__init__(_("This is about a picture of your own. Another moderator has to decide about it."))


class AlreadyDecided(Exception):
    """Somebody else dismissed the report meanwhile."""

    def __init__(self) -> None:
        super().__init__(_("Somebody else dismissed this report meanwhile. Nothing was changed."))


class NothingToReport(Exception):
    """The picture was hidden or removed while somebody was reporting it."""

    def __init__(self) -> None:
        super().__init__(_("This picture is no longer shown, so there is nothing to report."))


# --- reports -----------------------------------------------------------------------------------------------


def report(
    shown: Shown, upload: Upload, *, reason: str, text: str, reporter: User | None, reporter_key: str
) -> Report:
    """One person's report of a picture that they were shown; the same again is counted on the first one.

    Raises NothingToReport, and OwnPicture for a picture of the reporter's.
    """
    try:
        with transaction.atomic():
            # Whoever hides it waits for this report, or this report comes too late.
            there = Upload.objects.shown().filter(pk=upload.pk).select_for_update().first()
            if there is None:
                raise NothingToReport
            if reporter is not None and there.owner_id == reporter.pk:
                raise OwnPicture
            return _count_again(there, reason, reporter, reporter_key) or Report.objects.create(
                upload=there,
                share=shown.share,
                account_id=there.owner_id,
                reporter=reporter,
                reporter_key=reporter_key,
                reason=reason,
                text=text.replace("\0", "").strip()[:TEXT_LENGTH],
            )
    except IntegrityError:
        # The same report came twice at once, or the link was removed under it.
        if earlier := _count_again(upload, reason, reporter, reporter_key):
            return earlier
        raise NothingToReport from None


def _count_again(upload: Upload, reason: str, reporter: User | None, reporter_key: str) -> Report | None:
    """The same person's earlier report of the picture, if there is one, counted once more."""
    same = Q(pk__in=[])
    if reporter_key:
        same |= Q(state=Report.State.OPEN, reporter_key=reporter_key)
    if reporter is not None:
        # What was decided stays decided, unless they say that something else is wrong with it.
        same |= ~Q(state=Report.State.OPEN) & Q(reporter=reporter, reason=reason)
    earlier = Report.objects.filter(same, upload_id=upload.pk).order_by("-created", "-pk").first()
    if earlier is not None:
        Report.objects.filter(pk=earlier.pk).update(repeated=F("repeated") + 1)
        earlier.refresh_from_db(fields=["repeated", "state"])
    return earlier


def dismiss(actor: User | None, reports: Iterable[Report], reason: str) -> int:
    """Closes reports that nothing follows from; returns how many were open. Raises OwnPicture."""
    with transaction.atomic():
        rows = _locked_reports(pk__in=[one.pk for one in reports])
        if actor is not None and any(row.account_id == actor.pk for row in rows):
            raise OwnPicture
        rows = [row for row in rows if row.state == Report.State.OPEN]
        _decide(actor, rows, Report.State.DISMISSED)
        ModerationEntry.objects.bulk_create(
            ModerationEntry(
                actor=actor,
                account_id=row.account_id,
                action=Action.DISMISS,
                picture=row.upload_id,
                report=row.pk,
                reason=as_reason(reason),
            )
            for row in rows
        )
    return len(rows)


def _uphold(actor: User | None, uploads: Sequence[Upload], report: Report | None) -> set[Any]:
    """Closes the open reports of pictures that are being taken away; returns the pictures that had some.

    Raises AlreadyDecided when ``report``, from which it was decided, was dismissed meanwhile.
    """
    rows = _locked_reports(upload__in=uploads)
    dismissed = [row.pk for row in rows if row.state == Report.State.DISMISSED]
    if report is not None and report.pk in dismissed:
        raise AlreadyDecided
    rows = [row for row in rows if row.state == Report.State.OPEN]
    _decide(actor, rows, Report.State.UPHELD)
    return {row.upload_id for row in rows}


def _locked_reports(**which: Any) -> list[Report]:
    return list(Report.objects.filter(**which).order_by("pk").select_for_update())


def _decide(actor: User | None, rows: Sequence[Report], state: str) -> None:
    Report.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=state, decided=Now(), decided_by=actor, reporter_key=""
    )


# --- pictures ----------------------------------------------------------------------------------------------


def hide(actor: User | None, uploads: Iterable[Upload], reason: str, report: Report | None = None) -> int:
    """Takes pictures off every page, answer and link, and upholds their reports; returns how many were not hidden yet.

    A picture that was held stays hidden from now on without waiting for a review. ``report`` is the one from which it
    was decided. Raises OwnPicture and AlreadyDecided.
    """
    with transaction.atomic():
        rows = _locked(actor, uploads)
        upheld = _uphold(actor, rows, report)
        shown = [row for row in rows if row.hidden is None]
        # What its owner deleted would come back with the rest if the picture was shown again.
        deleted = Prediction.objects.filter(upload__in=shown, deleted__isnull=False)
        _count, files = removal.remove_rows(deleted)
        Prediction.objects.filter(upload__in=shown).hide()
        Upload.objects.filter(pk__in=[row.pk for row in shown]).update(hidden=Now())
        held = [row for row in rows if row.held]
        Upload.objects.filter(pk__in=[row.pk for row in held]).update(held=False)
        _change_rejected(held, (HIDDEN_CODE, _("A moderator looked at this picture and keeps it hidden.")))
        exports.withdraw({row.owner_id for row in shown})
        changed = [row for row in rows if row in shown or row in held or row.pk in upheld]
        _log(actor, Action.HIDE, changed, reason, report)
    removal.delete_files(files)
    return len(shown) + len(held)


def show(actor: User | None, uploads: Iterable[Upload], reason: str) -> int:
    """Brings hidden pictures back to every place where they were; reports stay as they were decided.

    What had not been answered waits again. Returns how many were hidden. Raises OwnPicture.
    """
    return _bring_back(actor, uploads, reason, held_only=False)


def release(actor: User | None, uploads: Iterable[Upload], reason: str) -> int:
    """Lets pictures that were held for review in, and their networks answer; returns how many were held.

    Raises OwnPicture.
    """
    return _bring_back(actor, uploads, reason, held_only=True)


def _bring_back(actor: User | None, uploads: Iterable[Upload], reason: str, *, held_only: bool) -> int:
    with transaction.atomic():
        rows = [row for row in _locked(actor, uploads) if row.held or (row.hidden and not held_only)]
        runs = Prediction.objects.filter(upload__in=rows, deleted__isnull=False)
        Prediction.objects.filter(pk__in=runs.lock()).update(deleted=None)
        held = [row for row in rows if row.held]
        _change_rejected(rows, None)
        Upload.objects.filter(pk__in=[row.pk for row in rows]).update(hidden=None, held=False)
        _log(actor, Action.RELEASE, held, reason)
        _log(actor, Action.SHOW, [row for row in rows if not row.held], reason)
        if rows:
            tasks.predict.delay_on_commit()
    return len(rows)


def remove(actor: User | None, uploads: Iterable[Upload], reason: str, report: Report | None = None) -> int:
    """Removes pictures with everything made from them, for good, and upholds their reports; returns how many.

    How they looked is kept, so that the same picture is held for review when it comes again. Raises OwnPicture and
    AlreadyDecided.
    """
    with transaction.atomic():
        rows = _locked(actor, uploads)
        _uphold(actor, rows, report)
        RemovedPicture.objects.bulk_create(
            [RemovedPicture(fingerprint=mark) for mark in {row.fingerprint for row in rows} if mark],
            ignore_conflicts=True,
        )
        told = (REMOVED_CODE, _("A moderator removed this picture after a review."))
        _change_rejected([row for row in rows if row.hidden], told)
        exports.withdraw({row.owner_id for row in rows if row.hidden is None})
        _log(actor, Action.REMOVE, rows, reason, report)
        files = removal.remove_upload_rows(rows)
    removal.delete_files(files)
    return len(rows)


def hold(upload: Upload) -> bool:
    """Holds a picture for review because it looks like one that was removed; says whether it was shown before."""
    with transaction.atomic():
        rows = [row for row in _locked(None, [upload]) if row.hidden is None]
        Prediction.objects.filter(upload__in=rows).hide()
        Upload.objects.filter(pk__in=[row.pk for row in rows]).update(hidden=Now(), held=True)
        _log(None, Action.HOLD, rows, "")
    if rows:
        upload.hidden, upload.held = timezone.now(), True
    return bool(rows)


def _locked(actor: User | None, uploads: Iterable[Upload]) -> list[Upload]:
    """Those of the uploads that are still there, locked in their order. Raises OwnPicture."""
    ids = {upload.pk for upload in uploads}
    rows = list(Upload.objects.filter(pk__in=ids).order_by("pk").select_for_update())
    if actor is not None and any(row.owner_id == actor.pk for row in rows):
        raise OwnPicture
    return rows


def _change_rejected(uploads: Sequence[Upload], to: tuple[str, str] | None) -> None:
    """Says something else in the batches that name these pictures as held, or as hidden after that; None takes the
    entry out of them.
    """
    places: dict[Any, set[tuple[str, int]]] = {}
    runs = Prediction.objects.filter(upload__in=uploads)
    for batch, upload, position in runs.values_list("batch_id", "upload_id", "position"):
        places.setdefault(batch, set()).add((str(upload), position))
    for batch in Batch.objects.filter(pk__in=places).order_by("pk").select_for_update():
        pictures = {upload for upload, _position in places[batch.pk]}
        positions = {position for _upload, position in places[batch.pk]}
        entries = []
        for entry in batch.rejected:
            its_own = entry.get("upload") in pictures if "upload" in entry else entry["position"] in positions
            if entry["code"] not in (HELD_CODE, HIDDEN_CODE) or not its_own:
                entries.append(entry)
            elif to is not None:
                entries.append({**entry, "code": to[0], "message": to[1]})
        if entries != batch.rejected:
            batch.rejected = entries
            batch.save(update_fields=["rejected"])


def _log(
    actor: User | None, action: str, uploads: Sequence[Upload], reason: str, report: Report | None = None
) -> None:
    ModerationEntry.objects.bulk_create(
        ModerationEntry(
            actor=actor,
            account_id=upload.owner_id,
            action=action,
            picture=upload.pk,
            report=report.pk if report is not None and report.upload_id == upload.pk else None,
            reason=as_reason(reason),
        )
        for upload in uploads
    )
