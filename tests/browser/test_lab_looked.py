"""Where it looked: every control by mouse and by keys, what is said of it, and what the address restores."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.laboratory_page import SOON

PAGE = "/learn/laboratory/looked/"
SWEET_PEPPER = "83"

Open = Callable[..., Page]


@pytest.fixture
def opened(researcher: Visitor, width: int) -> Open:
    def go(query: str = "", **options: Any) -> Page:
        page = researcher.open(width=width, login=False, **options)
        show(page, query)
        return page

    return go


@pytest.fixture
def page(opened: Open) -> Page:
    return opened()


def show(page: Page, query: str = "") -> None:
    page.goto(f"{PAGE}?on=sample:apple{query}")
    expect(words(page, "vgg")).not_to_be_empty(timeout=SOON)
    expect(words(page, "wideresnet")).not_to_be_empty(timeout=SOON)


def panel(page: Page, network: str) -> Locator:
    return page.locator(f"[data-panel={network}]")


def words(page: Page, network: str) -> Locator:
    return panel(page, network).locator("[data-words]")


def cell(page: Page, network: str) -> Locator:
    return panel(page, network).locator("[data-cell]")


def says(page: Page) -> Locator:
    return page.locator("[data-looked] [data-says]")


def heat(page: Page, title: str = "VGG") -> Locator:
    return page.get_by_role("application", name=f"Map of {title}, square by square")


def kind(page: Page, name: str) -> Locator:
    return page.get_by_role("radio", name=name)


def query_of(page: Page) -> dict[str, str]:
    return {key: found[-1] for key, found in parse_qs(urlsplit(page.url).query).items()}


def to_address(page: Page, **expected: str) -> None:
    """Waits until the address holds these."""
    for key, value in expected.items():
        expect(page).to_have_url(re.compile(rf"[?&]{key}={re.escape(value)}(&|$)"))


def point(page: Page, title: str, row: int, column: int, count: int) -> tuple[float, float]:
    """The middle of a cell, counted from 1, in the window's pixels."""
    heat(page, title).scroll_into_view_if_needed()
    box = heat(page, title).bounding_box()
    assert box
    return box["x"] + (column - 0.5) / count * box["width"], box["y"] + (row - 0.5) / count * box["height"]


def strongest(page: Page, network: str) -> tuple[int, int]:
    found = re.search(r"strongest in row (\d+), column (\d+)", words(page, network).inner_text(), re.I)
    assert found
    return int(found[1]), int(found[2])


# --- the maps --------------------------------------------------------------------------------------------------


@BOTH_WIDTHS
def test_both_networks_are_shown_in_words_and_lines_on_one_written_scale(page: Page) -> None:
    for name, count in (("vgg", 16), ("wideresnet", 64)):
        expect(words(page, name)).to_contain_text("The evidence for apple is strongest in row")
        expect(panel(page, name).locator("[data-sum]")).to_contain_text(f"Mean of the {count} squares")
        expect(panel(page, name).locator("[data-part=contours] path").first).to_be_attached()
    expect(says(page)).to_contain_text("VGG: The evidence for apple")
    expect(says(page)).to_contain_text("Wide ResNet: The evidence for apple")
    expect(page.locator("[data-legend-title]")).to_have_text("Evidence for apple, in logits")
    assert len(page.locator("[data-legend-ends] span").all_inner_texts()) == 3


def test_every_map_says_how_it_fares_in_its_two_tests(page: Page) -> None:
    for name in ("vgg", "wideresnet"):
        tests = panel(page, name).locator("[data-tests] li")
        expect(tests).to_have_count(2, timeout=SOON)
        expect(tests.nth(0)).to_contain_text(re.compile("random masks (passed|failed|not testable)"))
        expect(tests.nth(1)).to_contain_text(re.compile("random weights (passed|failed|not testable)"))


