"""An atlas of a network: the places in the site's sample pictures that excite each of its channels most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from learn.kinds import Kind, Result, Work
from learn.parameters import only
from ml.artifact import Card
from predictions import samples

PICTURES = "pictures.png"
"""What the network saw of the sample pictures, side by side in one row."""


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    """It says itself of which pictures it is, in their order; nothing can be chosen."""
    only(parameters)
    return {"samples": list(samples.every())}


def compute(work: Work) -> Result:
    """Members: PICTURES, and by layer ``places/LAYER.npy``, float32 (channels, k, 4), as `ml.explain.atlas` says."""
    from ml.explain import sheets
    from ml.explain.archive import member_name
    from ml.explain.atlas import atlas
    from ml.explain.trace import tracer

    found = atlas(tracer(work.card.name), work.clean)
    members: dict[str, Any] = {f"places/{member_name(name)}.npy": places for name, places in found.items()}
    members[PICTURES] = sheets.photograph(np.concatenate(work.clean, 1))
    return Result({"samples": work.parameters["samples"]}, members)


kind = Kind("atlas", clean=clean, compute=compute, for_samples=({},), looks_at_bars=False, pictures="samples")
