"""What evaluation finds out: bars as students draw them, confusions counted by hand, and the same figures served."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ml import artifact, calibrate, data, evaluate
from ml.artifact import black_share

SHAPE = (400, 32, 32)
CLASSES = 6


@pytest.fixture(scope="module")
def black() -> np.ndarray:
    return evaluate.bars(SHAPE, seed=5)


def test_bars_cover_between_a_twentieth_and_two_fifths(black):
    share = black.mean((1, 2))
    assert share.min() > 0.03
    assert share.max() < 0.41
    assert 0.18 < share.mean() < 0.24
    assert (share < 0.1).mean() > 0.05
    assert (share > 0.3).mean() > 0.05


def test_bars_are_rectangles_up_to_three_of_all_shapes_and_everywhere(black):
    def rectangle(mask: np.ndarray) -> tuple[int, int] | None:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        whole = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return whole.shape if whole.all() else None

    single = [shape for mask in black > 0 if (shape := rectangle(mask))]
    # A third has one bar; a few more are covered by the largest of theirs.
    assert 0.28 < len(single) / len(black) < 0.5
    assert any(height > 2 * width for height, width in single)
    assert any(width > 2 * height for height, width in single)
    assert (black > 0).any(0).all()


def test_what_is_covered_is_black_its_edges_are_dark_and_all_else_is_untouched(black):
    images = np.random.default_rng(0).integers(1, 256, (*SHAPE, 3)).astype(np.uint8)
    before = images.copy()
    covered = evaluate.covered(images, seed=5)
    assert covered.dtype == np.uint8
    assert (covered[black == 1] == 0).all()
    assert (covered[black == 0] == before[black == 0]).all()
    edge = (black > 0) & (black < 1)
    np.testing.assert_allclose(covered[edge], before[edge] * (1 - black[edge, None]), atol=0.51)
    assert (images == before).all()


def test_bars_are_those_of_the_site_painted_large_and_shrunk(black):
    side = 32 * 16
    large = evaluate.bars((40, side, side), seed=5)
    shrunk = large.reshape(40, 32, 16, 32, 16).mean((2, 4))
    away = np.abs(shrunk - black[:40])
    # Only where the edges of two bars meet in one pixel is their common part a guess.
    assert (away > 1e-3).mean() < 0.002
    assert away.mean() < 1e-3


def test_a_picture_has_the_same_bars_whatever_stands_beside_it_and_other_ones_for_another_seed(black):
    assert (evaluate.bars((7, 32, 32), seed=5) == black[:7]).all()
    assert (evaluate.bars(SHAPE, seed=6) != black).any((1, 2)).mean() > 0.99


def test_bars_fit_pictures_of_any_shape():
    for height, width in ((1, 1), (3, 40), (224, 224)):
        shade = evaluate.bars((20, height, width), seed=1)
        assert shade.shape == (20, height, width)
        assert shade.any((1, 2)).all()
        assert shade.min() >= 0
        assert shade.max() <= 1


class Stub:
    """A predictor of six classes: a picture's first pixel is its answer, its second how sure it is."""

    def __init__(self, **changes: Any) -> None:
        self.engine = SimpleNamespace(name="stub", precision="float64")
        card = SimpleNamespace(labels=tuple("abcdef"), temperature=1.0, black_slope=0.0)
        card.__dict__.update(changes)
        card.temperatures = lambda pixels: card.temperature * (1 + card.black_slope * black_share(pixels))
        self.card: Any = card
        self.asked = 0

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        self.asked += len(pixels)
        rows = np.zeros((len(pixels), CLASSES), np.float32)
        rows[np.arange(len(pixels)), pixels[:, 0, 0, 0] % CLASSES] = pixels[:, 0, 1, 0] / 10
        return rows


@pytest.fixture(scope="module")
def split() -> data.Split:
    rng = np.random.default_rng(3)
    labels = np.repeat(np.arange(CLASSES), 100)
    images = rng.integers(1, 256, (len(labels), 32, 32, 3)).astype(np.uint8)
    images[:, 0, 0, 0] = np.where(rng.random(len(labels)) < 0.7, labels, (labels + 1) % CLASSES) + CLASSES
    images[:, 0, 1, 0] = rng.integers(20, 60, len(labels))
    return data.Split(images, labels)


