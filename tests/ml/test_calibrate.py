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


def test_at_the_fitted_temperature_it_is_as_sure_as_it_is_often_right(honest):
    # Spoilt in a way that no temperature mends: sharper where it is right by luck of the draw.
    logits, labels = honest[0] * RNG.uniform(1, 5, (20_000, 1)), honest[1]
    best = calibrate.fit_temperature(logits, labels)
    sure = softmax(logits.astype(np.float32), best).max(-1).mean()
    assert sure == pytest.approx((logits.argmax(-1) == labels).mean(), abs=1e-3)
    for factor in (0.9, 1.1):
        assert calibrate.overconfidence(logits, labels, best * factor) > 0.01


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


def test_one_temperature_for_each_picture_is_as_good_as_its_own_row():
    logits, labels = RNG.normal(0, 2, (40, 5)).astype(np.float32), RNG.integers(0, 5, 40)
    each = RNG.uniform(0.5, 3, 40)
    np.testing.assert_allclose(softmax(logits, each)[7], softmax(logits[7:8], float(each[7]))[0])
    np.testing.assert_allclose(
        calibrate.negative_log_likelihood(logits, labels, each),
        calibrate.negative_log_likelihood(logits / each[:, None], labels),
    )
    assert calibrate.metrics(logits, labels, each)["ece"] == pytest.approx(
        calibrate.metrics(logits / each[:, None], labels, 1.0)["ece"], abs=1e-6
    )


@pytest.mark.parametrize("slope", [0.0, 0.6, 3.0])
def test_the_slope_that_spoilt_covered_pictures_is_found_again(slope):
    # The mean confidence says less of a slope than the likelihood does: it takes more pictures to find one.
    logits = RNG.normal(0, 2, (200_000, 10))
    labels = drawn(logits)
    black = RNG.uniform(0, 0.4, len(labels))
    spoilt = logits * (1.3 * (1 + slope * black))[:, None]
    assert calibrate.fit_black_slope(spoilt, labels, black, 1.3) == pytest.approx(slope, abs=0.15)


def test_lowest_finds_a_minimum_inside_and_at_the_edge():
    assert calibrate.lowest(lambda x: (x - 0.3) ** 2, 0, 1) == pytest.approx(0.3, abs=1e-3)
    assert calibrate.lowest(lambda x: x, 0, 1) == pytest.approx(0, abs=1e-3)


def test_the_spread_of_the_accuracy_is_the_binomial_one():
    n = 2000
    logits = np.zeros((n, 2))
    logits[:, 0] = 1
    labels = (np.arange(n) % 5 == 0).astype(int)
    low, high = calibrate.spread(logits, labels, 1.0, samples=600)["top1"]
    deviation = np.sqrt(0.8 * 0.2 / n)
    assert low == pytest.approx(0.8 - 1.96 * deviation, abs=0.004)
    assert high == pytest.approx(0.8 + 1.96 * deviation, abs=0.004)


def test_the_spread_of_the_calibration_error_does_not_take_noise_for_error(honest):
    logits, labels = honest[0][:2000], honest[1][:2000]
    measured = calibrate.metrics(logits, labels, 1.0)["ece"]
    low, high = calibrate.spread(logits, labels, 1.0, samples=200)["ece"]
    # These logits are honest: plain quantiles of the resampled errors would all lie above what was measured.
    assert low < 0.5 * measured
    assert high < 1.3 * measured
    spoilt = calibrate.spread(logits * 4, labels, 1.0, samples=200)["ece"]
    assert spoilt[0] < calibrate.metrics(logits * 4, labels, 1.0)["ece"] < spoilt[1]
    assert calibrate.spread(logits, labels, 1.0, samples=50) == calibrate.spread(
        logits, labels, 1.0, samples=50
    )
