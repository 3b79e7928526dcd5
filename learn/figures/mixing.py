"""Two pictures in one, as CutMix joins them (S. Yun and others, 2019): the rectangle and its share.

static/js/laboratory/cutmix-model.js computes the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.utils.formats import number_format

ALPHAS = (0.5, 1.0, 2.0, 4.0)
"""Of the distribution Beta(alpha, alpha), from which lambda is drawn."""
PUBLISHED = 1.0
"""Every share is as likely as any other: what the paper uses for CIFAR-100 and ImageNet."""

WIDE, HIGH = 240, 72
STEPS = 48
TOP = 2.5
"""The density at the top of the drawing; what is higher is cut off."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, all of it inside the picture."""

    y: int
    x: int
    height: int
    width: int

    @property
    def area(self) -> int:
        return self.height * self.width

    def to_list(self) -> list[int]:
        return [self.y, self.x, self.height, self.width]

    def scaled(self, size: int, to: int) -> Box:
        """The same rectangle on a picture of ``to`` pixels instead of ``size``; it keeps at least one."""
        y, x = (round(one * to / size) for one in (self.y, self.x))
        height = max(1, round((self.y + self.height) * to / size) - y)
        width = max(1, round((self.x + self.width) * to / size) - x)
        return Box(min(y, to - 1), min(x, to - 1), height, width)


def middle(size: int) -> Box:
    """A quarter of the picture, in its middle."""
    return Box(size // 4, size // 4, size // 2, size // 2)


def inside(numbers: list[int], size: int) -> Box:
    """The nearest rectangle to [y, x, height, width] that lies inside a picture of this size."""
    height, width = (min(size, max(1, one)) for one in numbers[2:])
    y, x = (min(size - side, max(0, one)) for one, side in zip(numbers[:2], (height, width), strict=True))
    return Box(y, x, height, width)


def density(alpha: float, share: float) -> float:
    """Of Beta(alpha, alpha) at ``share`` (0 to 1, both excluded where alpha is below 1)."""
    whole = math.gamma(2 * alpha) / math.gamma(alpha) ** 2
    return float(whole * (share * (1 - share)) ** (alpha - 1))


def density_line(alpha: float) -> str:
    """Points of an SVG polyline in WIDE x HIGH units."""
    points = []
    for step in range(STEPS + 1):
        share = min(0.995, max(0.005, step / STEPS))
        high = min(1.0, density(alpha, share) / TOP)
        points.append(f"{WIDE * step / STEPS:g},{HIGH * (1 - high):.1f}")
    return " ".join(points)


def axes() -> dict[str, list[tuple[float, str]]]:
    """Where the drawing of densities has ticks, and what is written there: ``across`` shares, ``up`` densities."""
    return {
        "across": [(WIDE * share, number_format(share)) for share in (0, 0.25, 0.5, 0.75, 1)],
        "up": [(HIGH * (1 - one / TOP), number_format(one)) for one in (0, 1, 2)],
    }
