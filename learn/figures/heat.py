"""A heat map as an SVG drawing and a table: for readers without scripts, and for those who hear it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from ml.explain import sheets

SIDE = 320
ROOM = 34
"""Units that a cell needs to hold its number."""

NEGLIGIBLE = 1 / 20
"""Of the largest change."""

FLAT = 1e-5
"""What a network computes twice differs by less than this, of the larger of the values and 1."""

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Scale:
    """From black at ``low`` to white at ``high``; ``diverging`` from red below zero over white to blue."""

    low: float
    high: float
    diverging: bool

    @property
    def digits(self) -> int:
        """Digits after the point that tell the values apart."""
        reach = max(abs(self.low), abs(self.high))
        return min(5, max(1, 1 - math.floor(math.log10(reach)))) if reach > 0 else 1

    def colour(self, value: float) -> str:
        if self.diverging:
            step = sheets.quantise(np.array([value], np.float32), self.high)[0]
            red, green, blue = sheets.palette()[step]
        else:
            span = self.high - self.low
            share = (value - self.low) / span if span > 0 else 0.5
            red = green = blue = round(255 * min(1.0, max(0.0, share)))
        return f"#{red:02x}{green:02x}{blue:02x}"

    def write(self, value: float) -> str:
        text = decimal(value, self.digits)
        return f"+{text}" if self.diverging and value > 0 else text


def scale_of(maps: Sequence[NDArray[Any]], *, diverging: bool) -> Scale:
    """One scale for all maps that stand side by side."""
    low, high = min(float(one.min()) for one in maps), max(float(one.max()) for one in maps)
    if not diverging:
        return Scale(low, high, diverging)
    reach = max(abs(low), abs(high)) or 1.0
    return Scale(-reach, reach, diverging)


def decimal(value: float, digits: int) -> str:
    """With a true minus sign, and none before what is written as zero."""
    text = number_format(round(abs(float(value)), digits) + 0.0, digits)
    return MINUS + text if round(float(value), digits) < 0 else text


def is_flat(values: NDArray[Any]) -> bool:
    """Whether every place says the same."""
    low, high = float(values.min()), float(values.max())
    return high - low <= FLAT * max(1.0, abs(low), abs(high))


def cell_name(cell: int, shape: tuple[int, int]) -> str:
    """ "row 3, column 4 of 8 (middle)" of a cell counted row by row from 0."""
    height, width = shape
    row, column = divmod(cell, width)
    words = (
        (_("top left"), _("top"), _("top right")),
        (_("left"), _("middle"), _("right")),
        (_("bottom left"), _("bottom"), _("bottom right")),
    )
    where = words[min(2, 3 * (2 * row + 1) // (2 * height))][min(2, 3 * (2 * column + 1) // (2 * width))]
    return _("row %(row)s, column %(column)s of %(count)s (%(where)s)") % {
        "row": row + 1,
        "column": column + 1,
        "count": width,
        "where": where,
    }


def drawing(values: NDArray[Any], scale: Scale, *, hatches: bool) -> dict[str, Any]:
    """Rectangles of SIDE x SIDE units for ``values`` (h, w), with their numbers where there is room for them."""
    height, width = values.shape
    wide, high = SIDE / width, SIDE / height
    cells = [
        {
            "x": _length(column * wide),
            "y": _length(row * high),
            "width": _length(wide),
            "height": _length(high),
            "middle": _length((column + 0.5) * wide),
            "base": _length((row + 0.5) * high + 4),
            "colour": scale.colour(values[row, column]),
            "text": scale.write(float(values[row, column])),
            "hatched": hatches and abs(float(values[row, column])) < NEGLIGIBLE * scale.high,
        }
        for row in range(height)
        for column in range(width)
    ]
    return {"cells": cells, "numbers": wide >= ROOM, "side": SIDE}


def table(values: NDArray[Any], scale: Scale, most: int = 8) -> list[list[str]]:
    """The map row by row as text; nothing for one that is too wide to be read."""
    if values.shape[1] > most:
        return []
    return [[scale.write(float(value)) for value in row] for row in values]


def placed(box: Sequence[float] | None) -> dict[str, str]:
    """Where a whole picture lies so that its ``box`` (x, y, width, height in fractions) fills the drawing."""
    x, y, width, height = box or (0.0, 0.0, 1.0, 1.0)
    return {
        "x": _length(-SIDE * x / width),
        "y": _length(-SIDE * y / height),
        "width": _length(SIDE / width),
        "height": _length(SIDE / height),
    }


def _length(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
