"""Beside an answer stands how often its network was right when it was so sure, where that is known."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from ml import calibrate
from predictions.models import Prediction
from tests.evaluations import a_matrix, add_evaluation, an_evaluation
from tests.factories import finish, make_runs

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

BARS = [[0.25, 0, 0.5, 1]]


def rows(accuracy: float, n: int = 1000) -> list[dict[str, float]]:
    """``n`` pictures of which the network was 60% sure."""
    return calibrate.reliability(np.full(n, 0.61), np.arange(n) < accuracy * n)


@pytest.fixture
def evaluated(tmp_path: Path) -> None:
    found = an_evaluation(a_matrix(7), reliability=rows(0.55))
    found["covered"]["reliability"] = rows(0.25, 1234)
    add_evaluation(tmp_path / "artifacts", "tiny", found)


def answered(run: Prediction, probability: float = 0.61, version: str = "tiny-1") -> Prediction:
    finish(run, probability, 0.1, 0.05, 0.02, 0.01)
    Prediction.objects.filter(pk=run.pk).update(artifact=version)
    return run


def records(page: Client, run: Prediction) -> list[str]:
    html = page.get(f"/predictions/{run.pk}/").content.decode()
    return re.findall(r"data-record>\s*(.*?)\s*</p>", html, re.S)


def test_the_answer_says_how_often_that_confidence_was_right(page, user, evaluated):
    (run,) = make_runs(user, models=("tiny",))
    assert records(page, run) == []
    answered(run)
    assert records(page, run) == [
        "When it is this sure of a test picture, it is right 55.0% of the time (n = 1,000)."
    ]


def test_under_bars_it_is_the_record_of_covered_pictures(page, user, evaluated):
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    answered(Prediction.objects.get(pk=run.clean_run_id))
    answered(run)
    whole, covered = records(page, run)
    assert "right 55.0% of the time" in whole
    assert "with black bars" not in whole
    assert "test picture with black bars, it is right 25.0% of the time (n = 1,234)" in covered


def test_it_is_silent_where_no_test_picture_was_so_sure(page, user, evaluated):
    (run,) = make_runs(user, models=("tiny",))
    assert records(page, answered(run, 0.8)) == []


def test_it_is_silent_about_another_version_and_without_an_evaluation(page, user, evaluated):
    (old,) = make_runs(user, models=("tiny",))
    assert records(page, answered(old, version="tiny-0")) == []
    (never,) = make_runs(user, models=("small",))
    assert records(page, answered(never, version="small-1")) == []


def test_it_is_silent_where_the_picture_is_unlike_all_test_pictures(page, user, evaluated):
    (run,) = make_runs(user, models=("tiny",))
    answered(run)
    Prediction.objects.filter(pk=run.pk).update(outside=False, outside_score=0.1)
    assert len(records(page, run)) == 1
    Prediction.objects.filter(pk=run.pk).update(outside=True, outside_score=0.9)
    assert records(page, run) == []
