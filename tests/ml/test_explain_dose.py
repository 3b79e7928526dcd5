"""Covering more and more: each step is the network's own answer, and the orders are what they say."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ml.explain import dose, maps
from ml.explain.dose import ORDERS, evidence_of
from ml.explain.structure import structure
from ml.explain.trace import tracer
from ml.predictor import load_predictor
from tests.ml import corners


@pytest.fixture
def corner(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    return corners.predictor(tmp_path)


@pytest.fixture
def white():
    return np.full((corners.SIDE, corners.SIDE, 3), 255, np.uint8)


def dose_response(predictor, pixels, index=None, *, grid=8, **more):
    """What a square that is covered alone takes away speaks for the class."""
    more.setdefault("evidence", -maps.occlusion(predictor, pixels, grid).changes)
    return dose.dose_response(predictor, pixels, index, **more)


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


def test_what_speaks_most_for_the_class_is_covered_first(corner, white):
    evidence = np.zeros((4, 4, 7), np.float32)
    evidence[3, 1, 5] = 1
    evidence[0, 3, 5] = -1
    found = dose_response(corner, white, 5, evidence=evidence, steps=4)
    assert found.grid == 4
    assert (found.curves[0].cells[0], found.curves[0].cells[-1]) == (13, 3)


def test_the_squares_speak_as_the_class_activation_map_under_them_does(shipped, inputs):
    of = structure(shipped)
    activation = maps.class_activation(of, tracer(shipped).trace(inputs[:1])[0])
    found = evidence_of(activation, 8)
    assert found.shape == (8, 8, 100)
    side = activation.shape[-1]
    centres = np.array([[found[r, c] for c in (0, 7)] for r in (0, 7)])
    corners_of_the_map = activation[:, [[0, 0], [side - 1, side - 1]], [[0, side - 1], [0, side - 1]]]
    np.testing.assert_allclose(centres, corners_of_the_map.transpose(1, 2, 0), rtol=1e-5)
    if side == 8:
        np.testing.assert_array_equal(found, activation.transpose(1, 2, 0))
    else:
        # Between two places of the map a square has a share of both.
        np.testing.assert_allclose(
            found[0, 1], 0.75 * activation[:, 0, 0] + 0.25 * activation[:, 0, 1], rtol=1e-4
        )


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
        ({"evidence": np.zeros((5, 5, 7), np.float32)}, r"a grid of 4, 8, 16 cells, not \(5, 5, 7\)"),
        ({"evidence": np.zeros((8, 8, 6), np.float32)}, r"\(grid, grid, 7\) .* not \(8, 8, 6\)"),
    ],
    ids=["class too high", "class below 0", "too many steps", "no steps", "grid", "other classes"],
)
def test_what_cannot_be_is_refused(corner, white, changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        dose_response(corner, white, **{"index": 0, "grid": 4, "steps": 10, **changed})
