"""Links made, listed and withdrawn by programs."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from predictions import lifecycle, sharing
from predictions.models import Share
from tests.api import Api, error_of
from tests.factories import make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

SHARES = "/api/v1/shares/"


@pytest.fixture
def api(user: User) -> Api:
    return Api(user)


def test_a_prediction_is_shared_and_its_link_works_without_a_token(user: User, api: Api) -> None:
    run = make_runs(user)[1]
    answer = api.send("post", SHARES, {"prediction": str(run.pk)})
    assert answer.status_code == 201
    link = answer.json()
    share = Share.objects.get()
    assert link == {
        "id": str(share.pk),
        "url": f"http://testserver/s/{share.token}/",
        "kind": "prediction",
        # The first of the two networks stands for both.
        "prediction": str(share.run_id),
        "other": None,
        "batch": None,
        "created": link["created"],
    }
    assert Client().get(link["url"]).status_code == 200
    assert api.send("post", SHARES, {"prediction": str(run.pk)}).json() == link


def test_a_comparison_and_a_batch_are_shared(user: User, api: Api) -> None:
    first, second = make_runs(user, pictures=2, models=("tiny",))
    compared = api.send("post", SHARES, {"prediction": str(first.pk), "other": str(second.pk)}).json()
    assert (compared["kind"], compared["prediction"], compared["other"]) == (
        "comparison",
        str(first.pk),
        str(second.pk),
    )
    batch = api.send("post", SHARES, {"batch": str(first.batch_id)}).json()
    assert (batch["kind"], batch["prediction"], batch["batch"]) == ("batch", None, str(first.batch_id))
    for link in (compared, batch):
        assert Client().get(link["url"]).status_code == 200


def test_links_are_listed_newest_first_and_page_by_page(user: User, api: Api) -> None:
    links = [sharing.share(user, run=run) for run in make_runs(user, pictures=3, models=("tiny",))]
    sharing.share(other := make_user(), run=make_runs(other)[0])
    sharing.withdraw(user, links[1].pk)
    assert [one["id"] for one in api.get(SHARES).json()["results"]] == [str(links[2].pk), str(links[0].pk)]
    page = api.get(SHARES, page_size=1).json()
    assert [one["id"] for one in page["results"]] == [str(links[2].pk)]
    assert [one["id"] for one in api.get(page["next"]).json()["results"]] == [str(links[0].pk)]
    assert api.get(SHARES, cursor="no cursor").status_code == 404


def test_a_withdrawn_link_is_gone_for_everybody(user: User, api: Api) -> None:
    run = make_runs(user)[0]
    link = api.send("post", SHARES, {"prediction": str(run.pk)}).json()
    address = f"{SHARES}{link['id']}/"
    assert api.get(address).json() == link
    assert api.send("delete", address).status_code == 204
    assert Client().get(link["url"]).status_code == 404
    assert api.get(SHARES).json()["results"] == []
    for method in ("get", "delete"):
        refused = api.send(method, address)
        assert refused.status_code == 404
        assert "withdrawn" in error_of(refused)["message"]
    again = api.send("post", SHARES, {"prediction": str(run.pk)}).json()
    assert again["url"] != link["url"]


def test_another_users_links_and_results_are_not_there(user: User, api: Api) -> None:
    other = make_user()
    run = make_runs(other)[0]
    address = f"{SHARES}{sharing.share(other, run=run).pk}/"
    assert api.get(address).status_code == 404
    assert api.send("delete", address).status_code == 404
    assert Share.objects.live().count() == 1
    refused = api.send("post", SHARES, {"prediction": str(run.pk)})
    assert (refused.status_code, error_of(refused)["code"]) == (404, "nothing_to_share")
    missing = api.send("post", SHARES, {"prediction": str(uuid.uuid4())})
    assert missing.content == refused.content


def test_what_was_deleted_cannot_be_shared(user: User, api: Api) -> None:
    run = make_runs(user, models=("tiny",))[0]
    lifecycle.delete(user, [run.pk])
    for what in ({"prediction": str(run.pk)}, {"batch": str(run.batch_id)}):
        assert api.send("post", SHARES, what).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prediction": None},
        {"prediction": "no id"},
        {"prediction": 7},
        {"prediction": [str(uuid.UUID(int=1))]},
        {"other": str(uuid.UUID(int=1))},
        {"prediction": str(uuid.UUID(int=1)), "batch": str(uuid.UUID(int=2))},
        {"batch": str(uuid.UUID(int=1)), "other": str(uuid.UUID(int=2))},
        {"run": str(uuid.UUID(int=1))},
        ["prediction"],
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(api: Api, body: Any) -> None:
    refused = api.send("post", SHARES, body)
    assert refused.status_code == 400
    assert error_of(refused)["code"] == "invalid"


def test_a_prediction_cannot_be_compared_with_itself(api: Api) -> None:
    itself = str(uuid.UUID(int=1))
    refused = api.send("post", SHARES, {"prediction": itself, "other": itself})
    assert refused.status_code == 404
    assert "two different predictions" in error_of(refused)["message"]


def test_without_a_token_there_is_nothing() -> None:
    assert Client().get(SHARES).status_code == 401
