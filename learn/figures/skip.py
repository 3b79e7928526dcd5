"""Plain and residual networks by depth: gradients of every layer and the curves of their training, as SVG lines.

The numbers are those of ``python -m ml.depths``, stored in FILE.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from django.utils.formats import number_format

from learn.figures.curves import Tick, percent_tick

logger = logging.getLogger(__name__)

FILE = Path(__file__).parent.parent / "data" / "skip.json"
KINDS = ("plain", "residual")
TIMES = ("start", "end")
WIDTH, HEIGHT = 284, 190
FARTHEST = 1e-9
"""Gradients below it are drawn there."""


@dataclass(frozen=True)
class Runs:
    """A study's runs by kind and depth. Raises KeyError and ValueError for a file that is none."""

    content: Mapping[str, Any]

    @cached_property
    def by_place(self) -> dict[tuple[str, int], Mapping[str, Any]]:
        return {(row["kind"], int(row["depth"])): row for row in self.content["runs"]}

    @cached_property
    def depths(self) -> list[int]:
        """Those that both kinds have, the shallowest first."""
        found = {depth for _kind, depth in self.by_place}
        return sorted(depth for depth in found if all((kind, depth) in self.by_place for kind in KINDS))

    def gradients(self, kind: str, depth: int, when: str) -> list[float]:
        """Of every convolution, the first one first: the norm of the gradient relative to the kernel's own."""
        return [float(row["relative"]) for row in self.by_place[kind, depth]["gradients"][when]]

    def names(self, depth: int) -> list[str]:
        return [row["name"] for row in self.by_place[KINDS[0], depth]["gradients"]["start"]]

    def curve(self, kind: str, depth: int, key: str) -> list[float]:
        """``accuracy`` (on the training pictures) or ``held_out``, an epoch each, from before the first step."""
        return [float(row[key]) for row in self.by_place[kind, depth]["log"]]

    def spread(self, kind: str, depth: int, when: str) -> float:
        """How many times as large the largest gradient is as the smallest."""
        values = self.gradients(kind, depth, when)
        return max(values) / max(min(values), FARTHEST)


def load() -> Runs | None:
    """The stored study; None where there is none, or none that has both kinds of a depth."""
    try:
        runs = Runs(json.loads(FILE.read_text(encoding="utf-8")))
        return runs if runs.depths else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        logger.exception("The runs of plain and residual networks cannot be read")
        return None


@dataclass(frozen=True)
class Axis:
    """Powers of ten from ``low`` to ``high``, upwards."""

    low: int
    high: int

    def up(self, value: float) -> float:
        place = (math.log10(max(value, FARTHEST)) - self.low) / (self.high - self.low)
        return HEIGHT * (1 - min(1.0, max(0.0, place)))

    def ticks(self) -> list[Tick]:
        step = 1 if self.high - self.low <= 5 else 2
        return [
            Tick(f"{self.up(10.0**power):.1f}", _power(power))
            for power in range(self.low, self.high + 1, step)
        ]


def _power(power: int) -> str:
    if -3 <= power <= 3:
        return number_format(10.0**power, max(0, -power), use_l10n=True, force_grouping=True)
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def gradient_axis(runs: Runs) -> Axis:
    """One for every depth and time, so that the drawings can be compared."""
    values = [
        value
        for kind in KINDS
        for depth in runs.depths
        for when in TIMES
        for value in runs.gradients(kind, depth, when)
    ]
    low = math.floor(math.log10(max(min(values), FARTHEST)))
    return Axis(low, max(low + 1, math.ceil(math.log10(max(values)))))


def across(place: int, count: int) -> float:
    """Of the layer or epoch ``place`` of ``count``, the first at the left edge and the last at the right one."""
    return WIDTH * place / max(1, count - 1)


def gradient_line(values: Sequence[float], axis: Axis) -> str:
    return " ".join(f"{across(i, len(values)):.1f},{axis.up(value):.1f}" for i, value in enumerate(values))


def accuracy_top(runs: Runs) -> float:
    """The top of the plot of accuracies, a tenth."""
    highest = max(max(runs.curve(kind, depth, "accuracy")) for kind in KINDS for depth in runs.depths)
    return min(1.0, math.ceil(highest * 10 + 1e-9) / 10)


def accuracy_line(values: Sequence[float], top: float) -> str:
    return " ".join(
        f"{across(i, len(values)):.1f},{HEIGHT * (1 - min(value, top) / top):.1f}"
        for i, value in enumerate(values)
    )


def accuracy_ticks(top: float) -> list[Tick]:
    step = 0.2 if top > 0.5 else 0.1
    count = int(top / step + 1e-9)
    return [Tick(f"{HEIGHT * (1 - i * step / top):.1f}", percent_tick(i * step)) for i in range(count + 1)]


def written(value: float) -> str:
    """A gradient or a ratio with two digits that count: 22, 0.030, 1,100."""
    if value == 0 or not math.isfinite(value):
        return number_format(0, 0)
    digits = 1 - math.floor(math.log10(abs(value)))
    return number_format(round(value, digits), max(0, digits), use_l10n=True, force_grouping=True)
