"""Dose and response: how sure each network stays of a class while the picture is covered square by square.

The address holds ``class`` (a number from 0), ``order`` (most, least or random) and ``step`` (0 to 20).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn.figures import dose
from learn.figures.looked import done
from learn.laboratory import Figure, State
from learn.laboratory.looked import class_of, likeliest, options
from learn.laboratory_pages import bare_query
from learn.subjects import Subject
from ml.artifact import Card
from ml.explain.dose import ORDERS, STEPS
from predictions.templatetags.prediction_format import percent

OWN = ("class", "order", "step")


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    first = state.cards[0]
    top = likeliest(subject, first)
    index = class_of(state, top[0] if top else 0)
    order, step = _order(state), _step(state)
    label = _(first.label(index))
    found = {card.name: _stored(subject, card, _number(first, card, index)) for card in state.cards}
    names = {
        "most": _("Most important first"),
        "least": _("Least important first"),
        "random": _("At random"),
    }
    return {
        "index": index,
        "label": label,
        "order": order,
        "order_name": names[order],
        "step": step,
        "steps": STEPS,
        "options": options(first, top),
        "likeliest_numbers": top,
        "orders": [(name, names[name]) for name in ORDERS],
        "axes": dose.axes(),
        "panels": [_panel(card, found[card.name], order, label) for card in state.cards],
        "areas": [
            (name, names[name], [(card.name, _area(found[card.name], name)) for card in state.cards])
            for name in ORDERS
        ],
        "rows": _rows(state.cards, found, order, step),
        "kept_here": bare_query(state.query, without=OWN),
        "setup": {"standard": top[0] if top else -1, "steps": STEPS},
    }


def _order(state: State) -> str:
    order = state.text("order") or ORDERS[0]
    if order not in ORDERS:
        state.say(_("There is no such order. The most important squares come first."))
        return ORDERS[0]
    return order


def _step(state: State) -> int:
    step = state.number("step", 0)
    if step.is_integer() and 0 <= step <= STEPS:
        return int(step)
    state.say(_("There is no such step. The nearest one is shown."))
    return round(min(float(STEPS), max(0.0, step))) if math.isfinite(step) else 0


def _number(first: Card, card: Card, index: int) -> int | None:
    """The number of the class in another network, by its name."""
    name = first.labels[index]
    return card.labels.index(name) if name in card.labels else None


def _stored(subject: Subject, card: Card, index: int | None) -> list[Mapping[str, Any]] | None:
    """The curves of a class in the order of ORDERS, when they are computed already."""
    if index is None:
        return None
    # For the sample pictures the likeliest class was asked for as such.
    for asked in (index, None):
        row = done(subject, card, "dose", {"class": asked})
        if row is not None and row.result["index"] == index:
            curves: list[Mapping[str, Any]] = row.result["curves"]
            return curves
    return None


def _curve(curves: Sequence[Mapping[str, Any]], order: str) -> Mapping[str, Any]:
    return next(curve for curve in curves if curve["order"] == order)


def _panel(card: Card, curves: Sequence[Mapping[str, Any]] | None, order: str, label: str) -> dict[str, Any]:
    if curves is None:
        return {"card": card}
    chosen = _curve(curves, order)
    return {
        "card": card,
        "line": dose.line(chosen),
        "others": [(curve["order"], dose.line(curve)) for curve in curves if curve["order"] != order],
        "words": dose.curve_in_words(chosen, card.title, label),
        "warning": dose.order_in_words(curves, card.title),
    }


def _area(curves: Sequence[Mapping[str, Any]] | None, order: str) -> str:
    return percent(_curve(curves, order)["area"]) if curves else "–"


def _rows(
    cards: Sequence[Card],
    found: Mapping[str, Sequence[Mapping[str, Any]] | None],
    order: str,
    chosen: int,
) -> list[dict[str, Any]]:
    """The curves as a table: for every step the share covered, and each network's confidence and likeliest class."""
    drawn = {name: _curve(curves, order) for name, curves in found.items() if curves}
    if not drawn:
        return []
    shares = next(iter(drawn.values()))["shares"]
    return [
        {
            "share": percent(share),
            "now": step == chosen,
            "cells": [_cells(card, drawn.get(card.name), step) for card in cards],
        }
        for step, share in enumerate(shares)
    ]


def _cells(card: Card, curve: Mapping[str, Any] | None, step: int) -> tuple[str, str]:
    if curve is None:
        return "–", "–"
    return percent(curve["probabilities"][step]), _(card.label(curve["top_indices"][step]))


figure = Figure(
    slug="dose",
    title=gettext_lazy("Dose and response"),
    summary=gettext_lazy(
        "Cover the picture square by square, the most important ones first or last, and see how long each network "
        "stays sure."
    ),
    order=60,
    template="learn/laboratory/dose.html",
    context=context,
)
