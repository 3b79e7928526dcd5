"""Maps of every class at any layer, from forward passes alone: what happens when channels are set to zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learn.kinds import Kind, Result, Work
from learn.parameters import choice, only
from ml.artifact import Card


def layers_of(card: Card) -> list[str]:
    """The layers that a map is offered at. Raises ArtifactError."""
    from ml.explain import structure, tails

    return tails.cut_layers(structure.structure(card.name))


def standard(layers: list[str]) -> str:
    """The layer shown first: two thirds of the way, deep enough for things and still finer than the last one."""
    return layers[round((len(layers) - 1) * 2 / 3)]


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    only(parameters, "layer")
    layers = layers_of(card)
    return {"layer": choice(parameters, "layer", layers, standard(layers))}


def compute(work: Work) -> Result:
    """``maps.npy``: float32 (classes, h, w), in logits. ``result`` says how many of the channels were tried.

    As in a class activation map, a map's mean is the sum of what its channels do to the logit, so that maps of layers
    with more and with fewer places can stand on one scale.
    """
    from ml.explain import maps, trace

    run = trace.tracer(work.card.name).trace(work.clean[None])[0]
    found = maps.ablation(work.card.name, run, work.parameters["layer"])
    _, height, width = found.values.shape
    data = {
        "layer": found.layer,
        "shape": [height, width],
        "channels": found.channels,
        "of": found.of,
        "energy": round(float(found.energy), 4),
    }
    return Result(data, {"maps.npy": found.values * (height * width)})


kind = Kind("layer_map", clean, compute, for_samples=({},), looks_at_bars=False)
