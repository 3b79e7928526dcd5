"""A picture as numbers, and what is left of it with fewer of them, coarser ones, brighter ones or in another order.

static/js/laboratory/pixels-model.js computes the same, in whole numbers, so that both agree to the last one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

LARGEST = 255
STEPS = (256, 16, 8, 4, 2)
HALVINGS = 4
"""So many sizes are offered: the picture's own, half of it, a quarter and an eighth."""

CHANNELS: dict[str, str | Promise] = {"red": _("red"), "green": _("green"), "blue": _("blue")}
SETS: dict[str, str | Promise] = {
    "rgb": _("all three"),
    "rg": _("red and green"),
    "rb": _("red and blue"),
    "gb": _("green and blue"),
    "r": _("red only"),
    "g": _("green only"),
    "b": _("blue only"),
}
"""Channels that can be on together, by their first letters."""

ORDERS: dict[str, str | Promise] = {
    "none": _("as it is"),
    "rows": _("rows mixed"),
    "pixels": _("all pixels mixed"),
}
WINDOW = 7
"""Rows and columns of the numbers that are shown around a place."""

SEED = 1969
MULTIPLIER = 16807
MODULUS = 2**31 - 1
"""Park and Miller, 1988: every product stays below 2^53, so that a browser computes it exactly."""


@dataclass(frozen=True)
class Settings:
    """``rows`` of as many pixels; ``steps`` that a number may have; ``channels``, a key of SETS; ``add`` (-255..255) to
    every number, and ``back``: taken away again; ``shuffle``, a key of ORDERS.
    """

    rows: int
    steps: int = 256
    channels: str = "rgb"
    add: int = 0
    back: bool = False
    shuffle: str = "none"


@dataclass(frozen=True)
class Shown:
    """What is left: ``planes`` and, as -1, 0 or 1, where a number was ``cut`` off at 0 or 255, both (3, rows, rows) and
    for channels that are off as well. What is counted is counted among those that are on: how many ``numbers``, how
    many ``bits`` they take, and how many were cut off ``below`` 0 and ``above`` 255. ``apart``: by how much numbers
    beside and below each other differ on average, and ``straight``, before they are mixed.
    """

    planes: NDArray[np.int64]
    cut: NDArray[np.int64]
    on: tuple[bool, ...]
    numbers: int
    bits: int
    below: int
    above: int
    apart: float
    straight: float

    @property
    def picture(self) -> NDArray[np.uint8]:
        """uint8 (rows, rows, 3); a channel that is off counts as 0."""
        return np.asarray((self.planes * np.array(self.on)[:, None, None]).transpose(1, 2, 0), np.uint8)


def sizes(side: int) -> tuple[int, ...]:
    """The numbers of rows that ``side`` rows can be made into by means over whole squares."""
    return tuple(side >> halving for halving in range(HALVINGS) if side % (1 << halving) == 0)


def bits_each(steps: int) -> int:
    """Bits that tell so many steps apart; ``steps`` is a power of 2."""
    return steps.bit_length() - 1


def means(plane: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """(n, n) -> (rows, rows): the mean of each square, halves rounded up. ``rows`` divides n."""
    size = len(plane) // rows
    sums = plane.reshape(rows, size, rows, size).sum((1, 3))
    return np.asarray((2 * sums + size * size) // (2 * size * size))


def coarse(values: NDArray[np.int64], steps: int) -> NDArray[np.int64]:
    """Each number, 0..255, becomes the nearest of ``steps`` that lie evenly from 0 to 255."""
    last = steps - 1
    step = (2 * values * last + LARGEST) // (2 * LARGEST)
    return np.asarray((2 * step * LARGEST + last) // (2 * last))


def order(count: int) -> NDArray[np.int64]:
    """A fixed order of ``count`` things that looks like chance (Fisher and Yates): what comes at each place."""
    found = np.arange(count)
    drawn = _drawn()
    for last in range(count - 1, 0, -1):
        other = next(drawn) % (last + 1)
        found[[last, other]] = found[[other, last]]
    return found


def _drawn() -> Iterator[int]:
    number = SEED
    while True:
        number = number * MULTIPLIER % MODULUS
        yield number


def mixed(plane: NDArray[np.int64], shuffle: str) -> NDArray[np.int64]:
    if shuffle == "rows":
        return plane[order(len(plane))]
    if shuffle == "pixels":
        return plane.reshape(-1)[order(plane.size)].reshape(plane.shape)
    return plane


def apart(planes: NDArray[np.int64]) -> float:
    """The mean difference of numbers beside and below each other, (channels, n, n); 0 where there are none."""
    beside = np.abs(np.diff(planes, axis=2))
    below = np.abs(np.diff(planes, axis=1))
    count = beside.size + below.size
    return float(beside.sum() + below.sum()) / count if count else 0.0


def shown(pixels: NDArray[np.uint8], settings: Settings) -> Shown:
    """uint8 (n, n, 3), with these settings. First means, then steps, then what is added, then the order."""
    planes = np.stack(
        [
            coarse(means(pixels[..., at].astype(np.int64), settings.rows), settings.steps)
            for at in range(len(CHANNELS))
        ]
    )
    moved = planes + settings.add
    cut = (moved > LARGEST).astype(np.int64) - (moved < 0)
    left = np.clip(moved, 0, LARGEST) - (settings.add if settings.back else 0)
    on = tuple(name[0] in settings.channels for name in CHANNELS)
    counted = cut[list(on)]
    return Shown(
        planes=np.stack([mixed(plane, settings.shuffle) for plane in left]),
        cut=np.stack([mixed(plane, settings.shuffle) for plane in cut]),
        on=on,
        numbers=counted.size,
        bits=counted.size * bits_each(settings.steps),
        below=int((counted < 0).sum()),
        above=int((counted > 0).sum()),
        apart=apart(np.stack([mixed(plane, settings.shuffle) for plane in left[list(on)]])),
        straight=apart(left[list(on)]),
    )


def window(rows: int, row: int, column: int) -> tuple[int, int, int]:
    """Top, left and side of the numbers shown around a place: as many as fit, and all within the picture."""
    side = min(WINDOW, rows)
    top, left = (min(max(0, at - side // 2), rows - side) for at in (row, column))
    return top, left, side
