"""Honest confidence: the temperature, and how far stated confidence is from the share that is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.predictor import softmax

BINS = 15

Temperature = float | NDArray[Any]
"""One for all pictures, or one for each (n,)."""


def negative_log_likelihood(
    logits: NDArray[Any], labels: NDArray[Any], temperature: Temperature = 1.0
) -> float:
    """Mean of -log p(true class), natural logarithm. logits (n, classes), labels (n,)."""
    scaled = logits.astype(np.float64) / np.asarray(temperature)[..., None]
    scaled -= scaled.max(-1, keepdims=True)
    log_likelihood = scaled - np.log(np.exp(scaled).sum(-1, keepdims=True))
    return float(-log_likelihood[np.arange(len(labels)), labels].mean())


def fit_temperature(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """The temperature in 0.05..20 at which the network is on average as sure as it is often right.

    Expectation consistency (Clarté et al., Expectation Consistency for Calibration of Neural Networks, 2023). Where the
    smallest negative log-likelihood (Guo et al., 2017, section 4.2) is at another one, it pays for the tails of the
    distribution with percentages that are too high: a network that learned from a teacher's softened answers spreads
    more over the classes that it does not name.
    """
    return float(
        np.exp(
            lowest(lambda log: overconfidence(logits, labels, float(np.exp(log))), np.log(0.05), np.log(20.0))
        )
    )


def fit_black_slope(
    logits: NDArray[Any], labels: NDArray[Any], black: NDArray[Any], temperature: float
) -> float:
    """The slope in 0..10 of ``Card.temperatures`` at which covered pictures are answered as surely as they should be.

    logits (n, classes) and labels (n,) of covered pictures, black (n,) the share of black pixels in each
    (``artifact.black_share``), ``temperature`` fitted before on whole ones. Scaling by what is known of the input is
    the simplest of parametrised temperatures (Tomani et al., Parameterized Temperature Scaling, 2022, section 3).
    """
    return float(
        lowest(lambda slope: overconfidence(logits, labels, temperature * (1 + slope * black)), 0.0, 10.0)
    )


def overconfidence(logits: NDArray[Any], labels: NDArray[Any], temperature: Temperature) -> float:
    """How far the mean top-1 confidence is from the share of right answers, either way; both in 0..1."""
    confidence = softmax(np.asarray(logits, np.float32), temperature).max(-1).mean(dtype=np.float64)
    return abs(float(confidence) - float((logits.argmax(-1) == labels).mean()))


def lowest(cost: Callable[[float], float], low: float, high: float, *, within: float = 1e-4) -> float:
    """Where ``cost``, which has one minimum in low..high, is smallest: a golden-section search."""
    golden = (np.sqrt(5) - 1) / 2
    a, b = high - golden * (high - low), low + golden * (high - low)
    cost_a, cost_b = cost(a), cost(b)
    while high - low > within:
        if cost_a < cost_b:
            high, b, cost_b = b, a, cost_a
            a = high - golden * (high - low)
            cost_a = cost(a)
        else:
            low, a, cost_a = a, b, cost_b
            b = low + golden * (high - low)
            cost_b = cost(b)
    return (low + high) / 2


def reliability(confidence: NDArray[Any], right: NDArray[Any], bins: int = BINS) -> list[dict[str, float]]:
    """Equal-width bins of top-1 confidence: {"low", "high", "n", "confidence", "accuracy"}; empty ones have n 0."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = []
    for i in range(bins):
        inside = place == i
        n = int(inside.sum())
        rows.append(
            {
                "low": i / bins,
                "high": (i + 1) / bins,
                "n": n,
                "confidence": float(confidence[inside].mean()) if n else 0.0,
                "accuracy": float(right[inside].mean()) if n else 0.0,
            }
        )
    return rows


def expected_calibration_error(rows: list[dict[str, float]]) -> float:
    """ECE (Guo et al., 2017, equation 3): the mean gap of the bins, weighted by their counts."""
    total = sum(row["n"] for row in rows)
    return sum(row["n"] * abs(row["confidence"] - row["accuracy"]) for row in rows) / total if total else 0.0


def metrics(logits: NDArray[Any], labels: NDArray[Any], temperature: Temperature) -> dict[str, Any]:
    """top1, top5, ece, nll and n of logits against labels, and the reliability bins."""
    probabilities = softmax(np.asarray(logits, np.float32), temperature)
    order = np.argsort(-probabilities, axis=-1, kind="stable")[:, :5]
    right = order[:, 0] == labels
    rows = reliability(probabilities.max(-1), right)
    return {
        "top1": float(right.mean()),
        "top5": float((order == labels[:, None]).any(-1).mean()),
        "ece": expected_calibration_error(rows),
        "nll": negative_log_likelihood(logits, labels, temperature),
        "n": len(labels),
        "reliability": rows,
    }


def spread(
    logits: NDArray[Any],
    labels: NDArray[Any],
    temperature: Temperature,
    *,
    samples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, list[float]]:
    """Intervals [low, high] of top1 and ece that the choice of test pictures alone leaves open.

    ``samples`` times as many pictures are drawn with replacement, and the basic bootstrap limits taken: twice the
    figure less the opposite quantile (Davison and Hinkley, Bootstrap Methods and their Application, 1997, section
    5.2.1). Plain quantiles would do for top1 but not for ece, which noise only ever enlarges. Another training
    run would differ by more than this.
    """
    probabilities = softmax(np.asarray(logits, np.float32), temperature)
    confidence = probabilities.max(-1).astype(np.float64)
    right = probabilities.argmax(-1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gap = confidence - right
    n = len(labels)
    rng = np.random.default_rng(seed)
    drawn = np.empty((samples, 2))
    for i in range(samples):
        chosen = rng.integers(n, size=n)
        # A bin's count times its gap is the sum of its pictures' gaps.
        gaps = np.bincount(place[chosen], gap[chosen], BINS)
        drawn[i] = right[chosen].mean(), np.abs(gaps).sum() / n
    figures = np.array([right.mean(), np.abs(np.bincount(place, gap, BINS)).sum() / n])
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    limits = np.clip([2 * figures - high, 2 * figures - low], 0, 1)
    return {"top1": limits[:, 0].tolist(), "ece": limits[:, 1].tolist()}
