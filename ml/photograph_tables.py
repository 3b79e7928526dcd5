"""The figures of `ml.photographs` as tables: for the terminal, and for the decision record."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- photographs:begin -->", "<!-- photographs:end -->"

VIEWS = {
    "stretch": "whole picture, stretched",
    "crop": "largest square, centred",
    "fit": "whole picture, padded",
    "placed": "placed square",
    "oracle": "the object's own square",
}
COLUMNS = (("area", False), ("bicubic", False), ("lanczos", False), ("area", True), ("lanczos", True))
SETS = {
    "photographs": "Thumbnails as photographs",
    "scenes": "The project's scenes",
    "own photographs": "Photographs of a user",
}

Row = dict[str, Any]


def as_text(part: str, rows: list[Row]) -> str:
    """One part for the terminal: a line a way, with its gain over the first and the share of every group."""
    lines = [f"== {part}: {rows[0]['n']} pictures"]
    for row in rows:
        name = ", ".join(
            filter(None, [row["view"], row["filter"], "sharpened" if row["sharpened"] else None])
        )
        groups = "  ".join(f"{group} {value:.1%}" for group, value in row["groups"].items())
        gain = f"{100 * row['gain']:+.1f} ± {100 * row['gain_error']:.1f}"
        lines.append(
            f"  {name:44} top-1 {row['top1']:6.1%}  {gain:>12}  top-5 {row['top5']:6.1%}  {groups}".rstrip()
        )
    return "\n".join(lines)


def as_markdown(networks: dict[str, dict[str, Any]]) -> str:
    """The tables of the decision record, for every network of ``benchmarks/results/photographs.json``."""
    blocks = []
    for name, result in networks.items():
        parts: dict[str, list[Row]] = result["parts"]
        blocks.append(f"### {name} ({result['version']}, {result['engine']}, {result['precision']})")
        for part, title in SETS.items():
            if part in parts:
                blocks.append(_shapes(title, parts[part]))
                blocks.append(_groups(parts[part]))
        blocks.append(_several(parts))
        blocks.append(_line("Square canvases filled by the thumbnail", parts["squares"]))
        blocks.append(_line("The object's square, nearer, farther and beside it", parts["framing"]))
        blocks.append(_line("Thumbnails", parts["thumbnails"]))
    return "\n\n".join(blocks)


def write(record: Path, networks: dict[str, dict[str, Any]]) -> None:
    """Puts the tables between the marks of ``record``. Raises ValueError when it has none."""
    text = record.read_text(encoding="utf-8")
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"{record} has no {BEGIN} and {END}")
    content = f"{BEGIN}\n{as_markdown(networks)}\n{END}"
    record.write_text(pattern.sub(lambda _match: content, text), encoding="utf-8")


def _find(rows: list[Row], view: str, name: str, sharp: bool = False) -> Row | None:
    wanted = (view, name, sharp)
    return next((row for row in rows if (row["view"], row["filter"], row["sharpened"]) == wanted), None)


def _percent(row: Row | None) -> str:
    return f"{row['top1']:.1%}" if row else ""


def _table(head: list[str], lines: list[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shapes(title: str, rows: list[Row]) -> str:
    head = [f"{title}, {rows[0]['n']}"]
    head += [f"{name}{', sharpened' if sharp else ''}" for name, sharp in COLUMNS]
    lines = []
    for view, said in VIEWS.items():
        if _find(rows, view, "area"):
            lines.append([said, *(_percent(_find(rows, view, *column)) for column in COLUMNS)])
    return _table(head, lines)


def _groups(rows: list[Row]) -> str:
    names = list(rows[0]["groups"])
    lines = []
    for view, said in VIEWS.items():
        if row := _find(rows, view, "area"):
            gain = f"{100 * row['gain']:+.1f} ± {100 * row['gain_error']:.1f}"
            lines.append([said, gain, *(f"{row['groups'][name]:.1%}" for name in names)])
    return _table(["area, by kind", "points over stretching", *names], lines)


def _several(parts: dict[str, list[Row]]) -> str:
    shown = [part for part in SETS if part in parts]
    first = parts[shown[0]]
    views = [row["view"] for row in first if row["filter"] == "area" and row["views"] > 1]
    lines = []
    for view in ("placed", *views):
        found = {part: _find(parts[part], view, "area") for part in shown}
        count = next(row["views"] for row in found.values() if row)
        lines.append([view, str(count), *(_percent(found[part]) for part in shown)])
    return _table(["mean of the views", "how many", *(SETS[part].lower() for part in shown)], lines)


def _line(title: str, rows: list[Row]) -> str:
    said = []
    for row in rows:
        name = ", ".join(
            filter(None, [row["view"], row["filter"], "sharpened" if row["sharpened"] else None])
        )
        said.append(f"{name} {row['top1']:.1%}")
    return f"{title}: " + "; ".join(said) + "."
