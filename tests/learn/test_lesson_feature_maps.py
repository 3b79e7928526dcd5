"""Lesson 3 is true: its tasks can be solved on every sample picture, and what it says of the networks is so."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from html import unescape

import numpy as np
import pytest
from django.test import Client
from numpy.typing import NDArray

from learn import subjects
from learn.lessons import feature_maps
from ml import artifact
from ml.explain.structure import structure
from ml.explain.trace import Trace, tracer, value
from predictions import samples
from tests.sums import Sums, corner, sums, windows

pytestmark = pytest.mark.django_db

OF = structure("vgg")
MIXING = "block1/conv2"
BORDER = 3  # cells at the edge of a map, which see what came in at the border
LARGEST = 1e-4  # what two ways of adding up may differ by


@cache
def traces() -> dict[str, tuple[Trace, Trace]]:
    """Of every sample picture as it is, and moved to the right by one pixel."""
    found = {}
    for name in samples.every():
        seen = subjects.find(None, f"sample:{name}").clean[OF.card.name]
        moved = np.concatenate([seen[:, :1], seen[:, :-1]], axis=1)
        clean, shifted = tracer(OF.card.name, 1).trace(np.stack([seen, moved]))
        found[name] = clean, shifted
    assert len(found) > 10
    return found


def pictures() -> dict[str, Trace]:
    return {name: trace for name, (trace, _shifted) in traces().items()}


@pytest.mark.parametrize("task", ["outvoted", "single", "below"])
def test_a_task_about_a_sum_can_be_solved_on_every_sample_picture(task: str) -> None:
    solved: Callable[[Sums], NDArray[np.bool_]] = getattr(Sums, task).fget
    for name, trace in pictures().items():
        channels_ = range(OF.layer(MIXING).shape[0])
        # Not by one lucky cell.
        assert any(solved(sums(OF, trace, MIXING, channel)).sum() >= 5 for channel in channels_), name


def test_the_tasks_about_max_pooling_can_be_solved_on_every_sample_picture() -> None:
    for name, trace in pictures().items():
        four = windows(value(OF, trace, "block1/relu2"))
        assert corner(four).sum() > 100, name
        zero = four.max(-1) == 0
        assert zero.sum() > 100, name
        # Where to go back to is not always where the figure leads first, the upper left.
        before = windows(value(OF, trace, "block1/bn2"))
        assert (before.argmax(-1) > 0)[zero].mean() > 0.5, name


def test_the_task_about_the_average_can_be_solved_on_every_sample_picture() -> None:
    for name, trace in pictures().items():
        maps = value(OF, trace, "block4/relu2")
        few = ((maps > 0).mean((1, 2)) <= 1 / 8) & (maps.max((1, 2)) > 0)
        assert few.mean() > 0.05, name


def test_most_numbers_of_the_maps_that_are_shown_are_zero() -> None:
    for name, trace in pictures().items():
        assert (value(OF, trace, "block1/relu2") == 0).mean() > 0.6, name


def test_a_shift_by_one_pixel_leaves_a_third_of_what_pooling_keeps() -> None:
    for name, (trace, shifted) in traces().items():

        def inside(layer: str, of: Trace) -> NDArray[np.float32]:
            return value(OF, of, layer)[:, BORDER:-BORDER, BORDER:-BORDER]

        here, there = (inside("block1/pool", one) for one in (trace, shifted))
        same = np.abs(here - there) < LARGEST
        assert 0.2 < same[here > 0].mean() < 0.45, name
        assert same[here == 0].mean() > 0.6, name
        before, after = (inside("block1/relu2", one) for one in (trace, shifted))
        changed = [np.linalg.norm(a - b) / np.linalg.norm(a) for a, b in ((here, there), (before, after))]
        assert 0.1 < changed[0] < changed[1], name


def test_its_numbers_are_those_of_the_network() -> None:
    told = feature_maps.context()["plan"]
    card = artifact.load_card("vgg")
    weights = artifact.read_weights(card)
    kernels = weights[f"{MIXING}/kernel"]
    assert (told["weights"], told["kernels"]) == (kernels[..., 0].size, kernels.shape[-1])
    assert told["all"] == kernels.size
    deepest = max(one[..., 0].size for name, one in weights.items() if "conv" in name and one.ndim == 4)
    assert told["deepest"] == deepest
    means = weights["block1/bn2/beta"]
    assert told["below"] == {"count": (means < 0).sum(), "of": len(means)}
    assert told["below"]["count"] > len(means) / 2


def test_every_frame_opens_where_the_text_says(client: Client) -> None:
    page = unescape(client.get("/learn/feature-maps/").content.decode())
    opened = dict(re.findall(r'data-figure="(\w+)".*?<iframe src="([^"]*)"', page, re.S))
    for name, layer in (("sum", MIXING), ("maps", "block1/relu2"), ("pool", "block1/pool")):
        assert f"network=vgg&layer={layer.replace('/', '%2F')}" in opened[name]
        frame = client.get(opened[name])
        assert re.search(r"data-laboratory-corrections[^>]* hidden", frame.content.decode())


def test_a_table_shows_what_no_single_layer_can_do() -> None:
    for row in feature_maps.context()["bends"]:
        assert row["sum"] == abs(row["a"] - row["b"])


def test_where_no_network_can_be_looked_into_the_lesson_can_still_be_read(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "cards", tuple)
    page = unescape(client.get("/learn/feature-maps/").content.decode())
    assert "Why there must be a bend" in page
    assert "has 3 × 3 ×" not in page
    opened = re.findall(r'<iframe src="[^"?]*\?([^"]*)"', page)
    assert opened == ["part="] * 3
