"""The drawings: their arithmetic is right, and every one of them says in words what it shows."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from decimal import Decimal

import numpy as np
import pytest
from django.urls import reverse

from learn import lessons
from learn.figures import arithmetic, curves, wiring
from learn.figures.architecture import Stage, stage_figure, stages_from_layers
from tests.learn.conftest import LAYERS, write_card, write_log

SVG = re.compile(r'<svg [^>]*role="img".*?</svg>', re.S)


def drawings(client, path: str, language: str = "en") -> list[ET.Element]:
    html = client.get(path, headers={"accept-language": language}).content.decode()
    return [ET.fromstring(svg) for svg in SVG.findall(html)]


def test_the_drawn_convolution_is_a_convolution():
    patch, kernel = np.array(arithmetic.PATCH), np.array(arithmetic.KERNEL)
    windows = np.lib.stride_tricks.sliding_window_view(patch, kernel.shape)
    assert arithmetic.convolve(arithmetic.PATCH, arithmetic.KERNEL) == tuple(
        tuple(int(v) for v in row) for row in (windows * kernel).sum((2, 3))
    )


def test_the_written_sum_adds_up_to_the_marked_number():
    example = arithmetic.convolution_example()
    left, right = example["sum"].replace("\N{MINUS SIGN}", "-").replace(" ", "").split("=")
    assert sum(int(term) for term in re.findall(r"[+-]?\d+", left)) == int(right) == example["result"]
    assert [cell.value for cell in example["output"] if cell.marked] == [example["result"]]


def test_max_pooling_keeps_the_largest_of_each_tile():
    tiles = np.array(arithmetic.POOL_INPUT).reshape(2, 2, 2, 2).max((1, 3))
    assert arithmetic.max_pool(arithmetic.POOL_INPUT) == tuple(tuple(int(v) for v in row) for row in tiles)
    marked = [cell for cell in arithmetic.pooling_example()["before"] if cell.marked]
    assert sorted(cell.value for cell in marked) == sorted(int(v) for v in tiles.flat)


def test_softmax_sums_to_one_also_as_printed():
    rows = arithmetic.softmax_example()["rows"]
    assert sum(row.probability for row in rows) == pytest.approx(1)
    assert sum(round(100 * row.probability, 1) for row in rows) == pytest.approx(100)


def test_the_exponentials_of_softmax_add_up_as_printed():
    softmax = arithmetic.softmax_example()
    printed = [Decimal(f"{row.exponential:.3f}") for row in softmax["rows"]]
    assert sum(printed) == Decimal(f"{softmax['total']:.3f}")


def test_the_weights_are_counted_right():
    counts = {count.key: count.weights for count in wiring.weight_counts()}
    assert counts == {"dense-large": 300_000_000, "dense-small": 307_200, "convolution": 1_728}


def test_the_small_perceptron_has_the_fifty_weights_of_its_caption():
    assert wiring.perceptron_example()["wires"].count("M") == 7 * 5 + 5 * 3


def test_dropped_neurons_have_no_wires():
    example = wiring.dropout_example()
    assert example["first"]["wires"].count("M") == 3 * (4 + 2)
    assert example["second"]["wires"].count("M") == 2 * (4 + 2)


def test_stages_are_read_from_a_table_of_layers():
    assert stages_from_layers(LAYERS) == [Stage(8, 16, 2), Stage(4, 32, 1)]


def test_a_stage_figure_grows_with_the_channels():
    rows = stage_figure([Stage(8, 16, 2), Stage(4, 64, 1)], input_side=8, classes=10)["rows"]
    assert [row.stage.channels for row in rows] == [3, 16, 64]
    assert float(rows[2].bar) == pytest.approx(2 * float(rows[1].bar), abs=0.1)
    assert float(rows[2].square) == pytest.approx(float(rows[1].square) / 2, abs=0.1)


@pytest.mark.parametrize(
    "rows", [[], [{"epoch": 1, "train_loss": 4.0, "val_accuracy": 0.1}], [{"note": "x"}] * 3]
)
def test_a_log_without_two_epochs_draws_nothing(rows):
    assert curves.training_figure(rows) is None


def test_the_curves_stay_inside_their_panel_and_name_the_best_epoch():
    rows = [
        {"epoch": e, "train_loss": 5 / e, "val_loss": 6 / e, "val_accuracy": a}
        for e, a in ((1, 0.2), (2, 0.7), (3, 0.6))
    ]
    figure = curves.training_figure(rows)
    assert (figure["best_epoch"], figure["best_accuracy"], figure["epochs"]) == (2, 0.7, 3)
    for line in (*figure["loss"].lines.values(), *figure["accuracy"].lines.values()):
        for point in line.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= curves.WIDTH
            assert 0 <= y <= curves.HEIGHT


@pytest.mark.django_db
def test_the_overview_has_at_least_seven_drawings(client):
    assert len(drawings(client, reverse("learn:page", args=["overview"]))) >= 7


@pytest.mark.django_db
def test_every_drawing_has_a_name_and_a_description(client, artifacts):
    write_card(artifacts, "vgg")
    write_log(artifacts, "vgg", 4)
    for lesson in lessons.every():
        for svg in drawings(client, reverse("learn:page", args=[lesson.slug])):
            texts = {
                element.get("id"): "".join(element.itertext()).strip() for element in svg if element.get("id")
            }
            named = svg.get("aria-labelledby", "").split()
            assert len(named) == 2
            assert all(texts[name] for name in named)


@pytest.mark.django_db
def test_no_two_elements_of_a_page_share_an_id(client, artifacts):
    write_card(artifacts, "vgg")
    write_card(artifacts, "wideresnet")
    for lesson in lessons.every():
        ids = re.findall(
            r'\sid="([^"]+)"', client.get(reverse("learn:page", args=[lesson.slug])).content.decode()
        )
        assert len(ids) == len(set(ids))


@pytest.mark.django_db
def test_lengths_keep_their_decimal_point_where_people_write_a_comma(client, artifacts, settings):
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    write_card(artifacts, "vgg")
    write_log(artifacts, "vgg", 4)
    comma = client.get(reverse("learn:page", args=["overview"]), headers={"accept-language": "de"})
    assert "63,8" in comma.content.decode()
    for slug in ("overview", "networks"):
        for svg in drawings(client, reverse("learn:page", args=[slug]), "de"):
            for element in svg.iter():
                for name in ("x", "y", "width", "height", "cx", "cy", "r"):
                    float(element.get(name, "0"))
