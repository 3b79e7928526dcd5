"""Picture -> network input: the one function that training, evaluation and serving share.

A network's card stores a ``Preprocessing``; nothing else decides how a picture is shrunk or normalised.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.placement import Box, default_box

CIFAR100_MEAN = (0.50707516, 0.48654887, 0.44091784)
CIFAR100_STD = (0.26733429, 0.25643846, 0.27615047)

SHAPES = ("stretch", "crop", "placed")
FILTERS = {
    "area": Image.Resampling.BOX,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@dataclass(frozen=True)
class Preprocessing:
    """How one network wants its pictures.

    size: side of the square input in pixels. shape: ``stretch`` squeezes the whole picture into the square,
    ``crop`` takes the largest centred square, ``placed`` the square of `ml.placement.default_box`; which answers
    best is measured in docs/decisions/0010. filter: a key of FILTERS, used when shrinking; enlarging is always
    bicubic. mean, std: per channel (RGB), of values in 0..1.
    """

    size: int
    shape: str = "stretch"
    filter: str = "area"
    mean: tuple[float, float, float] = CIFAR100_MEAN
    std: tuple[float, float, float] = CIFAR100_STD

    def __post_init__(self) -> None:
        if self.size < 1:
            raise ValueError("size must be at least 1")
        if self.shape not in SHAPES:
            raise ValueError(f"shape must be one of {SHAPES}, not {self.shape!r}")
        if self.filter not in FILTERS:
            raise ValueError(f"filter must be one of {tuple(FILTERS)}, not {self.filter!r}")
        if len(self.mean) != 3 or len(self.std) != 3 or min(self.std) <= 0:
            raise ValueError("mean and std need three values, std all above 0")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Preprocessing:
        values = dict(data)
        for name in ("mean", "std"):
            if name in values:
                values[name] = tuple(float(v) for v in values[name])
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def to_input(image: Image.Image, how: Preprocessing, box: Box | None = None) -> NDArray[np.uint8]:
    """The picture as the network sees it: uint8 array (size, size, 3), RGB, 0..255.

    ``image`` is any PIL picture of at least 1 x 1; it is converted to RGB. ``box`` is the part of it that is looked
    at, (x, y, width, height) in fractions 0..1, rounded to whole pixels; without it ``how.shape`` decides. What
    is not square is squeezed. A picture, or a part of one, that already has the network's size comes back pixel
    for pixel. Raises ValueError for a box with a number that is not finite, without area or not inside.
    """
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    part = _part(rgb, how, box)
    if part != (0, 0, *rgb.size):
        # Cut before shrinking, so that no filter reaches for what lies outside the box.
        rgb = rgb.crop(part)
    if rgb.size != (how.size, how.size):
        shrinking = rgb.width >= how.size and rgb.height >= how.size
        method = FILTERS[how.filter] if shrinking else Image.Resampling.BICUBIC
        rgb = rgb.resize((how.size, how.size), method)
    return np.asarray(rgb, dtype=np.uint8).copy()


def pixels_of(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom edge of ``box`` in whole pixels of a picture of that size; at least one pixel.

    Raises ValueError for a box with a number that is not finite, without area or reaching outside by more than
    a millionth.
    """
    x, y, across, down = box
    inside = min(x, y) >= 0 and max(x + across, y + down) <= 1 + 1e-6
    if not all(map(math.isfinite, box)) or min(across, down) <= 0 or not inside:
        raise ValueError(f"a box is (x, y, width, height) in fractions 0..1 of the picture, not {tuple(box)}")
    wide = min(width, max(1, round(across * width)))
    high = min(height, max(1, round(down * height)))
    left, top = min(round(x * width), width - wide), min(round(y * height), height - high)
    return left, top, left + wide, top + high


def _part(image: Image.Image, how: Preprocessing, box: Box | None) -> tuple[int, int, int, int]:
    width, height = image.size
    if box is not None:
        return pixels_of(box, width, height)
    if how.shape == "placed":
        return pixels_of(default_box(image), width, height)
    if how.shape == "crop":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        return left, top, left + side, top + side
    return 0, 0, width, height


def normalise(pixels: NDArray[np.uint8], how: Preprocessing) -> NDArray[np.float32]:
    """uint8 pictures (n, h, w, 3) in 0..255 -> float32 of the same shape, zero mean and unit deviation a channel.

    Raises ValueError for another dtype or another number of channels.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[-1] != 3:
        raise ValueError(f"expected uint8 (n, h, w, 3), got {pixels.dtype} {pixels.shape}")
    scale = np.float32(1.0) / (np.float32(255.0) * np.asarray(how.std, np.float32))
    shift = np.asarray(how.mean, np.float32) / np.asarray(how.std, np.float32)
    return np.asarray(pixels.astype(np.float32) * scale - shift, np.float32)
