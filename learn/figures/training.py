"""The logs of training as drawings over one axis of epochs, and each epoch in words.

A network that was trained in several runs counts its epochs on. The weights that the log speaks of are those at the end
of an epoch; what is shipped in the end is made from them (an average, two networks side by side).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn.figures.curves import WIDTH, Tick, nice_step, percent_tick
from learn.templatetags.learn_format import percent
from ml.artifact import Card

HEIGHT = 92
TICKS = 4
"""About so many steps on an axis."""


@dataclass(frozen=True)
class Measure:
    """Something that the log says of every epoch: the columns that hold it, by the pictures that they are about."""

    key: str
    title: str | Promise
    columns: Mapping[str, str]


MEASURES = (
    Measure(
        "accuracy", gettext_lazy("Right answers"), {"held": "val_accuracy", "training": "train_accuracy"}
    ),
    Measure("held-loss", gettext_lazy("Loss on held-out pictures"), {"held": "val_loss"}),
    Measure("training-loss", gettext_lazy("Loss in training"), {"training": "train_loss"}),
    Measure("size", gettext_lazy("Side of the pictures in pixels"), {"held": "size"}),
    Measure("rate", gettext_lazy("Learning rate"), {"held": "rate"}),
)


@dataclass(frozen=True, eq=False)
class Log:
    """What training wrote of one network, an epoch a row in rising order; ``style`` is how its lines are drawn.

    ``starts``: the epochs with which a later run began. ``unmixed``: those from which on a run mixed no pictures.
    """

    card: Card
    style: int
    rows: Sequence[Mapping[str, Any]]
    starts: tuple[int, ...]
    unmixed: tuple[int, ...]

    @property
    def last(self) -> int:
        """The last epoch; 0 where no log was kept."""
        return int(self.rows[-1]["epoch"]) if self.rows else 0

    def at(self, epoch: int) -> Mapping[str, Any] | None:
        """The row of an epoch, the last one for all that come behind it."""
        return next((row for row in reversed(self.rows) if row["epoch"] <= epoch), None)

    def peak(self) -> int | None:
        """The epoch at whose end the learning rate was highest, the first of several; None where that is not known."""
        rated = [row for row in self.rows if value_of(row, "rate") is not None]
        return int(max(rated, key=lambda row: float(row["rate"]))["epoch"]) if rated else None


def log_of(card: Card, style: int) -> Log:
    rows = sorted((row for row in card.curves() if "epoch" in row), key=lambda row: int(row["epoch"]))
    last = int(rows[-1]["epoch"]) if rows else 0
    starts, unmixed, first = [], [], 1
    for run in runs_of(card):
        recipe = run.get("recipe", {})
        epochs = int(recipe.get("epochs") or 0)
        if 1 < first <= last:
            starts.append(first)
        until = math.ceil(epochs * float(recipe.get("cutmix_until", 1)))
        if recipe.get("cutmix") and until < epochs and first + until <= last:
            unmixed.append(first + until)
        first += epochs
    return Log(card, style, rows, tuple(starts), tuple(unmixed))


def runs_of(card: Card) -> list[Mapping[str, Any]]:
    """Every training run that went into the weights, the first one first."""
    return [*card.training.get("before", []), card.training]


# -- drawings -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One network's line: ``split`` is held or training, ``points`` those of an SVG polyline."""

    log: Log
    split: str
    points: str


@dataclass(frozen=True)
class Panel:
    """One measure over all epochs, WIDTH x HEIGHT units; ``top`` is the value at its upper edge, the lower one is 0."""

    key: str
    title: str | Promise
    top: float
    lines: list[Line]
    y_ticks: list[Tick]


def longest(logs: Iterable[Log]) -> int:
    """The last epoch of all logs, so that every panel has the same axis."""
    return max((log.last for log in logs), default=0)


def across(epoch: float, last: int) -> float:
    return WIDTH * (epoch - 1) / max(1, last - 1)


def up(value: float, top: float) -> float:
    return HEIGHT * (1 - value / top)


def epoch_ticks(last: int) -> list[Tick]:
    """Numbers below a panel of epochs 1 to ``last``."""
    step = max(1, round(nice_step((last - 1) / TICKS)))
    epochs = dict.fromkeys((1, *range(step, last + 1, step)))
    return [Tick(f"{across(epoch, last):.1f}", str(epoch)) for epoch in epochs]


def share_ticks() -> list[Tick]:
    """Numbers beside a panel of shares, 0 to 1."""
    return [Tick(f"{up(share, 1):.1f}", percent_tick(share)) for share in (0.0, 0.5, 1.0)]


