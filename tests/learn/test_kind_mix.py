"""The kind "mix": what it takes, what it refuses with which sentence, and that the right pixels are answered."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from learn import kinds, subjects
from learn.answering import answering
from learn.kinds import KindError, Work
from ml import artifact
from ml.artifact import Card
from predictions.jobs import Job


@pytest.fixture(scope="module")
def card() -> Card:
    return artifact.load_card("vgg")


def clean(card: Card, **parameters: Any) -> dict[str, Any]:
    return kinds.find("mix").clean(parameters, card)


@pytest.mark.parametrize("turn", [0, 1])
def test_the_rectangle_is_of_one_picture_and_all_else_of_the_other(card: Card, turn: int) -> None:
    apple, clock = (subjects.sample_pixels(name, card) for name in ("apple", "clock"))
    by_hand = apple.copy() if not turn else clock.copy()
    for y in range(3, 8):
        for x in range(10, 30):
            by_hand[y, x] = clock[y, x] if not turn else apple[y, x]
    asked = clean(card, **{"with": "clock", "box": [3, 10, 5, 20], "turn": turn})
    found = kinds.find("mix").compute(Work(card, apple, None, asked)).data
    expected = answering(card).predict_arrays(by_hand[None])[0]
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    assert found["share"] == pytest.approx(100 / 1024 if turn else 924 / 1024)


def test_who_drags_waits_for_an_answer_and_bars_play_no_part() -> None:
    kind = kinds.find("mix")
    assert kind.priority == Job.Priority.LIVE
    assert not kind.looks_at_bars


@pytest.mark.parametrize(
    ("parameters", "field", "sentence"),
    [
        ({}, "with", "which sample picture: apple, "),
        ({"with": "moon"}, "with", "moon"),
        ({"with": "clock"}, "box", "four whole numbers"),
        ({"with": "clock", "box": [1, 2, 3]}, "box", "four whole numbers"),
        ({"with": "clock", "box": [1, 2, 3, 4.5]}, "box", "four whole numbers"),
        ({"with": "clock", "box": [1, 2, 3, True]}, "box", "four whole numbers"),
        ({"with": "clock", "box": "1,2,3,4"}, "box", "four whole numbers"),
        ({"with": "clock", "box": [0, 0, 0, 4]}, "box", "inside the picture of 32 × 32"),
        ({"with": "clock", "box": [-1, 0, 4, 4]}, "box", "inside the picture of 32 × 32"),
        ({"with": "clock", "box": [30, 0, 4, 4]}, "box", "inside the picture of 32 × 32"),
        ({"with": "clock", "box": [0, 0, 4, 4], "turn": 2}, "turn", "2"),
        ({"with": "clock", "box": [0, 0, 4, 4], "bars": []}, "bars", "no parameter “bars”"),
    ],
)
def test_what_cannot_be_mixed_is_refused_with_a_sentence(
    card: Card, parameters: dict[str, Any], field: str, sentence: str
) -> None:
    with pytest.raises(KindError) as refused:
        clean(card, **parameters)
    assert refused.value.field == field
    assert sentence in str(refused.value)
