"""Every number taken apart, by mouse and by keyboard: the numbers on the page against float64 by hand."""

from __future__ import annotations

import io
import json
import re
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, Route, expect

from tests import services, taken_apart
from tests.browser.conftest import Visitor, eventually
from tests.taken_apart import CELLS, Cell

PATH = "/learn/laboratory/arithmetic/?on=sample:apple"
READY = "html[data-laboratory-ready]"
CELLS_MODULE = """() => import(performance.getEntriesByType("resource").map((entry) => entry.name)
  .find((name) => /laboratory\\/arithmetic-cells\\.[0-9a-f]+\\.js$/.test(name)))"""


def opened(visitor: Visitor, query: str = "", **options: Any) -> Page:
    page = visitor.open(login=False, **options)
    page.goto(f"{PATH}&{query}")
    expect(page.locator(READY)).to_have_count(1)
    # The twin is the whole figure in words.
    expect(page.locator("[data-twin]")).to_contain_text("in float32")
    return page


def figure(page: Page) -> Locator:
    """What scripts have brought to life; below it stands the same for those who have none."""
    return page.locator("[data-arithmetic]")


def twin(page: Page, place: str = "") -> str:
    """What the figure says, of a certain place once it says that."""
    expect(page.locator("[data-twin]")).to_contain_text(f"{place}:" if place else "channel")
    return page.locator("[data-twin]").inner_text()


def at(cell: Cell, **moved: int) -> str:
    place = {"channel": cell.channel, "y": cell.y, "x": cell.x, **moved}
    return f"channel {place['channel']}, row {place['y'] + 1}, column {place['x'] + 1}"


def point(page: Page, y: int, x: int, rows: int) -> None:
    """Points at a cell of the output map of ``rows`` rows and columns."""
    page.locator("canvas[data-output]").scroll_into_view_if_needed()
    box = page.locator("canvas[data-output]").bounding_box()
    assert box
    unit = box["width"] / rows
    page.mouse.move(box["x"] + (x + 0.5) * unit, box["y"] + (y + 0.5) * unit)


@pytest.fixture(scope="module")
def seen(laboratory: services.LiveStack) -> Callable[..., np.ndarray]:
    """What a network sees of the apple, `clean` or `covered`, as the site hands it out."""

    def pixels(network: str, run: str = "clean") -> np.ndarray:
        query = urlencode({"on": "sample:apple", "network": network, "kind": "xray"})
        with urllib.request.urlopen(f"{laboratory.url}/learn/laboratory/explanations/find?{query}") as answer:
            base = json.load(answer)["base"]
        with urllib.request.urlopen(f"{laboratory.url}{base}pictures/{run}.png") as answer:
            return np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB"))

    return pixels


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_taken_apart_as_float64_by_hand_has_it(
    researcher: Visitor, seen: Callable[..., np.ndarray], name: str
) -> None:
    cell = CELLS[name]
    page = opened(researcher, cell.query)
    taken_apart.agree(taken_apart.read(twin(page, at(cell))), cell, seen(cell.network))
    # The page says the same without scripts.
    still = page.locator("[data-laboratory-still] p").first.text_content()
    assert still == twin(page)


def test_the_covered_picture_has_other_numbers(researcher: Visitor, seen: Callable[..., np.ndarray]) -> None:
    cell = CELLS["in the middle"]
    page = opened(researcher, cell.query)
    figure(page).get_by_label("with bars").check()
    said = twin(page, f"{at(cell)}, with bars")
    taken_apart.agree(taken_apart.read(said), cell, seen("vgg", "covered"))
    expect(page).to_have_url(re.compile("run=covered"))


def test_the_mouse_chooses_the_cell_until_it_is_pinned(
    researcher: Visitor, seen: Callable[..., np.ndarray]
) -> None:
    cell = CELLS["stride 2"]
    page = opened(researcher, cell.query)
    point(page, 11, 15, 16)
    moved = Cell(cell.network, cell.layer, cell.channel, 11, 15, cell.reads, cell.stride)
    taken_apart.agree(taken_apart.read(twin(page, at(moved))), moved, seen(cell.network))
    page.mouse.down()
    page.mouse.up()
    expect(page.get_by_role("button", name="Let go")).to_have_attribute("aria-pressed", "true")
    point(page, 0, 0, 16)
    page.locator("[data-pad]").press("ArrowUp")
    assert taken_apart.read(twin(page, at(cell, y=10, x=15))).place == (5, 10, 15)
    expect(page).to_have_url(re.compile(r"y=10&x=15.*pinned=1|pinned=1.*y=10&x=15"))
    page.locator("[data-pad]").press("Escape")
    point(page, 1, 2, 16)
    twin(page, at(cell, y=1, x=2))


