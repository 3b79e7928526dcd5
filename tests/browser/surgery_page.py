"""What tests of the surgery's page share: opening it, reading it, and what float64 says of a change."""

from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from ml import artifact
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
