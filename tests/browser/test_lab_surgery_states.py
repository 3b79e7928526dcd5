"""Surgery from an address, with no worker, in a frame, without JavaScript; and how soon a change is answered."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests import services
from tests.browser.conftest import Visitor
from tests.browser.surgery_page import (
    PATH,
    READY,
    address,
    cells,
    changed,
    expected,
    figure,
    opened,
    row,
    says,
)

AS_TRAINED = re.compile(r"as trained, for the changed answer is not there: apple \d+\.\d%")


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
    other.get_by_role("button", name="Take back: Block 2, convolution 1").click()
    expect(other.locator("[data-changes] li")).to_have_count(1)
    other.get_by_role("button", name="Take all back").click()
    expect(other.locator("[data-none]")).to_be_visible()
    other.get_by_role("button", name="Undo").click()
    expect(other.locator("[data-changes] li")).to_have_count(1)


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


def test_a_worker_that_is_away_is_told_and_the_trained_answer_stays(
    researcher: Visitor, laboratory: services.LiveStack, absent_worker: Callable[[], None]
) -> None:
    # A kernel that no other test changes: what was computed once needs no worker.
    page = opened(researcher, "&channel=41")
    absent_worker()
    page.get_by_role("button", name="Horizontal edge").click()
    expect(page.locator("[data-laboratory-waiting]")).to_contain_text("away", timeout=60_000)
    says(page, AS_TRAINED)
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
    says(page, AS_TRAINED)
    link = page.get_by_role("link", name="Open the full page")
    expect(link).to_have_attribute("href", re.compile(r"/learn/laboratory/surgery/\?.*edits=block1\.conv1"))


def test_without_javascript_a_form_asks_and_shows_before_and_after(researcher: Visitor) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.goto(PATH)
    expect(page.locator("p:has-text('as trained, in float32:') + *")).to_contain_text(
        re.compile(r"apple \d+\.\d%")
    )
    page.get_by_label("Weights to put in its place").fill("0 0 0 0 40 0 0 0 0")
    page.get_by_label("Channels to mute").fill("3, 347")
    page.get_by_role("button", name="Ask the changed network").click()
    expect(page.get_by_text("Block 1, convolution 1, from channel 0 to channel 0: 0.00 0.00")).to_be_visible()
    expect(page.get_by_text("Block 4, ReLU 2: channels 3, 347 muted")).to_be_visible()
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
    expect(page.get_by_text("Block 1, convolution 1, from channel 0 to channel 0:")).to_have_count(0)


def _answered(page: Page) -> bool:
    again = page.get_by_role("link", name="Look again")
    if again.count():
        again.click()
    return page.get_by_role("columnheader", name="Changed").count() > 0
