"""Weights along a training run, kept small: a picture can be answered by the network as it was after epoch 1, 2, 5, ...

A snapshot is a NumPy archive. Kernels have 63 levels, int8 with one float32 scale an output channel; what else there
is (batch normalisation, biases) stays float32. The rounding error is at most half a 31st of a channel's largest
weight, below what one more epoch changes by far. Compressed they are a sixth of float32: five fit beside the rest.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import artifact
from ml.artifact import ArtifactError, Card
from ml.engines import OpenVinoEngine
from ml.predictor import Predictor
from ml.storage import read_arrays, write_arrays

FOLDER = "snapshots"
SCALE = ":scale"
LARGEST = 31
"""What the largest weight of a channel becomes, and minus that its opposite."""


def pack(weights: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Weights by name -> arrays to store: int8 kernels with their scales, the rest as float32."""
    packed: dict[str, NDArray[Any]] = {}
    for name, values in weights.items():
        exact = np.asarray(values, np.float32)
        if exact.ndim < 2:
            packed[name] = exact
            continue
        scale = np.abs(exact).max(axis=tuple(range(exact.ndim - 1))) / LARGEST
        scale = np.where(scale > 0, scale, 1.0).astype(np.float32)
        packed[name] = np.rint(exact / scale).astype(np.int8)
        packed[name + SCALE] = scale
    return packed


def unpack(packed: dict[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
    """What ``pack`` stored, as float32 again."""
    return {
        name: values.astype(np.float32) * packed[name + SCALE] if name + SCALE in packed else values
        for name, values in packed.items()
        if not name.endswith(SCALE)
    }


def write(path: Path, weights: dict[str, NDArray[Any]]) -> None:
    """Stores the packed ``weights``; compression takes a third of them away. Raises OSError."""
    write_arrays(path, pack(weights), compressed=True)


def load_snapshot(card: Card, epoch: int) -> Predictor:
    """The network of ``card`` as it was after ``epoch``, in float32, for pictures of the size it was trained on then.

    ``card.snapshots`` lists what there is: {"epoch", "size", "file", "accuracy", ...}. The answers carry no
    temperature, because none was fitted. Raises ArtifactError for an epoch without a snapshot or a damaged file.
    """
    row = next((row for row in card.snapshots if row["epoch"] == epoch), None)
    if row is None:
        known = ", ".join(str(row["epoch"]) for row in card.snapshots) or "none"
        raise ArtifactError(f"{card.name} has no snapshot of epoch {epoch}; there are {known}.")
    artifact.verify(card, row["file"])
    weights = unpack(read_arrays(card.folder / row["file"]))
    then = replace(
        card,
        preprocessing=replace(card.preprocessing, size=row["size"]),
        temperature=1.0,
        black_slope=0.0,
        outside=None,
    )
    return Predictor(then, OpenVinoEngine(then, precision="float32", threads=None, weights=weights))
