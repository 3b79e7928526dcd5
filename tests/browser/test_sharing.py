"""A result is shown to somebody without an account, and taken back."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import Visitor, choose, eventually, one_colour, send, upload


def test_a_link_is_made_copied_opened_by_somebody_else_and_withdrawn(visitor: Visitor) -> None:
    # The last answer is the point of it.
    visitor.expect("status of 404")
    page = visitor.open(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/predict/")
    choose(page, upload("fox.png", one_colour("red")))
    send(page)
    page.goto("/history/")
    page.locator(".entry-link").first.click()
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator("#toasts")).to_contain_text("The link is copied.")
    link = page.get_by_label("Shared by a link").get_by_role("textbox").input_value()
    assert page.evaluate("navigator.clipboard.readText()") == link

    stranger = visitor.open(login=False, width=360)
    stranger.goto(link)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("fox.png")
    expect(stranger.locator(".answer-list").first).to_contain_text("red")
    loaded = "[...document.images].every((image) => image.complete && image.naturalWidth > 0)"
    eventually(stranger, loaded)
    assert stranger.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("button", name="Share", exact=True)).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_role("heading", level=1)).to_have_text(re.compile("shows nothing any more"))
