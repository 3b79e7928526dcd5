"""What training with and without CutMix changed: the short runs that ``ml.compare_runs`` measured, drawn."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ml.artifact import Card

logger = logging.getLogger(__name__)

FILE = Path(__file__).parent.parent / "data" / "cutmix.json"
WIDE, HIGH = 280, 150


def found(cards: Iterable[Card]) -> dict[str, Any] | None:
    """The stored runs for the page, under the name of the network that has their architecture; None without them."""
    try:
        content = json.loads(FILE.read_text(encoding="utf-8"))
        card = next((card for card in cards if card.architecture == content["recipe"]["model"]), None)
        return _figure(card, content) if card else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        logger.exception("The runs with and without CutMix cannot be read")
        return None


def _figure(card: Card, content: Mapping[str, Any]) -> dict[str, Any]:
    runs = sorted(content["runs"], key=lambda run: (run["value"] > 0, run["seed"]))
    epochs = max(len(run["log"]) for run in runs)
    top = max(max(row["train_accuracy"], row["val_accuracy"]) for run in runs for row in run["log"])
    top = min(1.0, (int(top * 10) + 1) / 10)
    return {
        "card": card,
        "n": content["n"],
        "pictures": content["pictures"],
        "epochs": epochs,
        "share": max(run["value"] for run in runs),
        "rows": [_row(run) for run in runs],
        "wide": WIDE,
        "high": HIGH,
        "top": top,
        "middle": top / 2,
        "panels": [
            {
                "with": with_it,
                "lines": [_lines(run, epochs, top) for run in runs if bool(run["value"]) == with_it],
            }
            for with_it in (False, True)
        ],
        "numbers": [
            {"epoch": epoch + 1, "cells": [_at(run, epoch) for run in runs]} for epoch in range(epochs)
        ],
    }


def _row(run: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "with": bool(run["value"]),
        "seed": run["seed"],
        "training": run["log"][-1]["train_accuracy"],
        "whole": run["whole"],
        "covered": run["covered"],
        "gap": run["whole"]["confidence"] - run["whole"]["top1"],
    }


def _at(run: Mapping[str, Any], epoch: int) -> tuple[float | None, float | None]:
    if epoch >= len(run["log"]):
        return None, None
    row = run["log"][epoch]
    return row["train_accuracy"], row["val_accuracy"]


def _lines(run: Mapping[str, Any], epochs: int, top: float) -> dict[str, str]:
    def line(key: str) -> str:
        step = WIDE / max(1, epochs - 1)
        return " ".join(
            f"{step * place:.1f},{HIGH * (1 - row[key] / top):.1f}" for place, row in enumerate(run["log"])
        )

    return {"training": line("train_accuracy"), "held_out": line("val_accuracy")}
