"""Lesson 1: every task the right way and two wrong ways, and each figure with only what belongs to it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.lesson_page import figure, is_missed, is_solved, open_lesson


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_lesson(researcher.open(width=width, login=False), "pixels")


def values(frame: FrameLocator) -> np.ndarray:
    data = json.loads(frame.locator("#pixels-data").text_content() or "")
    return np.array(data["pixels"]).reshape(data["side"], data["side"], 3)


def click(frame: FrameLocator, fits: np.ndarray) -> None:
    """Clicks the first pixel of those that fit."""
    row, column = np.argwhere(fits)[0]
    place = frame.get_by_role("application")
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box
    rows, columns = fits.shape
    place.click(
        position={"x": box["width"] * (column + 0.5) / columns, "y": box["height"] * (row + 0.5) / rows}
    )
    expect(frame.locator("[data-twin]")).to_contain_text(f"Row {row + 1}, column {column + 1}:")


def redness(seen: np.ndarray) -> np.ndarray:
    return seen[..., 0] - seen[..., 1:].max(-1)


@BOTH_WIDTHS
def test_something_red(page: Page) -> None:
    frame = figure(page, "place")
    seen = values(frame)
    is_missed(page, "redder", "No pixel is chosen yet")
    click(frame, (redness(seen) < 60) & (seen[..., 0] >= 150))
    is_missed(page, "redder", "another one is less than 60 below it")
    click(frame, (redness(seen) < 60) & (seen[..., 0] < 150))
    is_missed(page, "redder", "Red must be 60 above both others")
    click(frame, redness(seen) == 60 if (redness(seen) == 60).any() else redness(seen) > 60)
    is_solved(page, "redder")


def test_nothing_red_in_the_picture(researcher: Visitor) -> None:
    page = open_lesson(researcher.open(login=False), "pixels/?on=sample:cloud")
    figure(page, "place")
    is_missed(page, "redder", "Choose another picture")


def test_a_grey_pixel_that_nobody_has_chosen_does_not_count(researcher: Visitor) -> None:
    page = open_lesson(researcher.open(login=False), "pixels/?on=sample:clock")
    frame = figure(page, "channels")
    middle = values(frame)[16, 16]
    assert middle[0] >= 150
    assert np.ptp(middle) <= 30
    is_missed(page, "grey", "No pixel is chosen yet")
    for key in ("ArrowLeft", "ArrowRight"):
        frame.get_by_role("application").press(key)
    is_solved(page, "grey")


def test_much_red_and_not_red(page: Page) -> None:
    frame = figure(page, "channels")
    seen = values(frame)
    spread = seen.max(-1) - seen.min(-1)
    click(frame, (seen[..., 0] >= 150) & (spread > 30))
    is_missed(page, "grey", "that is a colour")
    click(frame, seen[..., 0] == 149 if (seen[..., 0] == 149).any() else seen[..., 0] < 150)
    is_missed(page, "grey", "Find one of at least 150")
    click(frame, (seen[..., 0] >= 150) & (spread <= 30))
    frame.get_by_role("checkbox", name="Green").uncheck()
    is_missed(page, "grey", "A channel is switched off")
    frame.get_by_role("checkbox", name="Green").check()
    is_solved(page, "grey")


@BOTH_WIDTHS
def test_a_thousand_bits(page: Page) -> None:
    frame = figure(page, "size")
    is_missed(page, "thousand", "It still takes 24,576 bits")
    frame.locator("[data-pick-rows]").select_option("8")
    is_missed(page, "thousand", "Only 8 rows are left")
    frame.locator("[data-pick-rows]").select_option("32")
    frame.locator("[data-pick-steps]").select_option("2")
    for name in ("Red", "Blue"):
        frame.get_by_role("checkbox", name=name).uncheck()
    is_missed(page, "thousand", "It still takes 1,024 bits")
    frame.locator("[data-pick-rows]").select_option("16")
    frame.locator("[data-pick-steps]").select_option("8")
    is_solved(page, "thousand")


def test_a_thousand_bits_in_another_way(page: Page) -> None:
    frame = figure(page, "size")
    frame.locator("[data-pick-rows]").select_option("16")
    is_missed(page, "thousand", "It still takes 6,144 bits")
    frame.locator("[data-pick-steps]").select_option("4")
    is_missed(page, "thousand", "It still takes 1,536 bits")
    frame.locator("[data-pick-steps]").select_option("2")
    is_solved(page, "thousand")


@BOTH_WIDTHS
def test_lose_half_of_it(page: Page) -> None:
    frame = figure(page, "add")
    numbers = values(frame)
    least = next(add for add in range(1, 256) if (numbers + add > 255).mean() >= 0.5)
    is_missed(page, "half", "Nothing is added yet")
    typed = frame.locator("[data-typed]")
    typed.fill(str(least - 1))
    is_missed(page, "half", "It must be at least half of them")
    typed.fill("255")
    is_missed(page, "half", "Go back towards 0")
    typed.fill(str(least))
    is_solved(page, "half")


def test_a_bright_picture_loses_half_sooner_at_the_upper_end(researcher: Visitor) -> None:
    page = open_lesson(researcher.open(login=False), "pixels/?on=sample:pear")
    frame = figure(page, "add")
    numbers = values(frame)
    down = next(add for add in range(1, 256) if (numbers - add < 0).mean() >= 0.5)
    frame.locator("[data-typed]").fill(str(-down))
    is_missed(page, "half", "on the other side of 0 a smaller number does it")
    up = next(add for add in range(1, 256) if (numbers + add > 255).mean() >= 0.5)
    frame.locator("[data-typed]").fill(str(up + 10))
    is_solved(page, "half")


@BOTH_WIDTHS
def test_each_figure_shows_only_what_belongs_to_it(page: Page) -> None:
    parts = {
        "place": ["[data-value=red]", "[data-window-rows]"],
        "channels": ["[data-value=red]", "[data-grey=red]", "[data-total]"],
        "size": ["[data-grey=red]", "[data-total]", "[data-pick-rows]", "[data-apart]"],
        "add": ["[data-window-rows]", "[data-slider]", "[data-clipped]"],
    }
    every = {name for names in parts.values() for name in names}
    for part, shown in parts.items():
        frame = figure(page, part)
        expect(frame.locator("[data-colours]")).to_be_visible()
        for name in every:
            expect(frame.locator(name)).to_be_visible(visible=name in shown)
        inside = frame.locator("html").evaluate("(root) => [root.scrollWidth, root.clientWidth]")
        assert inside[0] <= inside[1]
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
