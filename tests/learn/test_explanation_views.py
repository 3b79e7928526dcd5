"""Explanations over HTTP: who may ask for what, how it is answered, and what is refused with which sentence."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from accounts import throttle
from accounts.models import User
from learn import asking_rate, explaining, kinds
from learn.kinds import Kind, KindError, Result, Work
from learn.models import Explanation
from ml import artifact
from ml.artifact import Card
from predictions import lifecycle, moderation
from predictions.jobs import Heartbeat
from predictions.models import Prediction
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups", "echo")]

ROOT = "/learn/laboratory/explanations/"
PNG = b"\x89PNG\r\n\x1a\n and so on"


def _clean(parameters: Mapping[str, Any], card: Card) -> dict[str, Any]:
    if parameters.get("volume", 0) > 11:
        raise KindError("It goes to eleven.", "volume")
    return dict(parameters)


def _compute(work: Work) -> Result:
    if work.parameters.get("fail"):
        raise KindError("There was nothing to hear.")
    members = {"clean/block1.conv1.npy": np.arange(6, dtype=np.float32).reshape(1, 2, 3), "map.png": PNG}
    return Result({"sum": int(work.clean.sum()), "covered": work.covered is not None}, members)


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of explanation that takes no time."""
    known = dict(kinds.every()) | {"echo": Kind("echo", clean=_clean, compute=_compute)}
    monkeypatch.setattr(kinds, "every", lambda: known)


@pytest.fixture
def worker(db: None) -> None:
    Heartbeat.objects.create(name="lab@test", queues="archives,lab", seen=timezone.now())


@pytest.fixture
def owner() -> User:
    return make_user("owner@example.com")


