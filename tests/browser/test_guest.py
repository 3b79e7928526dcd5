"""Without an account: a sample is tried, answered, and found in the history after signing up."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visitor, choose, one_colour, send, sign_up, upload
from tests.browser.test_journey import fits
from tests.factories import PASSWORD

DRAFT = re.compile("/predict/draft/")


def log_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/?next=/history/")
    page.fill("[name=login]", email)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/history/")


def sign_up_from_the_notice(page: Page) -> None:
    page.click("[data-trial] a >> nth=0")
    page.wait_for_url("**/accounts/signup/**")
    page.fill("[name=email]", f"guest-{uuid.uuid4().hex[:12]}@example.com")
    page.fill("[name=password1]", PASSWORD)
    page.fill("[name=password2]", PASSWORD)
    page.press("[name=password2]", "Enter")


@pytest.mark.parametrize("width", [360, 1280])
def test_a_sample_that_was_tried_is_in_the_history_after_signing_up(visitor: Visitor, width: int) -> None:
    page = visitor.open(width=width, login=False)
    page.goto("/")
    page.click("main .hero a[href='/predict/']")
    page.wait_for_url("**/predict/")
    notice = page.locator("[data-trial]")
    expect(notice).to_contain_text("5 of 5 pictures left")
    # No session before there is something to keep.
    assert {cookie["name"] for cookie in page.context.cookies()} == {"csrftoken", "tz"}
    with page.expect_response(DRAFT):
        page.locator("[data-sample]").first.click()
    # To look at what the site itself offers costs nothing.
    expect(notice).to_contain_text("5 of 5 pictures left")
    expect(page.locator(".site-header")).not_to_contain_text("Log out")
    send(page)
    assert fits(page)

    page.goto("/history/")
    expect(page.locator("[data-run]")).to_have_count(2)
    expect(page.locator("[data-trial]")).to_contain_text("5 of 5 pictures left")
    assert fits(page)

    sign_up_from_the_notice(page)
    page.wait_for_url("**/history/")
    expect(page.locator(".notices")).to_contain_text("Your picture is now in your history.")
    expect(page.locator("[data-trial]")).to_have_count(0)
    expect(page.locator("[data-run]")).to_have_count(2)


def test_pictures_sent_at_once_belong_to_one_guest(visitor: Visitor) -> None:
    page = visitor.open(login=False)
    page.goto("/predict/")
    colours = ("red", "green", "blue")
    page.set_input_files("#id_image", [upload(f"{name}.png", one_colour(name)) for name in colours])
    expect(page.locator("[data-trial]")).to_contain_text("2 of 5 pictures left")
    page.click("[data-send]")
    page.wait_for_url("**/batches/**")
    for name in colours:
        expect(page.locator("main")).to_contain_text(f"{name}.png")


def test_when_the_five_are_used_up_the_ways_on_stand_at_the_picture(visitor: Visitor) -> None:
    visitor.expect("status of 422")
    page = visitor.open(login=False)
    page.goto("/predict/")
    choose(page, upload("first.png", one_colour("red")))
    send(page)

    def over(route: Route) -> None:
        error = {"code": "trial_over", "message": "You have tried 5 pictures."}
        route.fulfill(status=422, content_type="application/json", body=json.dumps({"error": error}))

    page.route(DRAFT, over)
    choose(page, upload("sixth.png", one_colour("blue")))
    trouble = page.locator("[data-picture-error]")
    expect(trouble).to_contain_text("You have tried 5 pictures.")
    expect(trouble.get_by_role("link", name="Sign up")).to_have_attribute(
        "href", "/accounts/signup/?next=/predict/"
    )
    expect(trouble.get_by_role("link", name="log in")).to_be_visible()
    page.goto("/history/")
    expect(page.locator("[data-run]")).to_have_count(2)


def test_the_plain_form_makes_a_guest_too(visitor: Visitor) -> None:
    page = visitor.open(java_script_enabled=False, login=False)
    page.goto("/predict/")
    page.set_input_files("#id_image", upload("plain.png", one_colour("green", (60, 60))))
    page.click("[data-send]")
    page.wait_for_url("**/predictions/**")
    assert "4 of 5 pictures left" in page.inner_text("[data-trial]")


@pytest.mark.parametrize(
    ("answer", "says", "kept"),
    [
        ("Keep them", "Your 2 pictures are now in your history.", 2),
        ("They are not mine", "What was tried here before you logged in is erased.", 0),
    ],
)
def test_who_logs_in_without_javascript_says_whose_the_pictures_are(
    visitor: Visitor, answer: str, says: str, kept: int
) -> None:
    page = visitor.open(java_script_enabled=False, login=False, width=360)
    other = visitor.open(login=False).context
    email = sign_up(other)
    page.goto("/predict/")
    pictures = [upload(f"{name}.png", one_colour(name, (60, 60))) for name in ("green", "red")]
    page.set_input_files("#id_image", pictures)
    page.locator("[name=model]:checked").last.uncheck()
    page.click("[data-send]")
    page.wait_for_url("**/batches/**")
    log_in(page, email)
    offer = page.locator("[data-guest-offer]")
    expect(offer).to_contain_text("You tried 2 pictures here before you logged in.")
    expect(page.locator("[data-run]")).to_have_count(0)
    assert fits(page)
    offer.get_by_role("button", name=answer).click()
    page.wait_for_url("**/history/")
    expect(page.locator(".notices")).to_contain_text(says)
    expect(offer).to_have_count(0)
    expect(page.locator("[data-run]")).to_have_count(kept)
    assert fits(page)
