"""Heat maps: where in the picture a class's score comes from, three ways.

``class_activation`` is exact at the last layer, ``ablation`` works at every cut of the network from forward passes
alone, ``occlusion`` asks the network that answers (int8) about the picture with squares painted black.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.explain import grids, tails
from ml.explain.structure import Array, Structure, structure
from ml.explain.trace import Trace, value
from ml.predictor import Predictor, softmax

GRIDS = (4, 8, 16)
BUDGET = 160e9
"""Multiply-adds that one map may cost: some two seconds on two cores."""


@dataclass(frozen=True)
class LayerMap:
    """Maps of all classes at one layer.

    layer: where. values: float32 (classes, h, w), in logits: behind a ReLU, what each channel does to a class's logit,
    shared out over the places. channels: how many were silenced one by one, those of greatest energy; of: how many the
    layer has; energy: the share of the layer's energy (sum of squares) that they hold, 0..1.
    """

    layer: str
    values: Array
    channels: int
    of: int
    energy: float


@dataclass(frozen=True)
class Occlusion:
    """What painting each square of a grid does to the answer of the network that answers.

    grid: squares a side. logits, probabilities: float32 (classes,), of the picture as it is. changes: float32 (grid,
    grid, classes), by how much the log-odds of each class change when that square (row, column) is painted over; below
    0 the square spoke for the class. covered: float32 (grid, grid, classes), the probabilities then.
    """

    grid: int
    logits: Array
    probabilities: Array
    changes: Array
    covered: Array


def class_activation(of: Structure, trace: Trace) -> Array:
    """Class activation maps, float32 (classes, h, w): a map's mean plus the class's bias is its logit.

    Zhou et al., 2016, section 2: the last layer's weights of a class times the maps that are averaged for it.
    """
    kernel, _bias = of.dense()
    return weighted(kernel, value(of, trace, last_maps(of)))


def weighted(kernel: Array, maps: Array) -> Array:
    """Weights (classes, channels) times maps (channels, h, w) -> float32 (classes, h, w)."""
    channels, height, width = maps.shape
    return (kernel @ maps.reshape(channels, -1)).reshape(-1, height, width)


def last_maps(of: Structure) -> str:
    """The layer whose maps are averaged for the dense layer."""
    average = of.layer(of.layers[-1].inputs[0])
    return average.inputs[0]


def ablation(name: str, trace: Trace, layer: str, most: int | None = None) -> LayerMap:
    """Maps of all classes at any of ``tails.cut_layers``, from forward passes alone.

    Ablation-CAM (Desai and Ramaswamy, 2020, section 3): the channels are added up, each weighing as much as its
    absence costs. Here the cost is divided by the sum of the channel's absolute values, so that behind a ReLU each
    channel's effect in logits is shared out over the places by what stands there, and at the last layer nothing
    differs from ``class_activation`` but the scale. Channels are silenced in falling order of energy, at most ``most``
    and as many as BUDGET allows. Raises ValueError for another layer or ``most`` below 1, and ArtifactError.
    """
    of = structure(name)
    parts = tails.pieces(name)
    if layer not in parts.layers:
        raise ValueError(f"{of.card.title} has maps at {', '.join(parts.layers)}, not at {layer!r}.")
    affordable = channels_within(of, layer, BUDGET)
    count = affordable if most is None else min(most, affordable)
    return ablated(layer, value(of, trace, layer), lambda batch: parts.logits(batch, layer), count)


def channels_within(of: Structure, layer: str, budget: float) -> int:
    """How many passes from ``layer`` to the logits cost at most ``budget`` multiply-adds; at least one."""
    names = [one.name for one in of.layers]
    behind = of.layers[names.index(layer) + 1 :]
    return max(1, int(budget // max(1, sum(one.multiply_adds for one in behind))))


def ablated(layer: str, maps: Array, answer: Callable[[Array], Array], most: int) -> LayerMap:
    """``ablation`` of maps (channels, h, w) by ``answer``: altered maps (n, channels, h, w) -> logits (n, classes).

    Raises ValueError for ``most`` below 1.
    """
    if most < 1:
        raise ValueError(f"at least one channel must be silenced, not {most}")
    energies = np.square(maps, dtype=np.float64).sum((1, 2))
    # A channel that is 0 everywhere cannot be missed.
    chosen = [int(i) for i in np.argsort(-energies, kind="stable")[:most] if energies[i] > 0]
    whole = answer(maps[None])[0]
    costs = np.zeros((len(whole), len(maps)), np.float32)
    for start in range(0, len(chosen), tails.AT_ONCE):
        some = chosen[start : start + tails.AT_ONCE]
        batch = np.repeat(maps[None], len(some), 0)
        batch[np.arange(len(some)), some] = 0
        costs[:, some] = (whole - answer(batch)).T
    sums = np.abs(maps).sum((1, 2))
    held = min(1.0, float(energies[chosen].sum() / energies.sum())) if chosen else 0.0
    values = weighted(costs / np.maximum(sums, np.finfo(np.float32).tiny), maps)
    return LayerMap(layer, values, len(chosen), len(maps), held)


def occlusion(predictor: Predictor, pixels: NDArray[np.uint8], grid: int = 8, fill: int = 0) -> Occlusion:
    """Squares of a grid painted over one after the other (Zeiler and Fergus, 2014, section 4.2).

    pixels: uint8 (size, size, 3). grid: one of GRIDS. fill: what the squares are painted with, grey of 0..255. Raises
    ValueError for another shape, grid or fill, and what the predictor raises.
    """
    if grid not in GRIDS or grid > predictor.card.size:
        raise ValueError(f"the grid must be one of {', '.join(map(str, GRIDS))} squares a side, not {grid}")
    if not 0 <= fill <= 255:
        raise ValueError(f"squares are painted with a grey of 0 to 255, not {fill}")
    cells = range(grid * grid)
    pictures = np.stack([pixels, *(grids.painted(pixels, grid, [cell], fill) for cell in cells)])
    odds, rows, logits = answers(predictor, pictures)
    shape = (grid, grid, -1)
    changes = (odds[1:] - odds[0]).astype(np.float32)
    return Occlusion(grid, logits[0], rows[0], changes.reshape(shape), rows[1:].reshape(shape))


def answers(predictor: Predictor, pictures: NDArray[np.uint8]) -> tuple[NDArray[np.float64], Array, Array]:
    """uint8 (n, size, size, 3) -> log-odds float64, probabilities and logits float32, all (n, classes).

    With the temperature that the network answers with, which grows with the share of black.
    """
    logits = predictor.logits(pictures)
    temperatures = predictor.card.temperatures(pictures)
    return log_odds(logits, temperatures), softmax(logits, temperatures), logits


def log_odds(
    logits: NDArray[np.floating], temperatures: NDArray[np.floating] | float = 1.0
) -> NDArray[np.float64]:
    """log(p / (1 - p)) of each class, float64 (n, classes), p being the softmax of logits / temperatures (n,).

    Finite for all finite logits: p itself is never formed, which near 1 would round its complement to 0.
    """
    scaled = np.asarray(logits, np.float64) / np.asarray(temperatures, np.float64)[..., None]
    scaled -= scaled.max(-1, keepdims=True)
    exponentials = np.exp(scaled)
    rows = np.arange(len(scaled))
    best = scaled.argmax(-1)
    others = exponentials.copy()
    others[rows, best] = 0
    rest = exponentials.sum(-1, keepdims=True) - exponentials
    # All but the likeliest are added up afresh: the difference would lose them beside its 1.
    rest[rows, best] = others.sum(-1)
    with np.errstate(divide="ignore"):
        found = scaled - np.log(rest)
    distant = np.sort(scaled, -1)[:, -2:-1] if scaled.shape[-1] > 1 else scaled - np.inf
    # Where even the second's exponential is 0, the largest of the others alone is the rest.
    return np.where(rest > 0, found, scaled - distant)
