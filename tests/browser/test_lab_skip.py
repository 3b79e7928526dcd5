"""Skip connections with scripts: pointing at a convolution by mouse and keyboard, and what is said of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from learn.figures import skip
from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.laboratory_page import wait_until_ready

RUNS = skip.load()
DEEPEST = RUNS.depths[-1]


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    page = researcher.open(width=width, login=False)
    page.goto("/learn/laboratory/skip/")
    wait_until_ready(page)
    return page


@BOTH_WIDTHS
def test_a_convolution_is_pointed_at_and_said(page: Page) -> None:
    twin = page.locator("[data-twin]")
    expect(twin).to_contain_text(f"{DEEPEST} layers, convolution 1 of {DEEPEST - 1} (Stem, convolution).")
    values = RUNS.gradients("plain", DEEPEST, "start")
    expect(twin).to_contain_text(f"{skip.written(values[0] / values[-1])} times that of the last one")
    slider = page.get_by_role("slider")
    slider.press("End")
    expect(twin).to_contain_text(f"convolution {DEEPEST - 1} of {DEEPEST - 1}")
    expect(twin).to_contain_text("1.0 times that of the last one")
    slider.press("ArrowLeft")
    expect(twin).to_contain_text(f"convolution {DEEPEST - 2} of {DEEPEST - 1}")
    expect(page).to_have_url(re.compile(rf"layer={DEEPEST - 3}\b"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@BOTH_WIDTHS
def test_a_click_in_the_plot_points_at_a_convolution(page: Page) -> None:
    plot = page.locator("[data-skip] [data-plot=gradients]")
    box = plot.bounding_box()
    assert box
    # The drawing is 340 wide; its lines begin at 46 and are 284 long.
    plot.click(position={"x": box["width"] * (46 + 284 / 2) / 340, "y": box["height"] / 2})
    middle = round((DEEPEST - 2) / 2)
    expect(page.locator("[data-twin]")).to_contain_text(f"convolution {middle + 1} of")


def test_only_the_lines_of_the_chosen_depth_and_time_are_strong(page: Page) -> None:
    lines = "[data-skip] [data-plot=gradients] polyline:not(.thin)"
    strong = page.locator(f"{lines}[visibility=visible], {lines}:not([visibility])")
    expect(strong).to_have_count(2)
    page.locator("[data-depth-pick]").select_option(str(RUNS.depths[0]))
    page.locator("[data-when-pick]").select_option("end")
    expect(strong).to_have_count(2)
    for one in strong.all():
        assert one.get_attribute("data-depth") == str(RUNS.depths[0])
        assert one.get_attribute("data-when") == "end"
    # The address leads back to this state.
    page.reload()
    wait_until_ready(page)
    expect(page.locator("[data-depth-pick]")).to_have_value(str(RUNS.depths[0]))
    expect(page.locator("[data-when-pick]")).to_have_value("end")
