"""Batches and networks as programs see them."""

from __future__ import annotations

import csv
import io
import json
import uuid
from typing import Any

import pytest

from accounts.models import User
from predictions import inference
from predictions.models import Batch, Prediction
from tests.api import BATCHES, PREDICTIONS, Api, error_of, jpeg
from tests.factories import finish, make_picture, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def api(owner: User) -> Api:
    return Api(owner)


def red_and_green(api: Api, *more: Any, **fields: Any) -> str:
    """A batch whose answers are known: the networks of the tests name the colour."""
    red = ("red.png", make_picture((255, 0, 0)).data)
    green = ("green.png", make_picture((0, 255, 0)).data)
    response = api.post(red, green, *more, **fields)
    assert response.status_code == 202, response.content
    batch: str = response.json()["batch"]
    return batch


def test_a_batch_counts_what_waits_and_says_how_long(api: Api) -> None:
    batch = red_and_green(api, ("notes.txt", b"no picture"))
    body = api.get(f"{BATCHES}{batch}/").json()
    assert body["counts"] == {
        "pictures": 2,
        "rejected": 1,
        "runs": 4,
        "queued": 4,
        "running": 0,
        "done": 0,
        "failed": 0,
        "cancelled": 0,
    }
    assert body["models"] == ["tiny", "small"]
    assert body["wait"] == {"ahead": 3, "seconds": None, "worker": False}
    assert body["agreement"] == {"same": 0, "of": 0, "share": None}
    assert (body["truths"], body["accuracy"]) == ({}, [])


def test_a_batch_that_is_done_has_totals_and_agreement(api: Api) -> None:
    batch = red_and_green(api)
    inference.drain()
    body = api.get(f"{BATCHES}{batch}/").json()
    assert (body["counts"]["done"], body["counts"]["queued"], body["wait"]) == (4, 0, None)
    assert body["agreement"] == {"same": 2, "of": 2, "share": 1.0}
    tiny = body["totals"][0]
    assert (tiny["model"], tiny["done"]) == ("tiny", 2)
    assert tiny["labels"] == [{"label": "green", "count": 1}, {"label": "red", "count": 1}]


def test_batches_are_listed_newest_first_and_turned_by_cursor(
    api: Api, django_assert_max_num_queries: Any
) -> None:
    batches = [red_and_green(api, model="tiny") for _one in range(4)]
    with django_assert_max_num_queries(6):
        body = api.get(BATCHES).json()
    assert [row["id"] for row in body["results"]] == batches[::-1]
    row = body["results"][0]
    assert (row["models"], row["counts"]["pictures"], row["counts"]["runs"]) == (["tiny"], 2, 2)
    seen, link = [], f"{BATCHES}?page_size=3"
    while link:
        page = api.get(link).json()
        seen += [row["id"] for row in page["results"]]
        link = page["next"]
    assert seen == batches[::-1]
    assert Api(make_user()).get(BATCHES).json()["results"] == []


def test_a_batch_of_refusals_only_is_there_until_it_is_deleted(api: Api) -> None:
    batch = api.post(("a.txt", b"no"), ("b.txt", b"no")).json()["batch"]
    body = api.get(f"{BATCHES}{batch}/").json()
    assert (body["counts"]["rejected"], body["counts"]["runs"]) == (2, 0)
    assert [row["id"] for row in api.get(BATCHES).json()["results"]] == [batch]
    assert api.client.delete(f"{BATCHES}{batch}/").status_code == 204
    assert api.get(f"{BATCHES}{batch}/").status_code == 404
    assert api.get(BATCHES).json()["results"] == []


def test_a_batch_is_cancelled_and_retried_as_a_whole(api: Api) -> None:
    batch = red_and_green(api)
    finish(Prediction.objects.filter(batch=batch).first())
    assert api.send("post", f"{BATCHES}{batch}/cancel/").json() == {"cancelled": 3}
    assert api.send("post", f"{BATCHES}{batch}/cancel/").json() == {"cancelled": 0}
    assert api.get(f"{BATCHES}{batch}/").json()["counts"]["cancelled"] == 3
    assert api.send("post", f"{BATCHES}{batch}/retry/").json() == {"retried": 3}
    assert api.get(f"{BATCHES}{batch}/").json()["counts"]["queued"] == 3


