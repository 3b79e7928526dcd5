from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from learn import explaining, kinds, own_network
from learn.kinds import Kind, KindError, Result, Work
from ml.artifact import Card
from ml.preprocessing import Preprocessing
from predictions.jobs import Job
from predictions.turns import Turns
from tests.api import Api
from tests.factories import make_user
from tests.learn.owning import make_seeing

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
        "parameters": 7986,
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


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return Api(user)


@pytest.fixture
def seeing(artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site that offers one small network that hands out features; the folder of its artifacts."""
    monkeypatch.setattr(own_network, "_loaded", {})
    make_seeing(artifacts)
    return artifacts


# --- the laboratory ------------------------------------------------------------------------------------------


@dataclass
class Asked:
    """What the kind of the tests was given, call by call; what it does is the test's to choose."""

    calls: list[Work] = field(default_factory=list)
    does: Callable[[Work], Result] | None = None

    def compute(self, work: Work) -> Result:
        self.calls.append(work)
        if self.does is not None:
            return self.does(work)
        members: dict[str, Any] = {"clean/pixels.npy": work.clean, "meta.json": b"{}"}
        return Result({"mean": float(work.clean.mean()), "covered": work.covered is not None}, members)


def _parameters(parameters: Any, card: Card) -> dict[str, Any]:
    level = parameters.get("level", 1)
    if not isinstance(level, int):
        raise KindError("The level must be a whole number.", "level")
    return {"level": level}


@pytest.fixture
def asked(small_networks: list[str], no_wake_ups: list[str], monkeypatch: pytest.MonkeyPatch) -> Asked:
    """A laboratory on the two small networks of the tests, with kinds of figures that are computed in no time."""
    made = Asked()
    known = {
        "mean": Kind("mean", _parameters, made.compute, for_samples=({},)),
        "blind": Kind("blind", _parameters, made.compute, looks_at_bars=False),
        "live": Kind("live", _parameters, made.compute, priority=Job.Priority.LIVE),
        "answers": kinds.every()["answers"],
    }
    monkeypatch.setattr(kinds, "every", lambda: known)
    monkeypatch.setattr("ml.explain.structure.explainable", lambda card: True)
    monkeypatch.setattr(explaining, "_turns", Turns())
    return made
