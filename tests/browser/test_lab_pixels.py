"""The pixels by mouse and by keys, narrow and wide, and the script's numbers against the server's."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from learn.figures import pixels
from learn.figures.pixels import Settings
from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.laboratory_page import canvas_pixels, on_module, open_figure

SETTINGS = [
    Settings(16),
    Settings(8, steps=16, channels="rb", add=40),
    Settings(4, steps=8, channels="g", add=-90, back=True),
    Settings(2, steps=4, add=255, shuffle="rows"),
    Settings(16, steps=2, add=-255, back=True, shuffle="pixels"),
    Settings(8, channels="gb", shuffle="pixels"),
]


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_figure(researcher, "pixels", "?on=sample:apple", width=width)


def picture(page: Page) -> np.ndarray:
    data = json.loads(page.locator("#pixels-data").text_content() or "")
    return np.array(data["pixels"], np.uint8).reshape(data["side"], data["side"], 3)


def drawn(page: Page) -> np.ndarray:
    """The numbers of the picture as it is on the canvas."""
    return canvas_pixels(page.locator("[data-colours]"))


def told(page: Page) -> dict:
    return on_module(page, "facts", "return module.told();")


def says(page: Page, row: int, column: int, values: np.ndarray) -> None:
    red, green, blue = values.tolist()
    text = f"Row {row + 1}, column {column + 1}: red {red}, green {green}, blue {blue}."
    expect(page.locator("[data-twin]")).to_contain_text(text)


def point(page: Page, row: int, column: int, rows: int = 32) -> None:
    page.locator("[data-picture]").scroll_into_view_if_needed()
    box = page.locator("[data-picture]").bounding_box()
    assert box
    page.mouse.move(
        box["x"] + box["width"] * (column + 0.5) / rows, box["y"] + box["height"] * (row + 0.5) / rows
    )


# --- the arithmetic ---------------------------------------------------------------------------------------------


def test_the_script_computes_what_the_server_computes(page: Page) -> None:
    sent = np.random.default_rng(8).integers(0, 256, (16, 16, 3), np.uint8)
    data = {"side": 16, "pixels": sent.reshape(-1).tolist()}
    body = "return argument[1].map((one) => module.compute(argument[0], one));"
    found = on_module(page, "pixels-model", body, [data, [asdict(one) for one in SETTINGS]])
    for settings, one in zip(SETTINGS, found, strict=True):
        expected = pixels.shown(sent, settings)
        np.testing.assert_array_equal(one["planes"], expected.planes.reshape(3, -1))
        np.testing.assert_array_equal(one["cut"], expected.cut.reshape(3, -1))
        for name in ("numbers", "bits", "below", "above"):
            assert one[name] == getattr(expected, name)
        assert one["apart"] == pytest.approx(expected.apart)
        assert one["straight"] == pytest.approx(expected.straight)


@pytest.mark.parametrize(("low", "high"), [(0, 256), (0, 40), (200, 256), (255, 256), (0, 1)])
def test_the_smallest_number_that_cuts_off_half_is_found(page: Page, low: int, high: int) -> None:
    sent = np.random.default_rng(2).integers(low, high, (4, 4, 3))
    half = sent.size / 2
    up = next((add for add in range(1, 256) if (sent + add > 255).sum() >= half), None)
    down = next((add for add in range(1, 256) if (sent - add < 0).sum() >= half), None)
    data = {"side": 4, "pixels": sent.reshape(-1).tolist()}
    settings = asdict(Settings(4))
    # What cannot be reached is infinite, which is no number in JSON.
    body = "return Object.values(module.compute(...argument).halving).map((one) => (one > 255 ? null : one));"
    assert on_module(page, "pixels-model", body, [data, settings]) == [up, down]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&rows=8&steps=2&channels=rb&y=31&x=0",
        "&add=70&back=1&shuffle=pixels",
        "&add=-1&steps=16&channels=g",
    ],
)
def test_the_script_says_what_the_page_without_scripts_says(researcher: Visitor, query: str) -> None:
    page = open_figure(researcher, "pixels", f"?on=sample:apple{query}")
    still = page.locator(".lab-still-inside > p").all_text_contents()
    for name, sentence in (
        ("twin", still[0]),
        ("total", f"{still[1]} {still[2]}"),
        ("apart", still[3]),
        ("clipped", still[4]),
    ):
        expect(page.locator(f"[data-{name}]")).to_have_text(sentence)


# --- by hand ----------------------------------------------------------------------------------------------------


@BOTH_WIDTHS
def test_keys_move_to_every_pixel_and_its_numbers_are_said(page: Page) -> None:
    values = picture(page)
    np.testing.assert_array_equal(drawn(page), values)
    says(page, 16, 16, values[16, 16])
    place = page.get_by_role("application", name="The picture, pixel by pixel")
    place.focus()
    for keys, (row, column) in (
        ("Control+Home", (0, 0)),
        ("ArrowDown ArrowRight ArrowRight", (1, 2)),
        ("End", (1, 31)),
        ("Control+End", (31, 31)),
        ("ArrowDown ArrowRight", (31, 31)),
        ("ArrowUp ArrowLeft Home", (30, 0)),
    ):
        for key in keys.split():
            place.press(key)
        says(page, row, column, values[row, column])
    shown = [int(text) for text in page.locator("[data-value]").all_inner_texts()]
    assert shown == values[30, 0].tolist()
    expect(page).to_have_url(re.compile("y=30&x=0"))
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_the_numbers_around_a_pixel_are_those_of_the_channel_that_is_chosen(page: Page) -> None:
    values = picture(page)
    page.locator("[data-pick-read]").select_option("blue")
    point(page, 30, 9)
    says(page, 30, 9, values[30, 9])
    lines = page.locator("[data-window-rows] tr").all()
    cells = [[int(text) for text in line.locator("td").all_inner_texts()] for line in lines]
    np.testing.assert_array_equal(cells, values[25:32, 6:13, 2])
    expect(page.locator("[data-here]")).to_have_text(str(values[30, 9, 2]))
    heads = page.locator("[data-window-rows] th").all_inner_texts()
    assert heads == [str(row) for row in range(26, 33)]


def test_a_pointer_shows_a_pixel_and_a_click_keeps_it(page: Page) -> None:
    values = picture(page)
    point(page, 9, 4)
    says(page, 9, 4, values[9, 4])
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(re.compile("y=9&x=4"))
    point(page, 20, 20)
    says(page, 20, 20, values[20, 20])
    page.locator("[data-total]").hover()
    says(page, 9, 4, values[9, 4])


def test_channels_are_switched_off_and_one_stays(page: Page) -> None:
    values = picture(page)
    for name in ("Green", "Red"):
        page.get_by_role("checkbox", name=name).uncheck()
    expect(page.get_by_role("checkbox", name="Blue")).to_be_disabled()
    expect(page.locator("[data-total]")).to_contain_text("× 1 channel = 1,024 numbers")
    expect(page.locator("[data-twin]")).to_contain_text("Switched off: red, green.")
    np.testing.assert_array_equal(drawn(page), values * [0, 0, 1])
    expect(page.locator("[data-value=red]")).to_have_text("off")
    expect(page).to_have_url(re.compile("channels=b"))
    page.reload()
    expect(page.get_by_role("checkbox", name="Red")).not_to_be_checked()
    page.get_by_role("checkbox", name="Red").check()
    expect(page.get_by_role("checkbox", name="Blue")).to_be_enabled()
    expect(page.locator("[data-total]")).to_contain_text("× 2 channels = 2,048 numbers")


@BOTH_WIDTHS
def test_fewer_rows_and_steps_leave_fewer_bits_and_the_place_is_kept(page: Page) -> None:
    values = picture(page)
    page.get_by_role("application").press("Control+End")
    page.locator("[data-pick-rows]").select_option("8")
    page.locator("[data-pick-steps]").select_option("4")
    expect(page.locator("[data-total]")).to_contain_text("384 bits together: 1.6%")
    expected = pixels.shown(values, Settings(8, steps=4)).picture
    np.testing.assert_array_equal(drawn(page), expected)
    says(page, 7, 7, expected[7, 7])
    page.get_by_role("application").press("ArrowLeft")
    says(page, 7, 6, expected[7, 6])
    point(page, 2, 5, rows=8)
    says(page, 2, 5, expected[2, 5])
    page.locator("[data-pick-steps]").select_option("256")
    page.locator("[data-pick-rows]").select_option("4")
    assert page.locator("[data-window-rows] tr").count() == 4
    page.go_back()
    expect(page.locator("[data-pick-rows]")).to_have_value("8")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_mixed_pixels_are_the_same_numbers_further_apart(page: Page) -> None:
    values = picture(page)
    page.locator("[data-pick-shuffle]").select_option("pixels")
    expect(page.locator("[data-apart]")).to_contain_text("before they were mixed it was")
    mixed = drawn(page)
    assert not np.array_equal(mixed, values)
    assert sorted(mixed.reshape(-1, 3).tolist()) == sorted(values.reshape(-1, 3).tolist())
    facts = told(page)
    assert facts["apart"] > 2 * facts["straight"]


def test_what_is_added_cuts_off_and_comes_back_without_what_was_cut(page: Page) -> None:
    values = picture(page)
    slider = page.get_by_role("slider", name="Added to every number")
    typed = page.get_by_role("spinbutton", name="Added to every number, typed")
    typed.fill("100")
    expect(slider).to_have_value("100")
    cut = int((values.astype(int) + 100 > 255).sum())
    expect(page.locator("[data-clipped]")).to_contain_text(f"+100 is added: {cut:,} of 3,072 numbers")
    np.testing.assert_array_equal(drawn(page), (values.astype(int) + 100).clip(0, 255))
    page.locator("[data-pick-back]").check()
    expect(page.locator("[data-clipped]")).to_contain_text("are all 155 now")
    np.testing.assert_array_equal(drawn(page), values.clip(0, 155))
    row, column = np.argwhere(values[..., 0] > 160)[0]
    point(page, int(row), int(column))
    expect(page.locator("[data-here][data-cut]")).to_have_text("155")
    slider.press("End")
    expect(typed).to_have_value("255")
    slider.press("Home")
    expect(page.locator("[data-clipped]")).to_contain_text("−255 is added")
    # What is no number, or too large, leaves or takes the nearest.
    typed.fill("")
    expect(slider).to_have_value("-255")
    typed.fill("999")
    expect(slider).to_have_value("255")
    typed.blur()
    expect(typed).to_have_value("255")


def test_a_strange_address_is_put_right_and_said(researcher: Visitor) -> None:
    query = "?on=sample:apple&rows=9&steps=x&channels=gr&shuffle=1&read=pink&add=1.5&back=7&y=99&x=-1"
    page = open_figure(researcher, "pixels", query)
    expect(page.locator("[data-laboratory-corrections]")).to_contain_text("“9” cannot be chosen")
    expect(page.locator("[data-total]")).to_contain_text("24,576 bits")
    expect(page.locator("[data-clipped]")).to_contain_text("Nothing is added")
    says(page, 31, 0, picture(page)[31, 0])
    page.locator("[data-pick-rows]").select_option("16")
    expect(page.locator("[data-laboratory-corrections]")).to_be_hidden()
    expect(page.locator("[data-total]")).to_contain_text("6,144 bits")
