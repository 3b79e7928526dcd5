"""Lesson 5 by mouse and keyboard: guesses, every task the right way and two wrong ways, and what is kept of it."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor, sign_up
from tests.browser.laboratory_page import SOON
from tests.browser.lesson_page import check, figure, is_missed, is_solved, open_lesson, task

SLUG = "confidence"


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_lesson(researcher.open(width=width, login=False), SLUG)


def temperature(frame: FrameLocator, value: str) -> None:
    frame.get_by_label("Temperature T as a number").fill(value)


def test_the_figure_waits_for_the_guess(researcher: Visitor) -> None:
    page = open_lesson(researcher.open(login=False), SLUG, guess=False)
    expect(page.locator("[data-figure=belief]")).to_be_hidden()
    say = page.get_by_role("button", name="That is my guess").first
    expect(say).to_be_disabled()
    page.get_by_label("That depends on the picture.").check()
    say.press("Enter")
    expect(page.locator("[data-predict=order] [data-verdict]")).to_contain_text("It is not so.")
    expect(page.locator("[data-predict=order] [data-answer] p")).to_be_visible()
    expect(page.locator("[data-figure=belief]")).to_be_visible()
    expect(page.locator("[data-figure=record]")).to_be_hidden()
    expect(task(page, "surer")).to_be_hidden()


def test_the_frame_is_as_tall_as_its_figure(page: Page) -> None:
    frame = figure(page, "belief")
    expect(frame.locator("[data-columns] tbody tr")).to_have_count(6)
    expect(frame.locator("[data-panels]")).to_be_hidden()
    tall = frame.locator("html").evaluate("(root) => [root.scrollHeight, root.clientHeight]")
    assert tall[0] <= tall[1] + 1
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@BOTH_WIDTHS
def test_doubt(page: Page) -> None:
    frame = figure(page, "belief")
    is_missed(page, "doubt", "Bring it below 20%")
    temperature(frame, "1.5")
    is_missed(page, "doubt", "Bring it below 20%")
    expect(task(page, "doubt").locator("[data-hint] p")).to_be_visible()
    temperature(frame, "12")
    is_solved(page, "doubt")
    expect(page.locator("[data-count]")).to_have_text("1 of 4 tasks solved")


def test_a_hint_comes_after_the_second_miss_and_not_before(page: Page) -> None:
    figure(page, "belief")
    hint = task(page, "never").locator("[data-hint]")
    check(page, "never")
    expect(hint).to_be_hidden()
    check(page, "never")
    expect(hint).to_be_visible()
    expect(task(page, "never").locator("[data-reason]")).to_be_hidden()


def test_never(page: Page) -> None:
    frame = figure(page, "belief")
    is_missed(page, "never", "No class is named")
    chosen = frame.locator("[data-belief]").get_by_label("Name in the fifth row")
    chosen.select_option(label="apple")
    is_missed(page, "never", "among the five likeliest")
    chosen.select_option(label="rocket")
    is_missed(page, "never", "Bring it to 0.5% or more")
    temperature(frame, "20")
    is_solved(page, "never")


def test_boast(page: Page) -> None:
    frame = figure(page, "belief")
    temperature(frame, "5")
    is_missed(page, "boast", "not below the marked one")
    temperature(frame, "0.8")
    is_missed(page, "boast", "Make it claim more than 99%")
    temperature(frame, "0.05")
    is_solved(page, "boast")


def logits(page: Page, network: str) -> np.ndarray:
    asked = {"on": "sample:apple", "network": network, "kind": "xray", "parameters": "{}"}
    found = page.request.get("/learn/laboratory/explanations/find", params=asked).json()
    return np.array(page.request.get(found["base"] + "meta.json").json()["logits"]["clean"])


def claim(scores: np.ndarray, at: float) -> float:
    """The likeliest class's probability at a temperature."""
    return float(1 / np.exp((scores - scores.max()) / at).sum())


def test_surer(page: Page) -> None:
    frame = figure(page, "record")
    shares = {}
    # Both networks' scores have to be there before the two can be compared.
    for network in ("vgg", "wideresnet"):
        mark = frame.locator(f"figure[data-panel={network}]:visible")
        expect(mark).to_contain_text("this answer", timeout=SOON)
        shares[network] = float(mark.inner_text().partition("this answer")[2].split("%")[0].strip()) / 100
    less, surer = sorted(shares, key=lambda name: shares[name])
    frame.get_by_label("Network", exact=True).select_option(surer)
    is_missed(page, "surer", "This is the surer one")
    frame.get_by_label("Network", exact=True).select_option(less)
    is_missed(page, "surer", "It claims")
    scores = logits(page, less)
    for off in (0.03, -0.03, 0):
        wanted = min(np.linspace(0.2, 3, 2000), key=lambda at: abs(claim(scores, at) - shares[surer] - off))
        temperature(frame, f"{wanted:.3f}")
        if off:
            is_missed(page, "surer", f"It claims {100 * claim(scores, round(wanted, 3)):.1f}% now")
    is_solved(page, "surer")


