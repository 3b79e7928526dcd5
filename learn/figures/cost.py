"""What a Wide ResNet (Zagoruyko and Komodakis, 2016) of a depth and a width holds, computes and takes.

Counts follow from formulas, for pictures of 32 x 32 pixels and 100 classes; parameters are counted as on the cards,
with the running mean and variance of every normalisation. Times are those that ``python -m benchmarks cost`` measured
and wrote. No Django is needed here: the benchmark imports it.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent.parent / "data" / "cost.json"
DEPTHS = tuple(range(10, 41, 6))
WIDTHS = tuple(range(1, 13))
SIDE = 32
CLASSES = 100
STEM = 16
"""Channels of the first convolution, whatever the width."""
SIDES = (32, 16, 8)
"""Rows and columns of the maps of the three groups; each has twice the channels of the one before."""
WHOLE = 2 * SIDE - 1
"""Rows that a place of the last maps has to depend on for the first and the last place to depend on every pixel."""

TIMES = {1: "ms_alone", 32: "ms_in_32"}
"""Pictures at once, and under which key the milliseconds a picture stand in the file; quartiles have _low and _high."""

ALIKE = 0.05
"""Multiply-adds that differ by less than this share count as equal."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stage:
    """The first convolution, one of the three groups, or the end, with the normalisation in front of each convolution.

    ``side`` and ``channels`` are of the maps that it writes.
    """

    key: str
    side: int
    channels: int
    convolutions: int
    parameters: int
    multiply_adds: int


@dataclass(frozen=True, order=True)
class Network:
    """The Wide ResNet of ``depth`` (6 n + 4) and ``width``: n blocks in a group, 16 x width channels in the first."""

    depth: int
    width: int

    @property
    def name(self) -> str:
        return f"{self.depth}-{self.width}"

    @property
    def blocks(self) -> int:
        return (self.depth - 4) // 6

    @property
    def channels(self) -> int:
        return STEM * self.width

    @property
    def projects(self) -> bool:
        """Whether the first group needs a projection too: at width 1 the first convolution writes what it wants."""
        return self.width > 1

    @property
    def parameters(self) -> int:
        n, c = self.blocks, self.channels
        return (378 * n - 89) * c * c + (56 * n + 544 + 16 * self.projects) * c + 596

    @property
    def multiply_adds(self) -> int:
        """Of one picture, in convolutions and the dense layer."""
        n, c = self.blocks, self.channels
        return (55_296 * n - 17_408) * c * c + (147_856 + 16_384 * self.projects) * c + 442_368

    @property
    def written(self) -> int:
        """Numbers that its convolutions put out for one picture."""
        return (3584 * self.blocks + 768 + 1024 * self.projects) * self.channels + 16_384

    @property
    def in_a_row(self) -> int:
        """Convolutions of which each waits for the one before; the projections stand beside them."""
        return 6 * self.blocks + 1

    @property
    def reach(self) -> int:
        """Rows (and columns) that a place of the last maps depends on, were the picture large enough."""
        return 28 * self.blocks - 3

    def stages(self) -> tuple[Stage, ...]:
        """Its parts in their order; their counts add up to its own."""
        found = [Stage("stem", SIDE, STEM, 1, 27 * STEM, SIDE * SIDE * 27 * STEM)]
        before = STEM
        for group, side in enumerate(SIDES):
            channels = self.channels * 2**group
            projection = before * channels if group or self.projects else 0
            later = 2 * self.blocks - 1
            kernels = 9 * before * channels + later * 9 * channels * channels + projection
            norms = 4 * (before + later * channels)
            convolutions = 2 * self.blocks + (projection > 0)
            key = f"group{group + 1}"
            found.append(Stage(key, side, channels, convolutions, kernels + norms, side * side * kernels))
            before = channels
        dense = before * CLASSES
        found.append(Stage("head", 1, CLASSES, 0, 4 * before + dense + CLASSES, dense))
        return tuple(found)


NETWORKS = tuple(Network(depth, width) for depth in DEPTHS for width in WIDTHS)
BY_NAME = {network.name: network for network in NETWORKS}
REFERENCE = Network(28, 10)
"""The best known one of its paper, marked wherever networks are drawn."""


def nearest(depth: float, width: float) -> Network:
    """The network that comes nearest to a finite depth and width."""
    return Network(
        min(DEPTHS, key=lambda one: abs(one - depth)), min(WIDTHS, key=lambda one: abs(one - width))
    )


@dataclass(frozen=True)
class Time:
    """Milliseconds a picture: the median of several repetitions and the quartiles around it."""

    median: float
    low: float
    high: float


@dataclass(frozen=True)
class Measured:
    """What the file holds: on what was measured, and the times of each network by the number of pictures at once."""

    hardware: str
    engine: str
    threads: int
    times: Mapping[Network, Mapping[int, Time]]

    def rate(self, network: Network, batch: int) -> float | None:
        """Multiply-adds a second; None for a network that was not measured."""
        found = self.times.get(network)
        return network.multiply_adds / found[batch].median * 1000 if found else None


def measured(path: Path | None = None) -> Measured | None:
    """The times that there are, or None where the file is missing or unusable: then only counts are shown."""
    path = path or FILE
    try:
        stamp = path.stat().st_mtime_ns
    except OSError:
        return None
    return _read(path, stamp)


@lru_cache(maxsize=4)
def _read(path: Path, stamp: int) -> Measured | None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        times = {Network(int(row["depth"]), int(row["width"])): _times(row) for row in values["rows"]}
        first = values["rows"][0]
        return Measured(str(values["hardware"]), str(first["engine"]), int(first["threads"]), times)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        logger.warning("The times in %s cannot be used: %s", path.name, error)
        return None


def _times(row: Mapping[str, Any]) -> dict[int, Time]:
    found = {
        batch: Time(float(row[key]), float(row[f"{key}_low"]), float(row[f"{key}_high"]))
        for batch, key in TIMES.items()
    }
    for time in found.values():
        if not 0 < time.low <= time.median <= time.high < math.inf:
            raise ValueError(f"{time} is no time with its quartiles")
    return found


def rivals(networks: Iterable[Network]) -> list[tuple[Network, Network]]:
    """Pairs (shallow and wide, deep and thin) that do equally many multiply-adds, one with at least twice the depth."""
    pairs = [tuple(sorted(pair)) for pair in combinations(networks, 2)]
    return [
        (wide, deep)
        for wide, deep in pairs
        if deep.depth >= 2 * wide.depth and abs(deep.multiply_adds / wide.multiply_adds - 1) < ALIKE
    ]


@dataclass(frozen=True)
class Axis:
    """A logarithmic axis: ``low`` and ``high`` are powers of ten, ``ticks`` the values that are written beside it."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def share(self, value: float) -> float:
        """Where a value lies, from 0 to 1."""
        return (math.log10(value) - self.low) / (self.high - self.low)


MARGIN = 0.08
"""Powers of ten that an axis goes on beyond its first and last value, so that no mark is cut off."""


def axis(values: Iterable[float], steps: tuple[int, ...]) -> Axis:
    """The axis for positive values, with ticks at ``steps`` times each power of ten."""
    found = [math.log10(value) for value in values]
    low, high = min(found) - MARGIN, max(found) + MARGIN
    powers = range(math.floor(low), math.ceil(high) + 1)
    ticks = [step * 10.0**power for power in powers for step in steps]
    return Axis(low, high, tuple(tick for tick in ticks if low <= math.log10(tick) <= high))