def test_a_deleted_batch_comes_back_with_its_predictions(api: Api) -> None:
    batch = red_and_green(api, ("notes.txt", b"no picture"))
    ids = [entry["id"] for entry in api.get(batch=batch).json()["results"]]
    assert api.client.delete(f"{BATCHES}{batch}/").status_code == 204
    for address in (f"{BATCHES}{batch}/", f"{BATCHES}{batch}/results.csv"):
        assert api.get(address).status_code == 404
    assert api.get(BATCHES).json()["results"] == []
    assert api.get().json()["results"] == []
    assert api.send("post", f"{PREDICTIONS}undo/", {"ids": ids}).json() == {"restored": 4}
    assert api.get(f"{BATCHES}{batch}/").json()["counts"]["runs"] == 4


def test_anothers_batch_is_404_on_every_address_and_stays_as_it_is(owner: User) -> None:
    (run,) = make_runs(owner, models=("tiny",))
    stranger = Api(make_user())
    for pk in (run.batch_id, uuid.uuid4()):
        address = f"{BATCHES}{pk}/"
        assert stranger.get(address).status_code == 404
        for name in ("results.csv", "results.json"):
            assert stranger.get(f"{address}{name}").status_code == 404
        for name in ("cancel/", "retry/"):
            assert stranger.send("post", f"{address}{name}").status_code == 404
        assert stranger.send("put", f"{address}truths/", {"truths": {}}).status_code == 404
        response = stranger.client.delete(address)
        assert response.status_code == 404
        assert error_of(response)["code"] == "not_found"
    run.refresh_from_db()
    assert (run.status, run.deleted) == ("queued", None)


# --- true labels -------------------------------------------------------------------------------------------


def truths_of(api: Api, batch: str, truths: Any) -> Any:
    return api.send("put", f"{BATCHES}{batch}/truths/", {"truths": truths})


def test_with_true_labels_a_batch_has_an_accuracy_and_a_confusion_matrix(api: Api) -> None:
    batch = red_and_green(api)
    inference.drain()
    body = truths_of(api, batch, {"RED.png": "red", "green.png": "Sea green"}).json()
    assert sorted(body["truths"].values()) == ["red", "sea_green"]
    tiny = body["accuracy"][0]
    assert (tiny["model"], tiny["unknown"]) == ("tiny", 0)
    assert {key: tiny["top1"][key] for key in ("right", "n", "share")} == {"right": 1, "n": 2, "share": 0.5}
    assert tiny["top1"]["low"] < 0.5 < tiny["top1"]["high"]
    assert tiny["top5"]["right"] == 2
    classes, counts = tiny["confusion"]["classes"], tiny["confusion"]["counts"]
    assert counts[classes.index("sea_green")][classes.index("green")] == 1
    assert counts[classes.index("red")][classes.index("red")] == 1


def test_true_labels_are_replaced_and_taken_back(api: Api) -> None:
    batch = red_and_green(api)
    picture = api.get(batch=batch, model="tiny").json()["results"][0]["picture"]
    assert truths_of(api, batch, {"red.png": "red"}).status_code == 200
    assert truths_of(api, batch, {picture: "blue"}).json()["truths"] == {picture: "blue"}
    assert truths_of(api, batch, {}).json()["truths"] == {}


def test_a_name_that_several_pictures_have_is_that_of_all_of_them(api: Api) -> None:
    batch = api.post(jpeg("a.jpg"), jpeg("a.jpg"), model="tiny").json()["batch"]
    assert len(truths_of(api, batch, {"a.jpg": "red"}).json()["truths"]) == 2
    first, second = truths_of(api, batch, {"a.jpg": "red", "a (2).jpg": "blue"}).json()["truths"].values()
    assert {first, second} == {"red", "blue"}


def test_names_and_labels_are_taken_as_the_files_have_them(api: Api) -> None:
    sent = [("=x.png", make_picture().data), ("a.jpg", b"no picture"), jpeg("a.jpg"), jpeg("A.jpg")]
    batch = api.post(*sent, model="tiny").json()["batch"]
    rows = list(csv.reader(io.StringIO(content(api.get(f"{BATCHES}{batch}/results.csv")))))[1:]
    taken = [row[0] for row in rows if row[1] == "taken"]
    assert taken == ["'=x.png", "a (2).jpg", "A (3).jpg"]
    given = dict(zip(taken, ["red", "green", "blue"], strict=True))
    assert truths_of(api, batch, given).status_code == 200
    again = list(csv.DictReader(io.StringIO(content(api.get(f"{BATCHES}{batch}/results.csv")))))
    assert {row["file name"]: row["true label"] for row in again if row["status"] == "taken"} == given


