"""What stands on the predict page before a picture is chosen, and on a batch's page about what was left out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from predictions import forms, samples, views
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


def left_out(name: str, message: str) -> str:
    return json.dumps({"name": name, "message": message})


def text(response: Any) -> str:
    return str(response.content.decode())


def test_several_networks_can_be_chosen_from(page: Client) -> None:
    html = text(page.get("/predict/"))
    assert "Show a picture to the networks" in html
    assert len(re.findall(r'<input type="checkbox" name="model"', html)) == 2
    assert "Ask the networks" in html


def test_a_single_network_is_asked_without_a_choice(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    only = views.services.offered()[:1]
    monkeypatch.setattr(views.services, "offered", lambda: only)
    html = text(page.get("/predict/"))
    assert "Show a picture to the network<" in html
    assert 'type="checkbox" name="model"' not in html
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
    samples.every.cache_clear()
    settings.BASE_DIR = tmp_path
    try:
        assert "data-sample" not in text(page.get("/predict/"))
    finally:
        samples.every.cache_clear()


def test_what_was_left_out_stands_on_its_batch_and_on_no_other(page: Client) -> None:
    def ask(**values: Any) -> str:
        body = {"draft": [draft(page, "a.jpg"), draft(page, "b.jpg")], "model": ["tiny"], **values}
        return str(page.post("/predict/", body, headers=JSON).json()["url"])

    address = ask(left_out=[left_out("<b>.jpg", "This file is not a picture."), "c" * 1000])
    html = " ".join(text(page.get(address)).split())
    assert "2 pictures taken, 2 not taken." in html
    assert '&lt;b&gt;.jpg</span></th> <td colspan="2">This file is not a picture.</td>' in html
    assert "c" * 301 not in html
    # Neither a reload nor another login loses it.
    page.logout()
    page.force_login(User.objects.get())
    assert "2 not taken" in text(page.get(address))
    assert "not taken" not in text(page.get(ask()))


def test_one_picture_of_several_that_were_chosen_has_the_page_of_several(page: Client) -> None:
    body = {
        "draft": [draft(page, "a.jpg")],
        "model": ["tiny"],
        "left_out": [left_out("b: c.txt", "No: none.")],
    }
    answer = page.post("/predict/", body, headers=JSON).json()
    assert answer["several"]
    html = " ".join(text(page.get(answer["url"])).split())
    assert '<span class="filename">b: c.txt</span></th> <td colspan="2">No: none.</td>' in html


def test_the_list_of_samples_names_every_picture_offered() -> None:
    rows = json.loads((Path(samples.__file__).parents[1] / "samples" / "samples.json").read_text())
    assert set(samples.OFFERED) <= {row["name"] for row in rows}


@pytest.mark.parametrize("sent", ["[1]", '{"name": 1, "message": ["x"]}', "{", "[" * 5000, "null", ""])
def test_what_is_no_name_with_a_reason_breaks_nothing(page: Client, sent: str) -> None:
    body = {"draft": [draft(page, "a.jpg")], "model": ["tiny"], "left_out": [sent]}
    answer = page.post("/predict/", body, headers=JSON).json()
    assert "1 not taken" in " ".join(text(page.get(answer["url"])).split())


def test_pictures_that_are_too_many_are_not_even_read(
    page: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(views.quotas, "QUOTA_IN_FLIGHT", 1)
    monkeypatch.setattr(forms, "take_all", lambda files: pytest.fail("They were read."))
    body = {"image": SimpleUploadedFile("a.jpg", pictures.jpeg()), "model": ["tiny", "small"]}
    response = page.post("/predict/", body, headers=JSON)
    assert response.status_code == 422
    assert response.json()["error"]["code"] == "quota"


def test_the_same_again_is_no_more_however_much_waits(
    page: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(views.quotas, "QUOTA_IN_FLIGHT", 2)
    content = pictures.jpeg()
    addresses = set()
    for _ in range(2):
        file = SimpleUploadedFile("a.jpg", content)
        body = {"image": file, "model": ["tiny", "small"], "key": "k" * 36}
        addresses.add(page.post("/predict/", body, headers=JSON).json()["url"])
    assert len(addresses) == 1
