"""The five likeliest classes as the site serves them, clean and covered: for pictures and bars that nobody sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from learn.answering import answering
from learn.kinds import Kind, Result, Work
from ml.artifact import Card

TOP = 5


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    """There is nothing to choose."""
    return {}


def compute(work: Work) -> Result:
    """``{"clean": [[index, probability] ...], "covered": the same or None}``, five each, the likeliest first."""
    predictor = answering(work.card)
    seen = [work.clean] if work.covered is None else [work.clean, work.covered]
    rows = predictor.predict_arrays(np.stack(seen))
    tops = [[[index, share] for index, _label, share in predictor.top(row, TOP)] for row in rows]
    return Result({"clean": tops[0], "covered": tops[1] if len(tops) > 1 else None})


kind = Kind(name="answers", clean=clean, compute=compute, for_samples=({},))
