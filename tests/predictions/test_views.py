"""The predict page: what is sent, what is refused and with which sentence, and that nothing is asked twice."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from predictions import lifecycle, quotas, services
from predictions.models import Batch, Prediction, Upload
from tests import pictures
from tests.factories import make_picture, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

JSON = {"accept": "application/json"}
HTML = {"accept": "text/html"}


def file(data: bytes | None = None, name: str = "ball.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, pictures.jpeg() if data is None else data)


def send(client: Client, *files: Any, headers: dict[str, str] = HTML, **values: Any) -> Any:
    return client.post(
        "/predict/", {"image": list(files), "model": ["tiny", "small"], **values}, headers=headers
    )


def make_draft(client: Client, data: bytes | None = None, name: str = "ball.jpg") -> Any:
    return client.post("/predict/draft/", {"image": file(data, name)}, headers=JSON)


# --- who may ------------------------------------------------------------------------------------------------


def test_a_stranger_is_sent_to_the_login_page_and_back(client: Client) -> None:
    response = client.get("/history/?model=tiny")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/history/%3Fmodel%3Dtiny"


def test_a_script_whose_session_has_expired_is_told_so(client: Client) -> None:
    for address in ("/predict/", "/predict/draft/"):
        response = client.post(address, headers={**JSON, "X-Account": "1"})
        assert response.status_code == 401
        assert "Log in" in response.json()["error"]["message"]


def test_what_only_takes_post_refuses_get(page: Client) -> None:
    for address in ("/predict/draft/", "/predictions/delete/", "/predictions/undo/"):
        assert page.get(address).status_code == 405


# --- the plain form -----------------------------------------------------------------------------------------


def test_the_form_offers_every_network_of_the_registry(page: Client) -> None:
    html = page.get("/predict/").content.decode()
    assert html.count('name="model"') == 2
    assert html.count("checked") == 2
    assert 'enctype="multipart/form-data"' in html


def test_one_picture_leads_to_its_own_page(page: Client, user: User) -> None:
    response = send(page, file())
    runs = Prediction.objects.of(user)
    assert {run.model_id for run in runs} == {"tiny", "small"}
    assert response.status_code == 302
    assert response["Location"] in {run.get_absolute_url() for run in runs}


def test_several_pictures_lead_to_their_table(page: Client, user: User) -> None:
    response = send(page, file(), file(pictures.png(), "two.png"))
    assert response["Location"] == Batch.objects.get().get_absolute_url()
    assert Prediction.objects.of(user).count() == 4


def test_a_bad_picture_among_good_ones_is_listed_with_its_reason(page: Client) -> None:
    response = send(page, file(), file(b"nonsense", "notes.jpg"))
    html = page.get(response["Location"]).content.decode()
    assert "notes.jpg" in html
    assert "This file is not a picture" in html
    assert "1 not taken" in html


def test_only_the_networks_chosen_are_asked(page: Client, user: User) -> None:
    send(page, file(), model=["small"])
    assert [run.model_id for run in Prediction.objects.of(user)] == ["small"]


@pytest.mark.parametrize(
    ("files", "values", "sentence"),
    [
        ([], {}, "Choose a picture first."),
        ([("", b"nonsense")], {}, "This file is not a picture"),
        ([("", b"")], {}, "This file is empty"),
        ([("", pictures.jpeg()[:2000])], {}, "incomplete or damaged"),
        ([("", b"\xff" * (10 * 1024 * 1024 + 1))], {}, "larger than 10 MB"),
        ([("", pictures.jpeg())], {"model": []}, "Choose at least one network."),
        ([("", pictures.jpeg())], {"model": ["nosuch"]}, "There is no network “nosuch”"),
        ([("", pictures.jpeg())], {"bars": "[[0.9, 0, 0.5, 0.5]]"}, "reaches outside the picture"),
        ([("", pictures.jpeg())], {"bars": json.dumps([[0, 0, 0.1, 0.1]] * 1000)}, "at most 32 bars"),
        ([("", pictures.jpeg())], {"bars": "nonsense"}, "bars are not readable"),
        (
            [("", pictures.jpeg()), ("", pictures.png())],
            {"bars": "[[0, 0, 0.5, 0.5]]"},
            "one picture at a time",
        ),
        ([("", b"a"), ("", b"b")], {}, "This file is not a picture"),
    ],
)
def test_bad_input_comes_back_with_a_sentence_and_makes_nothing(
    page: Client, files: list[tuple[str, bytes]], values: dict[str, Any], sentence: str
) -> None:
    response = send(page, *[file(data, f"{at}.jpg") for at, (_name, data) in enumerate(files)], **values)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert not Prediction.objects.exists()
    assert not Upload.objects.exists()


def test_a_refused_form_keeps_what_was_chosen(page: Client) -> None:
    html = send(page, model=["small"]).content.decode()
    assert html.count("checked") == 1
    assert 'value="small" id="id_model_1" checked' in html.replace("\n", "")


def test_too_many_pictures_at_once_are_refused(page: Client) -> None:
    files = [file(b"x", f"{number}.jpg") for number in range(201)]
    response = send(page, *files)
    assert response.status_code == 422
    assert "at most 200 pictures" in response.content.decode()


def test_a_file_name_is_shown_as_text(page: Client) -> None:
    response = send(page, file(name="<script>alert(1)</script>.jpg"), model=["tiny"])
    html = page.get(response["Location"]).content.decode()
    assert "<script>alert" not in html
    assert "script&gt;.jpg" in html


def test_without_a_network_the_page_says_so(
    page: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path / "none"))
    assert "No network is ready yet" in page.get("/predict/").content.decode()
    assert send(page, file()).status_code == 422


def test_the_quota_is_a_sentence_on_the_form(
    page: Client, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(quotas, "QUOTA_IN_FLIGHT", 1)
    response = send(page, file())
    assert response.status_code == 422
    assert "still waiting" in response.content.decode()


# --- sent twice ---------------------------------------------------------------------------------------------


def test_a_double_click_is_one_prediction(page: Client, user: User) -> None:
    key = str(uuid.uuid4())
    first, second = (send(page, file(), key=key, model=["tiny"]) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Prediction.objects.of(user).count() == 1


def test_another_picture_under_the_same_key_is_another_prediction(page: Client, user: User) -> None:
    key = str(uuid.uuid4())
    send(page, file(), key=key, model=["tiny"])
    send(page, file(pictures.png()), key=key, model=["tiny"])
    assert Prediction.objects.of(user).count() == 2


def test_what_was_deleted_in_between_is_asked_anew(page: Client, user: User) -> None:
    key = str(uuid.uuid4())
    send(page, file(), key=key, model=["tiny"])
    lifecycle.delete(user, Prediction.objects.values_list("pk", flat=True))
    response = send(page, file(), key=key, model=["tiny"])
    assert page.get(response["Location"]).status_code == 200


# --- drafts -------------------------------------------------------------------------------------------------


def test_a_draft_comes_back_with_its_sizes_and_its_address(page: Client, user: User) -> None:
    response = make_draft(page)
    assert response.status_code == 201
    answer = response.json()
    upload = Upload.objects.get(owner=user)
    assert answer == {
        "id": str(upload.pk),
        "width": 320,
        "height": 240,
        "source_width": 320,
        "source_height": 240,
        "filename": "ball.jpg",
        "picture_url": f"/pictures/{upload.pk}/",
        "warning": "",
    }
    assert page.get(answer["picture_url"]).status_code == 200


def test_a_small_draft_comes_with_a_warning(page: Client) -> None:
    assert "20 × 30" in make_draft(page, pictures.png(20, 30)).json()["warning"]


@pytest.mark.parametrize("name", sorted(pictures.REJECTED))
def test_a_draft_that_is_no_picture_is_refused_with_a_sentence(page: Client, name: str) -> None:
    make, code = pictures.REJECTED[name]
    response = make_draft(page, make(), name)
    assert response.status_code == 422
    assert response.json()["error"]["code"] == code
    assert response.json()["error"]["message"].endswith(".")
    assert not Upload.objects.exists()


def test_a_draft_without_a_file_is_refused(page: Client) -> None:
    response = page.post("/predict/draft/", headers=JSON)
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "no_picture"


def test_a_draft_with_bars_is_asked_about_with_and_without_them(page: Client, user: User) -> None:
    draft = make_draft(page).json()["id"]
    response = page.post(
        "/predict/", {"draft": draft, "model": "tiny", "bars": "[[0.25, 0.25, 0.5, 0.5]]"}, headers=JSON
    )
    answer = response.json()
    covered = Prediction.objects.get(asked=True)
    assert covered.bars == [[0.25, 0.25, 0.5, 0.5]]
    assert covered.clean_run
    assert not covered.clean_run.asked
    assert answer["url"] == covered.get_absolute_url()
    assert answer["batch"] == str(covered.batch_id)
    assert answer["status"] == f"/predictions/{covered.pk}/status/"
    assert not answer["final"]
    assert "Without bars" in answer["fragment"]
    assert "With bars" in answer["fragment"]


def test_the_fragment_of_a_submission_is_that_of_its_page(page: Client) -> None:
    draft = make_draft(page).json()["id"]
    answer = page.post("/predict/", {"draft": draft, "model": "tiny"}, headers=JSON).json()
    # Each answer has a token of its own in its forms.
    fragment, html = (
        re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", one)
        for one in (answer["fragment"], page.get(answer["url"]).content.decode())
    )
    assert fragment[fragment.index("<article") : fragment.index("</article>")] in html


@pytest.mark.parametrize("kind", ["other", "never", "nonsense"])
def test_a_draft_that_is_not_ones_own_is_not_there(page: Client, kind: str) -> None:
    other = services.store(make_user(), make_picture())
    value = {"other": str(other.pk), "never": str(uuid.uuid4()), "nonsense": "../../etc/passwd"}[kind]
    response = page.post("/predict/", {"draft": value, "model": "tiny"}, headers=JSON)
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "picture_gone"
    assert not Prediction.objects.exists()


def test_refused_bars_name_their_field(page: Client) -> None:
    draft = make_draft(page).json()["id"]
    response = page.post("/predict/", {"draft": draft, "model": "tiny", "bars": "[[2,0,1,1]]"}, headers=JSON)
    assert response.status_code == 422
    error = response.json()["error"]
    assert list(error["fields"]) == ["bars"]
    assert error["message"] == error["fields"]["bars"][0]


# --- a picture from the history -----------------------------------------------------------------------------


def test_a_picture_from_the_history_comes_back_with_its_bars(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=[[0.1, 0.2, 0.3, 0.4]])
    detail = page.get(run.get_absolute_url())
    response = page.get(detail.context["again_url"])
    html = response.content.decode()
    assert f'data-upload="{run.upload_id}"' in html
    assert f'name="draft" value="{run.upload_id}"' in html
    assert response.context["form"]["bars"].value() == "[[0.1,0.2,0.3,0.4]]"
    assert response.context["form"]["model"].value() == ["tiny"]


def test_a_picture_from_the_history_is_sent_by_the_plain_form(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    response = page.post("/predict/", {"draft": str(run.upload_id), "model": "small"}, headers=HTML)
    assert response.status_code == 302
    assert set(run.upload.predictions.values_list("model_id", flat=True)) == {"tiny", "small"}


@pytest.mark.parametrize("kind", ["other", "deleted", "never", "nonsense"])
def test_a_picture_that_is_not_there_is_a_404(page: Client, user: User, kind: str) -> None:
    owner = make_user() if kind == "other" else user
    (run,) = make_runs(owner, models=("tiny",))
    if kind == "deleted":
        lifecycle.delete(user, [run.pk])
    wanted = {"never": str(uuid.uuid4()), "nonsense": "1"}.get(kind, str(run.upload_id))
    response = page.get("/predict/", {"upload": wanted})
    assert response.status_code == 404
    assert "Choose it from your device again" in response.content.decode()
