"""Pictures that a user supplies, for ``python -m ml.outside``: a folder, a NumPy archive or SVHN's MATLAB file.

MATLAB's format before version 7.3 is read here as far as SVHN needs it (MathWorks, "MAT-File Format", level 5):
arrays of bytes, compressed or not. No pickle is ever loaded.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.data import DataError
from ml.preprocessing import Preprocessing, to_input

PICTURES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
NAMES = ("images", "X", "x_test", "data", "arr_0")
COMPRESSED, MATRIX, BYTES = 15, 14, 2


def read_all(paths: list[Path], how: Preprocessing, limit: int) -> dict[str, NDArray[np.uint8]]:
    """Every set under a name made of its path, each uint8 (n, size, size, 3), n at most ``limit``. Raises DataError."""
    if limit < 1:
        raise DataError(f"The limit must be at least 1, not {limit}.")
    return {_name(path): read(path, how, limit) for path in paths}


def _name(path: Path) -> str:
    whole = path.resolve()
    # OpenOOD calls several folders "test".
    return f"{whole.parent.name}/{whole.name}" if whole.name in ("test", "val", "images") else whole.stem


def read(path: Path, how: Preprocessing, limit: int) -> NDArray[np.uint8]:
    """The pictures of one set as a network sees them, evenly spread over the set when it has more than ``limit``.

    Raises DataError with a sentence for what is missing, damaged or not supported.
    """
    if path.is_dir():
        files = sorted(file for file in path.rglob("*") if file.suffix.lower() in PICTURES)
        pictures: Iterator[Image.Image] = map(_open, _spread(files, limit))
        count = min(len(files), limit)
    elif path.is_file():
        arrays = _pictures_of(path)
        chosen = _spread(range(len(arrays)), limit)
        pictures, count = (Image.fromarray(arrays[i]) for i in chosen), len(chosen)
    else:
        raise DataError(f"There is no {path}.")
    if not count:
        raise DataError(f"{path} holds no pictures ({' '.join(PICTURES)}).")
    out = np.empty((count, how.size, how.size, 3), np.uint8)
    for i, picture in enumerate(pictures):
        out[i] = to_input(picture, how)
    return out


def _spread(items: Sequence[Any], limit: int) -> list[Any]:
    return [items[i * len(items) // min(len(items), limit)] for i in range(min(len(items), limit))]


def _open(file: Path) -> Image.Image:
    try:
        with Image.open(file) as picture:
            return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{file} cannot be read as a picture: {error}.") from error


def _pictures_of(path: Path) -> NDArray[np.uint8]:
    """The array of pictures in a file: uint8 (n, height, width, 3), or (n, height, width) when grey."""
    suffix = path.suffix.lower()
    if suffix == ".npz":
        found = _from_archive(path)
    elif suffix == ".mat":
        found = {name: np.moveaxis(a, -1, 0) for name, a in _from_matlab(path).items() if a.ndim == 4}
    else:
        raise DataError(f"{path} is not supported: name a folder of pictures, an .npz or SVHN's .mat file.")
    fitting = {name: a for name, a in found.items() if a.ndim == 3 or (a.ndim == 4 and a.shape[-1] == 3)}
    for name in (*NAMES, *fitting):
        if name in fitting and len(fitting[name]) and min(fitting[name].shape[1:3]):
            return np.ascontiguousarray(fitting[name])
    raise DataError(
        f"{path} holds no pictures: it needs uint8 (n, height, width, 3), or without the 3 when grey."
    )


def _from_archive(path: Path) -> dict[str, NDArray[np.uint8]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except Exception as error:
        # Damaged archives raise nearly everything.
        raise DataError(f"{path} cannot be read as a NumPy archive: {error}.") from error
    return {name: array for name, array in arrays.items() if array.dtype == np.uint8}


def _from_matlab(path: Path) -> dict[str, NDArray[np.uint8]]:
    """Arrays of bytes by name, in MATLAB's order of dimensions."""
    raw = path.read_bytes()
    if raw[:8] == b"\x89HDF\r\n\x1a\n" or raw[512:516] == b"\x89HDF" or raw[124:128] != b"\x00\x01IM":
        raise DataError(f"{path} is not a MATLAB file before version 7.3: save it with -v7.")
    try:
        found: dict[str, NDArray[np.uint8]] = {}
        for kind, content in _elements(raw[128:]):
            inner = next(_elements(zlib.decompress(content))) if kind == COMPRESSED else (kind, content)
            if inner[0] == MATRIX:
                found |= _matrix(inner[1])
        return found
    except (struct.error, zlib.error, ValueError, StopIteration) as error:
        raise DataError(f"{path} is damaged: {error or 'it ends too early'}.") from error


def _elements(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and content of one data element after the other."""
    place = 0
    while place + 8 <= len(raw):
        kind, size = struct.unpack_from("<II", raw, place)
        if kind >> 16:
            # Up to four bytes lie in the tag itself, its size beside its type.
            yield kind & 0xFFFF, raw[place + 4 : place + 4 + (kind >> 16)]
            place += 8
            continue
        if place + 8 + size > len(raw):
            raise ValueError("it ends too early")
        yield kind, raw[place + 8 : place + 8 + size]
        # Compressed elements alone are not padded to eight bytes.
        place += 8 + (size if kind == COMPRESSED else -(-size // 8) * 8)


def _matrix(raw: bytes) -> dict[str, NDArray[np.uint8]]:
    parts = list(_elements(raw))
    if len(parts) < 4 or parts[3][0] != BYTES:
        return {}
    shape = struct.unpack(f"<{len(parts[1][1]) // 4}i", parts[1][1])
    values = np.frombuffer(parts[3][1], np.uint8)
    return {parts[2][1].decode("ascii", "replace"): values.reshape(shape, order="F")}
