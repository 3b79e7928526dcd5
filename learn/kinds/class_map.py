"""Class activation maps of every class: exact, because both networks end in an average and one dense layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from learn.kinds import Kind, Result, Work
from learn.parameters import only
from ml.artifact import Card


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    only(parameters)
    return {}


def compute(work: Work) -> Result:
    """``maps.npy``: float32 (classes, h, w). ``logits.npy``: float32 (2, classes), the biases and the logits.

    The mean of a class's map plus its bias is its logit.
    """
    from ml.explain import maps, structure, trace

    layers = structure.structure(work.card.name)
    run = trace.tracer(work.card.name).trace(work.clean[None])[0]
    values = maps.class_activation(layers, run)
    _, bias = layers.dense()
    return Result(
        {"shape": list(values.shape[1:])},
        {"maps.npy": values, "logits.npy": np.stack([bias, run.logits])},
    )


kind = Kind("class_map", clean, compute, for_samples=({},), looks_at_bars=False)
