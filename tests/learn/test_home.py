"""The home page shows the example that the network answered, or a drawing when there is none."""

from __future__ import annotations

import copy
import json

import pytest

from learn import home
from tests.factories import make_user

EXAMPLE = {
    "sample": {
        "file": "clock.jpg",
        "thumbnail": "clock.webp",
        "title": "clock",
        "alt": "A wall clock",
        "width": 900,
        "height": 600,
    },
    "bar": [0.25, 0.1, 0.5, 0.3],
    "model": "vgg",
    "model_title": "VGG",
    "artifact": "vgg-0123abcd",
    "clean": [
        {"label": label, "probability": p}
        for label, p in zip(
            ["clock", "plate", "bowl", "cup", "lamp"], [0.9, 0.05, 0.02, 0.01, 0.0001], strict=True
        )
    ],
    "covered": [
        {"label": label, "probability": p}
        for label, p in zip(
            ["lawn_mower", "clock", "bowl", "cup", "lamp"], [0.5, 0.2, 0.1, 0.05, 0.01], strict=True
        )
    ],
}


@pytest.fixture
def example(tmp_path, monkeypatch):
    """Writes an example, changed by a function, where the home page looks for it."""
    path = tmp_path / "home_example.json"
    monkeypatch.setattr(home, "EXAMPLE_FILE", path)

    def write(change=lambda _: None):
        data = copy.deepcopy(EXAMPLE)
        change(data)
        path.write_text(json.dumps(data), encoding="utf-8")

    return write


def test_both_states_stand_on_the_page(client, example):
    example()
    html = client.get("/").content.decode()
    assert html.count("samples/clock.jpg") == 2
    assert 'alt="A wall clock"' in html
    assert "A wall clock, partly covered by a black bar" in html
    assert '<rect x="0.2500" y="0.1000" width="0.5000" height="0.3000"/>' in html
    assert html.count('<ol class="answer-list') == 2
    for text in (
        "90.0%",
        "50.0%",
        "lawn mower",
        "&lt; 0.1%",
        "Without the bar: clock",
        "With the bar: lawn mower",
    ):
        assert text in html


def test_it_offers_the_ways_in(client, example):
    html = client.get("/").content.decode()
    assert 'href="/predict/"' in html
    assert 'href="/learn/"' in html


@pytest.mark.django_db
def test_whoever_has_no_account_may_try_it_and_learns_what_one_is_for(client, example):
    visitors = client.get("/").content.decode()
    assert '<a class="button" href="/predict/">' in visitors
    assert "Try five pictures without an account" in visitors
    assert "an e-mail address and a password are all it takes" in visitors
    client.force_login(make_user())
    users = client.get("/").content.decode()
    assert '<a class="button" href="/predict/">' in users
    assert "are all it takes" not in users


def test_the_covered_picture_is_described_in_one_sentence(client, example):
    example(lambda data: data["sample"].update(alt="A wall clock."))
    assert 'alt="A wall clock, partly covered by a black bar"' in client.get("/").content.decode()


def test_without_an_example_a_worked_convolution_is_drawn(client, example):
    html = client.get("/").content.decode()
    assert 'id="convolution-title"' in html
    assert "data-example" not in html


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.pop("sample"),
        lambda data: data.update(bar=[0, 1]),
        lambda data: data.update(clean=data["clean"][:3]),
        lambda data: data["covered"][0].update(probability="much"),
    ],
)
def test_an_unusable_example_is_as_good_as_none(client, example, change, caplog):
    example(change)
    assert 'id="convolution-title"' in client.get("/").content.decode()
    assert "cannot be used" in caplog.text


def test_a_file_that_is_no_json_is_as_good_as_none(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text("{", encoding="utf-8")
    assert home.load_example(path) is None
