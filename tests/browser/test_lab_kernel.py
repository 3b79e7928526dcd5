"""The kernel laboratory by mouse and by keys, its numbers against NumPy, narrow and wide."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.laboratory_page import open_figure


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_figure(researcher, "kernel", "?on=sample:apple", width=width)


def weights(page: Page):
    return page.locator("[data-weights] input")


def written(page: Page) -> list[float]:
    return [float(one.input_value()) for one in weights(page).all()]


def settle(page: Page, **settings: str) -> None:
    for name, value in settings.items():
        page.locator(f"[data-pick-{name}]").select_option(value)


def total(page: Page) -> float:
    return float(page.locator("[data-sum]").inner_text().replace("−", "-"))


def picture(page: Page) -> np.ndarray:
    data = json.loads(page.locator("#kernel-data").text_content() or "")
    return (
        np.array(data["pixels"], float).reshape(data["side"], data["side"], 3) / 255 @ [0.299, 0.587, 0.114]
    )


def expected(
    values: np.ndarray, kernel: list[float], y: int, x: int, stride=1, padding=1, dilation=1
) -> float:
    padded = np.pad(values, padding)
    top, left = y * stride, x * stride
    under = padded[top : top + 2 * dilation + 1 : dilation, left : left + 2 * dilation + 1 : dilation]
    return float((under * np.reshape(kernel, (3, 3))).sum())


@BOTH_WIDTHS
def test_every_place_that_keys_reach_has_the_sum_of_its_products(page: Page) -> None:
    values = picture(page)
    output = page.get_by_role("application", name="What comes out, place by place")
    output.focus()
    for keys, (y, x) in (
        ("Control+Home", (0, 0)),
        ("ArrowDown ArrowRight ArrowRight", (1, 2)),
        ("End", (1, 31)),
        ("Control+End", (31, 31)),
        ("ArrowDown ArrowRight", (31, 31)),
    ):
        for key in keys.split():
            output.press(key)
        expect(page.locator("[data-twin]")).to_contain_text(f"Row {y + 1}, column {x + 1}:")
        assert total(page) == pytest.approx(expected(values, written(page), y, x), abs=6e-4)
        products = page.locator("[data-terms] tr td:last-child").all_inner_texts()
        assert sum(float(text.replace("−", "-")) for text in products) == pytest.approx(total(page), abs=6e-3)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_stride_padding_and_dilation_change_what_comes_out(page: Page) -> None:
    values = picture(page)
    settle(page, stride="2", padding="0", dilation="3")
    expect(page.locator("[data-out-size]")).to_have_text("13 × 13")
    expect(page.locator("[data-formula]")).to_contain_text("(32 + 2 × 0 − 7) ÷ 2, rounded down, + 1 = 13")
    page.get_by_role("application").press("Control+End")
    expect(page.locator("[data-twin]")).to_contain_text("Row 13, column 13:")
    wanted = expected(values, written(page), 12, 12, stride=2, padding=0, dilation=3)
    assert total(page) == pytest.approx(wanted, abs=6e-4)


def test_a_typed_weight_changes_the_sum_and_the_address(page: Page) -> None:
    page.locator("[data-preset]").select_option("identity")
    assert written(page) == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    before = total(page)
    weights(page).nth(4).fill("-2")
    expect(page.locator("[data-sum]")).to_have_text(re.compile("−"))
    assert total(page) == pytest.approx(-2 * before, abs=2e-3)
    expect(page).to_have_url(re.compile(r"kernel=0%2C0%2C0%2C0%2C-2%2C0%2C0%2C0%2C0"))
    expect(page.locator("[data-preset]")).to_have_value("")
    page.reload()
    expect(weights(page).nth(4)).to_have_value("-2")


@pytest.mark.parametrize("text", ["", "1e30", "10"])
def test_what_is_no_weight_is_said_and_the_last_kernel_stays(page: Page, text: str) -> None:
    before = total(page)
    weights(page).first.fill(text)
    expect(page.locator("[data-wrong]")).to_have_text("Type a number from −9 to 9.")
    assert total(page) == before
    weights(page).first.fill("3")
    expect(page.locator("[data-wrong]")).to_be_hidden()


def test_turning_and_changing_signs_are_undone_by_back(page: Page) -> None:
    page.get_by_role("button", name="Turn by 90°").click()
    expect(weights(page).nth(0)).to_have_value("1")
    expect(weights(page).nth(1)).to_have_value("2")
    expect(weights(page).nth(7)).to_have_value("-2")
    page.get_by_role("button", name="Change all signs").click()
    expect(weights(page).nth(1)).to_have_value("-2")
    page.go_back()
    expect(weights(page).nth(1)).to_have_value("2")


def test_a_pointer_shows_a_place_and_a_click_holds_it(page: Page) -> None:
    page.locator("[data-output]").scroll_into_view_if_needed()
    box = page.locator("[data-output]").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 4.5 / 32, box["y"] + box["height"] * 9.5 / 32)
    expect(page.locator("[data-twin]")).to_contain_text("Row 10, column 5:")
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(re.compile("y=9&x=4"))
    page.mouse.move(box["x"] + box["width"] * 20.5 / 32, box["y"] + box["height"] * 20.5 / 32)
    expect(page.locator("[data-sum-title]")).to_contain_text("Row 10, column 5")
    page.locator("[data-output]").press("Enter")
    page.locator("[data-input]").scroll_into_view_if_needed()
    around = page.locator("[data-input]").bounding_box()
    assert around
    # The ring of padding belongs to what is pointed at: 34 rows.
    page.mouse.move(around["x"] + around["width"] * 17.5 / 34, around["y"] + around["height"] * 17.5 / 34)
    expect(page.locator("[data-sum-title]")).to_contain_text("Row 17, column 17")


def test_it_walks_until_somebody_points_and_by_single_steps_where_motion_is_unwanted(
    page: Page, researcher: Visitor
) -> None:
    page.get_by_role("application").press("Control+Home")
    page.get_by_role("button", name="Let it walk").click()
    expect(page.locator("[data-sum-title]")).to_contain_text("Row 1, column 3")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Let it walk")).to_be_visible()
    calm = open_figure(researcher, "kernel", "?on=sample:apple&y=0&x=31", reduced_motion="reduce")
    calm.get_by_role("button", name="One place on").click()
    expect(calm.locator("[data-sum-title]")).to_contain_text("Row 2, column 1")
