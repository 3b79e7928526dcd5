"""Lesson 7: every task the right way and two wrong ways, on the networks that were trained for it."""

from __future__ import annotations

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from learn.figures import skip
from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.lesson_page import figure, is_missed, is_solved, open_lesson

RUNS = skip.load()
TEN, TWENTY = 10, 20


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_lesson(researcher.open(width=width, login=False), "skip-connections")


def choose(
    frame: FrameLocator, *, depth: int | None = None, when: str | None = None, layer: int | None = None
) -> None:
    if depth is not None:
        frame.locator("[data-depth-pick]").select_option(str(depth))
        expect(frame.locator("[data-twin]")).to_contain_text(f"{depth} layers")
    if when is not None:
        frame.locator("[data-when-pick]").select_option(when)
    if layer is not None:
        frame.locator("[data-layer]").fill(str(layer))
        expect(frame.locator("[data-twin]")).to_contain_text(f"convolution {layer + 1} of")


@BOTH_WIDTHS
def test_where_it_gets_out_of_hand(page: Page) -> None:
    deepest = RUNS.depths[-1]
    values = RUNS.gradients("plain", deepest, "start")
    first = max(i for i, value in enumerate(values) if value > TEN * values[-1])
    frame = figure(page, "skip")
    is_missed(page, "explodes", f"Choose the deepest networks, those of {deepest} layers")
    choose(frame, depth=deepest, layer=len(values) - 1)
    is_missed(page, "explodes", "Here it is 1.0 times that of the last one")
    choose(frame, layer=0)
    is_missed(page, "explodes", "also at a convolution further to the right")
    choose(frame, when="end", layer=first)
    is_missed(page, "explodes", "before the first step")
    choose(frame, when="start")
    is_solved(page, "explodes")


@BOTH_WIDTHS
def test_deep_enough_and_calm(page: Page) -> None:
    spreads = {depth: RUNS.spread("plain", depth, "start") for depth in RUNS.depths}
    calm = next(depth for depth in RUNS.depths[1:] if spreads[depth] < TWENTY)
    assert calm == RUNS.depths[1]
    frame = figure(page, "skip")
    is_missed(page, "calm", "This is the smallest depth")
    choose(frame, depth=RUNS.depths[-1])
    is_missed(page, "calm", "the largest is")
    choose(frame, depth=calm, when="end")
    is_missed(page, "calm", "before the first step")
    choose(frame, when="start")
    is_solved(page, "calm")


@BOTH_WIDTHS
def test_deeper_and_worse(page: Page) -> None:
    reached = {depth: RUNS.curve("plain", depth, "accuracy")[-1] for depth in RUNS.depths}
    best = max(reached, key=lambda depth: reached[depth])
    frame = figure(page, "skip")
    choose(frame, depth=RUNS.depths[0])
    is_missed(page, "worse", "no shallower one reached more")
    choose(frame, depth=best)
    is_missed(page, "worse", "no shallower one reached more")
    choose(frame, depth=RUNS.depths[-1])
    is_solved(page, "worse")


def test_the_deepest_plain_network_learned_least_and_shortcuts_mended_it() -> None:
    """What the lesson says of the study is what the study says."""
    reached = {depth: RUNS.curve("plain", depth, "accuracy")[-1] for depth in RUNS.depths}
    assert reached[RUNS.depths[-1]] == min(reached.values())
    # Any depth but the smallest solves the last task.
    for depth in RUNS.depths[1:]:
        assert reached[depth] < reached[RUNS.depths[0]]
        assert RUNS.curve("residual", depth, "accuracy")[-1] > reached[depth]
    assert RUNS.curve("residual", RUNS.depths[-1], "accuracy")[-1] > 2 * reached[RUNS.depths[-1]]
    assert RUNS.spread("plain", RUNS.depths[-1], "start") > 10 * RUNS.spread(
        "residual", RUNS.depths[-1], "start"
    )
