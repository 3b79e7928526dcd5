"""CutMix without scripts: shares by counting, addresses that make no sense, stored answers, and the compared runs."""

from __future__ import annotations

import html
import json

import numpy as np
import pytest
from django.urls import reverse

from learn import explanations, subjects
from learn.explaining import drain
from learn.figures import cutmix_runs, mixing
from learn.figures.mixing import Box
from ml import artifact

pytestmark = pytest.mark.django_db

ADDRESS = reverse("learn:laboratory-figure", args=["cutmix"])


def page(client, query=""):
    answer = client.get(ADDRESS + query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_a_box_stays_inside_and_keeps_a_pixel():
    assert mixing.inside([-3, 40, 5, 100], 32) == Box(0, 0, 5, 32)
    assert mixing.inside([31, 31, 0, -2], 32) == Box(31, 31, 1, 1)
    assert mixing.middle(32).area == 256


@pytest.mark.parametrize("to", [8, 32, 48, 224])
def test_the_same_box_on_another_size_has_the_same_share(to):
    box = Box(8, 4, 16, 24)
    scaled = box.scaled(32, to)
    assert scaled.area / to**2 == pytest.approx(box.area / 32**2)
    tiny = Box(31, 31, 1, 1).scaled(32, to)
    assert mixing.inside(tiny.to_list(), to) == tiny


@pytest.mark.parametrize("alpha", mixing.ALPHAS)
def test_the_density_is_one_of_probability(alpha):
    shares = np.linspace(0.0005, 0.9995, 2001)
    heights = [mixing.density(alpha, share) for share in shares]
    assert np.trapezoid(heights, shares) == pytest.approx(1, abs=0.04)


def test_the_page_counts_the_pixels_and_names_the_mixed_answer(client):
    text = page(client, "?on=sample:apple&other=clock&box=0,0,16,32")
    assert "512 of 1,024 pixels are those of the first picture: λ = 50.0%." in text
    assert "50.0% apple and 50.0% clock" in text
    turned = page(client, "?on=sample:apple&other=clock&box=0,0,8,8&turn=1")
    assert "64 of 1,024 pixels are those of the first picture" in turned


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?other=moon", "no sample picture “moon”"),
        ("?box=1,2,3", "four whole numbers"),
        ("?box=a,b,c,d", "four whole numbers"),
        ("?box=1,2,3,nan", "four whole numbers"),
        ("?box=0,0,40,40", "inside 32 × 32 pixels"),
        ("?box=-1,0,4,4", "inside 32 × 32 pixels"),
        ("?turn=left", "“turn” is 0 or 1"),
        ("?class=4711", "no class of this number"),
        ("?alpha=3", "Alpha is one of 0.5, 1, 2, 4"),
        ("?alpha=inf", "Alpha is one of 0.5, 1, 2, 4"),
    ],
)
def test_what_cannot_be_shown_is_said_and_something_near_is_shown(client, query, sentence):
    assert sentence in page(client, query)


def test_what_a_network_answered_before_is_read_without_scripts(client):
    address = "?on=sample:apple&other=clock&box=4,4,20,20"
    assert "VGG has not been asked about this mixture yet" in page(client, address)
    subject = subjects.find(None, "sample:apple")
    explanations.ask(subject, "vgg", "mix", {"with": "clock", "box": [4, 4, 20, 20]}, asker="somebody")
    drain()
    text = page(client, address)
    assert "VGG has not been asked" not in text
    said = text[text.index("VGG says") :].partition("</p>")[0]
    # Its answer with its share, and the other of the two classes with that one's.
    assert said.count("apple") == said.count("clock") == 1
    assert "Both pictures are the same one" in page(client, "?on=sample:apple&other=apple")


def a_study():
    log = [{"train_accuracy": 0.2 + 0.1 * epoch, "val_accuracy": 0.25 + 0.05 * epoch} for epoch in range(3)]
    measured = {"top1": 0.512, "ece": 0.0812, "nll": 1.9, "confidence": 0.5}
    runs = [
        {"value": value, "seed": 0, "seconds": 9, "log": log, "whole": measured, "covered": measured}
        for value in (0.5, 0)
    ]
    return {"choice": "cutmix", "recipe": {"model": "vgg"}, "pictures": 48000, "n": 10000, "runs": runs}


def test_runs_with_and_without_it_are_drawn_where_there_are_some(client, tmp_path, monkeypatch):
    monkeypatch.setattr(cutmix_runs, "FILE", tmp_path / "cutmix.json")
    cutmix_runs.FILE.write_text(json.dumps(a_study()), encoding="utf-8")
    found = cutmix_runs.found(artifact.cards())
    assert found is not None
    assert [row["with"] for row in found["rows"]] == [False, True]
    assert found["numbers"][2]["cells"] == [(pytest.approx(0.4), pytest.approx(0.35))] * 2
    text = page(client)
    assert (
        "VGG, trained anew for 3 short epochs of 48,000 pictures: with CutMix on 50.0% of its batches" in text
    )
    assert text.count("51.2%") == 4


@pytest.mark.parametrize("content", [None, "", "[]", '{"runs": []}', '{"recipe": {"model": "other"}}'])
def test_without_such_runs_nothing_is_said_of_them(client, tmp_path, monkeypatch, content):
    monkeypatch.setattr(cutmix_runs, "FILE", tmp_path / "cutmix.json")
    if content is not None:
        cutmix_runs.FILE.write_text(content, encoding="utf-8")
    assert "Trained with and without it" not in page(client)
