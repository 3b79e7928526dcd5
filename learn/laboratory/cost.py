"""Width and depth: what Wide ResNets of 6 depths and 12 widths hold and compute, and how long they were seen to take.

The address holds ``wrn`` (depth-width, like 28-10), ``pin`` (the network it is compared with), ``against`` (what goes
across the chart: multiply_adds or parameters), ``join`` (what networks on one line have in common: width or depth) and
``batch`` (pictures at once: 1 or 32).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from learn.figures import cost
from learn.figures.cost import BY_NAME, NETWORKS, REFERENCE, WHOLE, Axis, Measured, Network
from learn.laboratory import Figure, State
from learn.laboratory_pages import bare_query
from learn.subjects import Subject
from learn.templatetags.learn_format import grouped, rounded

OWN = ("wrn", "pin", "against", "join", "batch")
FIRST = Network(16, 4)
NAME = re.compile(r"(\d{1,4})-(\d{1,4})")

AGAINST: dict[str, str | Promise] = {
    "multiply_adds": gettext_lazy("multiply-adds"),
    "parameters": gettext_lazy("parameters"),
}
JOIN: dict[str, str | Promise] = {
    "depth": gettext_lazy("equal depth"),
    "width": gettext_lazy("equal width"),
}
BATCH: dict[str, str | Promise] = {
    "1": gettext_lazy("one"),
    "32": gettext_lazy("32"),
}
CHOICES: dict[str, str | Promise] = {
    "against": gettext_lazy("Across"),
    "join": gettext_lazy("Lines join networks of"),
    "batch": gettext_lazy("Pictures at once"),
}
TITLES: dict[str, str | Promise] = {
    "parameters": gettext_lazy("Parameters"),
    "multiply_adds": gettext_lazy("Multiply-adds for a picture"),
    "written": gettext_lazy("Numbers in the maps of its convolutions"),
    "in_a_row": gettext_lazy("Convolutions one after the other"),
    "reach": gettext_lazy("Rows that a place of the last maps depends on"),
    "alone": gettext_lazy("Milliseconds for a picture by itself"),
    "together": gettext_lazy("Milliseconds for each of 32 pictures at once"),
    "rate": gettext_lazy("Multiply-adds a second, a picture by itself"),
}
"""The measures in the order of the figure. Those from ``alone`` on rest on measured times."""
TIMED = ("alone", "together", "rate")

STAGES: dict[str, str | Promise] = {
    "stem": gettext_lazy("first convolution"),
    "group1": gettext_lazy("group 1"),
    "group2": gettext_lazy("group 2"),
    "group3": gettext_lazy("group 3"),
    "head": gettext_lazy("mean and dense layer"),
}

WIDE, HIGH = 284, 190
"""Units of the still chart between its axes."""
FAR = 0.9
"""Share of the axis from which on a tick's text ends at the edge of the drawing, so that it is not cut off."""


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    found = cost.measured()
    chosen, pinned = _network(state, "wrn", FIRST), _network(state, "pin", REFERENCE)
    against, join = _one_of(state, "against", AGAINST), _one_of(state, "join", JOIN)
    batch = int(_one_of(state, "batch", BATCH))
    return {
        "chosen": chosen,
        "pinned": pinned,
        "depths": cost.DEPTHS,
        "widths": cost.WIDTHS,
        "networks": [network.name for network in NETWORKS],
        "choices": [
            ("against", CHOICES["against"], against, AGAINST),
            ("join", CHOICES["join"], join, JOIN),
            ("batch", CHOICES["batch"], str(batch), BATCH),
        ],
        "found": found,
        "missing": len(NETWORKS) - len(found.times) if found else len(NETWORKS),
        "measures": [_measure(key, chosen, pinned, found) for key in TITLES],
        "plan": [_stage(stage) for stage in chosen.stages()],
        "formulas": formulas(chosen),
        "chart": _chart(found, chosen, pinned, against, join, batch) if found else None,
        "table": _table(found, batch) if found else None,
        "kept_here": bare_query(state.query, without=OWN),
        "data": data_of(found),
    }


def data_of(found: Measured | None) -> dict[str, Any]:
    """What the script reads; without measured times ``axes`` is None."""
    axes = _axes(found) if found else None
    return {
        "networks": [_entry(network, found) for network in NETWORKS],
        "first": FIRST.name,
        "reference": REFERENCE.name,
        "whole": WHOLE,
        "choices": {"against": list(AGAINST), "join": list(JOIN), "batch": [int(one) for one in BATCH]},
        "axes": {name: _written_axis(one) for name, one in axes.items()} if axes else None,
    }


