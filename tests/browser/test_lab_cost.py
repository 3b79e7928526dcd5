"""Width and depth by mouse and by keys, narrow and wide, with made-up times, some of them and none."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from learn.figures.cost import Network
from learn.laboratory.cost import milliseconds
from learn.templatetags.learn_format import rounded
from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.cost_page import TIMES, give_times
from tests.browser.laboratory_page import ROOT, wait_until_ready

Open = Callable[..., Page]


@pytest.fixture
def opened(researcher: Visitor, width: int) -> Open:
    def go(query: str = "", *, without: tuple[Network, ...] = (), none: bool = False) -> Page:
        page = researcher.open(width=width, login=False)
        give_times(page, without=without, none=none)
        page.goto(f"{ROOT}cost/{query}")
        wait_until_ready(page)
        return page

    return go


def slider(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name)


def choice(page: Page, key: str) -> Locator:
    return page.locator(f"[data-choose={key}]")


def measure(page: Page, key: str) -> Locator:
    return page.locator(f"[data-measure={key}]")


def shows(page: Page, chosen: Network, pinned: Network) -> None:
    """Both networks, by every measure."""
    expect(page.locator("[data-title]")).to_have_text(f"{chosen.name} against {pinned.name}")
    wanted = {
        key: [getattr(network, key) for network in (chosen, pinned)]
        for key in ("parameters", "multiply_adds", "written", "in_a_row")
    }
    for key, (mine, other) in wanted.items():
        texts = [str(one) if key == "in_a_row" else rounded(one) for one in (mine, other)]
        expect(measure(page, key).locator("[data-value]")).to_have_text(texts)
        lengths = [100 * one / max(mine, other) for one in (mine, other)]
        expect(measure(page, key).locator("rect").nth(0)).to_have_attribute("width", f"{lengths[0]:.2f}")
        expect(measure(page, key).locator("rect").nth(1)).to_have_attribute("width", f"{lengths[1]:.2f}")
    for key, batch in (("alone", 1), ("together", 32)):
        texts = [milliseconds(TIMES[network][batch].median) for network in (chosen, pinned)]
        expect(measure(page, key).locator("[data-value]")).to_have_text(texts)


@BOTH_WIDTHS
def test_the_arrow_keys_home_and_end_choose_among_all_networks(opened: Open) -> None:
    page = opened()
    pinned = Network(28, 10)
    shows(page, Network(16, 4), pinned)
    for name, key, network in (
        ("Depth", "ArrowRight", Network(22, 4)),
        ("Depth", "End", Network(40, 4)),
        ("Width", "ArrowUp", Network(40, 5)),
        ("Width", "Home", Network(40, 1)),
        ("Depth", "Home", Network(10, 1)),
        ("Width", "End", Network(10, 12)),
    ):
        slider(page, name).press(key)
        shows(page, network, pinned)
    expect(slider(page, "Depth")).to_have_attribute("aria-valuetext", "10 layers")
    expect(slider(page, "Width")).to_have_attribute("aria-valuetext", "12 × 16 channels")
    says = page.locator("[data-twin]")
    expect(says).to_contain_text("10-12 has 10.8 million parameters and does 1.4 billion multiply-adds")
    expect(says).to_contain_text("0.295 times the parameters of 28-10, 0.272 times its multiply-adds")
    expect(page).to_have_url(re.compile(r"[?&]wrn=10-12"))
    page.reload()
    wait_until_ready(page)
    shows(page, Network(10, 12), pinned)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


@BOTH_WIDTHS
def test_a_click_on_the_chart_chooses_the_network_that_is_meant(opened: Open) -> None:
    page = opened()
    for network in (Network(40, 1), Network(34, 9), Network(10, 1)):
        point = page.locator("[data-chart] .point").filter(has_text=f"{network.name}:")
        point.scroll_into_view_if_needed()
        box = point.bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(page.locator("[data-title]")).to_have_text(f"{network.name} against 28-10")
        expect(slider(page, "Depth")).to_have_value(str(network.depth))
    page.go_back()
    expect(page.locator("[data-title]")).to_have_text("34-9 against 28-10")


def test_a_slider_follows_the_mouse(opened: Open) -> None:
    page = opened()
    slider(page, "Depth").scroll_into_view_if_needed()
    box = slider(page, "Depth").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    shows(page, Network(40, 4), Network(28, 10))


def test_the_network_to_compare_with_is_pinned_exchanged_and_undone_by_back(opened: Open) -> None:
    page = opened("?wrn=16-3")
    page.get_by_role("button", name="Compare with this one").click()
    shows(page, Network(16, 3), Network(16, 3))
    expect(page.locator("[data-twin]")).to_contain_text("It is also the one to compare with")
    slider(page, "Width").fill("6")
    shows(page, Network(16, 6), Network(16, 3))
    expect(measure(page, "parameters").locator("[data-ratio]")).to_have_text("3.96 times")
    page.get_by_role("button", name="Exchange the two").click()
    shows(page, Network(16, 3), Network(16, 6))
    page.go_back()
    shows(page, Network(16, 6), Network(16, 3))


def test_the_plan_adds_up_and_the_formulas_say_the_same(opened: Open) -> None:
    page = opened("?wrn=40-12")
    for column, count in ((2, Network(40, 12).parameters), (3, Network(40, 12).multiply_adds)):
        cells = page.locator(f"[data-plan] tr > :nth-child({column})").all_inner_texts()
        assert len(cells) == 5
        assert sum(int(text.replace(",", "")) for text in cells) == count
        expect(page.locator("[data-formulas]")).to_contain_text(f"= {count:,}")


def test_switches_change_the_chart_and_the_address_and_a_reload_restores_them(opened: Open) -> None:
    page = opened()
    lines, pace = page.locator("[data-chart] polyline"), page.locator("[data-chart] .pace")
    words = page.locator("[data-chart-words]")
    expect(lines).to_have_count(6)
    expect(pace).to_have_count(1)
    expect(words).to_contain_text("the networks of 16 layers")
    low, high = (milliseconds(one) for one in (TIMES[Network(16, 4)][1].low, TIMES[Network(16, 4)][1].high))
    expect(words).to_contain_text(f"took from {low} to {high} ms")
    choice(page, "join").select_option("width")
    expect(lines).to_have_count(12)
    expect(words).to_contain_text("the networks of width 4")
    choice(page, "against").select_option("parameters")
    expect(pace).to_have_count(0)
    expect(page.locator("[data-pace-key]")).to_be_hidden()
    choice(page, "batch").select_option("32")
    point = page.locator("[data-chart] .point title").filter(has_text="22-5:")
    ms = milliseconds(TIMES[Network(22, 5)][32].median)
    expect(point).to_have_text(f"22-5: 6.7 million parameters, {ms} ms a picture")
    expect(page).to_have_url(re.compile("against=parameters"))
    page.reload()
    wait_until_ready(page)
    expect(lines).to_have_count(12)
    expect(point).to_have_text(f"22-5: 6.7 million parameters, {ms} ms a picture")
    expect(choice(page, "batch")).to_have_value("32")


def test_a_network_without_times_has_its_counts_and_is_said_to_be_missing(opened: Open) -> None:
    page = opened("?wrn=16-4", without=(Network(16, 4), Network(28, 10)))
    expect(measure(page, "parameters").locator("[data-value]").first).to_have_text("2.8 million")
    expect(measure(page, "alone").locator("[data-value]")).to_have_text(["not measured", "not measured"])
    expect(measure(page, "alone").locator("[data-ratio]")).to_have_text("")
    expect(page.locator("[data-twin]")).to_contain_text("How long it takes has not been measured.")
    expect(page.locator("[data-chart-words]")).to_contain_text("16-4 has not been measured")
    expect(page.locator("[data-chart] .point")).to_have_count(70)
    expect(page.locator("[data-chart] .mark")).to_have_count(0)
    expect(page.locator("[data-chart] .pace")).to_have_count(0)


def test_without_any_times_a_sentence_stands_in_the_place_of_the_chart(opened: Open) -> None:
    page = opened("?wrn=22-5", none=True)
    expect(page.locator("[data-nothing]")).to_contain_text("has not been measured here yet")
    expect(page.locator("[data-chart]")).to_be_hidden()
    slider(page, "Depth").press("ArrowRight")
    expect(measure(page, "parameters").locator("[data-value]").first).to_have_text("9.2 million")


def test_a_strange_address_is_put_right(opened: Open) -> None:
    page = opened("?wrn=27-99&pin=x&batch=2&join=&against=1")
    shows(page, Network(28, 12), Network(28, 10))
    expect(page.locator("[data-laboratory-corrections] p")).to_have_count(4)
    expect(choice(page, "batch")).to_have_value("1")
