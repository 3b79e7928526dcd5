"""Training without scripts: curves against the log, words, answers along the way, confusions, and strange addresses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from learn.figures import training
from learn.figures.snapshots import in_words, step_at
from learn.lessons import training as lesson
from ml import artifact
from ml.artifact import Card
from tests.learn.conftest import write_card
from tests.learn.looking import explained, only_vgg, shown

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups")]

PAGE = "/learn/laboratory/training/"
ROWS = [
    {
        "epoch": 1,
        "size": 16,
        "rate": 0.05,
        "train_loss": 6.0,
        "train_accuracy": 0.1,
        "val_loss": 4.0,
        "val_accuracy": 0.2,
    },
    {
        "epoch": 2,
        "size": 16,
        "rate": 0.2,
        "train_loss": 5.0,
        "train_accuracy": 0.3,
        "val_loss": 3.0,
        "val_accuracy": 0.4,
    },
    {
        "epoch": 3,
        "size": 32,
        "rate": 0.2,
        "train_loss": 4.0,
        "train_accuracy": 0.5,
        "val_loss": 2.0,
        "val_accuracy": 0.5,
    },
    {
        "epoch": 4,
        "size": 32,
        "rate": 0.0002,
        "train_loss": 3.0,
        "train_accuracy": 0.7,
        "val_loss": 1.0,
        "val_accuracy": 0.6,
    },
    {"epoch": 5, "size": 32, "rate": 0.01, "val_accuracy": 0.55},
]
TRAINING = {
    "before": [{"recipe": {"epochs": 3, "cutmix": 0.3, "cutmix_until": 0.5}}],
    "recipe": {"epochs": 2, "cutmix": 0.0, "cutmix_until": 0.5},
}


def network(folder: Path, rows: list[dict[str, Any]] = ROWS, **changes: Any) -> Card:
    write_card(folder, "net", **({"training": TRAINING} | changes))
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "net" / "log.jsonl").write_text(lines, encoding="utf-8")
    return artifact.load_card("net")


@pytest.fixture
def log(artifacts: Path) -> training.Log:
    return training.log_of(network(artifacts), 0)


@pytest.fixture
def vgg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    only_vgg(tmp_path / "artifacts", monkeypatch)
    return artifact.load_card("vgg")


def still(client: Client, **query: Any) -> str:
    html = shown(client, PAGE, **query)
    return html[html.index("data-laboratory-still") :]


# -- the log --------------------------------------------------------------------------------------------------


def test_later_runs_count_on_and_what_changed_in_them_is_known(log: training.Log) -> None:
    assert (log.last, log.starts, log.unmixed) == (5, (4,), (3,))
    # Of two epochs with the same rate it is the first.
    assert log.peak() == 2
    assert log.at(0) is None
    assert [log.at(epoch)["epoch"] for epoch in (1, 4, 99)] == [1, 4, 5]


def test_mixing_ends_with_the_first_epoch_of_which_none_is_mixed(artifacts: Path) -> None:
    recipe = {"epochs": 5, "cutmix": 0.3, "cutmix_until": 0.5}
    # Epochs 1, 2 and 3 begin before half of the five have passed.
    assert training.log_of(network(artifacts, training={"recipe": recipe}), 0).unmixed == (4,)


def test_every_point_of_a_panel_is_a_row_of_the_log(log: training.Log) -> None:
    panels = {panel.key: panel for panel in training.panels([log])}
    columns = {
        ("accuracy", "held"): "val_accuracy",
        ("accuracy", "training"): "train_accuracy",
        ("held-loss", "held"): "val_loss",
        ("training-loss", "training"): "train_loss",
        ("rate", "held"): "rate",
    }
    tops = {"accuracy": 1, "held-loss": 4, "training-loss": 6, "rate": 0.2, "size": 32}
    assert {key: panel.top for key, panel in panels.items()} == pytest.approx(tops)
    for (key, split), column in columns.items():
        (line,) = (line for line in panels[key].lines if line.split == split)
        points = [tuple(map(float, pair.split(","))) for pair in line.points.split()]
        expected = [
            ((row["epoch"] - 1) / 4 * 284, 92 * (1 - row[column] / tops[key]))
            for row in ROWS
            if column in row
        ]
        assert [x for x, _y in points] == pytest.approx([x for x, _y in expected], abs=0.06)
        assert [y for _x, y in points] == pytest.approx([y for _x, y in expected], abs=0.06)


def test_a_size_changes_between_two_epochs_at_once(log: training.Log) -> None:
    (panel,) = (panel for panel in training.panels([log]) if panel.key == "size")
    points = [tuple(map(float, pair.split(","))) for pair in panel.lines[0].points.split()]
    between = 284 * 1.5 / 4
    assert (pytest.approx(between), 46.0) in points
    assert (pytest.approx(between), 0.0) in points
    assert [tick.text for tick in panel.y_ticks] == ["0", "16", "32"]


def test_an_epoch_is_said_and_what_the_log_does_not_know_is_left_out(log: training.Log) -> None:
    assert training.in_words(log, ROWS[2]) == (
        "Little network after epoch 3 of 5: right on 50.0% of the held-out pictures and on 50.0% of the training "
        "pictures. Loss 2.00 on held-out pictures, 4.00 in training. Pictures of 32 × 32 pixels, learning rate "
        "0.200. From here on this run mixed no pictures."
    )
    assert "A later run began with this epoch." in training.in_words(log, ROWS[3])
    assert "learning rate 0.0002." in training.in_words(log, ROWS[3])
    assert training.in_words(log, ROWS[4]) == (
        "Little network after epoch 5 of 5: right on 55.0% of the held-out pictures. Pictures of 32 × 32 pixels, "
        "learning rate 0.010."
    )


def test_the_snapshot_of_an_epoch_is_the_last_one_that_is_not_later() -> None:
    steps = [{"epoch": 2}, {"epoch": 5}, {"epoch": None}]
    found = [step_at(steps, epoch, 9) for epoch in (1, 2, 4, 5, 8, 9, 12)]
    assert found == [None, steps[0], steps[0], steps[1], steps[1], steps[2], steps[2]]


def test_a_step_is_said_beside_the_finished_answer(artifacts: Path) -> None:
    card = network(artifacts)
    steps = [
        {"epoch": 2, "size": 16, "top": [[1, 0.6], [0, 0.4]], "probabilities": [0.4, 0.6]},
        {"epoch": None, "size": 32, "top": [[0, 0.9], [1, 0.1]], "probabilities": [0.9, 0.1]},
    ]
    said = [in_words(card, steps, step, [0, 1], index) for step in steps for index in (0, 1)]
    first = "After epoch 2, on 16 × 16 pixels, Little network said bear, 60.0%."
    assert said == [
        f"{first} To apple it gave 40.0%, the finished one gives 90.0%.",
        f"{first} The finished one gives bear 10.0%.",
        "The finished Little network says apple, 90.0%.",
        "The finished Little network says apple, 90.0%. To bear it gives 10.0%.",
    ]


# -- the page -------------------------------------------------------------------------------------------------


def test_the_page_says_and_lists_the_epoch_that_is_asked_for(client: Client, vgg: Card) -> None:
    row = vgg.curves()[11]
    html = still(client, epoch=12)
    assert f"VGG after epoch 12 of {len(vgg.curves())}: right on {100 * row['val_accuracy']:.1f}%" in html
    assert html.count("<tr data-now>") == 1
    assert re.search(r'<tr data-now><th scope="row">12</th>', html)
    assert html.count('class="training-panel" data-panel=') == 5
    assert f"VGG after epoch {len(vgg.curves())} of" in still(client)


def test_curves_of_all_networks_have_one_axis_and_are_shown_when_asked(client: Client) -> None:
    cards = artifact.cards()
    html = still(client, others=1, epoch=35)
    for card in cards:
        assert f"All epochs of {card.title} as a table" in html
        assert f'data-of="{card.name}"/>' in html
    short = min(cards, key=lambda card: len(card.curves()))
    assert f"{short.title} was finished after epoch {len(short.curves())}." in html
    alone = still(client, epoch=20)
    assert f'data-of="{cards[1].name}" hidden/>' in alone
    assert f"All epochs of {cards[1].title} as a table" not in alone


def test_a_network_without_snapshots_says_so_and_has_its_curves(client: Client) -> None:
    without = next(card for card in artifact.cards() if not card.snapshots)
    html = still(client, network=without.name)
    assert f"No snapshots of {without.title} were kept" in html
    assert f"{without.title} after epoch" in html


def test_answers_along_the_training_are_there_once_they_are_computed(client: Client, vgg: Card) -> None:
    assert "These answers are not computed yet." in still(client)
    result = explained("snapshots").result
    html = still(client, epoch=7)
    assert "After epoch 5, on 16 × 16 pixels, VGG said" in html
    rows = re.findall(r'<tr( data-now)?><th scope="row">(\w+)</th><td class="numeric">\d+</td>', html)
    assert [epoch for _now, epoch in rows] == [*(str(row["epoch"]) for row in vgg.snapshots), "finished"]
    assert [epoch for now, epoch in rows if now] == ["5"]
    points = re.findall(r'<circle class="snapshot" cx="([\d.]+)" cy="([\d.]+)"', html)
    last = len(vgg.curves())
    for (x, y), step in zip(points, result["steps"], strict=True):
        assert float(x) == pytest.approx(284 * ((step["epoch"] or last) - 1) / (last - 1), abs=0.06)
        assert float(y) == pytest.approx(92 * (1 - step["probabilities"][0]), abs=0.06)
    other = next(index for index in range(100) if index not in result["classes"])
    assert "never came among the first five here" in still(client, **{"class": other})


def test_a_class_is_listed_with_what_it_was_called_and_what_was_called_it(client: Client, vgg: Card) -> None:
    matrix = vgg.evaluation()["confusion"]
    otter = vgg.labels.index("otter")
    html = still(client, truth=otter)
    table = re.search(r'<table class="table small training-confused">(.*?)</table>', html, re.S)
    assert table
    rows = [
        (name, int(count))
        for name, count in re.findall(r'<th scope="row">([^<]+)</th><td class="numeric">(\d+)</td>', table[1])
    ]
    calls, takes = rows[:6], rows[6:]
    assert [count for _name, count in calls] == sorted(matrix[otter], reverse=True)[:6]
    column = [row[otter] for index, row in enumerate(matrix) if index != otter]
    assert [count for _name, count in takes] == sorted(column, reverse=True)[:6]
    assert calls[0] == ("otter", matrix[otter][otter])


def test_pairs_are_links_to_their_squares(client: Client, vgg: Card) -> None:
    pair = vgg.evaluation()["confused_pairs"][0]
    html = still(client, epoch=3)
    assert re.search(rf'<a href="\?[^"]*epoch=3[^"]*&truth={pair["a"]}&taken={pair["b"]}"', html)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"epoch": "0"}, "There is no epoch “0”: they go from 1 to 40. Epoch 1 is shown."),
        ({"epoch": "41"}, "Epoch 40 is shown."),
        ({"epoch": "first"}, "There is no epoch “first”"),
        ({"epoch": "1.5"}, "There is no epoch “1.5”"),
        ({"epoch": "nan"}, "There is no epoch “nan”"),
        ({"epoch": "1e400"}, "There is no epoch “1e400”"),
        ({"class": "100"}, "There is no class of the number “100”."),
        ({"truth": "-1"}, "There is no class of the number “-1”."),
        ({"taken": "otter"}, "There is no class of the number “otter”."),
    ],
)
def test_what_does_not_exist_is_said(client: Client, vgg: Card, query: dict[str, str], sentence: str) -> None:
    html = shown(client, PAGE, **query)
    assert sentence in html[: html.index("lab-subject")]


def test_networks_of_which_nothing_was_kept_say_so(
    client: Client, small_networks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ml.explain.structure.explainable", lambda card: True)
    html = still(client, epoch=4)
    assert "No log of the training was kept." in html
    assert "No snapshots of Tiny were kept" in html
    assert "The networks here were not evaluated on test pictures." in html


# -- the lesson -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "choice"), [(0.011, "chance"), (0.09, "tenth"), (0.18, "sixth"), (0.6, "half")]
)
def test_the_right_guess_is_the_choice_nearest_to_the_log(share: float, choice: str) -> None:
    assert lesson.nearest(share) == choice


def right(html: str, key: str) -> str:
    found = re.search(rf'data-predict="{key}" data-right="([^"]+)"', html)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"steps": "later", "one": "sixth", "ahead": "held"}),
        (
            {"rate": 0.9, "val_accuracy": 0.011, "train_accuracy": 0.05},
            {"steps": "first", "one": "chance", "ahead": "training"},
        ),
    ],
)
def test_the_guesses_are_right_by_the_log(
    client: Client, artifacts: Path, changes: dict[str, float], expected: dict[str, str]
) -> None:
    rows = [dict(row) for row in ROWS]
    rows[0] |= changes
    rows += [{"epoch": epoch, "rate": 0.001} for epoch in range(6, 13)]
    network(artifacts, rows)
    html = client.get("/learn/training/").content.decode()
    assert {key: right(html, key) for key in expected} == expected


def test_the_recipe_of_every_run_stands_in_the_table(client: Client) -> None:
    html = client.get("/learn/training/").content.decode()
    table = re.search(r"<table.*?</table>", html, re.S)
    assert table
    cells = {
        title: re.findall(r"<td[^>]*>([^<]*)</td>", row)
        for title, row in re.findall(r'<th scope="row"[^>]*>([^<]*)</th>(.*?)</tr>', table[0], re.S)
    }
    runs = [run for card in artifact.cards() for run in training.runs_of(card)]
    assert cells["Epochs"] == [str(run["recipe"]["epochs"]) for run in runs]
    assert cells["Held-out pictures"] == [f"{run['held_out']:,}" for run in runs]
    assert all(len(row) == len(runs) for row in cells.values())
