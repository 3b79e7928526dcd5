"""Writes the figures of README.md and ml/README.md from the files that hold them: ``python -m benchmarks.figures``.

Accuracies come from the artifacts' cards, times from ``benchmarks/results``. A test fails when a text is not fresh.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from ml import artifact
from ml.artifact import Card

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results"


def percent(value: float) -> str:
    return f"{value:.2%}"


def load(part: str) -> dict[str, Any] | None:
    path = RESULTS / f"{part}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def accuracy_table(cards: list[Card]) -> str:
    lines = [
        "| network | computed in | top-1 | top-5 | calibration error | same top-1 as float32 (where surer than 0.6) |",
        "|---|---|---|---|---|---|",
    ]
    for card in cards:
        served, exact = card.metrics, card.reference_metrics
        lines.append(
            f"| {card.title} ({card.version}) | int8, served | {percent(served['top1'])} | {percent(served['top5'])} "
            f"| {served['ece']:.4f} | {percent(served['agreement'])} ({percent(served['agreement_sure'])}) |"
        )
        lines.append(
            f"| | float32 | {percent(exact['top1'])} | {percent(exact['top5'])} | {exact['ece']:.4f} | |"
        )
    return "\n".join(lines)


def readme() -> str:
    """What stands between the marks in README.md."""
    cards = artifact.cards()
    parts = [
        "CIFAR-100 test set, 10,000 pictures, one run (`python -m ml.evaluate MODEL --data DIR`):",
        accuracy_table(cards),
    ]
    if engines := load("engines"):
        parts.append(f"Engines, milliseconds a picture (`make bench`; {engines['hardware']}):")
        lines = [
            "| network | engine | alone | in batches of 32 | process start to first answer | memory |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {row['network']} | {row['engine']} {row['precision']} | {row['ms_alone']:.2f} | {row['ms_in_32']:.2f} "
            f"| {row['first_answer_s']:.1f} s | {row['memory_mb']} MB |"
            for row in engines["rows"]
        ]
        parts.append("\n".join(lines))
    if way := load("way"):
        parts.append(
            f"The whole way as a client sees it, POST to `done`, with SQLite and files as under `make run` "
            f"(`make bench`; {way['hardware']}):"
        )
        lines = [
            "| network | one picture, p50 | p95 | 30 in one POST | the same 30 on the bare predictor |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {row['network']} | {row['one_p50_ms']} ms | {row['one_p95_ms']} ms | {row['thirty_s']:.2f} s "
            f"| {row['thirty_bare_predictor_s']:.2f} s |"
            for row in way["rows"]
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def model_card(name: str) -> str:
    """What stands between a network's marks in ml/README.md."""
    card = artifact.load_card(name)
    training, served = card.training, card.metrics
    minutes = training["training_seconds"] / 60
    run = (
        f"One run of {training['recipe']['epochs']} epochs, {minutes:.0f} minutes on {training['hardware']} "
        f"({training['backend']}), beside other work; no spread is known. Held-out accuracy at the end "
        f"{percent(training['val_accuracy'])}; temperature {card.temperature}."
    )
    likelihood = f"Negative log-likelihood {served['nll']:.4f} as served, on {served['n']} test pictures."
    return "\n\n".join([run, accuracy_table([card]), likelihood])


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
        cards = put(cards, card.name, model_card(card.name))
    return {front: put(front.read_text(encoding="utf-8"), "figures", readme()), card_page: cards}


def main() -> None:
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
