"""Surgery by mouse, finger and keyboard, read from the text twin; numbers against float64; narrow and wide."""

from __future__ import annotations

import io
import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from ml import artifact
from tests import services
from tests.browser.conftest import Visitor
from tests.ml import by_hand

PATH = "/learn/laboratory/surgery/?on=sample:apple"
READY = "html[data-laboratory-ready]"


def opened(visitor: Visitor, extra: str = "", **options: Any) -> Page:
    page = visitor.open(login=False, **options)
    page.goto(PATH + extra)
    expect(page.locator(READY)).to_have_count(1)
    expect(page.locator("[data-cells] input").first).to_have_value(re.compile(r"\d"))
    return page


@pytest.fixture(params=[360, 1280])
def page(researcher: Visitor, request: pytest.FixtureRequest) -> Page:
    return opened(researcher, width=request.param)


def figure(page: Page) -> Locator:
    """The figure, without the still one beside it."""
    return page.locator("[data-surgery]")


def cells(page: Page) -> list[float]:
    return [float(one.input_value()) for one in page.locator("[data-cells] input").all()]


def row(page: Page, label: str) -> dict[str, float]:
    """A class's before, after and change as they stand in the table, in percent and points."""
    line = page.locator("[data-answers] tbody tr").filter(
        has=page.get_by_role("rowheader", name=label, exact=True)
    )
    texts = [line.locator(f"[data-{name}]").inner_text() for name in ("before", "after", "points")]
    before, after, points = (float(text.strip("%<>+ ").replace("−", "-")) for text in texts)
    return {"before": before, "after": after, "points": points}


def says(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.locator("[data-surgery] [data-twin]")).to_contain_text(text)


def changed(page: Page) -> None:
    """Waits until the network has answered with the changes."""
    says(page, "with the changes")
    expect(page.locator("[data-stale]")).not_to_have_attribute("aria-busy", "true")


def address(page: Page, key: str, wanted: str | None) -> None:
    expect(page).to_have_url(re.compile(r".*") if wanted is None else re.compile(rf"[?&]{key}={wanted}"))
    if wanted is None:
        assert key not in parse_qs(urlsplit(page.url).query)


def seen(page: Page) -> np.ndarray:
    """The pixels of the apple as the VGG saw them."""
    asked = {"on": "sample:apple", "network": "vgg", "kind": "xray", "parameters": "{}"}
    found = page.request.get("/learn/laboratory/explanations/find", params=asked).json()
    picture = page.request.get(found["base"] + "pictures/clean.png").body()
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))


def expected(
    page: Page, edits: dict[tuple[str, int, int], list[float]], mutes: dict[str, list[int]]
) -> dict[str, np.ndarray]:
    """What the VGG says of the apple before and after, computed in float64 by hand: probabilities in percent."""
    card = artifact.load_card("vgg")
    pixels = seen(page)
    learned = artifact.read_weights(card)
    altered = {name: value.copy() for name, value in learned.items()}
    for (layer, out, source), kernel in edits.items():
        altered[f"{layer}/kernel"][:, :, source, out] = np.reshape(kernel, (3, 3))

    def silence(name: str, maps: np.ndarray) -> np.ndarray:
        if name in mutes:
            maps[..., mutes[name]] = 0
        return maps

    temperature = float(card.temperatures(pixels[None])[0])
    found = {}
    for key, weights, alter in (("before", learned, None), ("after", altered, silence)):
        logits = (
            by_hand.logits(card, pixels, weights, alter) if alter else by_hand.logits(card, pixels, weights)
        )
        powers = np.exp((logits - logits.max()) / temperature)
        found[key] = 100 * powers / powers.sum()
    return found


def agrees(page: Page, label: str, found: dict[str, np.ndarray]) -> None:
    index = [name.replace("_", " ") for name in artifact.load_card("vgg").labels].index(label)
    shown = row(page, label)
    assert shown["before"] == pytest.approx(found["before"][index], abs=0.11)
    assert shown["after"] == pytest.approx(found["after"][index], abs=0.11)
    assert shown["points"] == pytest.approx(found["after"][index] - found["before"][index], abs=0.11)


