"""Every lesson keeps what a lesson promises: prose of some length, guesses, tasks with hints and reasons, sources."""

from __future__ import annotations

import html
import re

import pytest
from django.urls import reverse

from learn import glossary, laboratory, lessons

pytestmark = pytest.mark.django_db

LESSONS = [lesson for lesson in lessons.every() if lesson.kind == "lesson"]
WORDS = range(600, 1201)


def page_of(client, lesson):
    answer = client.get(reverse("learn:page", args=[lesson.slug]))
    assert answer.status_code == 200
    return answer.content.decode()


def prose(page):
    """The words of the lesson itself, without tasks, guesses, tables and sources."""
    body = page.partition('data-lesson="')[2].partition('class="sources prose"')[0]
    body = re.sub(r"(?s)<(table|fieldset|noscript|script)\b.*?</\1>", " ", body)
    body = re.sub(r'(?s)<section class="task.*?</section>', " ", body)
    return html.unescape(re.sub(r"(?s)<[^>]*>", " ", body)).split()


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.slug)
def test_a_lesson_is_neither_a_note_nor_a_book(client, lesson):
    assert len(prose(page_of(client, lesson))) in WORDS


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.slug)
def test_it_has_an_aim_three_tasks_with_hint_and_reason_a_guess_and_sources(client, lesson):
    page = page_of(client, lesson)
    assert lesson.aim
    assert len(lesson.tasks) >= 3
    keys = re.findall(r'data-task="([^"]+)"', page)
    assert sorted(keys) == sorted(task.key for task in lesson.tasks)
    for task in lesson.tasks:
        for text in (task.title, task.text, task.hint, task.reason):
            assert html.escape(str(text), quote=True).replace("&#x27;", "&#39;") in page.replace(
                "&#x27;", "&#39;"
            )
    for right, block in re.findall(r'(?s)data-right="([^"]+)">(.*?)</fieldset>', page):
        assert f'value="{right}"' in block
    assert re.findall(r'data-predict="([^"]+)"', page) == [guess.key for guess in lesson.guesses()]
    assert page.partition('id="sources"')[2].count("<li>") >= 2
    assert page.partition('id="take-away"')[2].partition("sources")[0].count("<li>") >= 3


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.slug)
def test_each_task_is_graded_by_a_figure_that_the_lesson_shows(client, lesson):
    page = page_of(client, lesson)
    shown = set(re.findall(r'data-figure="([^"]+)"', page))
    of = re.findall(r'data-of="([^"]+)"', page)
    assert set(of) <= shown
    # Each task leads back to its figure, and nothing else has the figure's address.
    assert re.findall(r'<a class="small task-figure" href="#figure-([^"]+)"', page) == of
    assert all(page.count(f'id="figure-{name}"') == 1 for name in shown)
    slugs = set(re.findall(r"/learn/laboratory/([^/]+)/lesson/", page))
    assert slugs <= {figure.slug for figure in laboratory.every()}


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.slug)
def test_numbers_count_the_lessons_of_the_course(lesson):
    assert 1 <= lesson.number <= 11
    assert lesson.order == 100 + lesson.number


def test_the_glossary_explains_every_word_that_a_page_links_to(client):
    page = client.get(reverse("learn:page", args=["glossary"])).content.decode()
    for address in glossary.addresses().values():
        assert f'id="{address.partition("#")[2]}"' in page
    for lesson in LESSONS:
        linked = re.findall(r'href="/learn/glossary/#([^"]*)"', page_of(client, lesson))
        assert linked
        for slug in linked:
            assert f'<div id="{slug}">' in page


def test_only_this_site_may_frame_a_figure_of_a_lesson_and_only_its_pages_hold_frames(client):
    figure = client.get("/learn/laboratory/belief/lesson/")
    assert figure.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in figure.headers["Content-Security-Policy"]
    lesson = client.get("/learn/confidence/")
    assert "frame-src 'self'" in lesson.headers["Content-Security-Policy"]
    assert lesson.headers["X-Frame-Options"] == "DENY"


def test_a_figure_that_does_not_exist_is_no_frame(client):
    assert client.get("/learn/laboratory/no-such/lesson/").status_code == 404


def test_a_part_of_a_figure_can_be_named_and_a_strange_one_shows_all(client):
    whole = client.get("/learn/laboratory/belief/lesson/").content.decode()
    part = client.get("/learn/laboratory/belief/lesson/?part=columns").content.decode()
    strange = client.get('/learn/laboratory/belief/lesson/?part="><script>').content.decode()
    assert "data-part=" not in whole
    assert 'data-part="columns"' in part
    assert "><script>" not in strange.partition("<head>")[0]
