"""Dose and response: how sure a network stays as more and more of the picture is covered.

The deletion curve of Petsiuk et al., 2018 (RISE, section 4.3), for three orders of the same cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.explain import grids, maps
from ml.explain.structure import Array
from ml.predictor import Predictor

STEPS = 20
GRID = 8
ORDERS = ("most", "least", "random")
"""The most important cells first, the least important first, and an order drawn with a fixed seed."""
SEED = 0


@dataclass(frozen=True)
class Curve:
    """One order of covering; ``order`` is one of ORDERS, ``cells`` the order itself, counted row by row from 0.

    Of every step, from nothing covered to everything: shares of the picture covered, 0..1; probabilities of the class;
    top_indices and top_probabilities of the then likeliest class. area: under ``probabilities`` over ``shares`` by
    trapezoids, 0..1.
    """

    order: str
    cells: tuple[int, ...]
    shares: tuple[float, ...]
    probabilities: tuple[float, ...]
    top_indices: tuple[int, ...]
    top_probabilities: tuple[float, ...]
    area: float


@dataclass(frozen=True)
class Dose:
    """The curves of class ``index`` in the order of ORDERS, in ``steps`` steps over a grid of ``grid`` cells a side."""

    index: int
    grid: int
    steps: int
    curves: tuple[Curve, ...]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON."""
        return asdict(self)


def dose_response(
    predictor: Predictor,
    pixels: NDArray[np.uint8],
    index: int | None = None,
    *,
    evidence: Array,
    steps: int = STEPS,
) -> Dose:
    """Cells of a grid painted black one after the other, in three orders, for the network that answers.

    pixels: uint8 (size, size, 3). index: the class, None for the likeliest of the picture as it is. evidence: (grid,
    grid, classes), how much each cell speaks for each class, in any unit; what speaks most is most important. Raises
    ValueError for another shape, a class that the network does not have, a grid that is not one of ``maps.GRIDS`` or
    more steps than cells, and what the predictor raises.
    """
    grid, classes = len(evidence), len(predictor.card.labels)
    if grid not in maps.GRIDS or evidence.shape != (grid, grid, classes):
        sides = ", ".join(map(str, maps.GRIDS))
        raise ValueError(
            f"evidence must be (grid, grid, {classes}) with a grid of {sides} cells, not {evidence.shape}"
        )
    if not 1 <= steps <= grid * grid:
        raise ValueError(f"{grid * grid} cells can be covered in 1 to {grid * grid} steps, not {steps}")
    if index is None:
        index = int(predictor.predict_arrays(pixels[None])[0].argmax())
    if not 0 <= index < classes:
        raise ValueError(f"{predictor.card.title} has classes 0 to {classes - 1}, not {index}")
    orders = orders_of(evidence[..., index])
    masks = [mask for order in orders for mask in _masks(len(pixels), grid, order, steps)]
    # All orders begin and end alike, and one network's pictures are best asked about together.
    distinct = {mask.tobytes(): mask for mask in masks}
    at = {key: i for i, key in enumerate(distinct)}
    pictures = np.stack([np.where(mask[..., None], np.uint8(0), pixels) for mask in distinct.values()])
    rows = predictor.predict_arrays(pictures)
    curves = []
    for i, (name, order) in enumerate(zip(ORDERS, orders, strict=True)):
        own = masks[i * (steps + 1) : (i + 1) * (steps + 1)]
        shares = [float(mask.mean()) for mask in own]
        curves.append(_curve(name, order, shares, rows[[at[mask.tobytes()] for mask in own]], index))
    return Dose(index, grid, steps, tuple(curves))


def evidence_of(activation: Array, grid: int = GRID) -> Array:
    """Class activation maps (classes, h, w), from ``maps.class_activation`` -> (grid, grid, classes), bilinear."""
    return np.stack([grids.bilinear(one, grid) for one in activation], axis=-1)


def orders_of(evidence: Array) -> list[list[int]]:
    """The cells in each of ORDERS, from how much each speaks for the class, (grid, grid)."""
    most = np.argsort(-evidence.reshape(-1), kind="stable").tolist()
    return [most, most[::-1], np.random.default_rng(SEED).permutation(len(most)).tolist()]


def _masks(size: int, grid: int, order: Sequence[int], steps: int) -> list[NDArray[np.bool_]]:
    counts = [(2 * step * len(order) + steps) // (2 * steps) for step in range(steps + 1)]
    return [grids.mask(size, grid, order[:count]) for count in counts]


def _curve(name: str, order: Sequence[int], shares: Sequence[float], rows: Array, index: int) -> Curve:
    own = rows[:, index].astype(np.float64)
    best = rows.argmax(-1)
    return Curve(
        name,
        tuple(order),
        tuple(shares),
        tuple(own.tolist()),
        tuple(best.tolist()),
        tuple(rows.max(-1).astype(np.float64).tolist()),
        float(np.trapezoid(own, shares)),
    )
