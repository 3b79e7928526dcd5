"""How a picture should be shrunk, measured: ``python -m ml.photographs MODEL --data DIR [--photos DIR]``.

A shipped network answers about pictures like photographs (`ml.canvases`), each given to it in every way that a site
might choose: stretched, cropped, padded, or a placed square; through three filters; sharpened or not; once or several
times. Pictures come from the training pictures that are never trained on, half of which the constants of
`ml.placement` were chosen on; the figures are those of the other half.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from ml import canvases, config, data, photograph_tables
from ml.artifact import ArtifactError
from ml.canvases import Photograph
from ml.labels import CIFAR100
from ml.placement import Box, default_box
from ml.predictor import Predictor, load_predictor
from ml.preprocessing import FILTERS, Preprocessing, to_input
from ml.storage import write_json

SHARPNESS = 2.0
TOGETHER = 40
FACTORS = (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 2.0)
SHIFTS = (0.05, 0.1, 0.2, 0.3)
OBJECT_SIDE = 192
BLURS = (0.3, 0.5, 0.7, 1.0)
QUALITIES = (95, 85, 75)
ANGLES = (5, 10, 20)

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Way:
    """One way of giving a picture to a network. filter None: the picture was not shrunk."""

    view: str
    filter: str | None = None
    sharpened: bool = False


@dataclass(frozen=True)
class Case:
    """One picture in all ways; several arrays in one way are several views, whose probabilities are averaged."""

    label: int
    groups: tuple[str, ...]
    ways: dict[Way, list[Pixels]]


def measure(predictor: Predictor, cases: Iterable[Case]) -> list[dict[str, Any]]:
    """A row a way: top1, top5, the mean confidence, top1 of every group, and what it gains over the first way.

    ``gain`` is in top1, ``gain_error`` its standard error from the same pictures' differences.
    """
    found: dict[Way, list[NDArray[np.float64]]] = defaultdict(list)
    counts: dict[Way, int] = {}
    groups: list[tuple[str, ...]] = []
    for some in _chunks(cases, TOGETHER):
        groups += [case.groups for case in some]
        labels = np.array([case.label for case in some])
        for way in some[0].ways:
            views = [case.ways[way] for case in some]
            counts[way] = len(views[0])
            flat = predictor.predict_arrays(np.stack([pixels for one in views for pixels in one]))
            mean = flat.reshape(len(some), counts[way], -1).mean(1)
            order = np.argsort(-mean, axis=-1, kind="stable")[:, :5]
            hits = order == labels[:, None]
            found[way].append(np.stack([hits[:, 0], hits.any(-1), mean.max(-1)], -1))
    names = sorted({name for one in groups for name in one})
    inside = {name: np.array([name in one for one in groups]) for name in names}
    rows: list[dict[str, Any]] = []
    reference: NDArray[np.float64] | None = None
    for way, parts in found.items():
        values = np.concatenate(parts)
        right = values[:, 0]
        reference = right if reference is None else reference
        gains = right - reference
        row = {
            "view": way.view,
            "filter": way.filter,
            "sharpened": way.sharpened,
            "views": counts[way],
            "n": len(values),
            "top1": right.mean(),
            "top5": values[:, 1].mean(),
            "confidence": values[:, 2].mean(),
            "gain": gains.mean(),
            "gain_error": gains.std() / np.sqrt(len(gains)),
        }
        rounded = {k: round(float(v), 4) if isinstance(v, np.floating) else v for k, v in row.items()}
        rounded["groups"] = {name: round(float(right[inside[name]].mean()), 4) for name in names}
        rows.append(rounded)
    return rows


def _chunks(cases: Iterable[Case], size: int) -> Iterator[list[Case]]:
    some: list[Case] = []
    for case in cases:
        some.append(case)
        if len(some) == size:
            yield some
            some = []
    if some:
        yield some


# --- ways --------------------------------------------------------------------------------------------------


def sharpened(pixels: Pixels) -> Pixels:
    """What the network would see, sharpened as Pillow's Sharpness(2) does: away from a small blur of itself."""
    return np.asarray(ImageEnhance.Sharpness(Image.fromarray(pixels)).enhance(SHARPNESS))


def fitted(image: Image.Image, how: Preprocessing) -> Pixels:
    """The whole picture in its own shape, in the middle of a square of the training pictures' mean colour."""
    scale = how.size / max(image.size)
    small = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    square = Image.new("RGB", (how.size, how.size), tuple(round(255 * value) for value in how.mean))
    place = (how.size - small[0]) // 2, (how.size - small[1]) // 2
    square.paste(image.resize(small, FILTERS[how.filter]), place)
    return np.asarray(square)


def moved(box: Box, image: Image.Image, factor: float = 1.0, x: float = 0.0, y: float = 0.0) -> Box:
    """``box`` with its side times ``factor``, shifted by shares of its side, moved inside the picture."""
    side = min(box[2] * image.width * factor, *image.size)
    middle = (box[0] + box[2] * (0.5 + x)) * image.width, (box[1] + box[3] * (0.5 + y)) * image.height
    left = min(max(0.0, middle[0] - side / 2), image.width - side)
    top = min(max(0.0, middle[1] - side / 2), image.height - side)
    return left / image.width, top / image.height, side / image.width, side / image.height


