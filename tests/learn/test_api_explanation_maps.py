"""The maps of an explanation for programs: as numbers, as pictures, against another class, and refused."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from learn import kinds
from learn.kinds import Kind, Result
from ml.artifact import load_card
from tests.api import Api, error_of
from tests.learn.asking import ROOT, done, post
from tests.learn.conftest import Asked

pytestmark = pytest.mark.django_db

CLASSES = 7
MAPS = np.linspace(-3, 6, CLASSES * 4, dtype=np.float32).reshape(CLASSES, 2, 2)
BIASES = np.linspace(-1, 1, CLASSES, dtype=np.float32)
LOGITS = MAPS.mean((1, 2)) + BIASES
CHANGES = np.linspace(-2, 2, 16 * CLASSES, dtype=np.float32).reshape(4, 4, CLASSES)
ODDS = np.linspace(-4, 1, CLASSES, dtype=np.float32)


@pytest.fixture
def maps(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kinds with maps of which every number is known."""

    def kind(name: str, members: dict[str, Any]) -> Kind:
        compute = lambda work: Result({}, members)  # noqa: E731
        return Kind(name, lambda parameters, card: dict(parameters), compute, looks_at_bars=False)

    known = {
        **kinds.every(),
        "class_map": kind("class_map", {"maps.npy": MAPS, "logits.npy": np.stack([BIASES, LOGITS])}),
        "occlusion": kind("occlusion", {"changes.npy": CHANGES, "log_odds.npy": ODDS}),
    }
    monkeypatch.setattr(kinds, "every", lambda: known)


@pytest.fixture
def class_map(maps: None, api: Api) -> str:
    return f"{ROOT}{done(api, sample='apple', kind='class_map')['id']}/maps/"


def test_a_map_as_numbers_adds_up_to_the_logit(api: Api, class_map: str) -> None:
    label = load_card("tiny").labels[2]
    found = api.get(f"{class_map}{label}.json").json()
    assert found == api.get(f"{class_map}2.json").json()
    assert found["class"] == {"index": 2, "label": label}
    assert (found["unit"], found["shape"], found["versus"]) == ("logits", [2, 2], None)
    assert found["values"] == pytest.approx(MAPS[2], abs=1e-6)
    assert found["scale"] == pytest.approx(np.abs(MAPS[2]).max(), abs=1e-6)
    assert found["sum"]["mean"] + found["sum"]["bias"] == pytest.approx(found["sum"]["logit"], abs=1e-6)
    assert (found["before"], found["after"]) == (None, None)


def test_a_map_against_another_class_is_the_difference(api: Api, class_map: str) -> None:
    found = api.get(f"{class_map}5.json", versus="2").json()
    assert found["versus"]["index"] == 2
    assert found["values"] == pytest.approx(MAPS[5] - MAPS[2], abs=1e-5)


def test_a_picture_of_a_map_can_be_read_back(api: Api, class_map: str) -> None:
    response = api.get(f"{class_map}0.png", scale="4")
    assert (response["Content-Type"], response["Map-Scale"]) == ("image/png", "4")
    picture = Image.open(io.BytesIO(response.content))
    assert picture.mode == "P"
    assert (np.asarray(picture).astype(float) - 127) / 127 * 4 == pytest.approx(MAPS[0], abs=4 / 127)
    own = api.get(f"{class_map}0.png")
    assert float(own["Map-Scale"]) == pytest.approx(np.abs(MAPS[0]).max(), rel=1e-4)
    large = Image.open(io.BytesIO(api.get(f"{class_map}6.png", size="64").content))
    assert large.size == (64, 64)
    # What speaks for the class is blue, and all four places do.
    red, _green, blue = large.convert("RGB").getpixel((0, 0))  # type: ignore[misc]
    assert blue > red


def test_an_occlusion_says_what_covering_does_to_the_probability(api: Api, maps: None) -> None:
    found = done(api, sample="apple", kind="occlusion")
    answer = api.get(f"{ROOT}{found['id']}/maps/1.json").json()
    assert (answer["unit"], answer["shape"], answer["sum"]) == ("log-odds", [4, 4], None)
    assert answer["values"] == pytest.approx(CHANGES[..., 1], abs=1e-6)
    assert answer["before"] == pytest.approx(1 / (1 + np.exp(-ODDS[1])), abs=1e-6)
    assert answer["after"][3][0] == pytest.approx(1 / (1 + np.exp(-ODDS[1] - CHANGES[3, 0, 1])), abs=1e-5)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("versus=unicorn", "versus"),
        ("scale=0", "scale"),
        ("scale=1e-300", "scale"),
        ("size=64.5", "size"),
        ("scale=nan", "scale"),
        ("size=31", "size"),
        ("size=x", "size"),
    ],
)
def test_a_map_that_cannot_be_drawn_so(api: Api, class_map: str, query: str, field: str) -> None:
    response = api.get(f"{class_map}0.png?{query}")
    assert response.status_code == 400
    assert list(error_of(response)["fields"]) == [field]


@pytest.mark.parametrize("which", ["unicorn", "7", "-1", "1000000000000"])
def test_a_class_that_does_not_exist(api: Api, class_map: str, which: str) -> None:
    response = api.get(f"{class_map}{which}.json")
    assert (response.status_code, error_of(response)["code"]) == (404, "no_class")


def test_maps_are_of_some_kinds_and_of_what_is_done(api: Api, maps: None) -> None:
    other = done(api, sample="apple")
    response = api.get(f"{ROOT}{other['id']}/maps/0.png")
    assert (response.status_code, error_of(response)["code"]) == (404, "no_map")
    waiting = post(api, sample="apple", kind="class_map").json()
    response = api.get(f"{ROOT}{waiting['id']}/maps/0.json")
    assert (response.status_code, error_of(response)["code"]) == (409, "not_answered")
