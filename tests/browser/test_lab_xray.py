"""The X-ray by mouse, finger and keyboard, read from its text twin; numbers against float64; narrow and wide."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from ml import artifact
from tests import services
from tests.browser.conftest import Visitor
from tests.browser.laboratory_page import SOON
from tests.browser.xray_page import NUMBER, address, cell_at, opened, said, twin, value
from tests.ml import by_hand

Tensors = dict[str, np.ndarray]


@pytest.fixture(params=[360, 1280])
def width(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def overview(researcher: Visitor, width: int) -> Page:
    page = opened(researcher, width=width)
    expect(page.locator(".xray-network .xray-row")).to_have_count(6 + 15, timeout=SOON)
    return page


@pytest.fixture(scope="session")
def stored(laboratory: services.LiveStack) -> Callable[[str, str], bytes]:
    """`stored("vgg", "meta.json")`: a file of the X-ray of the apple, as any program can have it."""
    import urllib.parse
    import urllib.request

    @cache
    def base(network: str) -> str:
        asked = urllib.parse.urlencode(
            {"on": "sample:apple", "network": network, "kind": "xray", "parameters": "{}"}
        )
        with urllib.request.urlopen(f"{laboratory.url}/learn/laboratory/explanations/find?{asked}") as answer:
            return str(json.load(answer)["base"])

    @cache
    def read(network: str, member: str) -> bytes:
        with urllib.request.urlopen(f"{laboratory.url}{base(network)}{member}") as answer:
            return bytes(answer.read())

    return read


@pytest.fixture(scope="session")
def layers(stored: Callable[[str, str], bytes]) -> dict[str, Tensors]:
    """Every layer of the VGG for the apple, (channels, height, width), clean and covered, in float64 by hand."""
    card = artifact.load_card("vgg")
    learned = artifact.read_weights(card)
    found: dict[str, Tensors] = {}
    for side in ("clean", "covered"):
        kept = found[side] = {}

        def keep(name: str, maps: np.ndarray, kept: Tensors = kept) -> np.ndarray:
            kept[name] = maps.transpose(2, 0, 1).copy()
            return maps

        pixels = np.load(io.BytesIO(stored("vgg", f"{side}/pixels.npy"))).astype(np.float64)
        how = card.preprocessing
        by_hand.Network(learned, keep).vgg((pixels / 255 - np.array(how.mean)) / np.array(how.std))
    return found


def norm(tensor: np.ndarray) -> float:
    return float(np.linalg.norm(tensor))


def change(layers: dict[str, Tensors], name: str) -> float:
    clean, covered = layers["clean"][name], layers["covered"][name]
    return norm(covered - clean) / norm(clean)


# -- from the networks down to a number -----------------------------------------------------------------------


def test_the_overview_shows_both_networks_and_where_the_runs_differ(
    overview: Page, layers: dict[str, Tensors]
) -> None:
    names = ("block1/relu2", "block2/relu2", "block3/relu2")
    pooled = {
        side: [
            kept[name].reshape(-1, kept[name].shape[1] // 2, 2, kept[name].shape[1] // 2, 2).max((2, 4))
            for name in names
        ]
        for side, kept in layers.items()
    }
    right = [norm(b - a) / norm(a) for a, b in zip(pooled["clean"], pooled["covered"], strict=True)]
    rows = overview.get_by_role("region", name="VGG").locator(".xray-row")
    for row, expected in zip(rows.all()[1:4], right, strict=True):
        shown = re.search(rf"changed by ({NUMBER}) of its size", row.inner_text())
        assert shown
        assert value(shown[1]) == pytest.approx(expected, abs=0.006)
    expect(twin(overview, "overview")).to_contain_text("VGG: ")
    expect(twin(overview, "overview")).to_contain_text("Wide ResNet: ")
    expect(overview.locator(".xray-row canvas[data-drawn]")).to_have_count(21, timeout=SOON)
    assert overview.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_by_mouse_from_a_block_to_a_cell(overview: Page, layers: dict[str, Tensors]) -> None:
    page = overview
    page.get_by_role("region", name="VGG").get_by_role("link", name="block 2").click()
    address(page, block="block2")
    expect(page.get_by_role("heading", name="VGG, block 2", exact=True)).to_be_focused()
    expect(twin(page, "block")).to_contain_text("VGG, block 2: 7 layers; out come 128 maps of 8 × 8")
    page.locator("[data-level=block]").get_by_role("link", name="convolution 1").click()
    address(page, layer="block2%2Fconv1")
    clean, covered = (layers[side]["block2/conv1"] for side in ("clean", "covered"))
    low, high, mean, moved = said(
        page,
        "layer",
        rf"VGG, block 2, convolution 1: 128 maps of 16 × 16, without bars from ({NUMBER}) to ({NUMBER}), "
        rf"mean ({NUMBER}); changed by ({NUMBER}) of its size under the bars",
    )
    assert [low, high, mean] == pytest.approx([clean.min(), clean.max(), clean.mean()], abs=0.006)
    assert moved == pytest.approx(change(layers, "block2/conv1"), abs=0.006)
    grid = page.get_by_role("application", name=re.compile("The maps of block 2, convolution 1"))
    expect(page.locator(".xray-grid-frame[data-drawn]")).to_be_visible(timeout=SOON)
    strongest = int(np.argmax((clean**2).mean((1, 2))))
    grid.hover(position={"x": 8, "y": 8})
    (channel,) = said(page, "layer", r"channel (\d+), number 1 of 128 by strength")
    assert channel == strongest
    grid.click(position={"x": 8, "y": 8})
    address(page, channel=str(strongest))
    map_ = page.locator("[data-view=clean] .xray-map-stage")
    expect(map_).to_be_visible(timeout=SOON)
    map_.click(position=cell_at(map_, 3, 12, 16, 16))
    one, two, difference = said(
        page,
        "channel",
        rf"Row 4, column 13: without bars ({NUMBER}), with bars ({NUMBER}), difference ({NUMBER})\.",
    )
    right = clean[strongest, 3, 12], covered[strongest, 3, 12]
    assert [one, two, difference] == pytest.approx([*right, right[1] - right[0]], abs=1e-4)
    address(page, y="3", x="12")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # The browser's Back goes the same way up, and moving over the maps was no step of it.
    page.go_back()
    expect(page.get_by_role("heading", name="VGG, block 2, convolution 1", exact=True)).to_be_focused()
    expect(page.locator("[data-level=channel]")).to_be_hidden()
    page.go_back()
    expect(page.get_by_role("heading", name="VGG, block 2", exact=True)).to_be_focused()
    page.go_back()
    expect(page.get_by_role("heading", name="Block by block", exact=True)).to_be_focused()
    page.go_forward()
    expect(twin(page, "block")).to_contain_text("VGG, block 2: 7 layers")


def test_by_keyboard_from_a_block_to_a_cell_and_back(overview: Page, layers: dict[str, Tensors]) -> None:
    page = overview
    page.get_by_role("region", name="VGG").get_by_role("link", name="block 1").press("Enter")
    expect(page.get_by_role("heading", name="VGG, block 1", exact=True)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    address(page, layer="block1%2Fconv1")
    grid = page.get_by_role("application", name=re.compile("The maps of block 1, convolution 1"))
    expect(page.locator(".xray-grid-frame[data-drawn]")).to_be_visible(timeout=SOON)
    clean, covered = (layers[side]["block1/conv1"] for side in ("clean", "covered"))
    order = np.argsort(-(clean**2).mean((1, 2)), kind="stable")
    grid.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    (channel,) = said(page, "layer", r"channel (\d+), number 2 of 64 by strength")
    assert channel == order[1]
    page.keyboard.press("Enter")
    address(page, channel=str(order[1]))
    maps = page.get_by_role("application", name=re.compile(rf"block 1, convolution 1, channel {order[1]}:"))
    expect(maps).to_be_visible(timeout=SOON)
    one, two = clean[order[1]], covered[order[1]]
    y, x = np.unravel_index(np.abs(one).argmax(), one.shape)
    y += 1
    maps.focus()
    page.keyboard.press("ArrowDown")
    found = said(
        page,
        "channel",
        rf"VGG, block 1, convolution 1, channel {order[1]}: 32 by 32, without bars from ({NUMBER}) to ({NUMBER}), "
        rf"mean ({NUMBER}); changed by ({NUMBER}) of its size under the bars\. Row {y + 1}, column {x + 1}: "
        rf"without bars ({NUMBER}), with bars ({NUMBER}), difference ({NUMBER})\.",
    )
    assert found[:3] == pytest.approx([one.min(), one.max(), one.mean()], abs=0.006)
    assert found[3] == pytest.approx(norm(two - one) / norm(one), abs=0.006)
    assert found[4:] == pytest.approx([one[y, x], two[y, x], two[y, x] - one[y, x]], abs=1e-4)
    for level in ("layer", "block", "overview"):
        page.keyboard.press("Escape")
        expect(page.locator(f"[data-level={level}]")).to_be_visible()
    expect(page.locator("[data-level=block]")).to_be_hidden()


def test_a_link_brings_everything_back(researcher: Visitor, width: int, layers: dict[str, Tensors]) -> None:
    extra = "&network=vgg&layer=block3%2Fconv2&channel=200&y=4&x=2&show=difference&range=map"
    page = opened(researcher, extra, width=width)
    *_, value_ = said(page, "channel", rf"Row 5, column 3: .*difference ({NUMBER})\.")
    right = layers["covered"]["block3/conv2"][200] - layers["clean"]["block3/conv2"][200]
    assert value_ == pytest.approx(right[4, 2], abs=1e-4)
    expect(page.get_by_role("radio", name="difference")).to_be_checked()
    expect(page.get_by_label("Layer", exact=True)).to_have_value("block3/conv2")
    expect(page.get_by_label("Channel", exact=True)).to_have_value("200")
    reaches = max(np.abs(layers[side]["block3/conv2"][200]).max() for side in ("clean", "covered"))
    says = page.get_by_text(re.compile("All on one scale: the colours reach"))
    shown = re.search(rf"±({NUMBER})", says.inner_text())
    assert shown
    assert value(shown[1]) == pytest.approx(max(reaches, np.abs(right).max()), abs=0.006)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("key", ["ArrowRight", "mouse"])
def test_a_place_in_the_picture_names_the_channels_that_answer_most(
    researcher: Visitor, layers: dict[str, Tensors], key: str
) -> None:
    page = opened(researcher, "&network=vgg&layer=block2%2Fconv2&y=5&x=8", width=1280)
    picture = page.get_by_role("application", name=re.compile("The picture as the network saw it"))
    expect(page.locator("[data-level=layer] [data-drawn='5 8']")).to_be_visible(timeout=SOON)
    if key == "mouse":
        picture.hover(position=cell_at(picture, 5, 9, 16, 16))
    else:
        picture.press(key)
    expect(twin(page, "layer")).to_contain_text("Row 6 of 16, column 10 of 16", timeout=SOON)
    at = layers["clean"]["block2/conv2"][:, 5, 9]
    best = np.argsort(-at)[:8]
    expect(page.locator(".xray-found").first.locator("a")).to_have_count(8)
    links = page.locator(".xray-found").first.locator("a").all()
    assert [int(link.inner_text().split()[1]) for link in links] == best.tolist()
    shown = [value(link.locator(".number").inner_text()) for link in links]
    assert shown == pytest.approx(at[best], abs=0.006)


def test_views_and_ranges_change_what_is_drawn_and_the_written_scale(researcher: Visitor) -> None:
    page = opened(researcher, "&network=vgg&layer=block1%2Fconv1", width=1280)
    grid = page.locator(".xray-grid-frame")
    legend = page.locator("[data-legend]")
    expect(grid).to_have_attribute("data-drawn", re.compile("clean layer"), timeout=SOON)
    layer_says = legend.inner_text()
    page.get_by_role("radio", name="difference").check()
    expect(grid).to_have_attribute("data-drawn", re.compile("difference layer"), timeout=SOON)
    # One scale for all views.
    assert legend.inner_text() == layer_says
    page.get_by_label("Colours reach").select_option("network")
    expect(grid).to_have_attribute("data-drawn", re.compile("difference network"))
    expect(legend).to_contain_text("All of VGG")
    page.get_by_label("Colours reach").select_option("map")
    expect(grid).to_have_attribute("data-drawn", re.compile("difference map"), timeout=SOON)
    expect(page.get_by_text("Each map has its own scale").first).to_be_visible()
    address(page, show="difference", range="map")


def test_the_canvas_has_the_colours_of_the_sheet(
    researcher: Visitor, stored: Callable[[str, str], bytes]
) -> None:
    from PIL import Image

    page = opened(researcher, "&network=vgg&layer=block2%2Fconv1", width=1280)
    expect(page.locator(".xray-grid-frame")).to_have_attribute(
        "data-drawn", re.compile("clean"), timeout=SOON
    )
    drawn = page.locator(".xray-grid-maps").evaluate(
        "(canvas) => Array.from(canvas.getContext('2d').getImageData(0, 0, 16, 16).data)"
    )
    sheet = Image.open(io.BytesIO(stored("vgg", "sheets/block2.conv1.clean.png"))).convert("RGBA")
    right = np.asarray(sheet)[:16, :16].astype(int)
    assert np.abs(np.array(drawn).reshape(16, 16, 4) - right).max() <= 1


# -- the Wide ResNet's additions --------------------------------------------------------------------------------


def test_a_residual_block_parts_and_adds_up(researcher: Visitor, width: int) -> None:
    page = opened(researcher, "&network=wideresnet&block=group2%2Fblock1", width=width)
    block = page.locator("[data-level=block]")
    expect(block.get_by_role("list", name="Branch").get_by_role("link")).to_have_count(4, timeout=SOON)
    expect(block.get_by_role("list", name="Shortcut").get_by_role("link")).to_have_count(1)
    expect(block.locator(".xray-term canvas[data-drawn]")).to_have_count(3, timeout=SOON)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    block.get_by_role("list", name="The sum").get_by_role("link").click()
    address(page, layer="group2%2Fblock1%2Fadd")


def test_the_shortcut_of_a_plain_block_is_left_alone(researcher: Visitor) -> None:
    page = opened(researcher, "&network=wideresnet&block=group3%2Fblock2", width=1280)
    expect(page.locator(".xray-unchanged")).to_contain_text(
        "group 3, block 1, addition goes round unchanged", timeout=SOON
    )


def test_a_cell_of_a_sum_is_the_sum_of_two_stored_numbers(
    researcher: Visitor, stored: Callable[[str, str], bytes]
) -> None:
    extra = "&network=wideresnet&layer=group2%2Fblock1%2Fadd&channel=17&y=7&x=6&show=covered"
    page = opened(researcher, extra, width=1280)
    terms = page.get_by_role("group", name="The addition in this cell")
    expect(terms).to_have_attribute("data-drawn", re.compile("covered 7 6"), timeout=SOON)
    shown = [value(re.sub(r"[=+ ]", "", one)) for one in terms.locator(".number").all_inner_texts()]
    right = [
        float(np.load(io.BytesIO(stored("wideresnet", f"covered/group2.block1.{name}.npy")))[17, 7, 6])
        for name in ("shortcut", "conv2")
    ]
    assert shown == pytest.approx([*right, sum(right)], abs=1e-4)


def test_a_finger_finds_a_cell(researcher: Visitor, layers: dict[str, Tensors]) -> None:
    page = opened(
        researcher,
        "&network=vgg&layer=block2%2Fconv1&channel=17",
        width=360,
        height=740,
        has_touch=True,
        is_mobile=True,
    )
    map_ = page.locator("[data-view=covered] .xray-map-stage")
    expect(map_).to_be_visible(timeout=SOON)
    map_.tap(position=cell_at(map_, 10, 4, 16, 16))
    (found,) = said(page, "channel", rf"Row 11, column 5: without bars {NUMBER}, with bars ({NUMBER})")
    assert found == pytest.approx(layers["covered"]["block2/conv1"][17, 10, 4], abs=1e-4)
