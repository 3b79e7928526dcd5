"""CutMix by mouse and by keys: the rectangle, λ, the mixture's pixels and what the networks say, narrow and wide."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.laboratory_page import SOON, canvas_pixels, on_module, open_figure


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_figure(researcher, "cutmix", "?on=sample:apple&other=clock", width=width)


def mixed(page: Page):
    return page.get_by_role("application", name="The mixed picture and its rectangle")


def drag(page: Page, start: tuple[int, int], end: tuple[int, int]) -> None:
    """From the middle of one pixel (row, column) to that of another."""
    mixed(page).scroll_into_view_if_needed()
    box = mixed(page).bounding_box()
    assert box
    places = [
        (box["x"] + box["width"] * (x + 0.5) / 32, box["y"] + box["height"] * (y + 0.5) / 32)
        for y, x in (start, end)
    ]
    page.mouse.move(*places[0])
    page.mouse.down()
    page.mouse.move(*places[1], steps=4)
    page.mouse.up()


def pixel(page: Page, canvas: str, row: int, column: int) -> list[int]:
    found: list[int] = canvas_pixels(page.locator(f"[data-{canvas}]"))[row, column].tolist()
    return found


def answered(page: Page) -> None:
    expect(page.locator("[data-answers]:not([aria-busy])")).to_have_count(1, timeout=SOON)


@BOTH_WIDTHS
def test_a_drawn_rectangle_is_of_the_other_picture(page: Page) -> None:
    drag(page, (28, 30), (26, 2))
    expect(page.locator("[data-lambda]")).to_have_text("λ = 0.915")
    expect(page.locator("[data-twin]")).to_contain_text(
        "begins in row 27, column 3 and is 3 rows high and 29 columns wide. "
        "Of the 1,024 pixels of the mixed picture 937 are"
    )
    assert pixel(page, "pixels", 27, 10) == pixel(page, "theirs", 27, 10)
    assert pixel(page, "pixels", 20, 10) == pixel(page, "own", 20, 10)
    drag(page, (27, 10), (7, 10))
    expect(page.locator("[data-twin]")).to_contain_text("begins in row 7, column 3")
    assert pixel(page, "pixels", 7, 10) == pixel(page, "theirs", 7, 10)
    assert "box=6%2C2%2C3%2C29" in page.evaluate(
        "new Promise((done) => setTimeout(() => done(location.search), 200))"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_keys_move_it_and_change_its_sides_and_never_beyond_the_picture(page: Page) -> None:
    for key, told in (
        ("ArrowLeft", "row 9, column 8 and is 16 rows high and 16 columns wide"),
        ("ArrowDown", "row 10, column 8 and is 16 rows high and 16 columns wide"),
        ("Shift+ArrowRight", "row 10, column 8 and is 16 rows high and 17 columns wide"),
        ("Shift+ArrowUp", "row 10, column 8 and is 15 rows high and 17 columns wide"),
    ):
        mixed(page).press(key)
        expect(page.locator("[data-twin]")).to_contain_text(told)
    for _ in range(40):
        mixed(page).press("Shift+ArrowRight")
        mixed(page).press("ArrowUp")
    expect(page.locator("[data-twin]")).to_contain_text(
        "row 1, column 8 and is 15 rows high and 25 columns wide"
    )


def test_both_networks_answer_the_mixture_and_the_right_answer_stands_above(page: Page) -> None:
    answered(page)
    right = page.locator('[data-row=""] [data-says]')
    expect(right).to_have_text("75.0% apple, 25.0% clock")
    for name in ("vgg", "wideresnet"):
        expect(page.locator(f"[data-row={name}] [data-says]")).to_contain_text(
            "loss against the mixed answer"
        )
    page.locator("[data-turn]").select_option("of the first picture")
    expect(right).to_have_text("25.0% apple, 75.0% clock")
    assert pixel(page, "pixels", 15, 15) == pixel(page, "own", 15, 15)
    answered(page)
    first = page.locator("[data-row=vgg] [data-says]").inner_text()
    page.locator("[data-other]").select_option("rocket")
    expect(right).to_have_text("25.0% apple, 75.0% rocket")
    answered(page)
    expect(page.locator("[data-row=vgg] [data-says]")).not_to_have_text(first)


def test_an_answer_is_said_once_and_a_picture_mixed_with_itself_is_noticed(page: Page) -> None:
    mixed(page).press("ArrowUp")
    answered(page)
    for name in ("vgg", "wideresnet"):
        words = page.locator(f"[data-row={name}] [data-says]").inner_text()
        assert words.count("apple") == words.count("clock") == 1
    page.locator("[data-other]").select_option("apple")
    expect(page.locator('[data-row=""] [data-says]')).to_contain_text("Both pictures are the same one")
    answered(page)
    expect(page.locator("[data-row=vgg] [data-says]")).to_have_text(
        re.compile(r"^apple [\d.]+%; loss against the mixed answer [\d.]+\.$")
    )


@BOTH_WIDTHS
def test_the_density_has_axes_and_a_mark_at_the_share(page: Page) -> None:
    chart = page.locator(".cutmix-density svg")
    assert chart.locator("text").all_text_contents() == [*"012", "0", "0.25", "0.5", "0.75", "1", "λ"]
    tick, mark = chart.get_by_text("0.75").bounding_box(), chart.locator("[data-mark]").bounding_box()
    assert tick
    assert mark
    assert mark["x"] == pytest.approx(tick["x"] + tick["width"] / 2, abs=2)


def test_the_curves_of_training_are_drawn_and_told_apart(page: Page) -> None:
    style = "(one) => [getComputedStyle(one).stroke, getComputedStyle(one).strokeDasharray]"
    styles = [
        page.locator(f".prose polyline.cutmix-{kind}").first.evaluate(style)
        for kind in ("training", "held-out")
    ]
    assert all(stroke != "none" for stroke, _dashes in styles)
    assert styles[0][1] != styles[1][1]


def test_a_drawn_box_is_one_that_the_paper_could_draw_and_back_takes_it_away(page: Page) -> None:
    before = page.locator("[data-twin]").inner_text()
    page.get_by_role("button", name="Draw one").click()
    expect(page.locator("[data-twin]")).not_to_have_text(before)
    page.go_back()
    expect(page.locator("[data-twin]")).to_have_text(before)


def test_random_boxes_have_the_shares_of_their_distribution(page: Page) -> None:
    body = """
      const { beta, randomBox } = module;
      const mean = (list) => list.reduce((all, one) => all + one, 0) / list.length;
      return [0.5, 1, 2, 4].map((alpha) => {
        const draws = Array.from({ length: 4000 }, () => beta(alpha));
        const boxes = Array.from({ length: 500 }, () => randomBox(alpha, 32));
        const fits = boxes.every(([y, x, high, wide]) => Math.min(y, x) >= 0 && Math.min(high, wide) >= 1
          && y + high <= 32 && x + wide <= 32);
        const middle = mean(draws);
        return [alpha, middle, mean(draws.map((one) => (one - middle) ** 2)), fits];
      });
    """
    for alpha, middle, variance, fits in on_module(page, "cutmix-model", body):
        assert fits
        assert middle == pytest.approx(0.5, abs=0.04)
        assert variance == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.15)


def test_the_server_mixes_the_same_pixels(page: Page) -> None:
    still = page.locator("[data-laboratory-still] svg.cutmix-still rect")
    colours = [one.get_attribute("fill") for one in still.all()[:1024]]
    data = json.loads(page.locator("#cutmix-data").text_content() or "")
    assert data["box"] == [8, 8, 16, 16]
    for row, column in ((0, 0), (8, 8), (23, 23), (24, 24), (15, 7)):
        assert colours[32 * row + column] == "#{:02x}{:02x}{:02x}".format(*pixel(page, "pixels", row, column))