def test_a_map_that_fails_says_so_beside_itself(opened: Open) -> None:
    page = opened()
    failing = {
        "masks": {
            "passed": False,
            "reason": "",
            "drop": 0.1,
            "random": [1.0, 2.0],
            "beaten": 0,
            "n": 2,
            "needed": 2,
        },
        "weights": {"passed": None, "reason": "constant", "similarity": 0, "threshold": 0.5, "n": 16},
    }

    def answer(route: Route) -> None:
        if "trust" not in (route.request.post_data or ""):
            return route.fallback()
        body = {"id": "x", "status": "done", "artifact": "", "result": failing, "files": [], "base": ""}
        return route.fulfill(json=body)

    page.route("**/learn/laboratory/explanations/", answer)
    page.locator("#looked-class").select_option(label="orange")
    warning = panel(page, "vgg").locator("[data-warning]")
    expect(warning).to_contain_text("This map failed a test", timeout=SOON)
    tests = panel(page, "vgg").locator("[data-tests] li")
    expect(tests.nth(0)).to_contain_text("It does more than 0 of 2 of them; 2 are needed.")
    expect(tests.nth(1)).to_contain_text("Not testable: every square has the same value.")


def test_a_map_without_differences_says_that_nothing_stands_out(opened: Open) -> None:
    page = opened()
    file = io.BytesIO()
    np.save(file, np.zeros((8, 8, 100), np.float32))
    page.route("**/files/changes.npy", lambda route: route.fulfill(body=file.getvalue()))
    kind(page, "Covering squares").check()
    expect(words(page, "vgg")).to_contain_text("Nothing stands out", timeout=SOON)


# --- classes ---------------------------------------------------------------------------------------------------


def test_another_class_is_chosen_from_the_list(page: Page) -> None:
    chooser = page.locator("#looked-class")
    first = chooser.locator("optgroup").first
    expect(first).to_have_attribute("label", "Likeliest")
    assert len(first.locator("option").all()) == 5
    chooser.select_option(label="orange")
    expect(words(page, "vgg")).to_contain_text("orange")
    expect(panel(page, "vgg").locator("[data-sum]")).to_contain_text("the logit of orange")
    to_address(page, **{"class": "53"})


def test_another_class_is_chosen_by_keys(page: Page) -> None:
    page.locator("#looked-class").focus()
    page.keyboard.press("ArrowDown")
    expect(words(page, "vgg")).not_to_contain_text("for apple is")
    expect(page).to_have_url(re.compile("class="))


def test_why_not_another_class_shows_the_difference(page: Page) -> None:
    page.locator("#looked-versus").select_option(SWEET_PEPPER)
    expect(words(page, "vgg")).to_contain_text("for apple rather than sweet pepper")
    expect(panel(page, "vgg").locator("[data-sum]")).to_contain_text(
        "the difference of the logits of apple and sweet pepper"
    )
    expect(page.locator("[data-legend-title]")).to_contain_text("rather than sweet pepper")
    expect(panel(page, "vgg").get_by_text("Two tests of the map of apple alone")).to_be_visible()
    to_address(page, versus=SWEET_PEPPER)
    page.locator("#looked-class").select_option(SWEET_PEPPER)
    expect(words(page, "vgg")).to_contain_text("sweet pepper")
    expect(page.locator("#looked-versus")).to_have_value("-1")


# --- moving over a map -----------------------------------------------------------------------------------------


def test_arrow_keys_begin_at_the_strongest_square_and_move_over_the_map(page: Page) -> None:
    row, column = strongest(page, "vgg")
    heat(page).focus()
    page.keyboard.press("ArrowRight")
    expect(cell(page, "vgg")).to_have_text(re.compile(rf"^Row {row}, column {column} of 4"))
    page.keyboard.press("Home")
    expect(cell(page, "vgg")).to_have_text(re.compile(rf"^Row {row}, column 1 of 4"))
    page.keyboard.press("ArrowLeft")
    expect(cell(page, "vgg")).to_have_text(re.compile(rf"^Row {row}, column 1 of 4"))
    page.keyboard.press("End")
    expect(says(page)).to_contain_text(f"VGG: Row {row}, column 4 of 4")
    # The same place in the other network's finer map.
    expect(says(page)).to_contain_text(f"Wide ResNet: Row {2 * row}, column 8 of 8")
    to_address(page, row=str(row), column="4")


