"""The square box on the picture: placed at first, by mouse, finger, keyboard and numbers, and what the network sees."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from ml.placement import default_box
from tests import pictures
from tests.browser.conftest import Visitor, choose, one_colour, send, upload
from tests.browser.test_journey import fits

PLACE = """async (address) => {
  const { place } = await import("/static/js/crop-placement.js");
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  canvas.getContext("2d").drawImage(image, 0, 0);
  const { left, top, side } = place(canvas);
  return [left / image.width, top / image.height, side / image.width, side / image.height];
}"""


def halves(width: int = 400) -> bytes:
    """Red on the left, blue on the right, twice as wide as high."""
    image = Image.new("RGB", (width, width // 2), "red")
    image.paste((0, 0, 255), (width // 2, 0, width, width // 2))
    return pictures.encoded(image, "PNG")


def off_centre(width: int = 600, height: int = 300, left: int = 380) -> Image.Image:
    """A plain wall with something to see on it, away from the middle."""
    image = Image.new("RGB", (width, height), (190, 185, 180))
    image.paste(pictures.scene(180, 180), (left, 60))
    return image


def ready(visitor: Visitor, data: bytes, **options: Any) -> Page:
    page = visitor.open(**options)
    page.goto("/predict/")
    choose(page, upload("picture.png", data))
    return page


def boxing(page: Page) -> Locator:
    page.get_by_role("radio", name="Square box").check()
    return page.locator(".crop-box")


def crop(page: Page) -> list[float]:
    return json.loads(page.input_value("[name=crop]"))  # type: ignore[no-any-return]


def near(box: list[float]) -> Any:
    return pytest.approx(box, abs=0.012)


def spot(page: Page, x: float, y: float) -> tuple[float, float]:
    box = page.locator(".canvas canvas").bounding_box()
    assert box
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*spot(page, *start))
    page.mouse.down()
    page.mouse.move(*spot(page, *end), steps=6)
    page.mouse.up()


def test_the_first_place_is_the_one_that_the_site_would_choose(visitor: Visitor) -> None:
    page = ready(visitor, pictures.encoded(off_centre(), "PNG"))
    assert crop(page) == near(list(default_box(off_centre())))
    assert crop(page)[0] > 0.3
    scenes = [
        off_centre(400, 700, 30),
        off_centre(450, 300, 0),
        pictures.scene(640, 360),
        pictures.scene(300, 900),
    ]
    for scene in [
        *scenes,
        Image.new("RGB", (50, 33), "white"),
        pictures.scene(41, 29),
        pictures.scene(210, 205),
    ]:
        buffer = io.BytesIO()
        scene.save(buffer, "PNG")
        address = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
        assert page.evaluate(PLACE, address) == pytest.approx(list(default_box(scene)), abs=0.02), scene.size


def test_the_mouse_moves_and_resizes_a_box_that_stays_square_and_inside(visitor: Visitor) -> None:
    page = ready(visitor, halves(), width=1280)
    box = boxing(page)
    page.click("[data-crop-centre]")
    assert crop(page) == [0.25, 0, 0.5, 1]
    drag(page, (0.5, 0.5), (0.6, 0.9))
    assert crop(page) == near([0.35, 0, 0.5, 1])
    drag(page, (0.6, 0.5), (1.4, 0.5))
    assert crop(page) == [0.5, 0, 0.5, 1]
    drag(page, (0.5, 0.0), (0.7, 0.4))
    assert crop(page) == near([0.7, 0.4, 0.3, 0.6])
    drag(page, (1.0, 1.0), (0.9, 0.8))
    assert crop(page) == near([0.7, 0.4, 0.2, 0.4])
    drag(page, (0.7, 0.8), (0.2, 1.4))
    x, y, width, height = crop(page)
    assert [x + width, y] == near([0.9, 0.4])
    assert width * 400 == pytest.approx(height * 200, abs=0.01)
    assert y + height <= 1
    shown = box.bounding_box()
    assert shown
    assert shown["width"] == pytest.approx(shown["height"], abs=2)


def test_the_box_is_moved_by_a_finger_and_the_page_stays_where_it_is(visitor: Visitor) -> None:
    page = ready(visitor, halves(), width=360, height=740, has_touch=True, is_mobile=True)
    boxing(page)
    page.click("[data-crop-centre]")
    page.locator(".crop-box").scroll_into_view_if_needed()
    devtools = page.context.new_cdp_session(page)
    before = page.evaluate("scrollY")
    for number in range(6):
        x, y = spot(page, 0.5 + number * 0.05, 0.5 + number * 0.05)
        kind = "touchMove" if number else "touchStart"
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    devtools.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert crop(page) == near([0.5, 0, 0.5, 1])
    assert page.evaluate("scrollY") == before
    assert fits(page)


def test_the_keyboard_switches_moves_resizes_and_hears_what_it_did(visitor: Visitor) -> None:
    page = ready(visitor, halves())
    page.get_by_role("radio", name="Black bars").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Square box")).to_be_checked()
    page.focus("[data-crop-centre]")
    page.keyboard.press("Enter")
    box = page.locator(".crop-box")
    box.focus()
    for key in ("-", "-", "-", "-", "-"):
        page.keyboard.press(key)
    assert crop(page) == near([0.275, 0.05, 0.45, 0.9])
    page.keyboard.press("Shift+ArrowRight")
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    assert crop(page) == near([0.33, 0.03, 0.45, 0.9])
    name = box.get_attribute("aria-label") or ""
    assert name.startswith("Box: 33% from the left, 3% from the top, 90%")
    expect(page.locator("[data-crop-says]")).to_have_text(name)
    for _ in range(12):
        page.keyboard.press("Shift+ArrowRight")
    assert crop(page) == near([0.55, 0.03, 0.45, 0.9])
    for _ in range(60):
        page.keyboard.press("-")
    assert crop(page)[3] == pytest.approx(0.05, abs=0.001)


def test_the_numbers_the_middle_and_the_whole_picture(visitor: Visitor) -> None:
    page = ready(visitor, halves())
    expect(page.locator("[data-crop]")).to_be_hidden()
    box = boxing(page)
    page.get_by_label("size %").fill("50")
    page.get_by_label("left %").fill("60")
    page.get_by_label("top %").fill("25")
    assert crop(page) == [0.6, 0.25, 0.25, 0.5]
    expect(page.locator("[data-crop-size]")).to_contain_text("100 × 100 of 400 × 200 pixels")
    page.get_by_label("left %").fill("99")
    assert crop(page) == [0.75, 0.25, 0.25, 0.5]
    page.get_by_label("left %").press("Tab")
    expect(page.get_by_label("left %")).to_have_value("75")
    page.click("[data-crop-whole]")
    assert crop(page) == [0, 0, 1, 1]
    expect(box).to_be_hidden()
    expect(page.locator("[data-crop-whole]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-crop-size]")).to_have_text(
        "The whole picture goes in, squeezed into a square."
    )
    page.click("[data-crop-place]")
    expect(box).to_be_visible()
    assert crop(page)[2] < 1


def test_a_square_picture_starts_whole_and_can_be_cut(visitor: Visitor) -> None:
    page = ready(visitor, one_colour("red", (300, 300)))
    assert crop(page) == [0, 0, 1, 1]
    boxing(page).focus()
    page.keyboard.press("-")
    assert crop(page)[2] == crop(page)[3] == pytest.approx(0.98)


def test_bars_and_box_do_not_get_in_each_others_way(visitor: Visitor) -> None:
    page = ready(visitor, halves(), width=1280)
    drag(page, (0.4, 0.4), (0.6, 0.6))
    bars = page.input_value("[name=bars]")
    assert len(json.loads(bars)) == 1
    before = crop(page)
    box = boxing(page)
    drag(page, (0.45, 0.5), (0.3, 0.5))
    assert page.input_value("[name=bars]") == bars
    assert crop(page) != before
    expect(page.locator(".canvas rect")).to_have_attribute("tabindex", "-1")
    expect(box).to_have_attribute("tabindex", "0")
    placed = crop(page)
    page.get_by_role("radio", name="Black bars").check()
    expect(box).to_be_visible()
    expect(box).to_have_attribute("tabindex", "-1")
    drag(page, (0.1, 0.1), (0.2, 0.2))
    assert len(json.loads(page.input_value("[name=bars]"))) == 2
    assert crop(page) == placed


@pytest.mark.parametrize("width", [360, 1280])
def test_what_lies_in_the_box_is_what_the_network_sees_and_the_results_show(
    visitor: Visitor, width: int
) -> None:
    page = ready(visitor, halves(1200), width=width)
    boxing(page)
    answers = page.locator("[data-results] .answer-list li:first-child .answer-label")
    title = page.locator("#results-title")
    for left, answer in (("0", "red"), ("50", "blue")):
        page.get_by_label("left %").fill(left)
        if answer == "blue":
            expect(title).to_have_text("Answer to the previous box. Ask again.")
        send(page)
        expect(answers.first).to_have_text(answer)
        expect(title).to_have_text("What the networks say")
    assert fits(page)
    page.click("[data-own-address]")
    page.wait_for_url("**/predictions/**")
    expect(page.locator(".subject path.box")).to_have_attribute(
        "d", "M600.000 0.000h600.000v600.000h-600.000z"
    )
    drawn = page.locator(".subject img").bounding_box()
    assert drawn == page.locator(".subject .covered svg").bounding_box()
    assert fits(page)
    page.click("text=Use this picture again")
    page.wait_for_url("**/predict/?upload=*")
    expect(page.locator(".crop-box")).to_be_visible()
    assert crop(page) == [0.5, 0, 0.5, 1]


def test_without_a_script_the_site_places_the_box(visitor: Visitor) -> None:
    page = visitor.open(java_script_enabled=False)
    page.goto("/predict/")
    expect(page.locator("[data-tools]")).to_be_hidden()
    page.set_input_files("#id_image", upload("wall.png", pictures.encoded(off_centre(), "PNG")))
    page.click("[data-send]")
    page.wait_for_url("**/predictions/**")
    expect(page.locator(".subject path.box")).to_have_count(1)
    expect(page.locator(".subject figcaption")).to_contain_text("of 600 × 300 pixels")
