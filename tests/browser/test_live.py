"""Live answers while bars are moved: quick, in order, polite, and only where they are wanted."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visitor, choose, one_colour, upload
from tests.browser.test_bars import bars, drag, spot

LIVE = "**/predict/live/"
HIDE = """(hidden) => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def opened(visitor: Visitor, **options: Any) -> Page:
    page = visitor.open(**options)
    page.goto("/predict/")
    return page


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """With a red picture and its first live answer."""
    page = opened(visitor)
    choose(page, upload("red.png", one_colour("red")))
    expect(first(page, "clean")).to_have_text("red")
    return page


def first(page: Page, side: str) -> Any:
    return page.locator(f"[data-live-{side}] li:first-child .answer-label")


def number(route: Route) -> int:
    """Which question this is."""
    found = re.search(r'name="n"\r\n\r\n(\d+)', route.request.post_data or "")
    assert found
    return int(found[1])


def sent_bars(route: Route) -> list[list[float]]:
    found = re.search(r'name="bars"\r\n\r\n(.*?)\r\n', route.request.post_data or "")
    return json.loads(unquote(found[1]) or "[]") if found else []


def said(route: Route, label: str, **fields: Any) -> None:
    """An answer in the site's form whose first class is `label`."""
    row = {"index": 0, "label": label, "name": label, "probability": 0.9, "percent": "90.0%"}
    answer = {"n": number(route), "network": "Tiny", "version": "1", "outside": None, "clean": [row] * 3}
    route.fulfill(json={**answer, "covered": [row] * 3, **fields})


class Held:
    """Questions that are answered when the test says so."""

    def __init__(self, page: Page) -> None:
        self.routes: list[Route] = []
        page.route(LIVE, self.hold)

    def hold(self, route: Route) -> None:
        self.routes.append(route)

    def wait(self, page: Page, count: int) -> list[Route]:
        with_it = "new Promise((done) => setTimeout(done, 25))"
        for _ in range(400):
            if len(self.routes) >= count:
                break
            page.evaluate(with_it)
        assert len(self.routes) == count
        return self.routes


def settle(page: Page) -> None:
    """Long enough for another question to have been sent."""
    page.evaluate("new Promise((done) => setTimeout(done, 400))")


def test_the_answer_follows_the_bar_while_it_is_drawn(page: Page) -> None:
    panel = page.locator("[data-live-panel]")
    expect(panel).to_contain_text("Draw a bar to see what changes.")
    page.mouse.move(*spot(page, 0.01, 0.01))
    page.mouse.down()
    page.mouse.move(*spot(page, 0.5, 0.5), steps=3)
    expect(page.locator("[data-live-covered] li")).to_have_count(3)
    page.mouse.move(*spot(page, 0.999, 0.999), steps=3)
    expect(first(page, "covered")).to_have_text("black")
    expect(first(page, "clean")).to_have_text("red")
    page.mouse.up()
    expect(page.locator("[data-live-says]")).to_have_text(
        re.compile(r"Without bars: red, [\d.]+%. With bars: black, [\d.]+%\.")
    )
    page.click("[data-clear-bars]")
    expect(panel).to_contain_text("Draw a bar to see what changes.")
    expect(page.locator("[data-results]")).to_be_hidden()


def test_moving_the_box_is_answered_too(page: Page) -> None:
    page.get_by_role("radio", name="Square box").check()
    with page.expect_response(LIVE):
        page.locator(".crop-box").press("ArrowLeft")


def test_one_question_at_a_time_and_then_the_newest(page: Page) -> None:
    held = Held(page)
    page.click("[data-add-bar]")
    held.wait(page, 1)
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    settle(page)
    assert len(held.routes) == 1
    said(held.routes[0], "first")
    expect(first(page, "covered")).to_have_text("first")
    assert sent_bars(held.wait(page, 2)[1]) == bars(page)
    said(held.routes[1], "second")
    expect(first(page, "covered")).to_have_text("second")
    settle(page)
    assert len(held.routes) == 2


def test_an_older_answer_never_replaces_a_newer_one(page: Page) -> None:
    held = Held(page)
    page.click("[data-add-bar]")
    newest = number(held.wait(page, 1)[0])
    said(held.routes[0], "newest")
    expect(first(page, "covered")).to_have_text("newest")
    # What was overtaken somewhere on the way carries its own, older number.
    page.keyboard.press("ArrowRight")
    said(held.wait(page, 2)[1], "overtaken", n=newest - 1)
    page.keyboard.press("ArrowRight")
    held.wait(page, 3)
    expect(first(page, "covered")).to_have_text("newest")
    said(held.routes[2], "newer still")
    expect(first(page, "covered")).to_have_text("newer still")


