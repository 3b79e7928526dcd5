"""The example on the home page: answers of the shipped network, read from a file that a command wrote."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext

from ml.labels import display

EXAMPLE_FILE = Path(__file__).parent / "data" / "home_example.json"
ANSWERS = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    label: str
    probability: float


@dataclass(frozen=True)
class Example:
    """A sample picture, one black bar and the five answers without and with it."""

    picture: str
    alt: str
    width: int
    height: int
    bar: dict[str, str]
    model: str
    model_title: str
    artifact: str
    clean: tuple[Answer, ...]
    covered: tuple[Answer, ...]


def load_example(path: Path | None = None) -> Example | None:
    """The example, or None when the file is missing or unusable: the page then draws a figure instead."""
    path = path or EXAMPLE_FILE
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        logger.warning("The home page's example %s cannot be used: %s", path.name, error)
        return None


def _read(data: dict[str, Any]) -> Example:
    sample = data["sample"]
    x, y, width, height = (float(number) for number in data["bar"])
    return Example(
        # Raises ValueError when the hashed static files lack it.
        picture=static(f"samples/{sample['file']}"),
        # The words go on behind it on the covered picture.
        alt=gettext(str(sample["alt"])).rstrip("."),
        width=int(sample["width"]),
        height=int(sample["height"]),
        # Text, not numbers: a template would write 0,5 in some languages, and SVG reads only 0.5.
        bar={"x": f"{x:.4f}", "y": f"{y:.4f}", "width": f"{width:.4f}", "height": f"{height:.4f}"},
        model=str(data["model"]),
        model_title=str(data["model_title"]),
        artifact=str(data["artifact"]),
        clean=_answers(data["clean"]),
        covered=_answers(data["covered"]),
    )


def _answers(rows: list[dict[str, Any]]) -> tuple[Answer, ...]:
    answers = tuple(
        Answer(gettext(display(str(row["label"]))), float(row["probability"])) for row in rows[:ANSWERS]
    )
    if len(answers) < ANSWERS:
        raise ValueError(f"{len(answers)} answers instead of {ANSWERS}")
    return answers
