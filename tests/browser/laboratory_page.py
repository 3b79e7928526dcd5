"""What tests of all figures of the laboratory share: opening a figure, and running JavaScript on its modules."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visitor

ROOT = "/learn/laboratory/"
# What a figure may take here, in milliseconds. One worker computes them in turn, and beside other tests a single
# answer may wait half a minute for the two tests of a Wide ResNet's map.
SOON = 150_000
# A page's modules by their names in static/js: they have hashed names, and whatever a page loads it loads once.
MODULES = """(names) => Promise.all(names.map((name) => {
  const entries = performance.getEntriesByType("resource").map((entry) => entry.name);
  return import(entries.find((one) => new RegExp(`/${name}\\\\.[0-9a-f]+\\\\.js$`).test(one)));
}))"""


def wait_until_ready(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-laboratory-ready", "", timeout=SOON)


def open_figure(visitor: Visitor, slug: str = "belief", query: str = "", **options: Any) -> Page:
    page = visitor.open(login=False, **options)
    page.goto(f"{ROOT}{slug}/{query}")
    wait_until_ready(page)
    return page


def on_module(page: Page, name: str, body: str, argument: Any = None) -> Any:
    """Runs JavaScript in the page, with ``module``, one of the laboratory's, and ``argument`` at hand."""
    names = [f"laboratory/{name}"] if name != "numbers" else [name]
    script = f"async ([names, argument]) => {{ const [module] = await ({MODULES})(names); {body} }}"
    return page.evaluate(script, [names, argument])


def canvas_pixels(canvas: Locator) -> NDArray[np.uint8]:
    """What is drawn on a canvas, (rows, columns, 3). Read from a copy: to read one that is drawn on often is slow, and
    the browser complains of it.
    """
    width, height, values = canvas.evaluate("""(canvas) => {
      const { width, height } = canvas;
      const copy = Object.assign(document.createElement("canvas"), { width, height });
      const pen = copy.getContext("2d", { willReadFrequently: true });
      pen.drawImage(canvas, 0, 0);
      return [width, height, [...pen.getImageData(0, 0, width, height).data]];
    }""")
    return np.array(values, np.uint8).reshape(height, width, 4)[..., :3]
