"""Solved tasks: kept for an account, read by today's lessons, handed over and forgotten with it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from django.urls import reverse

from accounts import registry
from learn import lessons, progress
from learn.models import SolvedTask
from tests.factories import make_user

pytestmark = pytest.mark.django_db

NOTE = "/learn/progress/"
JSON = {"accept": "application/json"}


def solved(client, *names):
    return client.post(NOTE, {"solved": names}, headers=JSON)


def given(client, page="confidence"):
    """What the page tells its script."""
    html = client.get(reverse("learn:page", args=[page])).content.decode()
    found = re.search(r'<script id="lesson-progress" type="application/json">(.*?)</script>', html)
    assert found
    return json.loads(found[1])


def test_what_was_solved_is_there_on_the_next_page(client):
    client.force_login(make_user())
    assert solved(client, "confidence:doubt", "confidence:never").json() == {
        "solved": ["confidence:doubt", "confidence:never"]
    }
    assert given(client)["solved"] == ["confidence:doubt", "confidence:never"]


def test_the_same_task_solved_in_two_tabs_counts_once(client):
    client.force_login(make_user())
    for _ in range(2):
        answer = solved(client, "confidence:doubt", "confidence:doubt")
    assert answer.json() == {"solved": ["confidence:doubt"]}
    assert SolvedTask.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["confidence:no-such", "no-such:doubt", "overview:", ":", "", "confidence", "x" * 9000]
)
def test_what_does_not_exist_is_not_kept(client, name):
    client.force_login(make_user())
    assert solved(client, name).json() == {"solved": []}
    assert not SolvedTask.objects.exists()


def test_a_visitor_is_sent_to_the_login_and_nothing_is_kept(client):
    answer = solved(client, "confidence:doubt")
    assert answer.status_code == 401
    assert "Log in" in answer.json()["error"]["message"]
    assert not SolvedTask.objects.exists()
    assert given(client)["account"] is False


def test_progress_is_ones_own(client):
    one, other = make_user(), make_user()
    progress.note(one, [("confidence", "doubt")])
    client.force_login(other)
    assert given(client)["solved"] == []


def test_a_lesson_that_was_renamed_keeps_its_progress_and_its_old_address(client, monkeypatch):
    user = make_user()
    progress.note(user, [("confidence", "doubt")])
    renamed = replace(lessons.find("confidence"), slug="belief", formerly=("confidence",))
    monkeypatch.setattr(lessons, "every", lambda: (renamed,))
    assert progress.of(user) == [("belief", "doubt")]
    assert progress.note(user, [("confidence", "never")]) == [("belief", "never")]
    answer = client.get("/learn/confidence/")
    assert (answer.status_code, answer["Location"]) == (301, "/learn/belief/")


def test_a_task_that_is_gone_is_left_out_and_stays_stored(monkeypatch):
    user = make_user()
    progress.note(user, [("confidence", "doubt"), ("confidence", "never")])
    lesson = lessons.find("confidence")
    shorter = replace(lesson, tasks=tuple(task for task in lesson.tasks if task.key != "doubt"))
    monkeypatch.setattr(lessons, "every", lambda: (shorter,))
    assert progress.of(user) == [("confidence", "never")]
    assert SolvedTask.objects.count() == 2


def test_an_export_names_it_and_an_erasure_takes_it_along():
    user = make_user()
    progress.note(user, [("confidence", "doubt")])
    rows = list(registry.exporters()["learn"](user)["lessons"])
    assert [(row["lesson"], row["task"]) for row in rows] == [("confidence", "doubt")]
    registry.forget(user)
    assert not SolvedTask.objects.exists()
