"""How a picture looks, in 64 bits that survive saving it anew: for finding again what moderators removed.

After C. Zauner, "Implementation and Benchmarking of Perceptual Image Hash Functions" (2010), DCT-based: a small grey
picture, its cosine transform (DCT-II), and of the lowest frequencies whether each is above their median. Here the
frequencies are the 64 lowest in JPEG's zigzag order without the mean, and shrinking with a filter stands for the
blurring before it. Figures: docs/decisions/0019.

Turned, mirrored or cropped pictures are others. A hash can collide: whoever compares must only ever ask a person.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from predictions.decoding import GREY_SIDE, grey

BITS = 64
# Saving anew at quality 60 and shrinking to half moves at most so many bits; different pictures differ in far more.
NEAR = 4
# A frequency weaker than this, in steps of grey times GREY_SIDE / 2, is no more than what saving anew adds.
FAINT = 4.0
# With fewer frequencies above it a picture has nothing to be told by: one colour, a plain gradient, stripes.
LEAST = 20


def _frequencies() -> list[tuple[int, int]]:
    """(row, column) of the BITS lowest frequencies but the mean, in zigzag order."""
    plane = [(i, j) for i in range(GREY_SIDE) for j in range(GREY_SIDE) if i or j]
    return sorted(plane, key=lambda at: (sum(at), at[0] if sum(at) % 2 else at[1]))[:BITS]


def _cosines() -> NDArray[np.float64]:
    """The orthonormal DCT-II of GREY_SIDE values: float64 (frequencies, GREY_SIDE), of the frequencies used."""
    k = np.arange(1 + max(max(at) for at in FREQUENCIES))[:, None]
    x = np.arange(GREY_SIDE)[None]
    rows = np.sqrt(2 / GREY_SIDE) * np.cos(np.pi * (2 * x + 1) * k / (2 * GREY_SIDE))
    rows[0] /= np.sqrt(2)
    made: NDArray[np.float64] = rows
    return made


FREQUENCIES = _frequencies()
COSINES = _cosines()


def fingerprint(picture: Image.Image) -> str:
    """16 hexadecimal digits; empty for a picture that has nothing to be told by."""
    return of_grey(grey(picture))


def of_grey(levels: bytes) -> str:
    """As ``fingerprint``, of what ``decoding.grey`` made of the picture: GREY_SIDE x GREY_SIDE bytes, 0 to 255.

    Empty as well for anything that is not of this length.
    """
    if len(levels) != GREY_SIDE**2:
        return ""
    small = np.frombuffer(levels, np.uint8).reshape(GREY_SIDE, GREY_SIDE).astype(np.float64)
    plane = COSINES @ small @ COSINES.T
    values = np.array([plane[at] for at in FREQUENCIES])
    if np.count_nonzero(np.abs(values) > FAINT) < LEAST:
        return ""
    # Of an even number of values the median lies between the two in the middle: half of the bits are set.
    return np.packbits(values > np.median(values)).tobytes().hex()


def alike(some: Iterable[str], known: Iterable[str]) -> set[str]:
    """Those of ``some`` fingerprints that differ from one of ``known`` in at most NEAR bits. Empty ones never do."""
    asked = sorted({mark for mark in some if mark})
    there = _numbers(known)
    if not asked or not len(there):
        return set()
    # One row at a time: both lists may be long.
    return {
        mark
        for mark, number in zip(asked, _numbers(asked), strict=True)
        if (np.bitwise_count(there ^ number) <= NEAR).any()
    }


def _numbers(marks: Iterable[str]) -> NDArray[Any]:
    """uint64 (n,)"""
    return np.array([int(mark, 16) for mark in marks if mark], np.uint64)
