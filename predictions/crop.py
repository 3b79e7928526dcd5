"""The square of a picture that goes into the networks: kept as fractions of the upright picture, like the bars.

A box is a square of whole pixels of the picture it was placed on. What is stored is what was cut out: numbers that are
nearly right (a program rounded them, or took them from a larger version of the same picture) are moved to the
nearest pixels first. Bars are painted before the cut, on the whole picture.
"""

from __future__ import annotations

import json
import math
from typing import Any, Literal, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import Image

from ml.placement import default_box

MAX_TEXT = 1000
GRID = 1_000_000
OUTSIDE = 1e-6
# How unlike the sides may be: in pixels of the picture, and as a share of the longer one.
TOLERANCE_PIXELS = 2.0
TOLERANCE_SHARE = 0.02

AUTO: Literal["auto"] = "auto"


class Crop(NamedTuple):
    """A part of a picture in fractions of its width and height, from its top left corner."""

    x: float
    y: float
    width: float
    height: float


WHOLE = Crop(0.0, 0.0, 1.0, 1.0)
# A box, or where to put one. None leaves it to each network's own preprocessing.
Wanted = Crop | Literal["auto"] | None


class CropInvalid(Exception):
    """A box that cannot be used, with a sentence that says what is wrong with it."""

    def __init__(self, message: str | Promise) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


def parse_crop(value: Any) -> Crop | Literal["auto"]:
    """What a form or a program asks for: "auto" (also None and ""), "whole", or [x, y, width, height] as JSON.

    Raises CropInvalid. Whether the box is square can only be said with a picture: see ``fitted``.
    """
    if value is None or value in ("", AUTO):
        return AUTO
    if value == "whole":
        return WHOLE
    if isinstance(value, str | bytes):
        value = _parse_json(value)
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise CropInvalid(_("The box must be four numbers, [x, y, width, height], or “auto” or “whole”."))
    if any(isinstance(part, bool) or not isinstance(part, int | float) for part in value):
        raise CropInvalid(_("The box must be four numbers, [x, y, width, height], or “auto” or “whole”."))
    # Compared as they are: an integer may be too large to become a float, but not to be compared with one.
    if not all(-GRID <= part <= GRID and math.isfinite(part) for part in value):
        raise CropInvalid(_("The box has a number that is not between 0 and 1."))
    crop = Crop(*map(float, value))
    if not (0 <= crop.x <= 1 and 0 <= crop.y <= 1):
        raise CropInvalid(_("The box starts outside the picture. Its x and y must be between 0 and 1."))
    if not (crop.width > 0 and crop.height > 0):
        raise CropInvalid(_("The box has no area. Its width and height must be above 0."))
    if crop.x + crop.width > 1 + OUTSIDE or crop.y + crop.height > 1 + OUTSIDE:
        raise CropInvalid(_("The box reaches outside the picture. Keep x + width and y + height within 1."))
    return crop


def fitted(crop: Crop, width: int, height: int) -> Crop:
    """The box on a picture of that size, moved to its pixels and exactly square there.

    The whole picture may be asked for whatever its shape. Raises CropInvalid for any other box that is not square.
    """
    if crop == WHOLE:
        return WHOLE
    across, down = crop.width * width, crop.height * height
    if abs(across - down) > max(TOLERANCE_PIXELS, TOLERANCE_SHARE * max(across, down)):
        raise CropInvalid(
            _(
                "The box is not square on this picture of %(width)d × %(height)d pixels: it would be "
                "%(across)d × %(down)d. Send another one, or “auto” or “whole”."
            )
            % {"width": width, "height": height, "across": round(across), "down": round(down)}
        )
    side = max(1, min(round((across + down) / 2), width, height))
    left = min(round(crop.x * width), width - side)
    top = min(round(crop.y * height), height - side)
    if side == width == height:
        return WHOLE
    return Crop(*(round(part * GRID) / GRID for part in _fractions(left, top, side, width, height)))


def placed(picture: Image.Image) -> Crop:
    """Where the box stands first on this picture; a square picture goes in whole."""
    if picture.width == picture.height:
        return WHOLE
    return fitted(Crop(*default_box(picture)), picture.width, picture.height)


def side_in_pixels(crop: Crop, width: int, height: int) -> int:
    """The shorter side of what is cut out, in pixels of a picture of that size."""
    return min(round(crop.width * width), round(crop.height * height))


def stored(value: Any) -> Crop | None:
    """The box of a row; None where the network's own preprocessing decided."""
    return Crop(*value) if value else None


def canonical_crop(crop: Crop | None) -> list[float] | None:
    """The box as it is stored and shown: four numbers with at most six decimals, or None."""
    return crop and [round(part * GRID) / GRID for part in crop]


def crop_key(crop: Crop | None) -> str:
    """A short name of the box for the rows of network inputs; empty for None."""
    return "-".join(str(round(part * GRID)) for part in crop) if crop else ""


def _fractions(left: int, top: int, side: int, width: int, height: int) -> tuple[float, float, float, float]:
    return left / width, top / height, side / width, side / height


def _parse_json(text: str | bytes) -> Any:
    if len(text) > MAX_TEXT:
        raise CropInvalid(_("The box is too long. It is four numbers: x, y, width, height."))
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CropInvalid(
            _("The box is not readable. Send [x, y, width, height] as JSON, or “auto” or “whole”.")
        ) from error
