"""For teachers: what each lesson is for, and all its tasks with their answers."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from learn import lessons
from learn.lessons import Lesson


def context() -> dict[str, Any]:
    """The lessons of the course in their order."""
    course = [one for one in lessons.every() if one.kind == "lesson"]
    return {
        "course": course,
        "minutes": sum(one.minutes for one in course),
        "tasks_together": sum(len(one.tasks) for one in course),
    }


lesson = Lesson(
    slug="teachers",
    title=_("For teachers"),
    summary=_("What each lesson is for, all its tasks with hints and answers, and how to hand them out."),
    order=40,
    template="learn/teachers.html",
    minutes=6,
    kind="page",
    context=context,
)
