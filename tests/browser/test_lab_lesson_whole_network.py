"""Lesson 4: every task the right way and two wrong ways, in the X-ray of the shipped networks."""

from __future__ import annotations

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.laboratory_page import SOON
from tests.browser.lesson_page import figure, is_missed, is_solved, open_lesson


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_lesson(researcher.open(width=width, login=False), "whole-network")


@pytest.fixture
def frame(page: Page) -> FrameLocator:
    found = figure(page, "xray")
    expect(found.locator(".xray-row")).to_have_count(6 + 15, timeout=SOON)
    return found


def layer(frame: FrameLocator, name: str) -> None:
    frame.locator("[data-pick-layer]").select_option(name)


def channel(frame: FrameLocator, number: str) -> None:
    frame.locator("[data-pick-channel]").fill(number)
    frame.locator("[data-pick-channel]").press("Enter")


def loudest(page: Page, name: str) -> str:
    """The channel of the greatest energy of a layer, as the X-ray's own file has it."""
    asked = {"on": "sample:apple", "network": "vgg", "kind": "xray", "parameters": "{}"}
    found = page.request.get("/learn/laboratory/explanations/find", params=asked).json()
    layers = page.request.get(found["base"] + "meta.json").json()["layers"]
    strongest = next(one for one in layers if one["name"] == name)["strongest"]
    return str(max(strongest, key=lambda entry: entry[1])[0])


@BOTH_WIDTHS
def test_eight_by_eight(page: Page, frame: FrameLocator) -> None:
    is_missed(page, "eight", "No layer is open")
    layer(frame, "block1/conv1")
    is_missed(page, "eight", "32 rows of 32 squares")
    layer(frame, "block3/conv1")
    is_solved(page, "eight")


def test_the_loudest_channel_at_the_end(page: Page, frame: FrameLocator) -> None:
    layer(frame, "block3/relu2")
    is_missed(page, "strongest", "not the last layer with maps")
    layer(frame, "block4/relu2")
    is_missed(page, "strongest", "Open one of them")
    right = loudest(page, "block4/relu2")
    channel(frame, "1" if right == "0" else "0")
    is_missed(page, "strongest", "Another channel of this layer has a stronger map")
    channel(frame, right)
    is_solved(page, "strongest")


def changes(page: Page) -> dict[str, float]:
    asked = {"on": "sample:apple", "network": "vgg", "kind": "xray", "parameters": "{}"}
    found = page.request.get("/learn/laboratory/explanations/find", params=asked).json()
    return {
        one["name"]: one["change"] for one in page.request.get(found["base"] + "meta.json").json()["blocks"]
    }


def test_where_a_bar_does_its_work(page: Page, frame: FrameLocator) -> None:
    is_missed(page, "differ", "The difference is not shown")
    frame.get_by_role("radio", name="difference").check()
    is_missed(page, "differ", "No block is open")
    found = changes(page)
    rising = sorted(found, key=lambda name: found[name])
    for name, says in ((rising[0], "In another block"), (rising[-1], "")):
        frame.locator("[data-heading=overview]:visible, [data-trail] a").first.click()
        frame.locator(".xray-network").first.locator(".xray-row").nth(list(found).index(name)).click()
        if says:
            is_missed(page, "differ", says)
    is_solved(page, "differ")


def test_a_picture_without_bars_says_why_there_is_no_difference(page: Page) -> None:
    open_lesson(page, "whole-network/?on=sample:apple")
    frame = figure(page, "xray")
    frame.get_by_role("link", name="Without bars").click()
    expect(frame.get_by_text("There are no bars on this picture, so there is only one run")).to_be_visible()
    is_missed(page, "differ", "There are no bars on this picture")
