"""What tests of the X-ray's page share: opening it, and reading its text twin and its address."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor
from tests.browser.laboratory_page import SOON

PATH = "/learn/laboratory/xray/?on=sample:apple"
READY = "html[data-laboratory-ready]"
NUMBER = r"−?\d+(?:\.\d+)?"


def opened(visitor: Visitor, extra: str = "", **options: Any) -> Page:
    page = visitor.open(login=False, **options)
    page.goto(PATH + extra)
    expect(page.locator(READY)).to_have_count(1, timeout=SOON)
    return page


def value(text: str) -> float:
    return float(text.replace("−", "-"))


def twin(page: Page, level: str) -> Locator:
    return page.locator(f"[data-twin={level}]")


def said(page: Page, level: str, pattern: str) -> tuple[float, ...]:
    """The numbers in the text twin, once it says what is looked for."""
    element = twin(page, level)
    expect(element).to_have_text(re.compile(pattern, re.S), timeout=SOON)
    found = re.search(pattern, element.inner_text(), re.S)
    assert found
    return tuple(value(one) for one in found.groups())


def address(page: Page, **wanted: str) -> None:
    for key, text in wanted.items():
        expect(page).to_have_url(re.compile(rf"[?&]{key}={re.escape(text)}(&|$)"))


def cell_at(map_: Locator, y: int, x: int, rows: int, columns: int) -> dict[str, float]:
    map_.scroll_into_view_if_needed()
    box = map_.bounding_box()
    assert box
    return {"x": (x + 0.5) / columns * box["width"], "y": (y + 0.5) / rows * box["height"]}
