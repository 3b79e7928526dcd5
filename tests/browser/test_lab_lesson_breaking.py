"""Lesson 10: every task the right way and two wrong ways, with the shipped networks."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import Visitor
from tests.browser.laboratory_page import SOON
from tests.browser.lesson_page import figure, is_missed, is_solved, open_lesson

CELLS = 8


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_lesson(researcher.open(width=width, login=False), "breaking")


def heat(frame: FrameLocator):
    return frame.get_by_role("application", name="Map of VGG, square by square")


def covering(page: Page) -> FrameLocator:
    frame = figure(page, "looked")
    expect(frame.locator("[data-panel=vgg] [data-words]")).to_contain_text("covering it", timeout=SOON)
    # The bar that came with the picture is taken away.
    frame.get_by_role("button", name="Take all bars away").press("Enter")
    expect(frame.locator("[data-covering-says]")).to_contain_text("No square is a bar")
    return frame


def toggle(frame: FrameLocator, row: int, column: int) -> None:
    """Turns a square, counted from 1, into a bar or back, by keys."""
    heat(frame).focus()
    heat(frame).press("Control+Home")
    for _ in range(CELLS):
        heat(frame).press("ArrowUp")
    heat(frame).press("Home")
    for _ in range(row - 1):
        heat(frame).press("ArrowDown")
    for _ in range(column - 1):
        heat(frame).press("ArrowRight")
    heat(frame).press("Enter")


def strongest(frame: FrameLocator) -> tuple[int, int]:
    text = frame.locator("[data-panel=vgg] [data-words]").inner_text()
    found = re.search(r"strongest in row (\d+), column (\d+)", text, re.I)
    assert found
    return int(found[1]), int(found[2])


def test_a_little_is_enough(page: Page) -> None:
    frame = covering(page)
    is_missed(page, "little", "Nothing is covered")
    row, column = strongest(frame)
    toggle(frame, CELLS, 1)
    is_missed(page, "little", "Both networks answer as before")
    toggle(frame, CELLS, 1)
    toggle(frame, row, column)
    is_solved(page, "little")


def test_a_lot_is_not_enough(page: Page) -> None:
    frame = covering(page)
    is_missed(page, "resist", "Nothing is covered")
    toggle(frame, 1, 1)
    is_missed(page, "resist", "Cover at least 10%")
    row, column = strongest(frame)
    toggle(frame, row, column)
    for across in range(2, CELLS):
        toggle(frame, 1, across)
    is_missed(page, "resist", "An answer has changed")
    toggle(frame, row, column)
    is_solved(page, "resist")


def slider(frame: FrameLocator):
    return frame.get_by_role("slider", name="Covered")


def answers(frame: FrameLocator, step: int) -> list[str]:
    """What the two networks answer at a step, as the table of all steps has it."""
    cells = frame.locator("[data-rows] tr").nth(step).locator("td")
    return [cells.nth(1).text_content() or "", cells.nth(3).text_content() or ""]


def dose(page: Page) -> FrameLocator:
    frame = figure(page, "dose")
    expect(frame.locator("[data-rows] tr")).to_have_count(21, timeout=SOON)
    for side in ("vgg", "wideresnet"):
        expect(frame.locator(f"[data-side={side}] [data-words]")).not_to_be_empty(timeout=SOON)
    return frame


def test_where_it_tips(page: Page) -> None:
    frame = dose(page)
    is_missed(page, "tip", "Both answers are still those of the whole picture")
    whole = answers(frame, 0)
    tips = next(
        step for step in range(21) if any(a != b for a, b in zip(answers(frame, step), whole, strict=True))
    )
    slider(frame).fill("20")
    is_missed(page, "tip", "An answer has changed before" if tips < 20 else "That is it")
    frame.get_by_role("radio", name="random").check()
    is_missed(page, "tip", "Another order is chosen")
    frame.get_by_role("radio", name="most important first", exact=False).check()
    slider(frame).fill(str(tips))
    is_solved(page, "tip")


def test_which_order_holds_out_longest(page: Page) -> None:
    frame = dose(page)
    areas = {}
    for order in ("most", "least", "random"):
        cells = [
            frame.locator(f'[data-area="{network} {order}"]').inner_text()
            for network in ("vgg", "wideresnet")
        ]
        areas[order] = sum(float(text.rstrip("%")) for text in cells)
    best, *others = sorted(areas, key=lambda order: -areas[order])
    for order in others:
        frame.locator(f"[data-order] input[value={order}]").check()
        is_missed(page, "hold", "In another order they stay surer")
    frame.locator(f"[data-order] input[value={best}]").check()
    is_solved(page, "hold")
