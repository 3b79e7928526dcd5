"""The way of a stranger: sign up, show pictures of every kind, read the answers, find them again."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests import pictures
from tests.browser.conftest import Visitor, choose, one_colour, send, upload
from tests.factories import PASSWORD

SIZES = pytest.mark.parametrize("width", [360, 1280])
KINDS = sorted(pictures.ACCEPTED)


def fits(page: Page) -> bool:
    """No part of the page is reached only by scrolling sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


@SIZES
def test_from_signing_up_to_a_named_picture_and_back_to_it(visitor: Visitor, width: int) -> None:
    page = visitor.open(width=width, login=False)
    page.goto("/")
    page.click(".account-nav a[href='/accounts/signup/']")
    page.wait_for_url("**/accounts/signup/**")
    page.fill("[name=email]", f"new-{uuid.uuid4().hex[:12]}@example.com")
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    page.press("[name=password2]", "Enter")
    page.wait_for_url("**/predict/")

    choose(page, upload("holiday.png", one_colour("blue")))
    expect(page.locator(".canvas figcaption")).to_have_text("holiday.png")
    send(page)
    results = page.locator("[data-results]")
    expect(results.locator("article")).to_have_count(2)
    for article in results.locator("article").all():
        expect(article.locator(".answer-list li")).to_have_count(5)
        expect(article.locator(".answer-label").first).to_have_text("blue")
        expect(article.locator(".answer-value").first).to_have_text(re.compile(r"\d\d\.\d%"))
        seen = article.locator(".seen img")
        assert seen.evaluate("image => image.naturalWidth") in (24, 40)
        assert seen.evaluate("image => getComputedStyle(image).imageRendering") == "pixelated"
        expect(article).to_contain_text("version")
        expect(article).to_contain_text("Answered")
    assert fits(page)

    page.click("[data-own-address]")
    page.wait_for_url("**/predictions/**")
    expect(page.locator("h1")).to_have_text("holiday.png")
    expect(page.locator("article")).to_have_count(2)
    assert fits(page)

    page.click(".site-nav a[href='/history/']")
    expect(page.locator("[data-run]")).to_have_count(2)
    expect(page.locator("[data-run]").first).to_contain_text("blue")
    assert fits(page)


@SIZES
def test_every_accepted_kind_of_file_is_shown_and_answered(visitor: Visitor, width: int) -> None:
    page = visitor.open(width=width)
    page.goto("/predict/")
    page.uncheck("[value=small]")
    # Each format once at either width, and everything else that is odd at one of them.
    plain = [
        name
        for name in KINDS
        if name.split(".")[0] in ("photo", "drawing", "web", "picture", "iphone", "small")
    ]
    assert len(plain) == 6
    for name in KINDS if width == 1280 else plain:
        choose(page, upload(name, pictures.ACCEPTED[name]()))
        expect(page.locator(".canvas canvas"), name).to_be_visible()
        expect(page.locator("[data-picture-error]"), name).to_be_empty()
        expect(page.locator("[data-results]"), name).to_be_hidden()
        send(page)


@pytest.mark.parametrize("name", ["text.jpg", "truncated.png", "empty.jpg", "vector.svg"])
def test_what_is_no_picture_is_refused_at_the_picture_and_the_next_one_is_taken(
    visitor: Visitor, name: str
) -> None:
    visitor.expect("status of 422")
    page = visitor.open()
    page.goto("/predict/")
    choose(page, upload(name, pictures.REJECTED[name][0]()))
    expect(page.locator("[data-picture-error] .notice.error")).to_be_visible()
    choose(page, upload("good.png", one_colour("red")))
    expect(page.locator("[data-picture-error]")).to_be_empty()
    send(page)


@pytest.mark.parametrize(
    ("size", "sent"), [((3000, 1500), (1500, 750)), ((1500, 3000), (750, 1500)), ((2400, 2400), (1000, 1000))]
)
def test_a_large_picture_is_shrunk_in_the_browser_with_its_shape_kept(
    visitor: Visitor, size: tuple[int, int], sent: tuple[int, int]
) -> None:
    page = visitor.open()
    page.goto("/predict/")
    with page.expect_response("**/predict/draft/") as response:
        page.set_input_files("#id_image", upload("large.jpg", pictures.jpeg(*size)))
    answer: Any = response.value.json()
    assert (answer["source_width"], answer["source_height"]) == sent
    box = page.locator(".canvas canvas").bounding_box()
    assert box
    assert box["width"] / box["height"] == pytest.approx(size[0] / size[1], rel=0.02)


