#!/usr/bin/env python3
"""Make the sample pictures again: ray-trace the scenes with POV-Ray, tone them, write JPEG and thumbnail.

    python samples/render.py                 every picture of samples.json
    python samples/render.py apple clock     only these
    python samples/render.py apple --preview --out /tmp/preview

Needs POV-Ray 3.7 (Debian: apt-get install povray) and Pillow with NumPy. The site itself needs none of this: the
pictures are committed under static/samples/.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

HERE = Path(__file__).resolve().parent
SCENES = HERE / "scenes"
REGISTRY = HERE / "samples.json"
OUT = HERE.parent / "static" / "samples"

EXPOSURE = 4.0  # undoes EV of common.inc, which keeps highlights inside the linear file
JPEG_QUALITIES = (88, 85, 82, 78, 74)
JPEG_LIMIT = 250_000
THUMBNAIL = 320
PREVIEW_SCALE = 0.25


class RenderError(Exception):
    """A sentence for the person at the terminal."""


def trace(scene: Path, target: Path, width: int, height: int, threads: int, preview: bool) -> None:
    """Ray-trace one scene into a linear 16-bit PPM."""
    command = [
        "povray",
        f"+I{scene}",
        f"+O{target}",
        f"+L{SCENES}",
        f"+W{width}",
        f"+H{height}",
        "+FP16",
        "File_Gamma=1.0",
        f"Declare=Quality={0 if preview else 1}",
        "+AM2",
        "+R2",
        "+A0.15" if preview else "+A0.13",
        "Antialias_Gamma=2.2",
        f"+WT{threads}",
        "-D",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        # POV-Ray wraps its one telling line ("File ... Parse Error: ...") in pages of statistics.
        said = " ".join(done.stderr.split())
        found = re.search(r"(File '[^']*' line \d+: Parse Error: .*?) Fatal error", said)
        reason = found[1] if found else said[-300:]
        raise RenderError(f"POV-Ray could not render {scene.name}: {reason}")


def read_linear(path: Path) -> np.ndarray:
    """Linear RGB, 0 to 1, of a binary 16-bit PPM."""
    data = path.read_bytes()
    fields: list[bytes] = []
    position = 0
    while len(fields) < 4:
        end = position
        while data[end : end + 1] not in (b" ", b"\n"):
            end += 1
        if data[position : position + 1] == b"#":
            end = data.index(b"\n", position)
        elif end > position:
            fields.append(data[position:end])
        position = end + 1
    width, height = int(fields[1]), int(fields[2])
    pixels = np.frombuffer(data, dtype=">u2", offset=position, count=width * height * 3)
    return pixels.reshape(height, width, 3).astype(np.float32) / 65535


def blurred(picture: np.ndarray, radius: float) -> np.ndarray:
    """The picture (0 to 1) softened by a Gaussian of this radius."""
    image = Image.fromarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.GaussianBlur(radius)), np.float32) / 255


def develop(linear: np.ndarray, seed: int) -> Image.Image:
    """Turn linear light into a photograph: bloom, filmic curve, vignette, a little grain."""
    height, width = linear.shape[:2]
    light = linear * EXPOSURE
    glare = blurred(np.clip(light - 1.0, 0, 2) / 2, width / 60) * 2
    light = light + 0.22 * glare
    ys, xs = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light = light * (1 - 0.11 * (xs**2 + ys**2))[..., None]
    curve = light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14)
    curve = np.clip(curve, 0, 1)
    encoded = np.where(curve <= 0.0031308, 12.92 * curve, 1.055 * np.power(curve, 1 / 2.4) - 0.055)
    noise = np.random.default_rng(seed).normal(0, 1, (height, width, 1)).astype(np.float32)
    encoded = encoded + noise * (0.010 - 0.006 * encoded)
    return Image.fromarray((np.clip(encoded, 0, 1) * 255 + 0.5).astype(np.uint8))


def save(image: Image.Image, sample: dict[str, Any], out: Path) -> None:
    """Write the JPEG, below its size limit, and the thumbnail; neither carries metadata."""
    target = out / sample["file"]
    for quality in JPEG_QUALITIES:
        image.save(target, "JPEG", quality=quality, optimize=True, progressive=True)
        if target.stat().st_size <= JPEG_LIMIT:
            break
    else:
        raise RenderError(f"{target.name} is above {JPEG_LIMIT} bytes even at quality {JPEG_QUALITIES[-1]}.")
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    small.save(out / sample["thumbnail"], "WEBP", quality=82, method=6)


def make(sample: dict[str, Any], out: Path, threads: int, preview: bool) -> float:
    """Render one picture of the registry; returns the seconds it took."""
    started = time.monotonic()
    scale = PREVIEW_SCALE if preview else 1
    width, height = int(sample["width"] * scale), int(sample["height"] * scale)
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "linear.ppm"
        trace(SCENES / f"{sample['name']}.pov", raw, width, height, threads, preview)
        # The seed follows the name so that the same scene always gives the same grain.
        image = develop(read_linear(raw), sum(sample["name"].encode()))
    save(image, sample, out)
    return time.monotonic() - started


def main(arguments: list[str] | None = None) -> int:
    """Command line: see the module's text."""
    samples = {sample["name"]: sample for sample in json.loads(REGISTRY.read_text(encoding="utf-8"))}
    parser = argparse.ArgumentParser(description="Ray-trace the sample pictures with POV-Ray.")
    parser.add_argument("names", nargs="*", metavar="name", help="pictures to make; all when none is given")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write to (default: static/samples)")
    parser.add_argument("--threads", type=int, default=1, help="POV-Ray threads (default: 1)")
    parser.add_argument(
        "--preview", action="store_true", help="quarter size and fewer samples, for a quick look"
    )
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(samples))
    if unknown:
        parser.error(f"no such picture: {', '.join(unknown)}. Known: {', '.join(samples)}.")
    if shutil.which("povray") is None:
        print("POV-Ray is not installed. On Debian: apt-get install povray", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in options.names or samples:
        try:
            seconds = make(samples[name], options.out, options.threads, options.preview)
        except RenderError as error:
            print(error, file=sys.stderr)
            failed += 1
        else:
            print(f"{name}: {seconds:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