def test_the_keys_choose_the_cell(researcher: Visitor, seen: Callable[..., np.ndarray]) -> None:
    cell = CELLS["in the middle"]
    page = opened(researcher, cell.query)
    pad = page.get_by_role("application", name="Block 3, convolution 2, channel 77")
    pad.focus()
    pad.press("Home")
    pad.press("PageUp")
    pad.press("ArrowLeft")
    corner = Cell(cell.network, cell.layer, cell.channel, 0, 0, cell.reads)
    said = taken_apart.read(twin(page, at(corner)))
    taken_apart.agree(said, corner, seen("vgg"))
    assert said.padding == 5
    pad.press("End")
    pad.press("ArrowDown")
    moved = Cell(cell.network, cell.layer, cell.channel, 1, 7, cell.reads)
    taken_apart.agree(taken_apart.read(twin(page, at(moved))), moved, seen("vgg"))
    pad.press("Enter")
    point(page, 5, 5, 8)
    pad.press("ArrowLeft")
    twin(page, at(cell, y=1, x=6))
    expect(page).to_have_url(re.compile(r"[?&]x=6(&|$)"))
    page.reload()
    expect(page.locator(READY)).to_have_count(1)
    twin(page, at(cell, y=1, x=6))
    expect(page.get_by_role("button", name="Let go")).to_be_visible()


def test_it_walks_in_row_order_until_the_pointer_takes_over(researcher: Visitor) -> None:
    page = opened(researcher, "network=vgg&layer=block4/conv1&y=0&x=2")
    page.get_by_role("button", name="Play").click()
    expect(figure(page).get_by_label("Row", exact=True)).to_have_value("2")
    expect(page.locator("[data-twin]")).to_have_attribute("aria-live", "off")
    point(page, 3, 3, 4)
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.locator("[data-twin]")).to_have_attribute("aria-live", "polite")
    twin(page, "row 4, column 4")
    page.get_by_role("button", name="Next cell").click()
    twin(page, "row 1, column 1")
    page.get_by_role("button", name="Previous cell").click()
    twin(page, "row 4, column 4")


def test_under_reduced_motion_it_goes_cell_by_cell(researcher: Visitor) -> None:
    page = opened(researcher, "network=vgg&layer=block4/conv1&y=0&x=3", reduced_motion="reduce")
    expect(page.get_by_role("button", name="Play")).to_have_count(0)
    page.get_by_role("button", name="Next cell").click()
    twin(page, "row 2, column 1")
    page.locator("[data-pad]").press(" ")
    twin(page, "row 2, column 2")


def test_the_controls_choose_and_say_what_does_not_exist(
    researcher: Visitor, seen: Callable[..., np.ndarray]
) -> None:
    page = opened(researcher, "network=vgg&layer=block1/conv1&y=30&x=31")
    figure(page).get_by_label("Layer").select_option("block3/conv2")
    channel = figure(page).get_by_label("Channel", exact=True)
    channel.fill("77")
    channel.press("Tab")
    cell = Cell("vgg", "block3/conv2", 77, 7, 7, "block3/relu1")
    taken_apart.agree(taken_apart.read(twin(page, at(cell))), cell, seen("vgg"))
    channel.fill("999")
    channel.press("Tab")
    expect(page.locator("[data-laboratory-corrections]")).to_contain_text("no channel 999")
    expect(channel).to_have_value("255")
    page.get_by_label("Network").select_option("wideresnet")
    expect(page.locator("[data-twin]")).to_contain_text("Wide ResNet, stem, convolution")


def test_an_input_channel_is_drawn_large_and_its_digits_add_up(researcher: Visitor) -> None:
    page = opened(researcher, CELLS["in the middle"].query)
    second = page.locator("tr[data-row] button").nth(1)
    name = second.inner_text()
    second.click()
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-drawn]")).to_have_text(f"input channel {name}")
    expect(page).to_have_url(re.compile(f"input={name}"))
    page.get_by_text("These products as a table").click()
    texts = page.locator("[data-product-rows] td:last-child").all_inner_texts()
    texts.append(page.locator("[data-products-rounding]").inner_text())
    assert len(texts) == 10
    total = taken_apart.number(page.locator("[data-products-sum]").inner_text())
    assert round(sum(map(taken_apart.number, texts)), 6) == total
    page.get_by_role("button", name="Follow the largest").click()
    expect(page.locator("tr[data-row] button").first).to_have_attribute("aria-pressed", "true")