def panels(logs: Sequence[Log]) -> list[Panel]:
    """A panel a measure that any log knows, all of them on the axes of all logs together."""
    last = longest(logs)
    found = []
    for measure in MEASURES:
        points = {
            (log, split): _points(log, column)
            # Thin lines first, so that thick ones lie on top.
            for split, column in reversed(list(measure.columns.items()))
            for log in logs
        }
        values = [value for some in points.values() for _epoch, value in some]
        if not values:
            continue
        top, ticks = _axis(values, measure.key)
        lines = [
            Line(log, split, _path(some, last, top, stepped=measure.key == "size"))
            for (log, split), some in points.items()
            if some
        ]
        found.append(Panel(measure.key, measure.title, top, lines, ticks))
    return found


def _points(log: Log, column: str) -> list[tuple[int, float]]:
    values = ((int(row["epoch"]), value_of(row, column)) for row in log.rows)
    return [(epoch, value) for epoch, value in values if value is not None]


def _axis(values: Sequence[float], key: str) -> tuple[float, list[Tick]]:
    """The upper end of a panel's axis and its ticks; of sizes each that there is."""
    if key == "accuracy":
        return 1.0, share_ticks()
    highest = max(values) or 1.0
    if key == "size":
        return highest, [Tick(f"{up(size, highest):.1f}", _plain(size, 1)) for size in sorted({0.0, *values})]
    step = nice_step(highest / TICKS)
    count = math.ceil(highest / step * (1 - 1e-9))
    texts = ((index * step, _plain(index * step, step)) for index in range(count + 1))
    return step * count, [Tick(f"{up(value, step * count):.1f}", text) for value, text in texts]


def _path(points: Sequence[tuple[int, float]], last: int, top: float, *, stepped: bool) -> str:
    places: list[tuple[float, float]] = []
    for (epoch, value), before in zip(points, [None, *points[:-1]], strict=True):
        if stepped and before is not None and before[1] != value:
            # A size is one thing in one epoch and another in the next, with nothing between.
            places += [(epoch - 0.5, before[1]), (epoch - 0.5, value)]
        places.append((epoch, value))
    return " ".join(f"{across(epoch, last):.1f},{up(value, top):.1f}" for epoch, value in places)


# -- words --------------------------------------------------------------------------------------------------


def value_text(measure: Measure, row: Mapping[str, Any]) -> str:
    """What an epoch's row says of a measure, as short as it stands beside the panel."""
    found = {
        split: number_text(measure.key, value_of(row, column)) for split, column in measure.columns.items()
    }
    if len(found) == 1:
        return next(iter(found.values()))
    return _("%(held)s held out, %(training)s training") % found


def number_text(key: str, value: float | None) -> str:
    """A value of the measure ``key`` as a reader wants it; a dash for what is not known."""
    if value is None:
        return "–"
    if key == "accuracy":
        return percent(value)
    return rate_text(value) if key == "rate" else _plain(value, 1 if key == "size" else 0.01)


def in_words(log: Log, row: Mapping[str, Any]) -> str:
    """An epoch of one network in some sentences; what the log does not know is left out."""
    names = {"title": log.card.title, "epoch": row["epoch"], "last": log.last}
    said = [_("%(title)s after epoch %(epoch)s of %(last)s:") % names]
    held, training = value_of(row, "val_accuracy"), value_of(row, "train_accuracy")
    if held is not None and training is not None:
        said.append(
            _("right on %(held)s of the held-out pictures and on %(training)s of the training pictures.")
            % {"held": percent(held), "training": percent(training)}
        )
    elif held is not None:
        said.append(_("right on %(held)s of the held-out pictures.") % {"held": percent(held)})
    losses = value_of(row, "val_loss"), value_of(row, "train_loss")
    if losses[0] is not None and losses[1] is not None:
        said.append(
            _("Loss %(held)s on held-out pictures, %(training)s in training.")
            % {"held": _plain(losses[0], 0.01), "training": _plain(losses[1], 0.01)}
        )
    size, rate = value_of(row, "size"), value_of(row, "rate")
    if size is not None and rate is not None:
        said.append(
            _("Pictures of %(size)s × %(size)s pixels, learning rate %(rate)s.")
            % {"size": _plain(size, 1), "rate": rate_text(rate)}
        )
    if row["epoch"] in log.starts:
        said.append(_("A later run began with this epoch."))
    if row["epoch"] in log.unmixed:
        said.append(_("From here on this run mixed no pictures."))
    return " ".join(said)


def beyond_words(log: Log) -> str:
    """What is said of a network whose training was over before the epoch that is looked at."""
    return _("%(title)s was finished after epoch %(last)s.") % {"title": log.card.title, "last": log.last}


def rate_text(rate: float) -> str:
    """A learning rate with three places, or as many as it takes to show that it is not zero."""
    places = 3 if rate <= 0 else max(3, -math.floor(math.log10(rate)))
    return number_format(round(rate, places), places)


def _plain(value: float, step: float) -> str:
    """With as many places as numbers have that lie ``step`` apart."""
    places = max(0, -math.floor(math.log10(step) + 1e-9))
    return number_format(round(value, places), places)


def value_of(row: Mapping[str, Any], column: str) -> float | None:
    """The number in a column of the log; None where it has none."""
    value = row.get(column)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
