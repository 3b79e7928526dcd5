"""Runs and artifacts that several tests look at are made once: training and quantising cost seconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ml import config, data
from tests.ml import make_inputs, networks_for_tests, tiny
from tests.serving import ServingServer, running_server

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

ROOT = Path(__file__).parents[2]
TRAINING = [
    "--epochs=3",
    "--batch=8",
    "--limit=160",
    "--phases=8:0.5,16:1",
    "--peak-rate=0.02",
    "--precision=float32",
    "--ema=0.9",
]
"""20 steps an epoch at 8, 8 and 16 pixels; a checkpoint after step 16 of each epoch and at its end."""


@pytest.fixture(autouse=True)
def plain_precision() -> Iterator[None]:
    """Training sets Keras's precision for the whole process."""

    def reset() -> None:
        if "keras" in sys.modules:
            sys.modules["keras"].mixed_precision.set_dtype_policy("float32")

    reset()
    yield
    reset()


@pytest.fixture(scope="session")
def inputs() -> NDArray[np.uint8]:
    """The committed network inputs, uint8 (300, 32, 32, 3)."""
    return make_inputs.read()


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of coloured squares in CIFAR-100's form."""
    return tiny.write_data(tmp_path_factory.mktemp("tiny") / "data")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """CIFAR-100 itself, which is not the project's to ship."""
    named = os.environ.get("CIFAR100_DIR")
    folder = Path(named) if named else ROOT.parent / "shared" / "data" / "cifar100"
    if not named and not folder.is_dir():
        pytest.skip("needs CIFAR-100: set CIFAR100_DIR")
    return folder


@pytest.fixture(scope="session")
def straight_run(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training run of a VGG that nothing stopped."""
    from ml import train

    out = tmp_path_factory.mktemp("runs") / "straight"
    assert train.main(["vgg", f"--data={tiny_data}", f"--out={out}", *TRAINING]) == 0
    return out


@pytest.fixture(scope="session")
def exported(straight_run: Path, tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of artifacts with the VGG of `straight_run`, exported by the command itself."""
    from ml import export, outside, quantise

    root = tmp_path_factory.mktemp("artifacts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quantise, "CALIBRATION_PICTURES", 100)
        patch.setattr(data, "HOLDOUT_PER_CLASS", 3)
        for count in ("PLAIN", "PHOTOGRAPHS", "HELD_PHOTOGRAPHS", "DEVELOPMENT", "TEST"):
            patch.setattr(outside, count, 12)
        arguments = ["vgg", f"--run={straight_run}", f"--data={tiny_data}", f"--out={root / 'vgg'}"]
        assert export.main(arguments) == 0
    return root


@pytest.fixture
def exported_artifacts(exported: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`exported` as the folder that artifacts are looked up in."""
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(exported))
    return exported


@pytest.fixture(scope="session")
def random_artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Artifacts of small networks of both architectures with random weights, exact graph only."""
    root = tmp_path_factory.mktemp("random")
    for name in sorted(networks_for_tests.OPTIONS):
        networks_for_tests.write_artifact(root, name)
    return root


@pytest.fixture
def random_folder(random_artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`random_artifacts` as the folder that artifacts are looked up in."""
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(random_artifacts))
    return random_artifacts


@pytest.fixture(scope="session")
def saved_models(random_artifacts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for TensorFlow Serving with every network of `random_artifacts`."""
    from ml import saved_model

    out = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ML_ARTIFACTS_DIR", str(random_artifacts))
        for name in config.artifact_names():
            assert saved_model.main([name, f"--out={out}"]) == 0
    return out


@pytest.fixture
def serving(
    saved_models: Path, random_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ServingServer]:
    """A server with the networks of `random_folder`, whose address the environment names."""
    with running_server(saved_models) as server:
        monkeypatch.setenv("ML_SERVING_URL", server.url)
        yield server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`shipped`: every network with an artifact; `architecture`: every one that is defined."""
    if "shipped" in metafunc.fixturenames:
        metafunc.parametrize("shipped", config.artifact_names())
    if "architecture" in metafunc.fixturenames:
        metafunc.parametrize("architecture", sorted(networks_for_tests.OPTIONS))
