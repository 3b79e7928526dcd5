"""Evaluations for tests, written beside the cards of networks that nobody trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from ml import artifact, calibrate, evaluate
from ml.storage import write_json

PICTURES = 50
"""Test pictures of each class."""


def a_matrix(classes: int, *, lost: int = 5) -> np.ndarray:
    """Confusions (classes, classes): ``lost`` pictures of each class are called the next one, two the one after."""
    matrix = np.eye(classes, dtype=int) * PICTURES
    for shift, count in ((1, lost), (2, 2)):
        matrix -= count * np.eye(classes, dtype=int)
        matrix += count * np.roll(np.eye(classes, dtype=int), shift, axis=1)
    return matrix


def an_evaluation(matrix: np.ndarray, **changes: Any) -> dict[str, Any]:
    """What ``ml.evaluate.evaluation`` would have found with these confusions and confidences between 10% and 90%."""
    n = int(matrix.sum())
    confidence = np.linspace(0.1, 0.9, n)
    right = np.random.default_rng(0).random(n) < confidence
    rows, covered = calibrate.reliability(confidence, right), calibrate.reliability(confidence, right[::-1])
    found = {
        "n": n,
        "top1": np.trace(matrix) / n,
        "top5": 0.875,
        "ece": calibrate.expected_calibration_error(rows),
        "nll": 1.0,
        "engine": "openvino",
        "precision": "int8",
        "spread": {"top1": [0.801, 0.899], "ece": [0.004, 0.031]},
        "reliability": rows,
        "per_class": evaluate.per_class(matrix),
        "order": evaluate.similar_order(matrix),
        "confused_pairs": evaluate.confused_pairs(matrix),
        "confusion": matrix.tolist(),
        "covered": {
            "n": n,
            "top1": 0.4321,
            "ece": calibrate.expected_calibration_error(covered),
            "share": 0.21,
            "reliability": covered,
        },
    }
    return evaluate.rounded({**found, **changes})


def add_evaluation(root: Path, name: str, found: dict[str, Any]) -> None:
    """Puts an evaluation into the artifact ``name`` below ``root`` and makes its card know it."""
    evaluate.write(root / name / artifact.EVALUATION, found)
    path = root / name / "card.json"
    card = json.loads(path.read_text(encoding="utf-8"))
    card["files"][artifact.EVALUATION] = artifact.checksum(root / name / artifact.EVALUATION)
    write_json(path, card)
