"""axe-core's rules on every page of the course, in the light and in the dark: WCAG 2.2 A and AA, and its own advice."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from learn import laboratory, lessons
from tests.browser.conftest import Visitor
from tests.browser.laboratory_page import ROOT, SOON, wait_until_ready
from tests.browser.lesson_page import open_lesson

COURSE = ["", "overview", "networks", "teachers", "glossary", "laboratory"]
LESSONS = [one.slug for one in lessons.every() if one.number]
FIGURES = [figure.slug for figure in laboratory.every()]
# What stands in a frame is looked at where it is a page of its own.
WHOLE = {"resultTypes": ["violations"], "iframes": False}
COLOURS = {**WHOLE, "runOnly": ["color-contrast"]}


def complaints(page: Page, options: dict[str, Any]) -> list[str]:
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['id']}: {node['failureSummary']}: {node['html'][:200]}"
        for one in found
        for node in one["nodes"]
    ]


def is_accessible(page: Page) -> None:
    # What is about to be replaced is dimmed.
    expect(page.locator("[aria-busy=true], [aria-busy='']")).to_have_count(0, timeout=SOON)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    assert complaints(page, WHOLE) == []
    page.emulate_media(color_scheme="dark")
    assert complaints(page, COLOURS) == []


@pytest.mark.parametrize("page_name", COURSE)
def test_a_page_about_the_course(researcher: Visitor, page_name: str) -> None:
    page = researcher.open(login=False)
    page.goto(f"/learn/{page_name}/" if page_name else "/learn/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    is_accessible(page)


@pytest.mark.parametrize("slug", LESSONS)
def test_a_lesson_before_its_guesses_and_after_them(researcher: Visitor, slug: str) -> None:
    page = researcher.open(login=False)
    open_lesson(page, slug, guess=False)
    is_accessible(page)
    open_lesson(page, slug)
    is_accessible(page)


@pytest.mark.parametrize("slug", FIGURES)
def test_a_figure_and_what_it_shows_without_scripts(researcher: Visitor, slug: str) -> None:
    page = researcher.open(login=False)
    page.goto(f"{ROOT}{slug}/")
    wait_until_ready(page)
    page.locator("[data-laboratory-still] > summary").click()
    is_accessible(page)


def test_a_figure_as_a_lesson_frames_it_on_a_phone(researcher: Visitor) -> None:
    page = researcher.open(login=False, width=360)
    for slug in FIGURES:
        page.goto(f"{ROOT}{slug}/lesson/")
        wait_until_ready(page)
        is_accessible(page)
