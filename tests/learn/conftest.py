from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ml.preprocessing import Preprocessing

LAYERS = [
    {"name": "block1/conv1", "kind": "Conv2D", "shape": [8, 8, 16], "parameters": 432},
    {"name": "block1/bn1", "kind": "BatchNormalization", "shape": [8, 8, 16], "parameters": 64},
    {"name": "block1/conv2", "kind": "Conv2D", "shape": [8, 8, 16], "parameters": 2304},
    {"name": "block1/pool", "kind": "MaxPooling2D", "shape": [4, 4, 16], "parameters": 0},
    {"name": "block2/shortcut", "kind": "Conv2D", "shape": [4, 4, 32], "parameters": 512},
    {"name": "block2/conv1", "kind": "Conv2D", "shape": [4, 4, 32], "parameters": 4608},
    {"name": "head/dense", "kind": "Dense", "shape": [2], "parameters": 66},
]


def write_card(folder: Path, name: str, **changes: Any) -> None:
    """A card as `ml.export` writes them, of a network that nobody trained."""
    card = {
        "name": name,
        "title": "Little network",
        "version": f"{name}-0123abcd",
        "architecture": name,
        "options": {},
        "labels": ["apple", "bear"],
        "preprocessing": Preprocessing(size=8).to_dict(),
        "temperature": 1.1,
        "parameters": 7954,
        "multiply_adds": 1_234_567,
        "layers": LAYERS,
        "metrics": {
            "top1": 0.6137,
            "top5": 0.8881,
            "ece": 0.0217,
            "n": 4321,
            "engine": "openvino",
            "precision": "int8",
        },
        "reference_metrics": {"top1": 0.6142, "precision": "float32"},
        "training": {"recipe": {"epochs": 37}, "training_seconds": 5460, "hardware": "an abacus"},
        "files": {},
    }
    target = folder / name
    target.mkdir(parents=True)
    (target / "card.json").write_text(json.dumps(card | changes), encoding="utf-8")


def write_log(folder: Path, name: str, epochs: int) -> None:
    rows = [
        {"epoch": e, "train_loss": 4.0 / e, "val_loss": 5.0 / e, "val_accuracy": 0.6137 * e / epochs}
        for e in range(1, epochs + 1)
    ]
    (folder / name / "log.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
    )


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of artifacts in place of the shipped ones."""
    folder = tmp_path / "artifacts"
    folder.mkdir()
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(folder))
    return folder
