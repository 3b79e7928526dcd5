"""What all figures of the laboratory have in common: the page around them, their modules, and frames on other sites."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import json
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, Response, expect

from learn import laboratory as figures
from ml.explain import sheets
from ml.explain.structure import structure
from ml.explain.trace import Trace, value
from tests import services
from tests.browser.conftest import Visitor, frozen_worker

SLUGS = [figure.slug for figure in figures.every()]
ROOT = "/learn/laboratory/"
MOST_BYTES = 300_000
# Of a page of its own, without what is computed for the picture.
OF_THE_PAGE = ("document", "stylesheet", "script")
# A page's modules by their names in static/js: they have hashed names, and whatever a page loads it loads once.
MODULES = """(names) => Promise.all(names.map((name) => {
  const entries = performance.getEntriesByType("resource").map((entry) => entry.name);
  return import(entries.find((one) => new RegExp(`/${name}\\\\.[0-9a-f]+\\\\.js$`).test(one)));
}))"""


def wait_until_ready(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-laboratory-ready", "", timeout=30_000)


def open_figure(visitor: Visitor, slug: str = "belief", query: str = "", **options: Any) -> Page:
    page = visitor.open(login=False, **options)
    page.goto(f"{ROOT}{slug}/{query}")
    wait_until_ready(page)
    return page


@pytest.fixture
def modules() -> Callable[..., Any]:
    """`modules(page, "jobs", body, argument)`: runs JavaScript on a module of the laboratory in a page."""

    def run(page: Page, name: str, body: str, argument: Any = None) -> Any:
        names = [f"laboratory/{name}"] if name != "numbers" else [name]
        script = f"async ([names, argument]) => {{ const [module] = await ({MODULES})(names); {body} }}"
        return page.evaluate(script, [names, argument])

    return run


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
    page.locator(".lab-pictures summary").click()
    page.locator("[data-laboratory-still] > summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("slug", SLUGS)
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
    for way in [*ways, page.locator(".lab-subject a", has_text="Without bars")]:
        for part in state:
            expect(way).to_have_attribute("href", re.compile(part))
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


# --- the modules ---------------------------------------------------------------------------------------------

DIGESTS = """
  const network = argument;
  const { explain } = (await (MODULES)(["laboratory/jobs"]))[0];
  const structure = await module.network(network);
  const explanation = await explain("xray", network);
  const digests = {};
  for (const side of ["clean", "covered"]) {
    const activations = new module.Activations(network, explanation, side);
    for (const { name } of structure.layers) {
      const { data, shape } = await activations.value(name);
      const bytes = await crypto.subtle.digest("SHA-256", data.map((one) => one + 0));
      const hex = [...new Uint8Array(bytes)].map((one) => one.toString(16).padStart(2, "0")).join("");
      digests[`${side} ${name}`] = `${shape.join(" ")} ${hex}`;
    }
  }
  return { digests, base: explanation.url("") };