def test_one_goes_back_to_where_a_number_comes_from_and_on_to_where_it_is_used(researcher: Visitor) -> None:
    page = opened(researcher, "network=wideresnet&layer=group1/block1/conv2&channel=4&y=9&x=8&input=3")
    page.get_by_role("button", name="Take apart where it comes from: group 1, block 1, convolution 1").click()
    twin(page, "group 1, block 1, convolution 1, channel 3, row 10, column 9")
    page.get_by_role("button", name="See it used: group 1, block 1, convolution 2").click()
    twin(page, "group 1, block 1, convolution 2, channel 0, row 10, column 9")
    expect(page.locator("[data-drawn]")).to_have_text("input channel 3")


def test_whoever_leaves_at_once_takes_the_chosen_cell_along(researcher: Visitor) -> None:
    page = opened(researcher, "network=vgg&layer=block2/conv1&y=3&x=4")
    # Before the address is written, which it is once the cell rests.
    page.evaluate(
        """() => {
          const pad = document.querySelector("[data-pad]");
          pad.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true, cancelable: true }));
          document.querySelector('.lab-figures a[href*="/xray/"]').click();
        }"""
    )
    expect(page).to_have_url(re.compile(r"/xray/\?.*y=3&x=15"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/arithmetic/\?.*y=3&x=15"))


def test_a_pooling_says_which_of_four_wins(researcher: Visitor) -> None:
    page = opened(researcher, "network=vgg&layer=block1/pool&channel=8&y=3&x=6")
    said = twin(page)
    values = re.search(r"the largest of (.+) and ([\d.]+) is ([\d.]+), from row (\d+), column (\d+)", said)
    assert values
    shown = [*map(float, values[1].split(", ")), float(values[2])]
    assert len(shown) == 4
    assert max(shown) == float(values[3])
    assert (int(values[4]), int(values[5])) == (
        7 + shown.index(max(shown)) // 2,
        13 + shown.index(max(shown)) % 2,
    )
    expect(page.locator("[data-pool]")).to_be_visible()
    expect(page.locator(".arith-table")).to_be_hidden()


FACTS = """() => {
  window.said = [];
  document.addEventListener("facts", ({ detail }) => window.said.push(detail));
}"""


def facts(page: Page, **place: Any) -> dict[str, Any]:
    """What the figure tells a lesson, once it tells it of ``place``."""
    wanted = {"complete": True, **place}
    told = "(wanted) => Object.entries(wanted).every(([key, one]) => window.said.at(-1)?.[key] === one)"
    eventually(page, told, wanted)
    found: dict[str, Any] = page.evaluate("window.said.at(-1)")
    return found


@pytest.mark.parametrize("name", CELLS)
def test_a_lesson_is_told_what_the_cell_is_made_of(
    researcher: Visitor, seen: Callable[..., np.ndarray], name: str
) -> None:
    cell = CELLS[name]
    page = researcher.open(login=False)
    page.add_init_script(f"({FACTS})()")
    page.goto(f"{PATH}&{cell.query}")
    told = facts(page, network=cell.network, layer=cell.layer, channel=cell.channel, y=cell.y, x=cell.x)
    assert page.evaluate("window.said[0].complete") is False
    by_hand = taken_apart.expected(cell, seen(cell.network))
    assert (told["kind"], told["run"], told["failed"]) == ("convolution", "clean", False)
    assert told["inputs"] == len(by_hand.sums)
    assert told["sum"] == pytest.approx(by_hand.total, abs=1e-4)
    # What is nothing but rounding may fall to either side.
    sizes = np.abs(by_hand.sums)
    unclear = ((sizes > 0) & (sizes < 1e-6)).sum()
    for fact, sign in (("adds", 1), ("takes", -1)):
        assert abs(told[fact] - (np.sign(by_hand.sums) == sign).sum()) <= unclear
    assert told["first"] == pytest.approx(sizes.max() / sizes.sum(), abs=1e-4)
    for title, value in by_hand.after.items():
        kind = "added" if title.endswith("addition") else "normalised"
        assert told[kind] == pytest.approx(value, abs=2e-4)
    if any("addition" not in title for title in by_hand.after):
        assert told["relu"] == max(told["normalised"], 0)
    assert (told["values"], told["largest"]) == (None, None)
    caption = page.locator(".arith-table caption").inner_text()
    assert f"Channels that add: {told['adds']}; that take away: {told['takes']}." in caption
    assert f"The first alone makes up {round(100 * told['first'])}%" in caption
    # The page says the same without scripts.
    assert caption in page.locator("[data-laboratory-still]").text_content()


def test_a_lesson_is_told_which_of_four_a_pooling_keeps(researcher: Visitor) -> None:
    page = researcher.open(login=False)
    page.add_init_script(f"({FACTS})()")
    page.goto(f"{PATH}&network=vgg&layer=block1/pool&channel=8&y=3&x=6")
    pooled = facts(page, kind="max_pool")
    assert len(pooled["values"]) == 4
    assert pooled["values"][pooled["largest"]] == pooled["sum"] == max(pooled["values"])
    assert (pooled["adds"], pooled["rivals"]) == (None, None)
    page.get_by_role("button", name="Take apart where it comes from").click()
    read = facts(page, kind="convolution", y=6 + pooled["largest"] // 2, x=12 + pooled["largest"] % 2)
    # The same window, seen from the cell that won it.
    assert read["rivals"]["own"] == pooled["largest"]
    assert [max(one, 0) for one in read["rivals"]["values"]] == pytest.approx(pooled["values"], abs=1e-4)
    assert read["pooled"] == pytest.approx(pooled["sum"], abs=1e-4)
    figure(page).get_by_label("Layer").select_option("head/pool")
    average = facts(page, kind="average_pool")
    assert len(average["values"]) == 16
    assert average["largest"] is None
    assert average["sum"] == pytest.approx(np.mean(average["values"]), abs=1e-6)


def test_a_lesson_is_told_that_numbers_did_not_come(researcher: Visitor) -> None:
    researcher.expect("Failed to load resource", "net::ERR")
    page = researcher.open(login=False)
    page.add_init_script(f"({FACTS})()")
    page.route("**/kernels/**", lambda route: route.abort())
    page.goto(f"{PATH}&network=vgg&layer=block2/conv1")
    eventually(page, "window.said?.at(-1)?.failed")
    assert page.evaluate("window.said.at(-1).complete") is False


def test_numbers_that_do_not_come_are_asked_for_again(researcher: Visitor) -> None:
    researcher.expect("Failed to load resource", "net::ERR")
    page = opened(researcher, "network=vgg&layer=block2/conv1")

    def refuse(route: Route) -> None:
        route.abort()

    page.route("**/kernels/**", refuse)
    figure(page).get_by_label("Layer").select_option("block2/conv2")
    expect(page.locator("[data-laboratory-trouble]")).to_contain_text("cannot be reached")
    page.unroute("**/kernels/**", refuse)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("[data-laboratory-trouble]")).to_be_empty()
    expect(page.locator("[data-twin]")).to_contain_text("block 2, convolution 2")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_lies_beside_a_narrow_screen(researcher: Visitor, scheme: str) -> None:
    page = opened(researcher, CELLS["what is added"].query, width=360, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    expect(page.locator("canvas[data-magnifier]")).to_be_visible()


def test_the_sums_are_exact_whatever_the_numbers(researcher: Visitor) -> None:
    """The computing part alone, on numbers that no network has."""
    page = opened(researcher)
    maps = np.random.default_rng(7).standard_normal((11, 5, 6)).astype(np.float32)
    kernel = np.random.default_rng(8).standard_normal((11, 3, 3)).astype(np.float32)
    wide = np.pad(maps.astype(np.float64), ((0, 0), (0, 1), (0, 1)))
    expected = [
        [float((wide[:, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3] * kernel).sum()) for x in range(3)]
        for y in range(2)
    ]
    found = page.evaluate(
        f"""async ([maps, kernel]) => {{
          const {{ convolution }} = await ({CELLS_MODULE})();
          const tensor = ([data, shape]) => ({{ data: Float32Array.from(data), shape }});
          const layer = {{ kernel: 3, stride: 2, padding: [0, 0, 1, 1] }};
          return [0, 1].map((y) => [0, 1, 2].map((x) => convolution(layer, tensor(maps), tensor(kernel), y, x).total));
        }}""",
        [[maps.ravel().tolist(), list(maps.shape)], [kernel.ravel().tolist(), list(kernel.shape)]],
    )
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert page.evaluate(
        f"""async () => {{
          const {{ furthest, remainder, digitsFor, rounded }} = await ({CELLS_MODULE})();
          return [
            furthest([0, -2, 1, 2, 0], 3),
            remainder([0.00004, 0.00004, 0.00004], 0.00012, 4),
            [0, 0.5, 0.03, 1e-9, 40, Infinity].map(digitsFor),
            Object.is(rounded(-0.00001, 4), 0),
          ];
        }}"""
    ) == [[1, 3, 2], 0.0001, [4, 4, 5, 8, 4, 4], True]
