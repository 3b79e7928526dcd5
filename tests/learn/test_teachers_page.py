"""For teachers: aims, tasks and answers of the whole course on one page."""

from __future__ import annotations

import html

import pytest
from django.urls import reverse

from learn import lessons

pytestmark = pytest.mark.django_db


def test_every_lesson_is_there_with_its_aim_and_every_task_with_hint_and_answer(client):
    page = html.unescape(client.get(reverse("learn:page", args=["teachers"])).content.decode())
    course = [lesson for lesson in lessons.every() if lesson.kind == "lesson"]
    minutes, tasks = sum(one.minutes for one in course), sum(len(one.tasks) for one in course)
    assert f"{len(course)} lessons of {minutes} minutes in all, with {tasks} tasks." in page
    for lesson in course:
        assert str(lesson.aim) in page
        assert f'href="#tasks-{lesson.slug}"' in page
        assert f'id="tasks-{lesson.slug}"' in page
        for task in lesson.tasks:
            for text in (task.title, task.text, task.hint, task.reason, task.solution):
                assert str(text) in page
        assert lesson.guesses()
        for guess in lesson.guesses():
            for text in (guess.question, guess.right_choice, guess.answer):
                assert str(text) in page


def test_students_are_not_told_how_a_task_is_solved(client):
    for lesson in lessons.every():
        if lesson.kind == "lesson":
            page = html.unescape(client.get(reverse("learn:page", args=[lesson.slug])).content.decode())
            assert not [task.key for task in lesson.tasks if str(task.solution) in page]
