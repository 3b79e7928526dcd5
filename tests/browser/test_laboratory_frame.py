"""What all figures of the laboratory have in common: the page around them, and frames on other sites."""

from __future__ import annotations

import gzip
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Response, expect

from learn import laboratory as figures
from tests import services
from tests.browser.conftest import Visitor
from tests.browser.laboratory_page import MODULES, ROOT, on_module, open_figure, wait_until_ready

SLUGS = [figure.slug for figure in figures.every()]
PICTURED = [figure.slug for figure in figures.every() if figure.pictured]
BARRED = [figure.slug for figure in figures.every() if figure.pictured and figure.barred]
MOST_BYTES = 300_000
# Of a page of its own, without what is computed for the picture.
OF_THE_PAGE = ("document", "stylesheet", "script")


# --- the page ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", SLUGS)
def test_a_figure_is_at_most_300_kb_before_the_pictures_data(researcher: Visitor, slug: str) -> None:
    page = researcher.open(login=False)
    responses: list[Response] = []

    def answered(response: Response) -> None:
        responses.append(response)

    page.on("response", answered)
    page.goto(f"{ROOT}{slug}/")
    wait_until_ready(page)
    own = [one for one in responses if one.request.resource_type in OF_THE_PAGE]
    sizes = {one.url: len(gzip.compress(one.body(), 6)) for one in own}
    assert len(sizes) > 8
    assert sum(sizes.values()) <= MOST_BYTES, sizes


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_scrolls_sideways(researcher: Visitor, slug: str, width: int) -> None:
    page = open_figure(researcher, slug, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if slug in PICTURED:
        page.locator(".lab-pictures summary").click()
    page.locator("[data-laboratory-still] > summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("slug", PICTURED)
def test_another_network_is_in_the_address_and_in_the_ways_to_the_other_figures(
    researcher: Visitor, slug: str
) -> None:
    page = open_figure(researcher, slug, "?on=sample:apple&mark=kept")
    networks = page.locator("[data-pick=network]")
    state = ["mark=kept"]
    # Some figures show both networks side by side.
    if networks.count():
        networks.select_option("wideresnet")
        page.wait_for_url(re.compile("network=wideresnet"))
        state.append("network=wideresnet")
    ways = [page.locator(f'.lab-figures a[href^="{ROOT}{one}/"]') for one in SLUGS]
    without = page.locator(".lab-subject a", has_text="Without bars")
    for way in [*ways, *([without] if slug in BARRED else [])]:
        for part in state:
            expect(way).to_have_attribute("href", re.compile(part))
    if slug not in BARRED:
        expect(without).to_have_count(0)
        return
    page.click(".lab-subject a:text('Without bars')")
    page.wait_for_url(re.compile(r"bars=%5B%5D"))
    wait_until_ready(page)
    if networks.count():
        expect(networks).to_have_value("wideresnet")


@pytest.mark.parametrize("slug", SLUGS)
def test_without_scripts_the_still_pictures_and_texts_stand_there(researcher: Visitor, slug: str) -> None:
    page = researcher.open(login=False, java_script_enabled=False)
    page.goto(f"{ROOT}{slug}/?network=wideresnet")
    expect(page.locator("[data-laboratory-figure]")).to_be_hidden()
    still = page.locator(".lab-still-inside")
    expect(still).to_be_visible()
    assert len(still.inner_text()) > 80
    networks = page.locator("[data-pick=network]")
    if networks.count():
        networks.select_option("vgg")
        page.get_by_role("button", name="Show", exact=True).first.click()
        page.wait_for_url(re.compile("network=vgg"))


def test_the_keyboard_gets_to_the_figure_and_past_it(researcher: Visitor) -> None:
    page = open_figure(researcher)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the figure")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#figure")).to_be_focused()


def test_the_link_to_pass_on_holds_the_state(researcher: Visitor) -> None:
    page = open_figure(researcher)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.select_option("[data-pick=network]", "wideresnet")
    page.get_by_role("button", name="Copy the link").click()
    expect(page.locator("[data-laboratory-copied]")).to_contain_text("Copied")
    assert "network=wideresnet" in page.evaluate("navigator.clipboard.readText()")


def test_a_picture_that_is_not_there_offers_others(researcher: Visitor) -> None:
    researcher.expect("404")
    page = researcher.open(login=False)
    page.goto(f"{ROOT}belief/?on=sample:elephant&network=wideresnet")
    page.click(".lab-thumbnails a")
    wait_until_ready(page)
    expect(page.locator("[data-pick=network]")).to_have_value("wideresnet")


# --- in a frame on another site ------------------------------------------------------------------------------


@pytest.fixture
def other_site() -> Iterator[Callable[[str], str]]:
    """`other_site(html)`: the address of a page of another site."""
    pages: list[bytes] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/" else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages[-1] if self.path == "/" else b"")

        def log_message(self, *args: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", services.free_port()), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def show(html: str) -> str:
        pages.append(f"<!doctype html><title>Another site</title>{html}".encode())
        # Another name of this machine, so another site to the browser and not only another port.
        return f"http://localhost:{server.server_port}/"

    yield show
    server.shutdown()
    server.server_close()
    thread.join()


def from_another_site(visitor: Visitor, address: str) -> Page:
    page = visitor.open(login=False)
    page.on(
        "request", lambda request: visitor.foreign.remove(request.url) if request.url == address else None
    )
    page.goto(address)
    return page


@pytest.mark.parametrize("slug", SLUGS)
def test_a_figure_works_in_the_frame_that_its_page_hands_out(
    researcher: Visitor, other_site: Callable[[str], str], slug: str
) -> None:
    researcher.expect("404")  # what is not stored, and the other site's icon
    code = open_figure(researcher, slug).locator("[data-laboratory-frame-code]").text_content()
    assert code
    page = from_another_site(researcher, other_site(code))
    frame = page.frame_locator("iframe")
    expect(frame.locator("h1")).to_be_visible()
    expect(frame.locator("[data-laboratory-figure]")).not_to_have_attribute("aria-busy", "true")
    expect(frame.locator(".site-header")).to_have_count(0)
    assert page.context.cookies() == []


def test_no_other_page_can_be_framed(researcher: Visitor, other_site: Callable[[str], str]) -> None:
    researcher.expect("frame-ancestors", "X-Frame-Options", "404")
    framed = f'<iframe src="{researcher.base}{ROOT}belief/"></iframe>'
    page = from_another_site(researcher, other_site(framed))
    page.wait_for_load_state("networkidle")
    expect(page.frame_locator("iframe").locator(".site-header")).to_have_count(0)


def test_a_frame_asks_for_nothing_to_be_computed_and_says_where_it_can_be(researcher: Visitor) -> None:
    researcher.expect("404")
    page = open_figure(researcher, "belief/embed", "?network=wideresnet")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    asked = "module.explain('surgery', 'vgg', { mutes: { 'block1/relu1': [23] } })"
    assert on_module(page, "jobs", f"return {asked}.catch(({{ code }}) => code);") == "not_stored"
    assert posted == []
    shown = f"""
      const [jobs] = await ({MODULES})(["laboratory/jobs"]);
      module.trouble(await {asked.replace("module", "jobs")}.catch((problem) => problem));
    """
    on_module(page, "frame", shown)
    link = page.locator("[data-laboratory-trouble] a")
    expect(link).to_have_attribute("href", re.compile(rf"{ROOT}belief/\?.*network=wideresnet"))
    expect(link).to_have_attribute("target", "_blank")
