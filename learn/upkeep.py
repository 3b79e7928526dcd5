"""What is removed in the laboratory: what nobody may see any more, what nobody uses, what older networks said."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from learn.models import Explanation
from ml import artifact
from predictions import explainable

UNUSED = timedelta(days=7)
# While a release is rolled out, processes of the one before it may still show its versions.
OUTDATED = timedelta(hours=1)
# What failed is remembered for those who ask again.
FAILED = timedelta(days=1)
# A timer runs between heartbeats, so it removes so many at a turn.
STEP = 200


def sweep() -> int:
    """Removes what is over, at most ``STEP`` of each sort; returns how many rows. A timer calls it.

    What a worker is computing now has its turn when it is done.
    """
    return sum(_remove(rows) for rows in (hidden(), unused(), outdated()))


def hidden() -> Any:
    """Of pictures that were deleted or hidden: nobody is shown these, and they can be computed again."""
    shown = explainable.shown_inputs().filter(pk=OuterRef("network_input"))
    return Explanation.objects.filter(~Exists(shown), owner__isnull=False)


def unused() -> Any:
    """What nobody has looked at for a week; of what failed, for a day."""
    bad = Q(status__in=[Explanation.Status.FAILED, Explanation.Status.CANCELLED], used__lt=Now() - FAILED)
    return Explanation.objects.finished().filter(Q(used__lt=Now() - UNUSED) | bad, built=False)


def outdated() -> Any:
    """Of versions that other ones have taken the place of. A network that is not there at the moment has none."""
    cards = artifact.cards()
    other = Q(network__in=[card.name for card in cards]) & ~Q(artifact__in=[card.version for card in cards])
    return Explanation.objects.finished().filter(other, used__lt=Now() - OUTDATED)


def _remove(rows: Any) -> int:
    chosen = list(rows.order_by("pk").values_list("pk", flat=True)[:STEP])
    if chosen:
        Explanation.objects.filter(pk__in=chosen).exclude(status=Explanation.Status.RUNNING).delete()
    return len(chosen)
