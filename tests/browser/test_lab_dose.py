"""Dose and response: every control by mouse and by keys, what is said of it, and what the address restores."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.laboratory_page import SOON

PAGE = "/learn/laboratory/dose/"
# The share of black among the pixels of a network's picture.
BLACK = """(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let black = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i] + data[i + 1] + data[i + 2] === 0) black += 1;
  return black / (data.length / 4);
}"""

Open = Callable[..., Page]


@pytest.fixture
def opened(researcher: Visitor, width: int) -> Open:
    def go(query: str = "", **options: Any) -> Page:
        page = researcher.open(width=width, login=False, **options)
        page.goto(f"{PAGE}?on=sample:apple{query}")
        expect(side(page, "vgg").locator("[data-words]")).not_to_be_empty(timeout=SOON)
        expect(side(page, "wideresnet").locator("[data-words]")).not_to_be_empty(timeout=SOON)
        return page

    return go


@pytest.fixture
def page(opened: Open) -> Page:
    return opened()


def side(page: Page, network: str) -> Locator:
    return page.locator(f"[data-side={network}]")


def says(page: Page) -> Locator:
    return page.locator("[data-dose] [data-says]")


def step(page: Page) -> Locator:
    return page.get_by_role("slider", name="Covered")


def area(page: Page, network: str, order: str) -> float:
    return float(page.locator(f"[data-area='{network} {order}']").inner_text().rstrip("%"))


@BOTH_WIDTHS
def test_both_networks_have_a_labelled_curve_of_their_own_style_and_a_sentence(page: Page) -> None:
    curves = page.locator("[data-part=curves] path")
    expect(curves).to_have_count(2)
    dashes = curves.evaluate_all("(all) => all.map((one) => getComputedStyle(one).strokeDasharray)")
    assert len(set(dashes)) == 2
    assert page.locator("[data-part=labels] text:not(.thin)").all_text_contents() == ["VGG", "Wide ResNet"]
    for name, title in (("vgg", "VGG"), ("wideresnet", "Wide ResNet")):
        words = side(page, name).locator("[data-words]")
        expect(words).to_contain_text(f"{title} is on average {area(page, name, 'most'):.1f}%")
    assert area(page, "vgg", "most") < area(page, "vgg", "least")


@pytest.mark.parametrize("width", [1280], indirect=True)
@pytest.mark.parametrize(
    ("order", "thin"),
    [
        ("most", ["least first", "random"]),
        ("least", ["most first", "random"]),
        ("random", ["most first", "least first"]),
    ],
)
def test_thin_lines_are_told_apart_by_their_dashes_and_their_names(
    opened: Open, order: str, thin: list[str]
) -> None:
    page = opened(f"&order={order}")
    lines = page.locator("[data-part=others] path")
    expect(lines).to_have_count(4)
    dashes = lines.evaluate_all("(all) => all.map((one) => getComputedStyle(one).strokeDasharray)")
    assert len(set(dashes)) == 4
    assert page.locator("[data-part=labels] text.thin").all_text_contents() == [*thin, *thin]
    expect(page.locator("[data-thin] li:visible")).to_have_count(4)
    keys = page.locator("[data-thin] li:visible path")
    assert set(keys.evaluate_all("(all) => all.map((one) => getComputedStyle(one).strokeDasharray)")) == set(
        dashes
    )


WRITTEN = """(svg) => {
  const frame = svg.getBoundingClientRect();
  const boxes = [...svg.querySelectorAll("text")].map((one) => one.getBoundingClientRect());
  const apart = (one, two) => one.right <= two.left || two.right <= one.left
    || one.bottom <= two.top || two.bottom <= one.top;
  return {
    inside: boxes.every((one) => one.left >= frame.left && one.right <= frame.right && one.bottom <= frame.bottom),
    apart: boxes.every((one, i) => boxes.slice(i + 1).every((two) => apart(one, two))),
  };
}"""


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
@pytest.mark.parametrize(("width", "count"), [(360, 2), (1280, 6)], indirect=["width"])
def test_all_that_is_written_in_the_plot_has_room(opened: Open, locale: str, count: int) -> None:
    page = opened(locale=locale)
    for order in ("most", "least", "random"):
        page.locator(f"[data-order] input[value={order}]").check()
        expect(page.locator("[data-dose]")).to_have_attribute("data-shown", order)
        # On a narrow screen thin lines are named below the plot only.
        expect(page.locator("[data-part=labels] text")).to_have_count(count)
        expect(page.locator("[data-thin] li:visible")).to_have_count(4)
        assert page.locator("[data-chart]").evaluate(WRITTEN) == {"inside": True, "apart": True}


def test_back_undoes_a_choice_and_not_a_movement(page: Page) -> None:
    words = side(page, "vgg").locator("[data-words]")
    page.get_by_role("radio", name="At random").check()
    expect(words).to_contain_text(f"VGG is on average {area(page, 'vgg', 'random'):.1f}%")
    step(page).focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("step=3"))
    page.locator("#dose-class").select_option(label="orange")
    expect(words).to_contain_text("sure of orange", timeout=SOON)
    page.go_back()
    expect(page.locator("#dose-class")).to_have_value("0")
    expect(words).to_contain_text("sure of apple", timeout=SOON)
    expect(page.get_by_role("radio", name="At random")).to_be_checked()
    expect(step(page)).to_have_value("3")
    page.go_back()
    expect(page.get_by_role("radio", name="Most important first")).to_be_checked()
    expect(page.locator("[data-dose]")).to_have_attribute("data-shown", "most")
    page.go_forward()
    page.go_forward()
    expect(words).to_contain_text("sure of orange", timeout=SOON)
    expect(page).to_have_url(re.compile("class=53.*order=random|order=random.*class=53"))


def test_keys_cover_the_picture_step_by_step(page: Page) -> None:
    picture = side(page, "vgg").locator("[data-picture]")
    expect(says(page)).to_contain_text("0% of the picture is covered. VGG says apple")
    step(page).focus()
    page.keyboard.press("ArrowRight")
    expect(says(page)).to_contain_text("4.7% of the picture is covered.")
    expect(page).to_have_url(re.compile("step=1"))
    page.keyboard.press("End")
    expect(says(page)).to_contain_text("100% of the picture is covered.")
    assert picture.evaluate(BLACK) == 1
    expect(step(page)).to_have_attribute("aria-valuetext", "100%")


@BOTH_WIDTHS
def test_a_pointer_on_the_plot_covers_the_picture(page: Page) -> None:
    chart = page.locator("[data-chart]")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.55 * box["width"], middle, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile(r"step=(9|10|11)(&|$)"))
    share = float(page.locator("[data-share]").inner_text().rstrip("%")) / 100
    assert side(page, "wideresnet").locator("[data-picture]").evaluate(BLACK) == pytest.approx(
        share, abs=0.02
    )


def test_the_order_is_chosen_by_keys_and_by_mouse(page: Page) -> None:
    page.get_by_role("radio", name="Most important first").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Least important first")).to_be_checked()
    words = side(page, "vgg").locator("[data-words]")
    expect(words).to_contain_text(f"VGG is on average {area(page, 'vgg', 'least'):.1f}%")
    expect(page).to_have_url(re.compile("order=least"))
    page.get_by_text("At random", exact=True).first.click()
    expect(words).to_contain_text(f"VGG is on average {area(page, 'vgg', 'random'):.1f}%")


def test_another_class_has_its_own_curves(page: Page) -> None:
    page.locator("#dose-class").select_option(label="sweet pepper")
    expect(side(page, "vgg").locator("[data-words]")).to_contain_text("sure of sweet pepper", timeout=SOON)
    expect(page).to_have_url(re.compile("class=83"))


@BOTH_WIDTHS
def test_the_table_has_every_step_and_marks_the_one_that_is_shown(opened: Open) -> None:
    page = opened("&step=6")
    page.get_by_text("All steps as a table").click()
    rows = page.locator("[data-rows] tr")
    expect(rows).to_have_count(21)
    expect(rows.nth(6)).to_have_attribute("data-now", "")
    expect(rows.nth(6).locator("th")).to_have_text("29.7%")
    expect(rows.nth(0)).to_contain_text("apple")


def test_the_address_restores_what_was_seen(opened: Open) -> None:
    page = opened("&order=random&step=12")
    expect(page.get_by_role("radio", name="At random")).to_be_checked()
    expect(step(page)).to_have_value("12")
    expect(says(page)).to_contain_text("59.4% of the picture is covered.")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("&step=99", "There is no such step. The nearest one is shown."),
        ("&order=up", "There is no such order."),
        ("&class=-3", "There is no class of this number."),
    ],
)
def test_an_address_that_asks_for_what_is_not_is_answered_once(
    opened: Open, query: str, sentence: str
) -> None:
    corrections = opened(query).locator("[data-laboratory-corrections]")
    expect(corrections).to_contain_text(sentence)
    assert corrections.inner_text().count(sentence) == 1


def test_without_scripts_the_curves_are_drawn_and_listed(researcher: Visitor) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.goto(f"{PAGE}?on=sample:apple")
    expect(page.locator(".dose-still polyline.curve")).to_have_count(2)
    region = page.get_by_role("group", name="All steps of the chosen order, as computed before")
    expect(region.locator("tbody tr")).to_have_count(21)
    expect(page.locator("[data-dose]")).to_be_hidden()
