"""The laboratory for programs: asked, waited for, read as NumPy files, and refused."""

from __future__ import annotations

import io
import uuid
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import User
from learn import explaining, kinds, laboratory_quota
from learn.kinds import Result, Work
from learn.models import Explanation
from predictions import lifecycle, moderation
from predictions.inference import drain
from predictions.models import Prediction
from tests.api import Api, error_of
from tests.factories import make_runs, make_user
from tests.learn.asking import ROOT, done, post
from tests.learn.conftest import Asked

pytestmark = pytest.mark.django_db

BARS = [[0.25, 0.0, 0.5, 1.0]]
FIELDS = {
    "id",
    "status",
    "kind",
    "network",
    "artifact",
    "prediction",
    "sample",
    "bars",
    "parameters",
    "result",
    "files",
    "created",
    "finished",
    "error",
}


@pytest.fixture
def run(asked: Asked, user: User) -> Prediction:
    """An answered prediction with bars, of the first of two networks."""
    first, *_others = make_runs(user, bars=BARS)
    drain()
    return first


# --- asked, waited for, read --------------------------------------------------------------------------------


def test_what_is_asked_waits_and_is_there_afterwards(api: Api, run: Prediction) -> None:
    first = post(api, prediction=str(run.pk), parameters={"level": 2})
    assert first.status_code == 202
    waiting = first.json()
    assert set(waiting) == FIELDS
    assert waiting | {"id": "", "created": ""} == {
        "id": "",
        "status": "queued",
        "kind": "mean",
        "network": "tiny",
        "artifact": "tiny-1",
        "prediction": str(run.pk),
        "sample": None,
        "bars": BARS,
        "parameters": {"level": 2},
        "result": None,
        "files": None,
        "created": "",
        "finished": None,
        "error": None,
    }
    explaining.drain()
    found = api.get(f"{ROOT}{waiting['id']}/").json()
    assert found["result"] == {
        "mean": pytest.approx(np.frombuffer(seen(run), np.uint8).mean()),
        "covered": True,
    }
    pixels, meta = found["files"]
    assert (pixels["name"], pixels["type"]) == ("clean/pixels.npy", "application/octet-stream")
    assert (meta["name"], meta["type"], meta["bytes"]) == ("meta.json", "application/json", 2)
    again = post(api, prediction=str(run.pk), parameters={"level": 2})
    assert (again.status_code, again.json()) == (200, found)


def seen(run: Prediction) -> bytes:
    assert run.clean_run
    assert run.clean_run.network_input
    return bytes(run.clean_run.network_input.pixels)


def test_a_file_is_read_with_numpy(api: Api, run: Prediction) -> None:
    file, _meta = done(api, prediction=str(run.pk))["files"]
    response = api.get(file["url"])
    assert response.status_code == 200
    assert response["Content-Type"] == file["type"]
    assert len(response.content) == file["bytes"]
    pixels = np.load(io.BytesIO(response.content))
    assert (pixels.dtype, pixels.tobytes()) == (np.uint8, seen(run))
    unchanged = api.client.get(
        file["url"], headers={"If-None-Match": response["ETag"], "Accept": "image/png"}
    )
    assert unchanged.status_code == 304


def test_the_network_is_the_predictions_own_unless_another_is_named(api: Api, run: Prediction) -> None:
    second = Prediction.objects.get(batch=run.batch_id, model="small", asked=True)
    assert post(api, prediction=str(second.pk)).json()["network"] == "small"
    other = post(api, prediction=str(second.pk), network="tiny").json()
    assert (other["network"], other["prediction"]) == ("tiny", str(run.pk))


def test_bars_of_the_question_count_and_blind_kinds_have_none(api: Api, run: Prediction) -> None:
    bare = post(api, prediction=str(run.pk), bars=[]).json()
    assert bare["bars"] == []
    assert bare["prediction"] == str(run.clean_run_id)
    other = post(api, prediction=str(run.pk), bars=[[0, 0, 0.5, 0.5]]).json()
    assert other["bars"] == [[0, 0, 0.5, 0.5]]
    blind = post(api, prediction=str(run.pk), kind="blind").json()
    assert (blind["bars"], blind["prediction"]) == ([], str(run.pk))
    assert len({bare["id"], other["id"], blind["id"]}) == 3


