"""What the predict page offers and says besides the straight way: samples, refusals, answers that are out of date."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor, choose, one_colour, send, upload


def test_a_sample_is_taken_as_if_its_file_had_been_chosen(visitor: Visitor) -> None:
    page = visitor.open()
    page.goto("/predict/")
    samples = page.locator("[data-sample]")
    expect(samples).to_have_count(6)
    name = samples.nth(1).get_attribute("data-filename") or ""
    with page.expect_response("**/predict/draft/"):
        samples.nth(1).click()
    expect(page.locator(".canvas figcaption")).to_have_text(name)
    expect(samples.first).to_be_hidden()
    send(page)


def test_a_sample_that_cannot_be_loaded_can_be_tried_again(visitor: Visitor) -> None:
    visitor.expect("ERR_INTERNET_DISCONNECTED")
    page = visitor.open()
    page.goto("/predict/", wait_until="networkidle")
    page.context.set_offline(True)
    page.locator("[data-sample]").first.click()
    trouble = page.locator("[data-picture-error]")
    expect(trouble).to_contain_text("You are offline.")
    page.context.set_offline(False)
    trouble.get_by_role("button", name="Try again").click()
    expect(page.locator(".canvas canvas")).to_be_visible()


def test_without_a_script_no_samples_are_offered(visitor: Visitor) -> None:
    page = visitor.open(java_script_enabled=False)
    page.goto("/predict/")
    expect(page.locator("[data-samples]")).to_be_hidden()


def test_a_broken_file_is_named_where_the_next_one_is_chosen(visitor: Visitor) -> None:
    visitor.expect("status of 422")
    page = visitor.open()
    page.goto("/predict/")
    choose(page, upload("good.png", one_colour("red")))
    expect(page.locator(".canvas canvas")).to_be_visible()
    choose(page, upload("fake.jpg", b"nonsense"))
    expect(page.locator("[data-drop] .notice.error")).to_contain_text("fake.jpg: This file is not a picture.")
    expect(page.locator(".drop-words")).to_be_visible()
    expect(page.locator("[data-choose]")).to_have_text("Choose pictures")
    expect(page.locator("[data-sample]").first).to_be_visible()


def test_an_answer_to_other_bars_says_so_until_the_bars_are_the_same_again(visitor: Visitor) -> None:
    page = visitor.open()
    page.goto("/predict/")
    choose(page, upload("red.png", one_colour("red")))
    send(page)
    title = page.locator("#results-title")
    expect(title).to_have_text("What the networks say")
    page.click("[data-add-bar]")
    expect(title).to_have_text("Answer to the previous bars. Ask again.")
    page.click("[data-clear-bars]")
    expect(title).to_have_text("What the networks say")
    page.click("[data-add-bar]")
    page.click("[data-send]")
    expect(page.locator("[data-results] h4").first).to_have_text("Without bars")
    expect(title).to_have_text("What the networks say")


def test_the_page_of_several_pictures_says_which_were_left_out(visitor: Visitor) -> None:
    visitor.expect("status of 422")
    page = visitor.open()
    page.goto("/predict/")
    files = [upload(f"{colour}.png", one_colour(colour)) for colour in ("red", "blue")]
    page.set_input_files("#id_image", [*files, upload("fake.jpg", b"nonsense")])
    page.click("[data-send]")
    page.wait_for_url("**/batches/**")
    row = page.get_by_role("row").filter(has_text="fake.jpg")
    expect(row).to_contain_text("not taken")
    expect(row).to_contain_text("This file is not a picture.")


def test_enter_on_the_chooser_opens_the_dialogue(visitor: Visitor) -> None:
    page = visitor.open()
    # Whoever listens only from the key on may be too late for the dialogue.
    page.on("filechooser", lambda chooser: None)
    page.goto("/predict/", wait_until="networkidle")
    page.focus("#id_image")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(upload("red.png", one_colour("red")))
    expect(page.locator(".canvas figcaption")).to_have_text("red.png")
    expect(page.locator("[data-send-error]")).to_be_empty()


def test_the_text_of_a_fault_in_the_page_is_never_shown(visitor: Visitor) -> None:
    visitor.expect("secret inner text")
    page = visitor.open()
    page.goto("/predict/")
    choose(page, upload("red.png", one_colour("red")))
    expect(page.locator(".canvas canvas")).to_be_visible()
    page.evaluate("() => { crypto.getRandomValues = () => { throw new TypeError('secret inner text'); }; }")
    page.click("[data-send]")
    expect(page.locator("[data-send-error]")).to_have_text(
        "Something went wrong on this page. Reload it; your answer is in the history."
    )


@pytest.mark.parametrize(("width", "beside"), [(360, False), (1280, True)])
def test_the_two_answers_stand_below_each_other_on_a_phone(
    visitor: Visitor, width: int, beside: bool
) -> None:
    page = visitor.open(width=width)
    page.goto("/predict/")
    choose(page, upload("red.png", one_colour("red")))
    page.click("[data-add-bar]")
    send(page)
    expect(page.locator("[data-results] .answer-list")).to_have_count(4)
    plain, covered = [side.bounding_box() for side in page.locator("article .side").all()[:2]]
    assert plain
    assert covered
    assert (plain["x"] < covered["x"]) is beside
    seen = page.locator("article .seen img").first.bounding_box()
    listed = page.locator("article .answer-list").first.bounding_box()
    assert seen
    assert listed
    assert seen["x"] + seen["width"] <= listed["x"]


def test_fingers_may_zoom_and_read_what_fingers_can_do(visitor: Visitor) -> None:
    page = visitor.open(width=360, has_touch=True, is_mobile=True)
    page.goto("/predict/")
    choose(page, upload("red.png", one_colour("red")))
    expect(page.locator("#bars-help .for-fingers")).to_be_visible()
    expect(page.locator("#bars-help .for-mouse")).to_be_hidden()
    assert page.locator(".canvas svg").evaluate("svg => getComputedStyle(svg).touchAction") == "pinch-zoom"