@pytest.fixture
def own(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def answered(owner: User) -> Prediction:
    return finish(make_runs(owner, models=("vgg",), bars=[[0, 0, 0.5, 0.5]])[0])


Ask = Callable[..., Any]


def ask(client: Client, on: str = "sample:apple", **fields: Any) -> Any:
    values = {"on": on, "network": "vgg", "kind": "echo", "parameters": "{}"} | fields
    return client.post(ROOT, values, headers={"accept": "application/json"})


def done(client: Client, **fields: Any) -> dict[str, Any]:
    """Asked and computed."""
    pk = ask(client, **fields).json()["id"]
    explaining.drain()
    return client.get(f"{ROOT}{pk}/").json()


def refused(response: Any, status: int, sentence: str, code: str = "") -> None:
    assert response.status_code == status
    error = response.json()["error"]
    assert sentence in error["message"]
    assert not code or error["code"] == code


# --- asked, waited for, read --------------------------------------------------------------------------------


@pytest.mark.usefixtures("worker")
def test_what_is_asked_waits_and_is_answered_under_its_own_address(client: Client) -> None:
    first = ask(client)
    assert first.status_code == 202
    answer = first.json()
    assert {name: answer[name] for name in ("status", "position", "worker", "result", "files", "error")} == {
        "status": "queued",
        "position": 1,
        "worker": True,
        "result": None,
        "files": [],
        "error": None,
    }
    assert answer["says"] == "Being computed"
    assert answer["artifact"] == artifact.load_card("vgg").version
    explaining.drain()
    later = client.get(f"{ROOT}{answer['id']}/").json()
    assert (later["status"], later["result"]["covered"]) == ("done", True)
    assert later["files"] == ["clean/block1.conv1.npy", "map.png"]
    assert later["base"] == f"{ROOT}{answer['id']}/files/"
    again = ask(client)
    assert (again.status_code, again.json()["id"]) == (200, answer["id"])


@pytest.mark.usefixtures("worker")
def test_the_line_is_told(client: Client) -> None:
    answers = [ask(client, parameters=json.dumps({"volume": n})).json() for n in range(3)]
    assert [one["position"] for one in answers] == [1, 2, 3]
    assert answers[1]["says"] == "Waiting, 1 figure is computed before this one"
    assert answers[2]["says"] == "Waiting, 2 figures are computed before this one"


def test_a_worker_that_is_away_is_said_and_what_is_there_is_given_all_the_same(client: Client) -> None:
    stored = done(client)
    assert stored["worker"] is True
    waiting = ask(client, network="wideresnet").json()
    assert waiting["worker"] is False
    assert "worker is away" in waiting["says"]
    assert ask(client).json()["result"] == stored["result"]


def test_a_worker_of_other_queues_is_none(client: Client) -> None:
    Heartbeat.objects.create(name="other@test", queues="predictions,archives", seen=timezone.now())
    assert ask(client).json()["worker"] is False


def test_the_files_are_what_was_computed(client: Client) -> None:
    base = done(client)["base"]
    array = client.get(f"{base}clean/block1.conv1.npy")
    assert array["Content-Type"] == "application/octet-stream"
    assert np.array_equal(np.load(io.BytesIO(array.content)), np.arange(6).reshape(1, 2, 3))
    picture = client.get(f"{base}map.png")
    assert (picture["Content-Type"], picture.content) == ("image/png", PNG)
    for response in (array, picture):
        assert response["Cache-Control"] == "public, max-age=86400, immutable"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response["Content-Security-Policy"]
    unchanged = client.get(f"{base}map.png", headers={"if-none-match": picture["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


@pytest.mark.parametrize("name", ["nothing.npy", "../../settings.py", "map.png/", "clean/"])
def test_a_file_that_is_not_there(client: Client, name: str) -> None:
    refused(client.get(f"{done(client)['base']}{name}"), 404, "no such file")


def test_what_failed_says_why(client: Client) -> None:
    answer = done(client, parameters='{"fail": true}')
    assert (answer["status"], answer["result"], answer["files"]) == ("failed", None, [])
    assert answer["error"] == {"code": "refused", "message": "There was nothing to hear."}


def test_bars_in_the_question_count(client: Client) -> None:
    own, none, other = (done(client, bars=bars) for bars in ("", "[]", "[[0,0,1,1]]"))
    assert len({one["id"] for one in (own, none, other)}) == 3
    assert [one["result"]["covered"] for one in (own, none, other)] == [True, False, True]


# --- whose it is ---------------------------------------------------------------------------------------------


def test_ones_own_is_nobody_elses(own: Client, answered: Prediction) -> None:
    found = done(own, on=str(answered.pk))
    assert found["status"] == "done"
    picture = own.get(f"{found['base']}map.png")
    assert picture.status_code == 200
    assert picture["Cache-Control"] == "private, no-cache"
    other = Client()
    other.force_login(make_user("other@example.com"))
    for stranger in (other, Client()):
        refused(ask(stranger, on=str(answered.pk)), 404, "no such picture", "not_found")
        refused(stranger.get(f"{ROOT}{found['id']}/"), 404, "deleted or never was", "not_found")
        refused(stranger.get(f"{found['base']}map.png"), 404, "deleted or never was", "not_found")


@pytest.mark.parametrize("how", ["deleted", "hidden"])
def test_with_its_picture_it_is_gone(own: Client, owner: User, answered: Prediction, how: str) -> None:
    found = done(own, on=str(answered.pk))
    etag = own.get(f"{found['base']}map.png")["ETag"]
    if how == "deleted":
        lifecycle.delete(owner, Prediction.objects.values_list("pk", flat=True))
    else:
        moderation.hide(None, [answered.upload], "spam")
    refused(own.get(f"{ROOT}{found['id']}/"), 404, "deleted or never was")
    refused(own.get(f"{found['base']}map.png", headers={"if-none-match": etag}), 404, "deleted or never was")
    refused(ask(own, on=str(answered.pk)), 404, "no such picture")


def test_a_picture_that_waits_for_its_answer(own: Client, owner: User) -> None:
    run = make_runs(owner, models=("vgg",))[0]
    refused(ask(own, on=str(run.pk)), 409, "not answered yet", "queued")


def test_no_row_of_a_visitor_belongs_to_anybody(client: Client) -> None:
    ask(client)
    assert Explanation.objects.get().owner_id is None
    assert not client.session.keys()


def test_a_page_of_an_account_whose_login_ended_is_told_so(client: Client) -> None:
    headers = {"accept": "application/json", "x-account": "1"}
    response = client.post(ROOT, {"on": "sample:apple", "network": "vgg", "kind": "echo"}, headers=headers)
    refused(response, 401, "no longer logged in", "not_logged_in")


# --- refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"on": ""}, 404, "no such picture"),
        ({"on": "sample:elephant"}, 404, "no such picture"),
        ({"on": str(uuid.UUID(int=3))}, 404, "no such picture"),
        ({"network": "resnet9000"}, 404, "not looked into by a network"),
        ({"kind": "astrology"}, 422, "nothing called “astrology”"),
        ({"kind": ""}, 422, "nothing called"),
        ({"parameters": '{"volume": 12}'}, 422, "It goes to eleven."),
        ({"parameters": "{"}, 422, "not valid JSON"),
        ({"parameters": "[" * 5000}, 422, "not valid JSON"),
        ({"parameters": '{"volume": NaN}'}, 422, "not valid JSON"),
        ({"parameters": '{"volume": 1e999}'}, 422, "eleven"),
        ({"parameters": "[1]"}, 422, "must be a JSON object"),
        ({"parameters": json.dumps({"text": "x" * 20_000})}, 422, "too many changes"),
        ({"bars": "[[0,0]]"}, 422, ""),
        ({"bars": "x" * 20_001}, 422, "too many bars"),
    ],
    ids=lambda value: json.dumps(value)[:40] if isinstance(value, dict) else None,
)
def test_what_cannot_be_asked(client: Client, fields: dict[str, str], status: int, sentence: str) -> None:
    refused(ask(client, **fields), status, sentence)
    assert not Explanation.objects.exists()


def test_half_a_character_breaks_no_page(client: Client) -> None:
    """JSON may name one half of a pair, which no page can be written with."""
    sent = {"parameters": '{"\\ud800": 1}', "kind": "xray", "then": "xray"}
    response = ask(client, **sent)
    assert response.status_code == 302
    assert "not valid JSON" in client.get(response["Location"]).content.decode()


def test_the_field_at_fault_is_named(client: Client) -> None:
    error = ask(client, parameters='{"volume": 12}').json()["error"]
    assert error["fields"] == {"volume": ["It goes to eleven."]}


def test_a_form_of_another_site_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    response = ask(client)
    assert response.status_code == 403
    assert response.json()["error"]["code"] == "csrf_failed"
    assert not Explanation.objects.exists()


def test_asking_too_often_is_refused_with_the_time_to_wait(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(throttle.time, "time", lambda: 1_000_000.0)
    monkeypatch.setattr(asking_rate, "PER_MINUTE_FROM_AN_ADDRESS", 3)
    for sample in ("apple", "clock", "cup"):
        assert ask(client, f"sample:{sample}").status_code == 202
    # What is known already is not counted.
    assert ask(client, "sample:clock").status_code == 202
    response = ask(client, "sample:rocket")
    refused(response, 429, "Too many requests", "throttled")
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_questions_are_posted(client: Client, method: str) -> None:
    response = getattr(client, method)(ROOT, headers={"accept": "application/json"})
    assert response.status_code == 405


# --- in frames on other sites --------------------------------------------------------------------------------


def look(client: Client, **fields: str) -> Any:
    values = {"on": "sample:apple", "network": "vgg", "kind": "echo", "parameters": "{}"} | fields
    return client.get(f"{ROOT}find", values)


def test_a_frame_finds_what_is_stored_and_asks_for_nothing(client: Client) -> None:
    refused(look(client), 404, "computed beforehand", "not_stored")
    assert not Explanation.objects.exists()
    stored = done(client)
    found = look(Client())
    assert found.status_code == 200
    assert found.json() == stored
    refused(look(client, parameters='{"volume": 3}'), 404, "computed beforehand", "not_stored")


def test_a_frame_does_not_find_what_still_waits(client: Client) -> None:
    ask(client)
    refused(look(client), 404, "computed beforehand", "not_stored")


def test_a_frame_is_nobodys(own: Client, answered: Prediction) -> None:
    done(own, on=str(answered.pk))
    refused(look(own, on=str(answered.pk)), 404, "sample pictures only")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"kind": "astrology"}, 422),
        ({"parameters": "{"}, 422),
        ({"network": "none"}, 404),
        ({"on": "sample:none"}, 404),
    ],
    ids=["kind", "parameters", "network", "sample"],
)
def test_what_a_frame_cannot_ask(client: Client, fields: dict[str, str], status: int) -> None:
    assert look(client, **fields).status_code == status
