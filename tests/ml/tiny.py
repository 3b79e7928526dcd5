"""A data set that has CIFAR-100's form and can be learnt in seconds: every class is a colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.data import SIDE
from ml.labels import CIFAR100

TRAIN_TILES = (5, 5)
TEST_TILES = (1, 2)


def write_mosaic(path: Path, tiles: NDArray[np.uint8], rows: int, columns: int) -> None:
    """Tiles (rows x columns, 32, 32, 3), row by row, as one lossless picture."""
    grid = tiles.reshape(rows, columns, SIDE, SIDE, 3).swapaxes(1, 2)
    Image.fromarray(grid.reshape(rows * SIDE, columns * SIDE, 3)).save(
        path, lossless=True, method=0, exact=True
    )


def write_data(root: Path) -> Path:
    """``root`` with 25 training and 2 test pictures of each of the 100 classes: noisy squares of one colour."""
    rng = np.random.default_rng(7)
    colours = rng.permutation(np.stack(np.meshgrid(*[np.linspace(20, 235, 5)] * 3), -1).reshape(-1, 3))
    for part, (rows, columns) in (("train", TRAIN_TILES), ("test", TEST_TILES)):
        (root / part).mkdir(parents=True)
        for name, colour in zip(CIFAR100, colours, strict=False):
            # Coarse noise keeps the files small and the pictures different.
            noise = rng.normal(0, 12, (rows * columns, 8, 8, 3)).repeat(4, 1).repeat(4, 2)
            tiles = np.clip(colour + noise, 0, 255).astype(np.uint8)
            write_mosaic(root / part / f"{name}.webp", tiles, rows, columns)
    return root
