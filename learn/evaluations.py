"""What evaluation found out about the networks, side by side: reliability, classes and confusions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from learn.figures.confusion import confusion_figure
from learn.figures.reliability import reliability_figure
from ml.artifact import Card

EXTREMES = 10
PAIRS = 12


@dataclass(frozen=True)
class Judged:
    """One network with an evaluation, as the page shows it."""

    card: Card
    found: Mapping[str, Any]
    reliability: dict[str, Any] | None
    easiest: list[dict[str, Any]]
    hardest: list[dict[str, Any]]
    pairs: list[dict[str, Any]]

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def title(self) -> str:
        return self.card.title


@dataclass(frozen=True)
class Classes:
    """Networks that know the same classes: the rows and the matrices in which they can be compared."""

    networks: list[Judged]
    rows: list[dict[str, Any]]
    matrices: list[dict[str, Any]]
    options: list[dict[str, Any]]
    shared: dict[str, Any]


def compare(cards: Iterable[Card]) -> dict[str, Any] | None:
    """Everything for the page's last sections; None while no network has been evaluated."""
    networks = [judged(card, found) for card in cards if (found := card.evaluation())]
    if not networks:
        return None
    groups: dict[tuple[str, ...], list[Judged]] = {}
    for network in networks:
        groups.setdefault(network.card.labels, []).append(network)
    return {
        "networks": networks,
        "groups": [classes(members) for members in groups.values()],
        "covered": any(network.found.get("covered") for network in networks),
        "sloped": [network for network in networks if network.card.black_slope],
        "share": next((n.found["covered"]["share"] for n in networks if n.found.get("covered")), None),
    }


def judged(card: Card, found: Mapping[str, Any]) -> Judged:
    labels = labels_of(card)
    ranked = _ranked(found, labels)
    return Judged(
        card,
        found,
        reliability_figure(found),
        easiest=list(reversed(ranked[-EXTREMES:])),
        hardest=ranked[:EXTREMES],
        pairs=[
            {
                "a": labels[p["a"]],
                "b": labels[p["b"]],
                "a_index": p["a"],
                "b_index": p["b"],
                "a_as_b": p["a_as_b"],
                "b_as_a": p["b_as_a"],
            }
            for p in found.get("confused_pairs", ())[:PAIRS]
        ],
    )


def labels_of(card: Card) -> list[str]:
    """The class names as people read them, in the language of the page."""
    return [gettext(card.label(i)) for i in range(len(card.labels))]


def classes(networks: Sequence[Judged]) -> Classes:
    """The networks of one set of classes; the most accurate one's confusions decide the order of the matrices."""
    card = networks[0].card
    labels = labels_of(card)
    best = max(networks, key=lambda network: network.found.get("top1", 0))
    order = list(best.found.get("order", range(len(labels))))
    drawn = [(n, confusion_figure(n.found.get("confusion", ()), order)) for n in networks]
    matrices = [{"network": network, "figure": figure} for network, figure in drawn if figure]
    return Classes(
        list(networks),
        rows=sorted(
            (
                {"label": label, "cells": [_accuracy(network, i) for network in networks]}
                for i, label in enumerate(labels)
            ),
            key=_by_label,
        ),
        matrices=matrices,
        options=sorted(({"index": i, "label": label} for i, label in enumerate(labels)), key=_by_label),
        shared={"order": order, "labels": labels},
    )


def _by_label(row: Mapping[str, Any]) -> str:
    return str(row["label"]).casefold()


def _accuracy(network: Judged, index: int) -> float | None:
    rows = network.found.get("per_class", ())
    return rows[index]["accuracy"] if index < len(rows) else None


def _ranked(found: Mapping[str, Any], labels: Sequence[str]) -> list[dict[str, Any]]:
    """The classes with pictures, the least often recognised first, each with what it is called most often instead."""
    matrix = found.get("confusion", ())
    rows = []
    for i, row in enumerate(found.get("per_class", ())):
        if row["accuracy"] is None:
            continue
        others = [(count, -k) for k, count in enumerate(matrix[i]) if k != i and count] if matrix else []
        count, other = max(others, default=(0, 0))
        rows.append(
            {
                "label": labels[i],
                "accuracy": row["accuracy"],
                "n": row["n"],
                "instead": labels[-other] if count else "",
                "times": count,
            }
        )
    return sorted(rows, key=lambda row: row["accuracy"])
