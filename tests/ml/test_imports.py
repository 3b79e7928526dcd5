"""What importing the package brings in, seen in fresh interpreters, and that everything public is explained."""

from __future__ import annotations

import importlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import ml
from tests.ml.conftest import ROOT

LIGHT = "import ml, ml.config, ml.labels, ml.preprocessing, ml.artifact, ml.predictor, ml.storage"


def imported_after(code: str, **environment: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after running ``code``."""
    tail = "; import sys, json; print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO", "ML_"))}
    done = subprocess.run(
        [sys.executable, "-c", code + tail],
        cwd=ROOT,
        env={**variables, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_cards_labels_and_preprocessing_bring_in_no_framework_and_no_site():
    heavy = {"keras", "tensorflow", "jax", "torch", "openvino", "django", "celery", "kombu"}
    assert not imported_after(LIGHT) & heavy


def test_answering_with_openvino_does_not_import_tensorflow(random_artifacts: Path):
    code = (
        "import numpy, ml.predictor as p; "
        "p.load_predictor('wideresnet', engine='openvino').predict_arrays(numpy.zeros((1, 32, 32, 3), 'uint8'))"
    )
    names = imported_after(code, ML_ARTIFACTS_DIR=str(random_artifacts))
    assert "openvino" in names
    assert not names & {"keras", "tensorflow", "django"}


def test_evaluating_and_reading_data_do_not_import_tensorflow():
    assert not imported_after("import ml.evaluate, ml.data, ml.calibrate") & {"keras", "tensorflow", "django"}


def modules() -> list[str]:
    return [info.name for info in pkgutil.walk_packages(ml.__path__, "ml.")]


@pytest.mark.parametrize("name", modules())
def test_every_module_and_every_public_function_and_class_says_what_it_is_for(name):
    module: ModuleType = importlib.import_module(name)
    assert module.__doc__
    for label, thing in vars(module).items():
        if label.startswith("_") or getattr(thing, "__module__", None) != name:
            continue
        if inspect.isfunction(thing) or inspect.isclass(thing):
            text = inspect.getdoc(thing) or ""
            # A data class without one gets its signature for a docstring.
            assert text, f"{name}.{label} has no docstring"
            assert not text.startswith(f"{label}("), f"{name}.{label} has no docstring"
