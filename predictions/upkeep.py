"""What keeps copies in rows as they should be when a release that did not know of them wrote the rows."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import transaction
from PIL import Image

from predictions.fingerprint import fingerprint
from predictions.images import open_prepared
from predictions.models import Prediction, Upload

logger = logging.getLogger(__name__)

ROWS = 500
# Timers run between heartbeats, so looking at pictures stops after this long and goes on at the next turn.
LOOK_SECONDS = 1.0
LOOK_STEP = 20
# What the storage refused to this process, which goes on with the others before it tries these again.
_refused: set[Any] = set()


def name_predictions(rows: int = ROWS) -> int:
    """Fills ``search_name`` and ``covered`` where they are still empty, in at most so many rows. A timer calls it.

    While a new release is started, processes of the one before it still write predictions without them.
    """
    with transaction.atomic():
        unnamed = Prediction.objects.filter(search_name="").exclude(upload__filename="")
        # In the order of their ids, as ``JobQuerySet.lock`` has it.
        some = list(
            unnamed.select_for_update(of=("self",))
            .select_related("upload")
            .only("bars", "upload__filename")
            .order_by("pk")[:rows]
        )
        for run in some:
            run.search_name = Prediction.search_form(run.upload.filename)
            run.covered = bool(run.bars)
        Prediction.objects.bulk_update(some, ["search_name", "covered"])
    return len(some)


def look_at_uploads(seconds: float = LOOK_SECONDS) -> int:
    """Notes how pictures look that were taken in by a release that did not, for at most ``seconds``. A timer calls it.

    One whose file is gone or cannot be read has nothing to be told by. While the storage is away nothing is noted.
    """
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        unseen = Upload.objects.filter(fingerprint__isnull=True).exclude(pk__in=_refused).order_by("pk")
        some = list(unseen.only("file", "expired")[:LOOK_STEP])
        if not some:
            _refused.clear()
            break
        for upload in some:
            if time.monotonic() >= end:
                break
            try:
                mark = fingerprint_of(upload)
            except Exception as error:
                # One at a turn: when the storage is away, it is all of them.
                logger.warning("A picture cannot be looked at now (%s).", type(error).__name__)
                _refused.add(upload.pk)
                return count
            count += Upload.objects.filter(pk=upload.pk, fingerprint__isnull=True).update(fingerprint=mark)
    return count


def fingerprint_of(upload: Upload) -> str:
    """How a stored picture looks; empty for one that cannot be read. What the storage raises, it raises."""
    if upload.expired or not upload.file:
        return ""
    try:
        with upload.file.open("rb") as file:
            data = file.read()
    except FileNotFoundError:
        return ""
    try:
        return fingerprint(open_prepared(data))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        # A file that was damaged, or replaced by somebody.
        return ""
