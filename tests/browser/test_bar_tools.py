"""What can be done with bars besides drawing them: undo, presets, bars at random, copying, and coming back exactly."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visitor, choose, one_colour, send, upload
from tests.browser.test_bars import bars, drag, ready

GRID = """async () => {
  const { randomBars, covered } = await import("/static/js/random-bars.js");
  let worst = 0;
  for (let share = 1; share <= 90; share += 1) {
    for (let count = 1; count <= 8; count += 1) {
      const bars = randomBars({ share: share / 100, count, seed: share * 8 + count });
      if (bars.length !== count) return 1;
      if (bars.some((bar) => bar.some((part) => Math.abs(part * 1000 - Math.round(part * 1000)) > 1e-9))) return 2;
      worst = Math.max(worst, Math.abs(covered(bars) - share / 100));
    }
  }
  return worst;
}"""


def test_numbers_are_written_as_in_the_language_of_the_page(visitor: Visitor) -> None:
    page = visitor.open()

    def in_french(route: Route) -> None:
        response = route.fetch()
        route.fulfill(
            response=response, body=response.text().replace('<html lang="en"', '<html lang="fr"', 1)
        )

    page.route("**/predict/", in_french)
    page.goto("/predict/")
    choose(page, upload("red.png", one_colour("red")))
    page.click("[data-add-bar]")
    left = page.locator("[data-bar-list] input").first
    left.fill("12.5")
    left.blur()
    expect(page.locator(".canvas rect.bar")).to_have_attribute(
        "aria-label", re.compile("Bar 1: 12,5% from the left")
    )
    expect(page.locator("[data-bar-area]")).to_have_text("9% of the picture is covered.")
    # A field of numbers has a point in its value, whatever it shows.
    assert left.input_value() == "12.5"


@pytest.fixture
def page(visitor: Visitor) -> Page:
    return ready(visitor, width=1280)


def presets(page: Page) -> None:
    page.locator("[data-bar-presets] summary").click()


def says(page: Page) -> str:
    return page.locator("[data-bar-says]").inner_text()


def test_a_drag_is_undone_in_one_step_and_done_again(page: Page) -> None:
    undo, redo = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Redo")
    expect(undo).to_be_disabled()
    expect(redo).to_be_disabled()
    drag(page, (0.2, 0.2), (0.5, 0.6))
    drawn = bars(page)
    drag(page, (0.3, 0.3), (0.4, 0.4))
    moved = bars(page)
    assert moved != drawn
    page.keyboard.press("Control+z")
    assert bars(page) == drawn
    expect(page.locator("[data-bar-says]")).to_have_text("Undone. Bars now: 1.")
    undo.click()
    assert bars(page) == []
    expect(undo).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    assert bars(page) == moved
    expect(redo).to_be_disabled()
    undo.click()
    page.click("[data-add-bar]")
    expect(redo).to_be_disabled()


def test_a_typed_number_is_one_step_and_its_own_undo_is_left_to_the_browser(page: Page) -> None:
    page.click("[data-add-bar]")
    field = page.get_by_label("Bar 1, left")
    field.fill("")
    field.press_sequentially("12.5")
    typed = bars(page)
    assert typed[0][0] == 0.125
    field.press("Control+z")
    assert len(bars(page)) == 1
    field.press("Enter")
    page.click("[data-undo-bars]")
    assert bars(page) == [[0.35, 0.35, 0.3, 0.3]]


def test_removing_all_and_a_new_picture(page: Page) -> None:
    page.click("[data-add-bar]")
    page.click("[data-add-bar]")
    page.click("[data-clear-bars]")
    page.click("[data-undo-bars]")
    assert len(bars(page)) == 2
    choose(page, upload("blue.png", one_colour("blue")))
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    assert bars(page) == []


def test_strips_go_from_edge_to_edge(page: Page) -> None:
    presets(page)
    page.get_by_role("button", name="Horizontal strip").click()
    page.get_by_label("thickness %").fill("12.5")
    page.get_by_role("button", name="Vertical strip").click()
    # Its middle is rounded to a tenth of a percent like every bar.
    assert bars(page) == [[0, 0.4, 1, 0.2], [pytest.approx(0.4375, abs=0.0006), 0, 0.125, 1]]
    expect(page.locator("[data-bar-area]")).to_have_text("30% of the picture is covered.")
    expect(page.locator(".canvas rect").nth(1)).to_be_focused()


def test_the_same_seed_gives_the_same_bars_and_random_draws_a_new_one(page: Page) -> None:
    presets(page)
    page.get_by_label("share %").fill("35")
    page.locator("[data-random-count]").fill("3")
    page.locator("[data-random-seed]").fill("42")
    place = page.get_by_role("button", name="From this seed")
    place.click()
    first = bars(page)
    assert len(first) == 3
    said = re.search(r"They cover ([\d.]+)% of the picture. Seed 42\.", says(page))
    assert said
    assert float(said[1]) == pytest.approx(35, abs=0.5)
    page.get_by_role("button", name="Random", exact=True).click()
    assert bars(page) != first
    assert page.locator("[data-random-seed]").input_value() != "42"
    page.locator("[data-random-seed]").fill("42")
    place.click()
    assert bars(page) == first
    page.click("[data-undo-bars]")
    assert bars(page) != first


def test_random_bars_hide_what_was_asked_for(page: Page) -> None:
    assert page.evaluate(GRID) <= 0.005


def test_what_is_out_of_range_is_brought_back_into_it(page: Page) -> None:
    presets(page)
    page.get_by_label("share %").fill("500")
    page.locator("[data-random-count]").fill("")
    page.get_by_role("button", name="From this seed").click()
    assert len(bars(page)) == 4
    expect(page.get_by_label("share %")).to_have_value("90")


def test_copied_bars_are_pasted_on_another_picture_and_after_other_pages(page: Page) -> None:
    paste = page.get_by_role("button", name="Paste bars")
    expect(paste).to_be_disabled()
    expect(page.get_by_role("button", name="Copy bars")).to_be_disabled()
    drag(page, (0.1, 0.2), (0.6, 0.4))
    page.click("[data-add-bar]")
    copied = bars(page)
    page.get_by_role("button", name="Copy bars").click()
    choose(page, upload("blue.png", one_colour("blue", (120, 400))))
    assert bars(page) == []
    paste.click()
    assert bars(page) == copied
    page.goto("/history/")
    page.goto("/predict/")
    choose(page, upload("green.png", one_colour("green")))
    paste.click()
    assert bars(page) == copied
    expect(page.locator("[data-bar-says]")).to_have_text("Bars pasted: 2.")


def test_a_prediction_comes_back_with_exactly_its_bars(page: Page) -> None:
    presets(page)
    page.get_by_role("button", name="Random", exact=True).click()
    drag(page, (0.31, 0.07), (0.77, 0.33))
    sent = bars(page)
    send(page)
    address = page.get_attribute("[data-own-address]", "href") or ""
    run = page.context.request.get(f"/api/v1{address}").json()
    assert run["bars"] == sent
    page.goto(address)
    page.click("text=Use this picture again")
    page.wait_for_url("**/predict/?upload=*")
    expect(page.locator(".canvas rect")).to_have_count(len(sent))
    assert bars(page) == sent


def test_bars_that_a_program_sent_stay_as_fine_as_they_are(page: Page) -> None:
    with page.expect_response("**/predict/draft/") as response:
        page.set_input_files("#id_image", upload("fine.png", one_colour("green")))
    fine = [[0.123456, 0.2, 0.333333, 0.000499]]
    page.goto(f"/predict/?upload={response.value.json()['id']}&bars={json.dumps(fine)}")
    expect(page.locator(".canvas rect")).to_have_count(1)
    assert bars(page) == fine
    expect(page.get_by_label("Bar 1, left")).to_have_value("12.3456")
    page.get_by_label("Bar 1, left").fill("20")
    assert bars(page) == [[0.2, 0.2, 0.333, 0.005]]


def test_a_reload_brings_the_picture_back_with_its_bars(page: Page) -> None:
    drag(page, (0.2, 0.2), (0.5, 0.6))
    drawn, box = bars(page), page.input_value("[name=crop]")
    page.reload()
    expect(page.locator(".canvas figcaption")).to_have_text("red.png")
    assert bars(page) == drawn
    assert page.input_value("[name=crop]") == box
    send(page)
    page.goto("/predict/")
    expect(page.locator(".canvas")).to_be_hidden()
