"""Where the square that a network sees is offered first.

A network sees a square, a photograph is none, and its subject rarely fills it. What is in focus and in the way of
the eye has edges, so the square is put where the most edges are, and it is as small as pays.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Box = tuple[float, float, float, float]
"""x, y, width, height in fractions 0..1 of the upright picture, from its top left corner; square in pixels."""

THUMBNAIL = 64
SIDES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
CROWDING = 0.7
SQUARE = 1.05


def default_box(image: Image.Image) -> Box:
    """The square to offer first: (x, y, width, height), fractions of ``image``, square in its pixels.

    ``image`` is any PIL picture of at least 1 x 1, upright. A picture that is square or nearly (sides within
    SQUARE of each other) has been framed by somebody and is taken as large as it goes, from its middle. Else:

    1. Shrink the picture to a thumbnail whose long side is THUMBNAIL pixels and whose short side is
       ``floor(THUMBNAIL * short / long + 0.5)``, at least 1, every pixel the mean of what it covers.
    2. The energy of a thumbnail's pixel is the sum over red, green and blue of |right - left| + |below - above|,
       of its neighbours' values 0..255; a difference that would need a neighbour outside is 0.
    3. For every side of SIDES, in this order, the square has ``n = floor(side * short + 0.5)`` pixels, at least 1,
       where ``short`` is the thumbnail's short side. It stands at every place where it fits, from top to
       bottom and from left to right in each row.
    4. Its score is ``energy inside / (n / short) ** CROWDING * (1 - d)``, where d is the squared distance between
       the middles of the square and the thumbnail, both in fractions of its width and height: a mild pull towards
       the middle. The first of the best scores is taken. Without any energy it is the centred largest square.
    5. The answer's side in pixels of the picture is ``n / short`` of the picture's short side; its left and top
       edges are at the same fractions as the thumbnail's, moved inside by what rounding may push them out.

    CROWDING says how much a square must hold to be large: at 0 the largest always wins, at 2 the densest.
    Contrast as what draws the eye: Itti, Koch and Niebur, "A Model of Saliency-Based Visual Attention for Rapid
    Scene Analysis", 1998, section 2; of its maps this keeps one, at one scale. The constants were chosen on
    `ml.canvases` (docs/decisions/0010).
    """
    width, height = image.size
    short, long = min(width, height), max(width, height)
    if long <= short * SQUARE:
        return _square(width, height, 1.0, 0.5 - short / width / 2, 0.5 - short / height / 2)
    small = (_rounded(THUMBNAIL * width / long), _rounded(THUMBNAIL * height / long))
    rgb = image if image.mode == "RGB" else image.convert("RGB")
    place = _best(energy(np.asarray(rgb.resize(small, Image.Resampling.BOX), np.int64)))
    if place is None:
        return _square(width, height, 1.0, 0.5 - short / width / 2, 0.5 - short / height / 2)
    left, top, side = place
    return _square(width, height, side / min(small), left / small[0], top / small[1])


def energy(pixels: NDArray[np.int64]) -> NDArray[np.int64]:
    """(h, w, 3) values 0..255 -> (h, w): how much every pixel's neighbours differ across and down (step 2)."""
    found = np.zeros(pixels.shape[:2], np.int64)
    found[:, 1:-1] += np.abs(pixels[:, 2:] - pixels[:, :-2]).sum(-1)
    found[1:-1] += np.abs(pixels[2:] - pixels[:-2]).sum(-1)
    return found


def _best(values: NDArray[np.int64]) -> tuple[int, int, int] | None:
    """Left, top and side of the square with the best score (steps 3 and 4); None without energy."""
    height, width = values.shape
    sums = np.zeros((height + 1, width + 1), np.int64)
    sums[1:, 1:] = values.cumsum(0).cumsum(1)
    best, place = 0.0, None
    for side in SIDES:
        n = _rounded(side * min(height, width))
        inside = sums[n:, n:] - sums[:-n, n:] - sums[n:, :-n] + sums[:-n, :-n]
        down = (np.arange(height - n + 1) + n / 2) / height - 0.5
        across = (np.arange(width - n + 1) + n / 2) / width - 0.5
        pull = 1 - (down[:, None] ** 2 + across[None, :] ** 2)
        score = inside / (n / min(height, width)) ** CROWDING * pull
        top, left = divmod(int(score.argmax()), width - n + 1)
        if score[top, left] > best:
            best, place = float(score[top, left]), (left, top, n)
    return place


def _rounded(value: float) -> int:
    """Halves up, as JavaScript's Math.round does, and at least 1."""
    return max(1, int(value + 0.5))


def _square(width: int, height: int, share: float, x: float, y: float) -> Box:
    side = share * min(width, height)
    across, down = min(1.0, side / width), min(1.0, side / height)
    return min(max(0.0, x), 1 - across), min(max(0.0, y), 1 - down), across, down
