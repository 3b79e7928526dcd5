"""What goes wrong on the way: a double click, a lost network, a lost session, a picture deleted meanwhile."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, choose, one_colour, send, upload
from tests.factories import PASSWORD

# Sends something over a line that moves when `window.moves(bytes)` is called, and keeps what becomes of it.
SLOW_LINE = """async () => {
  let line;
  window.XMLHttpRequest = class extends EventTarget {
    constructor() {
      super();
      line = this;
      this.upload = new EventTarget();
    }
    open() {}
    setRequestHeader() {}
    send() {}
    abort() {
      this.dispatchEvent(new Event("abort"));
      this.dispatchEvent(new Event("loadend"));
    }
  };
  const { send } = await import("/static/js/http.js");
  window.outcome = "on its way";
  window.moves = (loaded) => {
    const event = { lengthComputable: true, loaded, total: 100 };
    line.upload.dispatchEvent(new ProgressEvent("progress", event));
  };
  const options = { onProgress() {}, signal: new AbortController().signal };
  send("/predict/draft/", new FormData(), options).catch((problem) => { window.outcome = problem.code; });
}"""


def ready(visitor: Visitor, **options: Any) -> Page:
    page = visitor.open(**options)
    page.goto("/predict/")
    choose(page, upload("red.png", one_colour("red")))
    return page


def test_a_double_click_asks_once(visitor: Visitor) -> None:
    page = ready(visitor)
    page.dblclick("[data-send]")
    expect(page.locator("[data-results] .answer-list")).to_have_count(2)
    page.goto("/history/")
    expect(page.locator("[data-run]")).to_have_count(2)


def test_sending_again_later_asks_again(visitor: Visitor) -> None:
    page = ready(visitor)
    send(page)
    address = page.get_attribute("[data-own-address]", "href") or ""
    page.click("[data-send]")
    expect(page.locator("[data-own-address]")).not_to_have_attribute("href", address)


def test_without_a_picture_or_a_network_the_page_says_what_is_missing(visitor: Visitor) -> None:
    visitor.expect("status of 422")
    page = visitor.open()
    page.goto("/predict/")
    page.click("[data-send]")
    expect(page.locator("[data-send-error]")).to_have_text("Choose a picture first.")
    choose(page, upload("red.png", one_colour("red")))
    for box in page.locator("[name=model]").all():
        box.uncheck()
    page.click("[data-send]")
    expect(page.locator("[data-send-error]")).to_have_text("Choose at least one network.")
    page.check("[value=tiny]")
    send(page)
    expect(page.locator("[data-results] article")).to_have_count(1)


def test_a_picture_chosen_offline_is_sent_when_the_line_is_back(visitor: Visitor) -> None:
    visitor.expect("ERR_INTERNET_DISCONNECTED")
    page = visitor.open()
    page.goto("/predict/")
    page.context.set_offline(True)
    page.set_input_files("#id_image", upload("red.png", one_colour("red")))
    trouble = page.locator("[data-picture-error]")
    expect(trouble).to_contain_text("You are offline.")
    expect(page.locator(".canvas canvas")).to_be_visible()
    page.click("[data-add-bar]")
    page.context.set_offline(False)
    trouble.get_by_role("button", name="Try again").click()
    expect(trouble).to_be_empty()
    send(page)
    expect(page.locator("[data-results] h4").first).to_have_text("Without bars")


def test_sending_offline_keeps_the_picture_and_tries_again(visitor: Visitor) -> None:
    visitor.expect("ERR_INTERNET_DISCONNECTED")
    page = ready(visitor)
    page.click("[data-add-bar]")
    page.context.set_offline(True)
    page.click("[data-send]")
    trouble = page.locator("[data-send-error]")
    expect(trouble).to_contain_text("You are offline.")
    page.context.set_offline(False)
    trouble.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-results] .answer-list")).to_have_count(4)


def test_a_session_that_expired_costs_no_picture(visitor: Visitor) -> None:
    visitor.expect("status of 401")
    page = ready(visitor)
    page.click("[data-add-bar]")
    cookies = [cookie for cookie in page.context.cookies() if cookie["name"] != "sessionid"]
    page.context.clear_cookies()
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.click("[data-send]")
    trouble = page.locator("[data-send-error]")
    expect(trouble).to_contain_text("You are no longer logged in.")
    with page.context.expect_page() as opened:
        trouble.get_by_role("link").click()
    other = opened.value
    # Another account would not own the draft; the page sends the picture anew then.
    other.goto("/accounts/signup/")
    other.fill("[name=email]", f"late-{re.sub('[^0-9]', '', page.url)}-{id(page)}@example.com")
    other.fill("[name=password1]", PASSWORD)
    other.fill("[name=password2]", PASSWORD)
    other.press("[name=password2]", "Enter")
    other.wait_for_url("**/predict/")
    visitor.expect("status of 422")
    trouble.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-results] .answer-list")).to_have_count(4)


def test_a_run_that_waits_shows_its_place_and_then_its_answer(
    visitor: Visitor, idle_worker: Callable[[], None]
) -> None:
    page = ready(visitor)
    page.click("[data-send]")
    results = page.locator("[data-results]")
    expect(results.locator(".waiting")).to_have_text(
        [re.compile("^Queued, next in line"), re.compile("^Queued, 2nd in line")]
    )
    expect(results.locator(".seen img").first).to_be_visible()
    idle_worker()
    expect(results.locator(".answer-list")).to_have_count(2)
    expect(page.locator("[data-poll-says]")).to_contain_text("Tiny, Without bars: red")


def test_what_is_deleted_while_it_waits_says_so_and_stops_asking(
    visitor: Visitor, idle_worker: Callable[[], None]
) -> None:
    visitor.expect("status of 404")
    page = ready(visitor)
    page.click("[data-send]")
    expect(page.locator("[data-results] .waiting")).to_have_count(2)
    other = page.context.new_page()
    other.goto(page.get_attribute("[data-own-address]", "href") or "")
    other.click(".subject button.danger")
    other.wait_for_url("**/history/")
    expect(page.locator("[data-poll-trouble]")).to_contain_text("This was deleted")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    idle_worker()
    page.evaluate("new Promise((done) => setTimeout(done, 600))")
    assert asked == []


def test_a_hidden_page_does_not_ask(visitor: Visitor, idle_worker: Callable[[], None]) -> None:
    page = ready(visitor)
    page.click("[data-send]")
    expect(page.locator("[data-results] .waiting")).to_have_count(2)
    hide = """(hidden) => {
      Object.defineProperty(document, "hidden", {configurable: true, get: () => hidden});
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("new Promise((done) => setTimeout(done, 2500))")
    assert asked == []
    with page.expect_request(re.compile("/status/")):
        page.evaluate(hide, False)
    idle_worker()
    expect(page.locator("[data-results] .answer-list")).to_have_count(2)


def test_a_line_that_breaks_while_waiting_is_taken_up_again(
    visitor: Visitor, idle_worker: Callable[[], None]
) -> None:
    visitor.expect("ERR_INTERNET_DISCONNECTED")
    page = ready(visitor)
    page.click("[data-send]")
    expect(page.locator("[data-results] .waiting")).to_have_count(2)
    page.context.set_offline(True)
    expect(page.locator("[data-poll-trouble]")).to_contain_text("You are offline.")
    idle_worker()
    page.context.set_offline(False)
    expect(page.locator("[data-results] .answer-list")).to_have_count(2)
    expect(page.locator("[data-poll-trouble]")).to_be_empty()


def test_a_slow_line_may_take_minutes_as_long_as_something_moves(visitor: Visitor) -> None:
    page = visitor.open()
    page.clock.install()
    page.goto("/predict/")
    page.evaluate(SLOW_LINE)
    for sent in range(5):
        page.clock.run_for(50_000)
        page.evaluate("sent => window.moves(sent)", sent)
    assert page.evaluate("window.outcome") == "on its way"
    page.clock.run_for(61_000)
    assert page.evaluate("window.outcome") == "timeout"