def test_a_visitors_progress_stays_in_the_browser_and_goes_to_the_account(researcher: Visitor) -> None:
    page = open_lesson(researcher.open(login=False), SLUG)
    temperature(figure(page, "belief"), "12")
    is_solved(page, "doubt")
    page.reload()
    expect(task(page, "doubt")).to_have_attribute("data-solved", "")
    sign_up(page.context)
    with page.expect_response("**/learn/progress/"):
        page.goto("/learn/")
    expect(page.locator("[data-solved-of=confidence]")).to_have_text("1 of 4 tasks solved")
    assert page.evaluate("localStorage.getItem('convoscope.solved')") is None
    page.reload()
    expect(page.locator("[data-solved-of=confidence]")).to_have_text("1 of 4 tasks solved")


def test_two_tabs_of_a_visitor_show_the_same(researcher: Visitor) -> None:
    page = open_lesson(researcher.open(login=False), SLUG)
    other = open_lesson(page.context.new_page(), SLUG)
    temperature(figure(page, "belief"), "12")
    is_solved(page, "doubt")
    expect(task(other, "doubt")).to_have_attribute("data-solved", "")


@pytest.mark.parametrize(
    "broken",
    [
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); };",
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });",
    ],
    ids=["full", "blocked"],
)
def test_storage_that_is_full_or_blocked_is_said_and_harms_nothing(researcher: Visitor, broken: str) -> None:
    page = researcher.open(login=False)
    page.add_init_script(broken)
    open_lesson(page, SLUG)
    temperature(figure(page, "belief"), "12")
    is_solved(page, "doubt")
    expect(task(page, "doubt").locator("[data-verdict]")).to_contain_text("forgotten with this page")


@pytest.mark.parametrize("held", ["{", "{}", '["x:y", 5, null]', '"doubt"'])
def test_strange_things_in_the_storage_are_left_alone(researcher: Visitor, held: str) -> None:
    page = researcher.open(login=False)
    page.add_init_script(f"localStorage.setItem('convoscope.solved', {json.dumps(held)});")
    open_lesson(page, SLUG)
    expect(page.locator("[data-count]")).to_have_text("0 of 4 tasks solved")


def test_a_task_that_cannot_be_noted_is_solved_all_the_same_and_says_so(researcher: Visitor) -> None:
    page = open_lesson(researcher.open(), SLUG)
    researcher.expect("503")
    page.route("**/learn/progress/", lambda route: route.fulfill(status=503, body=""))
    temperature(figure(page, "belief"), "12")
    verdict = task(page, "doubt").locator("[data-verdict]")
    is_solved(page, "doubt")
    expect(verdict).to_contain_text("it could not be noted")


def test_without_scripts_everything_can_be_read(researcher: Visitor) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.goto(f"/learn/{SLUG}/?on=sample:apple")
    expect(page.locator("[data-lesson] noscript p")).to_contain_text(
        "Without JavaScript the figures stand still"
    )
    page.locator("[data-task=doubt] [data-hint] summary").click()
    expect(page.locator("[data-task=doubt] [data-hint] p")).to_be_visible()
    # No frame that shows a part of a figure, but the way to all of it, with the picture that was chosen.
    expect(page.locator("iframe:visible")).to_have_count(0)
    page.locator("[data-figure=belief]").get_by_role("link", name="From scores to probabilities").click()
    expect(page).to_have_url(re.compile(r"/laboratory/belief/\?on=sample%3Aapple$"))
    expect(page.locator("[data-laboratory-still]")).to_contain_text("Together 100%")


def test_a_picture_chosen_in_one_figure_is_shown_in_all_and_kept_in_the_address(page: Page) -> None:
    first, second = figure(page, "belief"), figure(page, "record")
    expect(second.locator(".lab-subject-title")).to_have_text("Apple on a kitchen table")
    first.locator("html").evaluate("() => { location.search = '?part=columns&on=sample:clock'; }")
    expect(first.locator(".lab-subject-title")).not_to_have_text("Apple on a kitchen table")
    chosen = first.locator(".lab-subject-title").inner_text()
    expect(second.locator(".lab-subject-title")).to_have_text(chosen)
    expect(page).to_have_url(re.compile(r"\?on=sample%3Aclock$"))
    open_lesson(page, f"{SLUG}/?on=sample:clock")
    expect(figure(page, "belief").locator(".lab-subject-title")).to_have_text(chosen)
