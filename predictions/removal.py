"""Removing for good: rows with their files, what was deleted a while ago, and what nothing refers to any more."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts import stored_files
from predictions.models import DRAFT_LIFETIME, PICTURES, Batch, Prediction, Upload

# Timers run between heartbeats, so each stops after this long and goes on at its next turn.
SWEEP_SECONDS = 3.0
SWEEP_STEP = 25


def purge(seconds: float = SWEEP_SECONDS) -> int:
    """Removes for good what was deleted longer ago than undo reaches, for at most ``seconds``. A timer calls it."""
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        chosen_now = list(Prediction.objects.expired().values_list("pk", flat=True)[:SWEEP_STEP])
        if not chosen_now:
            break
        count += remove(Prediction.objects.filter(pk__in=chosen_now))
    return count


def remove(runs: Any) -> int:
    """Removes predictions at once and, with an upload's last one, the upload and its file."""
    with transaction.atomic():
        count, files = remove_rows(runs)
    delete_files(files)
    return count


def remove_rows(runs: Any) -> tuple[int, list[str]]:
    """As ``remove``, inside the caller's transaction, which passes the files on to ``delete_files`` after it."""
    rows = list(runs.values_list("pk", "upload_id", "batch_id"))
    if not rows:
        return 0, []
    uploads = {upload for _pk, upload, _batch in rows}
    # Uploads before predictions, as everybody locks them who locks both.
    _lock_uploads(uploads)
    # A worker that has just answered one of them is waited for.
    Prediction.objects.filter(pk__in=[pk for pk, _upload, _batch in rows]).lock()
    Prediction.objects.filter(pk__in=[pk for pk, _upload, _batch in rows]).delete()
    files = _remove_unused(uploads)
    Batch.objects.filter(pk__in={batch for _pk, _upload, batch in rows}, predictions__isnull=True).delete()
    return len(rows), files


def remove_upload(upload: Upload) -> None:
    """Removes a picture with everything made from it: the rows in one transaction, the file after it."""
    with transaction.atomic():
        files = remove_upload_rows([upload])
    delete_files(files or [upload.file.name or ""])


def remove_upload_rows(uploads: Iterable[Upload]) -> list[str]:
    """As ``remove_upload``, inside the caller's transaction; returns the files that are left to ``delete_files``."""
    ids = {upload.pk for upload in uploads}
    _lock_uploads(ids)
    runs = Prediction.objects.filter(upload__in=ids)
    runs.lock()
    runs.delete()
    files = list(Upload.objects.filter(pk__in=ids).values_list("file", flat=True))
    Upload.objects.filter(pk__in=ids).delete()
    return files


def _lock_uploads(ids: Iterable[Any]) -> list[Any]:
    """Those of the uploads that are there, locked in their order."""
    there = Upload.objects.filter(pk__in=list(ids)).order_by("pk")
    return list(there.select_for_update().values_list("pk", flat=True))


def _remove_unused(ids: set[Any]) -> list[str]:
    """Removes those of the uploads that no prediction uses; returns the names of their files."""
    # First the locks, then the look: no prediction can be added to a locked upload, and what was added before is seen.
    unused = dict(Upload.objects.unused().filter(pk__in=_lock_uploads(ids)).values_list("pk", "file"))
    Upload.objects.filter(pk__in=unused).delete()
    return list(unused.values())


def delete_files(names: Iterable[str]) -> None:
    """Removes files whose rows are gone; those that the storage does not give up now are left to sweep_files."""
    stored_files.remove(names)


def sweep_orphans(seconds: float = SWEEP_SECONDS) -> int:
    """Removes drafts and empty batches older than a day, for at most ``seconds``. A timer calls it."""
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        ids = set(Upload.objects.orphans().values_list("pk", flat=True)[:SWEEP_STEP])
        if not ids:
            break
        with transaction.atomic():
            files = _remove_unused(ids)
        delete_files(files)
        count += len(files)
        if not files:
            break
    Batch.objects.filter(predictions__isnull=True, created__lt=timezone.now() - DRAFT_LIFETIME).delete()
    return count


def sweep_files(folder: str | None = None) -> int:
    """Removes files older than a day that no row names, in one of the 256 folders of pictures.

    A timer calls it every minute and so comes round in about four hours. Such files stay behind when a process is
    killed between the file and its row, or when the storage was away while something was deleted.
    """
    folder = folder or f"{PICTURES}/{int(time.time() // 60) % 256:02x}"
    old = stored_files.older(folder, DRAFT_LIFETIME)
    known = set(Upload.objects.filter(file__startswith=f"{folder}/").values_list("file", flat=True))
    return len(stored_files.remove((name for name in old if name not in known), SWEEP_SECONDS))
