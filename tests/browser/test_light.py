"""The predict page is light and does not jump."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import Visitor, choose, one_colour, upload

WATCH = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
  }).observe({ type: "layout-shift", buffered: true });
}"""
MOST_BYTES = 200_000


def shifted(page: Page) -> float:
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return float(page.evaluate("window.shifts.reduce((sum, one) => sum + one, 0)"))


def test_the_first_load_is_at_most_200_kb(visitor: Visitor) -> None:
    page = visitor.open()
    requests: list[Request] = []

    def finished(request: Request) -> None:
        requests.append(request)

    page.on("requestfinished", finished)
    page.goto("/predict/", wait_until="networkidle")
    # As sent by the server of `make run`: headers included, styles and scripts compressed, the page itself not.
    sizes = [request.sizes() for request in requests]
    sent = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
    assert 20_000 < sent <= MOST_BYTES


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_on_load_nor_when_answers_come(visitor: Visitor, width: int) -> None:
    page = visitor.open(width=width)
    page.add_init_script(f"({WATCH})()")
    page.goto("/predict/", wait_until="networkidle")
    assert shifted(page) < 0.02
    choose(page, upload("red.png", one_colour("red")))
    expect(page.locator("[data-live-panel]")).to_be_visible()
    page.evaluate("window.shifts.length = 0")  # A picture takes the place of the offer to choose one.
    expect(page.locator("[data-live-clean] li")).to_have_count(3)
    page.click("[data-add-bar]")
    expect(page.locator("[data-live-covered] li")).to_have_count(3)
    page.click("[data-send]")
    expect(page.locator("[data-results] .answer-list")).to_have_count(4)
    expect(page.locator("[data-results] .waiting")).to_have_count(0)
    expect(page.locator("[data-results] h4").first).to_have_text(re.compile("Without bars"))
    assert shifted(page) < 0.02
