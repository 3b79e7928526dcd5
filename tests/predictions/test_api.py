"""The API as programs use it: shapes, order, errors, access."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from predictions import inference, intake
from predictions.models import Prediction, Upload
from tests import pictures
from tests.api import PREDICTIONS as URL
from tests.api import Api, error_of, jpeg
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

KEYS = {
    "id",
    "batch",
    "picture",
    "status",
    "model",
    "filename",
    "bars",
    "crop",
    "clean",
    "top5",
    "artifact",
    "outside",
    "image_url",
    "image_removed",
    "url",
    "created",
    "finished",
    "error",
    "starred",
    "note",
    "wait",
}


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def api(owner: User) -> Api:
    return Api(owner)


def test_a_post_answers_at_once_and_later_with_five_probabilities(api: Api) -> None:
    response = api.post(jpeg("cat.jpg"), model="tiny")
    assert response.status_code == 202
    body = response.json()
    assert set(body) == {"batch", "results"}
    (entry,) = body["results"]
    assert set(entry) == KEYS
    assert (entry["status"], entry["model"], entry["filename"]) == ("queued", "tiny", "cat.jpg")
    assert entry["top5"] is None
    assert entry["batch"] == body["batch"]
    inference.drain()
    done = api.get(f"{URL}{entry['id']}/").json()
    assert (done["status"], done["artifact"], done["error"]) == ("done", "tiny-1", None)
    assert [set(row) for row in done["top5"]] == [{"index", "label", "probability"}] * 5
    falling = [row["probability"] for row in done["top5"]]
    assert falling == sorted(falling, reverse=True)
    assert done["finished"] >= done["created"]


def test_several_pictures_and_networks_keep_their_order(api: Api) -> None:
    response = api.post(jpeg("1.jpg"), jpeg("2.jpg"), model=["small", "tiny"])
    shown = [(entry["filename"], entry["model"]) for entry in response.json()["results"]]
    assert shown == [("1.jpg", "small"), ("1.jpg", "tiny"), ("2.jpg", "small"), ("2.jpg", "tiny")]


def test_without_a_model_every_network_answers(api: Api) -> None:
    assert [entry["model"] for entry in api.post(jpeg()).json()["results"]] == ["tiny", "small"]


def test_with_bars_each_entry_is_covered_and_names_its_clean_run(api: Api) -> None:
    bars = [[0.1, 0.2, 0.3, 0.4]]
    entry = api.post(jpeg(), model="tiny", bars=json.dumps(bars)).json()["results"][0]
    assert entry["bars"] == bars
    clean = api.get(f"{URL}{entry['clean']}/").json()
    assert (clean["bars"], clean["clean"]) == ([], None)


def test_a_bad_picture_among_good_ones_is_an_entry_of_its_own(api: Api) -> None:
    response = api.post(jpeg("a.jpg"), ("b.jpg", b"no picture"), jpeg("c.jpg"), model="tiny")
    assert response.status_code == 202
    first, second, third = response.json()["results"]
    assert (second["status"], second["id"], second["model"]) == ("rejected", None, None)
    assert set(second) == KEYS
    assert second["error"]["code"] == "not_a_picture"
    assert (first["status"], third["filename"]) == ("queued", "c.jpg")


@pytest.mark.parametrize("name", sorted(pictures.REJECTED))
def test_a_single_bad_picture_is_422_with_a_sentence(api: Api, name: str) -> None:
    build, code = pictures.REJECTED[name]
    response = api.post((name, build()), model="tiny")
    assert response.status_code == 422
    assert error_of(response)["code"] == code
    assert not Upload.objects.exists()


@pytest.mark.parametrize("name", sorted(pictures.ACCEPTED))
def test_every_accepted_format_is_answered(api: Api, name: str) -> None:
    response = api.post((name, pictures.ACCEPTED[name]()), model="tiny")
    assert response.status_code == 202
    inference.drain()
    assert api.get(f"{URL}{response.json()['results'][0]['id']}/").json()["status"] == "done"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"model": "resnet"}, "model"),
        ({"model": ""}, "model"),
        ({"bars": "[[0,0,2,1]]"}, "bars"),
        ({"bars": "[[0,0,NaN,1]]"}, "bars"),
        ({"bars": "{"}, "bars"),
        ({"bars": json.dumps([[0, 0, 0.1, 0.1]] * 1000)}, "bars"),
        ({"image": []}, "image"),
    ],
)
def test_a_wrong_field_is_named(api: Api, fields: dict[str, Any], field: str) -> None:
    body = {"image": [SimpleUploadedFile(*jpeg())], **fields}
    response = api.client.post(URL, body)
    assert response.status_code == 400
    assert field in error_of(response)["fields"]
    assert not Prediction.objects.exists()


def test_more_than_two_hundred_pictures_are_refused_and_two_hundred_taken(api: Api) -> None:
    small = pictures.tiny()
    response = api.post(*[("a.png", small)] * 201, model="tiny")
    assert response.status_code == 400
    assert "image" in error_of(response)["fields"]
    assert len(api.post(*[("a.png", small)] * 200, model="tiny").json()["results"]) == 200


def test_a_body_that_is_no_form_is_an_error_not_a_page(api: Api) -> None:
    response = api.client.post(URL, "{}", content_type="application/json")
    assert response.status_code == 415
    error_of(response)


def test_anonymous_programs_get_401() -> None:
    for response in (Client().get(URL), Client().post(URL), Client().get(f"{URL}{uuid.uuid4()}/")):
        assert response.status_code == 401
        assert error_of(response)["code"] == "not_authenticated"


def test_anothers_prediction_is_404_on_every_address(owner: User) -> None:
    (run,) = make_runs(owner, models=("tiny",))
    stranger = Api(make_user())
    for path in (f"{URL}{run.pk}/", f"{URL}{run.pk}/image/"):
        assert stranger.get(path).status_code == 404
    assert stranger.client.delete(f"{URL}{run.pk}/").status_code == 404
    assert stranger.get().json()["results"] == []
    assert Prediction.objects.of(owner).filter(pk=run.pk).exists()


@pytest.mark.parametrize("path", [str(uuid.uuid4()), "101", "-10", "not-an-id"])
def test_an_id_that_never_was_is_404(api: Api, path: str) -> None:
    assert api.get(f"{URL}{path}/").status_code == 404
    assert api.client.delete(f"{URL}{path}/").status_code == 404


def test_a_deleted_prediction_is_gone(api: Api, owner: User) -> None:
    (run,) = make_runs(owner, models=("tiny",))
    assert api.client.delete(f"{URL}{run.pk}/").status_code == 204
    assert api.get(f"{URL}{run.pk}/").status_code == 404
    assert api.client.delete(f"{URL}{run.pk}/").status_code == 404
    assert api.get().json()["results"] == []


def test_the_picture_comes_with_the_callers_own_credentials(api: Api, owner: User) -> None:
    entry = api.post(jpeg(), model="tiny").json()["results"][0]
    response = api.get(entry["image_url"])
    content = b"".join(response.streaming_content)
    assert response.status_code == 200
    assert response["Content-Type"] in ("image/jpeg", "image/png")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert content[:2] in (b"\xff\xd8", b"\x89P")
    again = api.client.get(entry["image_url"], headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304
    small = api.get(entry["image_url"], size="thumb")
    assert small["Content-Type"] == "image/jpeg"
    assert set(error_of(api.get(entry["image_url"], size="large"))["fields"]) == {"size"}
    browser = Client()
    browser.force_login(owner)
    assert browser.get(entry["image_url"]).status_code == 200


# --- lists -------------------------------------------------------------------------------------------------


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [entry["id"] for entry in response.json()["results"]]


def test_the_list_is_newest_first_and_turned_by_cursor(api: Api, owner: User) -> None:
    runs = [make_runs(owner, models=("tiny",))[0] for _ in range(5)]
    first = api.get(page_size=2).json()
    assert set(first) == {"next", "previous", "results"}
    seen = [entry["id"] for entry in first["results"]]
    link = first["next"]
    while link:
        page = api.get(link).json()
        seen += [entry["id"] for entry in page["results"]]
        link = page["next"]
    assert seen == [str(run.pk) for run in reversed(runs)]


@pytest.mark.parametrize("cursor", ["cD1hYmM=", "cD0yMDI2LTEzLTQ1", "cD0lMDA=", "x"])
def test_a_cursor_that_was_never_given_is_404(api: Api, cursor: str) -> None:
    response = api.get(cursor=cursor)
    assert response.status_code == 404
    error_of(response)


def test_a_deleted_clean_run_is_no_longer_named(api: Api) -> None:
    entry = api.post(jpeg(), model="tiny", bars="[[0,0,0.5,0.5]]").json()["results"][0]
    assert api.client.delete(f"{URL}{entry['clean']}/").status_code == 204
    assert api.get(f"{URL}{entry['id']}/").json()["clean"] is None


def test_filters_are_by_network_class_status_and_inclusive_utc_dates(api: Api, owner: User) -> None:
    tiny, small = make_runs(owner)
    finish(tiny, first=1)
    Prediction.objects.filter(pk=small.pk).update(created=datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC))
    assert ids(api.get(model="small")) == [str(small.pk)]
    assert ids(api.get(label="green")) == [str(tiny.pk)]
    assert ids(api.get(status="done")) == [str(tiny.pk)]
    assert ids(api.get(start="2026-03-31", end="2026-03-31")) == [str(small.pk)]
    assert ids(api.get(end="2026-03-30")) == []


def test_a_batch_lists_what_its_post_returned(api: Api) -> None:
    body = api.post(jpeg(), bars="[[0,0,0.5,0.5]]").json()
    api.post(jpeg())
    assert set(ids(api.get(batch=body["batch"]))) == {entry["id"] for entry in body["results"]}


@pytest.mark.parametrize(
    "query",
    [
        {"start": "yesterday"},
        {"end": "2026-13-01"},
        {"model": "resnet"},
        {"label": "unicorn"},
        {"label": "-10"},
        {"label": "101"},
        {"status": "thinking"},
        {"batch": "7"},
    ],
    ids=str,
)
def test_a_filter_that_cannot_be_is_an_error_at_its_field(api: Api, query: dict[str, str]) -> None:
    response = api.get(**query)
    assert response.status_code == 400
    assert set(error_of(response)["fields"]) == set(query)


def test_a_list_costs_the_same_queries_however_long(
    api: Api, owner: User, django_assert_max_num_queries: Any
) -> None:
    for run in make_runs(owner, pictures=12, models=("tiny",)):
        finish(run)
    with django_assert_max_num_queries(5):
        assert len(ids(api.get())) == 12


def test_a_failed_run_says_why(api: Api, owner: User) -> None:
    (run,) = make_runs(owner, models=("tiny",))
    claim, _runs = Prediction.objects.claim(1)
    Prediction.objects.fail(claim, run, "engine_failed", "The network failed.")
    body = api.get(f"{URL}{run.pk}/").json()
    assert (body["status"], body["error"]) == (
        "failed",
        {"code": "engine_failed", "message": "The network failed."},
    )


def test_a_request_that_reads_too_long_rejects_the_rest_with_a_sentence(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "READING_SECONDS", 0.0)
    results = api.post(jpeg("a.jpg"), jpeg("b.jpg"), model="tiny").json()["results"]
    assert [entry["error"]["code"] for entry in results] == ["decoder_busy", "decoder_busy"]
