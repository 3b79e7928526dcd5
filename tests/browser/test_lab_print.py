"""A printed lesson carries its figures: loaded, without controls, each on one page, with its address."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, Route, expect

from learn import lessons
from tests.browser.conftest import Visitor, eventually
from tests.browser.laboratory_page import SOON
from tests.browser.lesson_page import figure, open_lesson

LESSONS = [lesson.slug for lesson in lessons.every() if lesson.kind == "lesson"]
TALLEST = 1024  # of a figure, in CSS pixels: with its address it goes on a page of A4 or letter
# In place of the browser's dialog, which nobody could close: all stays as it is printed until `afterprint`.
STUB = """window.print = () => {
  window.printed = [...document.querySelectorAll("[data-figure] iframe")].map(
    ({ contentDocument }) => "laboratoryReady" in (contentDocument?.documentElement.dataset ?? {}));
  dispatchEvent(new Event("beforeprint"));
};"""
PRINTED = "() => window.printed ?? []"
CUT_OFF = """() => [...document.querySelectorAll("[data-on-paper] iframe")].map((frame) =>
  frame.contentDocument.documentElement.getBoundingClientRect().height - frame.offsetHeight)"""
SIZES = """() => [...document.querySelectorAll("[data-on-paper] iframe")].map((frame) =>
  [frame.offsetWidth, frame.offsetHeight, Number(getComputedStyle(frame.contentDocument.body).zoom)])"""


def lesson_to_print(visitor: Visitor, slug: str, **options: Any) -> Page:
    page = visitor.open(login=False, **options)
    page.add_init_script(STUB)
    return open_lesson(page, slug, guess=False)


def print_it(page: Page) -> None:
    page.get_by_role("button", name="Print this lesson").click()
    is_printing(page)


def is_printing(page: Page) -> None:
    eventually(page, "() => Boolean(window.printed)")
    page.emulate_media(media="print")


def frame_of(page: Page, name: str) -> FrameLocator:
    return page.frame_locator(f"[data-figure={name}] iframe")


@pytest.mark.parametrize("slug", LESSONS)
def test_every_figure_goes_on_one_page_and_stays_legible(researcher: Visitor, slug: str) -> None:
    page = lesson_to_print(researcher, slug)
    print_it(page)
    count = page.locator("[data-figure]").count()
    assert page.evaluate(PRINTED) == [True] * count
    expect(page.locator("[data-figure][data-on-paper] iframe:visible")).to_have_count(count)
    for width, height, zoom in page.evaluate(SIZES):
        assert width == 800
        assert 200 < height <= TALLEST
        assert zoom >= 0.65
    # A pixel of the border at either end.
    assert max(page.evaluate(CUT_OFF)) <= 2
    for frame in page.frames[1:]:
        expect(frame.locator("[data-laboratory-figure]")).to_be_visible()
        expect(
            frame.locator(":is(.button, summary, [type=range], [type=checkbox], [type=radio]):visible")
        ).to_have_count(0)
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF-")


def test_the_button_waits_for_every_figure(researcher: Visitor) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page = researcher.open(login=False)
    page.add_init_script(STUB)
    page.route(re.compile("part=record"), hold)
    # The browser may ask for the held figure at once, and would wait for it.
    page.goto("/learn/confidence/", wait_until="domcontentloaded")
    page.get_by_role("button", name="Print this lesson").click()
    expect(page.locator("[data-print-says]")).to_have_text("The print waits for 1 figure.", timeout=SOON)
    assert page.evaluate(PRINTED) == []
    held[0].continue_()
    is_printing(page)
    assert page.evaluate(PRINTED) == [True, True]


def test_what_is_printed_and_what_is_not(researcher: Visitor) -> None:
    page = lesson_to_print(researcher, "confidence", color_scheme="dark")
    expect(page.locator("[data-figure=belief]")).to_be_hidden()  # it waits for a guess
    print_it(page)
    for element in (
        ".site-header",
        ".lesson-ends",
        "[data-print]",
        "[data-check]",
        "[data-say]",
        "[data-answer]",
    ):
        expect(page.locator(f"{element}:visible")).to_have_count(0)
    expect(page.locator("[data-hint]:visible, [data-reason]:visible")).to_have_count(0)
    expect(page.locator("[data-predict] input:visible")).not_to_have_count(0)  # to be ticked with a pencil
    address = page.locator("[data-figure=belief] .lesson-figure-address a")
    expect(address).to_be_visible()
    written = address.evaluate("(link) => getComputedStyle(link, '::after').content")
    assert f"{researcher.base}/learn/laboratory/belief/" in written
    belief = frame_of(page, "belief")
    expect(belief.locator("[data-twin=columns]")).to_contain_text("Together 100%")
    expect(belief.get_by_role("rowheader", name="apple")).to_be_visible()
    network = belief.locator("[data-pick=network]")  # read as a word
    assert network.evaluate(
        "(one) => [getComputedStyle(one).appearance, getComputedStyle(one).borderTopStyle]"
    ) == ["none", "none"]
    assert (
        belief.locator("body").evaluate("(body) => getComputedStyle(body).backgroundColor")
        == "rgb(255, 255, 255)"
    )

    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("[data-print]")).to_be_visible()
    expect(page.locator("[data-figure=belief]")).to_be_hidden()
    page.locator("[data-skip]").first.click()
    expect(belief.locator("[data-slider]")).to_be_visible()


@pytest.mark.parametrize("place", ["page", "frame"])
def test_the_keys_wait_as_well(researcher: Visitor, place: str) -> None:
    page = lesson_to_print(researcher, "pixels?on=sample:apple")
    if place == "frame":
        figure(page, "size").locator("[data-pick-rows]").focus()
    page.keyboard.press("Control+p")
    is_printing(page)
    assert page.evaluate(PRINTED) == [True] * 4


def test_a_print_from_the_menu_has_what_was_on_the_screen(researcher: Visitor) -> None:
    page = lesson_to_print(researcher, "pixels")
    figure(page, "size")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(frame_of(page, "size").locator("[data-total]")).to_be_visible()
    waiting = page.locator("[data-figure=place]")
    expect(waiting.locator("iframe")).to_be_hidden()
    expect(waiting.locator(".lesson-figure-address")).to_be_visible()


def test_a_figure_that_does_not_load_leaves_its_address(researcher: Visitor) -> None:
    researcher.expect("ERR_FAILED")
    page = researcher.open(login=False)
    page.add_init_script(STUB)
    page.route(re.compile("part=record"), lambda route: route.abort())
    open_lesson(page, "confidence", guess=False)
    print_it(page)
    expect(page.locator("[data-figure=belief] iframe")).to_be_visible()
    missing = page.locator("[data-figure=record]")
    expect(missing.locator("iframe")).to_be_hidden()
    expect(missing.locator(".lesson-figure-address")).to_be_visible()
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(page.locator("[data-print-says]")).to_have_text(
        "1 figure did not load; its address is printed in its place."
    )


@pytest.mark.parametrize("slug", LESSONS)
def test_without_scripts_the_still_figures_are_printed(researcher: Visitor, slug: str) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.goto(f"/learn/{slug}/")
    page.emulate_media(media="print")
    count = page.locator("[data-figure]").count()
    expect(page.locator("[data-figure] iframe:visible")).to_have_count(count)
    assert len(page.frames) == 1 + count
    for frame in page.frames[1:]:
        expect(frame.locator(".lab-still-inside")).to_be_visible()
        expect(frame.locator(".lab-still form:visible")).to_have_count(0)
        assert frame.locator("html").evaluate("(root) => root.scrollHeight <= innerHeight")


def test_the_answers_for_teachers_and_the_glossary_are_printed_whole(researcher: Visitor) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.emulate_media(media="print")
    page.goto("/learn/teachers/")
    expect(page.locator(".site-header, .lesson-ends").filter(visible=True)).to_have_count(0)
    expect(page.locator(".teacher-tasks dd").last).to_be_visible()
    page.goto("/learn/glossary/")
    expect(page.locator(".site-header, .lesson-ends").filter(visible=True)).to_have_count(0)
    last = page.locator(".glossary dd").last
    expect(last).to_be_visible()
    assert last.evaluate("(one) => getComputedStyle(one).breakInside") == "avoid"
