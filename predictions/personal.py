"""What predictions know about a person, for the registry of accounts."""

from __future__ import annotations

from typing import Any

from predictions import removal
from predictions.models import Batch, Prediction, Upload


def export(user: Any) -> dict[str, Any]:
    """Every picture and every answer of ``user``, as values that JSON can carry."""
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
            }
            for run in Prediction.objects.of(user).with_answers()
        ],
    }


def erase(user: Any) -> None:
    """Removes every row and every file of ``user``; may be called twice."""
    removal.remove(Prediction.objects.filter(owner=user))
    for upload in Upload.objects.filter(owner=user):
        removal.remove_upload(upload)
    Batch.objects.filter(owner=user).delete()