def test_the_trained_answer_and_kernel_stand_there_first(page: Page) -> None:
    says(page, "VGG, whole picture, nothing changed: apple 49.")
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
        "block1/conv1, from channel 0 to channel 0:"
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


def test_a_channel_is_muted_by_the_keyboard_and_more_are_shown(page: Page) -> None:
    button = page.locator("[data-mutes] button").nth(1)
    button.focus()
    page.keyboard.press("Space")
    expect(button).to_have_attribute("aria-pressed", "true")
    changed(page)
    page.get_by_role("button", name="More channels").press("Enter")
    expect(page.locator("[data-mutes] button")).to_have_count(32)
    expect(page.locator("[data-mutes] button").nth(8)).to_be_focused()


def test_a_link_brings_everything_back(researcher: Visitor) -> None:
    page = opened(researcher, width=1280)
    figure(page).get_by_label("Convolution").select_option("block2/conv1")
    figure(page).get_by_label("for channel").fill("17")
    figure(page).get_by_label("reads channel").fill("3")
    page.get_by_role("button", name="Blur").click()
    page.locator("[data-mutes] button").first.click()
    changed(page)
    address(page, "mutes", "block4.relu2%3A")
    address(page, "edits", "block2.conv1%3A17%3A3%3A")
    address(page, "channel", "17")
    before, kernel = row(page, "apple"), cells(page)
    other = researcher.open(login=False)
    other.goto(page.url)
    changed(other)
    assert row(other, "apple") == before
    assert cells(other) == kernel
    expect(other.locator("[data-changes] li")).to_have_count(2)
    expect(other.locator("[data-mutes] [aria-pressed=true]")).to_have_count(1)
    other.get_by_role("button", name="Take back: block2/conv1").click()
    expect(other.locator("[data-changes] li")).to_have_count(1)
    other.get_by_role("button", name="Take all back").click()
    expect(other.locator("[data-none]")).to_be_visible()
    other.get_by_role("button", name="Undo").click()
    expect(other.locator("[data-changes] li")).to_have_count(1)


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


def test_an_address_with_nonsense_says_so_and_does_the_rest(researcher: Visitor) -> None:
    page = researcher.open(login=False)
    good = "block1.conv1:1:1:0,0,0,0,1,0,0,0,0"
    page.goto(
        f"{PATH}&edits={good};block9.conv1:0:0:1,2,3&mutes=block1.relu1:99&layer=nowhere&channel=1e9&in=2"
    )
    corrections = page.locator("[data-laboratory-corrections] p")
    expect(corrections).to_have_count(4)
    expect(corrections.filter(has_text="“block9.conv1:0:0:1,2,3” was left out.")).to_have_count(1)
    expect(corrections.filter(has_text="no channel “99”")).to_have_count(1)
    expect(corrections.filter(has_text="no layer “nowhere”")).to_have_count(1)
    expect(corrections.filter(has_text="Channel 63 is shown")).to_have_count(1)
    changed(page)
    expect(page.locator("[data-changes] li")).to_have_count(1)
    expect(figure(page).get_by_label("for channel")).to_have_value("63")


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
    expect(page.locator("[data-changes] li")).to_have_text([re.compile("block1/conv1")])


def test_the_picture_with_bars_has_its_own_answer(page: Page) -> None:
    page.get_by_label("with bars").check()
    says(page, "VGG, picture with bars, nothing changed")
    page.get_by_role("button", name="All zero").click()
    says(page, "VGG, picture with bars, with the changes")
    address(page, "side", "covered")


