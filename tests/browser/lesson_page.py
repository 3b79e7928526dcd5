"""What tests of all lessons share: opening one, its figures, its tasks."""

from __future__ import annotations

import contextlib
import time

from playwright.sync_api import FrameLocator, Locator, Page, expect

from tests.browser.laboratory_page import SOON


def open_lesson(page: Page, slug: str, *, guess: bool = True) -> Page:
    """The lesson's page; its guesses are passed over, so that every figure is there."""
    page.goto(f"/learn/{slug}" if "?" in slug else f"/learn/{slug}/")
    expect(page.locator("html[data-lesson-ready]")).to_have_count(1)
    while guess and page.locator("[data-skip]:visible").count():
        page.locator("[data-skip]:visible").first.click()
    return page


def figure(page: Page, name: str) -> FrameLocator:
    """The figure called ``name``, drawn."""
    page.locator(f"[data-figure={name}]").scroll_into_view_if_needed()
    frame = page.frame_locator(f"[data-figure={name}] iframe")
    expect(frame.locator("html[data-laboratory-ready]")).to_have_count(1, timeout=SOON)
    return frame


def task(page: Page, key: str) -> Locator:
    return page.locator(f"[data-task={key}]")


def check(page: Page, key: str) -> Locator:
    """Has a task graded; returns what is said of it."""
    task(page, key).locator("[data-check]").click()
    return task(page, key).locator("[data-verdict]")


def is_missed(page: Page, key: str, sentence: str) -> None:
    """Has a task graded until the figure's last change has arrived and the sentence is said."""
    _graded(page, key, sentence)
    expect(task(page, key)).not_to_have_attribute("data-solved", "")


def is_solved(page: Page, key: str) -> None:
    _graded(page, key, "That is it")
    expect(task(page, key)).to_have_attribute("data-solved", "")
    expect(task(page, key).locator("[data-reason] p")).to_be_visible()


def _graded(page: Page, key: str, sentence: str) -> None:
    # What a figure shows reaches the page by message, a moment after it is drawn, and some of it is computed first.
    end = time.monotonic() + SOON / 1000
    while time.monotonic() < end:
        with contextlib.suppress(AssertionError):
            return expect(check(page, key)).to_contain_text(sentence, timeout=200)
    expect(check(page, key)).to_contain_text(sentence)
    return None
