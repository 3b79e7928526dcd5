"""A confusion matrix as few SVG paths: one for each strength of colour, whatever the number of classes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from learn.figures.curves import percent_tick

SIDE = 312
LEVELS = (0.01, 0.02, 0.04, 0.08, 0.16)
"""Shares of a class's pictures; a square has the colour of the highest that it reaches (the first from one picture)."""

MOST_CLASSES = 250
"""Beyond this a square is less than a pixel and a half on a wide screen; the tables say more."""


def confusion_figure(matrix: Sequence[Sequence[int]], order: Sequence[int]) -> dict[str, Any] | None:
    """The matrix drawn in the ``order`` of its classes: rows are true classes, columns are answers.

    Squares that touch in a row and have the same strength are one stroke of a path, so a matrix of 100 classes takes
    some 20 kB. ``rows`` holds the counts for the explorer: [column, count, column, count, ...] a class.
    """
    if not matrix or len(matrix) > MOST_CLASSES or sorted(order) != list(range(len(matrix))):
        return None
    wrong: dict[int, list[str]] = defaultdict(list)
    right: dict[int, list[str]] = defaultdict(list)
    for y, truth in enumerate(order):
        row = matrix[truth]
        total = sum(row)
        strengths = [level(row[answer], total) for answer in order]
        right[strengths[y]].append(f"M{y} {y}h1")
        strengths[y] = 0
        _strokes(strengths, y, wrong)
    return {
        "classes": len(matrix),
        "side": SIDE,
        "scale": f"{SIDE / len(matrix):.4f}",
        "offset": f"{SIDE / len(matrix) / 2:.2f}",
        "wrong": [{"level": k, "path": "".join(wrong[k])} for k in sorted(wrong)],
        "right": [{"level": k, "path": "".join(right[k])} for k in sorted(right) if k],
        "legend": [
            {"level": k, "x": 24 + 64 * (k - 1), "text": percent_tick(share)}
            for k, share in enumerate(LEVELS, 1)
        ],
        "rows": [[part for c, count in enumerate(row) if count for part in (c, count)] for row in matrix],
    }


def level(count: int, total: int) -> int:
    """The strength of a square, 0 (never) to 5."""
    return max(1, sum(count / total >= bound for bound in LEVELS)) if count else 0


def _strokes(strengths: Sequence[int], y: int, paths: dict[int, list[str]]) -> None:
    start = 0
    for x in range(1, len(strengths) + 1):
        if x == len(strengths) or strengths[x] != strengths[start]:
            if strengths[start]:
                paths[strengths[start]].append(f"M{start} {y}h{x - start}")
            start = x
