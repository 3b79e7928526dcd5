"""Architectures by mouse and by keys, the drawing against the one without scripts, narrow and wide."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.laboratory_page import on_module, open_figure

NUMBER = re.compile(r"-?[\d.]+")
DRAWN = """
  const { networks } = JSON.parse(document.getElementById("family-data").textContent);
  const [slugs, by, at, width] = argument;
  const shown = slugs.map((slug) => networks.find((one) => one.slug === slug));
  const scale = module.scaleOf(shown, by, width);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  module.draw(svg, shown[0], by, scale);
  module.mark(svg, shown[0], at, scale);
  const paths = (kind) => [...svg.querySelectorAll(`.${kind}`)].map((one) => one.getAttribute("d"));
  const fills = [...svg.querySelectorAll(".block")].map((one) => one.getAttribute("fill-opacity"));
  const label = svg.querySelector(".middle").textContent;
  const kinds = ["picture", "block", "bar", "arc", "rule", "ground", "mark"];
  const drawn = Object.fromEntries(kinds.map((kind) => [kind, paths(kind)]));
  return { viewBox: svg.getAttribute("viewBox"), fills, label, ...drawn };
"""


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return open_figure(researcher, "family", "?net=alexnet&versus=resnet-34", width=width)


def side(page: Page, key: str) -> Locator:
    return page.locator(f"[data-side={key}]")


def pick(page: Page, key: str) -> Locator:
    return page.locator(f"[data-pick-{key}]")


def drawing(page: Page, key: str) -> Locator:
    return side(page, key).locator("[data-drawing]")


def chosen(page: Page, key: str) -> Locator:
    return side(page, key).locator("[data-layer-title]")


def fact(page: Page, key: str, term: str) -> Locator:
    pair = side(page, key).locator("[data-facts] > div").filter(has=page.get_by_text(term, exact=True))
    return pair.locator("dd")


def point(page: Page, key: str, block: int) -> None:
    box = drawing(page, key).locator(f"[data-block='{block}']").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2)


@BOTH_WIDTHS
def test_every_layer_is_reached_by_keys_and_said(page: Page) -> None:
    expect(chosen(page, "net")).to_have_text("Convolution 1")
    drawing(page, "net").press("End")
    expect(chosen(page, "net")).to_have_text("Dense layer 3")
    drawing(page, "net").press("ArrowRight")
    for _ in range(2):
        drawing(page, "net").press("ArrowLeft")
    expect(chosen(page, "net")).to_have_text("Dense layer 1")
    expect(fact(page, "net", "Goes in")).to_have_text("6 × 6 × 256")
    expect(fact(page, "net", "Comes out")).to_have_text("4,096")
    expect(fact(page, "net", "Weights")).to_have_text("37,752,832 61.9% of all")
    expect(fact(page, "net", "Multiply-adds")).to_have_text("37,748,736 5.2% of all")
    expect(fact(page, "net", "Uses of a weight")).to_have_text("1")
    expect(page.locator("[data-twin]")).to_contain_text("Dense layer 1 of AlexNet: 6 × 6 × 256 go in")
    expect(page).to_have_url(re.compile("net_layer=dense1"))
    expect(chosen(page, "versus")).to_have_text("Stem, convolution")
    drawing(page, "versus").press("ArrowDown")
    expect(chosen(page, "versus")).to_have_text("Stem, pooling")
    drawing(page, "net").press("Home")
    expect(chosen(page, "net")).to_have_text("Convolution 1")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@BOTH_WIDTHS
def test_a_pointer_shows_a_layer_and_a_click_chooses_it(page: Page) -> None:
    drawing(page, "versus").scroll_into_view_if_needed()
    point(page, "versus", 4)
    expect(chosen(page, "versus")).to_have_text("Group 1, block 2, convolution 1")
    expect(drawing(page, "versus").locator(".chosen")).to_have_attribute("data-block", "4")
    # It was only pointed at.
    page.mouse.move(0, 0)
    expect(chosen(page, "versus")).to_have_text("Stem, convolution")
    point(page, "versus", 4)
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(0, 0)
    expect(chosen(page, "versus")).to_have_text("Group 1, block 2, convolution 1")
    page.wait_for_url(re.compile("versus_layer=group1"))
    page.reload()
    expect(chosen(page, "versus")).to_have_text("Group 1, block 2, convolution 1")


def test_buttons_and_rows_of_the_table_choose_too(page: Page) -> None:
    before = side(page, "net").get_by_role("button", name="Layer before")
    expect(before).to_have_attribute("aria-disabled", "true")
    side(page, "net").get_by_role("button", name="Next layer").click()
    expect(chosen(page, "net")).to_have_text("Pooling 1")
    expect(before).to_have_attribute("aria-disabled", "false")
    before.click()
    expect(chosen(page, "net")).to_have_text("Convolution 1")
    side(page, "net").get_by_text("All layers of AlexNet as a table").click()
    rows = side(page, "net").locator("[data-rows] tr")
    expect(rows).to_have_count(11)
    rows.nth(8).click()
    expect(chosen(page, "net")).to_have_text("Dense layer 1")
    expect(rows.nth(8)).to_have_attribute("aria-current", "true")
    expect(rows.nth(8)).to_have_text(re.compile("all with all.*37,752,832.*61.9%.*37,748,736.*5.2%"))


def test_another_network_begins_with_its_first_layer_and_back_returns(page: Page) -> None:
    drawing(page, "net").press("End")
    pick(page, "net").select_option("lenet-5")
    expect(side(page, "net").locator("[data-title]")).to_have_text("LeNet-5")
    totals = re.compile("1998.*32 × 32 × 1.*5.*60,000.*326,520")
    expect(side(page, "net").locator("[data-totals]")).to_contain_text(totals)
    expect(chosen(page, "net")).to_have_text("Convolution 1 (C1)")
    page.go_back()
    expect(side(page, "net").locator("[data-title]")).to_have_text("AlexNet")
    expect(chosen(page, "net")).to_have_text("Dense layer 3")


def test_a_layer_that_the_other_network_has_too_stays(page: Page) -> None:
    pick(page, "versus").select_option("wrn-28-10")
    drawing(page, "versus").press("End")
    pick(page, "versus").select_option("vgg-16")
    expect(chosen(page, "versus")).to_have_text("Block 1, convolution 1")
    drawing(page, "versus").press("ArrowRight")
    pick(page, "versus").select_option("site-vgg")
    expect(chosen(page, "versus")).to_have_text("Block 1, convolution 2")


def test_bars_are_shares_of_weights_or_of_multiply_adds(page: Page) -> None:
    expect(page.locator("[data-longest]")).to_have_text("The longest bar is 61.9% of a network’s weights.")
    expect(drawing(page, "net").locator("text.middle")).to_have_text("61.9%")
    page.locator("[data-pick-by] input[value=work]").check()
    expect(page.locator("[data-longest]")).to_have_text(
        "The longest bar is 30.9% of a network’s multiply-adds."
    )
    expect(drawing(page, "net").locator("text.middle")).to_have_text("30.9%")
    expect(page).to_have_url(re.compile("by=work"))


def test_both_networks_have_one_scale_and_the_one_of_this_site_is_among_them(page: Page) -> None:
    pick(page, "net").select_option("vgg-16")
    pick(page, "versus").select_option("site-vgg")
    large, small = (
        drawing(page, key).locator("[data-block='0']").bounding_box() for key in ("net", "versus")
    )
    assert large
    assert small
    # Both have 64 channels; 224 rows are log2(7) steps above 32.
    assert large["width"] == pytest.approx(small["width"], abs=0.5)
    step = 130 / 8.807
    assert large["height"] - small["height"] == pytest.approx(2.807 * step, abs=2)


@pytest.mark.parametrize("by", ["weights", "work"])
def test_the_drawing_without_scripts_is_the_same(researcher: Visitor, by: str) -> None:
    page = open_figure(researcher, "family", f"?net=wrn-28-10&versus=lenet-5&net_layer=stem/conv&by={by}")
    still = page.locator(".family-still").first
    drawn = on_module(page, "family-drawing", DRAWN, [["wrn-28-10", "lenet-5"], by, 0, 340])
    assert still.get_attribute("viewBox") == drawn["viewBox"]
    assert still.locator("text.middle").text_content() == drawn["label"]
    for kind in ("picture", "block", "bar", "arc", "rule", "ground", "mark"):
        paths = [one.get_attribute("d") or "" for one in still.locator(f".{kind}").all()]
        assert len(paths) == len(drawn[kind]) > 0
        for own, other in zip(paths, drawn[kind], strict=True):
            assert [float(one) for one in NUMBER.findall(own)] == pytest.approx(
                [float(one) for one in NUMBER.findall(other)], abs=0.11
            )
    fills = [float(one.get_attribute("fill-opacity") or 0) for one in still.locator(".block").all()]
    assert fills == pytest.approx([float(one) for one in drawn["fills"]], abs=1e-3)


def test_a_strange_address_is_put_right_and_said(researcher: Visitor) -> None:
    page = open_figure(researcher, "family", "?net=nothing&versus=alexnet&versus_layer=none&by=beauty")
    notice = page.locator("[data-laboratory-corrections]")
    expect(notice).to_contain_text("no network “nothing”")
    expect(notice).to_contain_text("AlexNet has no layer “none”")
    expect(side(page, "net").locator("[data-title]")).to_have_text("VGG-16")
    expect(chosen(page, "versus")).to_have_text("Convolution 1")
    expect(page.locator("[data-pick-by] input[value=weights]")).to_be_checked()
    drawing(page, "net").press("ArrowRight")
    expect(notice).to_be_hidden()
