"""From scores to probabilities, and whether to believe them: the softmax of one answer and its network's record.

The address holds ``network``, ``side`` (clean or covered), ``temperature`` (left out: the fitted one) and ``class``
(the number of a class that is named in the fifth row).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn import stored
from learn.figures import softmax
from learn.figures.reliability_square import SIDE, Square, largest_count, sizes, square
from learn.figures.softmax_table import table
from learn.laboratory import Figure, State
from learn.stored import SIDES
from learn.subjects import Subject
from ml.artifact import LEAST_RECORD, Card, black_share


@dataclass(frozen=True)
class Honest:
    """The temperature fitted for a picture: ``whole`` times (1 + ``slope`` x ``black``)."""

    temperature: float
    whole: float
    slope: float
    black: float


@dataclass(frozen=True)
class Panel:
    """A network's reliability square, and where this answer stands in it (``honest``, ``moved``: probabilities)."""

    card: Card
    side: str
    figure: Square | None
    rows: Sequence[Mapping[str, Any]]
    honest: float | None
    moved: float | None
    says: str
    current: bool

    @property
    def honest_at(self) -> str:
        return f"{SIDE * (self.honest or 0):.1f}"

    @property
    def moved_at(self) -> str:
        return f"{SIDE * (self.moved or 0):.1f}"


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    card = state.card
    side = state.side(subject)
    honest = {one.name: {s: honest_temperature(subject, one, s) for s in SIDES} for one in subject.cards}
    fitted = honest[card.name][side]
    assert fitted is not None
    temperature = _temperature(state, fitted.temperature)
    chosen = _class(state, card)
    logits = {one.name: stored.logits(subject, one) for one in subject.cards}
    own = logits[card.name]
    values = own[side] if own else None
    return {
        "side": side,
        "honest": fitted,
        "temperature": temperature,
        "temperature_text": softmax.decimal(temperature),
        "is_honest": temperature == fitted.temperature,
        "kept_here": _kept(state),
        "asked_temperature": "" if temperature == fitted.temperature else f"{temperature:g}",
        "chosen": chosen,
        "options": _options(card),
        "lowest": softmax.LOWEST,
        "highest": softmax.HIGHEST,
        "table": table(values, temperature, chosen, card) if values else None,
        "served": _served(subject, card, side, own, fitted.temperature),
        "panels": _panels(subject, state, side, logits, honest, temperature),
        "sizes": sizes(_most(subject.cards)),
        "data": {
            "networks": {
                one.name: {
                    "honest": {s: _as_json(honest[one.name][s]) for s in SIDES},
                    "logits": logits[one.name],
                    "reliability": {s: _rows(one, s) for s in SIDES},
                }
                for one in subject.cards
            },
            "least": LEAST_RECORD,
        },
    }


# -- what the address asks for ------------------------------------------------------------------------------


def _temperature(state: State, honest: float) -> float:
    text = state.text("temperature").strip()
    if not text:
        return honest
    value = state.number("temperature", honest)
    if math.isnan(value):
        state.say(
            _("“%(value)s” is not a temperature. The fitted one is shown.") % {"value": text[:40]},
        )
        return honest
    if value == 0:
        state.say(zero_sentence())
        return softmax.LOWEST
    if value < 0:
        state.say(
            _(
                "Below 0 the order would be turned round: the least likely class would win. The fitted one is shown."
            )
        )
        return honest
    if not softmax.LOWEST <= value <= softmax.HIGHEST:
        state.say(
            _("Temperatures go from %(low)s to %(high)s here. The nearest one is shown.")
            % {"low": number_format(softmax.LOWEST), "high": number_format(softmax.HIGHEST, 0)}
        )
    return min(softmax.HIGHEST, max(softmax.LOWEST, value))


def _kept(state: State) -> list[tuple[str, str]]:
    """What the form without scripts keeps of the address."""
    return [(key, value) for key, value in state.query.items() if key not in ("side", "temperature", "class")]


def zero_sentence() -> str:
    return _(
        "A temperature of 0 would divide by zero. The closer it comes, the more the largest logit takes, and winner "
        "takes all is the limit that it never reaches. The lowest one here is shown."
    )


def _class(state: State, card: Card) -> int | None:
    text = state.text("class").strip()
    if not text:
        return None
    number = state.whole("class", -1)
    if number is None or not 0 <= number < len(card.labels):
        state.say(
            _("%(title)s has no class number “%(value)s”. The five likeliest are shown.")
            % {"title": card.title, "value": text[:40]}
        )
        return None
    return number


