"""Lesson 2: every task the right way and two wrong ways, with kernels of one's own."""

from __future__ import annotations

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.lesson_page import figure, is_missed, is_solved, open_lesson, task


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_lesson(researcher.open(width=width, login=False), "convolution")


def kernel(frame: FrameLocator, *weights: float) -> None:
    for place, weight in enumerate(weights):
        frame.locator("[data-weights] input").nth(place).fill(f"{weight:g}")


def settle(frame: FrameLocator, **settings: str) -> None:
    for name, value in settings.items():
        frame.locator(f"[data-pick-{name}]").select_option(value)


@BOTH_WIDTHS
def test_horizontal_edges(page: Page) -> None:
    frame = figure(page, "kernel")
    is_missed(page, "horizontal", "hardly answers to an edge between above and below")
    kernel(frame, 1, 1, 1, 0, 0, 0, 0, 0, 0)
    is_missed(page, "horizontal", "They must add up to 0")
    kernel(frame, 2, 1, 0, 1, 0, -1, 0, -1, -2)
    is_missed(page, "horizontal", "edges between left and right too")
    kernel(frame, 1, 1, 1, 0, 0, 0, -1, -1, -1)
    is_solved(page, "horizontal")


def test_the_ready_kernel_turned_solves_it_too(page: Page) -> None:
    frame = figure(page, "kernel")
    frame.get_by_role("button", name="Turn by 90°").click()
    is_solved(page, "horizontal")


def test_soften(page: Page) -> None:
    frame = figure(page, "kernel")
    is_missed(page, "soften", "A weight is negative")
    frame.locator("[data-preset]").select_option("identity")
    is_missed(page, "soften", "larger than 0.3")
    frame.locator("[data-preset]").select_option("blur")
    is_missed(page, "soften", "add up to 0.999")
    kernel(frame, 0.1, 0.1, 0.1, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1)
    is_solved(page, "soften")


def test_half_as_many_rows(page: Page) -> None:
    frame = figure(page, "kernel")
    is_missed(page, "halve", "32 rows come out of 32")
    settle(frame, stride="2", padding="0")
    is_missed(page, "halve", "15 rows come out of 32")
    settle(frame, padding="1")
    is_solved(page, "halve")


def test_a_wider_look_of_the_same_size(page: Page) -> None:
    frame = figure(page, "kernel")
    is_missed(page, "wide", "covers 3 rows, not five")
    settle(frame, dilation="2")
    is_missed(page, "wide", "30 rows come out of 32")
    settle(frame, padding="2")
    is_solved(page, "wide")


@BOTH_WIDTHS
def test_tasks_wait_with_their_figure_and_are_announced_with_it(researcher: Visitor, width: int) -> None:
    page = open_lesson(researcher.open(login=False, width=width), "convolution", guess=False)
    early = [task(page, key) for key in ("horizontal", "soften")]
    late = [task(page, key) for key in ("halve", "wide")]
    for one in (*early, *late, page.locator("[data-figure=kernel]")):
        expect(one).to_be_hidden()
    flat, turned = page.locator("[data-predict=flat]"), page.locator("[data-predict=turned]")
    # Who guesses the other one first still waits for the figure.
    turned.locator("[data-skip]").click()
    expect(late[0]).to_be_hidden()
    flat.locator("[data-skip]").click()
    expect(flat.locator("[data-verdict]")).to_have_text("The figure and its 4 tasks follow below.")
    for one in (*early, *late, page.locator("[data-figure=kernel]")):
        expect(one).to_be_visible()


def test_a_task_leads_back_to_its_figure(page: Page) -> None:
    figure(page, "kernel")
    back = task(page, "wide").get_by_role("link", name="To the figure")
    back.focus()
    page.keyboard.press("Enter")
    shown = page.locator("[data-figure=kernel]")
    expect(shown).to_be_focused()
    expect(shown).to_be_in_viewport()
    box = shown.bounding_box()
    assert box
    assert 0 < box["y"] < 60
    # From there the next stop is inside the figure.
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "IFRAME"


def test_without_scripts_tasks_and_figures_are_all_there(researcher: Visitor) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.goto("/learn/convolution/")
    for one in (*page.locator("[data-task]").all(), page.locator("[data-figure=kernel]")):
        expect(one).to_be_visible()


def test_a_guess_is_not_forgotten_by_a_reload(researcher: Visitor) -> None:
    page = open_lesson(researcher.open(login=False), "convolution", guess=False)
    guess = page.locator("[data-predict]").first
    guess.get_by_role("radio").first.check()
    guess.get_by_role("button", name="That is my guess").click()
    verdict = guess.locator("[data-verdict]")
    expect(verdict).to_contain_text("You guessed")
    said = verdict.inner_text()
    page.reload()
    expect(verdict).to_have_text(said)
    expect(guess.locator("[data-answer] p")).to_be_visible()
    expect(guess.get_by_role("radio").first).to_be_checked()
    # The other guesses still wait.
    expect(page.locator("[data-predict] [data-say]:visible")).not_to_have_count(0)
