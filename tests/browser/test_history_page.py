"""The history in a browser: filtering, selecting, deleting and undoing, marking, and the strip of activity."""

from __future__ import annotations

import re
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


def tick(page: Page, *places: int) -> None:
    for place in places:
        page.locator("[data-select]").nth(place).check()


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@pytest.mark.parametrize("width", [360, 1280])
def test_filtering_by_the_form_stands_in_the_address(visitor: Visitor, width: int) -> None:
    page = filled(visitor, "red", "blue", width=width)
    page.select_option("[name=model]", "tiny")
    page.select_option("[name=label]", "blue")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("[data-run]")).to_have_count(1)
    assert "model=tiny" in page.url
    assert "label=blue" in page.url
    page.get_by_text("More filters").click()
    page.select_option("[name=starred]", "yes")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_text("Nothing matches")).to_be_visible()
    expect(page.locator("[name=starred]")).to_be_visible()
    assert fits(page)
    page.get_by_role("link", name="Remove filter Starred: yes").click()
    expect(page.locator("[data-run]")).to_have_count(1)
    page.get_by_role("link", name="Show everything").first.click()
    expect(page.locator("[data-run]")).to_have_count(4)


@pytest.mark.parametrize("width", [360, 1280])
def test_each_part_of_the_page_fits_and_nothing_moves_when_the_days_arrive(
    visitor: Visitor, width: int
) -> None:
    page = filled(visitor, "red", width=width)
    shifts = """() => new Promise((tell) => new PerformanceObserver((list) => tell(
        list.getEntries().reduce((sum, one) => sum + (one.hadRecentInput ? 0 : one.value), 0)
    )).observe({ type: "layout-shift", buffered: true }) || setTimeout(() => tell(0), 1500))"""
    expect(page.locator(".strip svg")).to_be_visible()
    assert page.evaluate(shifts) < 0.02
    page.get_by_text("More filters").click()
    page.locator("[data-edit] summary").first.click()
    assert fits(page)
    # The latest week is in sight, and today is the one day with predictions.
    expect(page.locator(".strip a")).to_have_count(1)
    assert page.evaluate(
        "(({ scrollLeft, clientWidth, scrollWidth }) => scrollLeft + clientWidth >= scrollWidth - 2)"
        "(document.querySelector('[data-strip]'))"
    )
    page.locator(".strip a").click()
    expect(page).to_have_url(re.compile(r"start=(\d{4}-\d\d-\d\d)&end=\1"))
    expect(page.locator("[data-run]")).to_have_count(2)
    page.get_by_text("The days as a list").click()
    expect(page.locator(".days a")).to_have_count(1)


def test_deleting_needs_no_reload_and_undo_brings_it_back(visitor: Visitor) -> None:
    page = filled(visitor, "red")
    page.evaluate("window.stays = true")
    page.locator("[data-delete]").first.click()
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


@pytest.mark.parametrize("width", [360, 1280])
def test_many_are_selected_starred_deleted_and_brought_back(visitor: Visitor, width: int) -> None:
    page = filled(visitor, "red", "blue", width=width)
    bar = page.locator("[data-selection]")
    expect(bar.get_by_role("button", name="Delete selected")).to_be_disabled()
    tick(page, 0, 2)
    expect(bar.locator("[data-selected]")).to_have_text("2 selected")
    bar.get_by_role("button", name="Star", exact=True).click()
    expect(page.locator(".star[aria-pressed=true]")).to_have_count(2)
    bar.get_by_role("checkbox", name="Select all on this page").check()
    expect(bar.locator("[data-selected]")).to_have_text("4 selected")
    assert fits(page)
    bar.get_by_role("button", name="Delete selected").click()
    expect(page.get_by_text("Nothing is left on this page.")).to_be_visible()
    toast = page.locator("#toasts")
    expect(toast).to_contain_text("4 predictions are deleted.")
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-run]:visible")).to_have_count(4)
    expect(toast).to_contain_text("4 predictions are back.")
    page.reload()
    expect(page.locator(".star[aria-pressed=true]")).to_have_count(2)


def test_exactly_two_can_be_compared(visitor: Visitor) -> None:
    page = filled(visitor, "red", "blue")
    link = page.locator("[data-compare-link]")
    tick(page, 0)
    expect(link).to_have_attribute("aria-disabled", "true")
    expect(link).not_to_have_attribute("href", re.compile("."))
    tick(page, 1)
    expect(link).to_have_attribute("aria-disabled", "false")
    ids = [page.locator("[data-select]").nth(place).get_attribute("value") for place in (0, 1)]
    expect(link).to_have_attribute("href", f"/compare/?a={ids[0]}&b={ids[1]}")
    tick(page, 2)
    expect(link).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_role("button", name="Compare two")).to_have_count(0)


