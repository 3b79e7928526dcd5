"""Files of weights without what is said twice in them: no bit is lost, a float16 file becomes some 13% smaller.

The upper byte of a float16 holds sign, exponent and two bits of the fraction, and most weights of a network are of
a like size: these bytes compress to some 74%. The lower bytes are noise and stay as they are. Keeping the two apart
before compressing is what HDF5 and Blosc call the shuffle filter.
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct("<4sQ")
MAGIC = b"CVP1"


def pack(content: bytes) -> bytes:
    """Any bytes, best those of float16 in little-endian order -> fewer bytes, which ``unpack`` turns back."""
    octets = np.frombuffer(content, np.uint8)
    upper = zlib.compress(octets[1::2].tobytes(), 9)
    return HEADER.pack(MAGIC, len(upper)) + upper + octets[::2].tobytes()


def unpack(packed: bytes) -> NDArray[np.uint8]:
    """What ``pack`` was given, as uint8 (bytes,). Raises ValueError when these are not packed bytes, or not all."""
    if len(packed) < HEADER.size or packed[: len(MAGIC)] != MAGIC:
        raise ValueError("these are not packed weights")
    _magic, length = HEADER.unpack_from(packed)
    start = HEADER.size + length
    try:
        upper = np.frombuffer(zlib.decompress(packed[HEADER.size : start]), np.uint8)
    except zlib.error as error:
        raise ValueError(f"the packed weights are damaged: {error}") from error
    lower = np.frombuffer(packed, np.uint8, offset=start) if start < len(packed) else np.empty(0, np.uint8)
    if len(lower) - len(upper) not in (0, 1):
        raise ValueError("the packed weights are not whole")
    content = np.empty(len(upper) + len(lower), np.uint8)
    content[1::2], content[::2] = upper, lower
    return content
