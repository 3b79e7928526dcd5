"""Where a network looked: three kinds of heat map of any class, for every network side by side, and their own tests.

The address holds ``class`` and ``versus`` (numbers from 0; versus -1 for none), ``map`` (class, layer or cover),
``layer``, ``grid``, ``opacity`` (percent), ``coarse``, and ``row`` and ``column`` (from 1; 0 for none) of the map of
``network``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn.figures import heat, looked
from learn.figures.layer_names import spoken, titled
from learn.kinds.layer_map import layers_of, standard
from learn.kinds.occlusion import GRID, GRIDS
from learn.kinds.trust import FINEST
from learn.laboratory import Figure, State
from learn.laboratory_pages import bare_query
from learn.subjects import Answers, Subject
from ml.artifact import Card

MAPS = ("class", "layer", "cover")
LIKELIEST = 5
OPACITY = 65
OWN = ("class", "versus", "map", "layer", "grid", "opacity", "coarse", "row", "column", "network")


@dataclass(frozen=True)
class Chosen:
    """What is shown. ``index`` and ``other`` are numbers of the first network's classes; ``other`` may be None."""

    index: int
    other: int | None
    map: str
    layers: Mapping[str, str]
    grid: int
    opacity: int


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    offered = {card.name: layers_of(card) for card in state.cards}
    first = state.cards[0]
    top = likeliest(subject, first)
    chosen = _chosen(state, offered, top[0] if top else 0)
    label = _(first.label(chosen.index))
    other = "" if chosen.other is None else _(first.label(chosen.other))
    return {
        "chosen": chosen,
        "label": label,
        "other": other,
        "options": options(first, top),
        "likeliest_numbers": top,
        "maps": [
            ("class", _("Class activation")),
            ("layer", _("At a layer")),
            ("cover", _("Covering squares")),
        ],
        "grids": GRIDS,
        "opacity": f"{chosen.opacity / 100:.2f}",
        "named_layer": chosen.layers[state.card.name],
        "layer_options": [
            (card, [(layer, spoken(layer)) for layer in offered[card.name]]) for card in state.cards
        ],
        "kept_here": bare_query(state.query, without=OWN),
        "panels": [
            panel | {"last_layer": len(offered[panel["card"].name]) - 1}
            for panel in _panels(subject, chosen, state.cards, label, other)
        ],
        "picture": heat.placed(subject.crop),
        "setup": {
            "standard": top[0] if top else -1,
            "standardLayers": {name: standard(layers) for name, layers in offered.items()},
            "layer": chosen.layers[first.name],
            "layers": offered,
            "names": {layer: spoken(layer) for layers in offered.values() for layer in layers},
            "grids": list(GRIDS),
            "finestTest": FINEST,
        },
    }


def likeliest(subject: Subject, card: Card) -> list[int]:
    """The classes that come first in a list to choose from: the answers of ``card``, else of whoever has answered."""
    answers = subject.answers.get(card.name, Answers()).clean or next(
        (said.clean for said in subject.answers.values() if said.clean), None
    )
    return [row["index"] for row in answers or () if row["index"] < len(card.labels)][:LIKELIEST]


def options(card: Card, first: Sequence[int]) -> dict[str, list[tuple[int, str]]]:
    """Classes to choose from: the likeliest, then all by their names."""
    names = [(index, _(card.label(index))) for index in range(len(card.labels))]
    return {
        "likeliest": [names[index] for index in first],
        "all": sorted(names, key=lambda one: one[1].casefold()),
    }


# -- what the address asks for ------------------------------------------------------------------------------


def class_of(state: State, top: int) -> int:
    """The class that the address names, else ``top``."""
    if not state.text("class"):
        return top
    index = state.whole("class", top)
    if index is None or not 0 <= index < len(state.cards[0].labels):
        state.say(_("There is no class of this number. The likeliest one is shown."))
        return top
    return index


def _chosen(state: State, offered: Mapping[str, list[str]], top: int) -> Chosen:
    index = class_of(state, top)
    return Chosen(
        index=index,
        other=_other(state, index),
        map=_map(state),
        layers=_layers(state, offered),
        grid=_grid(state),
        opacity=_opacity(state),
    )


def _other(state: State, index: int) -> int | None:
    if state.text("versus") in ("", "-1"):
        return None
    other = state.whole("versus", -1)
    if other is None or not 0 <= other < len(state.cards[0].labels) or other == index:
        state.say(_("There is no other class of this number to compare with. The map of one class is shown."))
        return None
    return other


def _map(state: State) -> str:
    which = state.text("map") or MAPS[0]
    if which not in MAPS:
        state.say(_("There is no such kind of map. The class activation map is shown."))
        return MAPS[0]
    return which


def _layers(state: State, offered: Mapping[str, list[str]]) -> dict[str, str]:
    """The layer of each network: its own standard, or the one that is named and that at the same depth."""
    name = state.text("layer")
    if not name:
        return {card: standard(layers) for card, layers in offered.items()}
    home = next((card for card, layers in offered.items() if name in layers), None)
    if home is None:
        home = state.card.name
        name = _nearest(state, name, offered[home])
    depth = offered[home].index(name) / max(1, len(offered[home]) - 1)
    return {
        card: name if name in layers else layers[_half_up(depth * (len(layers) - 1))]
        for card, layers in offered.items()
    }