@BOTH_WIDTHS
def test_a_pointer_shows_a_square_and_a_click_keeps_it(page: Page) -> None:
    page.mouse.move(*point(page, "VGG", 1, 2, 4))
    expect(cell(page, "vgg")).to_have_text(re.compile(r"^Row 1, column 2 of 4 .*: [+−]?[\d.]+ for apple\."))
    expect(cell(page, "wideresnet")).to_have_text(re.compile(r"^Row 2, column 4 of 8"))
    page.mouse.move(1, 1)
    expect(cell(page, "vgg")).to_be_empty()
    assert "row" not in query_of(page)
    page.mouse.click(*point(page, "Wide ResNet", 8, 8, 8))
    to_address(page, row="8", column="8", network="wideresnet")
    page.mouse.move(1, 1)
    expect(cell(page, "wideresnet")).to_have_text(re.compile(r"^Row 8, column 8 of 8 \(bottom right\)"))
    expect(cell(page, "vgg")).to_have_text(re.compile(r"^Row 4, column 4 of 4 \(bottom right\)"))


def test_a_finger_finds_a_square(researcher: Visitor) -> None:
    page = researcher.open(width=360, height=740, login=False, has_touch=True, is_mobile=True)
    show(page)
    page.touchscreen.tap(*point(page, "VGG", 2, 3, 4))
    expect(cell(page, "vgg")).to_have_text(re.compile(r"^Row 2, column 3 of 4"))


# --- how it is drawn -------------------------------------------------------------------------------------------


@BOTH_WIDTHS
def test_the_maps_own_squares_take_the_place_of_lines(page: Page) -> None:
    own = page.get_by_role("checkbox", name="The map’s own squares")
    own.focus()
    page.keyboard.press("Space")
    expect(panel(page, "vgg").locator("[data-part=contours] path")).to_have_count(0)
    expect(panel(page, "vgg").locator("[data-part=numbers] text")).to_have_count(16)
    assert panel(page, "vgg").locator("[data-heat] canvas[data-map]").evaluate("one => one.width") == 4
    to_address(page, coarse="1")
    own.click()
    expect(panel(page, "vgg").locator("[data-part=contours] path").first).to_be_attached()


def test_the_opacity_is_moved_by_keys_and_by_mouse(page: Page) -> None:
    slider = page.get_by_role("slider", name="Opacity of the map")
    slider.focus()
    page.keyboard.press("End")
    maps = page.locator("[data-heat] canvas[data-map]")
    expect(maps.first).to_have_css("opacity", "1")
    expect(page.locator("[data-opacity-says]")).to_have_text("100%")
    page.keyboard.press("Home")
    expect(maps.last).to_have_css("opacity", "0")
    to_address(page, opacity="0")
    box = slider.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(maps.first).to_have_css("opacity", "0.5")


# --- covering --------------------------------------------------------------------------------------------------


def test_covering_is_chosen_by_keys_and_hatches_what_hardly_matters(page: Page) -> None:
    kind(page, "Class activation").focus()
    page.keyboard.press("ArrowLeft")
    expect(kind(page, "Covering squares")).to_be_checked()
    expect(words(page, "vgg")).to_contain_text(
        re.compile(r"covering it lowers the log-odds of apple by [\d.]+"), timeout=SOON
    )
    expect(page.locator("[data-legend-note]")).to_contain_text("Hatched: changes by less than")
    squares = panel(page, "vgg").locator("[data-part=hatched] rect").count()
    written = panel(page, "vgg").locator("[data-part=numbers] text").count()
    assert squares + written == 64
    assert squares > 0
    # A bar's frame goes below the numbers.
    parts = (
        panel(page, "vgg").locator("[data-part]").evaluate_all("(all) => all.map((one) => one.dataset.part)")
    )
    assert parts.index("barred") < parts.index("contours") < parts.index("numbers")
    to_address(page, map="cover")


def test_the_grid_is_chosen(page: Page) -> None:
    kind(page, "Covering squares").check()
    page.locator("#looked-grid").select_option("4")
    expect(words(page, "vgg")).to_contain_text("of 4 (", timeout=SOON)
    to_address(page, grid="4")


