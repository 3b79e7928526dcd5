"""CIFAR-100 from lossless mosaics or from the original archive, as uint8 arrays.

Mosaics: ``train/<class>.webp`` holds 20 x 25 tiles of 32 x 32 pixels, ``test/<class>.webp`` 10 x 10, row by row.
Archive: ``cifar-100-python.tar.gz`` of A. Krizhevsky, 2009, packed or unpacked.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.labels import CIFAR100

SIDE = 32
ARCHIVE = "cifar-100-python.tar.gz"
ARCHIVE_MD5 = "eb9058c3a382ffc7106e4002c42a8d85"
HOLDOUT_PER_CLASS = 20
VALIDATION_PER_CLASS = 50


class DataError(Exception):
    """The data set is missing or is not what it should be; the message says what to do."""


@dataclass(frozen=True)
class Split:
    """images: uint8 (n, 32, 32, 3), RGB; labels: int64 (n,), 0..99."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[np.int64]) -> Split:
        return Split(self.images[index], self.labels[index])


def load(root: str | Path, part: str) -> Split:
    """The ``train`` (50,000) or ``test`` (10,000) pictures below ``root``, grouped by class in label order.

    The order is the same for both sources' classes, but not within a class. Raises DataError.
    """
    if part not in ("train", "test"):
        raise ValueError("part must be 'train' or 'test'")
    folder = Path(root)
    if (folder / part).is_dir():
        return _load_mosaics(folder / part)
    for unpacked in (folder, folder / "cifar-100-python"):
        if (unpacked / part).is_file():
            return _from_pickle((unpacked / part).read_bytes(), str(unpacked / part))
    archive = folder if folder.is_file() else folder / ARCHIVE
    if archive.is_file():
        return _load_archive(archive, part)
    raise DataError(
        f"No CIFAR-100 in {folder}: it needs train/*.webp and test/*.webp mosaics, or {ARCHIVE} "
        "from https://www.cs.toronto.edu/~kriz/cifar.html."
    )


def _load_mosaics(folder: Path) -> Split:
    images, labels = [], []
    for index, name in enumerate(CIFAR100):
        path = folder / f"{name}.webp"
        try:
            with Image.open(path) as mosaic:
                pixels = np.asarray(mosaic.convert("RGB"))
        except OSError as error:
            raise DataError(f"{path} cannot be read as a mosaic: {error}.") from error
        rows, columns = pixels.shape[0] // SIDE, pixels.shape[1] // SIDE
        if pixels.shape != (rows * SIDE, columns * SIDE, 3) or rows * columns == 0:
            raise DataError(
                f"{path} is {pixels.shape[1]} x {pixels.shape[0]}, not a grid of {SIDE}-pixel tiles."
            )
        tiles = pixels.reshape(rows, SIDE, columns, SIDE, 3).swapaxes(1, 2).reshape(-1, SIDE, SIDE, 3)
        images.append(tiles)
        labels.append(np.full(len(tiles), index, np.int64))
    return Split(np.concatenate(images), np.concatenate(labels))


def _load_archive(archive: Path, part: str) -> Split:
    digest = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    if digest != ARCHIVE_MD5:
        raise DataError(f"{archive} has md5 {digest}, not {ARCHIVE_MD5}: download it again.")
    with tarfile.open(archive, "r:gz") as tar:
        name = f"cifar-100-python/{part}"
        member = tar.extractfile(name) if name in tar.getnames() else None
        if member is None:
            raise DataError(f"{archive} holds no {name}.")
        return _from_pickle(member.read(), name)


class _ArrayUnpickler(pickle.Unpickler):
    """Unpickles dictionaries of NumPy arrays and nothing else: a pickle may otherwise run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.startswith(("numpy.core", "numpy._core")) and name in {"_reconstruct", "scalar"}) or (
            module == "numpy" and name in {"ndarray", "dtype"}
        ):
            return super().find_class(module, name)
        raise DataError(f"The archive asks for {module}.{name}, which CIFAR-100 does not hold.")


def _from_pickle(raw: bytes, name: str) -> Split:
    stream: IO[bytes] = io.BytesIO(raw)
    try:
        batch = _ArrayUnpickler(stream, encoding="bytes").load()
        images = np.asarray(batch[b"data"], np.uint8).reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
        labels = np.asarray(batch[b"fine_labels"], np.int64)
        if labels.shape != images.shape[:1]:
            raise ValueError(f"{len(images)} pictures with labels of shape {labels.shape}")
    except DataError:
        raise
    except Exception as error:
        # Damaged pickles raise nearly everything: what is wrong with the file matters more than where it broke.
        raise DataError(f"{name} is damaged and is not a part of CIFAR-100: {error!r}.") from error
    order = np.argsort(labels, kind="stable")
    return Split(np.ascontiguousarray(images[order]), labels[order])


def split_off(data: Split, per_class: int, *, seed: int = 0) -> tuple[Split, Split]:
    """(rest, held out): ``per_class`` pictures of every class, the same ones for the same seed.

    Raises ValueError when a class has too few pictures.
    """
    rng = np.random.default_rng(seed)
    held = np.zeros(len(data), bool)
    for label in np.unique(data.labels):
        members = np.flatnonzero(data.labels == label)
        if len(members) <= per_class:
            raise ValueError(f"class {label} has {len(members)} pictures, too few to hold out {per_class}")
        held[rng.permutation(members)[:per_class]] = True
    return data.take(np.flatnonzero(~held)), data.take(np.flatnonzero(held))


def load_for_training(root: str | Path) -> tuple[Split, Split]:
    """(48,000 to train on, the fixed 2,000 kept for temperature and thresholds)."""
    return split_off(load(root, "train"), HOLDOUT_PER_CLASS)


def resized(images: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """uint8 (n, h, w, 3) -> (n, size, size, 3) by area averaging, for progressive resizing."""
    if images.shape[1:3] == (size, size):
        return images
    out = np.empty((len(images), size, size, 3), np.uint8)
    for i, pixels in enumerate(images):
        out[i] = np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BOX))
    return out
