"""Dose and response, as the server shows it: the drawing, sentences and the table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from learn.figures import dose
from tests.learn.looking import explained, only_vgg, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups", "vgg")]

PAGE = "/learn/laboratory/dose/"


@pytest.fixture
def vgg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_vgg(tmp_path / "artifacts", monkeypatch)


def page(client: Client, **query: Any) -> str:
    return shown(client, PAGE, **query)


def still(html: str) -> str:
    return html[html.index("data-laboratory-still") :]


def curve(values: list[float], **more: Any) -> dict[str, Any]:
    shares = np.linspace(0, 1, len(values)).tolist()
    return {"shares": shares, "probabilities": values, "area": float(np.trapezoid(values, shares)), **more}


def test_what_is_not_computed_yet_is_said(client: Client) -> None:
    assert "These curves are not computed yet." in still(page(client))


@pytest.mark.parametrize("order", ["most", "least", "random"])
def test_the_curves_are_drawn_said_and_listed(client: Client, order: str) -> None:
    curves = explained("dose", **{"class": None}).result["curves"]
    chosen = next(one for one in curves if one["order"] == order)
    html = still(page(client, order=order, step=7))
    drawn = re.search(r'<polyline class="curve network-0" points="([^"]+)"', html)
    assert drawn
    points = [tuple(map(float, pair.split(","))) for pair in drawn[1].split()]
    assert len(points) == 21
    assert [y for _, y in points] == pytest.approx(
        [dose.HEIGHT * (1 - p) for p in chosen["probabilities"]], abs=0.06
    )
    assert html.count('<polyline class="thin') == 2
    area = np.trapezoid(chosen["probabilities"], chosen["shares"])
    said = re.search(r"VGG is on average ([\d.]+)% sure of apple", html)
    assert said
    assert float(said[1]) == pytest.approx(100 * area, abs=0.06)
    table = html[html.index("All steps of the chosen order") :]
    assert len(re.findall(r'<th scope="row">[\d.]+%</th>', table)) == 21
    assert table.count("<tr data-now") == 1


def test_another_class_has_its_own_curves(client: Client) -> None:
    explained("dose", **{"class": 53})
    html = still(page(client, **{"class": 53}))
    assert "% sure of orange" in html
    assert "These curves are not computed yet." in still(page(client))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"class": "1000"}, "There is no class of this number."),
        ({"order": "sideways"}, "There is no such order."),
        ({"step": "21"}, "There is no such step."),
        ({"step": "-1"}, "There is no such step."),
        ({"step": "1.5"}, "There is no such step."),
        ({"step": "x"}, "There is no such step."),
    ],
)
def test_what_does_not_exist_is_said(client: Client, query: dict[str, str], sentence: str) -> None:
    html = page(client, **query)
    assert sentence in html[: html.index("lab-subject")]


def test_half_of_the_confidence_is_found_between_two_steps() -> None:
    assert dose.half(curve([0.8, 0.6, 0.2, 0.1, 0.0])) == pytest.approx(0.25 + 0.25 * 0.5)
    assert dose.half(curve([0.8, 0.8, 0.7])) is None
    assert dose.half(curve([0.0, 0.0])) == 0.0


def test_the_sentence_says_the_area_and_the_half() -> None:
    words = dose.curve_in_words(curve([0.8, 0.6, 0.2, 0.1, 0.0]), "VGG", "apple")
    assert words == (
        "From nothing to everything covered, VGG is on average 32.5% sure of apple. Half of the 80.0% it begins with "
        "is gone once 37.5% of the picture is covered."
    )
    assert "never loses half of that" in dose.curve_in_words(curve([0.8, 0.7, 0.6]), "VGG", "apple")


def test_an_order_that_is_no_better_than_chance_says_so() -> None:
    def three(most: list[float], random: list[float]) -> list[dict[str, Any]]:
        rows = (("most", most), ("least", [0.8, 0.8, 0.0]), ("random", random))
        return [curve(values, order=order) for order, values in rows]

    assert dose.order_in_words(three([0.8, 0.1, 0.0], [0.8, 0.5, 0.0]), "VGG") == ""
    assert "not to be relied on" in dose.order_in_words(three([0.8, 0.6, 0.0], [0.8, 0.5, 0.0]), "VGG")
    flat = [curve([0.5, 0.5, 0.5], order=order) for order in ("most", "least", "random")]
    assert dose.order_in_words(flat, "VGG").startswith("Nothing stands out for VGG")
