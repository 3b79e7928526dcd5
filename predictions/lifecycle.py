"""The verbs for what is there already: cancel, retry, mark and rename, delete and bring back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from predictions import quotas, tasks
from predictions.images import display_name
from predictions.models import NOTE_LENGTH, Job, Prediction, Upload

# Operators retry many at a time, but no more in one transaction than this.
RETRIED_AT_ONCE = 500


def cancel(owner: Any, **scope: Any) -> int:
    """Cancels what still waits of the owner's predictions in ``scope``; returns how many runs that were.

    A clean run goes with the covered one that it was made for, and counts. What a worker has begun is finished.
    """
    with transaction.atomic():
        chosen = Prediction.objects.of(owner).filter(**scope)
        beside = list(chosen.filter(clean_run__isnull=False).values_list("clean_run_id", flat=True))
        count: int = chosen.cancel()
        waited_for = Prediction.objects.of(owner).in_flight().filter(clean_run__in=beside)
        clean = Prediction.objects.of(owner).filter(pk__in=beside, asked=False)
        count += clean.exclude(pk__in=waited_for.values("clean_run_id")).cancel()
    return count


def retry(owner: Any, **scope: Any) -> int:
    """Queues what failed or was cancelled of the owner's predictions in ``scope`` again, with the clean runs beside;
    returns how many runs that were in all. Raises QuotaExceeded.
    """
    with transaction.atomic():
        quotas.hold_in_flight(owner)
        own = Prediction.objects.of(owner)
        asked = list(own.filter(asked=True, **scope).values_list("pk", "clean_run_id"))
        ended = own.filter(pk__in={pk for pair in asked for pk in pair if pk}).ended_badly()
        if more := ended.count():
            quotas.check_in_flight(owner, more)
        count: int = ended.retry()
        if count:
            tasks.predict.delay_on_commit()
    return count


def retry_failed(runs: Any) -> int:
    """Queues failed predictions again, whoever's they are, with the clean runs beside them that failed as well.

    For operators, who see to it that something works again: no account's quota counts. Returns how many of ``runs``
    that were, ``RETRIED_AT_ONCE`` at most; 0 when nothing is left of them.
    """
    with transaction.atomic():
        failed = Prediction.objects.visible().ended_badly().filter(status=Job.Status.FAILED)
        chosen = runs.visible().ended_badly().filter(status=Job.Status.FAILED)
        pairs = dict(chosen.order_by("finished").values_list("pk", "clean_run_id")[:RETRIED_AT_ONCE])
        count: int = failed.filter(pk__in=pairs).retry()
        failed.filter(pk__in={clean for clean in pairs.values() if clean}).retry()
        if count:
            tasks.predict.delay_on_commit()
    return count


def mark(owner: Any, ids: Iterable[Any], *, starred: bool) -> int:
    """Stars the owner's predictions, or takes the star away."""
    with transaction.atomic():
        locked = Prediction.objects.of(owner).filter(pk__in=list(ids)).lock()
        count: int = Prediction.objects.filter(pk__in=locked).update(starred=starred)
    return count


def annotate(owner: Any, pk: Any, note: str) -> bool:
    """Keeps what the owner notes on one prediction; an empty note removes it."""
    text = "\n".join(line.rstrip() for line in note.replace("\0", "").splitlines()).strip()[:NOTE_LENGTH]
    return bool(Prediction.objects.of(owner).filter(pk=pk).update(note=text))


def rename(owner: Any, upload: Upload, filename: str) -> str:
    """Gives one of the owner's pictures another name, in every prediction of it; returns the name as it is kept."""
    name = display_name(filename)
    with transaction.atomic():
        Upload.objects.filter(pk=upload.pk, owner=owner).update(filename=name)
        runs = Prediction.objects.filter(upload_id=upload.pk, owner=owner).lock()
        Prediction.objects.filter(pk__in=runs).update(search_name=Prediction.search_form(name))
    return name


# --- deleting ----------------------------------------------------------------------------------------------


def delete(owner: Any, ids: Iterable[Any]) -> list[Any]:
    """Hides the owner's predictions, and the clean runs that stood only beside them; returns the ids hidden.

    What still waits is not computed while hidden. ``undo`` brings them back for ten seconds; then
    ``removal.purge`` removes them.
    """
    with transaction.atomic():
        runs = Prediction.objects.of(owner).filter(pk__in=list(ids))
        found = list(runs.values_list("pk", "clean_run_id"))
        asked = [pk for pk, _clean in found]
        beside = {clean for _pk, clean in found if clean}
        in_use = set(
            Prediction.objects.of(owner)
            .filter(clean_run__in=beside)
            .exclude(pk__in=asked)
            .values_list("clean_run_id", flat=True)
        )
        hidden = [*asked, *(beside - in_use)]
        Prediction.objects.of(owner).filter(pk__in=hidden).hide()
    return asked


def undo(owner: Any, ids: Iterable[Any]) -> int:
    """Brings back what ``delete`` hid, with the clean runs beside; returns how many of ``ids`` came back.

    What had not been answered waits again. Raises QuotaExceeded.
    """
    with transaction.atomic():
        quotas.hold_in_flight(owner)
        own = Prediction.objects.filter(owner=owner)
        named = set(own.filter(pk__in=list(ids)).values_list("pk", flat=True))
        beside = own.filter(pk__in=named, clean_run__isnull=False).values_list("clean_run_id", flat=True)
        hidden = set(own.filter(pk__in=named.union(beside)).just_deleted().lock())
        back = own.filter(pk__in=hidden)
        if more := back.in_flight().count():
            quotas.check_in_flight(owner, more)
        back.update(deleted=None)
    return len(hidden & named)