def test_a_sample_picture_is_everybodys(api: Api, asked: Asked) -> None:
    found = done(api, sample="apple")
    assert (found["sample"], found["prediction"], found["network"]) == ("apple", None, "tiny")
    other = Api(make_user("other@example.com"))
    assert other.get(f"{ROOT}{found['id']}/").json() == found
    assert other.get(found["files"][0]["url"]).status_code == 200
    assert post(other, sample="apple").json()["id"] == found["id"]
    refused = api.send("delete", f"{ROOT}{found['id']}/")
    assert (refused.status_code, error_of(refused)["code"]) == (403, "of_sample")
    assert api.get(ROOT).json()["results"] == []


def test_what_failed_says_why(api: Api, asked: Asked) -> None:
    def refuse(work: Work) -> Result:
        raise kinds.KindError("There was nothing to see.")

    asked.does = refuse
    found = post(api, sample="apple").json()
    explaining.drain()
    failed = api.get(f"{ROOT}{found['id']}/").json()
    assert (failed["status"], failed["result"], failed["files"]) == ("failed", None, None)
    assert failed["error"] == {"code": "refused", "message": "There was nothing to see."}


def test_what_lost_its_file_is_gone_and_can_be_asked_for_again(
    api: Api, run: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = post(api, prediction=str(run.pk)).json()["id"]
    explaining.drain()
    default_storage.delete(Explanation.objects.get(pk=pk).file.name or "")
    assert api.get(f"{ROOT}{pk}/").status_code == 404
    assert post(api, prediction=str(run.pk)).status_code == 202


# --- listed and deleted --------------------------------------------------------------------------------------


def test_the_list_is_narrowed_and_turned_by_cursor(api: Api, user: User, run: Prediction) -> None:
    other, *_rest = make_runs(user, models=("small",))
    drain()
    first = done(api, prediction=str(run.pk))
    second = done(api, prediction=str(other.pk), kind="blind")
    third = post(api, prediction=str(other.pk)).json()

    def ids(**query: Any) -> list[str]:
        response = api.get(ROOT, **query)
        assert response.status_code == 200, response.content
        rows = response.json()["results"]
        assert all(row["result"] is None and row["files"] is None for row in rows)
        return [row["id"] for row in rows]

    assert ids() == [third["id"], second["id"], first["id"]]
    assert ids(prediction=str(run.pk)) == [first["id"]]
    assert ids(prediction=str(uuid.uuid4())) == []
    assert ids(kind="blind") == [second["id"]]
    assert ids(network="small") == [third["id"], second["id"]]
    assert ids(status="queued") == [third["id"]]
    assert ids(status="", kind="", network="", prediction="") == ids()
    page = api.get(ROOT, page_size=2).json()
    assert [row["id"] for row in page["results"]] == [third["id"], second["id"]]
    assert [row["id"] for row in api.get(page["next"]).json()["results"]] == [first["id"]]


@pytest.mark.parametrize(
    ("name", "value"),
    [("prediction", "x"), ("kind", "magic"), ("status", "rejected"), ("network", "n" * 41)],
)
def test_a_filter_that_cannot_be_read_is_refused(api: Api, asked: Asked, name: str, value: str) -> None:
    response = api.get(ROOT, **{name: value})
    assert response.status_code == 400
    assert set(error_of(response)["fields"]) == {name}


@pytest.mark.django_db(transaction=True)
def test_deleted_it_is_gone_with_its_file(api: Api, run: Prediction) -> None:
    found = done(api, prediction=str(run.pk))
    file = Explanation.objects.get().file.name or ""
    assert default_storage.exists(file)
    assert api.send("delete", f"{ROOT}{found['id']}/").status_code == 204
    assert not default_storage.exists(file)
    for path in (f"{ROOT}{found['id']}/", found["files"][0]["url"]):
        assert api.get(path).status_code == 404
    assert api.send("delete", f"{ROOT}{found['id']}/").status_code == 404


# --- whose it is ---------------------------------------------------------------------------------------------


def test_nobody_else_sees_it(api: Api, run: Prediction) -> None:
    found = done(api, prediction=str(run.pk))
    other = Api(make_user("other@example.com"))
    missing = other.get(f"{ROOT}{uuid.uuid4()}/").content
    assert other.get(f"{ROOT}{found['id']}/").content == missing
    assert other.get(found["files"][0]["url"]).status_code == 404
    assert other.send("delete", f"{ROOT}{found['id']}/").status_code == 404
    assert post(other, prediction=str(run.pk)).status_code == 404
    assert other.get(ROOT, prediction=str(run.pk)).json()["results"] == []
    assert Client().get(f"{ROOT}{found['id']}/").status_code == 401


@pytest.mark.parametrize("how", ["deleted", "hidden"])
def test_with_its_picture_it_is_gone(api: Api, user: User, run: Prediction, how: str) -> None:
    found = done(api, prediction=str(run.pk))
    if how == "deleted":
        lifecycle.delete(user, list(Prediction.objects.of(user).values_list("pk", flat=True)))
    else:
        moderation.hide(make_user("staff@example.com", is_staff=True), [run.upload], "minor")
    for path in (f"{ROOT}{found['id']}/", found["files"][0]["url"]):
        assert api.get(path).status_code == 404
    assert api.get(ROOT).json()["results"] == []
    assert post(api, prediction=str(run.pk)).status_code == 404


def test_a_session_needs_its_csrf_token(asked: Asked, user: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    body = {"sample": "apple", "kind": "mean"}
    assert browser.post(ROOT, body, content_type="application/json").status_code == 403
    browser.get("/predict/")
    token = browser.cookies["csrftoken"].value
    headers = {"X-CSRFToken": token}
    assert browser.post(ROOT, body, content_type="application/json", headers=headers).status_code == 202


# --- refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"kind": "magic"}, "kind"),
        ({"kind": 3}, "kind"),
        ({"network": "resnet"}, "network"),
        ({"parameters": []}, "parameters"),
        ({"parameters": {"level": "\ud800"}}, "parameters"),
        ({"parameters": {"level": "x"}}, "parameters.level"),
        ({"bars": "[]"}, "bars"),
        ({"bars": [[0, 0, 2, 1]]}, "bars"),
        ({"layer": "block1/conv1"}, "layer"),
    ],
)
def test_a_wrong_field_is_named(api: Api, asked: Asked, sent: dict[str, Any], field: str) -> None:
    response = post(api, sample="apple", **sent)
    assert response.status_code == 400
    assert list(error_of(response)["fields"]) == [field]
    assert not Explanation.objects.exists()