def _network(state: State, key: str, standard: Network) -> Network:
    text = state.text(key).strip()
    if not text or text in BY_NAME:
        return BY_NAME.get(text, standard)
    found = NAME.fullmatch(text)
    shown = cost.nearest(int(found[1]), int(found[2])) if found else standard
    state.say(
        _(
            "There is no network “%(value)s” here: depths go from 10 to 40 in steps of 6, widths from 1 to 12. "
            "%(shown)s is shown."
        )
        % {"value": text[:20], "shown": shown.name}
    )
    return shown


def _one_of(state: State, key: str, choices: Mapping[str, str | Promise]) -> str:
    standard = next(iter(choices))
    text = state.text(key).strip() or standard
    if text in choices:
        return text
    state.say(
        _("“%(value)s” cannot be chosen under “%(name)s”. “%(standard)s” is shown.")
        % {"value": text[:20], "name": CHOICES[key], "standard": choices[standard]}
    )
    return standard


# --- numbers as they are read ---------------------------------------------------------------------------------


def milliseconds(value: float) -> str:
    places = 2 if value < 10 else 1
    return number_format(round(value, places), places)


def ratio(value: float) -> str:
    """How many times one number is another: 0.076, 3.94, 13.2."""
    places = 1 if value >= 10 else 2 if value >= 1 else 3
    return number_format(round(value, places), places)


def rows_seen(network: Network) -> str:
    if network.reach >= WHOLE:
        return _("%(rows)s: the whole picture, from every place") % {"rows": network.reach}
    return str(network.reach)


def _values(network: Network, found: Measured | None) -> dict[str, tuple[float, str]]:
    """What is drawn as a bar and what is written beside it, for each measure that there is."""
    values: dict[str, tuple[float, str]] = {
        "parameters": (network.parameters, rounded(network.parameters)),
        "multiply_adds": (network.multiply_adds, rounded(network.multiply_adds)),
        "written": (network.written, rounded(network.written)),
        "in_a_row": (network.in_a_row, str(network.in_a_row)),
        "reach": (network.reach, rows_seen(network)),
    }
    times = found.times.get(network) if found else None
    if found is None or times is None:
        return values
    rate = found.rate(network, 1) or 0.0
    return values | {
        "alone": (times[1].median, milliseconds(times[1].median)),
        "together": (times[32].median, milliseconds(times[32].median)),
        "rate": (rate, rounded(rate)),
    }


def _entry(network: Network, found: Measured | None) -> dict[str, Any]:
    """One network as the script reads it."""
    times = found.times.get(network) if found else None
    values = _values(network, found)
    return {
        "name": network.name,
        "depth": network.depth,
        "width": network.width,
        "values": {key: value for key, (value, _text) in values.items()},
        "texts": {key: text for key, (_value, text) in values.items()},
        "times": {str(batch): [one.low, one.median, one.high] for batch, one in times.items()}
        if times
        else None,
        "plan": [_stage(stage) for stage in network.stages()],
        "formulas": formulas(network),
    }


def _stage(stage: cost.Stage) -> dict[str, Any]:
    holds = {"count": stage.convolutions, "side": stage.side, "channels": stage.channels}
    convolutions = ngettext(
        "%(count)s convolution, %(channels)s maps of %(side)s × %(side)s",
        "%(count)s convolutions, %(channels)s maps of %(side)s × %(side)s",
        stage.convolutions,
    )
    return {
        "title": STAGES[stage.key],
        "holds": (convolutions if stage.convolutions else _("%(channels)s classes")) % holds,
        "parameters": grouped(stage.parameters),
        "multiply_adds": grouped(stage.multiply_adds),
    }


def formulas(network: Network) -> list[str]:
    """Parameters and multiply-adds as their formulas with the numbers put in."""
    parts = {
        "n": network.blocks,
        "c": network.channels,
        "parameters": grouped(network.parameters),
        "multiply_adds": grouped(network.multiply_adds),
        "own": 560 if network.projects else 544,
        "slope": grouped(164_240 if network.projects else 147_856),
        "square": grouped(55_296),
        "less": grouped(17_408),
        "rest": grouped(442_368),
    }
    return [
        _("Parameters: (378 × %(n)s − 89) × %(c)s² + (56 × %(n)s + %(own)s) × %(c)s + 596 = %(parameters)s")
        % parts,
        _(
            "Multiply-adds: (%(square)s × %(n)s − %(less)s) × %(c)s² + %(slope)s × %(c)s + %(rest)s = %(multiply_adds)s"
        )
        % parts,
    ]


