"""The square box as programs and the pages send it, read it and are told what is wrong with it."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import ApiToken, User
from predictions.crop import (
    canonical_crop,
    placed,
)
from predictions.models import Prediction, Upload
from tests import pictures
from tests.factories import make_runs
from tests.predictions.halves import LEFT_HALF, RIGHT_HALF, halves

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


URL = "/api/v1/predictions/"
JSON = {"accept": "application/json"}


def file(image: Image.Image | None = None, name: str = "halves.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, pictures.encoded(image or halves(), "PNG"))


# --- the API -----------------------------------------------------------------------------------------------


@pytest.fixture
def api(user: User) -> Client:
    _token, key = ApiToken.objects.issue(user, "test")
    return Client(headers={"Authorization": f"Token {key}"})


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"crop": "[0.5, 0, 0.5, 1]"}, RIGHT_HALF),
        ({"crop": "[0.4999, 0, 0.499, 0.996]"}, RIGHT_HALF),
        ({"crop": "whole"}, [0, 0, 1, 1]),
        ({"crop": "auto"}, canonical_crop(placed(halves()))),
        ({"crop": ""}, canonical_crop(placed(halves()))),
        ({}, canonical_crop(placed(halves()))),
    ],
)
def test_a_program_sends_a_box_and_reads_what_was_cut_out(
    api: Client, sent: dict[str, str], stored: list[float]
) -> None:
    entry = api.post(URL, {"image": file(), "model": "tiny", **sent}).json()["results"][0]
    assert entry["crop"] == pytest.approx(stored, abs=0.011)
    assert api.get(f"{URL}{entry['id']}/").json()["crop"] == entry["crop"]


def test_a_square_picture_goes_in_whole(api: Client) -> None:
    body = {"image": file(halves(100, 100)), "model": "tiny"}
    assert api.post(URL, body).json()["results"][0]["crop"] == [0, 0, 1, 1]


def test_a_run_of_the_networks_own_preprocessing_has_no_box(api: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    assert api.get(f"{URL}{run.pk}/").json()["crop"] is None


@pytest.mark.parametrize("crop", ["[2, 0, 1, 1]", "the middle", "[0, 0, 0.5]"])
def test_a_box_that_cannot_be_names_its_field(api: Client, crop: str) -> None:
    response = api.post(URL, {"image": file(), "model": "tiny", "crop": crop})
    assert response.status_code == 400
    assert list(response.json()["error"]["fields"]) == ["crop"]
    assert not Upload.objects.exists()


def test_a_box_that_is_not_square_on_the_only_picture_is_422(api: Client) -> None:
    response = api.post(URL, {"image": file(), "model": "tiny", "crop": "[0, 0, 0.5, 0.5]"})
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "box_not_square"
    assert "it would be 100 × 50" in response.json()["error"]["message"]
    assert not Upload.objects.exists()


def test_one_box_for_several_pictures_rejects_those_it_is_not_square_on(api: Client) -> None:
    images = [file(), file(halves(100, 100), "square.png")]
    first, second = api.post(URL, {"image": images, "model": "tiny", "crop": "[0,0,0.5,1]"}).json()["results"]
    assert (first["status"], first["crop"]) == ("queued", LEFT_HALF)
    assert (second["status"], second["crop"]) == ("rejected", None)
    assert second["error"]["code"] == "box_not_square"


def test_the_document_says_what_a_box_may_be() -> None:
    document = Client().get("/api/schema/?format=json").json()
    schemas = document["components"]["schemas"]
    body = document["paths"][URL]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    sent = schemas[body["$ref"].rsplit("/", 1)[-1]]["properties"]["crop"]
    assert "`auto`" in sent["description"]
    assert "`box_not_square`" in sent["description"]
    described = schemas["Prediction"]["properties"]["crop"]
    assert described["nullable"] is True
    assert (described["minItems"], described["maxItems"]) == (4, 4)


# --- the pages ---------------------------------------------------------------------------------------------


def draft(page: Client, image: Image.Image | None = None) -> str:
    return str(page.post("/predict/draft/", {"image": file(image)}, headers=JSON).json()["id"])


def text(response: Any) -> str:
    return str(response.content.decode())


def test_the_plain_form_places_the_box_itself(page: Client) -> None:
    page.post("/predict/", {"image": file(pictures.scene(300, 200)), "model": "tiny"})
    assert Prediction.objects.get().crop == canonical_crop(placed(pictures.scene(300, 200)))


def test_several_pictures_each_get_a_box_of_their_own(page: Client) -> None:
    images = [file(pictures.scene(300, 200)), file(pictures.scene(200, 300)), file(halves(100, 100))]
    page.post("/predict/", {"image": images, "model": "tiny"})
    boxes = [run.crop for run in Prediction.objects.order_by("position")]
    assert boxes[0][2] < boxes[0][3]
    assert boxes[1][2] > boxes[1][3]
    assert boxes[2] == [0, 0, 1, 1]


def test_a_box_sent_with_a_draft_is_what_goes_in_and_is_drawn_on_the_results(page: Client) -> None:
    answer = page.post(
        "/predict/", {"draft": draft(page), "model": "tiny", "crop": "[0.5,0,0.5,1]"}, headers=JSON
    ).json()
    assert Prediction.objects.get().crop == RIGHT_HALF
    html = text(page.get(answer["url"]))
    assert 'class="box" d="M100.000 0.000h100.000v100.000h-100.000z"' in html
    assert "100 × 100 of 200 × 100 pixels" in html
    for path in ("/history/", f"/batches/{answer['batch']}/"):
        assert 'class="box" d="M100.000' in text(page.get(path))


def test_the_whole_picture_is_said_in_words_and_has_no_outline(page: Client) -> None:
    answer = page.post(
        "/predict/", {"draft": draft(page), "model": "tiny", "crop": "[0,0,1,1]"}, headers=JSON
    ).json()
    html = text(page.get(answer["url"]))
    assert 'class="box"' not in html
    assert "The whole picture went in, squeezed into a square." in html


@pytest.mark.parametrize(
    ("count", "crop", "field", "sentence"),
    [
        (1, "[2, 0, 1, 1]", "crop", "between 0 and 1"),
        (1, "[0, 0, 0.5, 0.5]", "image", "not square"),
        (2, "[0, 0, 0.5, 1]", "crop", "one picture at a time"),
    ],
)
def test_a_box_that_cannot_be_comes_back_with_a_sentence(
    page: Client, count: int, crop: str, field: str, sentence: str
) -> None:
    body = {"draft": [draft(page) for _ in range(count)], "model": "tiny", "crop": crop}
    response = page.post("/predict/", body, headers=JSON)
    error = response.json()["error"]
    assert response.status_code == 422
    assert list(error["fields"]) == [field]
    assert sentence in error["message"]
    assert sentence in text(page.post("/predict/", body))
    assert not Prediction.objects.exists()


def test_another_box_under_the_same_key_is_another_prediction(page: Client) -> None:
    body = {"draft": draft(page), "model": "tiny", "key": "k" * 32}
    for crop in ("[0,0,0.5,1]", "[0,0,0.5,1]", "[0.5,0,0.5,1]"):
        page.post("/predict/", {**body, "crop": crop})
    assert sorted(run.crop[0] for run in Prediction.objects.all()) == [0, 0.5]


def test_using_a_picture_again_and_asking_again_keep_the_box(page: Client) -> None:
    body = {"draft": draft(page), "model": "tiny", "crop": "[0.5,0,0.5,1]", "bars": "[[0.6,0,0.1,1]]"}
    answer = page.post("/predict/", body, headers=JSON).json()
    link = re.search(r'href="(/predict/\?[^"]*)"', text(page.get(answer["url"])))
    assert link
    workshop = page.get(link[1].replace("&amp;", "&"))
    assert workshop.context["form"]["crop"].value() == "[0.5,0.0,0.5,1.0]"
    assert 'class="box" d="M100.000' in text(workshop)
    first = Prediction.objects.get(asked=True)
    page.post(f"/predictions/{first.pk}/again/", {"key": "again"})
    second = Prediction.objects.exclude(batch=first.batch).get(asked=True)
    assert (second.crop, second.bars) == (first.crop, first.bars)
    assert second.network_input == first.network_input


def test_asking_again_without_a_box_leaves_it_to_the_network_again(page: Client, user: User) -> None:
    (first,) = make_runs(user, models=("tiny",))
    page.post(f"/predictions/{first.pk}/again/", {"key": "again"})
    assert Prediction.objects.exclude(pk=first.pk).get().crop is None


@pytest.mark.parametrize("crop", ["[0,0,0.5,0.5]", "[9,9,9,9]", "nonsense"])
def test_a_link_with_a_box_that_cannot_be_shows_the_picture_without_it(page: Client, crop: str) -> None:
    html = text(page.get("/predict/", {"upload": draft(page), "crop": crop}))
    assert "data-upload=" in html
    assert 'class="box"' not in html


def test_a_box_of_few_pixels_comes_with_a_warning(page: Client) -> None:
    body = {"draft": draft(page, halves(200, 100)), "model": "tiny", "crop": "[0,0,0.05,0.1]"}
    fragment = page.post("/predict/", body, headers=JSON).json()["fragment"]
    assert "The box holds only 10 × 10 pixels of the picture, fewer than the 24 × 24" in fragment


def test_a_file_without_scripts_replaces_the_picture_and_its_box(page: Client) -> None:
    body = {"draft": draft(page), "image": file(halves(300, 200)), "model": "tiny", "crop": "[0,0,0.5,1]"}
    assert page.post("/predict/", body).status_code == 302
    run = Prediction.objects.get()
    assert math.isclose(run.crop[2] * 300, run.crop[3] * 200, abs_tol=0.01)
