"""What stands on the predict page before a picture is chosen, and on a batch's page about what was left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from predictions import samples, views
from tests import pictures
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

JSON = {"accept": "application/json"}


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(make_user())
    return client


def draft(client: Client, name: str) -> str:
    file = SimpleUploadedFile(name, pictures.jpeg())
    return str(client.post("/predict/draft/", {"image": file}, headers=JSON).json()["id"])


def text(response: Any) -> str:
    return str(response.content.decode())


def test_several_networks_can_be_chosen_from(page: Client) -> None:
    html = text(page.get("/predict/"))
    assert "Show a picture to the networks" in html
    assert html.count('type="checkbox"') == 2
    assert "Ask the networks" in html


def test_a_single_network_is_asked_without_a_choice(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    only = views.services.offered()[:1]
    monkeypatch.setattr(views.services, "offered", lambda: only)
    html = text(page.get("/predict/"))
    assert "Show a picture to the network<" in html
    assert 'type="checkbox"' not in html
    assert f'<input type="hidden" name="model" value="{only[0].name}">' in html
    assert f"Ask {only[0].title}" in html


def test_six_samples_are_offered_with_their_alternative_texts(page: Client) -> None:
    html = text(page.get("/predict/"))
    assert html.count("data-sample=") == len(samples.OFFERED) == 6
    for sample in samples.offered():
        assert sample.alt in html
        assert sample.thumbnail_address in html


def test_without_the_list_of_samples_the_page_does_without(
    page: Client, tmp_path: Path, settings: Any
) -> None:
    samples.offered.cache_clear()
    settings.BASE_DIR = tmp_path
    try:
        assert "data-sample" not in text(page.get("/predict/"))
    finally:
        samples.offered.cache_clear()


def test_what_was_left_out_stands_on_its_batch_and_on_no_other(page: Client) -> None:
    def ask(**values: Any) -> str:
        body = {"draft": [draft(page, "a.jpg"), draft(page, "b.jpg")], "model": ["tiny"], **values}
        return str(page.post("/predict/", body, headers=JSON).json()["url"])

    address = ask(left_out=["<b>.jpg: This file is not a picture.", "c" * 1000])
    html = text(page.get(address))
    assert "2 pictures were left out:" in html
    assert "&lt;b&gt;.jpg: This file is not a picture." in html
    assert "c" * 401 not in html
    assert "left out" in text(page.get(address))
    assert "left out" not in text(page.get(ask()))


def test_the_list_of_samples_names_every_picture_offered() -> None:
    rows = json.loads((Path(samples.__file__).parents[1] / "samples" / "samples.json").read_text())
    assert set(samples.OFFERED) <= {row["name"] for row in rows}
