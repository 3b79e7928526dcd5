"""Files of weights without what is said twice in them: no bit is lost, a float16 file becomes some 13% smaller.

The upper byte of a float16 holds sign, exponent and two bits of the fraction, and most weights of a network are of
a like size: these bytes compress to some 74%. The lower bytes are noise and stay as they are. Keeping the two apart
before compressing is what HDF5 and Blosc call the shuffle filter.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<4sQ")
MAGIC = b"CVP1"
BLOCK = 1 << 20
"""Compressed bytes that are taken at once."""


def pack(content: bytes) -> bytes:
    """Any bytes, best those of float16 in little-endian order -> fewer bytes, which ``unpack`` turns back."""
    octets = np.frombuffer(content, np.uint8)
    upper = zlib.compress(octets[1::2].tobytes(), 9)
    return HEADER.pack(MAGIC, len(upper)) + upper + octets[::2].tobytes()


def unpack(packed: bytes) -> NDArray[np.uint8]:
    """What ``pack`` was given, as uint8 (bytes,). Raises ValueError when these are not packed bytes, or not all."""
    return np.concatenate([np.empty(0, np.uint8), *blocks(io.BytesIO(packed))])


def blocks(file: IO[bytes]) -> Iterator[NDArray[np.uint8]]:
    """What ``pack`` was given, piece by piece as uint8 (bytes,), from a file that can seek and stands at its start.

    Only a few MB are in memory at once. Raises ValueError when these are not packed bytes, or not all; what came
    before is then of no use either.
    """
    header = file.read(HEADER.size)
    if len(header) < HEADER.size or header[: len(MAGIC)] != MAGIC:
        raise ValueError("these are not packed weights")
    _magic, length = HEADER.unpack(header)
    upper_at, lower_at, end = HEADER.size, HEADER.size + length, HEADER.size + length
    decompressor = zlib.decompressobj()
    while not decompressor.eof:
        file.seek(upper_at)
        compressed = file.read(min(BLOCK, end - upper_at))
        upper_at += len(compressed)
        if not compressed:
            raise ValueError("the packed weights are damaged: their first half ends too early")
        try:
            upper = np.frombuffer(decompressor.decompress(compressed), np.uint8)
        except zlib.error as error:
            raise ValueError(f"the packed weights are damaged: {error}") from error
        file.seek(lower_at)
        lower = np.frombuffer(file.read(len(upper)), np.uint8)
        lower_at += len(lower)
        if len(lower) < len(upper):
            raise ValueError("the packed weights are not whole")
        content = np.empty(2 * len(upper), np.uint8)
        content[1::2], content[::2] = upper, lower
        yield content
    file.seek(lower_at)
    rest = file.read(2)
    if len(rest) > 1:
        raise ValueError("the packed weights are not whole")
    # An odd number of bytes has one lower byte more than upper ones.
    yield np.frombuffer(rest, np.uint8)
