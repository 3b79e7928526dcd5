"""Feature maps as small pictures: red below zero, white at zero, blue above, many maps on one sheet.

A sheet is a palette PNG of ours: no filter, one byte a pixel, whose index is the value in LEVELS steps of the
sheet's scale either way. So a page shows it as it is, and a script reads the values back from it, to a 254th of
the scale, without asking for the tensors.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

LEVELS = 127
ZERO = LEVELS
GAP = 255
"""Index of what lies between two maps; it is transparent."""

COLUMNS = 16
"""Maps in a row of a full sheet: 16 of them can still be told apart on a telephone."""

# RdBu of ColorBrewer (Harrower and Brewer, 2003) in eleven steps, its middle pure white: zero is no colour at all.
RED_TO_BLUE = (
    (103, 0, 31),
    (178, 24, 43),
    (214, 96, 77),
    (244, 165, 130),
    (253, 219, 199),
    (255, 255, 255),
    (209, 229, 240),
    (146, 197, 222),
    (67, 147, 195),
    (33, 102, 172),
    (5, 48, 97),
)


@cache
def palette() -> NDArray[np.uint8]:
    """uint8 (256, 3): the colour of every index, from -LEVELS at 0 over white at ZERO to +LEVELS at 254."""
    places = np.linspace(0, 2 * LEVELS, len(RED_TO_BLUE))
    colours = [
        np.interp(np.arange(2 * LEVELS + 1), places, channel) for channel in zip(*RED_TO_BLUE, strict=True)
    ]
    table = np.full((256, 3), 255, np.uint8)
    table[: 2 * LEVELS + 1] = np.floor(np.stack(colours, axis=1) + 0.5)
    return table


def quantise(values: NDArray[np.float32], scale: float) -> NDArray[np.uint8]:
    """float32 values of any shape -> uint8 indices 0..254 of the same shape; beyond ``scale`` they stay at the end.

    scale: above 0, in the units of the values.
    """
    steps = np.multiply(values, np.float32(LEVELS / scale))
    np.clip(steps, -LEVELS, LEVELS, out=steps)
    # Truncation of a positive number is the quickest rounding there is.
    steps += np.float32(ZERO + 0.5)
    return steps.astype(np.uint8)


def grid(maps: NDArray[np.uint8], columns: int = COLUMNS) -> NDArray[np.uint8]:
    """Indices (c, h, w) -> one sheet (rows * (h + 1) - 1, columns * (w + 1) - 1), row by row, GAP in between.

    Never wider than there are maps. Raises ValueError for no maps or no columns.
    """
    count, height, width = maps.shape
    columns = min(columns, count)
    if columns < 1:
        raise ValueError("a sheet needs a map and a column")
    rows = -(-count // columns)
    cells = np.full((rows * columns, height + 1, width + 1), GAP, np.uint8)
    cells[:count, :height, :width] = maps
    sheet = cells.reshape(rows, columns, height + 1, width + 1).transpose(0, 2, 1, 3)
    return sheet.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]


def stack(rows: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Rows of maps, each (c, h, w) of one shape, below one another as one sheet of c columns."""
    return grid(np.concatenate(rows), columns=len(rows[0]))


def png(indices: NDArray[np.uint8]) -> bytes:
    """Indices (h, w) as a palette PNG (ISO/IEC 15948). Raises ValueError for an empty picture.

    Compressed by run lengths: twice as quick as looking for repetitions, which feature maps do not have.
    """
    return _png(indices, 3, (b"PLTE", palette().tobytes()), (b"tRNS", bytes([255] * GAP + [0])))


def photograph(pixels: NDArray[np.uint8]) -> bytes:
    """uint8 pixels (h, w, 3), RGB, as a PNG. Raises ValueError for an empty picture."""
    return _png(pixels.reshape(len(pixels), -1), 2)


def _png(lines: NDArray[np.uint8], colour_type: int, *extra: tuple[bytes, bytes]) -> bytes:
    if not lines.size:
        raise ValueError("a picture needs a pixel")
    height, width = lines.shape
    unfiltered = np.zeros((height, width + 1), np.uint8)
    unfiltered[:, 1:] = lines
    packer = zlib.compressobj(1, zlib.DEFLATED, strategy=zlib.Z_RLE)
    content = packer.compress(unfiltered.tobytes()) + packer.flush()
    header = struct.pack(
        ">IIBBBBB", width if colour_type == 3 else width // 3, height, 8, colour_type, 0, 0, 0
    )
    chunks = ((b"IHDR", header), *extra, (b"IDAT", content), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
