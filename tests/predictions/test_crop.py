"""The square box: what is taken, what is refused, what is cut out, and that it stays with its run."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from accounts.models import ApiToken, User
from ml import placement
from predictions import inference, personal, services
from predictions.corruption import parse_bars
from predictions.crop import (
    AUTO,
    WHOLE,
    Crop,
    CropInvalid,
    canonical_crop,
    crop_key,
    fitted,
    parse_crop,
    placed,
)
from predictions.images import PreparedImage
from predictions.inputs import make_inputs
from predictions.models import NetworkInput, Prediction, Upload
from predictions.templatetags.prediction_format import box_path
from tests import pictures
from tests.factories import make_picture, make_runs, make_user

URL = "/api/v1/predictions/"
JSON = {"accept": "application/json"}
LEFT_HALF = [0.0, 0.0, 0.5, 1.0]
RIGHT_HALF = [0.5, 0.0, 0.5, 1.0]


def halves(width: int = 200, height: int = 100) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), "red")
    image.paste((0, 0, 255), (width // 2, 0, width, height))
    return image


def picture(image: Image.Image, name: str = "halves.png") -> PreparedImage:
    return PreparedImage(pictures.encoded(image, "PNG"), "image/png", "png", *image.size, *image.size, name)


def file(image: Image.Image | None = None, name: str = "halves.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, pictures.encoded(image or halves(), "PNG"))


def seen(run: Prediction) -> Any:
    row = run.network_input
    return np.frombuffer(bytes(row.pixels), np.uint8).reshape(row.size, row.size, 3)


# --- what is asked for -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (None, AUTO),
        ("", AUTO),
        ("auto", AUTO),
        ("whole", WHOLE),
        ("[0, 0, 1, 1]", WHOLE),
        ("[0.25,0,0.5,1]", Crop(0.25, 0, 0.5, 1)),
        ([0.25, 0, 0.5, 1], Crop(0.25, 0, 0.5, 1)),
    ],
)
def test_words_and_numbers_are_understood(value: Any, meant: Any) -> None:
    assert parse_crop(value) == meant


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("{", "not readable"),
        ("the middle", "not readable"),
        ("[" * 999, "not readable"),
        ("[" + "0," * 999 + "0]", "too long"),
        ("[0, 0, 1]", "four numbers"),
        ("[[0, 0, 1, 1]]", "four numbers"),
        ("null", "four numbers"),
        ('["0", 0, 1, 1]', "four numbers"),
        ("[true, 0, 1, 1]", "four numbers"),
        ("[NaN, 0, 1, 1]", "between 0 and 1"),
        ("[0, 0, 1e400, 1]", "between 0 and 1"),
        (f"[0, 0, {10**400}, 1]", "between 0 and 1"),
        ("[-0.1, 0, 0.5, 0.5]", "starts outside"),
        ("[0, 0, 0, 0.5]", "no area"),
        ("[0.6, 0, 0.5, 0.5]", "reaches outside"),
    ],
)
def test_what_cannot_be_a_box_is_refused_with_a_sentence(value: str, sentence: str) -> None:
    with pytest.raises(CropInvalid, match=sentence):
        parse_crop(value)


# --- on a picture ------------------------------------------------------------------------------------------


@given(
    st.integers(1, 1500),
    st.integers(1, 1500),
    st.floats(0.001, 1),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_a_box_that_fits_is_a_square_of_whole_pixels_and_stays_what_it_is(
    width: int, height: int, share: float, x: float, y: float
) -> None:
    side = max(1.0, share * min(width, height))
    across, down = side / width, side / height
    box = fitted(Crop(x * (1 - across), y * (1 - down), across, down), width, height)
    if box == WHOLE:
        assert width == height
        return
    edges = [box.x * width, box.y * height, (box.x + box.width) * width, (box.y + box.height) * height]
    assert all(abs(edge - round(edge)) < 0.01 for edge in edges)
    left, top, right, bottom = map(round, edges)
    assert right - left == bottom - top >= 1
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height
    assert abs(left - x * (1 - across) * width) <= 1
    assert fitted(box, width, height) == box
    assert parse_crop(json.dumps(canonical_crop(box))) == box


def test_the_whole_picture_may_go_in_whatever_its_shape() -> None:
    assert fitted(WHOLE, 300, 200) == WHOLE
    assert fitted(Crop(0.0, 0.0, 0.9999, 1.0), 200, 200) == WHOLE


@pytest.mark.parametrize(("size", "ok"), [((200, 100), True), ((204, 100), True), ((300, 100), False)])
def test_nearly_square_is_forgiven_and_anything_else_is_not(size: tuple[int, int], ok: bool) -> None:
    if ok:
        box = fitted(Crop(*LEFT_HALF), *size)
        assert round(box.width * size[0]) == round(box.height * size[1])
        return
    with pytest.raises(
        CropInvalid, match="not square on this picture of 300 × 100 pixels: it would be 150 × 100"
    ):
        fitted(Crop(*LEFT_HALF), *size)


def test_the_first_place_is_that_of_the_networks_default_and_whole_for_a_square() -> None:
    scene = pictures.scene(320, 200)
    box = placed(scene)
    assert box == pytest.approx(placement.default_box(scene), abs=1 / 200)
    assert round(box.width * 320) == round(box.height * 200)
    assert placed(pictures.scene(200, 200)) == WHOLE


def test_the_outline_is_drawn_where_the_box_is_and_not_for_the_whole_picture() -> None:
    upload = Upload(width=200, height=100)
    assert box_path([0.5, 0, 0.5, 1], upload) == "M100.000 0.000h100.000v100.000h-100.000z"
    assert box_path(WHOLE, upload) == box_path([0, 0, 1, 1], upload) == box_path(None, upload) == ""


def test_every_box_has_its_own_short_key() -> None:
    boxes = [
        None,
        WHOLE,
        Crop(0.5, 0, 0.5, 1),
        Crop(0.0, 0.5, 0.5, 1),
        Crop(0.123456, 0.654321, 0.333333, 0.25),
    ]
    keys = [crop_key(box) for box in boxes]
    assert len(set(keys)) == len(keys)
    assert max(map(len, keys)) <= NetworkInput._meta.get_field("crop_key").max_length


# --- what the networks get ---------------------------------------------------------------------------------


@pytest.fixture
def user(small_networks: list[str], no_wake_ups: list[str]) -> User:
    return make_user()


def test_only_what_lies_inside_the_box_goes_in(user: User) -> None:
    upload = services.store(user, picture(halves()))
    left, right, whole = (
        services.submit(user, [upload], ["tiny"], crop=Crop(*box)).runs[0]
        for box in (LEFT_HALF, RIGHT_HALF, WHOLE)
    )
    assert (seen(left) == [255, 0, 0]).all()
    assert (seen(right) == [0, 0, 255]).all()
    assert (seen(whole)[:, :11] == [255, 0, 0]).all()
    assert (seen(whole)[:, 13:] == [0, 0, 255]).all()
    assert [left.crop, right.crop, whole.crop] == [LEFT_HALF, RIGHT_HALF, [0, 0, 1, 1]]
    inference.drain()
    for run, answer in ((left, "red"), (right, "blue")):
        run.refresh_from_db()
        assert run.answers[0]["label"] == answer


def test_bars_are_painted_on_the_whole_picture_before_the_box_is_cut_out(user: User) -> None:
    covered = services.submit(
        user, [picture(halves())], ["tiny"], parse_bars([[0, 0, 0.75, 1]]), Crop(*RIGHT_HALF)
    ).runs[0]
    assert (seen(covered)[:, :11] == 0).all()
    assert (seen(covered)[:, 13:] == [0, 0, 255]).all()
    assert (seen(covered.clean_run) == [0, 0, 255]).all()
    assert covered.crop == covered.clean_run.crop == RIGHT_HALF


def test_the_box_is_placed_on_the_clean_picture_so_that_both_runs_see_the_same_part(user: User) -> None:
    # All that there is to see stands on the right; under the bar nothing would be left of it.
    image = Image.new("RGB", (300, 100), "white")
    image.paste(pictures.scene(100, 100), (200, 0))
    covered = services.submit(user, [picture(image)], ["tiny"], parse_bars([[0.6, 0, 0.4, 1]]), AUTO).runs[0]
    assert covered.crop == covered.clean_run.crop == canonical_crop(placed(image))
    assert covered.crop[0] > 0.5


def test_a_network_that_places_its_own_box_sees_the_same_part_under_bars(user: User) -> None:
    image = Image.new("RGB", (300, 100), "white")
    image.paste(pictures.scene(100, 100), (200, 0))
    upload = services.store(user, picture(image))
    card = services.chosen(["tiny"])[0]
    card = replace(card, preprocessing=replace(card.preprocessing, shape="placed"))
    bar = parse_bars([[0.6, 0, 0.4, 1]])
    own = make_inputs(upload, [card], bar)
    asked = make_inputs(upload, [card], bar, AUTO)
    assert own.crop is None
    for covered in (False, True):
        assert own.rows["tiny", covered].pixels == asked.rows["tiny", covered].pixels


def test_an_input_is_shared_by_the_same_box_and_by_no_other(user: User) -> None:
    upload = services.store(user, picture(halves()))
    for box in (LEFT_HALF, LEFT_HALF, RIGHT_HALF):
        services.submit(user, [upload], ["tiny"], crop=Crop(*box))
    services.submit(user, [upload], ["tiny"])
    assert sorted(NetworkInput.objects.values_list("crop_key", flat=True)) == [
        "",
        "0-0-500000-1000000",
        "500000-0-500000-1000000",
    ]


def test_without_a_box_the_networks_own_preprocessing_decides(user: User) -> None:
    run = services.submit(user, [picture(halves())], ["tiny"]).runs[0]
    assert run.crop is None
    assert len(np.unique(seen(run).reshape(-1, 3), axis=0)) >= 2


def test_a_picture_on_which_the_box_is_not_square_is_rejected_alone(user: User) -> None:
    submission = services.submit(
        user, [picture(halves(300, 100), "wide.png"), picture(halves())], ["tiny"], crop=Crop(*LEFT_HALF)
    )
    wide, run = submission.entries
    assert (wide.filename, wide.code) == ("wide.png", "box_not_square")
    assert run.crop == LEFT_HALF
    assert Upload.objects.count() == 1


def test_the_box_is_part_of_what_a_person_may_take_along(user: User) -> None:
    services.submit(user, [picture(halves())], ["tiny"], crop=Crop(*LEFT_HALF))
    assert next(personal.export(user)["predictions"])["crop"] == LEFT_HALF


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


@pytest.fixture
def page(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


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


# --- the page's own placement ------------------------------------------------------------------------------


def test_the_pages_placement_has_the_constants_of_the_servers() -> None:
    script = (Path(__file__).parents[2] / "static/js/crop-placement.js").read_text()
    said = dict(re.findall(r"^const ([A-Z]+) = (.+);$", script, re.MULTILINE))
    assert said.keys() == {"THUMBNAIL", "SIDES", "CROWDING", "SQUARE"}
    for name, value in said.items():
        assert np.array_equal(json.loads(value), getattr(placement, name)), name


def test_a_solid_picture_is_framed_in_its_middle(user: User) -> None:
    run = services.submit(user, [make_picture(size=(90, 60))], ["tiny"], crop=AUTO).runs[0]
    assert run.crop == canonical_crop(Crop(15 / 90, 0, 60 / 90, 1))
