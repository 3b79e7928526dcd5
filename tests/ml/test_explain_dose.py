"""Covering more and more: each step is the network's own answer, and the orders are what they say."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ml.explain import maps
from ml.explain.dose import ORDERS, dose_response
from ml.predictor import load_predictor
from tests.ml import corners


@pytest.fixture
def corner(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    return corners.predictor(tmp_path)


@pytest.fixture
def white():
    return np.full((corners.SIDE, corners.SIDE, 3), 255, np.uint8)


def test_each_step_is_the_networks_answer_to_the_picture_so_far_covered(shipped, inputs):
    predictor = load_predictor(shipped)
    found = dose_response(predictor, inputs[4], grid=4, steps=10)
    rows = predictor.predict_arrays(inputs[4:5])
    assert found.index == rows[0].argmax()
    assert [curve.order for curve in found.curves] == list(ORDERS)
    for curve in found.curves:
        assert len(curve.shares) == len(curve.probabilities) == len(curve.top_indices) == 11
        assert (curve.shares[0], curve.shares[-1]) == (0, 1)
        assert list(curve.shares) == sorted(curve.shares)
        assert sorted(curve.cells) == list(range(16))
        for step in (0, 7, 10):
            covered = inputs[4].copy()
            for cell in curve.cells[: round(curve.shares[step] * 16)]:
                row, column = divmod(cell, 4)
                covered[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = 0
            (expected,) = predictor.predict_arrays(covered[None])
            assert curve.probabilities[step] == pytest.approx(expected[found.index], abs=1e-5)
            assert curve.top_probabilities[step] == pytest.approx(expected.max(), abs=1e-5)
            assert curve.top_indices[step] == expected.argmax()
        total = 0.0
        for i in range(10):
            total += (
                (curve.probabilities[i] + curve.probabilities[i + 1])
                / 2
                * (curve.shares[i + 1] - curve.shares[i])
            )
        assert curve.area == pytest.approx(total, abs=1e-9)


def test_the_place_that_is_looked_at_is_covered_first_or_last(corner, white):
    found = dose_response(corner, white, 0, grid=4, steps=16)
    most, least, random = found.curves
    assert most.cells[0] == least.cells[-1] == 2
    assert most.cells == least.cells[::-1]
    sure = np.exp(6) / (np.exp(6) + 6)
    assert most.probabilities == pytest.approx([sure, *[1 / 7] * 16], abs=1e-5)
    assert least.probabilities == pytest.approx([*[sure] * 16, 1 / 7], abs=1e-5)
    assert most.area <= random.area < least.area
    assert random.cells == dose_response(corner, white, 0, grid=4, steps=16).curves[2].cells


def test_an_occlusion_map_that_is_there_already_is_used(corner, white):
    changes = np.zeros((4, 4, 7), np.float32)
    changes[3, 1, 5] = -1
    found = dose_response(corner, white, 5, grid=4, steps=4, changes=changes)
    assert found.curves[0].cells[0] == 13
    again = dose_response(corner, white, grid=4, steps=4, changes=maps.occlusion(corner, white, 4).changes)
    assert again == dose_response(corner, white, grid=4, steps=4)


def test_it_can_be_kept_as_json(corner, white):
    found = json.loads(json.dumps(dose_response(corner, white, grid=4, steps=4).to_dict()))
    assert [curve["order"] for curve in found["curves"]] == list(ORDERS)
    assert found["curves"][0]["shares"] == [0, 0.25, 0.5, 0.75, 1]
    assert found["curves"][0]["cells"][0] == 2


@pytest.mark.parametrize("grey", [0, 120], ids=["all covered already", "one colour"])
def test_a_picture_without_anything_in_it_has_curves(grey):
    predictor = load_predictor("vgg")
    found = dose_response(predictor, np.full((32, 32, 3), grey, np.uint8))
    for curve in found.curves:
        assert all(0 <= p <= 1 for p in curve.probabilities)
        if grey == 0:
            # Nothing is left to cover: every step is the same picture.
            assert curve.probabilities == pytest.approx([curve.probabilities[0]] * 21, abs=1e-6)
            assert curve.area == pytest.approx(curve.probabilities[0], abs=1e-6)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"index": 7}, "has classes 0 to 6, not 7"),
        ({"index": -1}, "has classes 0 to 6, not -1"),
        ({"steps": 17}, "16 cells can be covered in 1 to 16 steps, not 17"),
        ({"steps": 0}, "in 1 to 16 steps, not 0"),
        ({"grid": 5}, "the grid must be one of 4, 8, 16"),
        ({"changes": np.zeros((8, 8, 7), np.float32)}, r"changes must be \(4, 4, 7\), not \(8, 8, 7\)"),
    ],
    ids=["class too high", "class below 0", "too many steps", "no steps", "grid", "another grid's map"],
)
def test_what_cannot_be_is_refused(corner, white, changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        dose_response(corner, white, **{"index": 0, "grid": 4, "steps": 10, **changed})
