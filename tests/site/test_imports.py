"""What a process loads: the web and the workers no TensorFlow, the networks no Django."""

from __future__ import annotations

import os
import subprocess
import sys

from django.conf import settings


def loaded_by(source: str) -> set[str]:
    """The top-level packages in a fresh interpreter after `source`."""
    program = f"{source}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "classifier_site.settings", "ML_ENGINE": ""}
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return set(result.stdout.split())


HEAVY = {"tensorflow", "keras", "jax", "torch", "nncf", "scipy", "sklearn"}


def test_the_site_and_its_workers_load_no_tensorflow():
    modules = (
        "classifier_site.urls, classifier_site.celery, classifier_site.wsgi, predictions.tasks, learn.tasks"
    )
    loaded = loaded_by(f"import django\ndjango.setup()\nimport {modules}")
    assert "django" in loaded
    assert loaded & HEAVY == set()


def test_the_networks_load_no_django():
    modules = "ml, ml.config, ml.labels, ml.preprocessing, ml.artifact, ml.predictor"
    loaded = loaded_by(f"import {modules}")
    assert loaded & {"django", "celery", "kombu", "rest_framework"} == set()
    assert loaded & {"tensorflow", "keras"} == set()
