"""Reliability as a square: how sure against how often right, a circle a bin, the gap to the diagonal as a stem.

The columns of ``learn.figures.reliability`` show where pictures lie; this shows one answer among them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learn.figures.curves import Tick, percent_tick
from learn.figures.reliability import TICKS, wilson

SIDE = 284
LARGEST = 13.0
"""Radius of the circle of ``most`` pictures; areas are as the counts."""
GREYED = 20
"""Bins with fewer pictures are greyed."""


@dataclass(frozen=True)
class Circle:
    """One bin, in units of the drawing as text, and the numbers behind it."""

    x: str
    y: str
    radius: str
    stem: str
    whisker: str
    few: bool
    n: int
    low: float
    high: float
    confidence: float
    accuracy: float
    least: float
    most: float


@dataclass(frozen=True)
class Square:
    circles: tuple[Circle, ...]
    total: int
    ticks: tuple[Tick, ...]
    up_ticks: tuple[Tick, ...]
    side: int = SIDE


def square(rows: Iterable[Mapping[str, Any]], most: int) -> Square | None:
    """The circles of ``rows`` of ``ml.calibrate.reliability``; ``most``: the count of the largest circle of all that
    are to be compared. None where no picture was counted.
    """
    circles = tuple(_circle(row, most) for row in rows if row["n"])
    if not circles:
        return None
    return Square(
        circles,
        sum(circle.n for circle in circles),
        tuple(Tick(f"{SIDE * value:.1f}", percent_tick(value)) for value in TICKS),
        tuple(Tick(f"{SIDE * (1 - value):.1f}", percent_tick(value)) for value in TICKS),
    )


def largest_count(groups: Iterable[Sequence[Mapping[str, Any]]]) -> int:
    """The count of the fullest bin of all ``groups`` of rows; at least 1."""
    return max((int(row["n"]) for rows in groups for row in rows), default=1) or 1


def sizes(most: int) -> list[dict[str, Any]]:
    """Circles for the legend: round counts up to ``most``, each about a tenth of the one before."""
    highest = 10 ** max(1, math.floor(math.log10(most)))
    counts = [count for count in (highest, highest // 10) if count >= 10]
    return [{"n": count, "radius": f"{LARGEST * math.sqrt(count / most):.1f}"} for count in counts]


def _circle(row: Mapping[str, Any], most: int) -> Circle:
    n, accuracy, confidence = int(row["n"]), float(row["accuracy"]), float(row["confidence"])
    bottom, top = wilson(accuracy, n)
    x, y = SIDE * confidence, SIDE * (1 - accuracy)
    return Circle(
        x=f"{x:.1f}",
        y=f"{y:.1f}",
        radius=f"{LARGEST * math.sqrt(n / most):.2f}",
        stem=f"M{x:.1f} {SIDE * (1 - confidence):.1f}V{y:.1f}",
        whisker=f"M{x:.1f} {SIDE * (1 - top):.1f}V{SIDE * (1 - bottom):.1f}",
        few=n < GREYED,
        n=n,
        low=float(row["low"]),
        high=float(row["high"]),
        confidence=confidence,
        accuracy=accuracy,
        least=bottom,
        most=top,
    )
