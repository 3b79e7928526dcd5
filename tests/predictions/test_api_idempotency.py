"""`Idempotency-Key`: what is sent again is not done again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from predictions import services
from predictions.models import Batch, Prediction, Upload
from tests import pictures
from tests.api import BATCHES, Api, error_of, jpeg
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

KEY = {"Idempotency-Key": "4f1c"}


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def api(owner: User) -> Api:
    return Api(owner)


def ids(response: Any) -> list[str]:
    assert response.status_code == 202, response.content
    return [entry["id"] for entry in response.json()["results"]]


def test_the_same_request_with_the_same_key_is_answered_again(api: Api) -> None:
    first = api.post(jpeg(), ("b.txt", b"no picture"), headers=KEY)
    second = api.post(jpeg(), ("b.txt", b"no picture"), headers=KEY)
    assert ids(second) == ids(first)
    assert second.json() == first.json()
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"
    assert (Batch.objects.count(), Upload.objects.count()) == (1, 1)


def test_the_second_answer_says_how_things_stand_by_now(api: Api) -> None:
    from predictions import inference

    api.post(jpeg(), model="tiny", headers=KEY)
    inference.drain()
    assert api.post(jpeg(), model="tiny", headers=KEY).json()["results"][0]["status"] == "done"


def test_without_a_key_or_with_another_one_it_is_done_anew(api: Api) -> None:
    found = [api.post(jpeg(), headers=headers) for headers in (KEY, {"Idempotency-Key": "other"}, None, None)]
    assert len({response.json()["batch"] for response in found}) == 4


@pytest.mark.parametrize(
    "other",
    [
        lambda api: api.post(jpeg("b.jpg"), model="tiny", headers=KEY),
        lambda api: api.post(("a.jpg", pictures.tiny()), model="tiny", headers=KEY),
        lambda api: api.post(jpeg(), jpeg(), model="tiny", headers=KEY),
        lambda api: api.post(jpeg(), model="small", headers=KEY),
        lambda api: api.post(jpeg(), headers=KEY),
        lambda api: api.post(jpeg(), model="tiny", bars="[[0,0,0.5,0.5]]", headers=KEY),
        lambda api: api.post(jpeg(), model="tiny", crop="whole", headers=KEY),
    ],
    ids=["name", "bytes", "one more", "network", "every network", "bars", "box"],
)
def test_the_same_key_with_another_request_is_refused(api: Api, other: Callable[[Api], Any]) -> None:
    assert api.post(jpeg(), model="tiny", headers=KEY).status_code == 202
    response = other(api)
    assert response.status_code == 422
    assert error_of(response)["code"] == "idempotency_key_reused"
    assert Prediction.objects.count() == 1


def test_numbers_written_otherwise_are_the_same_request(api: Api) -> None:
    first = api.post(jpeg(), model="tiny", bars="[[0, 0, 0.5, 0.5]]", headers=KEY)
    second = api.post(jpeg(), model="tiny", bars="[[0.0,0.00,0.5,5e-1]]", headers=KEY)
    assert ids(second) == ids(first)


def test_two_users_may_use_the_same_key(api: Api) -> None:
    assert ids(api.post(jpeg(), headers=KEY)) != ids(Api(make_user()).post(jpeg(), headers=KEY))


def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    assert api.post(("a.jpg", b"no picture"), headers=KEY).status_code == 422
    assert api.post(jpeg(), model="resnet", headers=KEY).status_code == 400
    assert "Idempotency-Replayed" not in api.post(jpeg(), headers=KEY)


def test_after_its_batch_was_deleted_the_key_is_new_and_holds_again(api: Api) -> None:
    first = api.post(jpeg(), model="tiny", headers=KEY).json()["batch"]
    assert api.client.delete(f"{BATCHES}{first}/").status_code == 204
    second = api.post(jpeg("b.jpg"), model="tiny", headers=KEY)
    assert second.json()["batch"] != first
    assert ids(api.post(jpeg("b.jpg"), model="tiny", headers=KEY)) == ids(second)


@pytest.mark.parametrize(
    "key", ["", "x" * 256, "a b", "a\tb", "\xe9"], ids=["empty", "long", "space", "tab", "accent"]
)
def test_a_key_that_is_none_is_refused(api: Api, key: str) -> None:
    response = api.post(jpeg(), headers={"Idempotency-Key": key})
    assert response.status_code == 400
    assert set(error_of(response)["fields"]) == {"Idempotency-Key"}
    assert not Batch.objects.exists()


def test_the_longest_key_is_taken(api: Api) -> None:
    key = {"Idempotency-Key": "~" * 255}
    assert ids(api.post(jpeg(), headers=key)) == ids(api.post(jpeg(), headers=key))


def test_who_comes_second_while_the_first_one_is_being_written_gets_its_answer(
    api: Api, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment between the look for the key and the row with it, made as long as a whole request."""
    write = services._write
    first: list[Any] = []

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(services, "_write", write)
        first.append(api.post(jpeg(), model="tiny", headers=KEY))
        return write(*args)

    monkeypatch.setattr(services, "_write", overtaken)
    second = api.post(jpeg(), model="tiny", headers=KEY)
    assert ids(second) == ids(first[0])
    assert second["Idempotency-Replayed"] == "true"
    assert (Prediction.objects.count(), Upload.objects.count()) == (1, 1)
