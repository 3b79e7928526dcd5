"""The kind that asks a network as it was: against float64 NumPy on the shipped snapshots, and who may ask for it."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image

from classifier_site.settings import BASE_DIR
from learn import kinds, sample_figures
from learn.kinds import KindError, Work
from ml import artifact
from ml.artifact import Card
from ml.predictor import load_predictor
from ml.preprocessing import to_input
from ml.snapshots import unpack
from ml.storage import read_arrays
from tests.ml import by_hand


@pytest.fixture(scope="module")
def card() -> Card:
    """The shipped network whose snapshots are kept."""
    return next(card for card in artifact.cards() if card.snapshots)


@pytest.fixture(scope="module")
def orange(card: Card) -> np.ndarray:
    return to_input(Image.open(BASE_DIR / "static" / "samples" / "orange.jpg"), card.preprocessing)


@pytest.fixture(scope="module")
def result(card: Card, orange: np.ndarray) -> dict[str, Any]:
    kind = kinds.find("snapshots")
    data = kind.compute(Work(card, orange, None, kind.clean({}, card))).data
    assert len(json.dumps(data)) < 64 * 1024
    return data


def averaged(pixels: np.ndarray, size: int) -> np.ndarray:
    """Every new pixel is the mean of the pixels whose middles lie under it."""
    edges = np.floor(np.arange(size + 1) * len(pixels) / size + 0.5).astype(int)
    spans = [slice(start, end) for start, end in pairwise(edges)]
    return np.array([[pixels[rows, columns].mean((0, 1)) for columns in spans] for rows in spans])


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def test_the_steps_are_the_snapshots_in_their_order_and_then_the_finished_network(
    card: Card, result: dict[str, Any]
) -> None:
    expected = [(row["epoch"], row["size"]) for row in card.snapshots]
    assert [(step["epoch"], step["size"]) for step in result["steps"]] == [
        *sorted(expected),
        (None, card.size),
    ]


@pytest.mark.parametrize("place", [0, -2])
def test_a_snapshot_answers_what_its_weights_say_of_the_shrunk_picture(
    card: Card, orange: np.ndarray, result: dict[str, Any], place: int
) -> None:
    row = sorted(card.snapshots, key=lambda one: one["epoch"])[place + 1 if place else 0]
    step = result["steps"][place]
    assert step["epoch"] == row["epoch"]
    weights = unpack(read_arrays(card.folder / row["file"]))
    seen = np.rint(averaged(orange, row["size"])).astype(np.uint8)
    expected = softmax(by_hand.logits(card, seen, weights))
    order = np.argsort(-expected)[:5]
    # A grey value that lies halfway between two may be rounded either way.
    assert [index for index, _share in step["top"]] == order.tolist()
    assert [share for _index, share in step["top"]] == pytest.approx(expected[order], abs=0.01)
    assert step["probabilities"] == pytest.approx(expected[result["classes"]], abs=0.01)


def test_the_finished_network_answers_as_it_is_served(
    card: Card, orange: np.ndarray, result: dict[str, Any]
) -> None:
    served = load_predictor(card.name, engine="openvino").predict_arrays(orange[None])[0]
    last = result["steps"][-1]
    assert last["top"][0] == [int(served.argmax()), pytest.approx(float(served.max()), abs=1e-5)]
    assert last["probabilities"] == pytest.approx(served[result["classes"]], abs=1e-5)


def test_classes_are_the_last_five_and_then_all_that_came_among_the_first_five(
    result: dict[str, Any],
) -> None:
    last = [index for index, _share in result["steps"][-1]["top"]]
    assert result["classes"][:5] == last
    everywhere = {index for step in result["steps"] for index, _share in step["top"]}
    assert len(result["classes"]) == len(everywhere)
    assert set(result["classes"]) == everywhere


def test_a_network_without_snapshots_is_refused_with_a_sentence(card: Card) -> None:
    kind = kinds.find("snapshots")
    with pytest.raises(KindError, match=f"No snapshots of {card.title} were kept") as refused:
        kind.clean({}, replace(card, snapshots=[]))
    assert refused.value.field == "kind"
    with pytest.raises(KindError, match="There is no parameter “epoch”"):
        kind.clean({"epoch": 5}, card)


def test_releases_make_it_for_networks_that_have_snapshots_only(card: Card) -> None:
    def made(one: Card) -> list[str]:
        return [name for name, _parameters in sample_figures._wanted("one", one)]

    assert "snapshots" in made(card)
    without = made(replace(card, snapshots=[]))
    assert "snapshots" not in without
    assert "xray" in without
