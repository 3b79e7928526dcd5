"""Pictures like photographs, made of CIFAR-100's thumbnails and of the project's own scenes.

A network of 32 x 32 pixels is judged by thumbnails and used on photographs. Nobody's photographs are shipped here, so
they are imitated: a thumbnail is enlarged and stands somewhere on a canvas of a camera's shape, surrounded by
something, and the whole is saved as JPEG. What such a picture lacks is detail finer than the thumbnail's
pixels; the scenes have it, but there are few of them. Everything is drawn from a seed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from ml import data
from ml.placement import Box

ROOT = Path(__file__).parents[1]
LONG, SHORT = 1500, 1000
"""What the site keeps of a photograph: at most 1500 x 1000 pixels, or 1000 x 1500."""

ASPECTS = ((3, 2), (2, 3), (16, 9))
ENLARGED = (8.0, 30.0)
FILL = (0.45, 1.0)
QUALITY = (70, 95)
SURROUNDINGS = ("mirror", "blur", "plain", "scenery")
SCENERY = ("cloud", "forest", "mountain", "plain", "road", "sea")
FEATHER, RIM = 1.5, 8
"""Widths in pixels of a thumbnail of 32: the soft edge of an object, and what is reflected around it."""

SCENE_PIXELS = 360
SCENE_SIDES = (64.0, 960.0)
SCENE_LONG = (200.0, 1200.0)
SCENE_NEAR = (0.85, 1.0)
SCENE_TURN = 12.0


@dataclass(frozen=True)
class Photograph:
    """One picture to ask about. image: RGB. box: where the object's square is, when known. kind: for the tables."""

    image: Image.Image
    label: int
    box: Box | None
    kind: str


