"""Black bars: kept as fractions of the upright picture, applied here and nowhere else.

A bar's numbers stand on a grid of millionths, and from there to pixels everything is whole-number
arithmetic: left and top edges are rounded down, right and bottom edges up. So a bar always covers at least
one pixel, what is stored is what was applied, and the same bars on the same picture give the same pixels on
every machine.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from PIL import Image

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise as StrPromise

MAX_BARS = 32
MAX_TEXT = 10_000
GRID = 1_000_000
TOLERANCE = 1e-6


class Bar(NamedTuple):
    """A rectangle in fractions of the picture's width and height, from its top left corner."""

    x: float
    y: float
    width: float
    height: float


class BarsInvalid(Exception):
    """Bars that cannot be used, with a sentence that says what is wrong with them."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


def parse_bars(value: Any) -> tuple[Bar, ...]:
    """The bars in a JSON text or a list, rounded to the grid; none for None, "" and []."""
    if value is None or value == "":
        return ()
    if isinstance(value, str | bytes):
        value = _parse_json(value)
    if not isinstance(value, list | tuple):
        raise BarsInvalid(_("The bars must be a list of [x, y, width, height]."))
    if len(value) > MAX_BARS:
        raise BarsInvalid(_("There may be at most 32 bars. Remove some of them."))
    return tuple(_parse_bar(number, entry) for number, entry in enumerate(value, start=1))


def canonical(bars: Iterable[Bar]) -> list[list[float]]:
    """The bars as they are stored and shown: lists of four numbers with at most six decimals."""
    return [[edge / GRID for edge in _on_grid(bar)] for bar in bars]


def apply_bars(image: Image.Image, bars: Iterable[Bar]) -> Image.Image:
    """A new RGB picture with the bars in black; the one given stays as it is."""
    covered = image.convert("RGB")
    for bar in bars:
        covered.paste((0, 0, 0), pixel_box(bar, covered.width, covered.height))
    return covered


def pixel_box(bar: Bar, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom (the last two exclusive) of a bar on a picture of that size."""
    x, y, across, down = _on_grid(bar)
    return (
        x * width // GRID,
        y * height // GRID,
        -(-(x + across) * width // GRID),
        -(-(y + down) * height // GRID),
    )


def covered_share(bars: Iterable[Bar]) -> float:
    """The share of the picture under bars, 0 to 1; where bars overlap it counts once."""
    boxes = [(x, y, x + across, y + down) for x, y, across, down in map(_on_grid, bars)]
    columns = sorted({edge for box in boxes for edge in (box[0], box[2])})
    area = 0
    for left, right in pairwise(columns):
        reached = 0
        for top, bottom in sorted((box[1], box[3]) for box in boxes if box[0] <= left and box[2] >= right):
            area += (right - left) * max(0, bottom - max(top, reached))
            reached = max(reached, bottom)
    return area / GRID**2


def _parse_json(text: str | bytes) -> Any:
    unreadable = BarsInvalid(_("The bars are not readable. Each must be four numbers: x, y, width, height."))
    if len(text) > MAX_TEXT:
        raise BarsInvalid(_("The list of bars is too long. There may be at most 32 bars."))
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise unreadable from error


def _parse_bar(number: int, entry: Any) -> Bar:
    if not isinstance(entry, list | tuple) or len(entry) != 4:
        raise _invalid(_("Bar {number} must be four numbers: x, y, width, height."), number)
    if any(isinstance(part, bool) or not isinstance(part, int | float) for part in entry):
        raise _invalid(_("Bar {number} must be four numbers: x, y, width, height."), number)
    # Compared as they are: an integer may be too large to become a float, but not to be compared with one.
    if not all(-GRID <= part <= GRID and math.isfinite(part) for part in entry):
        raise _invalid(_("Bar {number} has a number that is not between 0 and 1."), number)
    x, y, width, height = map(float, entry)
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise _invalid(
            _("Bar {number} starts outside the picture. Its x and y must be between 0 and 1."), number
        )
    if not (width > 0 and height > 0):
        raise _invalid(_("Bar {number} has no area. Its width and height must be above 0."), number)
    if x + width > 1 + TOLERANCE or y + height > 1 + TOLERANCE:
        raise _invalid(
            _("Bar {number} reaches outside the picture. Keep x + width and y + height within 1."), number
        )
    return Bar(*(edge / GRID for edge in _on_grid(Bar(x, y, width, height))))


def _invalid(sentence: StrPromise, number: int) -> BarsInvalid:
    return BarsInvalid(format_lazy(sentence, number=number))


def _on_grid(bar: Bar) -> tuple[int, int, int, int]:
    x, width = _span(bar.x, bar.width)
    y, height = _span(bar.y, bar.height)
    return x, y, width, height


def _span(start: float, length: float) -> tuple[int, int]:
    """Start and length in millionths: at least one long, and inside the picture."""
    first = min(round(start * GRID), GRID - 1)
    return first, max(1, min(round(length * GRID), GRID - first))