""".replace("MODULES", MODULES)


@pytest.mark.parametrize("network", ["vgg", "wideresnet"])
def test_every_layer_derived_in_the_browser_is_the_one_of_the_network(
    researcher: Visitor, laboratory: services.LiveStack, modules: Callable[..., Any], network: str
) -> None:
    page = open_figure(researcher, "arithmetic")
    found = modules(page, "tensors", DIGESTS, network)

    def member(name: str) -> bytes:
        with urllib.request.urlopen(f"{laboratory.url}{found['base']}{name}") as response:
            return bytes(response.read())

    of = structure(network)
    meta = json.loads(member("meta.json"))
    expected = {}
    for side in ("clean", "covered"):
        convolutions = {
            name: np.load(io.BytesIO(member(f"{side}/{name.replace('/', '.')}.npy")))
            for name in of.convolutions
        }
        pixels = np.zeros((of.card.size, of.card.size, 3), np.uint8)
        trace = Trace(pixels, convolutions, np.asarray(meta["logits"][side], np.float32))
        for layer in of.layers[1:]:
            numbers = np.ascontiguousarray(value(of, trace, layer.name) + np.float32(0))
            digest = hashlib.sha256(numbers.tobytes()).hexdigest()
            expected[f"{side} {layer.name}"] = f"{' '.join(map(str, numbers.shape))} {digest}"
    browser = {name: digest for name, digest in found["digests"].items() if not name.endswith(" pictures")}
    assert len(expected) == 2 * (len(of.layers) - 1)
    assert browser == expected


def test_kernels_and_the_last_layer_in_the_browser(researcher: Visitor, modules: Callable[..., Any]) -> None:
    page = open_figure(researcher, "arithmetic")
    body = """
      const kernel = await module.kernel("wideresnet", "group2/block1/conv1", 3);
      const last = await module.dense("vgg");
      const { at } = module;
      const bias = at(last, 7, last.shape[1] - 1);
      return [kernel.shape, at(kernel, 2, 1, 0), last.shape, bias, at(kernel, 160, 0, 0) ?? null];
    """
    shape, weight, last, bias, outside = modules(page, "tensors", body)
    expected = structure("wideresnet").kernel("group2/block1/conv1", 3)
    assert shape == list(expected.shape)
    assert weight == float(expected[2, 1, 0])
    matrix, biases = structure("vgg").dense()
    assert last == [matrix.shape[0], matrix.shape[1] + 1]
    assert bias == float(biases[7])
    assert outside is None


def test_a_file_that_is_gone_is_a_sentence(researcher: Visitor, modules: Callable[..., Any]) -> None:
    researcher.expect("404")
    page = open_figure(researcher, "arithmetic")
    body = (
        "return module.kernel('vgg', 'block9/conv9', 0).catch((problem) => [problem.name, problem.message]);"
    )
    assert modules(page, "tensors", body) == [
        "Error",
        "There is no layer of this name and kind in the network.",
    ]


def test_the_same_question_is_asked_once_and_what_nobody_waits_for_is_given_up(
    researcher: Visitor, modules: Callable[..., Any]
) -> None:
    page = open_figure(researcher)
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    body = """
      const both = await Promise.all([1, 2].map(() => module.explain("xray", "vgg", {})));
      const again = await module.explain("xray", { name: "vgg" });
      const ending = new AbortController();
      const parameters = { mutes: { "block1/relu1": [9] } };
      const given = module.explain("surgery", "vgg", parameters, { signal: ending.signal });
      ending.abort();
      return [both[0].id === both[1].id, both[0].id === again.id, await given.catch((problem) => problem.code)];
    """
    assert modules(page, "jobs", body) == [True, True, "aborted"]
    # The figure itself may have asked for the X-ray before.
    assert len(posted) <= 2


def test_a_question_that_cannot_be_asked_is_a_sentence(
    researcher: Visitor, modules: Callable[..., Any]
) -> None:
    researcher.expect("422")
    page = open_figure(researcher)
    body = "return module.explain('astrology', 'vgg').catch((problem) => [problem.status, problem.message]);"
    assert modules(page, "jobs", body) == [422, "The laboratory computes nothing called “astrology”."]


def test_while_the_worker_is_away_it_is_said_and_afterwards_the_answer_comes(
    researcher: Visitor, laboratory: services.LiveStack, modules: Callable[..., Any]
) -> None:
    page = open_figure(researcher)
    with frozen_worker(laboratory):
        laboratory.python("from predictions.models import Heartbeat; Heartbeat.objects.all().delete()")
        body = """
          window.heard = [];
          return new Promise((done) => {
            const onWait = (one) => done(window.heard.push(one));
            const mutes = { "block1/relu1": [17] };
            window.found = module.explain("surgery", "vgg", { mutes }, { onWait });
          });
        """
        modules(page, "jobs", body)
        assert "worker is away" in page.evaluate("window.heard[0]")
    assert page.evaluate("window.found.then((one) => one.files.length > 0 || one.result !== null)")
    assert page.evaluate("window.heard.at(-1)") == ""


def test_the_state_of_the_address(researcher: Visitor, modules: Callable[..., Any]) -> None:
    page = open_figure(researcher, "belief", "?on=sample:apple&channel=900&deep=1&foreign=7")
    body = """
      const validate = ({ channel }, say) => {
        if (channel < 64) return {};
        say(`There is no channel ${channel}.`);
        return { channel: 63 };
      };
      const state = module.state({ channel: 5, deep: false, layer: "first" }, validate);
      const heard = [];
      state.onChange((values, changed) => heard.push([values.channel, [...changed]]));
      const first = state.get();
      state.set({ channel: 7, unknown: 1 });
      state.set({ channel: 7 });
      state.set({ channel: 99 });
      state.set({ deep: false });
      return [first, heard, state.get(), new URL(module.address()).search];
    """
    first, heard, last, search = modules(page, "address", body)
    assert first == {"channel": 63, "deep": True, "layer": "first"}
    assert heard == [[7, ["channel"]], [63, ["channel"]], [63, ["deep"]]]
    assert last == {"channel": 63, "deep": False, "layer": "first"}
    assert search == "?on=sample%3Aapple&channel=63&foreign=7"
    page.wait_for_url(re.compile(r"\?on=sample%3Aapple&channel=63&foreign=7$"))


def test_what_the_address_asks_for_in_vain_is_said(researcher: Visitor, modules: Callable[..., Any]) -> None:
    page = open_figure(researcher)
    modules(page, "address", "module.correct('There is no layer “x”; the first one is shown.');")
    expect(page.locator("[data-laboratory-corrections]")).to_contain_text("There is no layer “x”")


def test_a_twin_speaks_at_most_twice_a_second_and_says_the_last_thing(
    researcher: Visitor, modules: Callable[..., Any]
) -> None:
    page = open_figure(researcher)
    body = """
      const element = document.createElement("p");
      document.body.append(element);
      window.spoken = [];
      new MutationObserver(() => window.spoken.push([element.textContent, performance.now()])).observe(
        element, { childList: true, characterData: true, subtree: true });
      const { say } = module.twin(element);
      for (let i = 0; i < 50; i += 1) say(`number ${i}`);
      element.id = "twin";
      return element.getAttribute("aria-live");
    """
    assert modules(page, "twin", body) == "polite"
    expect(page.locator("#twin")).to_have_text("number 49")
    (first, begun), (last, ended) = page.evaluate("window.spoken")
    assert (first, last) == ("number 0", "number 49")
    assert ended - begun >= 490


def test_the_colours_are_those_of_the_sheets(researcher: Visitor, modules: Callable[..., Any]) -> None:
    page = open_figure(researcher, "arithmetic")
    body = """
      const { signed, weight, grey, inkOn } = module;
      const canvas = document.createElement("canvas");
      module.paint(canvas, { data: Float32Array.of(-2, 0, 1, NaN), width: 2, height: 2 }, 2, signed);
      const painted = [...canvas.getContext("2d").getImageData(0, 0, 2, 2).data];
      const ends = [signed(-9, 1), signed(0, 1), signed(0.5, 1), signed(3, 0)];
      const others = [[weight(-1, 1), weight(1, 1)], [grey(0, 255), grey(255, 255)]];
      return [signed.table, ends, ...others, painted, [inkOn([5, 48, 97]), inkOn([255, 255, 255])]];
    """
    table, ends, weights, greys, painted, inks = modules(page, "colours", body)
    assert table == sheets.palette()[: 2 * sheets.LEVELS + 1].tolist()
    assert ends == [[103, 0, 31], [255, 255, 255], table[191], [255, 255, 255]]
    assert weights == [[84, 48, 5], [0, 60, 48]]
    assert greys == [[0, 0, 0], [255, 255, 255]]
    assert painted == [103, 0, 31, 255, 255, 255, 255, 255, *table[191], 255, 128, 128, 128, 255]
    assert inks == ["#ffffff", "#000000"]


def test_a_scale_is_written_out(researcher: Visitor, modules: Callable[..., Any]) -> None:
    page = open_figure(researcher, "arithmetic")
    body = """
      const element = document.createElement("div");
      module.legend(element, 1.5, module.signed, { title: "Activation", digits: 2 });
      return [element.getAttribute("aria-label"), element.innerText || element.textContent];
    """
    label, text = modules(page, "colours", body)
    assert label == "Activation: from −1.50 through 0.00 to 1.50"
    for part in ("Activation", "−1.50", "0.00", "1.50"):
        assert part in text


def test_numbers_are_written_as_people_do(researcher: Visitor, modules: Callable[..., Any]) -> None:
    page = open_figure(researcher)
    body = """
      const { number, signed, whole } = module;
      return [number(-0.5, 2), number(0, 2), number(-0, 2), number(1e-7, 3), number(-1e-7, 3), number(2.5e12, 1),
        number(NaN), number(-Infinity), signed(0.25, 2), signed(-0.25, 2), signed(0, 2), whole(-1234567)];
    """
    assert modules(page, "numbers", body) == [
        "−0.50", "0.00", "0.00", "1.0 × 10⁻⁷", "−1.0 × 10⁻⁷", "2.5 × 10¹²",
        "–", "−∞", "+0.25", "−0.25", "0.00", "−1,234,567",
    ]  # fmt: skip


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


def test_a_frame_asks_for_nothing_to_be_computed_and_says_where_it_can_be(
    researcher: Visitor, modules: Callable[..., Any]
) -> None:
    researcher.expect("404")
    page = open_figure(researcher, "belief/embed", "?network=wideresnet")
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    asked = "module.explain('surgery', 'vgg', { mutes: { 'block1/relu1': [23] } })"
    assert modules(page, "jobs", f"return {asked}.catch(({{ code }}) => code);") == "not_stored"
    assert posted == []
    shown = f"""
      const [jobs] = await ({MODULES})(["laboratory/jobs"]);
      module.trouble(await {asked.replace("module", "jobs")}.catch((problem) => problem));
    """
    modules(page, "frame", shown)
    link = page.locator("[data-laboratory-trouble] a")
    expect(link).to_have_attribute("href", re.compile(rf"{ROOT}belief/\?.*network=wideresnet"))
    expect(link).to_have_attribute("target", "_blank")