def test_an_evaluation_agrees_with_itself_and_is_small_enough_to_ship(split, tmp_path):
    found = evaluate.evaluation(Stub(), split)
    evaluate.write(tmp_path / "evaluation.json", found)
    assert json.loads((tmp_path / "evaluation.json").read_text()) == found
    matrix = np.array(found["confusion"])
    assert matrix.sum() == found["n"] == len(split)
    assert np.trace(matrix) / found["n"] == pytest.approx(found["top1"], abs=1e-5)
    assert [row["right"] for row in found["per_class"]] == np.diag(matrix).tolist()
    assert {row["n"] for row in found["per_class"]} == {100}
    assert sum(row["n"] for row in found["reliability"]) == found["n"]
    assert len(found["reliability"]) == calibrate.BINS
    assert sorted(found["order"]) == list(range(CLASSES))
    low, high = found["spread"]["top1"]
    assert low < found["top1"] < high


def test_the_covered_pictures_are_counted_apart_by_how_much_is_hidden(split):
    found = evaluate.evaluation(Stub(), split)["covered"]
    share = evaluate.bars(split.images.shape[:3]).mean((1, 2))
    assert found["n"] == len(split)
    assert found["share"] == pytest.approx(share.mean(), abs=1e-5)
    assert found["small"]["n"] == (share < evaluate.SMALL_BARS).sum()
    assert found["small"]["n"] + found["large"]["n"] == found["n"]
    weighted = sum(found[part]["n"] * found[part]["top1"] for part in ("small", "large"))
    assert weighted / found["n"] == pytest.approx(found["top1"], abs=1e-4)
    assert found["top1"] < evaluate.evaluation(Stub(), split)["top1"]


def test_known_logits_are_not_computed_again(split):
    stub = Stub()
    found = evaluate.evaluation(stub, split, logits=stub.logits(split.images))
    assert stub.asked == 2 * len(split)
    assert found == evaluate.evaluation(Stub(), split)


def test_the_black_slope_changes_what_is_said_of_covered_pictures_only(split):
    plain, sloped = (evaluate.evaluation(Stub(black_slope=k), split) for k in (0.0, 2.0))
    assert sloped["ece"] == plain["ece"]
    assert sloped["covered"]["top1"] == plain["covered"]["top1"]
    assert sloped["covered"]["ece"] != plain["covered"]["ece"]


