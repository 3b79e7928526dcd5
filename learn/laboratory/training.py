"""Training: the networks' logged curves over their epochs, what one of them said of the picture on the way, and what
the finished ones confuse.

The address holds ``network``, ``others`` (1: the other networks' curves beside it), ``epoch`` (from 1; left out: the
end), ``class`` (the number of a class that is followed; left out: the finished network's first answer), and ``truth``
and ``taken``, the numbers of two classes: pictures of the one that were taken for the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn.evaluations import Classes, compare
from learn.figures import snapshots, training
from learn.figures.looked import done
from learn.figures.training import HEIGHT, MEASURES, Log, Panel
from learn.kinds.snapshots import has_snapshots
from learn.laboratory import Figure, State
from learn.laboratory_pages import bare_query, query_with
from learn.subjects import Subject
from ml import data
from ml.artifact import Card

OWN_KEYS = ("others", "epoch", "class", "truth", "taken")
SHOWN = 6
"""Classes in a list of what was taken for what."""


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    logs = [training.log_of(card, style) for style, card in enumerate(state.cards)]
    chosen = next(log for log in logs if log.card is state.card)
    others = state.text("others") in ("1", "true")
    shown = logs if others else [chosen]
    axis, last = training.longest(logs), training.longest(shown)
    epoch = _epoch(state, last)
    drawn = training.panels(logs)
    judged = compare(state.cards)
    return {
        "logs": [{"log": log, "shown": log in shown, "rows": _rows(log, epoch)} for log in logs],
        "chosen": chosen,
        "others": others,
        "epoch": epoch,
        "last": last,
        "panels": [_panel(panel, shown, epoch, axis) for panel in drawn],
        "x_ticks": training.epoch_ticks(axis),
        "starts": _starts(logs, shown, axis),
        "cursor": f"{training.across(epoch, axis):.1f}",
        "height": HEIGHT,
        "words": [_words(log, epoch) for log in shown if log.rows],
        "share_ticks": training.share_ticks(),
        "along": _answers(subject, state, chosen, epoch, axis),
        "kept_here": bare_query(state.query, without=OWN_KEYS),
        "judged": judged,
        "confused": _confused(state, judged["groups"] if judged else []),
        "pair_query": query_with(state.query, truth=None, taken=None),
        "data": {
            "width": training.WIDTH,
            "height": HEIGHT,
            "axis": axis,
            "tops": {panel.key: panel.top for panel in drawn},
            "networks": {log.card.name: _as_json(log) for log in logs},
            "pixels": {card.name: _pixels(subject, card) for card in state.cards if has_snapshots(card)},
        },
    }


# -- what the address asks for ------------------------------------------------------------------------------


def _epoch(state: State, last: int) -> int:
    text = state.text("epoch").strip()
    if not text or not last:
        return last
    number = state.whole("epoch", last)
    if number is not None and 1 <= number <= last:
        return number
    nearest = last if number is None else min(last, max(1, number))
    state.say(
        _("There is no epoch “%(value)s”: they go from 1 to %(last)s. Epoch %(shown)s is shown.")
        % {"value": text[:20], "last": last, "shown": nearest}
    )
    return nearest


def _class(state: State, key: str, count: int) -> int | None:
    """The number of a class in the address; None where it names none."""
    if not state.text(key).strip():
        return None
    number = state.whole(key, -1)
    if number is None or not 0 <= number < count:
        state.say(_("There is no class of the number “%(value)s”.") % {"value": state.text(key)[:20]})
        return None
    return number


# -- curves -------------------------------------------------------------------------------------------------


def _panel(panel: Panel, shown: Sequence[Log], epoch: int, axis: int) -> dict[str, Any]:
    """A panel with its marks at ``epoch`` and what stands beside its title."""
    measure = next(one for one in MEASURES if one.key == panel.key)
    marks, texts = [], []
    for log in shown:
        row = log.at(epoch)
        if row is None:
            continue
        text = training.value_text(measure, row)
        texts.append(f"{log.card.title}: {text}" if len(shown) > 1 else text)
        marks += [
            {
                "style": log.style,
                "split": split,
                "x": f"{training.across(row['epoch'], axis):.1f}",
                "y": f"{training.up(value, panel.top):.1f}",
            }
            for split, column in measure.columns.items()
            if (value := training.value_of(row, column)) is not None
        ]
    lines = [{"line": line, "shown": line.log in shown} for line in panel.lines]
    return {
        "key": panel.key,
        "title": panel.title,
        "panel": panel,
        "lines": lines,
        "marks": marks,
        "now": texts,
    }


def _starts(logs: Sequence[Log], shown: Sequence[Log], axis: int) -> list[dict[str, Any]]:
    """Where a later run began, between two epochs."""
    return [
        {"log": log, "x": f"{training.across(start - 0.5, axis):.1f}", "shown": log in shown}
        for log in logs
        for start in log.starts
    ]


def _words(log: Log, epoch: int) -> str:
    row = log.at(epoch)
    if row is None:
        return ""
    said = training.in_words(log, row)
    return f"{training.beyond_words(log)} {said}" if epoch > log.last else said


def _rows(log: Log, epoch: int) -> list[dict[str, Any]]:
    """The log as a table: its epoch, and the text of every measure, the accuracies apart."""
    return [
        {
            "epoch": row["epoch"],
            "now": row["epoch"] == epoch,
            "cells": [
                training.number_text(measure.key, training.value_of(row, column))
                for measure in MEASURES
                for column in measure.columns.values()
            ],
        }
        for row in log.rows
    ]


def _as_json(log: Log) -> dict[str, Any]:
    """What static/js/laboratory/training.js reads of one network."""
    return {
        "style": log.style,
        "last": log.last,
        "peak": log.peak(),
        "unmixed": list(log.unmixed),
        "snapshots": sorted(int(row["epoch"]) for row in log.card.snapshots),
        "without": "" if has_snapshots(log.card) else snapshots.none_words(log.card),
        "beyond": training.beyond_words(log),
        "rows": [
            {
                "epoch": row["epoch"],
                "values": {
                    measure.key: {
                        split: training.value_of(row, column) for split, column in measure.columns.items()
                    }
                    for measure in MEASURES
                },
                "texts": {measure.key: training.value_text(measure, row) for measure in MEASURES},
                "says": training.in_words(log, row),
            }
            for row in log.rows
        ],
    }


# -- answers on the way -------------------------------------------------------------------------------------


def _pixels(subject: Subject, card: Card) -> dict[str, list[int]]:
    """The picture at every size that a snapshot was shown, row by row in red, green and blue."""
    seen = subject.clean[card.name]
    sizes = sorted({card.size, *(int(row["size"]) for row in card.snapshots)})
    return {str(size): data.resized(seen[None], size).reshape(-1).tolist() for size in sizes}


def _answers(subject: Subject, state: State, log: Log, epoch: int, axis: int) -> dict[str, Any]:
    """What the chosen network said of the picture along its training, as far as that is computed already."""
    card = state.card
    asked = _class(state, "class", len(card.labels))
    if not has_snapshots(card):
        return {"none": snapshots.none_words(card)}
    row = done(subject, card, "snapshots", {})
    if row is None:
        return {"none": ""}
    classes, steps = row.result["classes"], row.result["steps"]
    index: int = asked if asked is not None and asked in classes else classes[0]
    # Without a log there is no axis of epochs; the finished network is shown.
    step = snapshots.step_at(steps, epoch, log.last)
    return {
        "index": index,
        "label": _(card.label(index)),
        "unfollowed": ""
        if asked is None or asked in classes
        else snapshots.unfollowed_words(_(card.label(asked))),
        "options": [(one, _(card.label(one))) for one in classes],
        "points": snapshots.points(steps, classes, index, log.last or axis, axis),
        "words": snapshots.in_words(card, steps, step, classes, index)
        if step
        else snapshots.before_words(epoch),
        "top": [{"label": card.label(one), "probability": share} for one, share in step["top"]]
        if step
        else [],
        "rows": [
            {
                "epoch": one["epoch"],
                "size": one["size"],
                "top": _(card.label(one["top"][0][0])),
                "best": one["top"][0][1],
                "share": snapshots.share_of(one, classes, index),
                "now": one is step,
            }
            for one in steps
        ],
    }


# -- confusions ---------------------------------------------------------------------------------------------


def _confused(state: State, groups: Sequence[Classes]) -> dict[str, Any] | None:
    """What pictures of a class were taken for, and what was taken for it, of the first networks that share classes."""
    if not groups:
        return None
    group = groups[0]
    labels = group.shared["labels"]
    truth = _class(state, "truth", len(labels))
    _class(state, "taken", len(labels))
    found: dict[str, Any] = {"options": group.options, "truth": truth}
    if truth is None:
        return found
    tables = []
    for network in group.networks:
        matrix = network.found.get("confusion") or []
        if not matrix:
            continue
        row, column = list(matrix[truth]), [one[truth] for one in matrix]
        column[truth] = 0
        tables.append(
            {
                "network": network,
                "calls": _most(row, labels),
                "takes": _most(column, labels),
                "total": sum(row),
            }
        )
    return found | {"label": labels[truth], "tables": tables}


def _most(counts: Sequence[int], labels: Sequence[str]) -> list[Mapping[str, Any]]:
    order = sorted(range(len(counts)), key=lambda index: -counts[index])[:SHOWN]
    return [{"label": labels[index], "count": counts[index]} for index in order if counts[index]]


figure = Figure(
    slug="training",
    title=gettext_lazy("Training"),
    summary=gettext_lazy(
        "Go through the epochs in which the networks learned, see what one of them said of the picture on the way, and "
        "what the finished ones confuse."
    ),
    order=90,
    template="learn/laboratory/training.html",
    context=context,
)
