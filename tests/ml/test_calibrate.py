"""Temperatures, bins and calibration errors against cases counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ml import calibrate
from ml.predictor import softmax

RNG = np.random.default_rng(8)


def drawn(logits: np.ndarray) -> np.ndarray:
    """Labels drawn from the softmax of ``logits``: with them the logits are perfectly calibrated."""
    probabilities = softmax(logits.astype(np.float32)).astype(np.float64)
    return (probabilities.cumsum(-1) < RNG.random((len(logits), 1))).sum(-1).clip(max=logits.shape[1] - 1)


@pytest.fixture(scope="module")
def honest() -> tuple[np.ndarray, np.ndarray]:
    logits = RNG.normal(0, 2, (20_000, 10))
    return logits, drawn(logits)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 4.0])
def test_the_temperature_that_spoilt_honest_logits_is_found_again(honest, temperature):
    logits, labels = honest
    assert calibrate.fit_temperature(logits * temperature, labels) == pytest.approx(temperature, rel=0.05)


def test_no_temperature_near_the_fitted_one_is_better(honest):
    logits, labels = honest[0] * 3, honest[1]
    best = calibrate.fit_temperature(logits, labels)
    cost = calibrate.negative_log_likelihood(logits, labels, best)
    for factor in (0.97, 0.999, 1.001, 1.03):
        assert cost <= calibrate.negative_log_likelihood(logits, labels, best * factor) + 1e-7


def test_the_likelihood_is_the_mean_of_minus_log_p_and_does_not_overflow():
    logits = np.log([[0.5, 0.25, 0.25], [0.1, 0.1, 0.8]])
    expected = -(np.log(0.25) + np.log(0.8)) / 2
    assert calibrate.negative_log_likelihood(logits, np.array([1, 2])) == pytest.approx(expected)
    huge = np.array([[5e4, 0.0]])
    assert calibrate.negative_log_likelihood(huge, np.array([0])) == 0
    assert calibrate.negative_log_likelihood(huge, np.array([1])) == pytest.approx(5e4)


def test_honest_logits_have_next_to_no_calibration_error_and_spoilt_ones_have(honest):
    logits, labels = honest
    good = calibrate.metrics(logits, labels, 1.0)
    bad = calibrate.metrics(logits * 4, labels, 1.0)
    healed = calibrate.metrics(logits * 4, labels, 4.0)
    assert good["ece"] < 0.015
    assert bad["ece"] > 0.1
    assert healed["ece"] == pytest.approx(good["ece"], abs=1e-4)
    assert good["top1"] == bad["top1"]


def test_reliability_bins_count_by_confidence_and_the_last_one_holds_certainty():
    confidence = np.array([0.05, 0.1, 0.15, 0.95, 1.0])
    right = np.array([True, False, True, True, False])
    rows = calibrate.reliability(confidence, right, bins=10)
    assert [row["n"] for row in rows] == [1, 2, 0, 0, 0, 0, 0, 0, 0, 2]
    assert (rows[0]["low"], rows[0]["high"], rows[9]["high"]) == (0.0, 0.1, 1.0)
    assert rows[1] == {"low": 0.1, "high": 0.2, "n": 2, "confidence": pytest.approx(0.125), "accuracy": 0.5}
    assert rows[9]["confidence"] == pytest.approx(0.975)
    assert (rows[5]["confidence"], rows[5]["accuracy"]) == (0.0, 0.0)


def test_the_calibration_error_is_the_mean_gap_weighted_by_counts():
    rows = calibrate.reliability(np.array([0.9, 0.9, 0.9, 0.5]), np.array([True, True, False, False]), bins=4)
    # Bin of three: 0.9 against 2/3; bin of one: 0.5 against 0.
    assert calibrate.expected_calibration_error(rows) == pytest.approx(0.75 * (0.9 - 2 / 3) + 0.25 * 0.5)
    assert calibrate.expected_calibration_error(calibrate.reliability(np.zeros(0), np.zeros(0, bool))) == 0


def test_accuracies_count_the_first_and_the_first_five_answers():
    logits = -np.arange(8.0)[None, :].repeat(4, 0)
    result = calibrate.metrics(logits, np.array([0, 1, 4, 5]), 1.0)
    assert (result["top1"], result["top5"], result["n"]) == (0.25, 0.75, 4)
    assert sum(row["n"] for row in result["reliability"]) == 4
    assert len(result["reliability"]) == 15


def test_softmax_divides_by_the_temperature_and_survives_large_logits():
    np.testing.assert_allclose(softmax(np.log(np.array([[1.0, 3.0]], np.float32))), [[0.25, 0.75]], rtol=1e-6)
    np.testing.assert_allclose(
        softmax(np.array([[0.0, 2 * np.log(3.0)]], np.float32), 2.0), [[0.25, 0.75]], rtol=1e-6
    )
    assert softmax(np.array([[1e5, 0.0]], np.float32)).tolist() == [[1.0, 0.0]]