def in_every_way(photo: Photograph, how: Preprocessing) -> dict[Way, list[Pixels]]:
    """The shapes, through every filter, sharpened and not, then several views; the first is the plain stretch."""
    image = photo.image
    box = default_box(image)
    ways: dict[Way, list[Pixels]] = {}
    for name in FILTERS:
        one = replace(how, shape="stretch", filter=name)
        seen = {
            "stretch": to_input(image, one),
            "crop": to_input(image, replace(one, shape="crop")),
            "fit": fitted(image, one),
            "placed": to_input(image, one, box),
        }
        if photo.box is not None:
            seen["oracle"] = to_input(image, one, photo.box)
        for view, pixels in seen.items():
            ways[Way(view, name)] = [pixels]
            ways[Way(view, name, sharpened=True)] = [sharpened(pixels)]
    area = replace(how, shape="stretch", filter="area")
    placed = ways[Way("placed", "area")][0]
    closer = to_input(image, area, moved(box, image, 0.8))
    wider = to_input(image, area, moved(box, image, 1.25))
    around = [
        to_input(image, area, moved(box, image, 1.0, *by))
        for by in ((-0.1, 0.0), (0.1, 0.0), (0.0, -0.1), (0.0, 0.1))
    ]
    ways[Way("placed and closer", "area")] = [placed, closer]
    ways[Way("placed, closer, wider", "area")] = [placed, closer, wider]
    ways[Way("placed and shifted by 10%", "area")] = [placed, *around]
    ways[Way("placed and mirrored", "area")] = [placed, placed[:, ::-1]]
    return ways


# --- parts -------------------------------------------------------------------------------------------------


def thumbnail_cases(split: data.Split, how: Preprocessing) -> Iterator[Case]:
    """The thumbnails themselves, and what little harm does to them."""
    one = replace(how, shape="stretch")
    for tile, label in zip(split.images, split.labels, strict=True):
        image = Image.fromarray(tile)
        seen = {"as it is": image, "sharpened": ImageEnhance.Sharpness(image).enhance(SHARPNESS)}
        for radius in BLURS:
            seen[f"blurred, {radius} px"] = image.filter(ImageFilter.GaussianBlur(radius))
        for quality in QUALITIES:
            seen[f"JPEG, quality {quality}"] = canvases.compressed(image, quality)
        for angle in ANGLES:
            seen[f"turned, {angle} degrees"] = image.rotate(angle, Image.Resampling.BICUBIC)
        yield Case(int(label), (), {Way(name): [to_input(made, one)] for name, made in seen.items()})


def square_cases(split: data.Split, labels: tuple[str, ...], how: Preprocessing) -> Iterator[Case]:
    """Enlarged thumbnails that fill a square canvas: only the filters differ, and what a placed square loses."""
    for photo in canvases.photographs(split, labels, seed=1, aspect=(1, 1), fill=1.0):
        ways: dict[Way, list[Pixels]] = {}
        for name in FILTERS:
            pixels = to_input(photo.image, replace(how, shape="stretch", filter=name))
            ways[Way("whole", name)] = [pixels]
            ways[Way("whole", name, sharpened=True)] = [sharpened(pixels)]
        yield Case(photo.label, (), ways)


def photograph_cases(photos: Iterable[Photograph], how: Preprocessing) -> Iterator[Case]:
    """Pictures like photographs; groups are the kind, and how much of the short side the object has if known."""
    for photo in photos:
        groups = [photo.kind]
        if photo.box is not None and photo.kind in canvases.SURROUNDINGS:
            groups.append("large object" if max(photo.box[2:]) >= 0.75 else "small object")
        yield Case(photo.label, tuple(groups), in_every_way(photo, how))


def framing_cases(split: data.Split, labels: tuple[str, ...], how: Preprocessing) -> Iterator[Case]:
    """The true square of an object in the middle of a canvas, seen from nearer and farther, and beside it."""
    one = replace(how, shape="stretch", filter="area")
    options = {"aspect": (1, 1), "fill": 0.45, "side": OBJECT_SIDE, "centred": True}
    for i, photo in enumerate(canvases.photographs(split, labels, seed=2, **options)):
        angle = np.random.default_rng([3, i]).uniform(0, 2 * np.pi)
        box = photo.box or default_box(photo.image)
        ways = {Way("side x 1.0", "area"): [to_input(photo.image, one, box)]}
        for factor in FACTORS:
            seen = to_input(photo.image, one, moved(box, photo.image, factor))
            ways[Way(f"side x {factor}", "area")] = [seen]
        for shift in SHIFTS:
            by = shift * np.cos(angle), shift * np.sin(angle)
            seen = to_input(photo.image, one, moved(box, photo.image, 1.0, *by))
            ways[Way(f"shifted by {shift:.0%}", "area")] = [seen]
        yield Case(photo.label, (), ways)


