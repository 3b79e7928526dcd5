"""Lesson 9: every task the right way and two wrong ways, with the shipped networks."""

from __future__ import annotations

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.lesson_page import figure, is_missed, is_solved, open_lesson


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_lesson(researcher.open(width=width, login=False), "cutmix?on=sample:apple")


def box(frame: FrameLocator, row: int, column: int, height: int, width: int) -> None:
    """Puts the rectangle there, counted from 0, by keys."""
    mixed = frame.get_by_role("application", name="The mixed picture and its rectangle")
    for key in ("Shift+ArrowLeft", "Shift+ArrowUp", "ArrowLeft", "ArrowUp"):
        for _ in range(32):
            mixed.press(key)
    for key, times in (
        ("ArrowDown", row),
        ("ArrowRight", column),
        ("Shift+ArrowDown", height - 1),
        ("Shift+ArrowRight", width - 1),
    ):
        for _ in range(times):
            mixed.press(key)
    expect(frame.locator("[data-twin]")).to_contain_text(
        f"begins in row {row + 1}, column {column + 1} and is {height} rows high and {width} columns wide"
    )


@BOTH_WIDTHS
def test_fifty_fifty(page: Page) -> None:
    frame = figure(page, "cutmix")
    is_missed(page, "half", "90.2% of the pixels are the first picture’s, and 9.8% the other’s")
    box(frame, 0, 0, 22, 23)
    is_missed(page, "half", "50.6%")
    box(frame, 0, 0, 16, 32)
    is_solved(page, "half")


def test_a_small_part_wins(page: Page) -> None:
    frame = figure(page, "cutmix")
    is_missed(page, "usurp", "Neither network names the class of the other picture")
    box(frame, 0, 0, 30, 30)
    is_missed(page, "usurp", "It may have 40% at most")
    box(frame, 10, 4, 16, 22)
    is_solved(page, "usurp")


def test_neither_of_the_two(page: Page) -> None:
    frame = figure(page, "cutmix")
    is_missed(page, "neither", "Both networks name the class of one of the two pictures")
    box(frame, 0, 0, 30, 30)
    is_missed(page, "neither", "Both networks name the class of one of the two pictures")
    box(frame, 20, 0, 12, 14)
    is_solved(page, "neither")


def test_as_it_was_taught(page: Page) -> None:
    frame = figure(page, "cutmix")
    is_missed(page, "shares", "less than 15% of the pixels")
    box(frame, 10, 4, 16, 22)
    is_missed(page, "shares", "Neither network is within 20 percentage points")
    box(frame, 8, 18, 22, 8)
    is_solved(page, "shares")


def test_two_pictures_of_one_class_settle_nothing(page: Page) -> None:
    frame = figure(page, "cutmix")
    frame.locator("[data-other]").select_option("apple")
    is_missed(page, "usurp", "Both pictures are of one class")
    is_missed(page, "neither", "Both pictures are of one class")
