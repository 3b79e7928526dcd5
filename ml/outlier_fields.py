"""Painters of textures and of noise for ``ml.outliers``: arrays of brightness, coloured by small random palettes.

Every painter takes a generator of random numbers and a size (width, height) in pixels and returns an RGB picture.
Lengths are in units of the shorter side, so that a pattern looks alike in a small and in a large picture.
"""

from __future__ import annotations

import colorsys
from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

Size = tuple[int, int]
Field = NDArray[np.float64]
Painter = Callable[[Generator, Size], Image.Image]


def colours(rng: Generator, count: int) -> NDArray[np.float64]:
    """``count`` RGB colours in 0..255, float64 (count, 3), of any hue, mostly neither black nor white."""
    rows = [colorsys.hsv_to_rgb(rng.random(), rng.beta(1.5, 1.5), rng.beta(2, 1.2)) for _ in range(count)]
    return np.array(rows) * 255


def coordinates(size: Size) -> tuple[Field, Field]:
    """x and y of every pixel, float64 (height, width), the shorter side running from 0 to 1."""
    width, height = size
    short = min(size)
    y, x = np.mgrid[0:height, 0:width]
    return (x + 0.5) / short, (y + 0.5) / short


def turned(rng: Generator, size: Size) -> tuple[Field, Field]:
    """Coordinates turned by a random angle."""
    x, y = coordinates(size)
    angle = rng.uniform(0, 2 * np.pi)
    return x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)


def coloured(values: Field, palette: NDArray[np.float64]) -> Image.Image:
    """Brightness (clipped to 0..1) as a picture: the palette's colours from its first at 0 to its last at 1."""
    stops = np.linspace(0, 1, len(palette))
    channels = [np.interp(np.clip(values, 0, 1), stops, palette[:, i]) for i in range(3)]
    return Image.fromarray(np.stack(channels, -1).astype(np.uint8))


def listed(index: NDArray[np.int64], palette: NDArray[np.float64]) -> Image.Image:
    """A picture of areas: each pixel has the colour that its index names."""
    return Image.fromarray(palette[index % len(palette)].astype(np.uint8))


def lumps(rng: Generator, size: Size, across: float) -> Field:
    """Smooth noise about 0 with about ``across`` lumps along the shorter side, float64 (height, width)."""
    width, height = size
    step = min(size) / across
    rows, columns = max(2, round(height / step)), max(2, round(width / step))
    coarse = Image.fromarray(rng.normal(0, 0.5, (rows, columns)).astype(np.float32))
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), np.float64)


