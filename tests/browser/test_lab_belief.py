"""Softmax and belief by mouse and keyboard, read from the text twins; numbers against float64; narrow and wide."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from ml import artifact
from tests.browser.conftest import BOTH_WIDTHS, Visitor

PATH = "/learn/laboratory/belief/?on=sample:apple"
READY = "html[data-laboratory-ready]"


def opened(visitor: Visitor, extra: str = "", **options: Any) -> Page:
    page = visitor.open(login=False, **options)
    page.goto(PATH + extra)
    expect(page.locator(READY)).to_have_count(1)
    expect(rows(page)).to_have_count(6)
    return page


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return opened(researcher, width=width)


def figure(page: Page) -> Locator:
    """The figure, without the still one beside it."""
    return page.locator("[data-belief]")


def rows(page: Page) -> Locator:
    return figure(page).locator("[data-columns] tbody tr")


def slider(page: Page) -> Locator:
    return page.get_by_role("slider", name="Temperature T")


def number(page: Page) -> Locator:
    return page.get_by_label("Temperature T as a number")


def says(page: Page, text: str | re.Pattern[str], which: str = "columns") -> None:
    expect(figure(page).locator(f'[data-twin="{which}"]')).to_contain_text(text)


def logits(page: Page, network: str = "vgg", side: str = "clean") -> np.ndarray:
    """The float32 logits in the X-ray's file, as the laboratory stores them."""
    asked = {"on": "sample:apple", "network": network, "kind": "xray", "parameters": "{}"}
    found = page.request.get("/learn/laboratory/explanations/find", params=asked).json()
    return np.array(page.request.get(found["base"] + "meta.json").json()["logits"][side])


def expected(values: np.ndarray, temperature: float) -> np.ndarray:
    powers = np.exp((values - values.max()) / temperature)
    return powers / powers.sum()


