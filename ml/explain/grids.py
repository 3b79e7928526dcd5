"""A square picture as a grid of cells: their borders, painting them over, and values of cells drawn over pixels."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def edges(size: int, grid: int) -> list[int]:
    """The grid + 1 borders of a grid's cells in pixels, from 0 to ``size``, rounded so that the cells tile the picture.

    Raises ValueError for a grid with cells of less than a pixel or without any.
    """
    if not 1 <= grid <= size:
        raise ValueError(f"{size} pixels cannot be divided into {grid} cells")
    return [(2 * i * size + grid) // (2 * grid) for i in range(grid + 1)]


def box(size: int, grid: int, cell: int) -> tuple[slice, slice]:
    """Rows and columns of a cell; cells are counted row by row from 0."""
    borders = edges(size, grid)
    row, column = divmod(cell, grid)
    return slice(borders[row], borders[row + 1]), slice(borders[column], borders[column + 1])


def mask(size: int, grid: int, cells: Iterable[int]) -> NDArray[np.bool_]:
    """Which pixels lie in ``cells``, (size, size)."""
    found = np.zeros((size, size), np.bool_)
    for cell in cells:
        found[box(size, grid, cell)] = True
    return found


def painted(pixels: NDArray[np.uint8], grid: int, cells: Iterable[int], fill: int = 0) -> NDArray[np.uint8]:
    """A copy of uint8 (size, size, 3) whose ``cells`` are painted with a grey of 0..255."""
    found = pixels.copy()
    found[mask(len(pixels), grid, cells)] = fill
    return found


def pooled(values: NDArray[np.floating], grid: int) -> NDArray[np.float64]:
    """The mean of (h, h) values in each cell of a grid, (grid, grid)."""
    borders = edges(len(values), grid)
    sums = np.add.reduceat(np.add.reduceat(np.asarray(values, np.float64), borders[:-1], 0), borders[:-1], 1)
    sides = np.diff(borders)
    return np.asarray(sums / np.outer(sides, sides), np.float64)


def nearest(values: NDArray[np.generic], size: int) -> NDArray[np.generic]:
    """Cells (grid, grid) -> pixels (size, size): each has its cell's value."""
    sides = np.diff(edges(size, len(values)))
    return values.repeat(sides, 0).repeat(sides, 1)


def bilinear(values: NDArray[np.floating], size: int) -> NDArray[np.float32]:
    """Cells (grid, grid) -> pixels (size, size), interpolated between the cells' centres, constant beyond them."""
    borders = np.asarray(edges(size, len(values)), np.float64)
    centres = (borders[1:] + borders[:-1]) / 2
    at = np.arange(size) + 0.5
    shares = np.stack([np.interp(at, centres, row) for row in np.eye(len(values))], 1)
    return np.asarray(shares @ np.asarray(values, np.float64) @ shares.T, np.float32)


def contour_levels(values: NDArray[np.floating], count: int = 4) -> list[float]:
    """``count`` levels above 0 that part 0 to the greatest value evenly; none for a map without a positive value."""
    top = float(np.max(values, initial=0))
    return [top * i / (count + 1) for i in range(1, count + 1)] if top > 0 else []
