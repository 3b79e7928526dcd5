"""What rose, what fell: runs beside one another on their own page and on that of one picture."""

from __future__ import annotations

import re
import uuid
from html import unescape

import pytest
from django.test import Client

from accounts.models import User
from predictions import comparison, inference, lifecycle
from predictions.groups import group_of
from predictions.models import Distribution, Prediction
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


def text_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def covered_run(user: User) -> Prediction:
    """A run with its clean one beside it: class 2 rises from 10 to 50%, classes 0 and 1 leave the five."""
    (run,) = make_runs(user, models=("tiny",), bars=[[0, 0, 0.5, 0.5]])
    assert run.clean_run
    finish(run.clean_run, 0.6, 0.2, 0.1, 0.05, 0.01)
    finish(run, 0.5, 0.1, 0.1, 0.05, 0.01, first=2)
    run.refresh_from_db()
    return run


def keep(run: Prediction, **probabilities: float) -> None:
    values = [0.0] * run.model.classes
    for name, value in probabilities.items():
        values[int(name.removeprefix("c"))] = value
    Distribution.of(run, values).save()


def test_the_page_of_a_covered_picture_says_what_the_bars_changed(page: Client, user: User) -> None:
    run = covered_run(user)
    said = text_of(page.get(f"/predictions/{run.pk}/").content.decode())
    assert "What the bars changed" in said
    assert "10.0% → to 50.0% +40.0" in said


def test_what_was_not_kept_is_said_and_not_guessed(page: Client, user: User) -> None:
    run = covered_run(user)
    said = text_of(page.get(f"/predictions/{run.pk}/").content.decode())
    assert "60.0% → to not kept" in said


def test_with_all_probabilities_kept_every_change_is_exact(page: Client, user: User) -> None:
    run = covered_run(user)
    assert run.clean_run
    keep(run.clean_run, c0=0.6, c1=0.2, c2=0.1, c3=0.05, c4=0.01, c5=0.004)
    keep(run, c0=0.123, c1=0.2, c2=0.5, c3=0.1, c4=0.1, c5=0.05, c6=0.01)
    said = text_of(page.get(f"/predictions/{run.pk}/").content.decode())
    assert "60.0% → to 12.3% \N{MINUS SIGN}47.7" in said
    assert "fell by 47.7 points" in said
    assert "rose by 40.0 points" in said


def test_the_worker_keeps_all_probabilities(user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    inference.drain()
    run.refresh_from_db()
    values = run.distribution.values
    assert len(values) == run.model.classes
    assert sum(values) == pytest.approx(1, abs=1e-5)
    assert max(values) == pytest.approx(run.probability1)


def test_two_networks_on_one_picture_stand_on_one_scale(page: Client, user: User) -> None:
    runs = make_runs(user)
    assert len(runs) == 2
    inference.drain()
    html = page.get(f"/predictions/{runs[0].pk}/").content.decode()
    assert "Where the networks differ" in html
    assert html.count('class="axis"') == html.count('<th scope="row">')


def test_networks_with_bars_share_their_rows(user: User) -> None:
    runs = make_runs(user, bars=[[0, 0, 0.5, 0.5]])
    inference.drain()
    group = group_of(user, runs[0].pk)
    assert group
    found = comparison.of_group(group)
    assert found
    assert len(found.pairs) == len(runs)
    assert all(len(row.changes) == len(runs) for row in found.rows)
    assert len(found.sentences) == len(runs)


def test_one_answer_alone_is_not_compared(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    finish(run)
    assert "compare-wrap" not in page.get(f"/predictions/{run.pk}/").content.decode()


def test_any_two_predictions_are_compared(page: Client, user: User) -> None:
    first, second = make_runs(user, pictures=2, models=("tiny",))
    finish(first, 0.7, 0.1)
    finish(second, 0.2, 0.1)
    html = page.get(f"/compare/?a={first.pk}&b={second.pk}").content.decode()
    said = text_of(html)
    assert "70.0% → to 20.0% \N{MINUS SIGN}50.0" in said
    assert f"?a={second.pk}&amp;b={first.pk}" in html


def test_a_prediction_without_an_answer_is_shown_but_not_compared(page: Client, user: User) -> None:
    first, second = make_runs(user, pictures=2, models=("tiny",))
    finish(first)
    response = page.get(f"/compare/?a={first.pk}&b={second.pk}")
    assert response.status_code == 200
    assert "no answer yet" in text_of(response.content.decode())


@pytest.mark.parametrize(("query", "status"), [("", 200), ("?a=x&b=y", 200), ("?a={run}", 422)])
def test_without_two_predictions_the_page_says_how_to_choose(
    page: Client, user: User, query: str, status: int
) -> None:
    (run,) = make_runs(user, models=("tiny",))
    response = page.get("/compare/" + query.format(run=run.pk))
    assert response.status_code == status
    assert "Two predictions are needed" in response.content.decode()


def test_what_belongs_to_others_or_was_deleted_is_not_there(page: Client, user: User) -> None:
    first, second = make_runs(user, pictures=2, models=("tiny",))
    (others,) = make_runs(make_user(), models=("tiny",))
    for b in (others.pk, uuid.uuid4()):
        assert page.get(f"/compare/?a={first.pk}&b={b}").status_code == 404
    lifecycle.delete(user, [second.pk])
    assert page.get(f"/compare/?a={first.pk}&b={second.pk}").status_code == 404


def test_two_that_were_ticked_in_the_history_are_led_to_their_comparison(page: Client, user: User) -> None:
    first, second = make_runs(user, pictures=2, models=("tiny",))
    response = page.post("/compare/", {"id": [str(first.pk), str(second.pk)], "query": "sort=name"})
    assert response["Location"] == f"/compare/?a={first.pk}&b={second.pk}"


@pytest.mark.parametrize("number", [0, 1, 3])
def test_any_other_number_is_told_to_tick_two(page: Client, user: User, number: int) -> None:
    runs = make_runs(user, pictures=3, models=("tiny",))
    body = {"id": [str(run.pk) for run in runs[:number]], "query": "sort=name"}
    response = page.post("/compare/", body, follow=True)
    assert response.redirect_chain == [("/history/?sort=name", 302)]
    assert "Select exactly two predictions to compare them." in text_of(response.content.decode())
