"""Two tests that a map carries of itself: against random masks, and against random weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from learn.answering import answering
from learn.kinds import Kind, Result, Work
from learn.kinds.layer_map import layers_of, standard
from learn.kinds.occlusion import GRID, grids_of
from learn.parameters import choice, class_index, only
from ml.artifact import Card

MAPS = ("class_activation", "ablation", "occlusion")
FINEST = 8
"""Squares a side of the finest covering that is tested: on random weights each square costs a pass in float32."""


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    """``map``, ``class`` (None: the likeliest of the picture) and what belongs to the map: ``layer`` or ``grid``.

    A covering of more than FINEST squares a side is tested with FINEST.
    """
    only(parameters, "map", "class", "layer", "grid")
    found: dict[str, Any] = {
        "map": choice(parameters, "map", MAPS, MAPS[0]),
        "class": class_index(parameters, card),
    }
    if found["map"] == "ablation":
        layers = layers_of(card)
        found["layer"] = choice(parameters, "layer", layers, standard(layers))
    if found["map"] == "occlusion":
        found["grid"] = min(FINEST, choice(parameters, "grid", grids_of(card), GRID))
    return found


def compute(work: Work) -> Result:
    from ml.explain import trace
    from ml.explain.trust import trust

    predictor = answering(work.card)
    index = work.parameters["class"]
    if index is None:
        index = int(predictor.logits(work.clean[None])[0].argmax())
    run = trace.tracer(work.card.name).trace(work.clean[None])[0]
    layer = work.parameters.get("layer", "")
    values = _map(work, run, index)
    return Result(trust(predictor, run, index, work.parameters["map"], values, layer=layer).to_dict())


def _map(work: Work, run: Any, index: int) -> NDArray[np.float32]:
    """The map to be tested, (h, w), larger where the picture speaks for the class."""
    from ml.explain import maps, structure

    which = work.parameters["map"]
    if which == "class_activation":
        return maps.class_activation(structure.structure(work.card.name), run)[index]
    if which == "ablation":
        return maps.ablation(work.card.name, run, work.parameters["layer"]).values[index]
    return -maps.occlusion(answering(work.card), work.clean, work.parameters["grid"]).changes[..., index]


kind = Kind(
    "trust", clean, compute, for_samples=({"map": "class_activation", "class": None},), looks_at_bars=False
)
