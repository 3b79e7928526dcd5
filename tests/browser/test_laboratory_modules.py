"""The modules that all figures of the laboratory have in common, each run in a page."""

from __future__ import annotations

import hashlib
import io
import json
import re
import urllib.request

import numpy as np
import pytest
from playwright.sync_api import expect

from ml.explain import sheets
from ml.explain.structure import structure
from ml.explain.trace import Trace, value
from tests import services
from tests.browser.conftest import Visitor, frozen_worker
from tests.browser.laboratory_page import MODULES, on_module, open_figure

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
    researcher: Visitor, laboratory: services.LiveStack, network: str
) -> None:
    page = open_figure(researcher, "arithmetic")
    found = on_module(page, "tensors", DIGESTS, network)

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


def test_kernels_and_the_last_layer_in_the_browser(researcher: Visitor) -> None:
    page = open_figure(researcher, "arithmetic")
    body = """
      const kernel = await module.kernel("wideresnet", "group2/block1/conv1", 3);
      const last = await module.dense("vgg");
      const { at } = module;
      const bias = at(last, 7, last.shape[1] - 1);
      return [kernel.shape, at(kernel, 2, 1, 0), last.shape, bias, at(kernel, 160, 0, 0) ?? null];
    """
    shape, weight, last, bias, outside = on_module(page, "tensors", body)
    expected = structure("wideresnet").kernel("group2/block1/conv1", 3)
    assert shape == list(expected.shape)
    assert weight == float(expected[2, 1, 0])
    matrix, biases = structure("vgg").dense()
    assert last == [matrix.shape[0], matrix.shape[1] + 1]
    assert bias == float(biases[7])
    assert outside is None


def test_a_file_that_is_gone_is_a_sentence(researcher: Visitor) -> None:
    researcher.expect("404")
    page = open_figure(researcher, "arithmetic")
    body = (
        "return module.kernel('vgg', 'block9/conv9', 0).catch((problem) => [problem.name, problem.message]);"
    )
    assert on_module(page, "tensors", body) == [
        "Error",
        "There is no layer of this name and kind in the network.",
    ]


def test_the_same_question_is_asked_once_and_what_nobody_waits_for_is_given_up(researcher: Visitor) -> None:
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
    assert on_module(page, "jobs", body) == [True, True, "aborted"]
    # The figure itself may have asked for the X-ray before.
    assert len(posted) <= 2


def test_a_question_that_cannot_be_asked_is_a_sentence(researcher: Visitor) -> None:
    researcher.expect("422")
    page = open_figure(researcher)
    body = "return module.explain('astrology', 'vgg').catch((problem) => [problem.status, problem.message]);"
    assert on_module(page, "jobs", body) == [422, "The laboratory computes nothing called “astrology”."]


def test_while_the_worker_is_away_it_is_said_and_afterwards_the_answer_comes(
    researcher: Visitor, laboratory: services.LiveStack
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
        on_module(page, "jobs", body)
        assert "worker is away" in page.evaluate("window.heard[0]")
    assert page.evaluate("window.found.then((one) => one.files.length > 0 || one.result !== null)")
    assert page.evaluate("window.heard.at(-1)") == ""


def test_the_state_of_the_address(researcher: Visitor) -> None:
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
    first, heard, last, search = on_module(page, "address", body)
    assert first == {"channel": 63, "deep": True, "layer": "first"}
    assert heard == [[7, ["channel"]], [63, ["channel"]], [63, ["deep"]]]
    assert last == {"channel": 63, "deep": False, "layer": "first"}
    assert search == "?on=sample%3Aapple&channel=63&foreign=7"
    page.wait_for_url(re.compile(r"\?on=sample%3Aapple&channel=63&foreign=7$"))


def test_what_the_address_asks_for_in_vain_is_said(researcher: Visitor) -> None:
    page = open_figure(researcher)
    on_module(page, "address", "module.correct('There is no layer “x”; the first one is shown.');")
    expect(page.locator("[data-laboratory-corrections]")).to_contain_text("There is no layer “x”")


def test_a_twin_speaks_at_most_twice_a_second_and_says_the_last_thing(researcher: Visitor) -> None:
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
    assert on_module(page, "twin", body) == "polite"
    expect(page.locator("#twin")).to_have_text("number 49")
    (first, begun), (last, ended) = page.evaluate("window.spoken")
    assert (first, last) == ("number 0", "number 49")
    assert ended - begun >= 490


def test_the_colours_are_those_of_the_sheets(researcher: Visitor) -> None:
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
    table, ends, weights, greys, painted, inks = on_module(page, "colours", body)
    assert table == sheets.palette()[: 2 * sheets.LEVELS + 1].tolist()
    assert ends == [[103, 0, 31], [255, 255, 255], table[191], [255, 255, 255]]
    assert weights == [[84, 48, 5], [0, 60, 48]]
    assert greys == [[0, 0, 0], [255, 255, 255]]
    assert painted == [103, 0, 31, 255, 255, 255, 255, 255, *table[191], 255, 128, 128, 128, 255]
    assert inks == ["#ffffff", "#000000"]


def test_a_scale_is_written_out(researcher: Visitor) -> None:
    page = open_figure(researcher, "arithmetic")
    body = """
      const element = document.createElement("div");
      module.legend(element, 1.5, module.signed, { title: "Activation", digits: 2 });
      return [element.getAttribute("aria-label"), element.innerText || element.textContent];
    """
    label, text = on_module(page, "colours", body)
    assert label == "Activation: from −1.50 through 0.00 to 1.50"
    for part in ("Activation", "−1.50", "0.00", "1.50"):
        assert part in text


def test_numbers_are_written_as_people_do(researcher: Visitor) -> None:
    page = open_figure(researcher)
    body = """
      const { number, signed, whole } = module;
      return [number(-0.5, 2), number(0, 2), number(-0, 2), number(1e-7, 3), number(-1e-7, 3), number(2.5e12, 1),
        number(NaN), number(-Infinity), signed(0.25, 2), signed(-0.25, 2), signed(0, 2), whole(-1234567)];
    """
    assert on_module(page, "numbers", body) == [
        "−0.50", "0.00", "0.00", "1.0 × 10⁻⁷", "−1.0 × 10⁻⁷", "2.5 × 10¹²",
        "–", "−∞", "+0.25", "−0.25", "0.00", "−1,234,567",
    ]  # fmt: skip
