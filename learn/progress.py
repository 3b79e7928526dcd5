"""Which tasks of the lessons a person has solved.

Kept here for an account; a visitor's stay in the browser and come here with the first page after signing up or in
(static/js/lessons/progress.js). Lessons may be renamed and lose tasks: what is stored is read by today's lessons.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from learn import lessons
from learn.models import SolvedTask

Pair = tuple[str, str]


def known(pairs: Iterable[Pair]) -> list[Pair]:
    """The pairs (lesson, task) that exist, under the names they have today, each once and in their order."""
    found = []
    for slug, key in pairs:
        lesson = lessons.named(slug)
        if lesson is not None and lesson.task(key) is not None:
            found.append((lesson.slug, key))
    return list(dict.fromkeys(found))


def of(user: Any) -> list[Pair]:
    """What ``user`` has solved; nothing for nobody."""
    if not user.is_authenticated:
        return []
    return known(SolvedTask.objects.filter(owner=user).order_by("solved", "pk").values_list("lesson", "task"))


def note(user: Any, pairs: Iterable[Pair]) -> list[Pair]:
    """Notes that ``user`` has solved these; what does not exist is left out. Returns what was kept. Asked twice, it
    is the same.
    """
    kept = known(pairs)
    now = timezone.now()
    SolvedTask.objects.bulk_create(
        [SolvedTask(owner=user, lesson=slug, task=key, solved=now) for slug, key in kept],
        ignore_conflicts=True,
    )
    return kept