def test_an_answer_about_the_previous_picture_is_dropped(page: Page) -> None:
    held = Held(page)
    page.click("[data-add-bar]")
    held.wait(page, 1)
    choose(page, upload("blue.png", one_colour("blue")))
    held.wait(page, 2)
    said(held.routes[1], "about blue", covered=None)
    expect(first(page, "clean")).to_have_text("about blue")
    # Its request was given up, so there may be nobody left to answer.
    held.routes[0].abort()
    settle(page)
    expect(first(page, "clean")).to_have_text("about blue")
    assert first(page, "covered").count() == 0 or not first(page, "covered").is_visible()


def test_a_drag_asks_about_twelve_times_a_second_at_most(page: Page) -> None:
    asked: list[float] = []
    page.on("request", lambda one: asked.append(1) if one.url.endswith("/predict/live/") else None)
    start = page.evaluate("performance.now()")
    drag(page, (0.1, 0.1), (0.9, 0.9))
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    settle(page)
    seconds = (page.evaluate("performance.now()") - start) / 1000
    assert 1 <= len(asked) <= 12.5 * seconds + 1


def test_switched_off_it_asks_nothing_and_that_is_remembered(page: Page) -> None:
    asked: list[str] = []
    page.uncheck("[data-live-toggle]")
    expect(page.locator("[data-live-panel]")).to_be_hidden()
    page.on("request", lambda one: asked.append(one.url) if one.url.endswith("/predict/live/") else None)
    page.click("[data-add-bar]")
    page.reload()
    choose(page, upload("red.png", one_colour("red")))
    expect(page.locator("[data-live-toggle]")).not_to_be_checked()
    settle(page)
    assert asked == []
    page.check("[data-live-toggle]")
    expect(first(page, "clean")).to_have_text("red")


def test_a_hidden_page_asks_nothing(page: Page) -> None:
    held = Held(page)
    page.evaluate(HIDE, True)
    page.click("[data-add-bar]")
    settle(page)
    assert held.routes == []
    page.evaluate(HIDE, False)
    said(held.wait(page, 1)[0], "back")
    expect(first(page, "covered")).to_have_text("back")


def test_too_many_questions_are_followed_by_a_pause_and_a_quiet_line(visitor: Visitor, page: Page) -> None:
    visitor.expect("status of 429")
    held = Held(page)
    page.click("[data-add-bar]")
    error = {"error": {"code": "throttled", "message": "Too many requests. Try again in 30 seconds."}}
    held.wait(page, 1)[0].fulfill(status=429, json=error, headers={"Retry-After": "30"})
    expect(page.locator("[data-live-line]")).to_have_text("Too many requests. Try again in 30 seconds.")
    page.keyboard.press("ArrowRight")
    settle(page)
    assert len(held.routes) == 1
    expect(first(page, "clean")).to_have_text("red")


def test_when_the_line_is_back_it_goes_on_at_once(visitor: Visitor, page: Page) -> None:
    visitor.expect("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    page.click("[data-add-bar]")
    expect(page.locator("[data-live-line]")).to_have_text("You are offline.")
    page.context.set_offline(False)
    expect(page.locator("[data-live-covered] li")).to_have_count(3)
    expect(page.locator("[data-live-line]")).to_be_empty()


def test_where_there_are_no_live_answers_the_switch_goes(visitor: Visitor, page: Page) -> None:
    visitor.expect("status of 409")
    held = Held(page)
    page.click("[data-add-bar]")
    error = {"error": {"code": "live_unavailable", "message": "This site gives no live answers."}}
    held.wait(page, 1)[0].fulfill(status=409, json=error)
    expect(page.locator("[data-live-choice]")).to_be_hidden()
    expect(page.locator("[data-live-panel]")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert len(held.routes) == 1


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_moves_when_answers_come(visitor: Visitor, width: int) -> None:
    page = opened(visitor, width=width)
    held = Held(page)
    choose(page, upload("red.png", one_colour("red")))
    route = held.wait(page, 1)[0]
    panel = page.locator("[data-live-panel]")
    before = panel.bounding_box()
    assert before
    said(route, "sea green", covered=None, outside=True)
    expect(panel).to_contain_text("Unlike what the network learned from.")
    assert panel.bounding_box() == before
    page.click("[data-add-bar]")
    said(held.wait(page, 2)[1], "sweet pepper")
    expect(first(page, "covered")).to_have_text("sweet pepper")
    after = panel.bounding_box()
    assert after
    assert after["height"] == before["height"]
