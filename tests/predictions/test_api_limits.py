"""Whoever asks too often or for too much is told so, with the seconds to wait."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import User
from predictions import quotas
from predictions.models import Prediction
from tests.api import BATCHES, PREDICTIONS, Api, error_of, jpeg
from tests.factories import PASSWORD, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def api(owner: User) -> Api:
    return Api(owner)


def refused(response: Any, code: str = "throttled") -> None:
    assert response.status_code == 429
    assert error_of(response)["code"] == code
    assert response["Retry-After"].isdecimal()
    assert 1 <= int(response["Retry-After"]) <= 60


def limit(monkeypatch: pytest.MonkeyPatch, **rates: str) -> None:
    for scope, rate in rates.items():
        monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, scope, rate)


def test_a_user_may_ask_so_often(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, user="3/min")
    for address in (PREDICTIONS, BATCHES, "/api/v1/networks/"):
        assert api.get(address).status_code == 200
    for address in (PREDICTIONS, BATCHES, "/api/v1/networks/"):
        refused(api.get(address))
    assert Api(make_user()).get().status_code == 200


def test_sending_pictures_is_counted_apart_from_asking_for_answers(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, predict="2/min")
    assert [api.post(jpeg(), model="tiny").status_code for _one in range(2)] == [202, 202]
    refused(api.post(jpeg(), model="tiny"))
    assert [api.get().status_code for _one in range(4)] == [200] * 4
    assert api.send("post", f"{PREDICTIONS}delete/", {"ids": ["0" * 8 + "-0000-4000-8000-" + "0" * 12]})


def test_retrying_counts_like_sending(api: Api, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    (run,) = make_runs(owner, models=("tiny",))
    limit(monkeypatch, predict="1/min")
    api.send("post", f"{PREDICTIONS}{run.pk}/cancel/")
    assert api.send("post", f"{PREDICTIONS}{run.pk}/retry/").status_code == 200
    refused(api.send("post", f"{PREDICTIONS}{run.pk}/retry/"))
    refused(api.send("post", f"{BATCHES}{run.batch_id}/retry/"))


def test_tokens_may_be_asked_for_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, token="1/min")
    client = Client()
    sent = {"email": "ada@example.com", "password": PASSWORD[::-1]}
    assert client.post("/api/v1/token/", sent).status_code == 400
    refused(client.post("/api/v1/token/", sent))


def test_visitors_may_ask_so_often(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without a login nothing is reached, but knocking is counted where it is answered.
    limit(monkeypatch, anon="1/min", token=None)
    client = Client()
    sent = {"email": "ada@example.com", "password": PASSWORD[::-1]}
    assert client.post("/api/v1/token/", sent).status_code == 400
    refused(client.post("/api/v1/token/", sent))


@pytest.mark.parametrize(
    ("quota", "value"), [("QUOTA_PICTURES", 1), ("QUOTA_BYTES", 1000), ("QUOTA_IN_FLIGHT", 1)]
)
def test_a_used_up_quota_says_which_and_when_to_look_again(
    api: Api, monkeypatch: pytest.MonkeyPatch, quota: str, value: int
) -> None:
    monkeypatch.setattr(quotas, quota, value)
    refused(api.post(jpeg(), jpeg(), model="tiny"), "quota_exceeded")
    assert api.get().json()["results"] == []


# --- what waits --------------------------------------------------------------------------------------------


def test_a_used_up_quota_is_told_before_any_picture_is_read(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_args: Any) -> Any:
        raise AssertionError("a picture was read")

    monkeypatch.setattr("predictions.api.predictions.take_all", read)
    monkeypatch.setattr(quotas, "QUOTA_IN_FLIGHT", 3)
    refused(api.post(jpeg(), jpeg(), model="tiny", bars="[[0,0,0.5,0.5]]"), "quota_exceeded")


@pytest.mark.parametrize("whole", [False, True], ids=["prediction", "batch"])
def test_retrying_is_held_to_what_may_wait(
    api: Api, owner: User, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    covered, *_more = make_runs(owner, models=("tiny",), bars=[[0, 0, 0.5, 0.5]])
    api.send("post", f"{BATCHES}{covered.batch_id}/cancel/")
    # The covered run alone could wait, but not with the clean one beside it.
    monkeypatch.setattr(quotas, "QUOTA_IN_FLIGHT", 1)
    address = f"{BATCHES}{covered.batch_id}/" if whole else f"{PREDICTIONS}{covered.pk}/"
    refused(api.send("post", f"{address}retry/"), "quota_exceeded")
    assert set(Prediction.objects.values_list("status", flat=True)) == {"cancelled"}
    monkeypatch.setattr(quotas, "QUOTA_IN_FLIGHT", 2)
    assert api.send("post", f"{address}retry/").status_code == 200
    assert set(Prediction.objects.values_list("status", flat=True)) == {"queued"}


def test_bringing_back_is_held_to_what_may_wait(
    api: Api, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [str(run.pk) for run in make_runs(owner, pictures=2, models=("tiny",))]
    api.send("post", f"{PREDICTIONS}delete/", {"ids": ids})
    monkeypatch.setattr(quotas, "QUOTA_IN_FLIGHT", 1)
    refused(api.send("post", f"{PREDICTIONS}undo/", {"ids": ids}), "quota_exceeded")
    assert api.get().json()["results"] == []
    assert api.send("post", f"{PREDICTIONS}undo/", {"ids": ids[:1]}).json() == {"restored": 1}