def test_confusions_are_counted_row_by_truth_and_column_by_answer():
    truth, answers = np.array([0, 0, 0, 1, 2, 2]), np.array([0, 1, 1, 1, 1, 0])
    matrix = evaluate.confusion(answers, truth, 4)
    assert matrix.tolist() == [[1, 2, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    assert [row["accuracy"] for row in evaluate.per_class(matrix)] == [pytest.approx(1 / 3), 1.0, 0.0, None]


def test_confused_pairs_count_both_directions_the_more_frequent_first():
    matrix = np.array([[9, 2, 0], [5, 9, 1], [0, 1, 9]])
    assert evaluate.confused_pairs(matrix) == [
        {"a": 1, "b": 0, "a_as_b": 5, "b_as_a": 2},
        {"a": 1, "b": 2, "a_as_b": 1, "b_as_a": 1},
    ]
    assert len(evaluate.confused_pairs(np.ones((30, 30), int))) == evaluate.PAIRS
    assert evaluate.confused_pairs(np.eye(3, dtype=int)) == []


def test_classes_that_are_confused_stand_side_by_side():
    # Three groups of four, shuffled: within a group every fourth picture goes astray.
    rng = np.random.default_rng(1)
    group = rng.permutation(np.repeat(np.arange(3), 4))
    matrix = np.where(group[:, None] == group, 8, 0) + 76 * np.eye(12, dtype=int)
    order = evaluate.similar_order(matrix)
    assert sorted(order) == list(range(12))
    assert (np.diff(group[order]) != 0).sum() == 2
    assert evaluate.similar_order(np.zeros((3, 3), int)) != []
    assert evaluate.similar_order(np.array([[5]])) == [0]


def test_rounding_reaches_every_number_and_leaves_the_rest():
    value = {"a": [0.1234567, {"b": np.float64(2 / 3)}], "n": 3, "name": "x", "none": None}
    assert evaluate.rounded(value) == {"a": [0.12346, {"b": 0.66667}], "n": 3, "name": "x", "none": None}


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = evaluate.main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_prints_the_promised_keys_and_what_bars_do(exported_artifacts, tiny_data, capsys):
    code, out, _ = command(capsys, "vgg", f"--data={tiny_data}", "--json")
    said = json.loads(out)
    assert code == 0
    for key in ("top1", "top5", "ece", "nll", "n", "engine", "covered_top1", "covered_ece"):
        assert key in said
    assert (said["n"], said["engine"]) == (200, "openvino")
    assert said["covered_ece"] == said["covered"]["ece"]
    assert said["covered_top1"] == said["covered"]["top1"]


def test_the_command_says_it_in_a_sentence_and_explains_wrong_data(exported_artifacts, tiny_data, capsys):
    code, out, _ = command(capsys, "vgg", f"--data={tiny_data}")
    assert code == 0
    assert "with black bars on" in out
    code, _, err = command(capsys, "vgg", "--data=/nowhere")
    assert code == 2
    assert err.count("\n") == 1


@pytest.fixture
def evaluated(random_folder: Path, tmp_path: Path) -> artifact.Card:
    """A card whose folder holds an evaluation."""
    card = artifact.load_card("vgg")
    rows = calibrate.reliability(np.full(50, 0.9), np.arange(50) < 40)
    found = {
        "reliability": rows,
        "covered": {"reliability": calibrate.reliability(np.full(31, 1.0), np.zeros(31))},
    }
    evaluate.write(tmp_path / artifact.EVALUATION, found)
    files = {artifact.EVALUATION: artifact.checksum(tmp_path / artifact.EVALUATION)}
    return dataclasses.replace(card, folder=tmp_path, files=files)


def test_a_card_reads_its_evaluation_and_knows_its_record(evaluated):
    assert evaluated.evaluation()["covered"]["reliability"][-1]["n"] == 31
    assert evaluated.track_record(0.91) == artifact.Record(0.8, 50)
    assert evaluated.track_record(1.0, covered=True) == artifact.Record(0.0, 31)
    assert evaluated.track_record(0.5) is None
    assert evaluated.track_record(0.91, covered=True) is None


def test_an_edge_belongs_to_the_higher_bin_as_it_did_when_it_was_counted(evaluated):
    rows = evaluated.evaluation()["reliability"]
    edge = rows[13]["low"]
    counted = calibrate.reliability(np.full(50, edge), np.ones(50))
    assert evaluated.track_record(edge) == (artifact.Record(0.8, 50) if counted[13]["n"] else None)


def test_an_evaluation_that_is_absent_unknown_or_damaged_counts_as_none(evaluated, caplog):
    assert dataclasses.replace(evaluated, files={}).evaluation() is None
    other = dataclasses.replace(evaluated, files={artifact.EVALUATION: "0" * 64})
    assert other.evaluation() is None
    assert "damaged" in caplog.text
    (evaluated.folder / artifact.EVALUATION).unlink()
    assert evaluated.evaluation() is None
    assert evaluated.track_record(0.91) is None


def test_old_cards_know_no_black_slope_and_none_may_be_negative(evaluated):
    values = evaluated.to_dict()
    del values["black_slope"]
    card = artifact.Card.from_dict(values, evaluated.folder)
    whole = np.full((2, 4, 4, 3), 7, np.uint8)
    assert card.temperatures(whole).tolist() == [card.temperature] * 2
    with pytest.raises(ValueError, match="black_slope"):
        artifact.Card.from_dict(values | {"black_slope": -0.1}, evaluated.folder)


def test_the_temperature_rises_with_the_share_of_black_pixels(evaluated):
    card = dataclasses.replace(evaluated, temperature=2.0, black_slope=1.5)
    pixels = np.full((3, 4, 4, 3), 9, np.uint8)
    pixels[1, :2] = 0
    pixels[2] = 0
    pixels[0, 0, 0] = (0, 0, 1)
    assert black_share(pixels).tolist() == [0.0, 0.5, 1.0]
    assert card.temperatures(pixels).tolist() == [2.0, 3.5, 5.0]
