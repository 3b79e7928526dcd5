"""The tables of README.md about the laboratory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.markdown import table

Rows = list[dict[str, Any]]

TITLES = {
    "xray": "X-ray",
    "arithmetic": "Arithmetic",
    "surgery": "Surgery",
    "belief": "Softmax and belief",
    "looked": "Where it looked",
    "dose": "Dose and response",
}
AT_ONCE = {
    "prediction": "a prediction of both networks",
    "figure": "a figure, all of these",
    "again": "opened before: found and fetched",
    "xray": "X-ray, new",
    "occlusion": "occlusion, new",
    "dose": "dose and response, new",
    "surgery": "an edit in the surgery, new",
}
OWN_KB = 300
XRAY_KB = 2000
READY_MS = 1000
CELL_MS = 100
FRAME_MS = 1000 / 60


def of(rows: Rows, part: str) -> Rows:
    return [row for row in rows if row["part"] == part]


def _limit(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}"


def figures(rows: Rows, source: str) -> list[str]:
    """One student alone, many at once, and what all of it takes."""
    return [*_alone(of(rows, "alone"), source), *_at_once(of(rows, "at once"), source), *_kept(rows, source)]


def _alone(rows: Rows, source: str) -> list[str]:
    lines = []
    for row in rows:
        where = f" (longest: {row['slowest']})" if row.get("slowest") else ""
        lines.append(
            f"| {row['what']}{where} | {_limit(row['to_reach_s'], 's')} | {row['p50_s']:.2f} s | {row['p95_s']:.2f} s "
            f"| {row['slowest_s']:.2f} s | {row['count']} |"
        )
    title = (
        "A figure for one student alone on a new picture, from its POST to its last file as the page asks and waits, "
        f"with the site and its two workers as under `make run` ({source}):"
    )
    return [title, table("| figure | to reach, p95 | p50 | p95 | slowest | measured |", lines)]


def _at_once(rows: Rows, source: str) -> Iterator[str]:
    for set_up in dict.fromkeys(row["set_up"] for row in rows):
        own = [row for row in rows if row["set_up"] == set_up]
        (whole,) = [row for row in own if row["what"] == "failures"]
        lines = [
            f"| {AT_ONCE[row['what']]} | {_limit(row['to_reach_s'], 's')} | {row['p50_s']:.2f} s "
            f"| {row['p95_s']:.2f} s | {row['slowest_s']:.2f} s | {row['count']} |"
            for row in own
            if row["what"] in AT_ONCE and row["count"]
        ]
        mixture = whole["mixture"]
        opened = sum(mixture.values())
        yield (
            f"{whole['students']} students in the laboratory for {whole['seconds']:.0f} s, with {set_up}. Each opens a "
            "figure of an own picture, for both networks, and thinks for "
            f"{whole['thinking_s']:.0f} s on average before the next: of the "
            f"{opened} figures {mixture['again']} had been opened before, new were {mixture['xray']} X-rays, "
            f"{mixture['occlusion']} occlusion maps, {mixture['dose']} dose curves and {mixture['surgery']} visits to "
            f"the surgery of {whole['edits_a_visit']} edits each, which count with their slowest. Meanwhile somebody "
            f"sends a picture every {whole['prediction_every_s']:.0f} s. Failures: {whole['failures']}, to reach: 0 "
            f"({source}):"
        )
        yield table("| what | to reach, p95 | p50 | p95 | slowest | measured |", lines)


def _kept(rows: Rows, source: str) -> list[str]:
    (memory,) = of(rows, "memory")
    peaks = " and ".join(f"{peak} MB" for peak in memory["peaks_mb"])
    sentence = (
        f"After all of this the processes of the worker for figures have held at most {peaks}, and with "
        f"Celery's parent process they hold {memory['together_mb']} MB together ({source}). What is kept of one "
        "answer at most, with its file:"
    )
    files = of(rows, "file")
    networks = list(dict.fromkeys(row["network"] for row in files))
    sizes = {(row["kind"], row["network"]): row["kb"] for row in files}
    lines = []
    for kind in dict.fromkeys(row["kind"] for row in files):
        cells = [
            f"{sizes[kind, network]:,.0f} kB" if (kind, network) in sizes else "" for network in networks
        ]
        lines.append(f"| {kind} | {' | '.join(cells)} |")
    return [sentence, table(f"| kind | {' | '.join(networks)} |", lines)]


def pages(rows: Rows, source: str) -> list[str]:
    (browser,) = of(rows, "browser")
    machine = source.partition("; ")[2]
    visits = []
    for row in of(rows, "visit"):
        whole = f" (to reach: {XRAY_KB:,} kB)" if row["figure"] == "xray" else ""
        visits.append(
            f"| {TITLES[row['figure']]} | {row['own_kb']:.0f} kB | {row['own_compressed_kb']:.0f} kB "
            f"| {row['all_kb']:,.0f} kB{whole} | {row['ready_p50_ms']} ms | {row['ready_slowest_ms']} ms |"
        )
    drags = [
        f"| {TITLES[row['figure']]}: {row['what']} | {row['drawn']} | {row['dropped_share']:.1%} "
        f"| {row['interval_p50_ms']:.1f} ms | {row['interval_p95_ms']:.1f} ms "
        + (f"| {row['cell_p95_ms']:.1f} ms |" if "cells" in row else "| |")
        for row in of(rows, "drag")
    ]
    visited = (
        "The pages of the laboratory, first visits with nothing in the cache: HTML, CSS, scripts and fonts as sent, "
        f"and with the HTML compressed as well (to reach: {OWN_KB} kB), all of the first view, and the time from "
        "the navigation until the figure can be used (to reach: "
        f"{READY_MS:,} ms) (`python -m benchmarks laboratory_pages`, which wants Chromium; Chromium "
        f"{browser['version']}, site and browser on one machine; {machine}):"
    )
    dragged = (
        "Frames while the pointer is dragged to and fro for 3 s, from the browser's own trace (to reach: 60 a second, "
        f"{FRAME_MS:.1f} ms from one to the next; nothing is drawn where nothing changes), and how long the page took "
        f"for a cell of the arithmetic (to reach: {CELL_MS} ms). The browser had no GPU: the processor drew every "
        "frame, beside the site and the mouse:"
    )
    return [
        visited,
        table("| figure | page as sent | compressed | first view | can be used, p50 | slowest |", visits),
        dragged,
        table(
            "| what is dragged | frames drawn | dropped | from one to the next, p50 | p95 | a cell, p95 |",
            drags,
        ),
    ]