def read_photos(folder: Path, labels: tuple[str, ...]) -> list[tuple[Path, int]]:
    """(file, label) of every file in ``folder``/<class>/; class names as in the card, spaces allowed for "_".

    Raises DataError when there is none, or for a folder that is not a class.
    """
    if not folder.is_dir():
        raise data.DataError(f"{folder} is not a folder with one folder of photographs a class.")
    found = []
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        name = part.name.strip().lower().replace(" ", "_")
        if name not in labels:
            raise data.DataError(f"{part} is not named like one of the network's {len(labels)} classes.")
        found += [(path, labels.index(name)) for path in sorted(part.iterdir()) if path.is_file()]
    if not found:
        raise data.DataError(f"{folder} holds no photographs: it needs one folder a class.")
    return found


def open_photos(files: Iterable[tuple[Path, int]]) -> Iterator[Photograph]:
    """The photographs that can be read, upright and at most as large as the site keeps them; the others are named."""
    with contextlib.suppress(ImportError):
        from pi_heif import register_heif_opener

        register_heif_opener()
    for path, label in files:
        try:
            with Image.open(path) as file:
                image = ImageOps.exif_transpose(file).convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            print(f"ml.photographs: {path} is left out: {error}", file=sys.stderr)
            continue
        upright = image.height > image.width
        bounds = (canvases.SHORT, canvases.LONG) if upright else (canvases.LONG, canvases.SHORT)
        image.thumbnail(bounds, Image.Resampling.LANCZOS)
        yield Photograph(image, label, None, "photograph")


# --- command -----------------------------------------------------------------------------------------------


def report(
    predictor: Predictor, root: Path, *, pictures: int, photos: Path | None, say: Callable[[str], None]
) -> dict[str, Any]:
    """All parts for one network, as ``benchmarks/results/photographs.json`` keeps them under its name.

    pictures: how many of the 1,000 thumbnails of the half to report on; the classes stay even. say: takes the
    tables as they come. Raises DataError and ValueError.
    """
    card = predictor.card
    how, labels = card.preprocessing, card.labels
    if labels != CIFAR100:
        raise ValueError(f"{card.name} does not have CIFAR-100's classes, of which the pictures are made")
    own = read_photos(photos, labels) if photos else []
    split = canvases.halves(root)[1]
    split = split.take(np.arange(len(split))[:: max(1, len(split) // pictures)][:pictures])
    made: dict[str, Iterable[Case]] = {
        "thumbnails": thumbnail_cases(split, how),
        "squares": square_cases(split, labels, how),
        "photographs": photograph_cases(canvases.photographs(split, labels), how),
        "scenes": photograph_cases(canvases.scenes(labels), how),
        "framing": framing_cases(split, labels, how),
    }
    if own:
        made["own photographs"] = photograph_cases(open_photos(own), how)
    parts = {}
    for name, cases in made.items():
        parts[name] = measure(predictor, cases)
        say(photograph_tables.as_text(name, parts[name]))
    return {
        "version": card.version,
        "engine": predictor.engine.name,
        "precision": predictor.engine.precision,
        "parts": parts,
    }


def main(argv: list[str] | None = None) -> int:
    """The command: 0 and the tables, or 2 and a sentence."""
    p = argparse.ArgumentParser(prog="python -m ml.photographs", description=__doc__)
    known = ", ".join(config.artifact_names()) or "none yet"
    p.add_argument("model", help=f"a network with an artifact: {known}")
    p.add_argument("--data", required=True, type=Path, help="folder with CIFAR-100 (mosaics or archive)")
    p.add_argument("--photos", type=Path, help="photographs of your own: one folder a class")
    p.add_argument(
        "--pictures", type=int, default=1000, help="thumbnails to use, at most 1000 (default: 1000)"
    )
    p.add_argument("--json", type=Path, help="file that keeps the figures of this network beside the others'")
    p.add_argument(
        "--record", type=Path, help="text to write the tables of that file into, between its marks"
    )
    p.add_argument("--precision", choices=("int8", "float32"))
    p.add_argument("--threads", type=int)
    args = p.parse_args(argv)
    try:
        if args.pictures < 1:
            raise ValueError(f"--pictures must be at least 1, not {args.pictures}")
        if args.record and not args.json:
            raise ValueError("--record needs --json, the file whose tables it writes")
        predictor = load_predictor(args.model, threads=args.threads, precision=args.precision)
        result = report(
            predictor,
            args.data,
            pictures=args.pictures,
            photos=args.photos,
            say=lambda text: print(text, flush=True),
        )
        if args.json:
            kept = json.loads(args.json.read_text(encoding="utf-8")) if args.json.is_file() else {}
            networks = {**kept.get("networks", {}), args.model: result}
            write_json(args.json, {"networks": dict(sorted(networks.items()))})
        if args.record:
            photograph_tables.write(args.record, networks)
    except (ArtifactError, data.DataError, OSError, ValueError) as error:
        print(f"ml.photographs: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
