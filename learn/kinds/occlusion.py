"""What painting each square of a grid black does to the answer, for every class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from learn.answering import answering
from learn.kinds import Kind, Result, Work
from learn.parameters import choice, only
from ml.artifact import Card

GRIDS = (4, 8, 16)
GRID = 8


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    only(parameters, "grid")
    return {"grid": choice(parameters, "grid", grids_of(card), GRID)}


def grids_of(card: Card) -> tuple[int, ...]:
    """Squares a side that are offered: each covers at least one pixel."""
    return tuple(grid for grid in GRIDS if grid <= card.size)


def compute(work: Work) -> Result:
    """``changes.npy``: float32 (grid, grid, classes), by how much the log-odds change when a square is black.

    ``log_odds.npy``: float32 (classes,), those of the picture as it is.
    """
    from ml.explain import maps

    predictor = answering(work.card)
    found = maps.occlusion(predictor, work.clean, work.parameters["grid"])
    temperatures = work.card.temperatures(work.clean[None])
    before = maps.log_odds(found.logits[None], temperatures)[0]
    return Result(
        {"grid": found.grid},
        {"changes.npy": found.changes, "log_odds.npy": before.astype(np.float32)},
    )


kind = Kind("occlusion", clean, compute, for_samples=({"grid": GRID},), looks_at_bars=False)
