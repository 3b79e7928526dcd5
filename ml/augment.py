"""Random crop, flip and CutMix as one traced function of the batch's indices, on any Keras backend.

The pictures stay on the device as uint8; one gather selects, shifts, reflects and mirrors them, so that a
step needs nothing from the host but the indices.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from ml.preprocessing import CIFAR100_MEAN, CIFAR100_STD


def _reflect(position: Any, size: int) -> Any:
    """Positions outside 0..size-1 mirrored back inside, the edge pixel not repeated."""
    return ops.abs(ops.where(position >= size, 2 * (size - 1) - position, position))


def crop_and_flip(flat_pixels: Any, index: Any, size: int, seed: Any, *, shift: int = 4) -> Any:
    """Select ``index`` from the data set, each shifted by up to ``shift`` pixels and mirrored half of the time.

    flat_pixels: (pictures x size x size, 3), uint8. index: int32 (n,). Returns float32 (n, size, size, 3) in
    0..255. The border is reflected.
    """
    n = ops.shape(index)[0]
    offsets = keras.random.randint((2, n), -shift, shift + 1, dtype="int32", seed=seed)
    mirrored = keras.random.uniform((n, 1), seed=seed) < 0.5
    line = ops.arange(size, dtype="int32")[None, :]
    rows = _reflect(line + offsets[0][:, None], size)
    columns = _reflect(line + offsets[1][:, None], size)
    columns = ops.where(mirrored, ops.flip(columns, axis=1), columns)
    places = index[:, None, None] * (size * size) + rows[:, :, None] * size + columns[:, None, :]
    return ops.cast(ops.take(flat_pixels, places, axis=0), "float32")


def cutmix(pictures: Any, targets: Any, seed: Any, probability: float | Any) -> tuple[Any, Any]:
    """CutMix (Yun et al., 2019, section 3.1) on a batch with one box: lambda from Beta(1, 1).

    pictures: (n, h, w, c); targets: (n, classes), rows sum to 1. Every picture receives the box of its
    neighbour in the batch, and its target becomes lambda own + (1 - lambda) neighbour's, lambda being the
    exact share of pixels kept. With probability 1 - ``probability`` nothing changes.
    """
    height, width = pictures.shape[1], pictures.shape[2]
    draw = keras.random.uniform((4,), seed=seed)
    side = ops.sqrt(1.0 - draw[0])
    rows = ops.arange(height, dtype="float32")
    columns = ops.arange(width, dtype="float32")
    center_y, center_x = ops.floor(draw[1] * height), ops.floor(draw[2] * width)
    half_y, half_x = ops.floor(side * height) / 2, ops.floor(side * width) / 2
    in_rows = ops.logical_and(rows >= center_y - half_y, rows < center_y + half_y)
    in_columns = ops.logical_and(columns >= center_x - half_x, columns < center_x + half_x)
    box = ops.cast(ops.logical_and(in_rows[:, None], in_columns[None, :]), "float32")
    box = box * ops.cast(draw[3] < probability, "float32")
    kept = 1.0 - ops.mean(box)
    mask = box[None, :, :, None]
    mixed = pictures * (1.0 - mask) + ops.roll(pictures, 1, axis=0) * mask
    return mixed, targets * kept + ops.roll(targets, 1, axis=0) * (1.0 - kept)


def normalise(pictures: Any) -> Any:
    """float32 0..255 -> zero mean, unit deviation a channel; the traced twin of preprocessing.normalise."""
    std = np.asarray(CIFAR100_STD, np.float32)
    return pictures * (1.0 / (255.0 * std)) - np.asarray(CIFAR100_MEAN, np.float32) / std
