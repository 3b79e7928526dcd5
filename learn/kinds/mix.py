"""What a network answers to two pictures in one, as CutMix joins them: a rectangle of one in the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from learn.answering import answering
from learn.kinds import Kind, KindError, Result, Work
from learn.parameters import choice, only
from ml.artifact import Card
from predictions.jobs import Job

TURNS = (0, 1)


def clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    """``with``: a sample picture's name; ``box``: [y, x, height, width] in the network's pixels; ``turn``: 0 or 1.

    At 0 the rectangle is the sample's and all around it the subject's, at 1 it is the other way round.
    """
    from predictions import samples

    only(parameters, "with", "box", "turn")
    names = list(samples.every())
    if parameters.get("with") is None:
        raise KindError(
            _("Say “with” which sample picture: %(names)s.") % {"names": ", ".join(names)}, "with"
        )
    return {
        "with": choice(parameters, "with", names, names[0]),
        "box": _box(parameters.get("box"), card.size),
        "turn": choice(parameters, "turn", TURNS, 0),
    }


def compute(work: Work) -> Result:
    """``{"probabilities": [of every class], "share": of the pixels that are the subject's}``."""
    from learn import subjects

    other = subjects.sample_pixels(work.parameters["with"], work.card)
    inside, around = (work.clean, other) if work.parameters["turn"] else (other, work.clean)
    mixed = mix(around, inside, work.parameters["box"])
    _y, _x, height, width = work.parameters["box"]
    inner = height * width / work.card.size**2
    row = answering(work.card).predict_arrays(mixed[None])[0]
    return Result(
        {
            "probabilities": [round(float(one), 6) for one in row],
            "share": inner if work.parameters["turn"] else 1 - inner,
        }
    )


def mix(around: NDArray[np.uint8], inside: NDArray[np.uint8], box: list[int]) -> NDArray[np.uint8]:
    """``around`` with the pixels of ``inside`` in the rectangle [y, x, height, width]; both (size, size, 3).

    S. Yun and others, CutMix, 2019, section 3.1.
    """
    y, x, height, width = box
    mixed = around.copy()
    mixed[y : y + height, x : x + width] = inside[y : y + height, x : x + width]
    return mixed


def _box(value: Any, size: int) -> list[int]:
    numbers = value if isinstance(value, list) else []
    if len(numbers) != 4 or not all(isinstance(one, int) and not isinstance(one, bool) for one in numbers):
        raise KindError(
            _("The box is four whole numbers: its row, its column, its height and its width in pixels."),
            "box",
        )
    y, x, height, width = numbers
    if min(y, x) < 0 or min(height, width) < 1 or y + height > size or x + width > size:
        raise KindError(
            _("The box has to lie inside the picture of %(size)s × %(size)s pixels.") % {"size": size}, "box"
        )
    return numbers


# Somebody drags the box and waits for the answer, as for a live one.
kind = Kind("mix", clean, compute, looks_at_bars=False, priority=Job.Priority.LIVE)
