"""Pictures are not kept for ever: after some months without a star or a question their files go, the answers stay."""

from __future__ import annotations

import time
from calendar import monthrange
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from predictions.models import Job, NetworkInput, Prediction, Upload
from predictions.removal import SWEEP_SECONDS, SWEEP_STEP, delete_files

# Looked for at once; removed step by step.
PIECE = 500
# So long before, the prediction's page says that its picture will be removed.
NOTICE = timedelta(days=30)


# --- calendar months ---------------------------------------------------------------------------------------


def earlier(moment: datetime, months: int) -> datetime:
    """The same day and time so many calendar months before; the month's last day where it has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    if year < 1:
        return datetime.min.replace(tzinfo=moment.tzinfo)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def later(moment: datetime, months: int) -> datetime:
    """The first moment to which ``moment`` is so many calendar months ago: 31 January is a month ago on 1 March."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if moment.day <= monthrange(year, month + 1)[1]:
        return moment.replace(year=year, month=month + 1)
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return later(first, months + 1)


# --- removing ----------------------------------------------------------------------------------------------


def outdated(before: datetime) -> QuerySet[Upload]:
    """The pictures that nothing has kept since ``before``: no star, no question, no work that waits or is done.

    What moderators hid is kept as long from the day when they did, and nothing of it waits.
    """
    asked = Q(created__gte=before) | Q(retried__gte=before)
    at_work = Q(status=Job.Status.QUEUED, deleted__isnull=True) | Q(status=Job.Status.RUNNING)
    keeps = Prediction.objects.filter(asked | at_work | Q(starred=True), upload=OuterRef("pk"))
    withheld = Q(hidden__isnull=True) | Q(hidden__lt=before)
    return Upload.objects.kept().filter(withheld, ~Exists(keeps), created__lt=before)


def sweep(seconds: float = SWEEP_SECONDS) -> int:
    """Removes what is older than the setting allows, for at most ``seconds``; returns how many pictures. A timer
    calls it.
    """
    if not settings.RETENTION_MONTHS:
        return 0
    end = time.monotonic() + seconds
    before = earlier(timezone.now(), settings.RETENTION_MONTHS)
    count = 0
    while time.monotonic() < end:
        ids = list(outdated(before).order_by("created").values_list("pk", flat=True)[:PIECE])
        removed = 0
        for start in range(0, len(ids), SWEEP_STEP):
            if time.monotonic() >= end:
                break
            removed += _expire(ids[start : start + SWEEP_STEP], before)
        count += removed
        if len(ids) < PIECE or not removed:
            break
    return count


def _expire(ids: Iterable[Any], before: datetime) -> int:
    """Removes the files of those pictures, and what networks saw of them, that are still outdated.

    Rows that somebody else holds at this moment, to star them or to ask again, are left to the next turn: this waits
    for nobody. What somebody has just changed is seen by the second look, behind the locks.
    """
    with transaction.atomic():
        uploads = Upload.objects.filter(pk__in=list(ids)).order_by("pk")
        mine = set(uploads.select_for_update(skip_locked=True).values_list("pk", flat=True))
        runs = Prediction.objects.filter(upload__in=mine).order_by("pk")
        free = set(runs.select_for_update(skip_locked=True).values_list("pk", flat=True))
        held = {upload for pk, upload in runs.values_list("pk", "upload_id") if pk not in free}
        gone = dict(outdated(before).filter(pk__in=mine - held).values_list("pk", "file"))
        Prediction.objects.filter(upload__in=gone).update(network_input=None)
        NetworkInput.objects.filter(upload__in=gone).delete()
        # Without its name nothing leads to the file any more, and a file that stays is swept like any without a row.
        Upload.objects.filter(pk__in=gone).update(expired=Now(), file="")
    delete_files(gone.values())
    return len(gone)


# --- saying so before --------------------------------------------------------------------------------------


def removal_of(upload: Upload) -> datetime | None:
    """When the picture will be removed if nothing is done, where that is soon; else None."""
    months = settings.RETENTION_MONTHS
    if not months or upload.expired:
        return None
    runs = Prediction.objects.filter(upload=upload)
    if runs.filter(Q(starred=True) | Q(finished__isnull=True)).exists():
        return None
    newest = runs.aggregate(created=Max("created"), retried=Max("retried"))
    due = later(max(filter(None, [upload.created, *newest.values()])), months)
    return due if due - timezone.now() <= NOTICE else None
