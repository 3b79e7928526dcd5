"""What a number inside a network is made of, a class for each kind of layer. ``arithmetic`` makes them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST = 8
"""So many input channels are named; the others are one number."""


@dataclass(frozen=True)
class Cell:
    """Which number: channel, row ``y`` and column ``x`` of the output of ``layer``, counted from 0.

    ``stored`` is what the network has there, a float32 number. ``total`` is the same from the parts named in each
    class, added in float64.
    """

    layer: str
    kind: str
    channel: int
    y: int
    x: int
    total: float
    stored: float

    @property
    def remainder(self) -> float:
        """What the stored number has more than the parts together: the rounding of float32."""
        return self.stored - self.total

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON."""
        found = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        return {**found, "remainder": self.remainder}


@dataclass(frozen=True)
class Window:
    """Where an output cell reads its input.

    rows, columns: of the input, counted from 0; some may lie outside it. inside: bool (rows, columns), False where
    the window lies outside, in the padding. passed_rows, passed_columns: where the windows would begin that the
    stride leaves out before the next output cell; empty with a stride of 1. unread_rows, unread_columns: those of
    the input that no output cell of this layer reads.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    inside: NDArray[np.bool_]
    passed_rows: tuple[int, ...]
    passed_columns: tuple[int, ...]
    unread_rows: tuple[int, ...]
    unread_columns: tuple[int, ...]

    @property
    def padded(self) -> int:
        """How many of the cells lie in the padding."""
        return int((~self.inside).sum())

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {field.name: _plain(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True)
class ChannelSum:
    """What one input channel adds: the sum of its products. ``share`` is its size among all those sizes, 0..1."""

    channel: int
    sum: float
    share: float


@dataclass(frozen=True)
class Others:
    """What the ``count`` channels that are not named add together. ``share`` as in ChannelSum."""

    count: int
    sum: float
    share: float


@dataclass(frozen=True)
class ConvolutionCell(Cell):
    """A convolution's number: total = the sum of all products = ``largest`` + ``others`` + ``bias`` (0 where none).

    source: the layer that is read. patch: float32 (inputs, height, width), 0 in the padding. kernel: the same shape.
    products: float64, patch * kernel. channels: every input channel, the largest size first (ties: the lower
    number). A dense layer is a convolution of one cell, with a bias and without a window to move.
    """

    source: str
    stride: int
    window: Window
    patch: NDArray[np.float32]
    kernel: NDArray[np.float32]
    products: NDArray[np.float64]
    channels: tuple[ChannelSum, ...]
    bias: float = 0.0

    @property
    def largest(self) -> tuple[ChannelSum, ...]:
        """The first LARGEST of ``channels``."""
        return self.channels[:LARGEST]

    @property
    def others(self) -> Others:
        """The channels after ``largest`` as one number."""
        rest = self.channels[LARGEST:]
        return Others(len(rest), math.fsum(one.sum for one in rest), math.fsum(one.share for one in rest))

    def to_dict(self) -> dict[str, Any]:
        """As JSON, with patch, kernel and products of the largest channels only: all would be some 200 kB."""
        left_out = ("patch", "kernel", "products", "channels")
        found = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        grids: dict[str, NDArray[Any]] = {
            "patch": self.patch,
            "kernel": self.kernel,
            "products": self.products,
        }
        return {
            **{key: one for key, one in found.items() if key not in left_out},
            "remainder": self.remainder,
            "inputs": len(self.channels),
            "largest": [
                {**_plain(one), **{key: _plain(grid[one.channel]) for key, grid in grids.items()}}
                for one in self.largest
            ],
            "others": _plain(self.others),
        }


@dataclass(frozen=True)
class NormalisedCell(Cell):
    """A batch normalisation's number: (input - mean) / deviation * gamma + beta, step by step.

    deviation: sqrt(variance + epsilon). centred: input - mean. standardised: centred / deviation. scaled:
    standardised * gamma. total = scaled + beta.
    """

    source: str
    input: float
    mean: float
    variance: float
    epsilon: float
    deviation: float
    gamma: float
    beta: float
    centred: float
    standardised: float
    scaled: float


@dataclass(frozen=True)
class ReluCell(Cell):
    """A ReLU's number: ``input`` where it is above 0, else 0. ``passed`` says which."""

    source: str
    input: float
    passed: bool


@dataclass(frozen=True)
class PoolingCell(Cell):
    """A pooling's number: the largest of the cells that it reads, or the average of the whole map.

    patch: float32 (height, width). winner: row and column of the input with the largest (ties: the first in reading
    order), None for an average, whose total is the sum of the patch divided by its number of cells. Cells in the
    padding do not count; their patch is 0.
    """

    source: str
    stride: int
    window: Window
    patch: NDArray[np.float32]
    winner: tuple[int, int] | None


@dataclass(frozen=True)
class AddCell(Cell):
    """An addition's number: the same cell of two layers. terms: (layer, number) in the graph's order."""

    terms: tuple[tuple[str, float], ...]


def _plain(thing: Any) -> Any:
    """As JSON has it: arrays and tuples as lists, data classes as objects."""
    if isinstance(thing, np.ndarray):
        return thing.tolist()
    if isinstance(thing, Window):
        return thing.to_dict()
    if isinstance(thing, ChannelSum | Others):
        return {field.name: getattr(thing, field.name) for field in fields(thing)}
    if isinstance(thing, tuple):
        return [_plain(one) for one in thing]
    return thing
