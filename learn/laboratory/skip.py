"""Skip connections: plain and residual networks of one depth, their gradients layer by layer, and how they learned.

The address holds ``depth``, ``when`` (start or end of the training) and ``layer`` (a convolution, from 0).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from learn.figures import skip
from learn.figures.layer_names import titled
from learn.figures.skip import KINDS, TIMES, Runs
from learn.laboratory import Figure, State
from learn.laboratory_pages import bare_query
from learn.subjects import Subject

OWN = ("depth", "when", "layer")


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    runs = skip.load()
    if runs is None:
        return {"runs": None, "data": None}
    depth, when = _depth(state, runs), _when(state)
    missing = _("There is no convolution “%(value)s”: they go from 1 to %(last)s. Number %(shown)s is shown.")
    layer = state.place("layer", len(runs.names(depth)), 0, missing)
    axis, top = skip.gradient_axis(runs), skip.accuracy_top(runs)
    return {
        "runs": runs,
        "study": runs.content["study"],
        "hardware": runs.content["hardware"],
        "kinds": _kinds(),
        "times": _times(),
        "depth": depth,
        "when": when,
        "layer": layer,
        "layer_name": titled(runs.names(depth)[layer]),
        "last_layer": len(runs.names(depth)) - 1,
        "wide": skip.WIDTH,
        "high": skip.HEIGHT,
        "gradient_ticks": axis.ticks(),
        "accuracy_ticks": skip.accuracy_ticks(top),
        "lines": [_lines(runs, kind, one, axis, top) for one in runs.depths for kind in KINDS],
        "now": [_now(runs, kind, depth, when, layer, axis) for kind in KINDS],
        "rows": [_row(runs, one) for one in runs.depths],
        "kept_here": bare_query(state.query, without=OWN),
        "data": {
            "depths": runs.depths,
            "deepest": runs.depths[-1],
            "names": {str(one): [titled(name) for name in runs.names(one)] for one in runs.depths},
            "runs": [
                {
                    "kind": kind,
                    "depth": one,
                    "gradients": {time: runs.gradients(kind, one, time) for time in TIMES},
                    "accuracy": runs.curve(kind, one, "accuracy"),
                }
                for one in runs.depths
                for kind in KINDS
            ],
            "axis": {"low": axis.low, "high": axis.high},
            "size": [skip.WIDTH, skip.HEIGHT],
        },
    }


def _kinds() -> dict[str, str]:
    return {"plain": pgettext("network", "plain"), "residual": _("with shortcuts")}


def _times() -> dict[str, str]:
    return {"start": _("before the first step"), "end": _("after training")}


def _depth(state: State, runs: Runs) -> int:
    text = state.text("depth").strip()
    if not text:
        return runs.depths[-1]
    depth = state.whole("depth", 0)
    if depth not in runs.depths:
        state.say(
            _("No networks of %(value)s layers were trained here, but of %(depths)s. The deepest are shown.")
            % {"value": text[:20], "depths": ", ".join(map(str, runs.depths))}
        )
        return runs.depths[-1]
    return depth


def _when(state: State) -> str:
    when = state.text("when") or TIMES[0]
    if when not in TIMES:
        state.say(_("“when” is start or end. The networks before their first step are shown."))
        return TIMES[0]
    return when


def _lines(runs: Runs, kind: str, depth: int, axis: skip.Axis, top: float) -> dict[str, Any]:
    return {
        "kind": kind,
        "depth": depth,
        "gradients": [(time, skip.gradient_line(runs.gradients(kind, depth, time), axis)) for time in TIMES],
        "accuracy": skip.accuracy_line(runs.curve(kind, depth, "accuracy"), top),
    }


def _now(runs: Runs, kind: str, depth: int, when: str, layer: int, axis: skip.Axis) -> dict[str, Any]:
    values = runs.gradients(kind, depth, when)
    return {
        "kind": kind,
        "title": _kinds()[kind],
        "value": skip.written(values[layer]),
        "times": skip.written(values[layer] / max(values[-1], skip.FARTHEST)),
        "x": f"{skip.across(layer, len(values)):.1f}",
        "y": f"{axis.up(values[layer]):.1f}",
        "accuracy": runs.curve(kind, depth, "accuracy")[-1],
        "held_out": runs.curve(kind, depth, "held_out")[-1],
    }


def _row(runs: Runs, depth: int) -> dict[str, Any]:
    return {
        "depth": depth,
        "cells": [
            {
                "parameters": runs.by_place[kind, depth]["parameters"],
                "spread": skip.written(runs.spread(kind, depth, "start")),
                "accuracy": runs.curve(kind, depth, "accuracy")[-1],
                "held_out": runs.curve(kind, depth, "held_out")[-1],
            }
            for kind in KINDS
        ],
    }


figure = Figure(
    slug="skip",
    title=gettext_lazy("Skip connections"),
    summary=gettext_lazy(
        "Plain networks and networks with shortcuts, shallow and deep: the gradient of every layer, and "
        "how they learned."
    ),
    order=82,
    template="learn/laboratory/skip.html",
    context=context,
    pictured=False,
)
