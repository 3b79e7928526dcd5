"""Lesson 6: every task the right way and two wrong ways, with networks and layers of one's own choice."""

from __future__ import annotations

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.lesson_page import figure, is_missed, is_solved, open_lesson


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_lesson(researcher.open(width=width, login=False), "architectures")


def show(frame: FrameLocator, net: str = "", versus: str = "") -> None:
    for key, slug in (("net", net), ("versus", versus)):
        if slug:
            frame.locator(f"[data-pick-{key}]").select_option(slug)


def choose(frame: FrameLocator, key: str, *keys: str) -> None:
    drawing = frame.locator(f"[data-side={key}] [data-drawing]")
    for one in ("Home", *keys):
        drawing.press(one)


@BOTH_WIDTHS
def test_more_than_half_in_one_layer(page: Page) -> None:
    frame = figure(page, "first")
    is_missed(page, "half", "“Convolution 1” is chosen in AlexNet, and holds 0.1% of its weights")
    choose(frame, "versus", "End", "ArrowLeft")
    is_missed(page, "half", "“Dense layer 2” is chosen in AlexNet, and holds 27.5%")
    show(frame, versus="vgg-16")
    is_missed(page, "half", "AlexNet is not shown")
    show(frame, net="alexnet")
    choose(frame, "net", "End", "ArrowLeft", "ArrowLeft")
    is_solved(page, "half")


@BOTH_WIDTHS
def test_few_weights_and_much_work(page: Page) -> None:
    frame = figure(page, "deep")
    is_missed(page, "busy", "“Block 1, convolution 1” does 0.6% of the computing")
    choose(frame, "net", *["ArrowRight"] * 4)
    is_missed(page, "busy", "“Block 2, convolution 2” has 147,584 weights")
    choose(frame, "net", "ArrowRight")
    is_solved(page, "busy")


def test_a_shortcut_that_is_not_free(page: Page) -> None:
    frame = figure(page, "deep")
    is_missed(page, "shortcut", "“Stem, convolution” is on the main way")
    choose(frame, "versus", "ArrowRight")
    is_missed(page, "shortcut", "“Stem, pooling” is not a convolution")
    # Two layers of the stem, three blocks of two, and the first block of group 2.
    choose(frame, "versus", *["ArrowRight"] * 10)
    is_solved(page, "shortcut")


def test_three_groups_at_one_price(page: Page) -> None:
    frame = figure(page, "wide")
    choose(frame, "versus", "ArrowRight")
    is_missed(page, "late", "The part that it belongs to holds 4.5% of the weights")
    choose(frame, "versus", "End")
    is_missed(page, "late", "“Head, dense layer” is not a convolution")
    choose(frame, "versus", "End", "ArrowLeft", "ArrowLeft")
    is_solved(page, "late")


def test_fewer_weights_and_more_computing(page: Page) -> None:
    frame = figure(page, "wide")
    is_missed(page, "exchange", "Wide ResNet 28-10 is newer, but has more weights than ResNet-34")
    show(frame, net="vgg-16")
    is_missed(page, "exchange", "Wide ResNet 28-10 has fewer weights than VGG-16, but it also computes less")
    show(frame, net="site-vgg")
    is_missed(page, "exchange", "was not published")
    show(frame, net="wrn-28-10")
    is_missed(page, "exchange", "Both are the same network")
    show(frame, versus="alexnet")
    is_solved(page, "exchange")


def test_a_guess_opens_its_figure(researcher: Visitor) -> None:
    page = open_lesson(researcher.open(login=False), "architectures", guess=False)
    expect(page.locator("[data-figure=first]")).to_be_hidden()
    guess = page.locator("[data-predict=share]")
    guess.get_by_label("About half.").check()
    guess.locator("[data-say]").click()
    expect(page.locator("[data-figure=first]")).to_be_visible()
    expect(guess.locator("[data-answer]")).to_contain_text("the other 96%")
