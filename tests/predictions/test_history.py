"""The history: what it lists, how it is paged, and how entries go and come back."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from predictions import lifecycle, quotas
from predictions.models import Prediction
from tests.factories import finish, make_runs, make_user
from tests.predictions.history_pages import BARS, JSON, listed, run_at, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


@pytest.fixture
def user() -> User:
    return make_user(time_zone="America/New_York")


@pytest.fixture
def page(user: User, client: Client) -> Client:
    client.force_login(user)
    return client


# --- what is listed -----------------------------------------------------------------------------------------


def test_an_empty_history_invites(page: Client) -> None:
    html = text(page.get("/history/"))
    assert "Nothing here yet" in html
    assert "data-history-count" not in html
    assert 'class="filters' not in html


def test_ones_own_runs_are_listed_newest_first_and_nobody_elses(page: Client, user: User) -> None:
    older = run_at(user, 2026, 3, 1)
    newer = run_at(user, 2026, 3, 2)
    make_runs(make_user(), models=("tiny",))
    assert listed(page.get("/history/")) == [str(newer.pk), str(older.pk)]


def test_an_entry_has_thumbnail_network_answer_probability_and_date(page: Client, user: User) -> None:
    run = run_at(user, 2026, 3, 2, 3, 30)
    html = text(page.get("/history/"))
    for words in (
        "Tiny",
        "red",
        "60.0%",
        "March 1, 2026, 10:30 p.m.",
        f"/pictures/{run.upload_id}/?size=thumb",
    ):
        assert words in html
    assert run.get_absolute_url() in html


def test_a_covered_run_is_one_entry_that_also_says_what_came_without_bars(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    finish(run, 0.4, first=2)
    finish(run.clean_run, 0.9, first=5)
    response = page.get("/history/")
    assert listed(response) == [str(run.pk)]
    html = text(response)
    assert "covered" in html
    assert "without bars: sea green 90.0%" in html


def test_strangers_are_sent_to_the_login_page(client: Client) -> None:
    assert client.get("/history/?page=2")["Location"] == "/accounts/login/?next=/history/%3Fpage%3D2"
    assert client.post("/predictions/delete/")["Location"] == "/accounts/login/?next=/predict/"
    assert client.post("/predictions/undo/", headers=JSON).status_code == 401


def test_the_database_is_asked_as_often_for_many_as_for_few(page: Client, user: User) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            page.get("/history/")
        return len(asked)

    for run in make_runs(user, bars=BARS):
        finish(run)
    count()
    few = count()
    for run in make_runs(user, pictures=8, bars=BARS):
        finish(run)
        finish(run.clean_run)
    assert count() == few


# --- pages --------------------------------------------------------------------------------------------------


def test_pages_are_numbered_and_keep_the_filter(page: Client, user: User) -> None:
    for run in make_runs(user, pictures=25, models=("tiny",)):
        finish(run)
    first = page.get("/history/?model=tiny")
    second = page.get("/history/?model=tiny&page=2")
    assert (len(listed(first)), len(listed(second))) == (24, 1)
    assert not set(listed(first)) & set(listed(second))
    assert "?model=tiny&amp;page=2" in first.content.decode()
    assert "25 predictions" in text(first)
    assert "25 predictions" in text(second)


def test_a_page_of_many_asks_for_no_more_than_its_rows(page: Client, user: User) -> None:
    make_runs(user, pictures=25, models=("tiny",))
    page.get("/history/?page=2")
    with CaptureQueriesContext(connection) as asked:
        page.get("/history/?page=2")
    rows = [query["sql"] for query in asked if "predictions_upload" in query["sql"]]
    assert len(rows) == 1
    # The first page is full, so all are counted; the last one is not, and tells their number by itself.
    counted = [query for query in asked if "COUNT(*)" in query["sql"]]
    assert counted == []
    with CaptureQueriesContext(connection) as asked:
        page.get("/history/")
    assert len([query for query in asked if "COUNT(*)" in query["sql"]]) == 1


@pytest.mark.parametrize("number", ["0", "99999", "-1", "two", "1e3", "2", "9" * 30])
def test_a_page_that_is_not_there_says_so_and_leads_back(page: Client, user: User, number: str) -> None:
    run_at(user, 2026, 3, 5)
    response = page.get(f"/history/?model=tiny&page={number}")
    assert response.status_code == 404
    html = text(response)
    assert f"There is no page “{number[:20]}”. Your history has 1 page." in html
    assert "?model=tiny&amp;page=1" in html


# --- deleting -----------------------------------------------------------------------------------------------


def test_a_script_deletes_and_brings_back(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    answer = page.post("/predictions/delete/", {"id": str(run.pk)}, headers=JSON).json()
    assert answer == {"deleted": [str(run.pk)], "seconds": 10, "message": "The prediction is deleted."}
    assert listed(page.get("/history/")) == []
    assert page.get(run.get_absolute_url()).status_code == 404
    assert page.post("/predictions/undo/", {"id": str(run.pk)}, headers=JSON).json() == {"restored": 1}
    assert listed(page.get("/history/")) == [str(run.pk)]
    assert "Without bars" in text(page.get(run.get_absolute_url()))


def test_many_are_deleted_at_once_and_come_back_together(page: Client, user: User) -> None:
    runs = make_runs(user, pictures=3, models=("tiny",))
    ids = [str(run.pk) for run in runs[:2]]
    answer = page.post("/predictions/delete/", {"id": ids}, headers=JSON).json()
    assert sorted(answer["deleted"]) == sorted(ids)
    assert answer["message"] == "2 predictions are deleted."
    assert listed(page.get("/history/")) == [str(runs[2].pk)]
    assert page.post("/predictions/undo/", {"id": ids}, headers=JSON).json() == {"restored": 2}
    assert len(listed(page.get("/history/"))) == 3


def test_without_a_script_many_are_ticked_deleted_and_brought_back(page: Client, user: User) -> None:
    runs = make_runs(user, pictures=2, models=("tiny",))
    html = page.get("/history/").content.decode()
    assert html.count('form="selection"') == 2
    page.post("/predictions/delete/", {"id": [str(run.pk) for run in runs], "query": ""})
    html = text(page.get("/history/"))
    assert "2 predictions are deleted. For ten seconds they can come back." in html
    response = page.post("/predictions/undo/", {"id": [str(run.pk) for run in runs]}, follow=True)
    assert "2 predictions are back." in text(response)


def test_deleting_nothing_says_what_to_do(page: Client) -> None:
    response = page.post("/predictions/delete/", {"query": ""}, follow=True)
    assert "Nothing was selected. Select at least one prediction first." in text(response)


def test_when_all_of_the_last_page_is_deleted_the_page_before_it_shows_the_undo(
    page: Client, user: User
) -> None:
    make_runs(user, pictures=25, models=("tiny",))
    (last,) = listed(page.get("/history/?page=2"))
    response = page.post("/predictions/delete/", {"id": last, "query": "page=2"}, follow=True)
    assert response.status_code == 200
    assert "The prediction is deleted." in text(response)
    assert len(listed(response)) == 24


def test_an_undo_that_comes_too_late_says_so(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    lifecycle.delete(user, [run.pk])
    Prediction.objects.filter(pk=run.pk).update(deleted=timezone.now() - timedelta(minutes=1))
    response = page.post("/predictions/undo/", {"id": str(run.pk)}, headers=JSON)
    assert response.status_code == 410
    assert "too late" in response.json()["error"]["message"]


def test_nobody_deletes_or_brings_back_somebody_elses(page: Client) -> None:
    owner = make_user()
    (run,) = make_runs(owner, models=("tiny",))
    assert page.post("/predictions/delete/", {"id": str(run.pk)}, headers=JSON).json()["deleted"] == []
    assert Prediction.objects.of(owner).exists()
    lifecycle.delete(owner, [run.pk])
    assert page.post("/predictions/undo/", {"id": str(run.pk)}, headers=JSON).status_code == 410
    assert not Prediction.objects.of(owner).exists()


def test_without_a_script_the_page_offers_the_undo_once(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    response = page.post("/predictions/delete/", {"id": str(run.pk), "query": "model=tiny"})
    assert response["Location"] == "/history/?model=tiny"
    html = text(page.get(response["Location"]))
    assert "The prediction is deleted." in html
    assert f'name="id" value="{run.pk}"' in html
    assert "The prediction is deleted." not in text(page.get("/history/"))
    response = page.post("/predictions/undo/", {"id": str(run.pk), "query": "model=tiny"})
    assert response["Location"] == "/history/?model=tiny"
    response = page.get("/history/")
    assert listed(response) == [str(run.pk)]
    assert "The prediction is back." in text(response)


def test_without_a_script_an_undo_that_comes_too_late_says_so(page: Client) -> None:
    response = page.post("/predictions/undo/", {"id": str(uuid.uuid4())}, follow=True)
    assert "It was too late: the prediction is gone." in text(response)


def test_the_way_back_never_leaves_the_site(page: Client) -> None:
    for query in ("//evil.example/", "https://evil.example/?a=b", "\r\nLocation: https://evil.example"):
        assert page.post("/predictions/delete/", {"query": query})["Location"].startswith("/history/?")


def test_ids_that_are_none_delete_nothing(page: Client, user: User) -> None:
    make_runs(user, models=("tiny",))
    answer = page.post("/predictions/delete/", {"id": ["1", "", "x" * 5000]}, headers=JSON).json()
    assert answer["deleted"] == []
    assert Prediction.objects.of(user).count() == 1


def test_what_was_deleted_already_is_said_in_a_sentence_of_its_own(page: Client, user: User) -> None:
    run, other = make_runs(user, pictures=2, models=("tiny",))
    lifecycle.delete(user, [run.pk, other.pk])
    answer = page.post("/predictions/delete/", {"id": str(run.pk)}, headers=JSON).json()
    assert (answer["deleted"], answer["message"]) == ([], "The prediction was deleted already.")
    ids = [str(run.pk), str(other.pk)]
    answer = page.post("/predictions/delete/", {"id": ids}, headers=JSON).json()
    assert answer["message"] == "The predictions were deleted already."
    html = text(page.post("/predictions/delete/", {"id": ids, "query": ""}, follow=True))
    assert "The predictions were deleted already." in html


def test_what_would_wait_beyond_the_quota_does_not_come_back(
    page: Client, user: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    (run,) = make_runs(user, models=("tiny",))
    lifecycle.delete(user, [run.pk])
    monkeypatch.setattr(quotas, "QUOTA_IN_FLIGHT", 0)
    response = page.post("/predictions/undo/", {"id": str(run.pk)}, headers=JSON)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "quota")
    html = text(page.post("/predictions/undo/", {"id": str(run.pk), "query": ""}, follow=True))
    assert "still waiting" in html
