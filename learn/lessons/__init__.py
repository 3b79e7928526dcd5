"""The explainers: one module each in this package, found by looking, so that adding one edits no list.

A module offers a module-level ``lesson``, an instance of Lesson.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from django.utils.functional import Promise

from learn.discovery import discover


@dataclass(frozen=True)
class Task:
    """What a student does with a figure of a lesson, graded by the figure's state.

    The lesson's module in static/js/lessons grades it under ``key``. ``hint`` is shown after two misses, ``reason``
    (why it came out as it did) after success, ``solution`` (one way to solve it) to teachers only.
    """

    key: str
    title: str | Promise
    text: str | Promise
    hint: str | Promise
    reason: str | Promise
    solution: str | Promise


@dataclass(frozen=True)
class Guess:
    """A question before a figure. ``choices`` are (value, text), ``right`` is one of the values."""

    key: str
    question: str | Promise
    choices: tuple[tuple[str, str | Promise], ...]
    right: str
    answer: str | Promise

    @property
    def right_choice(self) -> str | Promise:
        return next(text for value, text in self.choices if value == self.right)


@dataclass(frozen=True)
class Lesson:
    """One explainer. ``context`` is called at each request and gives the template its data.

    A page is only read. A lesson has a number, an ``aim`` (what one can do after it), tasks, and what to take away;
    ``formerly`` are addresses it had before, which lead here and whose progress is kept.
    """

    slug: str
    title: str | Promise
    summary: str | Promise
    order: int
    template: str
    minutes: int
    kind: Literal["page", "lesson"] = "lesson"
    context: Callable[[], dict[str, Any]] = dict
    number: int = 0
    aim: str | Promise = ""
    tasks: tuple[Task, ...] = ()
    formerly: tuple[str, ...] = ()

    def task(self, key: str) -> Task | None:
        return next((one for one in self.tasks if one.key == key), None)

    def guesses(self) -> list[Guess]:
        """The guesses among what the template is given, in that order."""
        return [one for one in self.context().values() if isinstance(one, Guess)]


@cache
def every() -> tuple[Lesson, ...]:
    """All explainers in reading order. Raises ValueError when two claim one slug."""
    package = sys.modules[__name__]
    found = discover(
        package, "lesson", Lesson, lambda lesson: lesson.slug, "Two lessons claim the address %r."
    )
    return tuple(sorted(found.values(), key=lambda one: (one.order, one.slug)))


def find(slug: str) -> Lesson | None:
    """The explainer at ``slug``, or None."""
    return next((one for one in every() if one.slug == slug), None)


def named(slug: str) -> Lesson | None:
    """The explainer that is at ``slug`` now or was there before, or None."""
    return find(slug) or next((one for one in every() if slug in one.formerly), None)


def neighbours(lesson: Lesson) -> tuple[Lesson | None, Lesson | None]:
    """The explainers of its kind to read before and after ``lesson``."""
    order = [one for one in every() if one.kind == lesson.kind]
    place = order.index(lesson)
    before = order[place - 1] if place else None
    after = order[place + 1] if place + 1 < len(order) else None
    return before, after
