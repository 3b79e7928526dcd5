"""What predictions know about a person, for the registry of accounts."""

from __future__ import annotations

from typing import Any

from django.utils.translation import ngettext

from predictions import removal
from predictions.models import Batch, Prediction, Upload


def export(user: Any) -> dict[str, Any]:
    """Every picture and every answer of ``user``, and what they said of them, as values that JSON can carry."""
    return {
        "uploads": [
            {
                "id": str(upload.pk),
                "filename": upload.filename,
                "width": upload.width,
                "height": upload.height,
                "created": upload.created.isoformat(),
                "file": upload.file.name,
            }
            for upload in Upload.objects.filter(owner=user)
        ],
        "predictions": [
            {
                "id": str(run.pk),
                "upload": str(run.upload_id),
                "model": run.model_id,
                "artifact": run.artifact,
                "status": run.status,
                "bars": run.bars,
                "crop": run.crop,
                "top5": run.answers,
                "outside": run.outside,
                "outside_score": run.outside_score,
                "created": run.created.isoformat(),
                "finished": run.finished.isoformat() if run.finished else None,
                "batch": str(run.batch_id),
                "starred": run.starred,
                "note": run.note,
            }
            for run in Prediction.objects.of(user).with_answers()
        ],
        "batches": [
            {
                "id": str(batch.pk),
                "created": batch.created.isoformat(),
                "true_labels": batch.truths,
                "rejected": [{name: one[name] for name in ("filename", "message")} for one in batch.rejected],
            }
            for batch in Batch.objects.filter(owner=user).order_by("created", "pk")
        ],
    }


def erase(user: Any) -> None:
    """Removes every row and every file of ``user``; may be called twice."""
    removal.remove(Prediction.objects.filter(owner=user))
    for upload in Upload.objects.filter(owner=user):
        removal.remove_upload(upload)
    Batch.objects.filter(owner=user).delete()


def pictures(user: Any) -> int:
    """How many pictures the history of ``user`` shows predictions of."""
    return Prediction.objects.filter(owner=user).visible().values("upload").distinct().count()


def merge(guest: Any, user: Any) -> str:
    """Makes everything of ``guest`` the user's, inside the caller's transaction; what was deleted can still be undone.

    A worker may finish a run meanwhile: it writes other columns of the row, whoever owns it.
    """
    runs = Prediction.objects.filter(owner=guest)
    count = pictures(guest)
    runs.lock()
    runs.update(owner=user)
    Upload.objects.filter(owner=guest).update(owner=user)
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
