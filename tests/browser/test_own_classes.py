"""Classes of one's own with scripts: pictures go one by one, the training is followed, a try is answered in place."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor, eventually, one_colour, upload


def new_set(page: Page) -> None:
    page.goto("/learn/own-classes/")
    page.get_by_label("Title").fill("Desk")
    page.get_by_label("Classes, each on a line of its own").fill("my mug\nmy keys")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Desk")


def give(page: Page, name: str, *colours: str) -> None:
    files = [upload(f"{colour}.png", one_colour(colour)) for colour in colours]
    page.get_by_label(f"Pictures of “{name}”").set_input_files(files)


def box(page: Page, name: str) -> Locator:
    heading = page.get_by_role("heading", name=name, level=3, exact=True)
    return page.locator(".own-class").filter(has=heading)


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@BOTH_WIDTHS
def test_from_names_to_answers_without_a_reload(researcher: Visitor, width: int) -> None:
    page = researcher.open(width=width)
    new_set(page)
    page.evaluate("window.stays = true")
    give(page, "my mug", "red", "darkred", "tomato")
    expect(page.locator("#toasts")).to_contain_text("3 pictures added.")
    give(page, "my keys", "blue", "navy", "royalblue")
    expect(box(page, "my keys").get_by_role("img")).to_have_count(3)
    eventually(page, "[...document.images].every((one) => one.complete && one.naturalWidth > 0)")
    assert fits(page)

    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_role("heading", name="How often it was right")).to_be_visible()
    expect(page.locator("[data-own-share]")).to_contain_text("of 6")
    assert fits(page)

    page.get_by_label("Pictures that it has not seen").set_input_files(
        upload("new.png", one_colour("crimson"))
    )
    page.get_by_role("button", name="Ask", exact=True).click()
    answers = page.locator("[data-own-answers]")
    expect(answers.locator(".answer-list li")).to_have_count(2)
    expect(answers.locator(".answer-label").first).to_have_text("my mug")
    assert page.evaluate("window.stays") is True

    # One is taken back, with the keyboard; what was found is older from then on.
    first = box(page, "my mug").get_by_role("button", name="Take this picture back").first
    first.focus()
    page.keyboard.press("Enter")
    expect(box(page, "my mug").get_by_role("img")).to_have_count(2)
    expect(page.get_by_text("What stands here is older than your pictures or names")).to_be_visible()
    assert page.evaluate("window.stays") is True


def test_a_file_that_is_no_picture_is_named_and_the_others_stay(researcher: Visitor) -> None:
    page = researcher.open()
    new_set(page)
    bad = upload("notes.png", b"no picture")
    good = upload("red.png", one_colour("red"))
    page.get_by_label("Pictures of “my mug”").set_input_files([bad, good])
    trouble = page.locator("[data-own-trouble]")
    expect(trouble).to_contain_text("notes.png")
    expect(trouble).to_contain_text("This file is not a picture.")
    expect(box(page, "my mug").get_by_role("img")).to_have_count(1)
    give(page, "my keys", "red")
    expect(trouble).to_contain_text("The same picture cannot be in “my mug” and in “my keys”.")


def test_a_link_is_opened_by_somebody_else(researcher: Visitor) -> None:
    # The last answer is the point of it.
    researcher.expect("status of 404")
    page = researcher.open()
    new_set(page)
    give(page, "my mug", "red", "tomato")
    expect(box(page, "my mug").get_by_role("img")).to_have_count(2)
    give(page, "my keys", "blue", "navy")
    expect(box(page, "my keys").get_by_role("img")).to_have_count(2)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Share by a link").click()
    link = page.get_by_label("Shared by a link").input_value()

    stranger = researcher.open(login=False, width=360)
    stranger.goto(link)
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Desk")
    stranger.locator(".own-samples a").first.click()
    expect(stranger.locator(".own-answer .answer-list li")).to_have_count(2)
    assert fits(stranger)

    page.get_by_role("button", name="Withdraw").click()
    expect(page.get_by_role("button", name="Share by a link")).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_role("heading", level=1)).to_have_text(re.compile("shows nothing any more"))
