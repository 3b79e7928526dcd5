"""Writes the figures of README.md and ml/README.md from the files that hold them: ``python -m benchmarks.figures``.

Accuracies come from the artifacts' cards, times from ``benchmarks/results``. A test fails when a text is not fresh.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from benchmarks import laboratory_tables, model_card, workshop_tables
from benchmarks.markdown import table
from ml import artifact

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"


def load(part: str) -> list[dict[str, Any]]:
    """What was measured, and then what was on other machines (``--beside``); empty where nothing was."""
    found = [RESULTS / f"{part}.json", *sorted(RESULTS.glob(f"{part}-*.json"))]
    return [json.loads(path.read_text(encoding="utf-8")) for path in found if path.is_file()]


def engines_table(rows: list[dict[str, Any]], source: str) -> list[str]:
    title = (
        "Engines, milliseconds a picture, and how many times as many pictures as TensorFlow's SavedModel each answers "
        f"in the same time ({source}):"
    )
    head = (
        "| network | engine | alone | in batches of 32 | times TensorFlow, alone | in batches of 32 "
        "| process start to first answer | memory |"
    )
    lines = [
        f"| {row['network']} | {row['engine']} {row['precision']} | {row['ms_alone']:.2f} "
        f"| {row['ms_in_32']:.2f} | {row['times_alone']:.1f} | {row['times_in_32']:.1f} "
        f"| {row['first_answer_s']:.1f} s | {row['memory_mb']} MB |"
        for row in rows
    ]
    return [title, table(head, lines)]


def scaling_table(rows: list[dict[str, Any]], source: str) -> list[str]:
    title = (
        "Threads and processes, as served in batches of 32, beside this machine's limit: a bare int8 matrix product "
        f"on as many threads ({source}):"
    )
    head = (
        "| network | processes x threads | pictures a second | times one thread "
        "| billion multiply-adds a second | matrix product | reached |"
    )
    lines = [
        f"| {row['network']} | {row['processes']} x {row['threads']} | {row['per_second']:.0f} "
        f"| {row['times_one']:.2f} | {row['gmacs']:.0f} "
        + (f"| {row['limit_gmacs']} | {row['of_limit']:.0%} |" if row["of_limit"] else "| | |")
        for row in rows
    ]
    return [title, table(head, lines)]


def worker_sentence(rows: list[dict[str, Any]], source: str) -> list[str]:
    (row,) = rows
    sentence = (
        f"A worker with {' and '.join(row['networks'])} loaded answers {row['first_answer_s']:.1f} s after the start "
        f"of its process (every network: {row['all_answered_s']:.1f} s). Its process that predicts then holds "
        f"{row['memory_mb']} MB, together with Celery's parent process {row['both_mb']} MB ({source})."
    )
    return [sentence]


def laboratory_table(rows: list[dict[str, Any]], source: str) -> list[str]:
    title = (
        "The numbers of the laboratory. A web process reads layers and kernels, a worker keeps what every convolution "
        f"gave for a picture and for the same picture covered, and any number is taken apart ({source}):"
    )
    head = (
        "| network | a fresh process: layers | with the first kernel | it takes | activations of both pictures "
        "| their file | one number taken apart, p50 | p95 | largest rounding remainder |"
    )
    lines = [
        f"| {row['network']} | {row['layers_ms']:.0f} ms | {row['first_kernel_ms']:.0f} ms | {row['memory_mb']:.0f} MB "
        f"| {row['trace_pair_ms']:.0f} ms | {row['archive_mb']:.1f} MB | {row['breakdown_p50_ms']:.1f} ms "
        f"| {row['breakdown_p95_ms']:.1f} ms | {row['largest_remainder']:.0e} |"
        for row in rows
    ]
    return [title, table(head, lines)]


def way_table(rows: list[dict[str, Any]], source: str) -> list[str]:
    lines = [
        f"| {row['network']} | {row['one_p50_ms']} ms | {row['one_p95_ms']} ms | {row['thirty_s']:.2f} s "
        f"| {row['thirty_bare_predictor_s']:.2f} s |"
        for row in rows
    ]
    return [
        f"The whole way as a client sees it, POST to `done`, with SQLite and files as under `make run` ({source}):",
        table(
            "| network | one picture, p50 | p95 | 30 in one POST | the same 30 on the bare predictor |", lines
        ),
    ]


def readme() -> str:
    """What stands between the marks in README.md."""
    cards = artifact.cards()
    parts = [
        "CIFAR-100 test set, 10,000 pictures, one run (`python -m ml.evaluate MODEL --data DIR`):",
        model_card.accuracy_table(cards),
    ]
    for part, write in (
        ("engines", engines_table),
        ("scaling", scaling_table),
        ("worker", worker_sentence),
        ("way", way_table),
        ("workshop", workshop_tables.workshop),
        ("live", workshop_tables.live),
        ("history", workshop_tables.history),
        ("admin", workshop_tables.admin),
        ("pages", workshop_tables.pages),
    ):
        for results in load(part):
            parts += write(results["rows"], f"`make bench`; {results['hardware']}")
    laboratory: list[str] = []
    for part, write in (
        ("laboratory", laboratory_tables.figures),
        ("laboratory_pages", laboratory_tables.pages),
        ("laboratory_numbers", laboratory_table),
    ):
        for results in load(part):
            laboratory += write(results["rows"], f"`make bench`; {results['hardware']}")
    if laboratory:
        parts += ["### The laboratory", *laboratory]
    return "\n\n".join(parts)


def put(text: str, mark: str, content: str) -> str:
    """``text`` with ``content`` between ``<!-- mark:begin -->`` and ``<!-- mark:end -->``."""
    begin, end = f"<!-- {mark}:begin -->", f"<!-- {mark}:end -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"the text has no {begin}")
    return pattern.sub(lambda _match: f"{begin}\n{content}\n{end}", text)


def texts() -> dict[Path, str]:
    """The files as they should be."""
    card_page = ROOT / "ml" / "README.md"
    front = ROOT / "README.md"
    cards = card_page.read_text(encoding="utf-8")
    for card in artifact.cards():
        cards = put(cards, card.name, model_card.network(card.name))
    return {front: put(front.read_text(encoding="utf-8"), "figures", readme()), card_page: cards}


def main() -> None:
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
