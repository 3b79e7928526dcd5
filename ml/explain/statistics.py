"""What an X-ray says of a layer in numbers: its range, its spread, its zeros, and how much bars change it.

Everything is summed in float64, so that a figure and a check of it agree to the last digit that is shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUANTILE = 0.995
"""The share of a layer's values that its colour scale covers; the rest have the full colour."""

SAMPLE = 1 << 13
"""About as many values decide the scale; of a larger layer every n-th one, n odd, so that no column is preferred."""


@dataclass(frozen=True)
class Statistics:
    """Of any number of values: the two extremes, mean, standard deviation (of all, not of a sample), share of zeros."""

    minimum: float
    maximum: float
    mean: float
    deviation: float
    zeros: float

    def to_dict(self) -> dict[str, float]:
        return {
            "minimum": self.minimum,
            "maximum": self.maximum,
            "mean": self.mean,
            "deviation": self.deviation,
            "zeros": self.zeros,
        }


def statistics(values: NDArray[np.float32]) -> Statistics:
    """Statistics of finite float32 values of any shape. Raises ValueError when there are none."""
    if not values.size:
        raise ValueError("there are no values")
    flat = values.reshape(-1)
    wide = flat.astype(np.float64)
    mean = float(wide.mean())
    wide -= mean
    return Statistics(
        minimum=float(flat.min()),
        maximum=float(flat.max()),
        mean=mean,
        deviation=_norm(wide) / math.sqrt(flat.size),
        zeros=int(np.count_nonzero(flat == 0)) / flat.size,
    )


def energies(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """float32 (c, h, w) -> float64 (c,): the root mean square of each channel, in the units of its activations."""
    flat = values.reshape(len(values), -1).astype(np.float64)
    return np.sqrt(np.einsum("ij,ij->i", flat, flat) / flat.shape[1])


def relative_change(clean: NDArray[np.float32], covered: NDArray[np.float32]) -> float:
    """The Euclidean norm of the difference over that of ``clean``, at least 0; 0 where both are zero throughout.

    Infinite where only ``clean`` is: there is no size to compare with.
    """
    difference = _norm(covered.astype(np.float64) - clean)
    size = _norm(clean.astype(np.float64))
    if size:
        return difference / size
    return math.inf if difference else 0.0


def _norm(values: NDArray[np.float64]) -> float:
    flat = values.reshape(-1)
    # Not `dot`: BLAS shares it out among threads, which wait for each other in a circle when the machine is busy.
    return math.sqrt(float(np.einsum("i,i->", flat, flat)))


def bound(*tensors: NDArray[np.float32]) -> float:
    """One symmetric scale for all ``tensors``: QUANTILE of the absolute values, up to two digits that can be read.

    Rounded up to two significant digits, so that it is written out as it is used. Above 0 whenever a value is not
    zero; 1 when all are, for a scale must have a length.
    """
    parts = [np.abs(one.reshape(-1)[:: (one.size // SAMPLE) | 1]) for one in tensors]
    together = np.concatenate(parts)
    reached = float(np.partition(together, place)[place]) if (place := _place(together.size)) >= 0 else 0.0
    if not reached:
        # More than the quantile of the values is zero, as after a ReLU that hardly anything passes.
        reached = max((float(np.abs(one).max()) for one in tensors if one.size), default=0.0)
    return two_digits(reached) if reached else 1.0


def _place(count: int) -> int:
    return math.ceil(QUANTILE * count) - 1


def two_digits(value: float) -> float:
    """A positive number rounded up to two significant digits: 3.417 -> 3.5, 0.0301 -> 0.031."""
    exponent = math.floor(math.log10(value)) - 1
    step = 10.0**exponent
    # The tiny share keeps 3.5, which is a little more in binary, from becoming 3.6.
    return float(f"{math.ceil(value / step * (1 - 1e-12)) * step:.2g}")