def test_a_number_beyond_every_float_is_refused(api: Api, asked: Asked) -> None:
    body = '{"sample": "apple", "kind": "mean", "parameters": {"level": 1e999}}'
    response = api.client.post(ROOT, body, content_type="application/json")
    assert response.status_code == 400
    assert list(error_of(response)["fields"]) == ["parameters"]


@pytest.mark.parametrize("sent", [{}, {"sample": "apple", "prediction": str(uuid.UUID(int=1))}])
def test_one_picture_is_named(api: Api, asked: Asked, sent: dict[str, Any]) -> None:
    response = post(api, **sent)
    assert response.status_code == 400
    assert "one of these two" in error_of(response)["message"]


@pytest.mark.parametrize("sent", [{"sample": "unicorn"}, {"prediction": str(uuid.UUID(int=1))}])
def test_a_picture_that_is_not_there(api: Api, asked: Asked, sent: dict[str, Any]) -> None:
    response = post(api, **sent)
    assert (response.status_code, error_of(response)["code"]) == (404, "not_found")


def test_what_is_not_answered_cannot_be_explained_yet(api: Api, asked: Asked, user: User) -> None:
    response = post(api, prediction=str(make_runs(user)[0].pk))
    assert (response.status_code, error_of(response)["code"]) == (409, "not_answered")


def test_too_many_that_wait_are_refused(
    api: Api, run: Prediction, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(laboratory_quota, "IN_FLIGHT", 1)
    assert post(api, prediction=str(run.pk)).status_code == 202
    response = post(api, prediction=str(run.pk), parameters={"level": 2})
    assert response.status_code == 429
    assert "still waiting" in error_of(response)["message"]
    assert int(response["Retry-After"]) > 0


def test_asking_is_limited_and_polling_is_not(
    api: Api, run: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, "explain", "1/min")
    pk = post(api, prediction=str(run.pk)).json()["id"]
    assert post(api, prediction=str(run.pk)).status_code == 429
    assert [api.get(f"{ROOT}{pk}/").status_code for _time in range(3)] == [200, 200, 200]


@pytest.mark.parametrize("name", ["nothing.npy", "../../settings.py", "clean/", "meta.json/"])
def test_a_file_that_is_not_there(api: Api, run: Prediction, name: str) -> None:
    found = done(api, prediction=str(run.pk))
    response = api.get(f"{ROOT}{found['id']}/files/{name}")
    assert response.status_code == 404
    error_of(response)
