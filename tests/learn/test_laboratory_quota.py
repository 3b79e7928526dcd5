"""How much one account may ask of the laboratory and keep in it, and all visitors together."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from learn import explaining, explanations
from learn.kinds import Result
from learn.models import Explanation
from predictions.services import QuotaExceeded
from tests.factories import make_user
from tests.learn.conftest import Asked
from tests.learn.test_explanation_jobs import MB, ask, prediction
from tests.learn.test_explanations import files

pytestmark = pytest.mark.django_db


@pytest.fixture
def on(asked: Asked, user: User) -> str:
    return prediction(user)


def test_so_many_questions_may_wait_at_a_time(asked: Asked, user: User, on: str, settings: Any) -> None:
    for level in range(20):
        ask(user, on, level)
    with pytest.raises(QuotaExceeded, match="20 of your figures are still waiting"):
        ask(user, on, 20)
    assert ask(user, on, 3).status == "queued"
    assert ask(None, "sample:cup", 20).status == "queued"
    settings.RATE_LIMITS = False
    assert ask(user, on, 20).status == "queued"


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
@pytest.mark.parametrize("whose", ["sample", "own"])
def test_four_who_ask_the_same_at_once_have_one_row(
    asked: Asked, user: User, on: str, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(4)
    seen = explanations.stored

    def stored(*given: Any) -> Explanation | None:
        found = seen(*given)
        if not connection.in_atomic_block:
            together.wait(10)
        return found

    monkeypatch.setattr(explanations, "stored", stored)

    def one(_number: int) -> Any:
        try:
            return ask(user if whose == "own" else None, on if whose == "own" else "sample:cup").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        rows = set(threads.map(one, range(4)))
    assert len(rows) == Explanation.objects.count() == 1


def test_visitors_together_have_a_bound_as_well(
    asked: Asked, user: User, on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("learn.laboratory_quota.SAMPLES_IN_FLIGHT", 2)
    for level in (1, 2):
        ask(None, "sample:cup", level)
    with pytest.raises(QuotaExceeded, match="Many people are using the laboratory"):
        ask(None, "sample:cup", 3)
    assert ask(user, on).status == "queued"


def ask_from(address: str, level: int, user: User | None = None) -> Any:
    """What a page's script sends about a sample picture."""
    client = Client(REMOTE_ADDR=address)
    if user is not None:
        client.force_login(user)
    asked = {
        "on": "sample:cup",
        "network": "tiny",
        "kind": "mean",
        "parameters": json.dumps({"level": level}),
    }
    return client.post("/learn/laboratory/explanations/", asked)


def test_one_address_does_not_take_all_places_of_the_others(asked: Asked, user: User) -> None:
    school, other = "203.0.113.7", "203.0.113.8"
    # More than a class that asks 30 things at once.
    assert {ask_from(school, level).status_code for level in range(40)} == {202}
    refused = ask_from(school, 40)
    assert refused.status_code == 429
    assert "40 figures that you asked for are still waiting" in refused.json()["error"]["message"]
    assert Explanation.objects.count() == 40
    # What somebody asked before costs no place, and the others have theirs.
    assert ask_from(school, 3).status_code == 202
    assert ask_from(other, 40).status_code == 202
    assert ask_from(school, 41, user).status_code == 202
    explaining.drain(60.0)
    assert ask_from(school, 42).status_code == 202


def test_one_account_does_not_take_all_places_of_the_others(asked: Asked, user: User) -> None:
    # Wherever it asks from.
    found = [ask_from(f"203.0.113.{level}", level, user) for level in range(41)]
    assert [one.status_code for one in found] == [202] * 40 + [429]
    assert ask_from("203.0.113.1", 41, make_user()).status_code == 202


def weighing(megabytes: int) -> Any:
    return lambda work: Result({}, {"maps.npy": np.zeros((megabytes, MB), np.uint8)})


def test_the_least_recently_used_makes_room(
    asked: Asked, user: User, on: str, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.LABORATORY_QUOTA_MB = 7
    asked.does = weighing(2)
    rows = []
    for level in (1, 2, 3):
        rows.append(ask(user, on, level))
        explaining.drain(60.0)
    now = timezone.now()
    for age, row in zip((10, 30, 20), rows, strict=True):
        Explanation.objects.filter(pk=row.pk).update(used=now - timedelta(minutes=age))
    ask(user, on, 1)
    with django_capture_on_commit_callbacks(execute=True):
        fourth = ask(user, on, 4)
        explaining.drain(60.0)
    left = set(Explanation.objects.values_list("pk", flat=True))
    assert left == {rows[0].pk, rows[2].pk, fourth.pk}
    assert len(files()) == 3
    assert explanations.open_member(Explanation.objects.get(pk=fourth.pk), "maps.npy")


def test_a_worker_that_lost_its_lease_makes_no_room(
    asked: Asked, user: User, on: str, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.LABORATORY_QUOTA_MB = 3
    asked.does = weighing(2)
    kept = ask(user, on, 1)
    explaining.drain(60.0)
    late = ask(user, on, 2)
    claim, rows = Explanation.objects.claim(1)
    Explanation.objects.filter(pk=late.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    Explanation.objects.sweep_expired()
    with django_capture_on_commit_callbacks(execute=True):
        assert not explaining.run(claim, rows[0])
    assert Explanation.objects.filter(pk=kept.pk, status="done").exists()
    assert len(files()) == 1
    with django_capture_on_commit_callbacks(execute=True):
        explaining.drain(60.0)
    assert set(Explanation.objects.values_list("pk", "status")) == {(late.pk, "done")}
    assert len(files()) == 1


def test_the_room_of_one_account_is_not_taken_from_another(
    asked: Asked, user: User, on: str, settings: Any
) -> None:
    settings.LABORATORY_QUOTA_MB = 3
    asked.does = weighing(2)
    other = make_user()
    ask(user, on)
    ask(other, prediction(other))
    explaining.drain(60.0)
    assert Explanation.objects.filter(status="done").count() == 2


def test_what_visitors_asked_makes_room_but_not_what_was_made_with_the_release(
    asked: Asked, settings: Any
) -> None:
    settings.LABORATORY_SAMPLE_MB = 5
    asked.does = weighing(2)
    built = ask(None, "sample:apple", 1)
    explaining.drain(60.0)
    Explanation.objects.filter(pk=built.pk).update(built=True, used=timezone.now() - timedelta(days=30))
    for level in (2, 3, 4):
        ask(None, "sample:apple", level)
        explaining.drain(60.0)
    kept = {row.parameters["level"] for row in Explanation.objects.all()}
    assert kept == {1, 4}


def test_without_limits_nothing_makes_room(asked: Asked, user: User, on: str, settings: Any) -> None:
    settings.RATE_LIMITS = False
    settings.LABORATORY_QUOTA_MB = 1
    asked.does = weighing(2)
    for level in (1, 2):
        ask(user, on, level)
    explaining.drain(60.0)
    assert Explanation.objects.filter(status="done").count() == 2