def cell(row: Locator, name: str) -> float:
    """A number of a row as it is written: 0.012, 1.2 × 10⁻⁶, ≤ −3.46, 49.7%."""
    text = row.locator(f"[data-{name}]").inner_text().strip("≤>% ").replace("−", "-")
    mantissa, _times, power = text.partition(" × 10")
    return float(mantissa) * 10 ** int(power.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")) or 0)


def temperature(page: Page, side: str = "clean", network: str = "vgg") -> float:
    found = page.evaluate("JSON.parse(document.getElementById('laboratory-subject').textContent).networks")
    return float(next(one for one in found if one["name"] == network)["temperature"][side])


def agree(page: Page, at: float, network: str = "vgg", side: str = "clean") -> None:
    """All four columns are the softmax at a temperature, computed here in float64."""
    values = logits(page, network, side)
    shares = expected(values, at)
    best = np.argsort(-values, kind="stable")[:5]
    labels = [artifact.load_card(network).label(int(index)) for index in best]
    expect(rows(page).locator("[data-label]")).to_have_text([*labels, "95 others"])
    for row, index in zip(rows(page).all(), best, strict=False):
        assert cell(row, "logit") == pytest.approx(values[index], abs=0.0051)
        assert cell(row, "difference") == pytest.approx(values[index] - values.max(), abs=0.0051)
        power = np.exp((values[index] - values.max()) / at)
        assert cell(row, "exponential") == pytest.approx(power, rel=0.06, abs=0.0006 * (power > 0.001))
        assert cell(row, "share") == pytest.approx(
            100 * shares[index], rel=0.06, abs=0.051 * (shares[index] > 0.001)
        )
    last = rows(page).last
    assert cell(last, "share") == pytest.approx(100 * np.delete(shares, best).sum(), rel=0.06, abs=0.051)


@BOTH_WIDTHS
def test_the_columns_are_the_softmax_at_the_honest_temperature(page: Page) -> None:
    agree(page, temperature(page))
    says(
        page,
        re.compile(
            r"VGG, whole picture, temperature 0\.\d+, the one that makes it honest: apple .*Together 100%"
        ),
    )
    expect(figure(page).locator("[data-columns] tfoot")).to_contain_text("100%")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@BOTH_WIDTHS
def test_a_drag_turns_the_temperature_and_the_columns_follow(page: Page) -> None:
    slider(page).scroll_into_view_if_needed()
    box = slider(page).bounding_box()
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    for share in (0.6, 0.8, 0.999):
        page.mouse.move(box["x"] + box["width"] * share, y)
    page.mouse.up()
    expect(slider(page)).to_have_attribute("aria-valuetext", "20.00")
    agree(page, 20)
    says(page, "temperature 20.00: apple")
    expect(page).to_have_url(re.compile("temperature=20"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_turns_it_step_by_step_and_home_is_the_lowest(page: Page) -> None:
    slider(page).focus()
    page.keyboard.press("ArrowRight")
    says(page, re.compile(r"temperature 0\.8\d: apple"))
    page.keyboard.press("Home")
    says(page, "temperature 0.05: apple")
    agree(page, 0.05)
    # Nothing that is there is written as nothing.
    for row in rows(page).all():
        assert cell(row, "share") > 0
        assert cell(row, "exponential") > 0
    page.keyboard.press("Tab")
    expect(number(page)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    says(page, "the one that makes it honest")
    expect(page).not_to_have_url(re.compile("temperature"))


def test_a_typed_temperature_and_what_is_none(page: Page) -> None:
    number(page).fill("2.5")
    agree(page, 2.5)
    for typed, sentence in (
        ("0", "winner takes all is the limit"),
        ("-3", "turned round"),
        ("1e9", "from 0.05 to 20"),
        ("", "Type a number"),
    ):
        number(page).fill(typed)
        expect(page.locator("[data-wrong]")).to_contain_text(sentence)
        expect(number(page)).to_have_attribute("aria-invalid", "true")
        says(page, "temperature 2.50: apple")
        expect(number(page)).to_have_value(typed)
    number(page).fill("3")
    expect(page.locator("[data-wrong]")).to_be_hidden()
    says(page, "temperature 3.00")


def test_any_class_takes_the_fifth_row(page: Page) -> None:
    figure(page).get_by_label("Name in the fifth row").select_option(label="whale")
    index = artifact.load_card("vgg").labels.index("whale")
    values = logits(page)
    row = rows(page).nth(4)
    expect(row.locator("[data-label]")).to_have_text("whale")
    assert cell(row, "logit") == pytest.approx(values[index], abs=0.0051)
    assert cell(row, "share") == pytest.approx(
        100 * expected(values, temperature(page))[index], rel=0.06, abs=0.051
    )
    says(page, "whale")
    expect(page).to_have_url(re.compile(f"class={index}"))


def test_the_covered_picture_and_the_other_network_have_their_own_numbers(page: Page) -> None:
    figure(page).get_by_label("with bars").check()
    says(page, "VGG, picture with bars")
    agree(page, temperature(page, "covered"), side="covered")
    expect(page.locator("[data-fitted]")).to_contain_text("of the pixels are black")
    page.get_by_label("Network", exact=True).select_option("wideresnet")
    says(page, "Wide ResNet, picture with bars")
    agree(page, temperature(page, "covered", "wideresnet"), "wideresnet", "covered")


def test_the_record_is_that_of_the_evaluation_and_follows_the_honest_temperature(page: Page) -> None:
    card = artifact.load_card("vgg")
    share = float(expected(logits(page), temperature(page)).max())
    record = card.track_record(share)
    assert record
    sentence = f"it is right {100 * record.accuracy:.1f}% of the time (n = {record.n:,})"
    says(page, sentence, "record")
    number(page).fill("0.2")
    moved = 100 * float(expected(logits(page), 0.2).max())
    says(page, f"At temperature 0.20 it would read {moved:.1f}%", "record")
    says(page, sentence, "record")
    panel = figure(page).locator('[data-panel="vgg"][data-side="clean"]')
    mark = panel.locator('[data-mark="moved"]')
    expect(mark).to_have_attribute("visibility", "visible")
    expect(mark).to_contain_text(f"{moved:.1f}%")
    place = re.search(r"translate\(([\d.]+)", mark.get_attribute("transform") or "")
    assert place
    assert float(place[1]) == pytest.approx(284 * moved / 100, abs=0.2)


@BOTH_WIDTHS
def test_both_networks_stand_side_by_side(page: Page) -> None:
    panels = figure(page).locator("[data-panel]:visible")
    expect(panels).to_have_count(2)
    for network, panel in zip(("vgg", "wideresnet"), panels.all(), strict=True):
        expect(panel).to_have_attribute("data-panel", network)
        share = float(expected(logits(page, network), temperature(page, network=network)).max())
        expect(panel.locator('[data-mark="honest"]')).to_contain_text(f"{100 * share:.1f}%")
        record = artifact.load_card(network).track_record(share)
        assert record
        expect(panel.locator("[data-record]")).to_contain_text(f"(n = {record.n:,})")


def test_the_served_answer_stands_beside_that_of_the_laboratory(page: Page) -> None:
    served = page.evaluate(
        "JSON.parse(document.getElementById('laboratory-subject').textContent).networks[0].answers.clean"
    )
    shares = expected(logits(page), temperature(page))
    lines = page.locator("[data-served-rows] tr")
    expect(lines).to_have_count(5)
    for line, answer in zip(lines.all(), served, strict=True):
        texts = line.locator("td").all_inner_texts()
        assert float(texts[0].strip("%")) == pytest.approx(100 * answer["probability"], abs=0.051)
        assert float(texts[1].strip("%")) == pytest.approx(100 * shares[answer["index"]], abs=0.051)
    expect(figure(page).get_by_text("8-bit whole numbers")).to_be_visible()


@pytest.mark.parametrize("asked", ["", "&temperature=0.05", "&temperature=20&side=covered&class=95"])
def test_the_script_writes_what_the_page_says_without_it(researcher: Visitor, asked: str) -> None:
    page = opened(researcher, asked)
    written = [
        figure(page).locator("[data-columns] tbody tr").all_inner_texts(),
        page.locator("[data-laboratory-still] .belief-columns tbody tr").all_text_contents(),
    ]
    live, still = ([" ".join(text.split()) for text in texts] for texts in written)
    assert live == still


def test_a_link_brings_everything_back(researcher: Visitor) -> None:
    page = opened(researcher, "&network=wideresnet&side=covered&temperature=3.5&class=95")
    says(page, re.compile("Wide ResNet, picture with bars, temperature 3.50: .*whale"))
    expect(number(page)).to_have_value("3.5")
    expect(figure(page).get_by_label("with bars")).to_be_checked()


def test_an_address_with_nonsense_says_so(researcher: Visitor) -> None:
    page = opened(researcher, "&temperature=0&class=1000&side=up")
    expect(page.locator("[data-laboratory-corrections] p")).to_have_count(3)
    says(page, "temperature 0.05: apple")


def test_without_javascript_the_tables_say_it_all(researcher: Visitor) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.goto(PATH)
    expect(figure(page)).to_be_hidden()
    still = page.locator("[data-laboratory-still]")
    expect(still.get_by_text("At this confidence it is right").first).to_be_visible()
    expect(still.get_by_role("table", name="From the scores of the classes")).to_be_visible()
    still.get_by_label("Temperature T").fill("5")
    still.get_by_role("button", name="Show").click()
    expect(still.get_by_text("VGG at temperature 5.00: apple")).to_be_visible()
    expect(still.get_by_role("group", name="Reliability of VGG")).to_contain_text("93.3% to 100.0%")


def test_in_a_frame_it_works_from_what_is_stored(researcher: Visitor) -> None:
    page = researcher.open(login=False)
    page.goto("/learn/laboratory/belief/embed/?on=sample:apple")
    expect(page.locator(READY)).to_have_count(1)
    number(page).fill("5")
    says(page, "temperature 5.00: apple")
