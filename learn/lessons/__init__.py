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
class Lesson:
    """One explainer. ``context`` is called at each request and gives the template its data."""

    slug: str
    title: str | Promise
    summary: str | Promise
    order: int
    template: str
    minutes: int
    kind: Literal["page", "lesson"] = "lesson"
    context: Callable[[], dict[str, Any]] = dict


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


def neighbours(lesson: Lesson) -> tuple[Lesson | None, Lesson | None]:
    """The explainers to read before and after ``lesson``."""
    order = every()
    place = order.index(lesson)
    before = order[place - 1] if place else None
    after = order[place + 1] if place + 1 < len(order) else None
    return before, after
