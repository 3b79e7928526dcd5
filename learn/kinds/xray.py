"""An X-ray: what every layer of a network makes of the picture, without bars and with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from learn.kinds import Kind, Result, Work
from learn.parameters import only
from ml.artifact import Card


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    """It has no parameters: one X-ray shows all layers."""
    only(parameters)
    return {}


def compute(work: Work) -> Result:
    from ml.explain.trace import tracer
    from ml.explain.xray import xray

    found = tracer(work.card.name)
    seen = [work.clean] if work.covered is None else [work.clean, work.covered]
    seen_through = xray(found.structure, *found.trace(np.stack(seen)))
    return Result(seen_through.summary, seen_through.members)


kind = Kind("xray", clean=clean, compute=compute, for_samples=({},))
