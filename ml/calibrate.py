"""Honest confidence: the temperature, and how far stated confidence is from the share that is right."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.predictor import softmax

BINS = 15


def negative_log_likelihood(logits: NDArray[Any], labels: NDArray[Any], temperature: float = 1.0) -> float:
    """Mean of -log p(true class), natural logarithm. logits (n, classes), labels (n,)."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(-1, keepdims=True)
    log_likelihood = scaled - np.log(np.exp(scaled).sum(-1, keepdims=True))
    return float(-log_likelihood[np.arange(len(labels)), labels].mean())


def fit_temperature(logits: NDArray[Any], labels: NDArray[Any]) -> float:
    """The temperature in 0.05..20 with the smallest negative log-likelihood (Guo et al., 2017, section 4.2).

    The likelihood has one minimum in the temperature, so a golden-section search over its logarithm finds it.
    """
    golden = (np.sqrt(5) - 1) / 2
    low, high = np.log(0.05), np.log(20.0)
    a, b = high - golden * (high - low), low + golden * (high - low)
    cost_a = negative_log_likelihood(logits, labels, np.exp(a))
    cost_b = negative_log_likelihood(logits, labels, np.exp(b))
    while high - low > 1e-4:
        if cost_a < cost_b:
            high, b, cost_b = b, a, cost_a
            a = high - golden * (high - low)
            cost_a = negative_log_likelihood(logits, labels, np.exp(a))
        else:
            low, a, cost_a = a, b, cost_b
            b = low + golden * (high - low)
            cost_b = negative_log_likelihood(logits, labels, np.exp(b))
    return float(np.exp((low + high) / 2))


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


def metrics(logits: NDArray[Any], labels: NDArray[Any], temperature: float) -> dict[str, Any]:
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
