"""The worked examples of the overview: convolution, pooling, ReLU and softmax on small numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

Grid = tuple[tuple[int, ...], ...]

# A patch with an upright edge between its second and third column.
PATCH: Grid = ((2, 3, 8, 9, 9), (1, 2, 7, 9, 8), (2, 2, 6, 8, 9), (1, 3, 7, 9, 9), (2, 2, 8, 9, 8))
KERNEL: Grid = ((-1, 0, 1), (-1, 0, 1), (-1, 0, 1))
WINDOW = (0, 1)
POOL_INPUT: Grid = ((1, 3, 0, 2), (5, 2, 1, 1), (0, 0, 7, 4), (2, 1, 3, 6))
LOGITS = (("clock", 2.0), ("plate", 1.0), ("bowl", 0.1), ("orange", -1.0))


@dataclass(frozen=True)
class Cell:
    """One square of a drawn grid."""

    x: int
    y: int
    value: int
    marked: bool = False

    @property
    def text(self) -> str:
        """The value with a true minus sign."""
        return str(self.value).replace("-", "\N{MINUS SIGN}")


def convolve(picture: Grid, kernel: Grid) -> Grid:
    """Slides ``kernel`` over ``picture`` without padding, as networks do: no flip."""
    size = len(kernel)
    return tuple(
        tuple(
            sum(picture[row + i][column + j] * kernel[i][j] for i in range(size) for j in range(size))
            for column in range(len(picture[0]) - size + 1)
        )
        for row in range(len(picture) - size + 1)
    )


def max_pool(picture: Grid, size: int = 2) -> Grid:
    """The largest value of each ``size`` x ``size`` tile."""
    return tuple(
        tuple(
            max(picture[row + i][column + j] for i in range(size) for j in range(size))
            for column in range(0, len(picture[0]), size)
        )
        for row in range(0, len(picture), size)
    )


def cells(grid: Grid, side: int, *, marked: tuple[int, int, int] | None = None) -> list[Cell]:
    """Squares of ``side`` units for a grid; ``marked`` is (row, column, size) of a window to stress."""
    result = []
    for row, values in enumerate(grid):
        for column, value in enumerate(values):
            inside = False
            if marked:
                top, left, size = marked
                inside = top <= row < top + size and left <= column < left + size
            result.append(Cell(column * side, row * side, value, inside))
    return result


def convolution_example(side: int = 24) -> dict[str, object]:
    """Input, kernel and output with one window marked, and its sum written out."""
    top, left = WINDOW
    output = convolve(PATCH, KERNEL)
    terms = [
        PATCH[top + row][left + column] * KERNEL[row][column]
        for column in range(len(KERNEL))
        for row in range(len(KERNEL))
        if KERNEL[row][column]
    ]
    return {
        "input": cells(PATCH, side, marked=(top, left, len(KERNEL))),
        "kernel": cells(KERNEL, side),
        "output": cells(output, side, marked=(top, left, 1)),
        "sum": f"{signed_sum(terms)} = {output[top][left]}",
        "result": output[top][left],
    }


def signed_sum(terms: list[int]) -> str:
    """[-3, -2, 9] -> ``−3 − 2 + 9`` with true minus signs."""
    minus = "\N{MINUS SIGN}"
    text = ""
    for term in terms:
        if not text:
            text = f"{minus if term < 0 else ''}{abs(term)}"
        else:
            text += f" {minus if term < 0 else '+'} {abs(term)}"
    return text


def pooling_example(side: int = 28) -> dict[str, object]:
    """A 4 x 4 map and what 2 x 2 max pooling leaves of it; the largest of each tile is marked."""
    pooled = max_pool(POOL_INPUT)
    before = [
        Cell(cell.x, cell.y, cell.value, cell.value == pooled[cell.y // side // 2][cell.x // side // 2])
        for cell in cells(POOL_INPUT, side)
    ]
    return {"before": before, "after": cells(pooled, side)}


@dataclass(frozen=True)
class SoftmaxRow:
    label: str
    y: int
    logit: float
    exponential: float
    probability: float
    width: str


def softmax_example(height: int = 30, width: float = 96) -> dict[str, object]:
    """Four logits, their exponentials and their probabilities; bars up to ``width`` units long."""
    exponentials = [math.exp(logit) for _, logit in LOGITS]
    total = sum(exponentials)
    rows = [
        SoftmaxRow(label, index * height, logit, power, power / total, f"{width * power / total:.1f}")
        for index, ((label, logit), power) in enumerate(zip(LOGITS, exponentials, strict=True))
    ]
    return {"rows": rows, "total": total}


def stencil_example(side: int = 16, cell: int = 6) -> dict[str, object]:
    """A drawn disc, and where upright and level edge kernels respond to it: one SVG path a shade."""
    centre, radius = (side - 1) / 2, side * 0.31
    disc = tuple(
        tuple(9 if math.hypot(row - centre, column - centre) <= radius else 1 for column in range(side))
        for row in range(side)
    )
    level = tuple(zip(*KERNEL, strict=True))
    return {
        "picture": shades(disc, cell),
        "upright": shades(convolve(disc, KERNEL), cell),
        "level": shades(convolve(disc, level), cell),
    }


def shades(grid: Grid, cell: int, steps: int = 4) -> list[dict[str, str]]:
    """Squares of one shade gathered into one path: sign and strength (0..1), zero left out."""
    largest = max(abs(value) for row in grid for value in row) or 1
    paths: dict[tuple[bool, int], list[str]] = {}
    for row, values in enumerate(grid):
        for column, value in enumerate(values):
            step = math.ceil(steps * abs(value) / largest)
            if step:
                square = f"M{column * cell} {row * cell}h{cell}v{cell}h-{cell}z"
                paths.setdefault((value > 0, step), []).append(square)
    return [
        {"sign": "high" if positive else "low", "opacity": f"{step / steps:.2f}", "path": "".join(squares)}
        for (positive, step), squares in sorted(paths.items())
    ]
