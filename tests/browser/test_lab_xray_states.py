"""What leads from the X-ray elsewhere, and its other states: without bars, waiting, failed, asked for what is not."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Route, expect

from tests.browser.conftest import Visitor
from tests.browser.laboratory_page import SOON
from tests.browser.xray_page import PATH, READY, opened, twin


def test_a_number_leads_to_its_arithmetic_and_to_surgery(researcher: Visitor) -> None:
    page = opened(researcher, "&network=vgg&layer=block2%2Fconv1&channel=17&y=3&x=5", width=1280)
    link = page.get_by_role("link", name="Where this number comes from")
    expect(link).to_be_visible(timeout=SOON)
    there = urlsplit(link.get_attribute("href") or "")
    assert there.path == "/learn/laboratory/arithmetic/"
    asked = {key: values[0] for key, values in parse_qs(there.query).items()}
    wanted = {
        "on": "sample:apple",
        "network": "vgg",
        "layer": "block2/conv1",
        "channel": "17",
        "y": "3",
        "x": "5",
    }
    assert asked.items() >= wanted.items()
    mute = page.get_by_role("link", name="What the network says without this channel")
    asked = {
        key: values[0] for key, values in parse_qs(urlsplit(mute.get_attribute("href") or "").query).items()
    }
    assert asked["mutes"] == "block2.relu1:17"


def test_what_the_address_has_wrong_is_said_once_and_the_nearest_shown(researcher: Visitor) -> None:
    page = opened(researcher, "&network=vgg&layer=block1%2Fconv1&channel=64", width=1280)
    expect(page.locator("[data-laboratory-corrections] p")).to_have_text(
        ["There is no channel “64” in this layer. The nearest one is shown."]
    )
    expect(twin(page, "channel")).to_contain_text("channel 63: 32 by 32", timeout=SOON)


def test_without_bars_only_the_one_run_is_shown(researcher: Visitor) -> None:
    page = opened(researcher, "&bars=%5B%5D&show=difference", width=1280)
    expect(page.get_by_role("radio", name="with bars")).to_be_disabled()
    expect(page.get_by_role("radio", name="difference")).to_be_disabled()
    expect(
        page.get_by_text("There are no bars on this picture, so there is only one run to show.")
    ).to_be_visible()
    expect(page.locator(".xray-network .xray-row")).to_have_count(21, timeout=60_000)
    expect(page.locator(".xray-change")).to_have_count(0)
    expect(twin(page, "overview")).to_contain_text("VGG: 6 blocks, from the picture to 100 numbers.")


def test_what_fails_says_why_and_can_be_tried_again(researcher: Visitor) -> None:
    researcher.expect("503")
    page = researcher.open(login=False, width=1280)

    def refuse(route: Route) -> None:
        body = {"error": {"code": "busy", "message": "The laboratory is being repaired."}}
        route.fulfill(status=503, json=body)

    page.route("**/explanations/", refuse)
    page.goto(PATH)
    network = page.get_by_role("region", name="VGG")
    expect(network.get_by_role("alert")).to_contain_text("The laboratory is being repaired.")
    page.unroute("**/explanations/")
    network.get_by_role("button", name="Try again").click()
    expect(network.locator(".xray-row")).to_have_count(6, timeout=SOON)


def test_what_waits_says_so_and_the_rest_can_be_used(researcher: Visitor) -> None:
    page = researcher.open(login=False, width=1280)
    sentence = "The laboratory's worker is away at the moment."

    def away(route: Route) -> None:
        if 'name="network"\r\n\r\nwideresnet' not in (route.request.post_data or ""):
            route.fallback()
            return
        answer = {"id": "0", "status": "queued", "says": sentence, "worker": False}
        route.fulfill(status=202, json=answer)

    page.route("**/explanations/", away)
    page.route(
        "**/explanations/0/",
        lambda route: route.fulfill(json={"id": "0", "status": "queued", "says": sentence}),
    )
    page.goto(PATH)
    wide = page.get_by_role("region", name="Wide ResNet")
    expect(wide.get_by_role("status")).to_have_text(sentence, timeout=SOON)
    expect(page.locator(READY)).to_have_count(1)
    expect(page.get_by_role("region", name="VGG").locator(".xray-row")).to_have_count(6, timeout=SOON)