def _measure(key: str, chosen: Network, pinned: Network, found: Measured | None) -> dict[str, Any]:
    """One measure of both networks as two bars, the longer one 100 units long."""
    both = [_values(network, found).get(key) for network in (chosen, pinned)]
    longest = max((one[0] for one in both if one), default=0.0)
    bars = [
        {
            "name": network.name,
            "text": one[1] if one else _("not measured"),
            "length": f"{100 * one[0] / longest:.2f}" if one else "0",
        }
        for network, one in zip((chosen, pinned), both, strict=True)
    ]
    times = ratio(both[0][0] / both[1][0]) if both[0] and both[1] else ""
    return {"key": key, "title": TITLES[key], "timed": key in TIMED, "bars": bars, "ratio": times}


# --- the still chart ------------------------------------------------------------------------------------------


def _axes(found: Measured) -> dict[str, Axis]:
    """Across all networks, measured or not; upwards one for both numbers of pictures, so that they can be compared."""
    times = [time.median for one in found.times.values() for time in one.values()]
    return {
        "multiply_adds": cost.axis((network.multiply_adds for network in NETWORKS), (1,)),
        "parameters": cost.axis((network.parameters for network in NETWORKS), (1,)),
        "times": cost.axis(times, (1, 3)),
    }


def _written_axis(axis: Axis) -> dict[str, Any]:
    return {
        "low": axis.low,
        "high": axis.high,
        "ticks": [{"value": tick, "text": _tick(tick)} for tick in axis.ticks],
    }


def _tick(value: float) -> str:
    """A tick is one digit and zeros, so nothing of it is cut off here."""
    for size, text in (
        (1e9, pgettext("number", "%(number)s billion")),
        (1e6, pgettext("number", "%(number)s million")),
        (1e3, pgettext("number", "%(number)s thousand")),
    ):
        if value >= size:
            return text % {"number": number_format(round(value / size), 0)}
    return number_format(round(value, 2), 1 if value < 1 else 0)


def _chart(
    found: Measured,
    chosen: Network,
    pinned: Network,
    against: str,
    join: str,
    batch: int,
) -> dict[str, Any]:
    axes = _axes(found)
    across, upwards = axes[against], axes["times"]

    def at(value: float, time: float) -> tuple[str, str]:
        return f"{WIDE * across.share(value):.1f}", f"{HIGH * (1 - upwards.share(time)):.1f}"

    points = {
        network: at(getattr(network, against), times[batch].median)
        for network, times in sorted(found.times.items())
    }
    lines: dict[int, list[str]] = {}
    for network, (x, y) in points.items():
        lines.setdefault(getattr(network, join), []).append(f"{x},{y}")
    own = getattr(chosen, join)
    return {
        "width": WIDE,
        "height": HIGH,
        "x_ticks": [
            (f"{WIDE * across.share(tick):.1f}", "end" if across.share(tick) > FAR else "middle", _tick(tick))
            for tick in across.ticks
        ],
        "y_ticks": [(f"{HIGH * (1 - upwards.share(tick)):.1f}", _tick(tick)) for tick in upwards.ticks],
        "points": list(points.values()),
        "lines": [(" ".join(line), value == own) for value, line in lines.items()],
        "chosen": points.get(chosen),
        "pinned": points.get(pinned),
        "reference": points.get(REFERENCE),
        "against": AGAINST[against],
        "join": JOIN[join],
        "batch": batch,
    }


def _table(found: Measured, batch: int) -> list[dict[str, Any]]:
    """The milliseconds of all networks: a row a width, a column a depth."""
    rows = []
    for width in cost.WIDTHS:
        times = [found.times.get(Network(depth, width)) for depth in cost.DEPTHS]
        rows.append(
            {"width": width, "cells": [milliseconds(one[batch].median) if one else "–" for one in times]}
        )
    return rows


figure = Figure(
    slug="cost",
    title=gettext_lazy("Width and depth"),
    summary=gettext_lazy(
        "Choose how deep and how wide a network is, and see what it holds, what it computes and how long it takes."
    ),
    order=84,
    template="learn/laboratory/cost.html",
    context=context,
    pictured=False,
)
