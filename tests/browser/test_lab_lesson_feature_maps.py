"""Lesson 3: every task the right way and two wrong ways, with cells of the shipped networks."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import FrameLocator, Page, expect

from ml.explain.structure import structure
from ml.explain.trace import Trace, value
from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.lesson_page import figure, is_missed, is_solved, open_lesson
from tests.sums import Sums, corner, sums, windows

OF = structure("vgg")
MIXING = "block1/conv2"
CLEAR = 0.01  # further from zero than two ways of adding up differ


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_lesson(researcher.open(width=width, login=False), "feature-maps")


@pytest.fixture
def trace(page: Page) -> Trace:
    """What the network made of the picture, as the site hands it out."""
    asked = {"on": "sample:apple", "network": "vgg", "kind": "xray", "parameters": "{}"}
    base = page.request.get("/learn/laboratory/explanations/find", params=asked).json()["base"]

    def member(name: str) -> NDArray[np.float32]:
        answer = page.request.get(f"{base}clean/{name.replace('/', '.')}.npy")
        return np.asarray(np.load(io.BytesIO(answer.body())), np.float32)

    convolutions = {name: member(name) for name in OF.convolutions}
    return Trace(np.zeros((OF.card.size, OF.card.size, 3), np.uint8), convolutions, np.zeros(0, np.float32))


def layer(frame: FrameLocator, name: str) -> None:
    frame.locator("[data-layer]").select_option(name)


def go(frame: FrameLocator, **place: int) -> None:
    """Chooses channel, y and x by numbers, counted from 0, and waits until the figure speaks of that cell."""
    for key, number in place.items():
        field = frame.locator(f"[data-choose-{key}]")
        field.fill(str(number if key == "channel" else number + 1))
        field.press("Tab")
    channel, row, column = (
        frame.locator(f"[data-choose-{key}]").input_value() for key in ("channel", "y", "x")
    )
    speaks_of(frame, f"channel {channel}, row {row}, column {column}:")


def point(frame: FrameLocator, y: int, x: int, side: int) -> None:
    """Clicks a cell of the map of ``side`` rows, which holds it while the mouse goes elsewhere."""
    frame.locator("[data-pad]").press("Escape")
    canvas = frame.locator("canvas[data-output]")
    box = canvas.bounding_box()
    assert box
    unit = box["width"] / side
    canvas.click(position={"x": (x + 0.5) * unit, "y": (y + 0.5) * unit})
    speaks_of(frame, f"row {y + 1}, column {x + 1}:")


def speaks_of(frame: FrameLocator, place: str) -> None:
    expect(frame.locator("[data-twin]")).to_contain_text(place)


def any_of(places: NDArray[np.bool_]) -> dict[str, int]:
    y, x = np.argwhere(places)[0]
    return {"y": int(y), "x": int(x)}


def found(trace: Trace, wanted: Callable[[Sums], NDArray[np.bool_]]) -> dict[str, int]:
    """The first cell of the mixing convolution that is as wanted, and further from zero than rounding."""
    for channel in range(OF.layer(MIXING).shape[0]):
        told = sums(OF, trace, MIXING, channel)
        clear = (np.abs(told.total) > CLEAR) & (np.abs(told.normalised) > CLEAR)
        if (places := wanted(told) & clear).any():
            return {"channel": channel, **any_of(places)}
    raise AssertionError("There is no such cell.")


@BOTH_WIDTHS
def test_outvoted(page: Page, trace: Trace) -> None:
    frame = figure(page, "sum")
    is_missed(page, "outvoted", "More of them must add")
    go(frame, **found(trace, lambda told: (told.adds > told.takes) & (told.total > 0)))
    is_missed(page, "outvoted", "It must be below zero")
    layer(frame, "block1/conv1")
    is_missed(page, "outvoted", "reads the picture, not maps")
    layer(frame, MIXING)
    go(frame, **found(trace, lambda told: told.outvoted))
    is_solved(page, "outvoted")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


def test_a_majority_that_normalisation_lets_pass_is_not_cut(page: Page, trace: Trace) -> None:
    frame = figure(page, "sum")
    passing = found(trace, lambda told: (told.adds > told.takes) & told.below)
    go(frame, **passing)
    is_missed(page, "outvoted", "ReLU lets it pass")


def test_one_among_many(page: Page, trace: Trace) -> None:
    frame = figure(page, "sum")
    layer(frame, "block1/pool")
    is_missed(page, "single", "This layer is a pooling")
    layer(frame, MIXING)
    go(frame, **found(trace, lambda told: told.first < 0.24))
    is_missed(page, "single", "makes up only")
    go(frame, **found(trace, lambda told: told.first > 0.26))
    is_solved(page, "single")


def test_below_zero_and_yet_it_passes(page: Page, trace: Trace) -> None:
    frame = figure(page, "sum")
    go(frame, **found(trace, lambda told: told.total > 0))
    is_missed(page, "below", "It must be below zero")
    go(frame, **found(trace, lambda told: (told.total < 0) & (told.relu == 0)))
    is_missed(page, "below", "ReLU leaves nothing of it")
    go(frame, **found(trace, lambda told: told.below))
    is_solved(page, "below")


def test_what_a_shortcut_lifts_does_not_count(page: Page) -> None:
    frame = figure(page, "sum")
    frame.locator("[data-pick=network]").select_option("wideresnet")
    layer(frame, "group1/block1/conv2")
    is_missed(page, "below", "A shortcut is added here")


@BOTH_WIDTHS
def test_the_lower_right_of_four(page: Page, trace: Trace) -> None:
    frame = figure(page, "pool")
    four = windows(value(OF, trace, "block1/relu2"))[0]
    above = (four > 0).sum(-1)
    for places, sentence in (
        (above == 0, "All four numbers are zero"),
        ((above > 1) & (four.argmax(-1) < 3), "does not stand at the lower right"),
        ((above == 1) & (four.argmax(-1) == 3), "The other three are zero"),
    ):
        point(frame, **any_of(places), side=len(four))
        is_missed(page, "corner", sentence)
    point(frame, **any_of(corner(four)), side=len(four))
    is_solved(page, "corner")


def test_why_it_is_zero(page: Page, trace: Trace) -> None:
    frame = figure(page, "pool")
    pooled = value(OF, trace, "block1/pool")[0]
    before = windows(value(OF, trace, "block1/bn2")[0])
    layer(frame, "block1/conv1")
    is_missed(page, "nothing", "No max pooling reads this layer")
    layer(frame, "block1/pool")
    go(frame, **any_of(pooled > 0))
    is_missed(page, "nothing", "This cell is not zero")
    # The one that comes closest is not where the figure leads first.
    go(frame, **any_of((pooled == 0) & (before.argmax(-1) == 3)))
    is_missed(page, "nothing", "Now go back to the convolution")
    frame.get_by_role("button", name="Take apart where it comes from").click()
    expect(frame.locator("[data-layer]")).to_have_value(MIXING)
    is_missed(page, "nothing", "another of the four cells came closer")
    pad = frame.locator("[data-pad]")
    pad.press("ArrowRight")
    pad.press("ArrowDown")
    is_solved(page, "nothing")


def test_an_average_of_little(page: Page, trace: Trace) -> None:
    frame = figure(page, "pool")
    is_missed(page, "average", "no average pooling")
    layer(frame, "head/pool")
    above = (value(OF, trace, "block4/relu2") > 0).sum((1, 2))
    for places, sentence in ((above == 0, "and so is their average"), (above > 2, "more than one in eight")):
        go(frame, channel=int(np.argmax(places)))
        is_missed(page, "average", sentence)
    go(frame, channel=int(np.argmax((above > 0) & (above <= 2))))
    is_solved(page, "average")


def test_the_maps_of_the_guess_are_those_that_the_text_means(page: Page) -> None:
    frame = figure(page, "maps")
    expect(frame.locator("[data-pick-layer]")).to_have_value("block1/relu2")
    expect(frame.locator('[data-level="layer"]')).to_be_visible()
