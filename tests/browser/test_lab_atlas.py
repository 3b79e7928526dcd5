"""What excites a channel, in the X-ray: patches of the sample pictures, by mouse and keyboard."""

from __future__ import annotations

import io
import json
import re
import urllib.request
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from tests import services
from tests.browser.conftest import Visitor
from tests.browser.laboratory_page import SOON
from tests.browser.xray_page import READY, address, cell_at, opened, twin

LAYER = "block1/relu2"
SIDE = 32
READS = 5
"""Pixels of the picture that a cell after two convolutions of three by three depends on, a side."""


@pytest.fixture
def places(laboratory: services.LiveStack) -> Callable[[int], list[tuple[str, int, int, float]]]:
    """`places(channel)`: titles of sample pictures, row, column and value, from the files that anybody can have."""
    with urllib.request.urlopen(f"{laboratory.url}/learn/laboratory/xray/?on=sample:apple") as answer:
        html = answer.read().decode()
    found = re.search(r'<script id="xray-atlas" type="application/json">(.*?)</script>', html, re.S)
    assert found
    known = json.loads(found[1])["vgg"]
    with urllib.request.urlopen(f"{laboratory.url}{known['base']}places/block1.relu2.npy") as answer:
        tensor = np.load(io.BytesIO(answer.read()))

    def of(channel: int) -> list[tuple[str, int, int, float]]:
        return [
            (known["samples"][int(sample)]["title"], int(y), int(x), float(value))
            for sample, y, x, value in tensor[channel]
            if value > 0
        ]

    return of


def written(places: list[tuple[str, int, int, float]]) -> list[str]:
    return [f"{title}, {value:.2f}" for title, *_, value in places]


def reads(y: int, x: int) -> str:
    """What part of the picture a cell of the layer depends on: top, left, bottom, right without what lies outside."""
    ends = [max(0, y - READS // 2), max(0, x - READS // 2)]
    return " ".join(map(str, [ends[1], ends[0], min(SIDE, x + 3), min(SIDE, y + 3)]))


def beside(page: Page, channel: int) -> list[str | None]:
    item = page.locator(".xray-found").first.locator("li", has_text=re.compile(rf"channel {channel}\b"))
    return [one.get_attribute("aria-label") for one in item.locator("canvas[role=img]").all()]


@pytest.mark.parametrize("width", [360, 1280])
def test_who_answers_at_a_place_is_shown_with_what_excites_it(
    researcher: Visitor, places: Callable[[int], list[tuple[str, int, int, float]]], width: int
) -> None:
    page = opened(researcher, "&network=vgg&layer=block1%2Fconv2", width=width)
    picture = page.get_by_role("application", name=re.compile("The picture as the network saw it"))
    expect(picture).to_be_visible(timeout=SOON)
    picture.hover(position=cell_at(picture, 16, 20, SIDE, SIDE))
    found = page.locator(".xray-found").first
    expect(found.locator("canvas[data-drawn]").first).to_be_visible(timeout=SOON)
    channels = [int(link.inner_text().split()[1]) for link in found.locator("a").all()]
    assert len(channels) == 8
    for channel in channels:
        assert beside(page, channel) == written(places(channel))
    first = places(channels[0])
    drawn = found.locator("li").first.locator("canvas[data-drawn]")
    expect(drawn).to_have_count(len(first), timeout=SOON)
    assert [one.get_attribute("data-drawn") for one in drawn.all()] == [reads(y, x) for _, y, x, _ in first]
    expect(page.get_by_text(re.compile("excite a channel most, after block 1, ReLU 2"))).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_channels_patches_are_said_and_lead_to_their_pictures_by_keyboard(
    researcher: Visitor, places: Callable[[int], list[tuple[str, int, int, float]]]
) -> None:
    channel = next(channel for channel in range(64) if len(places(channel)) == 3)
    page = opened(researcher, f"&network=vgg&layer=block1%2Frelu2&channel={channel}", width=1280)
    best = places(channel)
    said = f"Of the sample pictures these excite it most: {'; '.join(written(best))}."
    expect(twin(page, "channel")).to_contain_text(said, timeout=SOON)
    links = page.locator(".xray-excites a")
    assert links.all_inner_texts() == written(best)
    # What is drawn is the picture itself: not one colour.
    expect(links.first.locator("canvas[data-drawn]")).to_be_visible(timeout=SOON)
    colours = links.first.locator("canvas").evaluate(
        "(canvas) => new Set(new Uint32Array("
        "canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size"
    )
    assert colours > 20
    links.first.focus()
    page.keyboard.press("Enter")
    address(page, layer="block1%2Frelu2", channel=str(channel), y=str(best[0][1]), x=str(best[0][2]))
    expect(page.locator("#figure")).to_be_visible()


def test_the_words_of_the_text_choose_a_place(researcher: Visitor) -> None:
    page = opened(researcher, "&network=vgg", width=1280)
    page.get_by_role("link", name="at the same place at the end").click()
    address(page, layer="block4%2Frelu2", y="2", x="2")
    found = page.locator(".xray-found").first
    expect(found.locator("canvas[role=img][data-drawn]").first).to_be_visible(timeout=SOON)
    expect(page.get_by_role("heading", name="VGG, block 4, ReLU 2", exact=True)).to_be_focused()


def test_a_layer_without_patches_says_why(researcher: Visitor) -> None:
    page = opened(researcher, "&network=wideresnet&layer=group1%2Fblock1%2Fconv2&channel=3", width=1280)
    expect(page.get_by_text("What excites a channel most is known of ReLUs and additions")).to_be_visible(
        timeout=SOON
    )


def test_a_frame_on_another_site_shows_the_patches_and_no_way_to_pictures_that_it_has_not(
    researcher: Visitor, laboratory: services.LiveStack
) -> None:
    page = researcher.open(login=False, width=1280)
    page.goto("/learn/laboratory/xray/embed/?on=sample:apple&network=vgg&layer=block1%2Frelu2&channel=3")
    expect(page.locator(READY)).to_have_count(1, timeout=SOON)
    expect(page.locator(".xray-excites canvas[role=img][data-drawn]").first).to_be_visible(timeout=SOON)
    expect(page.locator(".xray-excites a")).to_have_count(0)


def test_before_an_atlas_is_made_one_sentence_says_so(researcher: Visitor) -> None:
    page = researcher.open(login=False, width=1280)

    def without(route: Route) -> None:
        answer = route.fetch()
        html = re.sub(r'(<script id="xray-atlas"[^>]*>).*?(</script>)', r"\1{}\2", answer.text(), flags=re.S)
        route.fulfill(response=answer, body=html)

    page.route("**/learn/laboratory/xray/?**", without)
    page.goto("/learn/laboratory/xray/?on=sample:apple&network=vgg&layer=block1%2Frelu2&channel=3")
    expect(page.get_by_text("What excites the channels most was not looked for yet.")).to_be_visible(
        timeout=SOON
    )
