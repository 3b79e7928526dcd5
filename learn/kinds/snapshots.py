"""A picture answered by a network as it was along its training, and by the finished one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from learn.answering import answering
from learn.kinds import Kind, KindError, Result, Work
from learn.parameters import only
from ml.artifact import Card

TOP = 5


def has_snapshots(card: Card) -> bool:
    return bool(card.snapshots)


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    """There is nothing to choose. Raises KindError for a network whose weights along the way were not kept."""
    only(parameters)
    if not has_snapshots(card):
        raise KindError(
            _("No snapshots of %(title)s were kept, so it cannot be asked as it was earlier.")
            % {"title": card.title},
            "kind",
        )
    return {}


def compute(work: Work) -> Result:
    """``steps``, the earliest first and the finished network last: ``epoch`` (None: finished), ``size`` of the picture
    that it was shown, ``top`` ([index, probability] of the likeliest five) and ``probabilities`` of ``classes``.

    ``classes``: the finished network's first five, then all others that came among the first five on the way.
    Snapshots are float32 and have no temperature; the finished network answers as it does on the site.
    """
    from ml import data, snapshots

    finished = answering(work.card)
    asked: list[tuple[int | None, int]] = []
    rows: list[NDArray[np.float32]] = []
    for row in sorted(work.card.snapshots, key=lambda one: int(one["epoch"])):
        # Shrunk as training did it: from the pixels that the finished network sees.
        pictures = data.resized(work.clean[None], row["size"])
        asked.append((row["epoch"], row["size"]))
        rows.append(snapshots.load_snapshot(work.card, row["epoch"]).predict_arrays(pictures)[0])
    asked.append((None, work.card.size))
    rows.append(finished.predict_arrays(work.clean[None])[0])
    tops = [finished.top(row, TOP) for row in rows]
    classes = list(dict.fromkeys(index for top in [tops[-1], *tops[:-1]] for index, _label, _share in top))
    steps = [
        {
            "epoch": epoch,
            "size": size,
            "top": [[index, round(share, 6)] for index, _label, share in top],
            "probabilities": _shares(row, classes),
        }
        for (epoch, size), row, top in zip(asked, rows, tops, strict=True)
    ]
    return Result({"classes": classes, "steps": steps})


def _shares(row: NDArray[np.float32], classes: list[int]) -> list[float]:
    return [round(float(row[index]), 6) for index in classes]


kind = Kind("snapshots", clean, compute, for_samples=({},), looks_at_bars=False, offered_for=has_snapshots)
