"""The laboratory's pages in Chromium: what a first visit fetches, when a figure can be used, frames during a drag.

Every visit has a browser context of its own, so nothing is in a cache; the site runs on the same machine, so there is
no network in between. A figure can be used from its `performance.mark("laboratory-ready")` on (frame.js). Frames are
those of the compositor's own reports in the browser's trace. Chromium has no GPU here: the processor draws all.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.workshop import quantile

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]
SAMPLE = "apple"
FIGURES = ("xray", "arithmetic", "surgery", "belief", "looked", "dose")
READY = "laboratory-ready"
CELL = "arithmetic-cell"
VISITS = 7
SECONDS = 3.0
# A mouse says where it is this often; as many of its messages may be under way before one is left out.
MOVES_PER_SECOND = 125
UNDER_WAY = 4
# Seconds in which the pointer crosses the figure once.
CROSSING = 0.7
# What is fetched before any of the student's own data.
OWN = ("Document", "Stylesheet", "Script", "Font")
TRACED = ["cc", "benchmark", "devtools.timeline", "disabled-by-default-devtools.timeline.frame"]
# How a frame ended, the best first.
STATES = WHOLE, PARTLY, DROPPED, IDLE = (
    "STATE_PRESENTED_ALL",
    "STATE_PRESENTED_PARTIAL",
    "STATE_DROPPED",
    "STATE_NO_UPDATE_DESIRED",
)
AT_ONCE_MICROSECONDS = 1000
# Measures are kept although the page clears them.
KEEP_MEASURES = """
window.kept = [];
new PerformanceObserver((list) => {
  for (const { name, duration } of list.getEntries()) window.kept.push([name, duration]);
}).observe({ type: "measure" });
"""


@dataclass(frozen=True)
class Drag:
    """A pointer that goes to and fro over ``element`` of a figure. ``beyond``: pixels that it goes beyond the sides."""

    figure: str
    what: str
    query: str
    element: str
    pressed: bool = True
    downwards: bool = False
    beyond: int = 0


DRAGS = (
    Drag(
        "xray",
        "from cell to cell of a channel, 32 x 32",
        "network=vgg&layer=block1/conv2&channel=3",
        "[data-view=clean] .xray-map-stage",
        pressed=False,
        downwards=True,
    ),
    Drag(
        "xray",
        "from map to map of a layer, 512 maps",
        "network=vgg&layer=block4/conv2",
        ".xray-grid",
        pressed=False,
        downwards=True,
    ),
    Drag(
        "arithmetic",
        "from cell to cell, 64 input channels, 32 x 32",
        "network=vgg&layer=block1/conv2&channel=5",
        "canvas[data-output]",
        pressed=False,
        downwards=True,
    ),
    Drag(
        "arithmetic",
        "from cell to cell, 512 input channels, 4 x 4",
        "network=vgg&layer=block4/conv2&channel=5",
        "canvas[data-output]",
        pressed=False,
        downwards=True,
    ),
    Drag(
        "arithmetic",
        "from cell to cell, Wide ResNet's last convolution",
        "network=wideresnet&layer=group3/block4/conv2&channel=5",
        "canvas[data-output]",
        pressed=False,
        downwards=True,
    ),
    Drag(
        "surgery",
        "a number of a kernel",
        "network=vgg&layer=block1/conv2",
        "[data-cells] input >> nth=4",
        beyond=150,
    ),
    Drag("belief", "the temperature", "network=vgg", "[data-slider]"),
    Drag("looked", "the opacity", "", "[data-opacity]"),
    Drag("looked", "from square to square", "", "[data-panel=wideresnet] [data-heat]", False, True),
    Drag("dose", "the share that is covered", "", "[data-chart]"),
)


def address(figure: str, query: str = "") -> str:
    return f"/learn/laboratory/{figure}/?on=sample:{SAMPLE}" + (f"&{query}" if query else "")


# --- one visit ---------------------------------------------------------------------------------------------


@asynccontextmanager
async def visited(browser: Browser, base: str) -> AsyncIterator[Page]:
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, base_url=base)
    context.set_default_timeout(60_000)
    await context.add_init_script(KEEP_MEASURES)
    try:
        yield await context.new_page()
    finally:
        await context.close()


async def opened(page: Page, where: str) -> float:
    """Milliseconds from the navigation's start to the figure's own word that it can be used."""
    await page.goto(where, wait_until="commit")
    await page.wait_for_selector("html[data-laboratory-ready]", state="attached")
    return float(await page.evaluate("(name) => performance.getEntriesByName(name)[0].startTime", READY))


async def first_visit(browser: Browser, base: str, figure: str) -> dict[str, float]:
    """How long, and the bytes on the wire with their headers: of the page itself, and of all for its first view."""
    async with visited(browser, base) as page:
        session = await page.context.new_cdp_session(page)
        kinds: dict[str, str] = {}
        sizes: dict[str, float] = {}
        session.on("Network.responseReceived", lambda one: kinds.update({one["requestId"]: one["type"]}))
        session.on(
            "Network.loadingFinished", lambda one: sizes.update({one["requestId"]: one["encodedDataLength"]})
        )
        await session.send("Network.enable")
        took = await opened(page, address(figure))
        await page.wait_for_load_state("networkidle")
        # Only a server in front of the site compresses what it renders; its own files it compresses beforehand.
        html = await (await page.request.get(address(figure))).body()
    by_kind: Counter[str] = Counter()
    for request, size in sizes.items():
        by_kind[kinds.get(request, "Other")] += int(size)
    own = sum(by_kind[kind] for kind in OWN)
    return {
        "ready_ms": took,
        "own_kb": own / 1000,
        "own_compressed_kb": (own - len(html) + len(gzip.compress(html, 6))) / 1000,
        "all_kb": sum(sizes.values()) / 1000,
    }


async def first_visits(browser: Browser, base: str, figure: str) -> dict[str, Any]:
    # One before them: the site's process reads templates and layers once.
    await first_visit(browser, base, figure)
    visits = [await first_visit(browser, base, figure) for _ in range(VISITS)]
    times = sorted(visit["ready_ms"] for visit in visits)
    sizes = {key: round(max(visit[key] for visit in visits), 1) for key in visits[0] if key.endswith("_kb")}
    return {
        "part": "visit",
        "figure": figure,
        **sizes,
        "ready_p50_ms": round(quantile(times, 0.5)),
        "ready_slowest_ms": round(times[-1]),
    }


# --- frames ------------------------------------------------------------------------------------------------


def frames(trace: list[dict[str, Any]]) -> dict[str, float]:
    """Frames that the page wanted during a trace: drawn, dropped, and the time from one on the screen to the next.

    A compositor reports every frame it could have drawn. Where nothing had changed none was wanted, and the interval
    over such a pause is no frame's fault. The renderer with most reports is the page's.
    """
    renderers = {
        event["pid"]
        for event in trace
        if event["name"] == "process_name" and event["args"].get("name") == "Renderer"
    }
    reports = [
        event
        for event in trace
        if event["name"] == "PipelineReporter" and (not renderers or event["pid"] in renderers)
    ]
    if not reports:
        raise RuntimeError("the browser's trace has no frames")
    page = Counter(event["pid"] for event in reports).most_common(1)[0][0]
    found = _reported([event for event in reports if event["pid"] == page])
    states = Counter(state for state, _shown in found)
    gaps, last = [], math.nan
    for state, shown in found:
        if state == IDLE:
            last = math.nan
        elif state != DROPPED:
            if not math.isnan(last):
                gaps.append((shown - last) / 1000)
            last = shown
    gaps.sort()
    drawn = states[WHOLE] + states[PARTLY]
    return {
        "drawn": drawn,
        "partly": states[PARTLY],
        "dropped": states[DROPPED],
        "dropped_share": round(states[DROPPED] / max(1, drawn + states[DROPPED]), 4),
        "interval_p50_ms": round(quantile(gaps, 0.5), 1) if gaps else 0.0,
        "interval_p95_ms": round(quantile(gaps, 0.95), 1) if gaps else 0.0,
    }


def _reported(events: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """The best state that each frame was reported with, and when that was: microseconds, in their order.

    A frame may be reported twice, once without what the page's own thread was late with; what that thread has ready
    for two frames is shown at one moment, which then is one frame.
    """
    under_way: dict[str, tuple[int, str]] = {}
    frames_seen: dict[int, tuple[str, float]] = {}
    for event in sorted(events, key=lambda event: event["ts"]):
        local = json.dumps(event.get("id2") or event.get("id"))
        if event["ph"] == "b":
            report = event["args"].get("frame_reporter") or event["args"].get("chrome_frame_reporter") or {}
            if report.get("state") in STATES:
                under_way[local] = (report["frame_sequence"], report["state"])
        elif event["ph"] == "e" and local in under_way:
            number, state = under_way.pop(local)
            best = frames_seen.get(number)
            if best is None or STATES.index(state) < STATES.index(best[0]):
                frames_seen[number] = (state, float(event["ts"]))
    found: list[tuple[str, float]] = []
    for state, ended in sorted(frames_seen.values(), key=lambda one: one[1]):
        together = found and ended - found[-1][1] < AT_ONCE_MICROSECONDS
        if together and {state, found[-1][0]} <= {WHOLE, PARTLY}:
            continue
        found.append((state, ended))
    return found


def places(box: dict[str, float], drag: Drag, seconds: float) -> tuple[float, float]:
    """Where the pointer is after ``seconds``: across at an even speed, and where it also goes down, slower."""

    def to_and_fro(turns: float) -> float:
        return abs((turns + 1) % 2 - 1)

    across = to_and_fro(seconds / CROSSING) if seconds > 0 else 0.0
    down = to_and_fro(seconds / CROSSING / 3.1) if drag.downwards else 0.5
    width = box["width"] + 2 * drag.beyond
    inset = 0.02
    x = box["x"] - drag.beyond + width * (inset + (1 - 2 * inset) * across)
    return x, box["y"] + box["height"] * (inset + (1 - 2 * inset) * down)


async def move_about(page: Page, box: dict[str, float], drag: Drag, seconds: float) -> int:
    """Moves as a mouse does, without waiting for what the page makes of it; returns how many moves it took."""
    under_way: set[asyncio.Task[None]] = set()
    begin = time.perf_counter()
    sent = 0
    while (since := time.perf_counter() - begin) < seconds:
        if len(under_way) < UNDER_WAY:
            task = asyncio.create_task(page.mouse.move(*places(box, drag, since)))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            sent += 1
        await asyncio.sleep(1 / MOVES_PER_SECOND)
    await asyncio.gather(*under_way)
    return sent


async def dragged(browser: Browser, base: str, drag: Drag) -> dict[str, Any]:
    async with visited(browser, base) as page:
        await opened(page, address(drag.figure, drag.query))
        await page.wait_for_load_state("networkidle")
        element = page.locator(drag.element).first
        # In the middle, so that a pointer that goes beyond its sides stays on the page.
        await element.evaluate("(element) => element.scrollIntoView({ block: 'center' })")
        box = await element.bounding_box()
        if box is None:
            raise RuntimeError(f"{drag.figure}: there is no {drag.element}")
        found = {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}
        if drag.pressed:
            await page.mouse.move(found["x"] + found["width"] / 2, found["y"] + found["height"] / 2)
            await page.mouse.down()
        # The first moves load what the figure keeps from then on.
        await move_about(page, found, drag, min(1.0, SECONDS))
        await page.evaluate("window.kept.length = 0")
        await browser.start_tracing(page=page, categories=TRACED)
        moves = await move_about(page, found, drag, SECONDS)
        trace = json.loads(await browser.stop_tracing())
        measures = await page.evaluate("window.kept")
        if drag.pressed:
            await page.mouse.up()
    cells = sorted(duration for name, duration in measures if name == CELL)
    row = {"part": "drag", "figure": drag.figure, "what": drag.what, "moves": moves}
    row |= frames(trace["traceEvents"] if isinstance(trace, dict) else trace)
    if cells:
        row |= {"cells": len(cells), "cell_p95_ms": round(quantile(cells, 0.95), 1)}
        row["cell_slowest_ms"] = round(cells[-1], 1)
    return row


async def in_chromium(base: str, chromium: str) -> list[dict[str, Any]]:
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        rows: list[dict[str, Any]] = [{"part": "browser", "version": browser.version}]
        rows += [await first_visits(browser, base, figure) for figure in FIGURES]
        rows += [await dragged(browser, base, drag) for drag in DRAGS]
        await browser.close()
    return rows


def measure() -> list[dict[str, Any]]:
    from tests.services import running_stack

    chromium = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if chromium is None:
        raise SystemExit("This part needs Chromium. Install it, or name the other parts.")
    with running_stack(workers=0, ready=False, LABORATORY_SAMPLES=SAMPLE) as stack:
        stack.manage("make_explanations", "--verbosity", "0")
        stack.start_worker("predictions")
        stack.start_lab()
        stack.wait_ready()
        return asyncio.run(in_chromium(stack.url, chromium))
