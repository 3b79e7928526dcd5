"""The history in a browser: filtering by the form, deleting where an entry stands, and undoing it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, choose, one_colour, send, upload


def filled(visitor: Visitor, *colours: str, **options: Any) -> Page:
    """The history of somebody who has shown these colours to both networks."""
    page = visitor.open(**options)
    page.goto("/predict/")
    for colour in colours:
        choose(page, upload(f"{colour}.png", one_colour(colour)))
        send(page)
    page.goto("/history/")
    expect(page.locator("[data-run]")).to_have_count(2 * len(colours))
    return page


@pytest.mark.parametrize("width", [360, 1280])
def test_filtering_by_the_form_stands_in_the_address(visitor: Visitor, width: int) -> None:
    page = filled(visitor, "red", "blue", width=width)
    page.select_option("[name=model]", "tiny")
    page.select_option("[name=label]", "blue")
    page.click("text=Show >> nth=0")
    expect(page.locator("[data-run]")).to_have_count(1)
    assert "model=tiny" in page.url
    assert "label=blue" in page.url
    page.fill("[name=end]", "2001-01-01")
    page.click("text=Show >> nth=0")
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Show everything").first.click()
    expect(page.locator("[data-run]")).to_have_count(4)


def test_deleting_needs_no_reload_and_undo_brings_it_back(visitor: Visitor) -> None:
    page = filled(visitor, "red")
    page.evaluate("window.stays = true")
    page.locator("[data-delete] button").first.click()
    expect(page.locator("[data-run]:visible")).to_have_count(1)
    expect(page.locator("[data-history-count]")).to_have_text("1 prediction")
    toast = page.locator("#toasts")
    expect(toast).to_contain_text("The prediction is deleted.")
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-run]:visible")).to_have_count(2)
    expect(page.locator("[data-history-count]")).to_have_text("2 predictions")
    expect(toast).to_contain_text("The prediction is back.")
    assert page.evaluate("window.stays")
    page.reload()
    expect(page.locator("[data-run]")).to_have_count(2)


def test_the_offer_to_undo_goes_when_its_time_is_over(visitor: Visitor) -> None:
    page = filled(visitor, "red")
    page.locator(".entry-link").first.click()
    page.clock.install()
    page.get_by_role("button", name="Delete").click()
    notice = page.locator("[data-undo-notice]")
    expect(notice).to_be_visible()
    page.clock.fast_forward(11_000)
    expect(notice).to_be_hidden()


def test_by_keyboard_the_focus_goes_to_the_next_entry_and_back(visitor: Visitor) -> None:
    page = filled(visitor, "red")
    buttons = page.locator("[data-delete] button")
    buttons.first.focus()
    page.keyboard.press("Enter")
    expect(buttons.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#history-title")).to_be_focused()
    expect(page.get_by_text("Nothing is left on this page.")).to_be_visible()
    page.locator("#toasts button").last.focus()
    page.keyboard.press("Enter")
    expect(buttons.nth(1)).to_be_focused()


def test_what_was_deleted_and_not_brought_back_is_gone(visitor: Visitor) -> None:
    visitor.expect("status of 404")
    page = filled(visitor, "red")
    address = page.locator(".entry-link").first.get_attribute("href") or ""
    page.locator("[data-delete] button").first.click()
    expect(page.locator("[data-run]:visible")).to_have_count(1)
    page.goto(address)
    expect(page.get_by_text("There is no prediction here.")).to_be_visible()


def test_a_page_that_is_not_there_leads_back(visitor: Visitor) -> None:
    visitor.expect("status of 404")
    page = visitor.open()
    page.goto("/history/?page=99999")
    expect(page.get_by_text("There is no page “99999”.")).to_be_visible()
    page.get_by_role("link", name="To the first page").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