def test_what_is_said_of_one_picture_counts_in_whatever_order_it_is_said(api: Api) -> None:
    batch = api.post(jpeg("a.jpg"), jpeg("a.jpg"), model="tiny").json()["batch"]
    first, second = truths_of(api, batch, {"a (2).jpg": "blue", "a.jpg": "red"}).json()["truths"].values()
    assert {first, second} == {"red", "blue"}


@pytest.mark.parametrize(
    ("truths", "fields"),
    [
        ({"red.png": "red", "blue.png": "red"}, {"truths.blue.png"}),
        ({"red.png": "unicorn"}, {"truths.red.png"}),
        ({"red.png": 7}, {"truths.red.png"}),
        ({"red.png": None}, {"truths.red.png"}),
        (["red"], {"truths"}),
        ({str(number): "red" for number in range(1001)}, {"truths"}),
    ],
    ids=["picture", "class", "number", "null", "list", "too many"],
)
def test_true_labels_that_match_nothing_are_named_and_nothing_is_kept(
    api: Api, truths: Any, fields: set[str]
) -> None:
    batch = red_and_green(api)
    response = truths_of(api, batch, truths)
    assert response.status_code == 400
    assert set(error_of(response)["fields"]) == fields
    assert Batch.objects.get(pk=batch).truths == {}


# --- files -------------------------------------------------------------------------------------------------


def content(response: Any) -> str:
    assert response.status_code == 200, response.content
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode("utf-8-sig")


def test_the_files_are_those_of_the_batchs_page(api: Api, owner: User, client: Any) -> None:
    batch = red_and_green(api, ("=cmd.txt", b"no picture"))
    inference.drain()
    client.force_login(owner)
    for name in (
        "results.csv",
        "results.json",
        "results.json?form=labels",
        "results.csv?form=labels&model=tiny",
    ):
        ours = api.get(f"{BATCHES}{batch}/{name}")
        assert content(ours) == content(client.get(f"/batches/{batch}/{name}")), name
        assert "attachment" in ours["Content-Disposition"]


def test_a_file_comes_as_it_is_whatever_the_client_prefers(api: Api) -> None:
    batch = red_and_green(api)
    inference.drain()
    for accept in ("text/csv", "application/json", "*/*"):
        response = api.client.get(f"{BATCHES}{batch}/results.csv", headers={"Accept": accept})
        rows = list(csv.reader(io.StringIO(content(response))))
        assert response["Content-Type"].startswith("text/csv")
        assert [row[0] for row in rows] == ["file name", "red.png", "green.png"]
    picture = api.get().json()["results"][0]["image_url"]
    assert api.client.get(picture, headers={"Accept": "image/*"}).status_code == 200


def test_labels_alone_are_pairs_of_file_name_and_label(api: Api) -> None:
    batch = red_and_green(api)
    inference.drain()
    address = f"{BATCHES}{batch}/results"
    pairs = {"red.png": "red", "green.png": "green"}
    assert json.loads(content(api.get(f"{address}.json", form="labels"))) == {"tiny": pairs, "small": pairs}
    rows = list(csv.reader(io.StringIO(content(api.get(f"{address}.csv", form="labels", model="small")))))
    assert rows == [["file name", "label"], ["red.png", "red"], ["green.png", "green"]]
    for query in ({"form": "labels"}, {"form": "labels", "model": "resnet"}, {"form": "short"}):
        response = api.get(f"{address}.csv", **query)
        assert response.status_code == 400
        assert set(error_of(response)["fields"]) <= {"model", "form"}


# --- networks ----------------------------------------------------------------------------------------------


def test_networks_say_what_they_know_and_how_good_they_are(api: Api) -> None:
    tiny, small = api.get("/api/v1/networks/").json()["results"]
    assert (tiny["name"], tiny["title"], tiny["version"], tiny["size"]) == ("tiny", "Tiny", "tiny-1", 24)
    assert tiny["classes"] == len(tiny["labels"]) == 7
    assert tiny["labels"][:2] == ["red", "green"]
    assert tiny["metrics"] == {"top1": 0.5, "top5": 0.9, "ece": 0.01, "nll": 1.0, "n": 10}
    assert small["name"] == "small"
