"""Black bars drawn by mouse, finger and keyboard: the same in the list, in the picture and at the network."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, choose, one_colour, send, upload

# A picture with bars to draw on, red on the left and blue on the right.
PIXEL = 0.005


@pytest.fixture
def page(visitor: Visitor) -> Page:
    return ready(visitor, width=1280)


def ready(visitor: Visitor, **options: Any) -> Page:
    page = visitor.open(**options)
    page.goto("/predict/")
    choose(page, upload("red.png", one_colour("red")))
    return page


def bars(page: Page) -> list[list[float]]:
    return json.loads(page.input_value("[name=bars]") or "[]")  # type: ignore[no-any-return]


def spot(page: Page, x: float, y: float) -> tuple[float, float]:
    """A place of the picture in the window's pixels."""
    box = page.locator(".canvas svg").bounding_box()
    assert box
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*spot(page, *start))
    page.mouse.down()
    page.mouse.move(*spot(page, *end), steps=6)
    page.mouse.up()


def near(bar: list[float]) -> Any:
    return pytest.approx(bar, abs=2 * PIXEL)


def test_the_mouse_draws_moves_and_resizes(page: Page) -> None:
    drag(page, (0.2, 0.3), (0.5, 0.7))
    assert bars(page) == [near([0.2, 0.3, 0.3, 0.4])]
    drag(page, (0.35, 0.5), (0.45, 0.6))
    assert bars(page) == [near([0.3, 0.4, 0.3, 0.4])]
    drag(page, (0.6, 0.8), (0.7, 0.9))
    assert bars(page) == [near([0.3, 0.4, 0.4, 0.5])]
    drag(page, (0.3, 0.4), (0.8, 0.95))
    assert bars(page) == [near([0.7, 0.9, 0.1, 0.05])]


def test_a_bar_stays_inside_the_picture_and_a_click_makes_none(page: Page) -> None:
    page.mouse.click(*spot(page, 0.5, 0.5))
    assert bars(page) == []
    drag(page, (0.8, 0.8), (1.4, 1.4))
    assert bars(page) == [near([0.8, 0.8, 0.2, 0.2])]
    drag(page, (0.9, 0.9), (0.2, 1.2))
    assert bars(page) == [near([0.1, 0.8, 0.2, 0.2])]


def test_a_finger_draws(visitor: Visitor) -> None:
    page = ready(visitor, width=360, height=740, has_touch=True, is_mobile=True)
    expect(page.locator("label[for=id_camera]")).to_be_visible()
    page.locator(".canvas svg").scroll_into_view_if_needed()
    devtools = page.context.new_cdp_session(page)
    before = page.evaluate("scrollY")
    path = [spot(page, 0.2 + step * 0.06, 0.2 + step * 0.08) for step in range(6)]
    for number, (x, y) in enumerate(path):
        kind = "touchStart" if number == 0 else "touchMove"
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert bars(page) == [near([0.2, 0.2, 0.3, 0.4])]
    assert page.evaluate("scrollY") == before


def test_the_keyboard_adds_moves_resizes_and_removes(page: Page) -> None:
    page.focus("[data-add-bar]")
    page.keyboard.press("Enter")
    expect(page.locator(".canvas rect")).to_be_focused()
    assert bars(page) == [[0.35, 0.35, 0.3, 0.3]]
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert bars(page) == [[0.33, 0.36, 0.31, 0.29]]
    name = page.locator(".canvas rect").get_attribute("aria-label")
    assert name == "Bar 1: 33% from the left, 36% from the top, 31% wide, 29% high"
    expect(page.locator("[data-bar-says]")).to_have_text(name or "")
    page.keyboard.press("Delete")
    assert bars(page) == []
    expect(page.locator("[data-add-bar]")).to_be_focused()


def test_the_keys_stop_at_the_edge(page: Page) -> None:
    page.click("[data-add-bar]")
    for _ in range(80):
        page.keyboard.press("ArrowRight")
    assert bars(page) == [[0.7, 0.35, 0.3, 0.3]]
    page.keyboard.press("Shift+ArrowRight")
    assert bars(page) == [[0.7, 0.35, 0.3, 0.3]]


def test_the_list_takes_numbers_and_removes(page: Page) -> None:
    page.click("[data-add-bar]")
    page.click("[data-add-bar]")
    page.get_by_label("Bar 1, left").fill("12.5")
    page.get_by_label("Bar 1, height").fill("7")
    assert bars(page)[0] == [0.125, 0.35, 0.3, 0.07]
    page.get_by_role("button", name="Remove bar 1").click()
    assert len(bars(page)) == 1
    expect(page.get_by_role("button", name="Remove bar 1")).to_be_focused()
    page.click("[data-clear-bars]")
    assert bars(page) == []


def test_there_are_at_most_32(page: Page) -> None:
    for _ in range(33):
        page.click("[data-add-bar]")
    assert len(bars(page)) == 32
    expect(page.locator(".toast")).to_contain_text("There may be at most 32 bars. Remove one first.")
    drag(page, (0.02, 0.02), (0.2, 0.2))
    assert len(bars(page)) == 32


def test_what_is_drawn_is_what_the_network_sees(page: Page) -> None:
    drag(page, (0.0, 0.0), (1.0, 1.0))
    send(page)
    article = page.locator("[data-results] article").first
    expect(article.locator("h4")).to_have_text(["Without bars", "With bars"])
    first = article.locator(".answer-list li:first-child .answer-label")
    expect(first).to_have_text(["red", "black"])
    expect(article).to_contain_text("The bars changed its mind")
    page.click("[data-own-address]")
    drawn = page.locator(".subject svg rect")
    expect(drawn).to_have_count(1)
    assert float(drawn.get_attribute("width") or 0) == pytest.approx(300, abs=3)
