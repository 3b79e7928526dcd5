"""The atlas of a network: made once from all sample pictures, shown on the X-ray's page, asked for by nobody."""

from __future__ import annotations

import io
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from PIL import Image

from learn import atlas, explanations, kinds, subjects
from learn.kinds import Kind, KindError, Result, Work
from learn.models import Explanation
from ml import artifact
from ml.explain.trace import tracer, value
from predictions import samples
from tests.learn.conftest import Asked
from tests.learn.looking import ON, explained, member, only_vgg

pytestmark = pytest.mark.django_db
PAGE = "/learn/laboratory/xray/"
LAYER = "block2/relu2"


@pytest.fixture
def vgg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_wake_ups: list[str], settings: Any) -> None:
    only_vgg(tmp_path / "artifacts", monkeypatch)
    settings.LABORATORY_SAMPLES = ["apple"]
    only_atlas = {name: kind for name, kind in kinds.every().items() if name in ("answers", "atlas", "xray")}
    monkeypatch.setattr(kinds, "every", lambda: only_atlas)


def make() -> list[str]:
    output = io.StringIO()
    call_command("make_explanations", stdout=output)
    return output.getvalue().splitlines()


@pytest.fixture
def row(vgg: None) -> Explanation:
    make()
    return Explanation.objects.get(kind="atlas")


def page(client: Client, **query: Any) -> str:
    answer = client.get(PAGE, {"on": ON, **query}, headers={"accept": "text/html"})
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_it_is_made_once_for_all_sample_pictures(vgg: None) -> None:
    assert make()[-2:] == ["all, vgg, atlas: made", "0 of earlier versions removed"]
    assert make()[-2:] == ["all, vgg, atlas: there already", "0 of earlier versions removed"]
    row = Explanation.objects.get(kind="atlas")
    assert (row.owner, row.built, row.sample) == (None, True, "all")
    assert row.result == {"samples": list(samples.every())}


def test_its_places_are_those_of_the_traces_of_the_sample_pictures(row: Explanation) -> None:
    pictures = subjects.all_samples().clean["vgg"]
    assert len(pictures) == len(samples.every())
    found = tracer("vgg")
    maps = np.stack([value(found.structure, trace, LAYER) for trace in found.trace(pictures)])
    places = member(row, "places/block2.relu2.npy")
    largest = maps.max((2, 3))
    np.testing.assert_array_equal(places[:, 0, 0], largest.argmax(0))
    np.testing.assert_array_equal(places[:, :, 3], -np.sort(-largest.T, axis=1)[:, :3])
    shown = np.asarray(Image.open(io.BytesIO(explanations.open_member(row, "pictures.png"))))
    np.testing.assert_array_equal(shown, np.concatenate(pictures, 1))


def test_the_page_says_where_it_lies_and_without_scripts_what_excites_a_channel(
    client: Client, row: Explanation
) -> None:
    places = member(row, "places/block2.relu2.npy")
    channel = int(places[:, 2, 3].argmax())
    html = page(client, network="vgg", layer="block2/conv2", channel=channel)
    data = re.search(r'<script id="xray-atlas" type="application/json">(.*?)</script>', html, re.S)
    assert data
    known = json.loads(data[1])["vgg"]
    assert [one["name"] for one in known["samples"]] == list(samples.every())
    answer = client.get(f"{known['base']}places/block2.relu2.npy")
    assert "public" in answer["Cache-Control"]
    np.testing.assert_array_equal(np.load(io.BytesIO(answer.content)), places)
    best = places[channel, 0]
    title = list(samples.every().values())[int(best[0])].title
    said = rf"{title}, row {best[1] + 1:.0f}, column {best[2] + 1:.0f}: <span class=\"number\">{best[3]:.2f}"
    assert re.search(said, html)
    assert "after block 2, ReLU 2" in html


def test_before_it_is_made_the_page_does_without(client: Client, vgg: None) -> None:
    explained("xray")
    html = page(client, network="vgg", layer=LAYER, channel=3)
    assert '<script id="xray-atlas" type="application/json">{}</script>' in html
    assert "What excites it most" not in html


def test_the_text_leads_to_the_middle_of_the_picture_in_the_first_and_the_last_layer(
    client: Client, vgg: None
) -> None:
    links = re.findall(r'<a href="\?([^"]*)#figure" data-xray-go=\'?"?', page(client, network="vgg"))
    assert ["layer=block1%2Frelu1" in links[0], "y=16" in links[0]] == [True, True]
    assert ["layer=block4%2Frelu2" in links[1], "y=2" in links[1]] == [True, True]


def test_nobody_can_ask_for_it(client: Client, vgg: None) -> None:
    answer = client.post("/learn/laboratory/explanations/", {"on": ON, "network": "vgg", "kind": "atlas"})
    assert answer.status_code == 422
    assert "the site makes it" in answer.json()["error"]["message"]
    with pytest.raises(KindError, match="the site makes it"):
        explanations.question(subjects.find(None, ON), "vgg", "atlas")
    with pytest.raises(KindError, match="There is no parameter"):
        kinds.find("atlas").clean({"layer": LAYER}, artifact.load_card("vgg"))
    assert not Explanation.objects.exists()


def test_one_sample_alone_or_none_makes_no_atlas(
    asked: Asked, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []

    def compute(work: Work) -> Result:
        seen.append(work.clean.shape)
        return Result({"samples": []})

    together = Kind("atlas", lambda *_: {}, compute, ({},), looks_at_bars=False, pictures="samples")
    known = {"atlas": together, "answers": kinds.every()["answers"]}
    monkeypatch.setattr(kinds, "every", lambda: known)
    call_command("make_explanations", "--sample", "cup", "--verbosity", "0")
    settings.LABORATORY_SAMPLES = []
    call_command("make_explanations", "--verbosity", "0")
    assert seen == []
    settings.LABORATORY_SAMPLES = ["apple"]
    call_command("make_explanations", "--network", "tiny", "--verbosity", "0")
    assert seen == [(len(samples.every()), 24, 24, 3)]


def test_an_atlas_of_another_version_is_not_shown(row: Explanation) -> None:
    card = artifact.load_card("vgg")
    assert atlas.for_script([card])
    Explanation.objects.filter(pk=row.pk).update(artifact="vgg-before")
    assert atlas.for_script([card]) == {}