def test_a_picture_smaller_than_the_input_comes_with_a_warning(visitor: Visitor) -> None:
    page = visitor.open()
    page.goto("/predict/")
    choose(page, upload("icon.png", one_colour("red", (20, 20))))
    expect(page.locator(".canvas figcaption")).to_contain_text("only 20 × 20 pixels")
    send(page)
    expect(page.locator("[data-results] .notice.warning")).to_contain_text(
        "20 × 20 pixels, fewer than the 40 × 40"
    )


def test_an_answer_about_a_person_says_what_the_network_does_not_know(visitor: Visitor) -> None:
    page = visitor.open()
    page.goto("/predict/")
    choose(page, upload("portrait.png", one_colour("magenta")))
    send(page)
    expect(page.locator("[data-results] .answer-label").first).to_have_text("woman")
    expect(page.locator("[data-results]")).to_contain_text("of persons the network knows nothing")


def test_several_pictures_are_listed_and_answered_in_a_table(visitor: Visitor) -> None:
    visitor.expect("status of 422")
    page = visitor.open(width=360)
    page.goto("/predict/")
    files = [upload(f"{colour}.png", one_colour(colour)) for colour in ("red", "green", "blue")]
    page.set_input_files("#id_image", [*files, upload("notes.jpg", b"nonsense")])
    rows = page.locator(".several li")
    expect(rows).to_have_count(4)
    expect(rows.nth(3)).to_contain_text("This file is not a picture.")
    expect(page.locator("[data-bars]")).to_be_hidden()
    rows.nth(1).get_by_role("button").click()
    page.click("[data-send]")
    page.wait_for_url("**/batches/**")
    rows = page.locator(".batch-table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(1)).to_contain_text("blue.png")
    expect(rows.nth(2)).to_contain_text("This file is not a picture.")
    expect(page.locator("tbody td .first")).to_have_text(["red", "red", "blue", "blue"])
    expect(page.locator(".batch-sum")).to_contain_text("4 of 4 answers are there")
    assert fits(page)


def test_a_picture_can_be_dropped_and_pasted(visitor: Visitor) -> None:
    page = visitor.open()
    page.goto("/predict/")
    transfer = """async ([type, name, colour]) => {
      const canvas = Object.assign(document.createElement("canvas"), {width: 80, height: 60});
      const pen = canvas.getContext("2d");
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 80, 60);
      const blob = await new Promise((done) => canvas.toBlob(done));
      const data = new DataTransfer();
      data.items.add(new File([blob], name, {type: "image/png"}));
      const event = type === "paste"
        ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
        : new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true});
      document.querySelector("[data-stage]").dispatchEvent(event);
    }"""
    for kind, name, colour in (("drop", "dropped.png", "red"), ("paste", "pasted.png", "blue")):
        page.evaluate(transfer, [kind, name, colour])
        expect(page.locator(".canvas figcaption")).to_contain_text(name)
        send(page)
        expect(page.locator("[data-results] .answer-label").first).to_have_text(colour)


def test_a_picture_from_the_history_comes_back_with_its_bars(visitor: Visitor) -> None:
    page = visitor.open()
    page.goto("/predict/")
    choose(page, upload("again.png", one_colour("red")))
    page.click("[data-add-bar]")
    send(page)
    page.click("[data-own-address]")
    page.click("text=Use this picture again")
    page.wait_for_url("**/predict/?upload=*")
    expect(page.locator(".canvas rect")).to_have_count(1)
    page.click("[data-add-bar]")
    send(page)
    expect(page.locator("[data-results] h4")).to_have_text(["Without bars", "With bars"] * 2)


def test_the_plain_form_does_without_a_script(visitor: Visitor) -> None:
    page = visitor.open(java_script_enabled=False)
    page.goto("/predict/")
    page.set_input_files("#id_image", upload("plain.png", one_colour("green", (60, 60))))
    page.click("[data-send]")
    page.wait_for_url("**/predictions/**")
    answers = page.locator("article .answer-label")
    for _ in range(50):  # Without a script the reader reloads.
        if answers.count() == 10:
            break
        page.reload()
    assert answers.count() == 10
    page.goto("/history/?model=tiny")
    assert page.locator("[data-run]").count() == 1
    page.click("[data-delete]")
    assert page.locator("[data-run]").count() == 0
    page.click("text=Undo")
    assert page.locator("[data-run]").count() == 1
