"""Softmax and belief: the numbers against float64, how they are written, what an address asks for that cannot be."""

from __future__ import annotations

import json
import math
import re
from html import unescape
from typing import Any

import numpy as np
import pytest
from django.test import Client

from learn import explaining, explanations, stored, subjects
from learn.figures import reliability_square, softmax
from learn.figures.reliability import wilson
from learn.laboratory import belief
from learn.models import Explanation
from ml import artifact
from ml.artifact import Card
from tests.ml import by_hand

PATH = "/learn/laboratory/belief/"
FITTED = f"temperature {artifact.load_card('vgg').temperature:.2f}"
# Falling from 8 to 0 in another order of the classes for each side.
LOGITS = {
    side: [round(8 * math.exp(-((37 * i + shift) % 100) / 2), 4) for i in range(100)]
    for side, shift in (("clean", 11), ("covered", 50))
}


def probabilities(logits: list[float], temperature: float) -> np.ndarray:
    values = np.asarray(logits, np.float64) / temperature
    powers = np.exp(values - values.max())
    return powers / powers.sum()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture has an X-ray with these logits."""
    monkeypatch.setattr(stored, "logits", lambda subject, card: dict(LOGITS))


def page(client: Client, **query: str) -> str:
    response = client.get(PATH, {"on": "sample:apple", **query})
    assert response.status_code == 200
    return response.content.decode()


def text(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def still(html: str) -> str:
    """What is read without scripts."""
    html = html[html.index("data-laboratory-still") :]
    return html[: html.index("</details>")]


def corrections(html: str) -> list[str]:
    found = re.search(r"data-laboratory-corrections[^>]*>(.*?)</div>", html, re.S)
    assert found
    return [unescape(one) for one in re.findall(r"<p>(.*?)</p>", found[1])]


# --- the four columns ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.05, 0.82, 1, 20])
def test_the_columns_are_the_softmax_and_the_others_their_sum(temperature: float) -> None:
    logits = LOGITS["clean"]
    named = softmax.ranked(logits)
    found = softmax.columns(logits, temperature, named)
    expected = probabilities(logits, temperature)
    assert [row.index for row in found.rows] == [*np.argsort(-np.array(logits), kind="stable")[:5], None]
    for row in found.rows[:-1]:
        assert row.index is not None
        assert row.probability == pytest.approx(expected[row.index], rel=1e-12)
        assert row.difference == pytest.approx(logits[row.index] - max(logits))
        assert row.exponential == pytest.approx(math.exp(row.difference / temperature))
    others = np.delete(expected, named)
    assert found.others == 95
    assert found.rows[-1].probability == pytest.approx(others.sum(), rel=1e-9)
    assert found.rows[-1].logit == max(np.delete(np.array(logits), named))
    assert sum(row.probability for row in found.rows) == pytest.approx(1, abs=1e-12)
    assert math.exp(found.log_sum) == pytest.approx(sum(row.exponential for row in found.rows))


def test_what_a_float_would_take_for_zero_is_written() -> None:
    rows = softmax.columns([40.0, 0.0], 0.05, [0, 1]).rows
    # e to -800, which no float64 holds, is 10 to -347.44.
    assert rows[1].exponential == 0
    assert softmax.from_logarithm(rows[1].log_exponential) == "3.7 × 10⁻³⁴⁸"
    assert softmax.share(rows[1].log_probability, rows[1].log_rest) == "3.7 × 10⁻³⁴⁶%"
    assert softmax.share(rows[0].log_probability, rows[0].log_rest) == "> 99.999999%"


@pytest.mark.parametrize(
    ("share", "written"),
    [
        (0.5, "50.0%"),
        (0.0123, "1.2%"),
        (0.00012, "0.012%"),
        (0.0000012, "1.2 × 10⁻⁴%"),
        (0.9994, "99.9%"),
        (0.9997, "99.97%"),
        (0.99997, "99.997%"),
    ],
)
def test_a_share_is_neither_a_false_zero_nor_a_false_hundred(share: float, written: str) -> None:
    assert softmax.share(math.log(share), math.log1p(-share)) == written


def test_all_of_it_is_a_hundred() -> None:
    assert softmax.share(0.0, -math.inf) == "100%"


def test_a_difference_that_is_not_zero_is_not_written_as_zero() -> None:
    assert [softmax.decimal(one) for one in (-3.1, 0.0, -0.0034, 12.345)] == [
        "−3.10",
        "0.00",
        "−0.003",
        "12.35",
    ]


@pytest.mark.parametrize("temperature", [0, -1, math.nan, math.inf])
def test_no_temperature_is_refused(temperature: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        softmax.columns([1.0, 2.0], temperature, [0])


def test_a_chosen_class_takes_the_fifth_place_unless_it_is_named_already() -> None:
    logits = LOGITS["clean"]
    best = softmax.ranked(logits)
    assert softmax.named_classes(logits, None) == best
    assert softmax.named_classes(logits, best[2]) == best
    last = int(np.argmin(logits))
    assert softmax.named_classes(logits, last) == [*best[:4], last]


# --- the square ------------------------------------------------------------------------------------------------


def test_areas_are_as_counts_and_stems_are_gaps() -> None:
    rows = [
        {"low": 0.0, "high": 0.5, "n": 100, "confidence": 0.25, "accuracy": 0.5},
        {"low": 0.5, "high": 0.9, "n": 0, "confidence": 0.0, "accuracy": 0.0},
        {"low": 0.9, "high": 1.0, "n": 19, "confidence": 0.95, "accuracy": 0.9},
    ]
    found = reliability_square.square(rows, 400)
    assert found is not None
    first, second = found.circles
    assert (first.few, second.few, found.total) == (False, True, 119)
    assert float(first.radius) == pytest.approx(reliability_square.LARGEST / 2, abs=0.01)
    assert (float(first.radius) / float(second.radius)) ** 2 == pytest.approx(100 / 19, rel=0.01)
    side = reliability_square.SIDE
    # From the diagonal to the circle.
    assert first.stem == f"M{side / 4:.1f} {side * 0.75:.1f}V{side * 0.5:.1f}"
    assert (first.least, first.most) == wilson(0.5, 100)
    assert (first.x, first.y) == (f"{side / 4:.1f}", f"{side / 2:.1f}")
    assert reliability_square.square([rows[1]], 400) is None


# --- the page --------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.usefixtures("known")
class TestPage:
    def test_without_scripts_it_has_the_numbers_of_the_honest_temperature(self, client: Client) -> None:
        card = artifact.load_card("vgg")
        subject = subjects.find(None, "sample:apple")
        temperature = float(card.temperatures(subject.clean["vgg"][None])[0])
        expected = probabilities(LOGITS["clean"], temperature)
        best = int(expected.argmax())
        found = text(still(page(client)))
        assert (
            f"VGG at temperature {temperature:.2f}: {card.label(best)} {100 * expected[best]:.1f}%" in found
        )
        record = card.track_record(expected[best])
        assert record is not None
        sentence = (
            f"At this confidence it is right {100 * record.accuracy:.1f}% of the time (n = {record.n:,})."
        )
        assert sentence in found
        assert "which is several times as fast" in found or not subject.answers["vgg"].clean

    def test_the_covered_picture_has_its_own_temperature_and_record(self, client: Client) -> None:
        card = artifact.load_card("wideresnet")
        subject = subjects.find(None, "sample:apple")
        temperature = float(card.temperatures(subject.covered["wideresnet"][None])[0])
        expected = probabilities(LOGITS["covered"], temperature)
        found = text(still(page(client, side="covered", network="wideresnet")))
        assert f"Wide ResNet at temperature {temperature:.2f}: {card.label(int(expected.argmax()))}" in found
        assert "of the pixels are black" in found
        record = card.track_record(float(expected.max()), covered=True)
        assert record is not None
        assert f"(n = {record.n:,})" in found

    def test_an_address_restores_temperature_and_class(self, client: Client) -> None:
        card = artifact.load_card("vgg")
        last = int(np.argsort(LOGITS["clean"])[-9])
        html = page(client, temperature="2.5", **{"class": str(last)})
        expected = probabilities(LOGITS["clean"], 2.5)
        assert corrections(html) == []
        assert f"{card.label(last)} {100 * expected[last]:.1f}%" in text(still(html))
        assert "at this temperature" in text(still(html))

    @pytest.mark.parametrize(
        ("query", "sentence", "shown"),
        [
            ({"temperature": "0"}, "winner takes all is the limit", "temperature 0.05"),
            ({"temperature": "-1"}, "turned round", FITTED),
            ({"temperature": "nan"}, "“nan” is not a temperature", FITTED),
            ({"temperature": "inf"}, "“inf” is not a temperature", FITTED),
            ({"temperature": "warm"}, "“warm” is not a temperature", FITTED),
            ({"temperature": "0.001"}, "Temperatures go from 0.05 to 20", "temperature 0.05"),
            ({"temperature": "1e9"}, "Temperatures go from 0.05 to 20", "temperature 20.00"),
            ({"class": "100"}, "no class number “100”", FITTED),
            ({"class": "apple"}, "no class number “apple”", FITTED),
            ({"side": "inside"}, "“inside” is neither clean nor covered", FITTED),
            ({"side": "covered", "bars": "[]"}, "no bars on this picture", FITTED),
        ],
    )
    def test_what_does_not_exist_is_a_sentence_and_the_nearest_is_shown(
        self, client: Client, query: dict[str, str], sentence: str, shown: str
    ) -> None:
        html = page(client, **query)
        said = corrections(html)
        assert len(said) == 1
        assert sentence in said[0]
        assert shown in text(still(html))

    def test_both_networks_stand_side_by_side_the_one_that_is_looked_at_first(self, client: Client) -> None:
        html = page(client, network="wideresnet")
        named = re.findall(r'data-panel="(\w+)" data-side="clean"', html)
        assert named[0] == "wideresnet"
        assert set(named) == {"vgg", "wideresnet"}

    def test_every_id_is_there_once(self, client: Client) -> None:
        ids = re.findall(r'\sid="([^"]+)"', page(client))
        assert len(ids) == len(set(ids))

    def test_a_network_without_an_evaluation_says_so(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Card, "evaluation", lambda self: None)
        found = text(still(page(client)))
        assert "This network was not evaluated on such pictures" in found

    def test_in_a_frame_it_is_the_same(self, client: Client) -> None:
        response = client.get(f"{PATH}embed/", {"on": "sample:apple", "temperature": "0"})
        assert response.status_code == 200
        assert "winner takes all" in response.content.decode()

    def test_the_data_for_the_script_hold_no_nan(self, client: Client) -> None:
        found = re.search(r'<script id="belief-data"[^>]*>(.*?)</script>', page(client), re.S)
        assert found

        def refuse(name: str) -> Any:
            raise AssertionError(name)

        data = json.loads(found[1], parse_constant=refuse)
        assert data["networks"]["vgg"]["logits"]["clean"] == LOGITS["clean"]
        assert len(data["networks"]["vgg"]["reliability"]["covered"]) == 15


def test_too_few_pictures_say_nothing() -> None:
    card = artifact.load_card("vgg")
    assert "of the time" in belief.record_sentence(card, "clean", 0.5)
    # The likeliest of a hundred classes is rarely this improbable: the first bin is empty.
    assert "too few" in belief.record_sentence(card, "clean", 0.03)
    assert belief.record_sentence(card, "clean", None) == ""


@pytest.mark.django_db
def test_without_an_x_ray_the_page_says_what_is_missing(client: Client) -> None:
    found = text(still(page(client)))
    assert "The scores of this picture are not computed yet" in found
    assert "VGG" in found


@pytest.mark.django_db
@pytest.mark.usefixtures("no_wake_ups")
def test_the_logits_are_those_of_the_x_ray() -> None:
    subject = subjects.find(None, "sample:apple")
    card = subject.card("vgg")
    assert stored.logits(subject, card) is None
    asked = explanations.ask(subject, "vgg", "xray")
    claim, rows = Explanation.objects.filter(pk=asked.pk).claim(1)
    assert explaining.run(claim, rows[0])
    found = stored.logits(subject, card)
    assert found is not None
    learned = artifact.read_weights(card)
    for side, pixels in (("clean", subject.clean), ("covered", subject.covered)):
        np.testing.assert_allclose(found[side], by_hand.logits(card, pixels["vgg"], learned), atol=1e-3)
