"""Writes the home page's example: a sample picture whose answer one black bar changes.

``python manage.py make_home_example`` after a network was exported; the file is committed, and a test holds it to
the shipped network.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from PIL import Image

from learn.home import ANSWERS, EXAMPLE_FILE
from ml import artifact
from ml.predictor import Predictor, load_predictor
from ml.storage import write_json
from predictions.corruption import Bar, apply_bars
from predictions.decoding import decode
from predictions.images import open_prepared

# Bars worth trying: broad enough to change an answer, small enough to leave the picture recognisable.
LARGEST_SHARE = 0.16
STEPS = [i / 20 for i in range(20)]
SIZES = [(0.15, 1.0), (1.0, 0.15), (0.3, 0.3), (0.4, 0.4), (0.25, 0.5), (0.5, 0.25), (0.2, 0.8), (0.8, 0.2)]
SURE = 0.7


def candidate_bars() -> list[Bar]:
    """Every bar of SIZES at every place of the grid that stays inside the picture."""
    return [
        Bar(x, y, width, height)
        for width, height in SIZES
        if width * height <= LARGEST_SHARE
        for x in STEPS
        for y in STEPS
        if x + width <= 1 and y + height <= 1
    ]


def taken_in(path: Path) -> Image.Image:
    """A sample as the site keeps it once it was sent, so that the workshop gives the very answers of the example."""
    return open_prepared(decode(path.read_bytes()).data)


def find_example(predictor: Predictor, samples: list[dict[str, Any]], folder: Path) -> dict[str, Any] | None:
    """The sample and bar with the surest pair of different answers, or None when no bar changes a sure answer.

    Only square samples are tried.
    """
    best: tuple[float, dict[str, Any]] | None = None
    for sample in samples:
        picture = taken_in(folder / sample["file"])
        if picture.width != picture.height:
            # Only the square in a box would go in, and the example shows no box.
            continue
        clean = predictor.predict([picture], ANSWERS)[0]
        if clean[0][1] != sample["label"] or clean[0][2] < SURE:
            continue
        given = [Bar(*sample["bar"])] if sample.get("bar") else []
        for bar in given or candidate_bars():
            covered = predictor.predict([apply_bars(picture, [bar])], ANSWERS)[0]
            if covered[0][1] == clean[0][1]:
                continue
            # The surer both answers are and the smaller the bar, the clearer the example.
            score = clean[0][2] * covered[0][2] * (1.0 - bar.width * bar.height)
            if best is None or score > best[0]:
                best = (score, _example(predictor, sample, bar, clean, covered))
    return best and best[1]


def _example(
    predictor: Predictor, sample: dict[str, Any], bar: Bar, clean: Any, covered: Any
) -> dict[str, Any]:
    def rows(answers: Any) -> list[dict[str, Any]]:
        return [{"label": label, "probability": round(p, 6)} for _index, label, p in answers]

    keys = ("name", "file", "thumbnail", "title", "alt", "width", "height")
    return {
        "sample": {key: sample[key] for key in keys},
        "bar": list(bar),
        "model": predictor.card.name,
        "model_title": predictor.card.title,
        "artifact": predictor.card.version,
        "clean": rows(clean),
        "covered": rows(covered),
    }


class Command(BaseCommand):
    help = "Writes the example of the home page from the sample pictures and the cheapest network."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", help="the network that answers (the cheapest one unless said)")
        parser.add_argument("--sample", help="only this sample picture")

    def handle(self, *args: Any, **options: Any) -> None:
        cards = artifact.cards()
        if not cards:
            raise CommandError("There is no network to ask: ml/artifacts is empty.")
        predictor = load_predictor(options["model"] or cards[0].name)
        listed = json.loads((settings.BASE_DIR / "samples" / "samples.json").read_text(encoding="utf-8"))
        samples = [row for row in listed if options["sample"] in (None, row["name"])]
        example = find_example(predictor, samples, settings.BASE_DIR / "static" / "samples")
        if example is None:
            raise CommandError("No bar changes a sure answer on any of these samples.")
        write_json(EXAMPLE_FILE, example)
        clean, covered = example["clean"][0], example["covered"][0]
        self.stdout.write(
            f"{example['sample']['title']}: {clean['label']} {clean['probability']:.1%} becomes "
            f"{covered['label']} {covered['probability']:.1%} under {example['bar']}."
        )
