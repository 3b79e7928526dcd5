"""How often a network was right against how sure it was, as columns for an SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from learn.figures.curves import Tick, percent_tick
from ml.artifact import LEAST_RECORD

WIDTH = 284
HEIGHT = 150
GAP = 1.5
TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Column:
    """One bin: its column, the spread that so many pictures leave open, and the numbers behind them."""

    x: str
    y: str
    width: str
    height: str
    middle: str
    whisker: str
    n: int
    few: bool
    low: float
    high: float
    confidence: float
    accuracy: float


def reliability_panel(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Columns and ticks for ``rows`` of ``ml.calibrate.reliability``; None where no picture was counted.

    Bins without pictures have no column. Those with fewer than LEAST_RECORD are drawn weaker.
    """
    columns = [_column(row) for row in rows if row["n"]]
    if not columns:
        return None
    return {
        "columns": columns,
        "total": sum(column.n for column in columns),
        "x_ticks": [Tick(f"{WIDTH * value:.1f}", percent_tick(value)) for value in TICKS],
        "y_ticks": [Tick(f"{HEIGHT * (1 - value):.1f}", percent_tick(value)) for value in TICKS],
        "width": WIDTH,
        "height": HEIGHT,
    }


def _column(row: Mapping[str, Any]) -> Column:
    low, high, n, accuracy = float(row["low"]), float(row["high"]), int(row["n"]), float(row["accuracy"])
    bottom, top = wilson(accuracy, n)
    middle = WIDTH * (low + high) / 2
    return Column(
        x=f"{WIDTH * low + GAP / 2:.1f}",
        y=f"{HEIGHT * (1 - accuracy):.1f}",
        width=f"{WIDTH * (high - low) - GAP:.1f}",
        height=f"{HEIGHT * accuracy:.1f}",
        middle=f"{middle:.1f}",
        whisker=f"M{middle:.1f} {HEIGHT * (1 - top):.1f}V{HEIGHT * (1 - bottom):.1f}",
        n=n,
        few=n < LEAST_RECORD,
        low=low,
        high=high,
        confidence=float(row["confidence"]),
        accuracy=accuracy,
    )


def wilson(share: float, n: int, z: float = 1.96) -> tuple[float, float]:
    """The 95% interval of a ``share`` counted among ``n`` (E. B. Wilson, 1927); it stays inside 0..1."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def reliability_figure(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """The panels of an evaluation: whole pictures, and the same with bars where they were measured."""
    whole = reliability_panel(found.get("reliability", ()))
    if whole is None:
        return None
    covered = found.get("covered") or {}
    return {
        "whole": whole,
        "covered": reliability_panel(covered.get("reliability", ())),
        "ece": found.get("ece"),
        "covered_ece": covered.get("ece"),
        "rows": _table(whole["columns"], found, covered),
    }


def _table(
    columns: Sequence[Column], found: Mapping[str, Any], covered: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The figure as rows of a table, bin by bin, both panels side by side."""
    beside = {round(row["low"], 4): row for row in covered.get("reliability", ())}
    own = {round(column.low, 4): column for column in columns}
    return [
        {
            "low": row["low"],
            "high": row["high"],
            "whole": own.get(round(row["low"], 4)),
            "covered": other if (other := beside.get(round(row["low"], 4))) and other["n"] else None,
        }
        for row in found["reliability"]
    ]
