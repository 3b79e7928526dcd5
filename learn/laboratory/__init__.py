"""The laboratory's figures: one module each in this package, found by looking, so that adding one edits no list.

A module offers a module-level ``figure``, an instance of Figure.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from learn.discovery import discover
from learn.stored import SIDES
from ml.artifact import Card

if TYPE_CHECKING:
    from learn.subjects import Subject

MAX_TEXT = 200
"""Longer than any layer's name: what an address says is repeated in sentences."""


FAR = 10**9
"""No channel, row or column has such a number."""


@dataclass
class State:
    """What the address of a figure asks for, and what in it does not exist.

    ``card`` is the chosen network's, ``cards`` are all that can be looked into. A figure reads its own keys, shows the
    nearest thing that exists and calls ``say`` with a sentence about each that does not.
    """

    card: Card
    cards: Sequence[Card]
    query: Mapping[str, str]
    corrections: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        """A sentence on top of the page."""
        if sentence not in self.corrections:
            self.corrections.append(sentence)

    def text(self, key: str, default: str = "") -> str:
        return self.query.get(key, default)[:MAX_TEXT]

    def number(self, key: str, default: float) -> float:
        """NaN for what is no number; ``inf`` and the like count as none."""
        try:
            value = float(self.query.get(key, default))
        except ValueError:
            return math.nan
        return value if math.isfinite(value) else math.nan

    def whole(self, key: str, default: int) -> int | None:
        """A whole number, or None for anything else."""
        value = self.number(key, default)
        return int(value) if value.is_integer() else None

    def place(self, key: str, count: int, standard: int, sentence: str, first: int = 1) -> int:
        """One of ``count`` places, the nearest to what the address says; its numbers are from 0. ``sentence`` names
        the ``value`` that does not exist, the ``last`` that does and the one that is ``shown``, counted from ``first``.
        """
        text = self.text(key).strip()
        if not text:
            return standard
        number = self.whole(key, standard)
        shown = standard if number is None else min(max(number, 0), count - 1)
        if shown != number:
            value = counted(text, number, first)
            self.say(sentence % {"value": value, "last": count - 1 + first, "shown": shown + first})
        return shown

    def side(self, subject: Subject) -> str:
        """Which of the two pictures is looked at; the whole one where there is no other."""
        side = self.text("side", "clean") or "clean"
        if side not in SIDES:
            self.say(
                _("“%(value)s” is neither clean nor covered. The whole picture is shown.")
                % {"value": side[:40]}
            )
            return "clean"
        if side == "covered" and not subject.covered:
            self.say(_("There are no bars on this picture. The whole picture is shown."))
            return "clean"
        return side


def counted(text: str, number: int | None, first: int) -> str:
    """What an address asks for, as a sentence repeats it: counted from ``first``. What is no place stays as it is."""
    if not first or number is None or abs(number) >= FAR:
        return text[:20]
    return str(number + first)


@dataclass(frozen=True)
class Figure:
    """One figure of the laboratory. ``summary`` says in one sentence what one can find out with it; ``short`` is what
    it is called where all of them stand beside each other, by default its title. ``pictured``: it shows something about
    the picture that is looked at; one that is about networks only keeps the picture for the others, and is always about
    the first sample. ``barred``: bars play a part in it; one without them shows the whole picture.

    ``context(request, subject, state)`` gives the template its data, among it what the page shows without scripts. In
    an embedded frame the request is nobody's.
    """

    slug: str
    title: str | Promise
    summary: str | Promise
    order: int
    template: str
    context: Callable[[HttpRequest, Subject, State], dict[str, Any]]
    short: str | Promise = ""
    pictured: bool = True
    barred: bool = True


@cache
def every() -> tuple[Figure, ...]:
    """All figures in their order. Raises ValueError when two claim one slug."""
    package = sys.modules[__name__]
    found = discover(
        package, "figure", Figure, lambda figure: figure.slug, "Two figures claim the address %r."
    )
    return tuple(sorted(found.values(), key=lambda one: (one.order, one.slug)))


def find(slug: str) -> Figure | None:
    """The figure at ``slug``, or None."""
    return next((one for one in every() if one.slug == slug), None)
