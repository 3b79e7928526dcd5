"""One channel of a convolution of a network, summed up plainly for all of its cells at once, and what pooling keeps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.explain.structure import Structure
from ml.explain.trace import Trace, value

Grid = NDArray[np.float64]
SIDE = 2


@dataclass(frozen=True)
class Sums:
    """Of every cell (rows, columns): how many input channels add and take away, the sum, the share of the largest.

    ``normalised`` and ``relu``: what batch normalisation and ReLU, which follow at once, make of the sum.
    """

    adds: NDArray[np.int64]
    takes: NDArray[np.int64]
    total: Grid
    first: Grid
    normalised: Grid

    @property
    def relu(self) -> Grid:
        return np.maximum(self.normalised, 0)

    @property
    def outvoted(self) -> NDArray[np.bool_]:
        """More add than take away, and yet the sum is below zero and nothing is left of it."""
        return (self.adds > self.takes) & (self.total < 0) & (self.relu == 0)

    @property
    def single(self) -> NDArray[np.bool_]:
        """One channel makes up a quarter of all that is moved."""
        return self.first >= 0.25

    @property
    def below(self) -> NDArray[np.bool_]:
        """The sum is below zero and passes."""
        return (self.total < 0) & (self.relu > 0)


def sums(of: Structure, trace: Trace, name: str, channel: int) -> Sums:
    """All cells of one channel of the convolution ``name``, which a batch normalisation reads."""
    layer = of.layer(name)
    read = value(of, trace, layer.inputs[0]).astype(np.float64)
    top, left, bottom, right = layer.padding
    wide = np.pad(read, ((0, 0), (top, bottom), (left, right)))
    kernel = of.kernel(name, channel).astype(np.float64)
    _channels, rows, columns = layer.shape
    parts = np.zeros((len(read), rows, columns))
    for i in range(layer.kernel):
        for j in range(layer.kernel):
            under = wide[:, i :: layer.stride, j :: layer.stride][:, :rows, :columns]
            parts += under * kernel[:, i, j, None, None]
    (follows,) = of.consumers[name]
    learned = of.normalisation(follows)
    total = parts.sum(0)
    moved = np.abs(parts)
    return Sums(
        adds=(parts > 0).sum(0),
        takes=(parts < 0).sum(0),
        total=total,
        first=moved.max(0) / np.maximum(moved.sum(0), 1e-12),
        normalised=total * learned.scale[channel] + learned.shift[channel],
    )


def windows(maps: NDArray[np.floating]) -> NDArray[np.floating]:
    """Maps (..., rows, columns) -> the four numbers of each window of a max pooling (..., rows / 2, columns / 2, 4)."""
    *before, rows, columns = maps.shape
    parted = maps.reshape(*before, rows // SIDE, SIDE, columns // SIDE, SIDE)
    return np.swapaxes(parted, -3, -2).reshape(*before, rows // SIDE, columns // SIDE, SIDE**2)


def corner(four: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Windows whose largest number stands at the lower right and is not the only one above zero."""
    return (four.argmax(-1) == SIDE**2 - 1) & ((four > 0).sum(-1) > 1)
