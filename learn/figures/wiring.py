"""Drawings of neurons and wires, and the counts of weights that go with them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Neuron:
    x: int
    y: int
    off: bool = False


@dataclass(frozen=True)
class WeightCount:
    """A number of weights as a bar on a scale where each step is ten times the one before."""

    key: str
    weights: int
    width: str


SMALL_INPUTS = 32 * 32 * 3
LARGE_INPUTS = 1000 * 1000 * 3
HIDDEN = 100
KERNELS = 64
CONVOLUTION_WEIGHTS = 3 * 3 * 3 * KERNELS


def layers(
    counts: tuple[int, ...], *, gap_x: int, height: int, off: frozenset[tuple[int, int]]
) -> list[list[Neuron]]:
    """Columns of neurons, evenly spread over ``height``; ``off``: (column, row) of those switched off."""
    columns = []
    for column, count in enumerate(counts):
        step = height / count
        columns.append(
            [Neuron(column * gap_x, round(step * (row + 0.5)), (column, row) in off) for row in range(count)]
        )
    return columns


def wires(columns: list[list[Neuron]]) -> str:
    """One path with a line for every weight between neurons that are on."""
    return "".join(
        f"M{left.x} {left.y}L{right.x} {right.y}"
        for before, after in pairwise(columns)
        for left in before
        for right in after
        if not left.off and not right.off
    )


def perceptron_example() -> dict[str, object]:
    """A small multilayer perceptron, every neuron wired to every one of the layer before."""
    columns = layers((7, 5, 3), gap_x=100, height=180, off=frozenset())
    return {"neurons": [n for column in columns for n in column], "wires": wires(columns)}


def dropout_example() -> dict[str, object]:
    """The same small network on two training steps, with different neurons switched off."""
    panels = []
    for off in (frozenset({(1, 0), (1, 3)}), frozenset({(1, 1), (1, 2), (1, 4)})):
        columns = layers((4, 5, 2), gap_x=58, height=140, off=off)
        panels.append({"neurons": [n for column in columns for n in column], "wires": wires(columns)})
    return {"first": panels[0], "second": panels[1]}


def weight_counts(unit: float = 30) -> list[WeightCount]:
    """Weights of one dense layer on two sizes of picture, and of one convolution on any size."""
    counts = (
        ("dense-large", LARGE_INPUTS * HIDDEN),
        ("dense-small", SMALL_INPUTS * HIDDEN),
        ("convolution", CONVOLUTION_WEIGHTS),
    )
    return [WeightCount(key, weights, f"{unit * math.log10(weights):.1f}") for key, weights in counts]
