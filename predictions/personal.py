"""What predictions know about a person, for the registry of accounts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import ngettext

from accounts.models import ModerationEntry
from accounts.personal import forget_in_admin_log
from accounts.registry import Opener
from predictions import removal
from predictions.models import PICTURES, Batch, Prediction, Report, Share, Upload

# Rows at a time: an account may have hundreds of thousands, and a worker's memory and a lock are for all.
PIECE = 500
ERASED_AT_ONCE = 200


# --- handing over ------------------------------------------------------------------------------------------


def export(user: Any) -> dict[str, Iterator[dict[str, Any]]]:
    """Every picture and every answer of ``user``, and what they said of them, as values that JSON can carry."""
    runs = Prediction.objects.of(user)
    return {
        "uploads": map(_upload, _pieces(_pictures(user))),
        "predictions": map(_run, _pieces(runs, Prediction.objects.with_answers())),
        "batches": map(_batch, _pieces(Batch.objects.filter(owner=user))),
        "shared_links": map(_share, _pieces(Share.objects.filter(owner=user))),
        "reports": map(_report, _pieces(Report.objects.filter(reporter=user))),
    }


def files(user: Any) -> Iterator[tuple[str, Opener]]:
    """The pictures that ``user`` is given: not those that moderators withhold, nor what is deleted already."""
    for upload in _pieces(_pictures(user).shown().kept()):
        yield _name(upload), partial(default_storage.open, upload.file.name, "rb")


def _pictures(user: Any) -> Any:
    """Drafts, what the history shows, and what moderators have hidden, which the user has not deleted."""
    runs = Prediction.objects.filter(upload=OuterRef("pk"))
    there = Q(hidden__isnull=False) | Exists(runs.visible()) | ~Exists(runs)
    return Upload.objects.filter(there, owner=user)


def _pieces(chosen: QuerySet[Any], rows: QuerySet[Any] | None = None) -> Iterator[Any]:
    """The rows in the order of their time, a piece of them at a time: no cursor is left open while files are copied."""
    source = chosen.model._default_manager.all() if rows is None else rows
    ids = list(chosen.order_by("created", "pk").values_list("pk", flat=True))
    for start in range(0, len(ids), PIECE):
        piece = ids[start : start + PIECE]
        found = source.in_bulk(piece)
        yield from (found[pk] for pk in piece if pk in found)


def _name(upload: Upload) -> str:
    """Where a picture stands in the archive."""
    return f"{PICTURES}/{upload.pk}.{(upload.file.name or '').rpartition('.')[2]}"


def _time(value: Any) -> str | None:
    return value.isoformat() if value else None


def _upload(upload: Upload) -> dict[str, Any]:
    handed_out = upload.hidden is None and upload.expired is None
    return {
        "id": str(upload.pk),
        "filename": upload.filename,
        "width": upload.width,
        "height": upload.height,
        "sent_width": upload.source_width,
        "sent_height": upload.source_height,
        "bytes": upload.bytes,
        "created": _time(upload.created),
        "file": _name(upload) if handed_out else None,
        "hidden_by_moderators": _time(upload.hidden),
        "held_for_review": upload.held,
        "removed_because_of_age": _time(upload.expired),
    }


def _run(run: Prediction) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "upload": str(run.upload_id),
        "model": run.model_id,
        "artifact": run.artifact,
        "status": run.status,
        "error": run.error_sentence or None,
        "bars": run.bars,
        "crop": run.crop,
        "clean": str(run.clean_run_id) if run.clean_run_id else None,
        "top5": run.answers,
        "outside": run.outside,
        "outside_score": run.outside_score,
        "created": _time(run.created),
        "finished": _time(run.finished),
        "batch": str(run.batch_id),
        "starred": run.starred,
        "note": run.note,
    }


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "id": str(batch.pk),
        "created": _time(batch.created),
        "true_labels": batch.truths,
        "rejected": [{name: one[name] for name in ("filename", "message")} for one in batch.rejected],
    }


def _share(share: Share) -> dict[str, Any]:
    shown = {name: getattr(share, f"{name}_id") for name in ("run", "other", "batch")}
    return {
        "kind": share.kind,
        "token": share.token,
        **{name: str(pk) if pk else None for name, pk in shown.items()},
        "created": _time(share.created),
        "withdrawn": _time(share.withdrawn),
    }


def _report(report: Report) -> dict[str, Any]:
    return {
        "id": str(report.pk),
        "reason": report.reason,
        "text": report.text,
        "state": report.state,
        "created": _time(report.created),
        "decided": _time(report.decided),
    }


# --- forgetting --------------------------------------------------------------------------------------------


def erase(user: Any) -> None:
    """Removes every row and every file of ``user``, a few at a time; may be interrupted and called twice.

    What they reported stays for the moderators, without their words and without whose they were.
    """
    Report.objects.filter(reporter=user).update(reporter=None, reporter_key="", text="")
    for model in (Prediction, Upload):
        forget_in_admin_log(model, list(model.objects.filter(owner=user).values_list("pk", flat=True)))
    # What moderators removed has no row any more, but its file name stands in the admin's log.
    decided = ModerationEntry.objects.filter(account=user, picture__isnull=False)
    forget_in_admin_log(Upload, list(decided.order_by().values_list("picture", flat=True).distinct()))
    for ids in _until_none(Prediction.objects.filter(owner=user)):
        removal.remove(Prediction.objects.filter(pk__in=ids))
    for ids in _until_none(Upload.objects.filter(owner=user)):
        with transaction.atomic():
            left = removal.remove_upload_rows(Upload.objects.filter(pk__in=ids))
        removal.delete_files(left)
    for ids in _until_none(Batch.objects.filter(owner=user)):
        Batch.objects.filter(pk__in=ids).delete()
    Share.objects.filter(owner=user).delete()


def _until_none(rows: Any) -> Iterable[list[Any]]:
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:ERASED_AT_ONCE]):
        yield ids


# --- taking over from a guest ------------------------------------------------------------------------------


def pictures(user: Any) -> int:
    """How many pictures the history of ``user`` shows predictions of."""
    return Prediction.objects.filter(owner=user).visible().values("upload").distinct().count()


def merge(guest: Any, user: Any) -> str:
    """Makes everything of ``guest`` the user's, inside the caller's transaction; what was deleted can still be undone.

    A worker may finish a run meanwhile: it writes other columns of the row, whoever owns it.
    """
    runs = Prediction.objects.filter(owner=guest)
    count = pictures(guest)
    # Uploads before predictions, as everybody locks them who locks both.
    uploads = Upload.objects.filter(owner=guest)
    list(uploads.order_by("pk").select_for_update().values_list("pk", flat=True))
    runs.lock()
    runs.update(owner=user)
    uploads.update(owner=user)
    # Both may have sent the same page's form; a key only keeps a submission from being made twice.
    batches = Batch.objects.filter(owner=guest)
    keys = list(batches.filter(key__isnull=False).values_list("key", flat=True))
    taken = list(Batch.objects.filter(owner=user, key__in=keys).values_list("key", flat=True))
    batches.filter(key__in=taken).update(key=None)
    batches.update(owner=user)
    if not count:
        return ""
    return ngettext(
        "Your picture is now in your history.", "Your %(count)d pictures are now in your history.", count
    ) % {"count": count}