def test_one_change_is_answered_within_a_second_and_a_half(researcher: Visitor) -> None:
    page = opened(researcher)
    page.get_by_role("button", name="All zero").click()
    changed(page)
    page.evaluate(
        """() => {
          window.began = performance.now();
          new MutationObserver((_, self) => {
            if (!document.querySelector("[data-stale]").hasAttribute("aria-busy")) {
              window.took = performance.now() - window.began;
              self.disconnect();
            }
          }).observe(document.querySelector("[data-stale]"), { attributes: true, attributeFilter: ["aria-busy"] });
        }"""
    )
    page.get_by_role("button", name="Blur").click()
    page.wait_for_selector("[data-stale]:not([aria-busy])")
    changed(page)
    took = page.evaluate("window.took")
    # The goal is 1.5 s on a quiet machine; a machine that is busy with other tests is given more.
    assert took < 6_000, took


def test_a_worker_that_is_away_is_told_and_the_trained_answer_stays(
    researcher: Visitor, laboratory: services.LiveStack, absent_worker: Callable[[], None]
) -> None:
    # A kernel that no other test changes: what was computed once needs no worker.
    page = opened(researcher, "&channel=41")
    absent_worker()
    page.get_by_role("button", name="Horizontal edge").click()
    expect(page.locator("[data-laboratory-waiting]")).to_contain_text("away", timeout=60_000)
    says(page, "as trained, for the changed answer is not there: apple 49.")
    expect(page.locator("[data-answers] [data-after]").first).to_have_text("–")
    expect(page.locator("[data-maps-says]")).to_contain_text("cells differ from before")


@pytest.fixture
def absent_worker(laboratory: services.LiveStack) -> Iterator[Callable[[], None]]:
    """Stops the worker with its whole group, as a machine that is gone; it goes on afterwards."""
    group = os.getpgid(laboratory.workers[0].pid)
    gone = "from predictions.jobs import Heartbeat; Heartbeat.objects.all().delete()"

    def stop() -> None:
        os.killpg(group, signal.SIGSTOP)
        laboratory.python(gone)

    yield stop
    os.killpg(group, signal.SIGCONT)


def test_a_frame_says_that_surgery_needs_the_full_page(researcher: Visitor) -> None:
    page = researcher.open(login=False)
    page.goto("/learn/laboratory/surgery/embed/?on=sample:apple")
    expect(page.locator(READY)).to_have_count(1)
    expect(page.locator("[data-cells] input").first).to_have_value(re.compile(r"\d"))
    expect(page.locator("[data-surgery] .notice")).to_contain_text("a frame cannot ask for")
    page.get_by_role("button", name="Blur").click()
    says(page, "as trained, for the changed answer is not there: apple 49.")
    link = page.get_by_role("link", name="Open the full page")
    expect(link).to_have_attribute("href", re.compile(r"/learn/laboratory/surgery/\?.*edits=block1\.conv1"))


def test_without_javascript_a_form_asks_and_shows_before_and_after(researcher: Visitor) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.goto(PATH)
    expect(page.get_by_text("apple 49.")).to_be_visible()
    page.get_by_label("Weights to put in its place").fill("0 0 0 0 40 0 0 0 0")
    page.get_by_label("Channels to mute").fill("3, 347")
    page.get_by_role("button", name="Ask the changed network").click()
    expect(page.get_by_text("block1/conv1, from channel 0 to channel 0: 0.00 0.00")).to_be_visible()
    expect(page.get_by_text("block4/relu2: channels 3, 347 muted")).to_be_visible()
    again = page.get_by_role("link", name="Look again")
    services.wait_until(lambda: _answered(page), 30, "the changed answer without scripts")
    expect(again).to_have_count(0)
    found = expected(
        page, {("block1/conv1", 0, 0): [0, 0, 0, 0, 40.0, 0, 0, 0, 0]}, {"block4/relu2": [3, 347]}
    )
    text = page.locator("tbody tr").filter(has_text="apple").first.inner_text()
    after = float(re.findall(r"([\d.]+)%", text)[1])
    assert after == pytest.approx(found["after"][0], abs=0.11)
    page.get_by_role("link", name="Take it back").first.click()
    expect(page.get_by_text("block1/conv1, from channel 0 to channel 0:")).to_have_count(0)


def _answered(page: Page) -> bool:
    again = page.get_by_role("link", name="Look again")
    if again.count():
        again.click()
    return page.get_by_role("columnheader", name="Changed").count() > 0


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
