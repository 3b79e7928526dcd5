"""Random crop, scale, flip, blur, bars and CutMix as one traced function of the batch's indices, on any Keras backend.

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
    """Positions within a side's length outside 0..size-1 mirrored back inside, the edge pixel not repeated."""
    inside = ops.abs(position)
    inside = ops.where(inside >= size, 2 * (size - 1) - inside, inside)
    return ops.abs(inside)


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


def scale_and_crop(
    flat_pixels: Any,
    index: Any,
    size: int,
    seed: Any,
    *,
    shift: int = 4,
    jitter: float = 0.5,
    zoom: float = 1.3,
    stretch: float = 1.2,
) -> Any:
    """``crop_and_flip`` in which a share ``jitter`` of the pictures is also scaled and squeezed.

    Such a picture is enlarged or reduced by a factor in 1/zoom..zoom and one of its sides further by one in
    1/stretch..stretch, both even in their logarithms, so that subjects fill more or less of the view, as they do
    in a photograph that was cropped by hand. Bilinear; what lies outside is reflected. The others are as from
    ``crop_and_flip``. Shapes as there.
    """
    n = ops.shape(index)[0]
    draw = keras.random.uniform((6, n, 1), seed=seed)
    scaled = ops.cast(draw[0] < jitter, "float32")
    scale = ops.exp((2.0 * draw[1] - 1.0) * float(np.log(zoom)) * scaled)
    squeeze = ops.exp((draw[2] - 0.5) * float(np.log(stretch)) * scaled)
    moves = keras.random.randint((2, n, 1), -shift, shift + 1, dtype="int32", seed=seed)
    mirrored = draw[3] < 0.5
    line = ops.arange(size, dtype="float32")[None, :] - (size - 1) / 2
    middle = (size - 1) / 2
    rows = line * (scale * squeeze) + middle + ops.cast(moves[0], "float32")
    columns = line * (scale / squeeze) + middle + ops.cast(moves[1], "float32")
    columns = ops.where(mirrored, ops.flip(columns, axis=1), columns)
    top, left = ops.floor(rows), ops.floor(columns)
    down, right = (rows - top)[:, :, None, None], (columns - left)[:, None, :, None]
    base = index[:, None, None] * (size * size)

    def at(row: Any, column: Any) -> Any:
        row = _reflect(ops.cast(row, "int32"), size)
        column = _reflect(ops.cast(column, "int32"), size)
        return ops.cast(
            ops.take(flat_pixels, base + row[:, :, None] * size + column[:, None, :], axis=0), "float32"
        )

    upper = at(top, left) * (1.0 - right) + at(top, left + 1) * right
    lower = at(top + 1, left) * (1.0 - right) + at(top + 1, left + 1) * right
    return upper * (1.0 - down) + lower * down


def blur(pictures: Any, seed: Any, share: float) -> Any:
    """A ``share`` of the pictures (n, h, w, c) softened as shrinking and JPEG do, by up to 0.7 pixels.

    Rows, then columns, are averaged with their neighbours by the weights w, 1 - 2 w, w, with w even in 0..1/4;
    the border is repeated.
    """
    n = ops.shape(pictures)[0]
    draw = keras.random.uniform((2, n, 1, 1, 1), seed=seed)
    weight = ops.where(draw[0] < share, draw[1] / 4.0, 0.0)
    for axis in (1, 2):
        size = pictures.shape[axis]
        place = ops.arange(size, dtype="int32")
        before = ops.take(pictures, ops.maximum(place - 1, 0), axis=axis)
        after = ops.take(pictures, ops.minimum(place + 1, size - 1), axis=axis)
        pictures = pictures + weight * (before + after - 2.0 * pictures)
    return pictures


def cover(pictures: Any, seed: Any, share: float) -> Any:
    """A black rectangle on a ``share`` of the pictures (n, h, w, c), as the workshop's bars are.

    The place is even, the area up to 40% of the picture, the shape from a square to a strip: random erasing
    (Zhong et al., 2017, section 3.2) with the workshop's black instead of noise.
    """
    n, height, width = ops.shape(pictures)[0], pictures.shape[1], pictures.shape[2]
    draw = keras.random.uniform((5, n, 1), seed=seed)
    side = ops.sqrt(0.02 + 0.38 * draw[0])
    aspect = ops.exp((2.0 * draw[1] - 1.0) * float(np.log(3.0)))
    half_y = ops.minimum(side * aspect, 1.0) * height / 2
    half_x = ops.minimum(side / aspect, 1.0) * width / 2
    y, x = draw[2] * height, draw[3] * width
    rows = ops.arange(height, dtype="float32")[None, :] + 0.5
    columns = ops.arange(width, dtype="float32")[None, :] + 0.5
    inside_y = ops.abs(rows - y) <= half_y
    inside_x = ops.abs(columns - x) <= half_x
    box = ops.logical_and(inside_y[:, :, None], inside_x[:, None, :])
    box = ops.logical_and(box, (draw[4] < share)[:, :, None])
    return ops.where(box[..., None], 0.0, pictures)


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
