"""The page of many pictures in a browser: it keeps itself up to date, sorts, cancels, and counts what is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, one_colour

SHIFTS = """
() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(sum), 0));
})
"""


def send(page: Page, *colours: str) -> str:
    """Sends a picture of each colour to both networks as one batch; the address of its page."""
    site = page.context.request
    form = site.get("/predict/").text()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    assert token
    headers = {"X-CSRFToken": token[1], "Accept": "application/json"}
    fields = [("model", "tiny"), ("model", "small")]
    for colour in colours:
        file = {"name": f"{colour}.png", "mimeType": "image/png", "buffer": one_colour(colour)}
        answer = site.post("/predict/draft/", multipart={"image": file}, headers=headers)
        assert answer.ok, answer.text()
        fields.append(("draft", answer.json()["id"]))
    answer = site.post(
        "/predict/",
        data=urlencode(fields),
        headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.ok, answer.text()
    return answer.json()["url"]


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [360, 1280])
def test_answers_come_in_without_a_reload_and_nothing_moves(
    visitor: Visitor, idle_worker: Callable[[], None], width: int
) -> None:
    page = visitor.open(width=width)
    address = send(page, "red", "blue", "white")
    page.goto(address)
    page.evaluate("window.stays = true")
    expect(page.locator("progress")).to_have_attribute("value", "0")
    expect(page.get_by_role("button", name="Cancel what waits (6)")).to_be_visible()
    top = page.locator("#pictures").bounding_box()
    assert fits(page)
    idle_worker()
    expect(page.get_by_text("All answers are there.")).to_be_visible()
    expect(page.locator(".batch-table .first")).to_have_text(["red", "red", "blue", "blue", "white", "white"])
    expect(page.get_by_text("The networks agree on 3 of 3 pictures (100.0%).")).to_be_visible()
    assert page.evaluate("window.stays")
    assert page.evaluate(SHIFTS) < 0.1
    after = page.locator("#pictures").bounding_box()
    assert top
    assert after
    assert abs(top["y"] - after["y"]) < (2 if width > 1000 else 120)
    assert fits(page)


@pytest.mark.parametrize("width", [360, 1280])
def test_sorting_and_true_labels(visitor: Visitor, width: int) -> None:
    page = visitor.open(width=width)
    page.goto(send(page, "red", "blue", "white"))
    expect(page.get_by_text("All answers are there.")).to_be_visible()
    page.get_by_role("link", name="Label", exact=True).first.click()
    expect(page.locator("tbody .filename")).to_have_text(["blue.png", "red.png", "white.png"])
    expect(page.locator("[aria-sort=ascending]")).to_contain_text("Label")
    page.get_by_role("link", name="True labels").click()
    page.get_by_label("Or lines of text").fill("red.png,red\nblue.png,green\nwhite.png,whyte")
    page.get_by_role("button", name="Use these labels").click()
    visitor.expect("status of 422")
    expect(page.get_by_role("alert").filter(has_text="whyte")).to_be_visible()
    page.get_by_label("Or lines of text").fill("white.png;white")
    page.get_by_role("button", name="Use these labels").click()
    expect(page.locator("[data-top1]").first).to_contain_text("66.7%")
    # The order is kept.
    expect(page.locator(".batch-table tbody .filename")).to_have_text(["blue.png", "red.png", "white.png"])
    matrix = page.get_by_role("group", name="Confusion matrix of Tiny")
    expect(matrix.locator("td.wrong")).to_have_text(["1"])
    expect(matrix.locator("td.right")).to_have_text(["1", "1"])
    expect(page.locator(".batch-table .badge", has_text="wrong")).to_have_count(2)
    assert fits(page)
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="File names and labels, Tiny (CSV)").click()
    content = waiting.value.path().read_text(encoding="utf-8-sig").split()
    assert content == ["file", "name,label", "red.png,red", "blue.png,blue", "white.png,white"]
    assert fits(page)


def test_cancelling_and_trying_again_by_keyboard(visitor: Visitor, idle_worker: Callable[[], None]) -> None:
    page = visitor.open()
    page.goto(send(page, "red", "blue"))
    page.get_by_role("button", name="Cancel what waits").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("4 answers are cancelled.")).to_be_visible()
    page.get_by_role("button", name="Try again (red.png, Tiny)").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 answer is asked for again.")).to_be_visible()
    idle_worker()
    expect(page.locator(".batch-table .first")).to_have_text(["red"])
    expect(page.get_by_role("button", name="Try all again (3)")).to_be_visible()


def test_everything_works_without_scripts(visitor: Visitor, idle_worker: Callable[[], None]) -> None:
    page = visitor.open(width=360, java_script_enabled=False)
    address = send(page, "red", "blue")
    page.goto(address)
    page.get_by_role("button", name="Cancel what waits").click()
    page.get_by_role("button", name="Try all again (4)").click()
    expect(page.get_by_text("4 answers are asked for again.")).to_be_visible()
    idle_worker()
    for _try in range(100):
        page.goto(address)
        if page.get_by_text("All answers are there.").count():
            break
    page.get_by_role("link", name="Confidence").first.click()
    expect(page.locator("[aria-sort=descending]")).to_contain_text("Confidence")
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("button", name="Undo").click()
    page.goto(address)
    expect(page.locator(".batch-table .first")).to_have_count(4)


def test_a_single_picture_is_cancelled_where_it_stands(
    visitor: Visitor, idle_worker: Callable[[], None]
) -> None:
    page = visitor.open()
    page.goto(send(page, "red"))
    page.evaluate("window.stays = true")
    page.get_by_role("button", name="Cancel (Tiny)").click()
    expect(page.locator("#toasts")).to_contain_text("1 answer is cancelled.")
    expect(page.get_by_text("This was cancelled before the network answered.")).to_have_count(1)
    expect(page.get_by_role("button", name="Cancel (Small)")).to_be_visible()
    idle_worker()
    expect(page.locator(".answer-list")).to_have_count(1)
    assert page.evaluate("window.stays")