def cycles(rng: Generator, low: float = 2.0, high: float = 16.0) -> float:
    """How often a pattern repeats along the shorter side: every doubling is as likely as the next."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


# -- textures: development ---------------------------------------------------------------------------


def stripes(rng: Generator, size: Size) -> Image.Image:
    """Parallel stripes at any angle, soft or sharp."""
    x, _ = turned(rng, size)
    wave = np.sin(2 * np.pi * cycles(rng) * x + rng.uniform(0, 6))
    if rng.random() < 0.5:
        wave = np.sign(wave)
    return coloured(0.5 + 0.5 * wave, colours(rng, 2))


def checks(rng: Generator, size: Size) -> Image.Image:
    """A chequerboard at any angle."""
    x, y = turned(rng, size)
    often = cycles(rng, 1.5, 10)
    return listed((np.floor(x * often) + np.floor(y * often)).astype(np.int64), colours(rng, 2))


def marble(rng: Generator, size: Size) -> Image.Image:
    """Veins: a sine bent by noise of several scales (Perlin, 1985)."""
    x, _ = turned(rng, size)
    bend = sum(lumps(rng, size, 2.0**k) / 2**k for k in range(1, 6))
    veins = np.abs(np.sin(np.pi * (cycles(rng, 1, 5) * x + rng.uniform(1, 4) * bend)))
    return coloured(veins ** rng.uniform(0.4, 1.5), colours(rng, 3))


def dots(rng: Generator, size: Size) -> Image.Image:
    """Round dots in rows."""
    x, y = turned(rng, size)
    often = cycles(rng, 2, 12)
    radius = np.hypot((x * often) % 1 - 0.5, (y * often) % 1 - 0.5)
    return listed((radius < rng.uniform(0.2, 0.42)).astype(np.int64), colours(rng, 2))


def zigzag(rng: Generator, size: Size) -> Image.Image:
    """Bands of several colours folded like a saw."""
    x, y = turned(rng, size)
    often = cycles(rng, 2, 8)
    saw = np.abs((x * often) % 1 - 0.5)
    band = np.floor((y + saw * rng.uniform(0.1, 0.5)) * often * rng.uniform(1, 2))
    return listed(band.astype(np.int64), colours(rng, int(rng.integers(2, 5))))


def felt(rng: Generator, size: Size) -> Image.Image:
    """Noise of several scales between two colours, without a pattern."""
    octaves = np.sum([lumps(rng, size, 2.0**k) for k in range(2, 7)], axis=0)
    return coloured(0.5 + rng.uniform(0.15, 0.4) * octaves, colours(rng, 2))


# -- textures: test ----------------------------------------------------------------------------------


def weave(rng: Generator, size: Size) -> Image.Image:
    """A basket: strands that go over and under each other."""
    x, y = turned(rng, size)
    often = cycles(rng, 2, 10)
    over = (np.floor(x * often) + np.floor(y * often)) % 2 == 0
    across = np.where(over, (x * often) % 1, (y * often) % 1)
    warp, weft = colours(rng, 2)
    light = np.sin(np.pi * across)[..., None] ** rng.uniform(0.3, 1)
    return Image.fromarray((np.where(over[..., None], warp, weft) * light).astype(np.uint8))


def voronoi(rng: Generator, size: Size) -> Image.Image:
    """Cells about random points, with joints or without."""
    x, y = coordinates(size)
    count = int(rng.integers(12, 70))
    points = rng.uniform(0, 1, (count, 2)) * [x.max(), y.max()]
    distance = np.stack([(x - px) ** 2 + (y - py) ** 2 for px, py in points])
    nearest = distance.argmin(0)
    picture = listed(nearest, colours(rng, int(rng.integers(3, count))))
    if rng.random() < 0.5:
        first, second = np.sqrt(np.partition(distance, 1, 0)[:2])
        pixels = np.asarray(picture).copy()
        pixels[second - first < 0.02] = colours(rng, 1)[0]
        picture = Image.fromarray(pixels)
    return picture


def bricks(rng: Generator, size: Size) -> Image.Image:
    """A wall of bricks of uneven brightness."""
    x, y = turned(rng, size)
    rows, longer = cycles(rng, 3, 12), rng.uniform(1.5, 3.5)
    row = np.floor(y * rows)
    along = x * rows / longer + 0.5 * (row % 2)
    joint = rng.uniform(0.06, 0.2)
    inside = ((y * rows) % 1 > joint) & (along % 1 > joint / longer)
    shade = np.sin(row * 12.9898 + np.floor(along) * 78.233) * 43758.5453 % 1
    mortar, stone = colours(rng, 2)
    pixels = np.where(inside[..., None], stone * (0.75 + 0.25 * shade[..., None]), mortar)
    return Image.fromarray(pixels.astype(np.uint8))


def rings(rng: Generator, size: Size) -> Image.Image:
    """Rings of wood about a point that may lie outside."""
    x, y = coordinates(size)
    middle = rng.uniform(-0.5, 1.5, 2)
    radius = np.hypot((x - middle[0]) * rng.uniform(0.3, 1), y - middle[1])
    wave = np.sin(2 * np.pi * (radius * cycles(rng, 3, 14) + 0.4 * lumps(rng, size, 3)))
    return coloured(0.5 + 0.5 * wave, colours(rng, 3))


def spots(rng: Generator, size: Size) -> Image.Image:
    """Blots of one size, soft or sharp."""
    often = cycles(rng, 3, 12)
    field = lumps(rng, size, often) - lumps(rng, size, often / 2)
    return coloured(0.5 + field * rng.uniform(2, 12), colours(rng, 2))


def tartan(rng: Generator, size: Size) -> Image.Image:
    """Two sets of coloured stripes across each other."""
    x, y = turned(rng, size)
    count = int(rng.integers(4, 9))
    palette, often = colours(rng, count), cycles(rng, 2, 8)
    places = rng.integers(0, count, 12)
    columns = palette[places[np.floor(x * often * 3).astype(np.int64) % 12]]
    rows = palette[places[np.floor(y * often * 3).astype(np.int64) % 12]]
    return Image.fromarray(((columns + rows) / 2).astype(np.uint8))


def scales(rng: Generator, size: Size) -> Image.Image:
    """Rows of scales, each shaded towards its rim."""
    x, y = turned(rng, size)
    often = cycles(rng, 2, 10)
    row = np.floor(y * often * 2)
    across = (x * often + 0.5 * (row % 2)) % 1 - 0.5
    down = (y * often * 2) % 1
    return coloured(np.hypot(across, down / 2) * rng.uniform(1, 2.2), colours(rng, 3))


# -- noise: development ------------------------------------------------------------------------------


def _grains(rng: Generator, size: Size) -> tuple[int, int, int]:
    """Rows, columns and channels of a grid whose cells are one pixel up to a twelfth of the shorter side."""
    grain = cycles(rng, 1, min(size) / 12)
    return round(size[1] / grain), round(size[0] / grain), 3 if rng.random() < 0.6 else 1


def _enlarged(values: Field, size: Size, method: Image.Resampling) -> Image.Image:
    pixels = np.clip(values, 0, 255).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(pixels, (*pixels.shape[:2], 3)).copy()).resize(size, method)


def uniform_noise(rng: Generator, size: Size) -> Image.Image:
    """Every grain of any brightness, or any colour."""
    return _enlarged(rng.uniform(0, 256, _grains(rng, size)), size, Image.Resampling.NEAREST)


def salt_and_pepper(rng: Generator, size: Size) -> Image.Image:
    """Black and white grains on one colour."""
    shape = _grains(rng, size)
    share, ground = rng.uniform(0.05, 0.6), colours(rng, 1)[0]
    values = np.broadcast_to(ground, (*shape[:2], 3)).copy()
    hit = rng.random(shape) < share
    values = np.where(hit, np.where(rng.random(shape) < 0.5, 0, 255), values)
    return _enlarged(values, size, Image.Resampling.NEAREST)


def blurred_gaussian(rng: Generator, size: Size) -> Image.Image:
    """Normal noise, enlarged until it is smooth."""
    values = rng.normal(128, rng.uniform(30, 90), _grains(rng, size))
    return _enlarged(values, size, Image.Resampling.BICUBIC)


def grey_spectrum(rng: Generator, size: Size) -> Image.Image:
    """Grey noise between white and brown: power 0.5 to 1.5."""
    grey = 128 + rng.uniform(30, 70) * _spectrum(rng, size, rng.uniform(0.5, 1.5))
    return _enlarged(grey[..., None], size, Image.Resampling.NEAREST)


def _spectrum(rng: Generator, size: Size, power: float) -> Field:
    """Noise of unit deviation whose power falls with frequency f as 1 / f ** power, float64 (height, width)."""
    width, height = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1
    spectrum = np.fft.rfft2(rng.normal(size=(height, width))) * frequency ** (-power / 2)
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, (height, width))
    return np.asarray(field / field.std())


# -- noise: test -------------------------------------------------------------------------------------


def gaussian_noise(rng: Generator, size: Size) -> Image.Image:
    """Normal noise about one brightness, grain by grain."""
    values = rng.normal(rng.uniform(80, 180), rng.uniform(20, 100), _grains(rng, size))
    return _enlarged(values, size, Image.Resampling.NEAREST)


def coloured_spectrum(rng: Generator, size: Size) -> Image.Image:
    """From white (power 0) to brown (power 2), each channel for itself."""
    power = rng.uniform(0, 2)
    values = np.stack([_spectrum(rng, size, power) for _ in range(3)], -1)
    return _enlarged(128 + rng.uniform(30, 70) * values, size, Image.Resampling.NEAREST)


def streaks(rng: Generator, size: Size) -> Image.Image:
    """Noise drawn out in one direction."""
    rows, columns, channels = _grains(rng, size)
    shorter = (max(2, rows // int(rng.integers(4, 16))), columns, channels)
    values = rng.uniform(0, 256, shorter if rng.random() < 0.5 else (rows, shorter[0], channels))
    return _enlarged(values, size, Image.Resampling.BILINEAR)


def speckle(rng: Generator, size: Size) -> Image.Image:
    """Grain multiplied into a slope between two colours, as radar and ultrasound show it."""
    first, last = colours(rng, 2)
    along, _ = turned(rng, size)
    along = (along - along.min()) / np.ptp(along)
    slope = first + (last - first) * along[..., None]
    shape = _grains(rng, size)
    grain = np.asarray(_enlarged(64 * rng.exponential(1, shape), size, Image.Resampling.NEAREST)) / 64
    return Image.fromarray(np.clip(slope * grain, 0, 255).astype(np.uint8))


def confetti(rng: Generator, size: Size) -> Image.Image:
    """Grains of a few colours."""
    shape = _grains(rng, size)[:2]
    palette = colours(rng, int(rng.integers(3, 9)))
    values = palette[rng.integers(0, len(palette), shape)]
    return _enlarged(values, size, Image.Resampling.NEAREST)


TEXTURES: dict[str, tuple[Painter, ...]] = {
    "development": (stripes, checks, marble, dots, zigzag, felt),
    "test": (weave, voronoi, bricks, rings, spots, tartan, scales),
}
NOISE: dict[str, tuple[Painter, ...]] = {
    "development": (uniform_noise, salt_and_pepper, blurred_gaussian, grey_spectrum),
    "test": (gaussian_noise, coloured_spectrum, streaks, speckle, confetti),
}
