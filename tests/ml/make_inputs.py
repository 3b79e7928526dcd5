"""Makes and reads the 300 network inputs that the engines are compared on: ``python -m tests.ml.make_inputs``.

200 are crops of the project's own sample pictures at random places and scales, half of them mirrored; 100 are drawn
here: colours, gradients, noise, stripes, discs, and crops under black bars. One seed decides everything. The result,
``inputs.webp``, is a lossless mosaic of 20 x 15 tiles.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.preprocessing import Preprocessing, to_input

SIDE = 32
COLUMNS, ROWS = 20, 15
CROPS = 200
FILE = Path(__file__).with_name("inputs.webp")
SAMPLES = Path(__file__).parents[2] / "static" / "samples"

Pixels = NDArray[np.uint8]


def read() -> Pixels:
    """The committed inputs: uint8 (300, 32, 32, 3), RGB."""
    with Image.open(FILE) as mosaic:
        pixels = np.asarray(mosaic.convert("RGB"))
    tiles = pixels.reshape(ROWS, SIDE, COLUMNS, SIDE, 3).swapaxes(1, 2)
    return np.ascontiguousarray(tiles.reshape(-1, SIDE, SIDE, 3))


def make(samples: Path) -> Pixels:
    """The inputs anew from the JPEG pictures in ``samples``. Raises FileNotFoundError when there are none."""
    paths = sorted(samples.glob("*.jpg"))
    if not paths:
        raise FileNotFoundError(f"{samples} holds no sample pictures (*.jpg)")
    pictures = [Image.open(path).convert("RGB") for path in paths]
    rng = np.random.default_rng(20261120)
    crops = [_crop(pictures[i % len(pictures)], rng) for i in range(CROPS)]
    drawn = []
    while len(crops) + len(drawn) < COLUMNS * ROWS:
        drawn += [draw(rng) for draw in DRAWINGS]
        drawn.append(_barred(_crop(pictures[rng.integers(len(pictures))], rng), rng))
    return np.stack([*crops, *drawn[: COLUMNS * ROWS - CROPS]])


def write(tiles: Pixels, path: Path) -> None:
    """Writes ``tiles`` as one lossless mosaic."""
    grid = tiles.reshape(ROWS, COLUMNS, SIDE, SIDE, 3).swapaxes(1, 2)
    mosaic = Image.fromarray(grid.reshape(ROWS * SIDE, COLUMNS * SIDE, 3))
    mosaic.save(path, lossless=True, quality=100, method=6, exact=True)


def _crop(picture: Image.Image, rng: np.random.Generator) -> Pixels:
    side = int(min(picture.size) * rng.uniform(0.35, 1.0))
    left = int(rng.integers(picture.width - side + 1))
    top = int(rng.integers(picture.height - side + 1))
    tile = to_input(picture.crop((left, top, left + side, top + side)), Preprocessing(size=SIDE))
    return tile[:, ::-1].copy() if rng.random() < 0.5 else tile


def _barred(tile: Pixels, rng: np.random.Generator) -> Pixels:
    start, width = int(rng.integers(4, 20)), int(rng.integers(4, 12))
    if rng.random() < 0.5:
        tile[start : start + width] = 0
    else:
        tile[:, start : start + width] = 0
    return tile


def _bytes(values: NDArray[np.float64]) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _grid() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    line = np.linspace(-1, 1, SIDE)
    return line[:, None], line[None, :]


def _mixed(share: NDArray[np.float64], rng: np.random.Generator) -> Pixels:
    first, second = rng.uniform(0, 255, (2, 3))
    return _bytes(share[..., None] * first + (1 - share[..., None]) * second)


def _one_colour(rng: np.random.Generator) -> Pixels:
    return _mixed(np.ones((SIDE, SIDE)), rng)


def _gradient(rng: np.random.Generator) -> Pixels:
    y, x = _grid()
    angle = rng.uniform(0, 2 * np.pi)
    return _mixed((np.cos(angle) * x + np.sin(angle) * y) / 2.9 + 0.5, rng)


def _halo(rng: np.random.Generator) -> Pixels:
    y, x = _grid()
    cy, cx = rng.uniform(-0.7, 0.7, 2)
    return _mixed(np.exp(-rng.uniform(1, 6) * ((x - cx) ** 2 + (y - cy) ** 2)), rng)


def _disc(rng: np.random.Generator) -> Pixels:
    y, x = _grid()
    cy, cx = rng.uniform(-0.4, 0.4, 2)
    edge = np.sqrt((x - cx) ** 2 + ((y - cy) * rng.uniform(0.6, 1.6)) ** 2) - rng.uniform(0.3, 0.8)
    return _mixed(1 / (1 + np.exp(40 * edge)), rng)


def _stripes(rng: np.random.Generator) -> Pixels:
    y, x = _grid()
    angle, waves = rng.uniform(0, np.pi), rng.uniform(2, 10)
    return _mixed(np.sin(np.pi * waves * (np.cos(angle) * x + np.sin(angle) * y)) / 2 + 0.5, rng)


def _checks(rng: np.random.Generator) -> Pixels:
    y, x = np.indices((SIDE, SIDE)) // int(rng.integers(2, 9))
    return _mixed(((x + y) % 2).astype(float), rng)


def _horizon(rng: np.random.Generator) -> Pixels:
    y, _ = _grid()
    share = 1 / (1 + np.exp(30 * (y - rng.uniform(-0.4, 0.4)))) + np.zeros((SIDE, SIDE))
    return _bytes(_mixed(share, rng) + rng.normal(0, 6, (SIDE, SIDE, 3)))


def _noise(rng: np.random.Generator) -> Pixels:
    return _bytes(rng.normal(rng.uniform(60, 200, 3), rng.uniform(10, 70), (SIDE, SIDE, 3)))


def _clouds(rng: np.random.Generator) -> Pixels:
    coarse = _bytes(rng.uniform(0, 255, (6, 6, 3)))
    return np.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC)).copy()


DRAWINGS = (_one_colour, _gradient, _halo, _disc, _stripes, _checks, _horizon, _noise, _clouds)


def main() -> None:
    """Writes the mosaic beside this file."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--samples", type=Path, default=SAMPLES)
    arguments = parser.parse_args()
    write(make(arguments.samples), FILE)
    print(f"{FILE}: {FILE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