def _options(card: Card) -> list[dict[str, Any]]:
    labels = [{"index": index, "label": _(card.label(index))} for index in range(len(card.labels))]
    return sorted(labels, key=lambda option: str(option["label"]).casefold())


# -- the four columns ---------------------------------------------------------------------------------------


def honest_temperature(subject: Subject, card: Card, side: str) -> Honest | None:
    """The temperature that ``card`` was given for this picture; None without such a picture."""
    pixels = (subject.clean if side == "clean" else subject.covered).get(card.name)
    if pixels is None:
        return None
    return Honest(
        float(card.temperatures(pixels[None])[0]),
        card.temperature,
        card.black_slope,
        float(black_share(pixels[None])[0]),
    )


def _as_json(honest: Honest | None) -> dict[str, float] | None:
    if honest is None:
        return None
    return {
        "temperature": honest.temperature,
        "whole": honest.whole,
        "slope": honest.slope,
        "black": honest.black,
    }


# -- as served, and as computed here ------------------------------------------------------------------------


def _served(
    subject: Subject, card: Card, side: str, logits: Mapping[str, Any] | None, honest: float
) -> list[dict[str, Any]]:
    """The five answers that were served (int8), each beside the float32 one where that is known."""
    said = subject.answers.get(card.name)
    answers = getattr(said, side, None) if said else None
    if not answers:
        return []
    exact = None
    if logits and logits[side]:
        values = np.asarray(logits[side], np.float64) / honest
        powers = np.exp(values - values.max())
        exact = powers / powers.sum()
    return [
        {
            "label": _(card.label(answer["index"])),
            "served": answer["probability"],
            "exact": None if exact is None else float(exact[answer["index"]]),
        }
        for answer in answers
    ]


# -- whether to believe them --------------------------------------------------------------------------------


def _rows(card: Card, side: str) -> list[dict[str, Any]]:
    found = card.evaluation() or {}
    rows = found.get("reliability") if side == "clean" else (found.get("covered") or {}).get("reliability")
    return list(rows or ())


def _most(cards: Sequence[Card]) -> int:
    return largest_count(_rows(card, side) for card in cards for side in SIDES)


def _panels(
    subject: Subject,
    state: State,
    side: str,
    logits: Mapping[str, Any],
    honest: Mapping[str, Mapping[str, Honest | None]],
    temperature: float,
) -> list[Panel]:
    """A panel a network and side, the network that answered first."""
    most = _most(subject.cards)
    panels = []
    for card in sorted(subject.cards, key=lambda one: one.name != state.card.name):
        for one in SIDES:
            fitted = honest[card.name][one]
            own = logits[card.name]
            values = own[one] if own else None
            confidence = _confidence(values, fitted.temperature) if values and fitted else None
            asked = card.name == state.card.name and one == side and fitted is not None
            moved = _confidence(values, temperature) if values and asked else None
            rows = _rows(card, one)
            panels.append(
                Panel(
                    card,
                    one,
                    square(rows, most),
                    [row for row in rows if row["n"]],
                    confidence,
                    None if moved == confidence else moved,
                    record_sentence(card, one, confidence),
                    one == side,
                )
            )
    return panels


def _confidence(logits: Sequence[float], temperature: float) -> float:
    best = softmax.ranked(logits, 1)
    return softmax.columns(logits, temperature, best).rows[0].probability


def record_sentence(card: Card, side: str, confidence: float | None) -> str:
    """How often ``card`` was right when it was so sure, or why nothing can be said."""
    if not _rows(card, side):
        return _("This network was not evaluated on such pictures, so its record is not known.")
    if confidence is None:
        return ""
    record = card.track_record(confidence, covered=side == "covered")
    if record is None:
        return _(
            "Fewer than %(least)s test pictures had such a confidence: too few to say how often it is right then."
        ) % {"least": LEAST_RECORD}
    return _("At this confidence it is right %(share)s%% of the time (n = %(n)s).") % {
        "share": number_format(round(100 * record.accuracy, 1), 1),
        "n": number_format(record.n, 0, force_grouping=True),
    }


figure = Figure(
    slug="belief",
    title=gettext_lazy("From scores to probabilities, and whether to believe them"),
    short=gettext_lazy("Belief"),
    summary=gettext_lazy(
        "Follow the scores of all classes to percentages, turn the temperature, and see how often the network was "
        "right when it was as sure as now."
    ),
    order=40,
    template="learn/laboratory/belief.html",
    context=context,
)
