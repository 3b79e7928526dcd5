"""A kernel laid on one plane of a picture: the arithmetic of a convolution with stride, padding and dilation.

static/js/laboratory/kernel-model.js computes the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

SIDE = 3
LARGEST = 9.0
"""Weights go from minus this to this."""

STRIDES = (1, 2, 3, 4)
PADDINGS = (0, 1, 2, 3)
DILATIONS = (1, 2, 3)
PLANES: dict[str, str | Promise] = {
    "grey": _("brightness"),
    "red": _("red"),
    "green": _("green"),
    "blue": _("blue"),
}
BRIGHTNESS = np.array([0.299, 0.587, 0.114])
"""Of red, green and blue in brightness (ITU-R BT.601)."""

NINTH = 0.111
PRESETS: dict[str, tuple[str | Promise, tuple[float, ...]]] = {
    "identity": (_("leave it as it is"), (0, 0, 0, 0, 1, 0, 0, 0, 0)),
    "blur": (_("mean of the neighbours"), (NINTH,) * 9),
    "vertical": (_("vertical edges"), (1, 0, -1, 2, 0, -2, 1, 0, -1)),
    "all": (_("edges of any direction"), (-1, -1, -1, -1, 8, -1, -1, -1, -1)),
    "sharpen": (_("sharpen"), (0, -1, 0, -1, 5, -1, 0, -1, 0)),
    "emboss": (_("light from the upper left"), (2, 1, 0, 1, 1, -1, 0, -1, -2)),
}
FIRST = "vertical"


@dataclass(frozen=True)
class Settings:
    """Nine weights row by row, and how the kernel is moved."""

    weights: tuple[float, ...]
    stride: int = 1
    padding: int = 1
    dilation: int = 1

    @property
    def reach(self) -> int:
        """Rows that the kernel covers, gaps included."""
        return self.dilation * (SIDE - 1) + 1

    def rows(self, size: int) -> int:
        """Rows of what comes out of ``size`` rows (Dumoulin and Visin, 2016, relationship 15)."""
        return (size + 2 * self.padding - self.reach) // self.stride + 1


def plane(pixels: NDArray[np.uint8], name: str) -> NDArray[np.float64]:
    """One plane of uint8 (n, n, 3), 0..1: float64 (n, n)."""
    scaled = pixels.astype(np.float64) / 255
    if name == "grey":
        return np.asarray(scaled @ BRIGHTNESS)
    return np.asarray(scaled[..., list(PLANES).index(name) - 1])


def patch(values: NDArray[np.float64], settings: Settings, row: int, column: int) -> NDArray[np.float64]:
    """What lies under the kernel at a place of the output, (3, 3); zero outside."""
    padded = np.pad(values, settings.padding)
    top, left = row * settings.stride, column * settings.stride
    step, reach = settings.dilation, settings.reach
    return np.asarray(padded[top : top + reach : step, left : left + reach : step])


def convolve(values: NDArray[np.float64], settings: Settings) -> NDArray[np.float64]:
    """The sums at every place. Like the layers of networks it does not turn the kernel round (cross-correlation)."""
    size = settings.rows(len(values))
    weights = np.array(settings.weights).reshape(SIDE, SIDE)
    out = np.zeros((size, size))
    padded = np.pad(values, settings.padding)
    span = (size - 1) * settings.stride + 1
    for down in range(SIDE):
        for right in range(SIDE):
            top, left = down * settings.dilation, right * settings.dilation
            part = padded[top : top + span : settings.stride, left : left + span : settings.stride]
            out += weights[down, right] * part
    return out
