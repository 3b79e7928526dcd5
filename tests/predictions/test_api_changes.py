"""What programs do with predictions that are there: cancel, retry, rename, note, star, delete, bring back, compare."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from predictions import inference, lifecycle
from predictions.models import Job, Prediction
from tests.api import PREDICTIONS, Api, error_of, jpeg
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def api(owner: User) -> Api:
    return Api(owner)


@pytest.fixture
def run(owner: User) -> Prediction:
    (made,) = make_runs(owner, models=("tiny",))
    return made


def at(run: Prediction, what: str = "") -> str:
    return f"{PREDICTIONS}{run.pk}/{what}"


def fail(run: Prediction) -> None:
    claim, _runs = Prediction.objects.claim(10)
    assert Prediction.objects.fail(claim, run, "engine_failed", "The network failed.")


# --- waiting and failing -----------------------------------------------------------------------------------


def test_what_waits_can_be_cancelled_and_retried(api: Api, run: Prediction, no_wake_ups: list[str]) -> None:
    assert api.send("post", at(run, "cancel/")).json()["status"] == "cancelled"
    assert api.send("post", at(run, "cancel/")).status_code == 200
    body = api.send("post", at(run, "retry/")).json()
    assert (body["status"], body["finished"], body["error"]) == ("queued", None, None)


def test_what_failed_can_be_retried_and_is_answered_then(api: Api, run: Prediction) -> None:
    fail(run)
    assert api.send("post", at(run, "retry/")).json()["status"] == "queued"
    inference.drain()
    assert api.get(at(run)).json()["status"] == "done"


def test_a_cancelled_covered_run_comes_back_with_the_clean_one(api: Api) -> None:
    entry = api.post(jpeg(), model="tiny", bars="[[0,0,0.5,0.5]]").json()["results"][0]
    for what, state in (("cancel", "cancelled"), ("retry", "queued")):
        assert api.send("post", f"{PREDICTIONS}{entry['id']}/{what}/").json()["status"] == state
        assert api.get(f"{PREDICTIONS}{entry['clean']}/").json()["status"] == state


def test_a_failed_clean_run_is_retried_although_the_covered_one_is_done(api: Api) -> None:
    entry = api.post(jpeg(), model="tiny", bars="[[0,0,0.5,0.5]]").json()["results"][0]
    finish(Prediction.objects.get(pk=entry["id"]))
    fail(Prediction.objects.get(pk=entry["clean"]))
    body = api.send("post", f"{PREDICTIONS}{entry['clean']}/retry/").json()
    assert (body["id"], body["status"]) == (entry["clean"], "queued")
    assert api.get(f"{PREDICTIONS}{entry['id']}/").json()["status"] == "done"


def test_what_is_done_can_be_neither_cancelled_nor_retried(api: Api, run: Prediction) -> None:
    finish(run)
    for what, code in (("cancel", "not_waiting"), ("retry", "nothing_to_retry")):
        response = api.send("post", at(run, f"{what}/"))
        assert response.status_code == 409
        assert error_of(response)["code"] == code
    assert api.get(at(run)).json()["status"] == "done"


# --- what its owner makes of it ----------------------------------------------------------------------------


def test_a_prediction_is_renamed_noted_and_starred(api: Api, run: Prediction) -> None:
    before = api.get(at(run)).json()
    assert (before["starred"], before["note"]) == (False, "")
    sent = {"filename": "folder/Löwe.png", "note": " Only the mane. \n", "starred": True}
    body = api.send("patch", at(run), sent).json()
    assert (body["filename"], body["note"], body["starred"]) == ("Löwe.png", "Only the mane.", True)
    assert api.get(at(run)).json() == body
    assert [entry["id"] for entry in api.get(starred="yes", q="löwe").json()["results"]] == [str(run.pk)]


@pytest.mark.parametrize("name", ["///", "folder/", "...", "?!", "\u202e"])
def test_a_name_of_which_nothing_is_left_is_refused_as_on_the_page(
    api: Api, run: Prediction, owner: User, name: str
) -> None:
    before = run.upload.filename
    response = api.send("patch", at(run), {"filename": name, "starred": True})
    assert response.status_code == 400
    assert error_of(response)["fields"] == {"filename": ["A file name needs at least one letter or digit."]}
    page = Client(headers={"accept": "application/json"})
    page.force_login(owner)
    assert page.post(f"/predictions/{run.pk}/edit/", {"filename": name}).status_code == 422
    run.refresh_from_db()
    run.upload.refresh_from_db()
    assert (run.upload.filename, run.starred) == (before, False)


def test_what_is_not_sent_stays(api: Api, run: Prediction) -> None:
    api.send("patch", at(run), {"note": "first", "starred": True})
    body = api.send("patch", at(run), {"note": ""}).json()
    assert (body["note"], body["starred"], body["filename"]) == ("", True, run.upload.filename)
    assert api.send("patch", at(run), {}).json() == body


def test_a_new_name_is_that_of_every_prediction_on_the_picture(api: Api, owner: User) -> None:
    first, second = make_runs(owner)
    api.send("patch", at(first), {"filename": "new.png"})
    assert api.get(at(second)).json()["filename"] == "new.png"
    assert api.get(at(first)).json()["picture"] == api.get(at(second)).json()["picture"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"note": "x" * 501}, "note"),
        ({"filename": ""}, "filename"),
        ({"filename": "x" * 121}, "filename"),
        ({"filename": None}, "filename"),
        ({"filename": 7}, "filename"),
        ({"starred": "yes"}, "starred"),
        ({"starred": 1}, "starred"),
        ({"star": True}, "star"),
        ({"status": "done"}, "status"),
    ],
    ids=str,
)
def test_a_change_that_cannot_be_is_an_error_at_its_field(
    api: Api, run: Prediction, body: dict[str, Any], field: str
) -> None:
    response = api.send("patch", at(run), {"note": "kept", **body} if field != "note" else body)
    assert response.status_code == 400
    assert set(error_of(response)["fields"]) == {field}
    assert api.get(at(run)).json()["note"] == ""


@pytest.mark.parametrize("body", ["", "[]", "7", "{", '"text"', '{"note": "\\u0000"}', '{"note": "\\ud800"}'])
def test_a_body_that_is_no_object_of_fields_is_an_error(api: Api, run: Prediction, body: str) -> None:
    response = api.client.patch(at(run), body, content_type="application/json")
    assert response.status_code == 400 or (body == "" and response.status_code == 200)
    if body:
        error_of(response)


# --- deleting many -----------------------------------------------------------------------------------------


def test_many_are_deleted_and_brought_back(api: Api, owner: User) -> None:
    ids = [str(run.pk) for run in make_runs(owner, pictures=3, models=("tiny",))]
    body = api.send("post", f"{PREDICTIONS}delete/", {"ids": [*ids[:2], str(uuid.uuid4())]}).json()
    assert (set(body["deleted"]), body["seconds"]) == (set(ids[:2]), 10)
    assert [entry["id"] for entry in api.get().json()["results"]] == ids[2:]
    assert api.send("post", f"{PREDICTIONS}undo/", {"ids": ids}).json() == {"restored": 2}
    assert len(api.get().json()["results"]) == 3


def test_others_predictions_are_neither_deleted_nor_brought_back(owner: User, run: Prediction) -> None:
    stranger = Api(make_user())
    ids = {"ids": [str(run.pk)]}
    assert stranger.send("post", f"{PREDICTIONS}delete/", ids).json()["deleted"] == []
    run.refresh_from_db()
    assert run.deleted is None
    lifecycle.delete(owner, [run.pk])
    assert stranger.send("post", f"{PREDICTIONS}undo/", ids).json() == {"restored": 0}
    run.refresh_from_db()
    assert run.deleted is not None


@pytest.mark.parametrize(
    "ids",
    [None, [], "all", [7], ["x"], [str(uuid.uuid4())] * 1001, {"a": 1}],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("what", ["delete", "undo"])
def test_ids_that_are_none_are_an_error(api: Api, run: Prediction, what: str, ids: Any) -> None:
    response = api.send("post", f"{PREDICTIONS}{what}/", {} if ids is None else {"ids": ids})
    assert response.status_code == 400
    assert all(name.startswith("ids") for name in error_of(response)["fields"])


def test_a_session_changes_nothing_without_its_csrf_token(owner: User, run: Prediction) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    calls = [
        ("patch", at(run), {"starred": True}),
        ("post", at(run, "cancel/"), {}),
        ("post", at(run, "retry/"), {}),
        ("post", f"{PREDICTIONS}delete/", {"ids": [str(run.pk)]}),
        ("post", f"{PREDICTIONS}undo/", {"ids": [str(run.pk)]}),
        ("post", f"/api/v1/batches/{run.batch_id}/cancel/", {}),
        ("post", f"/api/v1/batches/{run.batch_id}/retry/", {}),
        ("put", f"/api/v1/batches/{run.batch_id}/truths/", {"truths": {}}),
        ("delete", f"/api/v1/batches/{run.batch_id}/", {}),
        ("delete", at(run), {}),
    ]
    for method, path, body in calls:
        response = getattr(browser, method)(path, json.dumps(body), content_type="application/json")
        assert response.status_code == 403, path
        error_of(response)
    run.refresh_from_db()
    assert (run.status, run.deleted, run.starred) == (Job.Status.QUEUED, None, False)


# --- all probabilities, and two beside one another -----------------------------------------------------------


def test_all_probabilities_are_those_of_the_full_softmax(api: Api, run: Prediction) -> None:
    inference.drain()
    body = api.get(at(run, "probabilities/")).json()
    rows = body["probabilities"]
    assert (body["id"], body["model"], body["artifact"]) == (str(run.pk), "tiny", "tiny-1")
    assert [row["index"] for row in rows] == list(range(7))
    assert sum(row["probability"] for row in rows) == pytest.approx(1, abs=1e-5)
    best = max(rows, key=lambda row: row["probability"])
    first = api.get(at(run)).json()["top5"][0]
    assert (best["label"], best["probability"]) == (first["label"], pytest.approx(first["probability"]))


def test_probabilities_that_are_not_there_are_told_apart(api: Api, run: Prediction) -> None:
    response = api.get(at(run, "probabilities/"))
    assert (response.status_code, error_of(response)["code"]) == (409, "not_answered")
    finish(run)  # as before all probabilities were kept
    response = api.get(at(run, "probabilities/"))
    assert (response.status_code, error_of(response)["code"]) == (404, "probabilities_not_kept")


def compare(api: Api, a: Any, b: Any) -> Any:
    return api.get(f"{PREDICTIONS}compare/", a=str(a), b=str(b))


def test_two_predictions_are_compared_class_by_class(api: Api) -> None:
    entry = api.post(jpeg(), model="tiny", bars="[[0,0,1,1]]").json()["results"][0]
    inference.drain()
    body = compare(api, entry["clean"], entry["id"]).json()
    assert (body["a"]["id"], body["b"]["id"], body["same_picture"]) == (entry["clean"], entry["id"], True)
    black = next(row for row in body["classes"] if row["label"] == "black")
    assert black["difference"] == pytest.approx(black["b"] - black["a"])
    assert black["difference"] > 0
    assert body["a"]["top5"][0]["label"] in [row["label"] for row in body["classes"]]


def test_only_what_is_there_and_answered_can_be_compared(api: Api, owner: User, run: Prediction) -> None:
    other = finish(make_runs(owner, models=("small",))[0])
    assert error_of(compare(api, run.pk, other.pk))["code"] == "not_answered"
    finish(run)
    assert compare(api, run.pk, other.pk).json()["same_picture"] is False
    assert compare(api, run.pk, uuid.uuid4()).status_code == 404
    assert compare(Api(make_user()), run.pk, other.pk).status_code == 404
    response = api.get(f"{PREDICTIONS}compare/", a="7")
    assert response.status_code == 400
    assert set(error_of(response)["fields"]) == {"a", "b"}


# --- the list as the history has it ------------------------------------------------------------------------


def ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [entry["id"] for entry in response.json()["results"]]


def test_the_list_has_the_filters_of_the_history(api: Api, owner: User) -> None:
    sure, unsure = make_runs(owner, pictures=2, models=("tiny",))
    finish(sure, 0.9, 0.05)
    finish(unsure, 0.3, 0.2)
    (covered,) = make_runs(owner, models=("tiny",), bars=[[0, 0, 0.5, 0.5]])
    api.send("patch", at(unsure), {"note": "Blurred by rain", "starred": True})
    assert ids(api.get(confidence_min="0.5")) == [str(sure.pk)]
    assert ids(api.get(confidence_max="0.5")) == [str(unsure.pk)]
    assert ids(api.get(covered="yes")) == [str(covered.pk)]
    assert ids(api.get(starred="yes")) == [str(unsure.pk)]
    assert ids(api.get(q="RAIN")) == [str(unsure.pk)]
    for query in ({"covered": "maybe"}, {"confidence_min": "1.5"}, {"sort": "best"}, {"page_size": "0"}):
        response = api.get(**query)
        assert response.status_code == 400
        assert set(error_of(response)["fields"]) == set(query)


@pytest.mark.parametrize("sort", ["newest", "oldest", "surest", "least-sure", "name"])
def test_every_order_is_turned_by_cursor_without_gaps(api: Api, owner: User, sort: str) -> None:
    runs = make_runs(owner, pictures=6, models=("tiny",))
    for run, probability in zip(runs, (0.5, 0.9, 0.5, 0.1), strict=False):
        finish(run, probability)
    whole = ids(api.get(sort=sort))
    assert sorted(whole) == sorted(str(run.pk) for run in runs)
    pages, link = [], f"{PREDICTIONS}?sort={sort}&page_size=2"
    while link:
        body = api.get(link).json()
        pages += [entry["id"] for entry in body["results"]]
        link = body["next"]
    assert pages == whole
    sureness = [
        entry["top5"] and entry["top5"][0]["probability"] for entry in api.get(sort=sort).json()["results"]
    ]
    if sort in ("surest", "least-sure"):
        expected = sorted([0.5, 0.9, 0.5, 0.1], reverse=sort == "surest")
        assert sureness == [*expected, None, None]
