"""Pictures that belong to none of the classes: textures, noise, text and drawings, all painted by formula.

For measuring the score of ``ml.outside``. Each kind has two families of painters that have none in common: the
method is chosen on the ``development`` family, and figures are reported on the ``test`` family, so that nothing is
tuned on what is reported. Pictures are as large as photographs and go through the network's own preprocessing.
The same seed gives the same pictures.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.outlier_drawings import DRAWINGS, TEXT
from ml.outlier_fields import NOISE, TEXTURES, Painter
from ml.preprocessing import Preprocessing, to_input

PAINTERS: dict[str, dict[str, tuple[Painter, ...]]] = {
    "textures": TEXTURES,
    "noise": NOISE,
    "text": TEXT,
    "drawings": DRAWINGS,
}
KINDS = tuple(PAINTERS)
FAMILIES = ("development", "test")
SHAPES = ((1, 1), (4, 3), (3, 4), (3, 2), (2, 3), (16, 9))


def pictures(kind: str, family: str, count: int, *, seed: int = 0) -> Iterator[Image.Image]:
    """``count`` RGB pictures with shorter sides of 200 to 400 pixels, each painter in turn.

    Half of them have been through JPEG, as uploads have. kind: one of KINDS; family: one of FAMILIES, otherwise
    ValueError. A picture depends on kind, family, seed and its place alone, not on ``count``.
    """
    if kind not in KINDS or family not in FAMILIES:
        raise ValueError(
            f"kind must be one of {KINDS} and family one of {FAMILIES}, not {kind!r}, {family!r}"
        )
    painters = PAINTERS[kind][family]
    for i in range(count):
        rng = np.random.default_rng((seed, KINDS.index(kind), FAMILIES.index(family), i))
        wide, high = SHAPES[int(rng.integers(len(SHAPES)))]
        unit = rng.uniform(200, 400) / min(wide, high)
        picture = painters[i % len(painters)](rng, (round(wide * unit), round(high * unit)))
        yield _through_jpeg(picture, int(rng.integers(40, 96))) if rng.random() < 0.5 else picture


def _through_jpeg(picture: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def inputs(kind: str, family: str, count: int, how: Preprocessing, *, seed: int = 0) -> NDArray[np.uint8]:
    """``pictures`` as a network sees them: uint8 (count, size, size, 3), RGB."""
    out = np.empty((count, how.size, how.size, 3), np.uint8)
    for i, picture in enumerate(pictures(kind, family, count, seed=seed)):
        out[i] = to_input(picture, how)
    return out