def compressed(image: Image.Image, quality: int) -> Image.Image:
    """The picture after one JPEG of this quality with halved colour, as cameras write it."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, subsampling="4:2:0")
    stream.seek(0)
    return Image.open(stream).convert("RGB")


def extended(
    tile: NDArray[np.uint8], margins: tuple[int, int, int, int], kind: str, scenery: NDArray[np.uint8]
) -> Image.Image:
    """``tile`` (n, n, 3) with ``margins`` (left, top, right, bottom) pixels of surroundings of its own scale.

    ``mirror``: the tile reflected, sharp for a rim of a quarter of its side and out of focus beyond; the seam
    cannot be seen. ``blur``: out of focus from the tile's edge on. ``plain``: a soft gradient between the colours
    of the tile's corners. ``scenery``: ``scenery`` (n, n, 3) enlarged to cover everything. The last three meet
    the tile in a soft edge. Raises ValueError for another kind.
    """
    left, top, right, bottom = margins
    side = len(tile)
    unit = side / data.SIDE
    mirrored = Image.fromarray(np.pad(tile, ((top, bottom), (left, right), (0, 0)), mode="symmetric"))
    if kind in ("mirror", "blur"):
        around = mirrored.filter(ImageFilter.GaussianBlur(5 * unit))
    elif kind == "plain":
        n = max(1, round(6 * unit))
        corners = np.stack([tile[:n, :n], tile[:n, -n:], tile[-n:, :n], tile[-n:, -n:]]).mean((1, 2))
        small = Image.fromarray(corners.reshape(2, 2, 3).round().astype(np.uint8))
        around = small.resize(mirrored.size, Image.Resampling.BICUBIC)
    elif kind == "scenery":
        around = ImageOps.fit(Image.fromarray(scenery), mirrored.size, Image.Resampling.BICUBIC)
    else:
        raise ValueError(f"surroundings are one of {SURROUNDINGS}, not {kind!r}")
    mask = Image.new("L", mirrored.size)
    inside = round(-RIM * unit) if kind == "mirror" else round(unit)
    mask.paste(255, (left + inside, top + inside, left + side - inside, top + side - inside))
    feather = RIM / 2 if kind == "mirror" else FEATHER
    return Image.composite(mirrored, around, mask.filter(ImageFilter.GaussianBlur(feather * unit)))


def photograph(
    tile: NDArray[np.uint8],
    label: int,
    scenery: NDArray[np.uint8],
    rng: np.random.Generator,
    *,
    aspect: tuple[int, int] | None = None,
    fill: float | None = None,
    kind: str | None = None,
    side: float | None = None,
    centred: bool = False,
    quality: int | None = None,
) -> Photograph:
    """``tile`` (n, n, 3) as the object of a photograph; what is not said is drawn from ``rng``.

    aspect: width to height. fill: side of the object over the short side of the canvas. side: of the object in
    pixels of the canvas (less where the canvas would be larger than the site keeps). scenery: a picture of the
    tile's size, for surroundings of that kind.
    """
    ratio = np.divide(*(aspect or ASPECTS[rng.integers(len(ASPECTS))]))
    fill = rng.uniform(*FILL) if fill is None else fill
    kind = kind or SURROUNDINGS[rng.integers(len(SURROUNDINGS))]
    side = data.SIDE * rng.uniform(*ENLARGED) if side is None else side
    method = (Image.Resampling.BICUBIC, Image.Resampling.LANCZOS)[rng.integers(2)]
    quality = int(rng.integers(QUALITY[0], QUALITY[1] + 1)) if quality is None else quality
    place = (0.5, 0.5) if centred else tuple(rng.uniform(size=2))

    n = len(tile)
    short = n / fill
    across, down = short * max(1.0, ratio), short * max(1.0, 1 / ratio)
    enlarged = min(side / n, LONG / max(across, down), SHORT / min(across, down))
    width, height = round(across * enlarged), round(down * enlarged)
    left, top = place[0] * (across - n), place[1] * (down - n)
    before = (int(np.ceil(left)), int(np.ceil(top)))
    after = (int(np.ceil(across - n - left)), int(np.ceil(down - n - top)))
    whole = extended(tile, (*before, *after), kind, scenery)
    x, y = before[0] - left, before[1] - top
    window = (x, y, min(x + across, whole.width), min(y + down, whole.height))
    image = compressed(whole.resize((width, height), method, box=window), quality)
    return Photograph(image, label, (left / across, top / down, n / across, n / down), kind)


def halves(root: str | Path) -> tuple[data.Split, data.Split]:
    """(to choose on, to report on): the 2,000 pictures that training never sees, 10 a class in each half."""
    held = data.load_for_training(root)[1]
    return data.split_off(held, len(held) // (2 * len(np.unique(held.labels))), seed=1)


def photographs(
    split: data.Split, labels: tuple[str, ...], *, seed: int = 0, **options: object
) -> Iterator[Photograph]:
    """One photograph of every picture of ``split``, the same for the same seed; ``options`` as of `photograph`."""
    named = {i for i, label in enumerate(labels) if label in SCENERY}
    views = split.images[np.isin(split.labels, list(named))]
    if not len(views):
        views = split.images
    for i, (tile, label) in enumerate(zip(split.images, split.labels, strict=True)):
        rng = np.random.default_rng([seed, i])
        view = views[rng.integers(len(views))]
        yield photograph(tile, int(label), view, rng, **options)  # type: ignore[arg-type]


def scenes(
    labels: tuple[str, ...], *, times: int = 24, seed: int = 0, root: Path = ROOT
) -> Iterator[Photograph]:
    """The project's sample pictures, each ``times`` times, turned a little, mirrored or not, at several sizes.

    Half of them fill a canvas of their own shape (kind ``scene near``); half stand on a larger canvas of a
    camera's shape with surroundings, as the thumbnails do (``scene far``). Pictures whose label is not among
    ``labels`` are left out, and so are all when the list is missing.
    """
    listed = root / "samples" / "samples.json"
    rows = json.loads(listed.read_text(encoding="utf-8")) if listed.is_file() else []
    for number, row in enumerate(row for row in rows if row["label"] in labels):
        label = labels.index(row["label"])
        with Image.open(root / "static" / "samples" / row["file"]) as file:
            whole = file.convert("RGB")
        for time in range(times):
            rng = np.random.default_rng([seed, number, time])
            if time % 2:
                tile = _turned(whole, rng, 1.0, SCENE_PIXELS)
                side = float(np.exp(rng.uniform(*np.log(SCENE_SIDES))))
                kind = ("mirror", "blur", "plain")[rng.integers(3)]
                pixels = np.asarray(tile)
                made = photograph(pixels, label, pixels, rng, side=side, kind=kind)
                yield Photograph(made.image, label, made.box, "scene far")
            else:
                long = float(np.exp(rng.uniform(*np.log(SCENE_LONG))))
                cut = _turned(whole, rng, whole.width / whole.height, min(long, max(whole.size)))
                quality = int(rng.integers(QUALITY[0], QUALITY[1] + 1))
                yield Photograph(compressed(cut, quality), label, None, "scene near")


def _turned(whole: Image.Image, rng: np.random.Generator, ratio: float, long: float) -> Image.Image:
    """``whole`` turned and cut near its middle to ``ratio`` (width to height), its long side ``long`` pixels."""
    angle = float(rng.uniform(-SCENE_TURN, SCENE_TURN))
    tilt = np.deg2rad(abs(angle))
    # The largest upright rectangle of this shape without the corners that turning leaves black.
    wide, high = max(1.0, ratio), max(1.0, 1 / ratio)
    unit = min(
        whole.width / (wide * np.cos(tilt) + high * np.sin(tilt)),
        whole.height / (wide * np.sin(tilt) + high * np.cos(tilt)),
    )
    near = unit * rng.uniform(*SCENE_NEAR)
    width, height = near * wide, near * high
    left = (whole.width - width) / 2 + rng.uniform(-0.5, 0.5) * (unit - near) * wide
    top = (whole.height - height) / 2 + rng.uniform(-0.5, 0.5) * (unit - near) * high
    size = max(1, round(long * min(1.0, ratio))), max(1, round(long * min(1.0, 1 / ratio)))
    turned = whole.rotate(angle, Image.Resampling.BICUBIC)
    cut = turned.resize(size, Image.Resampling.LANCZOS, box=(left, top, left + width, top + height))
    return ImageOps.mirror(cut) if rng.uniform() < 0.5 else cut
