"""How sure the network stays of one class while more and more of the picture is covered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learn.answering import answering
from learn.kinds import Kind, Result, Work
from learn.kinds.occlusion import GRID
from learn.parameters import class_index, only
from ml.artifact import Card


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    only(parameters, "class")
    return {"class": class_index(parameters, card)}


def compute(work: Work) -> Result:
    from ml.explain.dose import dose_response

    changes = work.known.get("occlusion", {}).get("changes.npy")
    found = dose_response(answering(work.card), work.clean, work.parameters["class"], changes=changes)
    return Result(found.to_dict())


kind = Kind(
    "dose",
    clean,
    compute,
    for_samples=({"class": None},),
    looks_at_bars=False,
    # Which squares matter is half of the work, and the map beside these curves has often answered it.
    builds_on={"occlusion": {"grid": GRID}},
)