@BOTH_WIDTHS
def test_a_square_becomes_a_bar_and_back(page: Page) -> None:
    kind(page, "Covering squares").check()
    expect(words(page, "vgg")).to_contain_text("covering it", timeout=SOON)
    row, column = strongest(page, "vgg")
    heat(page).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    covering = page.locator("[data-covering-says]")
    # The bar that came with the picture has made room for it.
    expect(page).to_have_url(re.compile("bars="))
    expect(covering).to_contain_text("With 1 bar, 1.6% covered: VGG says", timeout=SOON)
    bars = json.loads(query_of(page)["bars"])
    assert bars == [[(column - 1) / 8, (row - 1) / 8, 0.125, 0.125]]
    expect(panel(page, "vgg").locator("[data-part=barred] g")).to_have_count(1)
    page.mouse.click(*point(page, "Wide ResNet", 8, 1, 8))
    expect(covering).to_contain_text("With 2 bars, 3.1% covered:", timeout=SOON)
    page.mouse.click(*point(page, "Wide ResNet", 8, 1, 8))
    expect(covering).to_contain_text("With 1 bar, 1.6% covered:", timeout=SOON)
    # By its key: the pictures above it may still be growing.
    page.get_by_role("button", name="Take all bars away").press("Enter")
    expect(covering).to_contain_text("No square is a bar.")
    to_address(page, bars="%5B%5D")


# --- at a layer ------------------------------------------------------------------------------------------------


def test_the_layer_is_moved_by_keys_in_both_networks_at_once(page: Page) -> None:
    kind(page, "At a layer").check()
    slider = panel(page, "vgg").get_by_role("slider", name="Layer")
    expect(slider).to_have_attribute("aria-valuetext", "block 3, ReLU 2")
    expect(panel(page, "vgg").locator("[data-sum]")).to_contain_text("set to zero", timeout=SOON)
    slider.focus()
    page.keyboard.press("End")
    expect(slider).to_have_attribute("aria-valuetext", "block 4, ReLU 2")
    expect(panel(page, "wideresnet").locator("[data-layer-says]")).to_have_text("head, ReLU")
    expect(panel(page, "wideresnet").locator("[data-sum]")).to_contain_text("channels", timeout=SOON)
    to_address(page, layer="block4%2Frelu2")


# --- the address -----------------------------------------------------------------------------------------------


def test_the_address_restores_what_was_seen(opened: Open) -> None:
    page = opened(f"&map=cover&grid=8&versus={SWEET_PEPPER}&opacity=30&row=3&column=5&network=wideresnet")
    expect(kind(page, "Covering squares")).to_be_checked()
    expect(page.locator("#looked-grid")).to_have_value("8")
    expect(page.locator("#looked-versus")).to_have_value(SWEET_PEPPER)
    expect(page.locator("[data-opacity-says]")).to_have_text("30%")
    expect(cell(page, "wideresnet")).to_have_text(re.compile(r"^Row 3, column 5 of 8"))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("&class=4000", "There is no class of this number."),
        ("&map=rainbow", "There is no such kind of map."),
        ("&layer=block9/relu1", "No map is offered at a layer called “block9/relu1”."),
        ("&grid=9", "There is no grid of this size."),
    ],
)
def test_an_address_that_asks_for_what_is_not_is_answered_once(
    opened: Open, query: str, sentence: str
) -> None:
    page = opened(query)
    corrections = page.locator("[data-laboratory-corrections]")
    expect(corrections).to_contain_text(sentence)
    assert corrections.inner_text().count(sentence) == 1


# --- trouble ---------------------------------------------------------------------------------------------------


def test_a_map_that_cannot_be_had_says_why_and_can_be_asked_for_again(
    opened: Open, researcher: Visitor
) -> None:
    researcher.expect("503")
    page = opened()
    refusal = {"error": {"code": "busy", "message": "The laboratory is busy."}}
    page.route("**/learn/laboratory/explanations/", lambda route: route.fulfill(status=503, json=refusal))
    kind(page, "Covering squares").check()
    state = panel(page, "vgg").locator("[data-state]")
    expect(state).to_contain_text("The laboratory is busy.", timeout=SOON)
    page.unroute("**/learn/laboratory/explanations/")
    state.get_by_role("button", name="Try again").focus()
    page.keyboard.press("Enter")
    expect(words(page, "vgg")).to_contain_text("covering it lowers", timeout=SOON)
    expect(state).to_be_hidden()


def test_without_scripts_the_map_is_a_picture_with_its_words(researcher: Visitor) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.goto(f"{PAGE}?on=sample:apple")
    expect(page.locator("svg.looked-still").first).to_be_visible()
    expect(page.get_by_text("The evidence for apple is strongest in row").first).to_be_visible()
    expect(page.get_by_text("Its top fifth against random masks:").first).to_be_visible()
    expect(page.locator("[data-looked]")).to_be_hidden()
