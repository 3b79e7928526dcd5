"""The square box: what is taken, what is refused, what is cut out, and where the page first puts it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from accounts.models import User
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
from tests.factories import make_picture, make_user
from tests.predictions.halves import LEFT_HALF, RIGHT_HALF, halves


def picture(image: Image.Image, name: str = "halves.png") -> PreparedImage:
    return PreparedImage(pictures.encoded(image, "PNG"), "image/png", "png", *image.size, *image.size, name)


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
