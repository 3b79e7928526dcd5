"""No task of any lesson is solved before anybody has done anything."""

from __future__ import annotations

import contextlib
import re
import time

import pytest
from playwright.sync_api import Page, expect

from learn import lessons
from tests.browser.conftest import Visitor
from tests.browser.laboratory_page import SOON
from tests.browser.lesson_page import check, figure, open_lesson, task

LESSONS = [lesson for lesson in lessons.every() if lesson.kind == "lesson"]


COMPUTED = re.compile(r"^(?!.*a moment)\S")
"""What is said of a figure that is neither on its way nor being computed."""


def verdict(page: Page, key: str) -> str:
    end = time.monotonic() + SOON / 1000
    while time.monotonic() < end:
        with contextlib.suppress(AssertionError):
            expect(check(page, key)).to_have_text(COMPUTED, timeout=500)
            break
    return task(page, key).locator("[data-verdict]").inner_text()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.slug)
def test_no_task_is_solved_in_the_state_that_its_figure_opens_with(
    researcher: Visitor, lesson: lessons.Lesson
) -> None:
    page = open_lesson(researcher.open(login=False), lesson.slug)
    for name in page.locator("[data-figure]").evaluate_all("(all) => all.map((one) => one.dataset.figure)"):
        figure(page, name)
    for one in lesson.tasks:
        said = verdict(page, one.key)
        assert COMPUTED.search(said), one.key
        assert "That is it" not in said, one.key
        expect(task(page, one.key)).not_to_have_attribute("data-solved", "")


def test_a_figure_that_waits_for_a_guess_is_not_loaded_before(researcher: Visitor) -> None:
    page = researcher.open(login=False, height=6000)
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url) if "/laboratory/" in request.url else None)
    open_lesson(page, "breaking", guess=False)
    page.wait_for_load_state("networkidle")
    assert not [url for url in loaded if "/lesson/" in url]
    open_lesson(page, "breaking")
    expect(
        page.frame_locator("[data-figure] iframe").first.locator("html[data-laboratory-ready]")
    ).to_have_count(1, timeout=SOON)
    assert [url for url in loaded if "/lesson/" in url]


def test_a_lesson_whose_script_does_not_come_hides_nothing(researcher: Visitor) -> None:
    researcher.expect("Failed to load resource", "net::ERR")
    page = researcher.open(login=False)
    page.route("**/js/lessons/breaking.*.js", lambda route: route.abort())
    page.goto("/learn/breaking/")
    for waiting in page.locator("[data-after-guess]").all():
        expect(waiting).to_be_visible()
