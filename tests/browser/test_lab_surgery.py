"""Surgery by mouse, finger and keyboard, read from the text twin; numbers against float64; narrow and wide."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from ml import artifact
from tests.browser.conftest import BOTH_WIDTHS, Visitor
from tests.browser.surgery_page import (
    address,
    agrees,
    cells,
    changed,
    expected,
    figure,
    opened,
    row,
    says,
    seen,
)


@pytest.fixture
def page(researcher: Visitor, width: int) -> Page:
    return opened(researcher, width=width)


@BOTH_WIDTHS
def test_the_trained_answer_and_kernel_stand_there_first(page: Page) -> None:
    says(page, re.compile(r"VGG, whole picture, nothing changed: apple \d+\.\d%"))
    kernel = artifact.read_weights(artifact.load_card("vgg"))["block1/conv1/kernel"][:, :, 0, 0]
    assert cells(page) == pytest.approx([float(one) for one in kernel.ravel()], abs=1e-4)
    expect(page.locator("[data-none]")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_typed_number_moves_the_answer_as_float64_says(page: Page) -> None:
    trained = [
        float(one)
        for one in artifact.read_weights(artifact.load_card("vgg"))["block1/conv1/kernel"][:, :, 0, 0].ravel()
    ]
    cell = page.get_by_label("row 2, column 2")
    cell.fill("40")
    changed(page)
    found = expected(page, {("block1/conv1", 0, 0): [*trained[:4], 40.0, *trained[5:]]}, {})
    agrees(page, "apple", found)
    address(page, "edits", "block1.conv1%3A0%3A0%3A")
    expect(page.locator("[data-changes] li")).to_have_count(1)
    expect(page.locator("[data-changes] li").first).to_contain_text(
        "Block 1, convolution 1, from channel 0 to channel 0:"
    )
    expect(page.locator("[data-maps-says]")).to_contain_text(
        re.compile(r"\d+ of 1024 cells differ from before")
    )
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_arrow_keys_step_by_hundredths_and_undo_takes_all_of_them_back(page: Page) -> None:
    cell = page.get_by_label("row 1, column 1")
    before = cells(page)[0]
    cell.focus()
    cell.press("ArrowUp")
    cell.press("ArrowUp")
    assert cells(page)[0] == pytest.approx(before + 0.02, abs=1e-4)
    cell.press("Shift+ArrowDown")
    cell.press("PageDown")
    assert cells(page)[0] == pytest.approx(before - 0.18, abs=1e-4)
    changed(page)
    while page.get_by_role("button", name="Undo").is_enabled():
        page.keyboard.press("Control+z")
    assert cells(page)[0] == pytest.approx(before, abs=1e-4)
    expect(page.locator("[data-none]")).to_be_visible()
    says(page, "nothing changed")
    page.keyboard.press("Control+Shift+z")
    expect(page.locator("[data-changes] li")).to_have_count(1)


@BOTH_WIDTHS
def test_a_number_is_dragged_sideways(page: Page) -> None:
    cell = page.get_by_label("row 2, column 1")
    cell.scroll_into_view_if_needed()
    before = cells(page)[3]
    box = cell.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for far in (10, 20, 40):
        page.mouse.move(x + far, y)
    page.mouse.up()
    assert cells(page)[3] == pytest.approx(before + 0.1, abs=1e-4)
    changed(page)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("All zero", [0] * 9),
        ("Horizontal edge", [1, 2, 1, 0, 0, 0, -1, -2, -1]),
        ("Vertical edge", [1, 0, -1, 2, 0, -2, 1, 0, -1]),
        ("Blur", [1, 2, 1, 2, 4, 2, 1, 2, 1]),
    ],
)
def test_a_preset_has_the_size_of_the_kernel_that_it_replaces(
    researcher: Visitor, name: str, shape: list[int]
) -> None:
    page = opened(researcher)
    trained = np.array(cells(page))
    page.get_by_role("button", name=name).click()
    wanted = np.array(shape, float)
    if wanted.any():
        wanted *= np.linalg.norm(trained) / np.linalg.norm(wanted)
    assert cells(page) == pytest.approx(list(wanted), abs=2e-3)
    changed(page)
    page.get_by_role("button", name="As trained").click()
    assert cells(page) == pytest.approx(list(trained), abs=1e-4)
    expect(page.locator("[data-none]")).to_be_visible()


def test_a_sign_is_flipped_by_the_keyboard(page: Page) -> None:
    trained = cells(page)
    page.get_by_role("button", name="Flip its sign").focus()
    page.keyboard.press("Enter")
    assert cells(page) == pytest.approx([-one for one in trained], abs=1e-4)
    changed(page)


def test_the_strongest_channels_are_muted_as_float64_says_and_unmuted(page: Page) -> None:
    page.get_by_label("After", exact=True).select_option("block4/relu2")
    buttons = page.locator("[data-mutes] button")
    expect(buttons).to_have_count(8)
    strongest = [int(one.get_attribute("data-channel") or "") for one in buttons.all()]
    page.get_by_role("button", name="Mute the 8 strongest").click()
    changed(page)
    agrees(page, "apple", expected(page, {}, {"block4/relu2": strongest}))
    expect(page.locator("[data-mutes] [aria-pressed=true]")).to_have_count(8)
    expect(page.locator("[data-mutes-says]")).to_have_text("8 of 512 channels are muted.")
    buttons.first.click()
    expect(page.locator("[data-mutes-says]")).to_have_text("7 of 512 channels are muted.")
    page.get_by_role("button", name="Unmute this layer").click()
    says(page, "nothing changed")


@BOTH_WIDTHS
def test_a_channel_is_muted_by_the_keyboard_and_more_are_shown(page: Page) -> None:
    button = page.locator("[data-mutes] button").nth(1)
    button.focus()
    page.keyboard.press("Space")
    expect(button).to_have_attribute("aria-pressed", "true")
    changed(page)
    page.get_by_role("button", name="More channels").press("Enter")
    expect(page.locator("[data-mutes] button")).to_have_count(32)
    expect(page.locator("[data-mutes] button").nth(8)).to_be_focused()


@pytest.mark.parametrize(
    ("typed", "sentence"), [("", "no number yet"), ("1e30", "−100 to 100"), ("-101", "−100 to 100")]
)
def test_what_is_no_weight_stays_to_be_mended(researcher: Visitor, typed: str, sentence: str) -> None:
    page = opened(researcher)
    cell = page.get_by_label("row 1, column 2")
    cell.fill(typed)
    expect(page.locator("[data-wrong]")).to_contain_text(sentence)
    expect(cell).to_have_attribute("aria-invalid", "true")
    page.get_by_label("row 3, column 3").focus()
    expect(cell).to_have_value(typed)
    expect(page.locator("[data-none]")).to_be_visible()
    cell.fill("0.5")
    expect(page.locator("[data-wrong]")).to_be_hidden()
    changed(page)


def test_a_channel_that_does_not_exist_stays_in_its_field_and_is_told(researcher: Visitor) -> None:
    page = opened(researcher)
    field = figure(page).get_by_label("for channel")
    field.fill("64")
    expect(page.locator("[data-place-wrong]")).to_have_text(
        "There is no such channel: they are numbered 0 to 63."
    )
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("63")
    expect(page.locator("[data-place-wrong]")).to_be_hidden()
    expect(page.locator("[data-maps-says]")).to_contain_text("Channel 63")


def test_seventeen_kernels_are_one_too_many_and_nothing_is_lost(researcher: Visitor) -> None:
    texts = ";".join(f"block1.conv1:{out}:0:0,0,0,0,1,0,0,0,0" for out in range(1, 17))
    page = opened(researcher, f"&edits={texts}")
    expect(page.locator("[data-changes] li")).to_have_count(16)
    page.get_by_role("button", name="All zero").click()
    expect(page.locator("[data-wrong]")).to_contain_text("At most 16 kernels")
    expect(page.locator("[data-changes] li")).to_have_count(16)


def test_the_other_network_keeps_its_own_changes(researcher: Visitor) -> None:
    page = opened(researcher)
    page.get_by_role("button", name="Flip its sign").click()
    changed(page)
    page.get_by_label("Network").select_option("wideresnet")
    says(page, "Wide ResNet, whole picture, nothing changed")
    expect(page.locator("[data-mutes] button")).to_have_count(8)
    page.get_by_role("button", name="Mute the 8 strongest").click()
    says(page, "Wide ResNet, whole picture, with the changes")
    page.get_by_label("Network").select_option("vgg")
    says(page, "VGG, whole picture, with the changes")
    expect(page.locator("[data-changes] li")).to_have_text([re.compile("Block 1, convolution 1")])


def test_the_picture_with_bars_has_its_own_answer(page: Page) -> None:
    page.get_by_label("with bars").check()
    says(page, "VGG, picture with bars, nothing changed")
    page.get_by_role("button", name="All zero").click()
    says(page, "VGG, picture with bars, with the changes")
    address(page, "side", "covered")


def test_every_channel_muted_leaves_the_bias_alone(researcher: Visitor) -> None:
    page = opened(researcher, "&mutes=block4.relu2:0-511")
    changed(page)
    card = artifact.load_card("vgg")
    bias = artifact.read_weights(card)["head/dense/bias"].astype(float)
    pixels = seen(page)
    powers = np.exp((bias - bias.max()) / float(card.temperatures(pixels[None])[0]))
    best = int(bias.argmax())
    shown = row(page, card.label(best))
    assert shown["after"] == pytest.approx(100 * powers[best] / powers.sum(), abs=0.11)
    # JSON of the page is valid, whatever is in the address.
    assert (
        json.loads(page.locator("#surgery-data").inner_text())["operation"]["mutes"]["block4/relu2"][-1]
        == 511
    )
