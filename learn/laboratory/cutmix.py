"""CutMix by hand: a rectangle of one picture in the place of another's, the mixed answer, and what the networks say.

The address holds ``other`` (a sample picture), ``box`` (row, column, height and width in pixels, with commas), ``turn``
(1: the rectangle is of the picture that is looked at, and the sample is around it), ``class`` (of that picture, a
number from 0) and ``alpha`` (of the distribution from which random boxes come).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn import subjects
from learn.figures import cutmix_runs, mixing
from learn.figures.looked import done
from learn.figures.mixing import ALPHAS, PUBLISHED, Box
from learn.kinds.mix import mix
from learn.laboratory import Figure, State
from learn.laboratory.looked import class_of, likeliest, options
from learn.laboratory_pages import bare_query
from learn.subjects import Pixels, Subject
from ml.artifact import Card
from predictions import samples

OWN = ("other", "box", "turn", "class", "alpha")
CELL = 10
"""Units of a pixel of the still drawing."""


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    first = state.cards[0]
    names = [sample.name for sample in samples.offered()]
    other = _other(state, subject, names)
    box, turn = _box(state, first.size), _turn(state)
    top = likeliest(subject, first)
    standard = _own_class(subject, first, top)
    index = class_of(state, standard)
    alpha = _alpha(state)
    offered = {name: _offered(name, first) for name in names}
    share = _share(box, first.size, turn)
    labels = [_(first.label(index)), _(first.label(offered[other]["class"]))]
    return {
        "other": other,
        "others": [(name, samples.every()[name].title) for name in names],
        "box": box,
        "turn": turn,
        "index": index,
        "options": options(first, top),
        "likeliest_numbers": top,
        "alpha": alpha,
        "alphas": [(one, _alpha_name(one), mixing.density_line(one)) for one in ALPHAS],
        "chart": {"high": mixing.HIGH, **mixing.axes()},
        "size": first.size,
        "labels": labels,
        "is_same": other == subject.sample,
        "share": share,
        "rest": 1 - share,
        "pixels": round(share * first.size**2),
        "all_pixels": first.size**2,
        "still": _still(subject, first, other, box, turn),
        "said": [
            _said(subject, card, state, other, box, turn, (index, offered[other]["class"]))
            for card in state.cards
        ],
        "runs": cutmix_runs.found(state.cards),
        "kept_here": bare_query(state.query, without=OWN),
        "data": {
            "size": first.size,
            "chart": {"wide": mixing.WIDE, "high": mixing.HIGH},
            "sample": subject.sample,
            "own": _packed(subject.clean[first.name]),
            "standard": {"other": _first_other(subject, names), "class": standard, "alpha": PUBLISHED},
            "others": offered,
            "alphas": ALPHAS,
            "box": mixing.middle(first.size).to_list(),
        },
    }


def _packed(pixels: Pixels) -> str:
    return base64.b64encode(pixels.tobytes()).decode()


def _offered(name: str, card: Card) -> dict[str, Any]:
    """A sample as the first network sees it, and the class that it is of."""
    return {
        "title": samples.every()[name].title,
        "pixels": _packed(subjects.sample_pixels(name, card)),
        "class": _named(name, card),
    }


def _named(name: str, card: Card) -> int:
    """The class that a sample picture is of: those that are offered are called by it."""
    return card.labels.index(name) if name in card.labels else 0


def _own_class(subject: Subject, card: Card, top: Sequence[int]) -> int:
    if subject.sample in card.labels:
        return card.labels.index(subject.sample)
    return top[0] if top else 0


def _first_other(subject: Subject, names: Sequence[str]) -> str:
    return next((name for name in names if name != subject.sample), names[0] if names else "")


def _other(state: State, subject: Subject, names: Sequence[str]) -> str:
    standard = _first_other(subject, names)
    name = state.text("other") or standard
    if name not in names:
        state.say(_("There is no sample picture “%(value)s”. Another one is shown.") % {"value": name[:40]})
        return standard
    return name


def _box(state: State, size: int) -> Box:
    text = state.text("box").strip()
    if not text:
        return mixing.middle(size)
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        state.say(
            _("A box is four whole numbers with commas: row, column, height, width. The middle one is shown.")
        )
        return mixing.middle(size)
    found = mixing.inside(numbers, size)
    if found.to_list() != numbers:
        state.say(
            _("The box has to lie inside %(size)s × %(size)s pixels. The nearest one is shown.")
            % {"size": size}
        )
    return found


def _turn(state: State) -> bool:
    text = state.text("turn") or "0"
    if text not in ("0", "1"):
        state.say(_("“turn” is 0 or 1. The rectangle is the other picture’s."))
    return text == "1"


def _alpha(state: State) -> float:
    alpha = state.number("alpha", PUBLISHED)
    if alpha not in ALPHAS:
        state.say(
            _("Alpha is one of %(values)s here. 1 is shown.")
            % {"values": ", ".join(f"{one:g}" for one in ALPHAS)}
        )
        return PUBLISHED
    return alpha


def _alpha_name(alpha: float) -> str:
    names = {
        0.5: _("0.5: mostly nearly whole pictures"),
        1.0: _("1: every share alike, as published"),
        2.0: _("2: halves rather than slivers"),
        4.0: _("4: about halves"),
    }
    return names[alpha]


def _share(box: Box, size: int, turn: bool) -> float:
    """Of the pixels that are those of the picture that is looked at: lambda."""
    inner = box.area / size**2
    return inner if turn else 1 - inner


def _still(subject: Subject, card: Card, other: str, box: Box, turn: bool) -> dict[str, Any]:
    own, theirs = subject.clean[card.name], subjects.sample_pixels(other, card)
    around, within = (theirs, own) if turn else (own, theirs)
    return {
        "side": CELL * card.size,
        "cell": CELL,
        "squares": _squares(mix(around, within, box.to_list())),
        "box": {"x": CELL * box.x, "y": CELL * box.y, "width": CELL * box.width, "height": CELL * box.height},
    }


def _squares(pixels: Pixels) -> list[dict[str, Any]]:
    return [
        {"x": CELL * x, "y": CELL * y, "colour": "#{:02x}{:02x}{:02x}".format(*np.asarray(pixel).tolist())}
        for y, line in enumerate(pixels)
        for x, pixel in enumerate(line)
    ]


def _said(
    subject: Subject, card: Card, state: State, other: str, box: Box, turn: bool, classes: tuple[int, int]
) -> dict[str, Any]:
    """What a network answered to this mixture, when it has been asked before."""
    first = state.cards[0]
    asked = {"with": other, "box": box.scaled(first.size, card.size).to_list(), "turn": int(turn)}
    row = done(subject, card, "mix", asked)
    if row is None:
        return {"card": card}
    probabilities: Sequence[float] = row.result["probabilities"]
    best = max(range(len(probabilities)), key=lambda index: probabilities[index])
    found: Mapping[str, int] = {name: place for place, name in enumerate(card.labels)}
    names = [first.labels[index] for index in dict.fromkeys(classes)]
    places = [found[name] for name in names if name in found]
    return {
        "card": card,
        "top": _(card.label(best)),
        "confidence": probabilities[best],
        # What it gives to those of the two classes that are not its answer.
        "others": [(_(card.label(place)), probabilities[place]) for place in places if place != best],
    }


figure = Figure(
    slug="cutmix",
    title=gettext_lazy("CutMix"),
    summary=gettext_lazy(
        "Put a rectangle of one picture into another, read the mixed answer, and see what the networks say to it."
    ),
    order=70,
    template="learn/laboratory/cutmix.html",
    context=context,
)
