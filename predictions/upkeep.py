"""What keeps copies in rows as they should be when a release that did not know of them wrote the rows."""

from __future__ import annotations

from django.db import transaction

from predictions.models import Prediction

ROWS = 500


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