def _half_up(value: float) -> int:
    """As JavaScript rounds, so that both choose the same layer."""
    return int(value + 0.5)


def _nearest(state: State, name: str, layers: list[str]) -> str:
    """The first layer with a map behind the one called ``name``, which other figures know."""
    from ml.explain.structure import structure

    names = [layer.name for layer in structure(state.card.name).layers]
    behind = names[names.index(name) :] if name in names else []
    found = next((one for one in behind if one in layers), None)
    if found:
        state.say(
            _("No map is offered at %(name)s. The next layer that has one, %(layer)s, is shown.")
            % {"name": spoken(name), "layer": spoken(found)}
        )
        return found
    found = layers[-1] if behind else standard(layers)
    said = (
        _("No map is offered at %(name)s. %(layer)s is shown.")
        if behind
        else _("No map is offered at a layer called “%(name)s”. %(layer)s is shown.")
    )
    state.say(said % {"name": spoken(name) if behind else name[:40], "layer": titled(found)})
    return found


def _grid(state: State) -> int:
    grid = state.number("grid", GRID)
    if grid in GRIDS:
        return int(grid)
    state.say(_("There is no grid of this size. The nearest one is shown."))
    return min(GRIDS, key=lambda one: abs(one - grid)) if math.isfinite(grid) else GRID


def _opacity(state: State) -> int:
    opacity = state.number("opacity", OPACITY)
    if opacity.is_integer() and 0 <= opacity <= 100:
        return int(opacity)
    state.say(_("The opacity goes from 0 to 100. The nearest one is shown."))
    return round(min(100.0, max(0.0, opacity))) if math.isfinite(opacity) else OPACITY


# -- what is stored, as still pictures and text ---------------------------------------------------------------


def _panels(
    subject: Subject, chosen: Chosen, cards: Sequence[Card], label: str, other: str
) -> list[dict[str, Any]]:
    """For every network its map as a drawing, sentences and a table; without one where it is not computed yet."""
    numbers = {card.name: _numbers(cards[0], card, chosen) for card in cards}
    found = {}
    for card in cards:
        index, versus = numbers[card.name]
        if index is not None and (versus is not None or chosen.other is None):
            parameters = _parameters(chosen, card)
            found[card.name] = looked.find(subject, card, chosen.map, parameters, index, versus)
    there = [one.values for one in found.values() if one]
    scale = heat.scale_of(there, diverging=chosen.map == "cover" or bool(other)) if there else None
    panels = []
    for card in cards:
        panel: dict[str, Any] = {
            "card": card,
            "layer": spoken(chosen.layers[card.name]),
            "knows": card.name in found,
        }
        one = found.get(card.name)
        if one and scale:
            panel |= _still(one, scale, label, other) | _tested(subject, card, chosen, numbers[card.name][0])
        panels.append(panel)
    return panels


def _numbers(first: Card, card: Card, chosen: Chosen) -> tuple[int | None, int | None]:
    """The numbers that the chosen classes have in another network, by their names; None where it does not know one."""

    def number(index: int | None) -> int | None:
        name = "" if index is None else first.labels[index]
        return card.labels.index(name) if name in card.labels else None

    return number(chosen.index), number(chosen.other)


def _parameters(chosen: Chosen, card: Card) -> dict[str, Any]:
    if chosen.map == "layer":
        return {"layer": chosen.layers[card.name]}
    return {"grid": chosen.grid} if chosen.map == "cover" else {}


def _still(found: looked.Found, scale: heat.Scale, label: str, other: str) -> dict[str, Any]:
    values = found.values
    total = looked.sum_in_words(found.total, values.size, label, other) if found.total else ""
    return {
        "drawing": heat.drawing(values, scale, hatches=found.after is not None),
        "table": heat.table(values, scale),
        "words": looked.in_words(found, scale, label, other),
        "sum": total,
        "low": scale.write(scale.low),
        "high": scale.write(scale.high),
    }


def _tested(subject: Subject, card: Card, chosen: Chosen, index: int | None) -> dict[str, Any]:
    """The tests of the map of ``index``, when they are stored."""
    which = {"map": looked.TESTED[chosen.map], **_parameters(chosen, card)}
    # For the sample pictures the likeliest class was asked for as such.
    for asked in (index, None):
        row = looked.done(subject, card, "trust", {**which, "class": asked})
        if row is not None and row.result["index"] == index:
            coarser = chosen.map == "cover" and chosen.grid > FINEST
            return {
                "tests": looked.tests(row.result),
                "warning": looked.warning(row.result),
                "tested_at": FINEST if coarser else 0,
            }
    return {}


figure = Figure(
    slug="looked",
    title=gettext_lazy("Where it looked"),
    summary=gettext_lazy(
        "Which places of the picture speak for a class, and which against it: three kinds of map for both "
        "networks, each with two tests of itself."
    ),
    order=50,
    template="learn/laboratory/looked.html",
    context=context,
)
