"""What the networks say of the sample pictures, as it was made with the release: nobody's predictions are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db.models import Q
from django.utils.translation import gettext
from numpy.typing import NDArray

from learn import questions
from learn.models import Explanation
from ml.artifact import Card
from ml.labels import display

KIND = "answers"

Answer = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """The five likeliest classes as the site serves them (int8), the likeliest first; None where nobody asked.

    Each has ``index``, ``label`` (the class's own name), ``name`` (in the reader's language) and ``probability``.
    """

    clean: list[Answer] | None = None
    covered: list[Answer] | None = None


def of(
    sample: str,
    cards: Sequence[Card],
    clean: Mapping[str, NDArray[np.uint8]],
    covered: Mapping[str, NDArray[np.uint8]],
) -> dict[str, Answers]:
    """By network. Under bars that somebody chose, the covered answers are known once somebody has asked for them."""
    keys = {
        card.name: questions.put(KIND, card, {}, clean[card.name], covered.get(card.name)).key
        for card in cards
    }
    done = Explanation.objects.of_samples().filter(sample=sample, kind=KIND, status=Explanation.Status.DONE)
    versions = [card.version for card in cards]
    rows = done.filter(Q(key__in=keys.values()) | Q(built=True), artifact__in=versions)
    said = list(rows.values_list("network", "key", "result"))
    found = {}
    for card in cards:
        own = [(key, result) for network, key, result in said if network == card.name]
        both = next((result for key, result in own if key == keys[card.name]), None)
        # The clean answers are the same whatever the bars.
        any_bars: dict[str, Any] = both or next((result for _key, result in own), {})
        found[card.name] = Answers(
            _rows(card, any_bars.get("clean")), _rows(card, both.get("covered")) if both else None
        )
    return found


def _rows(card: Card, top: Sequence[tuple[int, float]] | None) -> list[Answer] | None:
    if not top:
        return None
    return [
        {
            "index": index,
            "label": card.labels[index],
            "name": gettext(display(card.labels[index])),
            "probability": probability,
        }
        for index, probability in top
    ]