def test_what_another_tab_deleted_is_said_to_be_gone_already(visitor: Visitor) -> None:
    page = filled(visitor, "red")
    other = page.context.new_page()
    other.goto("/history/")
    other.locator("[data-delete]").first.click()
    expect(other.locator("#toasts")).to_contain_text("The prediction is deleted.")
    page.locator("[data-delete]").first.click()
    expect(page.locator("#toasts")).to_contain_text("The prediction was deleted already.")
    expect(page.locator("[data-run]:visible")).to_have_count(1)


def test_star_name_and_note_are_kept_without_a_reload(visitor: Visitor) -> None:
    # A name that is refused is an answer like any other, which the browser notes all the same.
    visitor.expect("status of 422")
    page = filled(visitor, "red")
    page.evaluate("window.stays = true")
    entry = page.locator("[data-run]").first
    entry.locator("[data-star]").click()
    expect(entry.locator("[data-star]")).to_have_attribute("aria-pressed", "true")
    entry.locator("[data-edit] summary").click()
    entry.get_by_label("File name").fill("...")
    entry.get_by_label("Note").fill("ask the teacher")
    entry.get_by_role("button", name="Save").click()
    expect(entry.get_by_role("alert")).to_have_text("A file name needs at least one letter or digit.")
    entry.get_by_label("File name").fill("fox.png")
    entry.get_by_role("button", name="Save").click()
    expect(entry.locator("[data-note]")).to_have_text("ask the teacher")
    expect(entry.locator("[data-edit] summary")).to_be_focused()
    # Both networks' entries are of the same picture.
    expect(page.locator("[data-filename]")).to_have_text(["fox.png", "fox.png"])
    assert page.evaluate("window.stays")
    page.goto("/history/?q=teacher+fox&starred=yes")
    expect(page.locator("[data-run]")).to_have_count(1)


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
    buttons = page.locator("[data-delete]")
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
    page.locator("[data-delete]").first.click()
    expect(page.locator("[data-run]:visible")).to_have_count(1)
    page.goto(address)
    expect(page.get_by_text("There is no prediction here.")).to_be_visible()


def test_without_a_script_many_are_deleted_brought_back_and_compared(visitor: Visitor) -> None:
    page = filled(visitor, "red")
    state = page.context.storage_state()
    assert page.context.browser
    plain = page.context.browser.new_context(
        java_script_enabled=False, base_url=visitor.base, storage_state=state
    )
    try:
        page = plain.new_page()
        page.goto("/history/")
        tick(page, 0, 1)
        page.get_by_role("button", name="Delete selected").click()
        expect(page.get_by_text("2 predictions are deleted.")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("[data-run]")).to_have_count(2)
        first = page.locator("[data-run]").first
        first.get_by_role("button", name="Star").click()
        expect(first.locator("[data-star]")).to_have_attribute("aria-pressed", "true")
        first.get_by_role("button", name="Star").click()
        expect(first.locator("[data-star]")).to_have_attribute("aria-pressed", "false")
        first.get_by_role("button", name="Delete").click()
        expect(page.get_by_text("The prediction is deleted.")).to_be_visible()
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("[data-run]")).to_have_count(2)
        # The form for the note stands on the prediction's own page.
        first.get_by_role("link", name="Name and note").click()
        page.locator("[data-edit] summary").click()
        page.get_by_label("Note").fill("without a script")
        page.get_by_role("button", name="Save").click()
        expect(page.locator("[data-note]")).to_have_text("without a script")
        page.goto("/history/")
        expect(page.locator("[data-note]").first).to_have_text("without a script")
        tick(page, 0)
        page.get_by_role("button", name="Compare two").click()
        expect(page.get_by_text("Select exactly two predictions to compare them.")).to_be_visible()
        tick(page, 0, 1)
        page.get_by_role("button", name="Compare two").click()
        expect(page.get_by_role("heading", name="What rose, what fell")).to_be_visible()
        assert "csrf" not in page.url
        page.goto("/history/")
        page.get_by_role("link", name="Show how many predictions each day has").click()
        expect(page.get_by_role("heading", name="Activity")).to_be_visible()
    finally:
        plain.close()


def test_a_page_that_is_not_there_leads_back(visitor: Visitor) -> None:
    visitor.expect("status of 404")
    page = visitor.open()
    page.goto("/history/?page=99999")
    expect(page.get_by_text("There is no page “99999”.")).to_be_visible()
    page.get_by_role("link", name="To the first page").click()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
