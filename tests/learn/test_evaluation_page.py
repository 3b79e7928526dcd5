"""Reliability, classes and confusions on the page about the networks: what an evaluation says, nothing without one."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from learn import evaluations
from learn.figures import confusion, reliability
from ml import calibrate
from ml.labels import CIFAR100
from tests.evaluations import a_matrix, add_evaluation, an_evaluation
from tests.learn.conftest import write_card

LABELS = ["apple", "bear", "cup", "sweet_pepper", "rose"]


@pytest.fixture
def page(client: Client, db: None) -> Callable[[], str]:
    def get() -> str:
        html = client.get(reverse("learn:page", args=["networks"])).content.decode()
        return re.sub(r"\s+", " ", html)

    return get


def network(
    folder: Path, name: str = "vgg", title: str = "Little network", *, lost: int = 5, **changes: object
) -> None:
    write_card(folder, name, title=title, labels=LABELS, **changes)
    add_evaluation(folder, name, an_evaluation(a_matrix(len(LABELS), lost=lost)))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def section(html: str, name: str) -> str:
    found = re.search(rf'<section aria-labelledby="{name}".*?</section>', html, re.S)
    assert found, f"there is no section {name}"
    return found[0]


# --- the page -----------------------------------------------------------------------------------------------


def test_without_an_evaluation_nothing_of_it_is_shown(page, artifacts):
    write_card(artifacts, "vgg")
    html = page()
    assert "How far to trust a percentage" not in html
    assert "confusion.js" not in html
    assert "evaluation.css" not in html


def test_a_damaged_evaluation_is_not_shown_and_takes_nothing_down(page, artifacts):
    network(artifacts)
    (artifacts / "vgg" / "evaluation.json").write_text("{}", encoding="utf-8")
    html = page()
    assert "Little network" in html
    assert "How far to trust a percentage" not in html


def test_the_headline_figures_stand_with_their_spread(page, artifacts):
    network(artifacts)
    words = text_of(section(page(), "trust"))
    for part in (
        "86.0%",
        "80.1% to 89.9%",
        "87.5%",
        "0.4% to 3.1%",
        "43.2%",
        "21.0% of a picture",
        "On 250 test",
    ):
        assert part in words


def test_the_reliability_is_drawn_and_told_in_numbers(page, artifacts):
    network(artifacts)
    html = section(page(), "trust")
    svg = re.search(r'<svg [^>]*role="img".*?</svg>', html, re.S)
    assert svg
    columns = [e for e in ET.fromstring(svg[0]).iter("rect") if e.get("class") in ("solid", "few")]
    rows = [row for row in an_evaluation(a_matrix(5))["reliability"] if row["n"]]
    assert len(columns) == 2 * len(rows)
    table = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", html, re.S)
    counted = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in table if "to" in row and "sure" not in row]
    shown = [cells for cells in counted if len(cells) == 4]
    assert [int(cells[1]) for cells in shown] == [row["n"] for row in rows]


def test_the_temperature_of_covered_pictures_is_explained_only_where_there_is_one(page, artifacts):
    network(artifacts)
    assert "share of pixels that are black" not in page()
    network(artifacts, "wideresnet", "Wide network", black_slope=0.8)
    assert "share of pixels that are black" in page()


def test_the_hardest_class_comes_with_what_it_is_called_instead(page, artifacts):
    write_card(artifacts, "vgg", labels=LABELS)
    matrix = a_matrix(5)
    matrix[1] = [0, 20, 30, 0, 0]
    add_evaluation(artifacts, "vgg", an_evaluation(matrix))
    html = section(page(), "classes")
    hardest = html[html.index("Least often recognised") :]
    assert text_of(hardest[: hardest.index("</tr>", hardest.index("<tbody>"))]).split("often ")[
        -1
    ].strip() == ("bear 40.0% cup (30 of 50)")
    easiest = html[: html.index("Least often recognised")]
    assert easiest.index(">apple<") < easiest.index(">bear<")


def test_all_classes_are_listed_with_a_column_for_each_network(page, artifacts):
    network(artifacts, lost=5)
    network(artifacts, "wideresnet", "Wide network", lost=1)
    html = section(page(), "classes")
    table = html[html.index("data-class-table") :]
    assert "Little network, right" in table
    assert "Wide network, right" in table
    row = re.search(r"sweet pepper</th>(.*?)</tr>", table)
    assert row
    assert re.findall(r">([\d.]+%)<", row[1]) == ["86.0%", "94.0%"]
    names = re.findall(r'<th scope="row">(.*?)</th>', table)
    assert names == ["apple", "bear", "cup", "rose", "sweet pepper"]


def test_networks_of_other_classes_are_not_put_into_one_table(page, artifacts):
    network(artifacts)
    write_card(artifacts, "other", labels=["red", "green"], title="Other")
    add_evaluation(artifacts, "other", an_evaluation(a_matrix(2, lost=1)))
    html = page()
    assert html.count("data-class-table") == html.count("data-confusion>") == 2
    assert "All 2 classes" in html
    assert "All 5 classes" in html


def test_the_most_confused_pairs_are_told_in_both_directions(page, artifacts):
    network(artifacts)
    html = section(page(), "mistakes")
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", html)
    assert text_of(f"<i>{rows[0]}").split() == ["apple", "bear", "5", "0"]


def test_the_explorer_is_given_every_count_and_every_name(page, artifacts):
    network(artifacts)
    html = page()

    def read(name: str) -> object:
        found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', html)
        assert found
        return json.loads(found[1])

    rows = read("confusion-vgg")
    matrix = np.zeros((5, 5), int)
    for i, flat in enumerate(rows):
        matrix[i, flat[::2]] = flat[1::2]
    assert (matrix == a_matrix(5)).all()
    shared = read("confusion-shared-vgg")
    assert shared["labels"][3] == "sweet pepper"
    assert sorted(shared["order"]) == [0, 1, 2, 3, 4]


def test_a_page_of_two_networks_with_a_hundred_classes_stays_light(page, artifacts):
    rng = np.random.default_rng(4)
    for name in ("vgg", "wideresnet"):
        write_card(artifacts, name, labels=list(CIFAR100))
        matrix = 70 * np.eye(100, dtype=int)
        for row in matrix:
            np.add.at(row, rng.integers(0, 100, 30), 1)
        add_evaluation(artifacts, name, an_evaluation(matrix))
        assert (artifacts / name / "evaluation.json").stat().st_size < 60_000
    html = page()
    assert len(html.encode()) < 300_000
    assert "style=" not in html


# --- what it computes ---------------------------------------------------------------------------------------


def test_columns_end_at_the_share_that_was_right_inside_their_whiskers():
    rows = calibrate.reliability(
        np.array([0.5] * 40 + [0.99] * 8), np.array([True] * 10 + [False] * 30 + [True] * 8)
    )
    panel = reliability.reliability_panel(rows)
    first, last = panel["columns"]
    assert (first.n, first.few, last.n, last.few) == (40, False, 8, True)
    assert float(first.height) == pytest.approx(reliability.HEIGHT * 0.25, abs=0.1)
    assert float(first.y) + float(first.height) == pytest.approx(reliability.HEIGHT, abs=0.2)
    whisker = re.fullmatch(r"M[\d.]+ ([\d.]+)V([\d.]+)", first.whisker)
    assert whisker
    assert float(whisker[1]) < float(first.y) < float(whisker[2])
    assert (
        reliability.reliability_panel([{"n": 0, "low": 0, "high": 1, "accuracy": 0, "confidence": 0}]) is None
    )


def test_wilsons_interval_is_the_published_one():
    # Newcombe, Statistics in Medicine 17, 1998, table I, method 3: 81 of 263, 15 of 148, 0 of 20.
    for right, n, expected in (
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
    ):
        assert reliability.wilson(right / n, n) == pytest.approx(expected, abs=1e-4)


def squares(strokes: list[dict[str, object]]) -> dict[tuple[int, int], int]:
    found = {}
    for stroke in strokes:
        for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)", str(stroke["path"])):
            for step in range(int(length)):
                found[int(y), int(x) + step] = int(stroke["level"])  # type: ignore[call-overload]
    return found


def test_every_mistake_is_drawn_once_in_its_strength_and_nothing_else():
    rng = np.random.default_rng(2)
    matrix = np.where(rng.random((9, 9)) < 0.4, rng.integers(1, 20, (9, 9)), 0) + 40 * np.eye(9, dtype=int)
    order = rng.permutation(9).tolist()
    figure = confusion.confusion_figure(matrix.tolist(), order)
    drawn = squares(figure["wrong"])
    for y, truth in enumerate(order):
        for x, answer in enumerate(order):
            expected = confusion.level(int(matrix[truth, answer]), int(matrix[truth].sum())) if x != y else 0
            assert drawn.get((y, x), 0) == expected
    assert set(squares(figure["right"])) == {(i, i) for i in range(9)}


@pytest.mark.parametrize(
    ("count", "expected"), [(0, 0), (1, 1), (19, 1), (20, 2), (40, 3), (80, 4), (160, 5), (1000, 5)]
)
def test_a_square_is_as_strong_as_its_share(count, expected):
    assert confusion.level(count, 1000) == expected


def test_a_matrix_is_drawn_only_where_it_can_be_read():
    assert confusion.confusion_figure([], []) is None
    assert confusion.confusion_figure([[1, 0], [0, 1]], [0]) is None
    many = confusion.MOST_CLASSES + 1
    assert confusion.confusion_figure([[0] * many] * many, list(range(many))) is None


def test_the_networks_share_the_order_of_the_better_one(artifacts):
    from ml.artifact import load_card

    network(artifacts, "vgg")
    write_card(artifacts, "wideresnet", labels=LABELS)
    better = an_evaluation(a_matrix(5, lost=0), order=[4, 2, 0, 1, 3])
    add_evaluation(artifacts, "wideresnet", better)
    (group,) = evaluations.compare([load_card("vgg"), load_card("wideresnet")])["groups"]
    assert group.shared["order"] == [4, 2, 0, 1, 3]
