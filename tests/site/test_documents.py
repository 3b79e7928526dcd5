"""What the documents claim is what the files say."""

from __future__ import annotations

import json
import re

from PIL import Image

from benchmarks import figures
from learn.home import EXAMPLE_FILE
from ml import artifact
from ml.predictor import load_predictor
from predictions.corruption import Bar, apply_bars

ROOT = figures.ROOT


def test_the_figures_in_the_readmes_are_those_of_the_cards_and_benchmarks():
    for path, text in figures.texts().items():
        assert path.read_text(encoding="utf-8") == text, (
            f"python -m benchmarks.figures brings {path.name} up to date"
        )


def test_every_file_that_the_readme_names_is_there():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(r"`((?:docs|ml|samples)/[\w./-]*)`", text)
    assert named
    for name in named:
        assert (ROOT / name).exists(), name


def test_the_example_on_the_home_page_is_what_the_shipped_network_says():
    example = json.loads(EXAMPLE_FILE.read_text(encoding="utf-8"))
    card = artifact.load_card(example["model"])
    assert example["artifact"] == card.version, "python manage.py make_home_example"
    predictor = load_predictor(example["model"], precision="float32")
    with Image.open(ROOT / "static" / "samples" / example["sample"]["file"]) as opened:
        picture = opened.convert("RGB")
    # Float32, so that the test means the same on every processor: the classes must agree with the int8 answers.
    clean, covered = predictor.predict([picture, apply_bars(picture, [Bar(*example["bar"])])], 1)
    assert clean[0][1] == example["clean"][0]["label"]
    assert covered[0][1] == example["covered"][0]["label"]
    assert clean[0][1] != covered[0][1]


def test_the_shipped_networks_name_the_sample_pictures():
    samples = json.loads((ROOT / "samples" / "samples.json").read_text(encoding="utf-8"))
    assert len(samples) >= 12
    pictures = [Image.open(ROOT / "static" / "samples" / row["file"]).convert("RGB") for row in samples]
    for card in artifact.cards():
        answers = load_predictor(card.name, precision="float32").predict(pictures, 1)
        wrong = [
            (row["label"], a[0][1])
            for row, a in zip(samples, answers, strict=True)
            if a[0][1] != row["label"]
        ]
        assert not wrong, (card.name, wrong)
