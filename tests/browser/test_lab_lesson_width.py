"""Lesson 8: every task the right way and two wrong ways. Times are made up."""

from __future__ import annotations

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from learn.figures.cost import Network
from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.cost_page import give_times
from tests.browser.lesson_page import figure, is_missed, is_solved, open_lesson


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    page = researcher.open(width=width, login=False)
    give_times(page, without=(Network(10, 6),))
    return open_lesson(page, "width")


def choose(frame: FrameLocator, depth: int, width: int) -> None:
    frame.locator("[data-depth]").fill(str(depth))
    frame.locator("[data-width]").fill(str(width))
    expect(frame.locator("[data-title]")).to_contain_text(f"{depth}-{width} against")


def pin(frame: FrameLocator, depth: int, width: int) -> None:
    choose(frame, depth, width)
    frame.get_by_role("button", name="Compare with this one").click()
    expect(frame.locator("[data-title]")).to_have_text(f"{depth}-{width} against {depth}-{width}")


@BOTH_WIDTHS
def test_four_times_with_one_slider(page: Page) -> None:
    frame = figure(page, "counts")
    is_missed(page, "four", "Depth and width both differ")
    pin(frame, 10, 3)
    is_missed(page, "four", "The chosen network is the pinned one")
    choose(frame, 22, 3)
    is_missed(page, "four", "3.51 times the parameters")
    choose(frame, 10, 6)
    is_solved(page, "four")


def test_four_times_works_at_any_depth(page: Page) -> None:
    frame = figure(page, "counts")
    pin(frame, 40, 6)
    choose(frame, 40, 12)
    is_solved(page, "four")


@BOTH_WIDTHS
def test_as_large_and_quite_unlike(page: Page) -> None:
    frame = figure(page, "counts")
    is_missed(page, "twins", "28 layers are not more than twice 16")
    pin(frame, 40, 4)
    choose(frame, 16, 4)
    is_missed(page, "twins", "0.309 times the parameters")
    choose(frame, 16, 7)
    is_solved(page, "twins")


def test_it_does_not_matter_which_of_the_two_is_pinned(page: Page) -> None:
    frame = figure(page, "counts")
    pin(frame, 10, 5)
    choose(frame, 34, 2)
    is_solved(page, "twins")


def test_a_budget(page: Page) -> None:
    frame = figure(page, "counts")
    is_missed(page, "budget", "too few parameters")
    choose(frame, 28, 5)
    is_missed(page, "budget", "too many multiply-adds")
    choose(frame, 16, 6)
    is_missed(page, "budget", "depends on 53 rows. It takes 63")
    choose(frame, 28, 4)
    is_solved(page, "budget")


@BOTH_WIDTHS
def test_less_work_and_more_time(page: Page) -> None:
    frame = figure(page, "times")
    # It opens with two networks that do nearly the same.
    expect(frame.locator("[data-title]")).to_have_text("34-3 against 16-5")
    is_missed(page, "slower", "0.992 times the work")
    pin(frame, 10, 4)
    choose(frame, 10, 2)
    is_missed(page, "slower", "It does less, and takes")
    pin(frame, 10, 3)
    choose(frame, 40, 1)
    is_solved(page, "slower")


def test_less_work_and_more_time_counts_as_many_pictures_at_once_as_are_shown(page: Page) -> None:
    frame = figure(page, "times")
    pin(frame, 10, 4)
    choose(frame, 40, 1)
    frame.locator("[data-choose=batch]").select_option("32")
    is_missed(page, "slower", "It does less, and takes")
    pin(frame, 10, 6)
    choose(frame, 40, 1)
    is_missed(page, "slower", "One of the two has not been measured")


def test_each_frame_shows_its_own_part(page: Page) -> None:
    counts, times = figure(page, "counts"), figure(page, "times")
    expect(counts.locator("[data-plan]")).to_be_visible()
    expect(counts.locator("[data-chart]")).to_be_hidden()
    expect(counts.locator("[data-measure=alone]")).to_be_hidden()
    expect(times.locator("[data-plan]")).to_be_hidden()
    expect(times.locator("[data-chart]")).to_be_visible()
    expect(times.locator("[data-measure=alone]")).to_be_visible()
