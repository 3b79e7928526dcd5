"""How well pictures are recognised by their looks: ``python -m benchmarks.fingerprints --data DIR``.

A picture is saved anew as JPEG, shrunk to half, or both; counted is in how many of the 64 bits its fingerprint moves.
Then, of the 10,000 test pictures of CIFAR-100, how many pairs of different pictures are taken for the same.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml import canvases, data
from ml.data import Split
from ml.labels import CIFAR100
from ml.storage import write_json
from predictions.fingerprint import BITS, NEAR, fingerprint

QUALITIES = (60, 75, 85, 95)
SAMPLES = Path(__file__).parent.parent / "static" / "samples"
RESULT = Path(__file__).parent / "results" / "fingerprints.json"


def saved(picture: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def halved(picture: Image.Image) -> Image.Image:
    size = (max(1, picture.width // 2), max(1, picture.height // 2))
    return picture.resize(size, Image.Resampling.LANCZOS)


def copies(picture: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """What somebody does to a picture before sending it again, without meaning to disguise it."""
    for quality in QUALITIES:
        yield f"saved at {quality}", saved(picture, quality)
    yield "half the size", halved(picture)
    for quality in QUALITIES[:2]:
        yield f"half the size, saved at {quality}", saved(halved(picture), quality)
    yield "saved at 92, then at 75", saved(saved(picture, 92), 75)


def pictures(root: str, count: int) -> Iterator[Image.Image]:
    """The samples, imitated photographs of held-out training pictures, and drawn scenes."""
    for path in sorted(SAMPLES.glob("*.jpg")):
        with Image.open(path) as image:
            yield image.convert("RGB")
    held = canvases.halves(root)[1]
    some = np.linspace(0, len(held) - 1, min(count, len(held))).astype(int)
    split = Split(held.images[some], held.labels[some])
    for photo in [
        *canvases.photographs(split, CIFAR100, seed=3),
        *canvases.scenes(CIFAR100, times=3, seed=4),
    ]:
        yield photo.image


def stability(root: str, count: int) -> list[dict[str, Any]]:
    """A row a way of copying: in how many of the copies so many bits differ at most."""
    moved: dict[str, list[int]] = {}
    for picture in pictures(root, count):
        own = int(fingerprint(picture), 16)
        for way, copy in copies(picture):
            moved.setdefault(way, []).append((own ^ int(fingerprint(copy), 16)).bit_count())
    return [
        {
            "way": way,
            "pictures": len(bits),
            "equal": sum(not one for one in bits),
            "near": sum(one <= NEAR for one in bits),
            "most": max(bits),
        }
        for way, bits in moved.items()
    ]


def collisions(root: str) -> dict[str, Any]:
    """Of all pairs of test pictures, how many differ in so few bits."""
    marks = [fingerprint(Image.fromarray(pixels)) for pixels in data.load(root, "test").images]
    numbers = np.array([int(mark, 16) for mark in marks if mark], np.uint64)
    counts = np.zeros(BITS + 1, np.int64)
    for place, number in enumerate(numbers[:-1]):
        distances: NDArray[Any] = np.bitwise_count(numbers[place + 1 :] ^ number)
        counts += np.bincount(distances, minlength=BITS + 1)
    return {
        "pictures": len(marks),
        "without": len(marks) - len(numbers),
        "pairs": int(counts.sum()),
        "at_most": {str(bits): int(counts[: bits + 1].sum()) for bits in (0, 2, NEAR, 6, 8, 10)},
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="the folder of CIFAR-100")
    parser.add_argument("--count", type=int, default=150, help="imitated photographs")
    options = parser.parse_args()
    found = {"stability": stability(options.data, options.count), "collisions": collisions(options.data)}
    write_json(RESULT, found)
    for row in found["stability"]:
        sys.stdout.write("| {way} | {pictures} | {equal} | {near} | {most} |\n".format(**row))
    sys.stdout.write(f"{found['collisions']}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
