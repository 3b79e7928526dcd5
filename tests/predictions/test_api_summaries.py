"""What the API says about all that its filters find: a CSV file, the days; and the place of what waits."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import User
from predictions import lifecycle
from predictions.models import Heartbeat, Prediction
from tests.api import PREDICTIONS, Api, error_of
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]
EXPORT = f"{PREDICTIONS}export.csv"
ACTIVITY = f"{PREDICTIONS}activity/"


@pytest.fixture
def owner() -> User:
    return make_user(time_zone="America/New_York")


@pytest.fixture
def api(owner: User) -> Api:
    return Api(owner)


def exported(api: Api, **query: Any) -> list[dict[str, str]]:
    response = api.get(EXPORT, **query)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/csv")
    assert "attachment" in response["Content-Disposition"]
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


def run_at(owner: User, *moment: int) -> Prediction:
    (run,) = make_runs(owner, models=("tiny",))
    Prediction.objects.filter(pk=run.pk).update(created=datetime(*moment, tzinfo=UTC))  # type: ignore[misc,arg-type]
    run.refresh_from_db()
    return run


# --- the file ----------------------------------------------------------------------------------------------


def test_the_file_has_what_the_list_has_with_times_of_utc(api: Api, owner: User) -> None:
    run = finish(run_at(owner, 2026, 3, 31, 23, 30))
    lifecycle.rename(owner, run.upload, "=fox.png")
    (row,) = exported(api)
    assert (row["id"], row["file name"], row["label 1"]) == (str(run.pk), "'=fox.png", "red")
    assert row["created"] == "2026-03-31T23:30:00+00:00"


def test_the_file_has_only_what_the_filters_find(api: Api, owner: User) -> None:
    first, second = make_runs(owner)
    lifecycle.mark(owner, [second.pk], starred=True)
    make_runs(make_user())
    assert {row["id"] for row in exported(api)} == {str(first.pk), str(second.pk)}
    assert [row["id"] for row in exported(api, starred="yes")] == [str(second.pk)]
    assert [row["id"] for row in exported(api, model=first.model_id)] == [str(first.pk)]


# --- days --------------------------------------------------------------------------------------------------


def test_days_are_counted_in_utc_and_those_without_any_left_out(api: Api, owner: User) -> None:
    today = timezone.now().astimezone(UTC).date()
    week_ago = today - timedelta(days=7)
    for _one in range(2):
        run_at(owner, week_ago.year, week_ago.month, week_ago.day, 0, 30)
    run_at(owner, week_ago.year, week_ago.month, week_ago.day, 23, 30)
    body = api.get(ACTIVITY).json()
    assert body["days"] == [{"day": str(week_ago), "count": 3}]
    assert (body["total"], body["last"]) == (3, str(today))
    assert datetime.fromisoformat(body["first"]).date() <= today - timedelta(weeks=52)
    assert Api(make_user()).get(ACTIVITY).json()["days"] == []


def test_days_follow_the_filters_and_only_chosen_ones_are_counted(api: Api, owner: User) -> None:
    for day in (30, 31):
        run_at(owner, 2025, 3, day, 12)
    starred = run_at(owner, 2025, 4, 1, 12)
    lifecycle.mark(owner, [starred.pk], starred=True)
    body = api.get(ACTIVITY, start="2025-03-31", end="2025-04-01").json()
    assert [one["day"] for one in body["days"]] == ["2025-03-31", "2025-04-01"]
    assert (body["first"], body["last"], body["total"]) == ("2025-03-31", "2025-04-01", 2)
    body = api.get(ACTIVITY, end="2025-04-30", starred="yes").json()
    assert body["days"] == [{"day": "2025-04-01", "count": 1}]


@pytest.mark.parametrize("value", ["yesterday", "%s", "100%"])
@pytest.mark.parametrize("address", [PREDICTIONS, EXPORT, ACTIVITY])
def test_a_filter_that_cannot_be_read_is_400_at_its_field(api: Api, address: str, value: str) -> None:
    for name in ("start", "confidence_min", "status", "label", "covered"):
        response = api.get(address, **{name: value})
        assert response.status_code == 400
        (sentence,) = error_of(response)["fields"][name]
        assert value in sentence


@pytest.mark.parametrize(("address", "scope"), [(EXPORT, "export"), (ACTIVITY, "activity")])
def test_what_reads_a_whole_history_may_be_asked_for_so_often(
    api: Api, monkeypatch: pytest.MonkeyPatch, address: str, scope: str
) -> None:
    monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, scope, "1/min")
    assert api.get(address).status_code == 200
    response = api.get(address)
    assert response.status_code == 429
    assert response["Retry-After"].isdecimal()
    assert api.get().status_code == 200


# --- waiting -----------------------------------------------------------------------------------------------


def test_what_waits_says_where_it_stands_and_how_long_it_takes(api: Api, owner: User) -> None:
    make_runs(make_user(), models=("tiny",))
    (run,) = make_runs(owner, models=("tiny",))
    wait = api.get(f"{PREDICTIONS}{run.pk}/").json()["wait"]
    assert (wait["place"], wait["seconds"]) == (2, None)
    assert "No worker is running" in wait["says"]
    Heartbeat.objects.create(name="one", rates={"tiny": 2.0})
    wait = api.get(f"{PREDICTIONS}{run.pk}/").json()["wait"]
    assert wait == {"place": 2, "seconds": 1.0, "says": "about 1 s"}


def test_neither_a_list_nor_an_answer_has_a_place(api: Api, owner: User) -> None:
    (run,) = make_runs(owner, models=("tiny",))
    assert [entry["wait"] for entry in api.get().json()["results"]] == [None]
    finish(run)
    assert api.get(f"{PREDICTIONS}{run.pk}/").json()["wait"] is None
