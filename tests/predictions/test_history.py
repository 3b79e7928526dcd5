"""The history: what it lists, how it is filtered and paged, and how entries go and come back."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from predictions import lifecycle
from predictions.models import Prediction
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

JSON = {"accept": "application/json"}
BARS = [[0, 0, 0.5, 0.5]]


@pytest.fixture
def user() -> User:
    return make_user(time_zone="America/New_York")


@pytest.fixture
def page(user: User, client: Client) -> Client:
    client.force_login(user)
    return client


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def listed(response: Any) -> list[str]:
    return re.findall(r'data-run="([^"]+)"', response.content.decode())


def run_at(user: User, *when: int, network: str = "tiny", first: int = 0) -> Prediction:
    """An answered run made at a moment of UTC."""
    (run,) = make_runs(user, models=(network,))
    finish(run, first=first)
    moment = datetime(*when, tzinfo=UTC)  # type: ignore[misc, arg-type]
    # Times that contradict each other are refused by the database, so all of them move.
    Prediction.objects.filter(pk=run.pk).update(created=moment, started=moment, finished=moment)
    return run


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


# --- filters ------------------------------------------------------------------------------------------------


def test_days_are_whole_inclusive_and_of_the_accounts_zone(page: Client, user: User) -> None:
    # New York is four hours behind UTC in July: its 4th ends at four in the morning of UTC's 5th.
    before = run_at(user, 2026, 7, 4, 3, 59)
    first = run_at(user, 2026, 7, 4, 4, 0)
    last = run_at(user, 2026, 7, 5, 3, 59)
    after = run_at(user, 2026, 7, 5, 4, 0)
    assert listed(page.get("/history/?start=2026-07-04&end=2026-07-04")) == [str(last.pk), str(first.pk)]
    assert listed(page.get("/history/?end=2026-07-03")) == [str(before.pk)]
    assert listed(page.get("/history/?start=2026-07-05")) == [str(after.pk)]


def test_a_network_and_a_class_can_be_chosen(page: Client, user: User) -> None:
    red = run_at(user, 2026, 3, 1, network="tiny", first=0)
    blue = run_at(user, 2026, 3, 2, network="tiny", first=2)
    other = run_at(user, 2026, 3, 3, network="small", first=2)
    assert listed(page.get("/history/?model=tiny")) == [str(blue.pk), str(red.pk)]
    assert listed(page.get("/history/?label=blue")) == [str(other.pk), str(blue.pk)]
    assert listed(page.get("/history/?label=blue&model=tiny")) == [str(blue.pk)]
    html = page.get("/history/?label=blue").content.decode()
    assert '<option value="blue" selected>blue</option>' in html
    assert '<option value="sea_green">sea green</option>' in html


def test_a_batch_can_be_looked_at(page: Client, user: User) -> None:
    runs = make_runs(user, pictures=2, models=("tiny",))
    make_runs(user, models=("tiny",))
    response = page.get(f"/history/?batch={runs[0].batch_id}")
    assert set(listed(response)) == {str(run.pk) for run in runs}
    assert "Filtered by Batch as well." in text(response)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("start=yesterday", "“yesterday” is not a date. Write it as 2026-03-31"),
        ("end=2026-02-30", "“2026-02-30” is not a date."),
        ("start=31.03.2026", "“31.03.2026” is not a date."),
        ("start=2026-03-02&end=2026-03-01", "The last day lies before the first one."),
        ("model=nosuch", "There is no such network."),
        ("label=-10", "There is no class “-10”."),
        ("label=101", "There is no class “101”."),
        ("model=tiny&label=apple", "Tiny has no class “apple”."),
        ("batch=17", "This is not a batch&#x27;s id."),
        ("status=lost", "There is no status “lost”."),
    ],
)
def test_a_filter_that_makes_no_sense_says_so_at_its_field_and_shows_nothing(
    page: Client, user: User, query: str, sentence: str
) -> None:
    run_at(user, 2026, 3, 5)
    response = page.get(f"/history/?{query}")
    assert response.status_code == 200
    assert sentence in text(response)
    assert listed(response) == []
    # Days in the wrong order can be read: the sentence at the field is all there is to say.
    assert ("This filter cannot be read" in text(response)) is ("lies before" not in sentence)


def test_what_was_typed_stays_in_the_field(page: Client, user: User) -> None:
    run_at(user, 2026, 3, 5)
    html = page.get("/history/?start=yesterday&end=2026-03-09").content.decode()
    assert re.search(r'<input type="text" name="start" value="yesterday"', html)
    assert re.search(r'<input type="date" name="end" value="2026-03-09"', html)


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "9999-12-31"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_days_at_the_end_of_the_calendar_are_days(client: Client, day: str, zone: str) -> None:
    user = make_user(time_zone=zone)
    client.force_login(user)
    run_at(user, 2026, 3, 5)
    for name in ("start", "end"):
        assert client.get(f"/history/?{name}={day}").status_code == 200


def test_nothing_that_matches_is_not_nothing_at_all(page: Client, user: User) -> None:
    run_at(user, 2026, 3, 5)
    html = text(page.get("/history/?label=blue"))
    assert "Nothing matches" in html
    assert 'class="filters' in html


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


@pytest.mark.parametrize("number", ["0", "99999", "-1", "two", "1e3", "2"])
def test_a_page_that_is_not_there_says_so_and_leads_back(page: Client, user: User, number: str) -> None:
    run_at(user, 2026, 3, 5)
    response = page.get(f"/history/?model=tiny&page={number}")
    assert response.status_code == 404
    html = text(response)
    assert f"There is no page “{number}”. Your history has 1 page." in html
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
