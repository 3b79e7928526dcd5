"""README's picture of the site comes from here: `UPDATE_SCREENSHOT=1 pytest tests/browser/test_screenshot.py`."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests import pictures, services
from tests.browser.conftest import Visitor, choose, send, upload

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ("apple", "clock", "orange", "mountain")


def sample() -> tuple[str, bytes]:
    """One of the project's own pictures, or a drawn one where they have not been rendered."""
    found = sorted((ROOT / "static" / "samples").glob("*.jpg"))
    chosen = next((path for name in SAMPLES for path in found if path.stem.startswith(name)), None)
    chosen = chosen or next(iter(found), None)
    return (chosen.name, chosen.read_bytes()) if chosen else ("ball.jpg", pictures.jpeg(1200, 800))


def test_the_shipped_networks_answer_on_one_screen(chromium: Browser, tmp_path: Path) -> None:
    target = (
        ROOT / "docs/images/screenshot.png"
        if os.environ.get("UPDATE_SCREENSHOT")
        else tmp_path / "screenshot.png"
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    with services.running_stack() as stack:
        visitor = Visitor(chromium, stack.url)
        page = visitor.open(width=1280, height=1100, device_scale_factor=1.5, color_scheme="light")
        page.goto("/predict/")
        choose(page, upload(*sample()))
        page.click("[data-add-bar]")
        for _ in range(6):
            page.keyboard.press("ArrowUp")
        send(page)
        results = page.locator("[data-results]")
        expect(results.locator(".answer-list li")).to_have_count(10 * results.locator("article").count())
        page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.screenshot(path=target, full_page=True)
        visitor.close()
    assert target.stat().st_size > 20_000
