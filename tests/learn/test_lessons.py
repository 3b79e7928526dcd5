"""The explainers are found, listed and served; nothing links to one that is not there."""

from __future__ import annotations

import pkgutil
import re
from itertools import pairwise

import pytest
from django.template.loader import get_template
from django.urls import reverse

from learn import laboratory, lessons

pytestmark = pytest.mark.django_db


def test_every_module_in_the_package_is_a_lesson():
    modules = list(pkgutil.iter_modules(lessons.__path__))
    assert len(lessons.every()) == len(modules) >= 2


def test_the_two_pages_are_complete():
    assert {lesson.slug for lesson in lessons.every()} >= {"overview", "networks"}


def test_lessons_come_in_their_order_and_have_a_template():
    every = lessons.every()
    assert [lesson.order for lesson in every] == sorted(lesson.order for lesson in every)
    for lesson in every:
        assert get_template(lesson.template)
        assert lesson.minutes > 0


def test_the_index_names_every_lesson(client):
    html = client.get(reverse("learn:index")).content.decode()
    for lesson in lessons.every():
        assert reverse("learn:page", args=[lesson.slug]) in html
        assert str(lesson.title) in html


def test_every_lesson_is_served_to_anybody(client, artifacts):
    for lesson in lessons.every():
        response = client.get(reverse("learn:page", args=[lesson.slug]))
        assert response.status_code == 200
        assert f"<h1>{lesson.title}</h1>" in response.content.decode()


def test_no_page_links_to_a_lesson_that_is_not_there(client, artifacts):
    known = {reverse("learn:page", args=[lesson.slug]) for lesson in lessons.every()} | {
        reverse("learn:index")
    }
    pages = ["/", *sorted(known)]
    known |= {reverse("learn:laboratory"), reverse("learn:own-classes")}
    known |= {reverse("learn:laboratory-figure", args=[one.slug]) for one in laboratory.every()}
    for page in pages:
        links = set(re.findall(r'href="(/learn/[^"#?]*)', client.get(page).content.decode()))
        assert links <= known


@pytest.mark.parametrize("kind", ["page", "lesson"])
def test_neighbours_lead_from_the_first_of_a_kind_to_the_last(kind):
    every = [one for one in lessons.every() if one.kind == kind]
    assert lessons.neighbours(every[0])[0] is None
    assert lessons.neighbours(every[-1])[1] is None
    for before, after in pairwise(every):
        assert lessons.neighbours(before)[1] is after
        assert lessons.neighbours(after)[0] is before


@pytest.mark.parametrize("slug", ["no-such-lesson", "index", "__init__"])
def test_an_unknown_lesson_is_not_found(client, slug):
    assert client.get(f"/learn/{slug}/").status_code == 404


def test_a_lesson_takes_no_post(client):
    assert client.post(reverse("learn:page", args=["overview"])).status_code == 405
