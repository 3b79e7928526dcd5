"""What the browser's shrinking does to the answers: ``python -m benchmarks.shrinking --data DIR``.

A picture of a camera's size is shrunk in Chromium to several sizes and JPEG qualities, as static/js/picture.js does
it, then taken in and asked about as the site does. Beside each: the same picture sent as it came from the camera.
Cameras' pictures are imitated: `ml.canvases` makes photographs of held-out training pictures and of the project's own
scenes, which are enlarged to 12 million pixels, get a sensor's noise and are saved as JPEG.
"""

from __future__ import annotations

import argparse
import base64
import io
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from ml import canvases, config
from ml.data import Split
from ml.labels import CIFAR100
from ml.predictor import Predictor, load_predictor
from ml.preprocessing import to_input
from ml.storage import write_json
from predictions.crop import placed
from predictions.decoding import decode
from predictions.images import open_prepared

SIZES = ((320, 213), (1500, 1000))
QUALITIES = (0.6, 0.75, 0.85, 0.92)
CAMERA_PIXELS = 12_000_000
CAMERA_QUALITY = 92
NOISE = 4.0
RESULT = Path(__file__).parent / "results" / "shrinking.json"

# The steps of picture.js with the size and the quality as parameters.
SHRINK = """async ({data, sizes, qualities}) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], {type: "image/jpeg"}), {imageOrientation: "from-image"});
  const made = [];
  for (const [long, short] of sizes) {
    const {width, height} = bitmap;
    const factor = Math.min(1, long / Math.max(width, height), short / Math.min(width, height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(width * factor));
    canvas.height = Math.max(1, Math.round(height * factor));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    for (const quality of qualities) {
      const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
      const url = await new Promise((done) => {
        const reader = new FileReader();
        reader.onload = () => done(reader.result);
        reader.readAsDataURL(blob);
      });
      made.push(url.slice(url.indexOf(",") + 1));
    }
  }
  return made;
}"""


def camera(image: Image.Image, rng: np.random.Generator) -> bytes:
    """The picture as a camera of 12 megapixels would have saved it."""
    factor = (CAMERA_PIXELS / (image.width * image.height)) ** 0.5
    large = image.resize(
        (round(image.width * factor), round(image.height * factor)), Image.Resampling.BICUBIC
    )
    pixels = np.asarray(large, np.float32)
    grain = rng.standard_normal(pixels.shape, dtype=np.float32)
    noisy = Image.fromarray(np.clip(pixels + NOISE * grain, 0, 255).astype(np.uint8))
    stream = io.BytesIO()
    noisy.save(stream, "JPEG", quality=CAMERA_QUALITY)
    return stream.getvalue()


def seen(data: bytes, predictor: Predictor) -> np.ndarray[Any, Any]:
    """What the network sees of a file that was sent: taken in, boxed and shrunk as the site does it."""
    picture = open_prepared(decode(data).data)
    return to_input(picture, predictor.card.preprocessing, box=placed(picture))


def cases(root: str, count: int) -> Iterator[tuple[int, bytes]]:
    """(label, the camera's file) of ``count`` photographs and two of each of the project's scenes."""
    rng = np.random.default_rng(7)
    held = canvases.halves(root)[1]
    # Spread over all classes, which stand one after the other.
    some = np.linspace(0, len(held) - 1, min(count, len(held))).astype(int)
    for photo in canvases.photographs(Split(held.images[some], held.labels[some]), CIFAR100, seed=3):
        yield photo.label, camera(photo.image, rng)
    for photo in canvases.scenes(CIFAR100, times=2, seed=4):
        yield photo.label, camera(photo.image, rng)


def measure(root: str, count: int) -> list[dict[str, Any]]:
    """A row a network and a way of shrinking; the first of each network is the camera's own file."""
    predictors = [load_predictor(name) for name in config.artifact_names()]
    ways = [(0, 1.0), *((size[0], quality) for size in SIZES for quality in QUALITIES)]
    labels: list[int] = []
    kilobytes: list[list[float]] = []
    answers: dict[str, list[np.ndarray[Any, Any]]] = {one.card.name: [] for one in predictors}
    with sync_playwright() as playwright:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page()
        for label, original in cases(root, count):
            files = [original, *shrunk(page, original)]
            labels.append(label)
            kilobytes.append([len(file) / 1000 for file in files])
            for one in predictors:
                pixels = np.stack([seen(file, one) for file in files])
                answers[one.card.name].append(one.predict_arrays(pixels))
        browser.close()
    return rows(np.array(labels), np.array(kilobytes), ways, answers)


def shrunk(page: Page, data: bytes) -> list[bytes]:
    sent = {"data": base64.b64encode(data).decode(), "sizes": SIZES, "qualities": QUALITIES}
    return [base64.b64decode(text) for text in page.evaluate(SHRINK, sent)]


def rows(
    labels: np.ndarray[Any, Any],
    kilobytes: np.ndarray[Any, Any],
    ways: list[tuple[int, float]],
    answers: dict[str, list[np.ndarray[Any, Any]]],
) -> list[dict[str, Any]]:
    """labels: (n,). kilobytes: (n, ways). answers: network -> n arrays (ways, classes)."""
    made = []
    for name, parts in answers.items():
        found = np.stack(parts)
        first = found.argmax(-1)
        own = np.take_along_axis(found, first[:, :1, None], axis=-1)[..., 0]
        for place, (long, quality) in enumerate(ways):
            made.append(
                {
                    "network": name,
                    "long_side": long or None,
                    "quality": quality if long else None,
                    "n": len(labels),
                    "kilobytes": round(float(np.median(kilobytes[:, place])), 1),
                    "top1": round(float((first[:, place] == labels).mean()), 4),
                    "same_top1": round(float((first[:, place] == first[:, 0]).mean()), 4),
                    # How far the probability of the camera's file's first answer moves, in points.
                    "moved_points": round(float(100 * np.abs(own[:, place] - own[:, 0]).mean()), 2),
                }
            )
    return made


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shrinking", description=__doc__)
    parser.add_argument("--data", required=True, help="folder with CIFAR-100 (mosaics or archive)")
    parser.add_argument("--count", type=int, default=150, help="photographs; the scenes come along")
    chosen = parser.parse_args()
    found = measure(chosen.data, chosen.count)
    for row in found:
        print("  ".join(f"{key}: {value}" for key, value in row.items()), flush=True)
    write_json(RESULT, {"rows": found})
    return 0


if __name__ == "__main__":
    sys.exit(main())
