"""Skip connections without scripts: what the page reads from a study, addresses that make no sense, and no study."""

from __future__ import annotations

import html
import json

import pytest
from django.urls import reverse

from learn.figures import skip

pytestmark = pytest.mark.django_db

ADDRESS = reverse("learn:laboratory-figure", args=["skip"])


def a_run(kind, depth):
    """Gradients that grow tenfold from the last layer to the first in a plain network, and stay in the other."""
    count = depth - 1
    factor = 10.0 if kind == "plain" else 1.0
    names = ["stem/conv", *(f"stage1/block{i // 2 + 1}/conv{i % 2 + 1}" for i in range(count - 1))]
    values = [0.02 * factor ** (1 - i / (count - 1)) for i in range(count)]
    rows = [{"name": name, "relative": value} for name, value in zip(names, values, strict=True)]
    log = [
        {
            "epoch": epoch,
            "loss": 4.6,
            "accuracy": 0.01 + 0.1 * epoch + (kind == "residual") / 8,
            "held_out": 0.1,
        }
        for epoch in range(3)
    ]
    return {
        "kind": kind,
        "depth": depth,
        "parameters": 1000 * depth,
        "seconds": 12.4,
        "log": log,
        "gradients": {"start": rows, "end": [{**row, "relative": row["relative"] / 10} for row in rows]},
    }


@pytest.fixture
def study(tmp_path, monkeypatch):
    runs = [a_run(kind, depth) for depth in (8, 20) for kind in skip.KINDS]
    content = {"study": {"epochs": 2, "pictures": 6000, "size": 16}, "hardware": "an abacus", "runs": runs}
    file = tmp_path / "skip.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setattr(skip, "FILE", file)
    return file


def page(client, query=""):
    answer = client.get(ADDRESS + query)
    assert answer.status_code == 200
    return html.unescape(answer.content.decode())


def test_the_page_says_each_network_s_gradient_and_what_it_reached(client, study):
    text = page(client, "?depth=20")
    assert (
        "20 layers, plain: the gradient of Stem, convolution is 0.20, 10 times that of the last convolution."
        in text
    )
    assert "20 layers, with shortcuts: the gradient of Stem, convolution is 0.020, 1.0 times" in text
    assert "After training 33.5% of the training pictures are right" in text
    assert "2 epochs of 6,000 pictures of 16 × 16 pixels" in text
    assert "an abacus" in text


def test_lines_stand_where_their_numbers_are(study):
    runs = skip.load()
    axis = skip.gradient_axis(runs)
    assert (axis.low, axis.high) == (-3, 0)
    assert axis.up(0.001) == skip.HEIGHT
    assert axis.up(1.0) == 0
    assert axis.up(0.01) == pytest.approx(skip.HEIGHT * 2 / 3)
    points = skip.gradient_line(runs.gradients("plain", 8, "start"), axis).split()
    assert points[0] == f"0.0,{axis.up(0.2):.1f}"
    assert points[-1] == f"{skip.WIDTH:.1f},{axis.up(0.02):.1f}"
    assert runs.spread("plain", 8, "start") == pytest.approx(10)
    assert runs.spread("residual", 8, "start") == pytest.approx(1)


@pytest.mark.parametrize(
    ("value", "text"), [(22.4, "22"), (0.0296, "0.030"), (1.0, "1.0"), (1130.0, "1,100"), (0.0, "0")]
)
def test_numbers_have_two_digits_that_count(value, text):
    assert skip.written(value) == text


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?depth=9", "but of 8, 20. The deepest are shown"),
        ("?depth=deep", "No networks of deep layers"),
        ("?when=noon", "“when” is start or end"),
        ("?layer=99", "they go from 1 to 19. Number 19 is shown"),
        ("?depth=8&layer=-1", "they go from 1 to 7. Number 1 is shown"),
        ("?layer=first", "no convolution “first”"),
    ],
)
def test_what_cannot_be_shown_is_said_and_something_near_is_shown(client, study, query, sentence):
    assert sentence in page(client, query)


@pytest.mark.parametrize(
    "content", [None, "", "{}", '{"runs": []}', '{"runs": [{"kind": "plain", "depth": 8}]}']
)
def test_without_a_study_the_page_says_so(client, tmp_path, monkeypatch, content):
    file = tmp_path / "none.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    monkeypatch.setattr(skip, "FILE", file)
    assert "It has not been run for this site" in page(client)


def test_it_is_about_no_picture(client, study):
    text = page(client, "?on=4711")
    assert "Another picture" not in text
    assert 'href="/learn/laboratory/xray/?on=4711' in text
