"""The training curves of a network as lines for an SVG, from the log that its training wrote."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from learn.templatetags.learn_format import percent

WIDTH = 284
HEIGHT = 130


@dataclass(frozen=True)
class Tick:
    at: str
    text: str


@dataclass(frozen=True)
class Panel:
    """One diagram: its lines by key, its ticks and the last value of each line."""

    lines: dict[str, str]
    last: dict[str, str]
    x_ticks: list[Tick]
    y_ticks: list[Tick]


def training_figure(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Two panels, loss and held-out accuracy; None when there are fewer than two epochs to join."""
    rows = [row for row in rows if "epoch" in row]
    if len(rows) < 2:
        return None
    epochs = [int(row["epoch"]) for row in rows]
    loss = _panel(rows, epochs, ("train_loss", "val_loss"), as_percent=False)
    accuracy = _panel(rows, epochs, ("val_accuracy",), as_percent=True)
    if loss is None or accuracy is None:
        return None
    best = max(rows, key=lambda row: row.get("val_accuracy") or 0)
    return {
        "loss": loss,
        "accuracy": accuracy,
        "epochs": epochs[-1],
        "best_epoch": best["epoch"],
        "best_accuracy": best["val_accuracy"],
        "width": WIDTH,
        "height": HEIGHT,
    }


def _panel(
    rows: Sequence[Mapping[str, Any]], epochs: Sequence[int], keys: Sequence[str], *, as_percent: bool
) -> Panel | None:
    values = {
        key: [(e, float(row[key])) for e, row in zip(epochs, rows, strict=True) if key in row] for key in keys
    }
    values = {key: points for key, points in values.items() if len(points) > 1}
    if not values:
        return None
    highest = max(value for points in values.values() for _, value in points)
    step = nice_step(highest / 4)
    top = step * math.ceil(highest / step)
    first, last = epochs[0], epochs[-1]

    def across(epoch: float) -> float:
        return WIDTH * (epoch - first) / max(1, last - first)

    def up(value: float) -> float:
        return HEIGHT * (1 - value / top)

    lines = {
        key: " ".join(f"{across(epoch):.1f},{up(value):.1f}" for epoch, value in points)
        for key, points in values.items()
    }
    texts = {
        key: percent(points[-1][1]) if as_percent else _decimal(points[-1][1], 2)
        for key, points in values.items()
    }
    y_ticks = []
    for index in range(round(top / step) + 1):
        value = index * step
        text = percent_tick(value) if as_percent else _decimal(value, 0 if step >= 1 else 1)
        y_ticks.append(Tick(f"{up(value):.1f}", text))
    x_step = max(1, round(nice_step((last - first) / 4)))
    ticked = [first, *(e for e in range(x_step, last + 1, x_step) if e > first)]
    return Panel(lines, texts, [Tick(f"{across(e):.1f}", str(e)) for e in ticked], y_ticks)


def nice_step(rough: float) -> float:
    """The next 1, 2 or 5 times a power of ten at or above ``rough``."""
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * (1 - 1e-9))


def percent_tick(value: float) -> str:
    """0.2 -> ``20%``."""
    return _("%(number)s%%") % {"number": number_format(round(100 * value))}


def _decimal(value: float, places: int) -> str:
    return number_format(round(value, places), places)
