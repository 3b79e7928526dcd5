"""What failed, on the operations page: grouped by its reason, and tried again."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from predictions import lifecycle, operations
from predictions.models import Job, Prediction
from tests.factories import make_runs, make_user
from tests.predictions.operations_page import PAGE, failed, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


def waiting() -> set[Any]:
    return set(Prediction.objects.waiting().values_list("pk", flat=True))


@pytest.fixture
def three() -> list[Prediction]:
    """Three failed predictions: two for one reason, and one for another."""
    runs = make_runs(make_user("ada@example.com"), pictures=3, models=("tiny",))
    failed(*runs[:2])
    failed(runs[2], code="no_artifact", message="This network is away.")
    return runs


def test_failures_are_grouped_by_their_reason(operator: Client, three: list[Prediction]) -> None:
    said = text_of(operator, "failures")
    assert re.search(r"engine_failed ?It did not work\. \| \w+ \| 2 \|", said)
    assert re.search(r"no_artifact ?This network is away\. \| \w+ \| 1 \|", said)
    assert said.count("ada@example.com") == 3
    chosen = text_of(operator, "failures", code="no_artifact")
    assert "The latest of “no_artifact”" in chosen
    assert chosen.count("ada@example.com") == 1


def test_old_and_deleted_failures_are_left_out(operator: Client, three: list[Prediction]) -> None:
    long_ago = timezone.now() - timedelta(days=operations.FAILED_DAYS + 1)
    Prediction.objects.filter(pk=three[0].pk).update(started=long_ago, finished=long_ago)
    Prediction.objects.filter(pk=three[1].pk).hide()
    assert "engine_failed" not in text_of(operator, "failures")


@pytest.mark.parametrize(
    ("form", "again"),
    [
        (lambda runs: {"only": runs[0].pk, "run": [runs[2].pk]}, [0]),
        (lambda runs: {"run": [runs[0].pk, runs[2].pk]}, [0, 2]),
        (lambda runs: {"group": "engine_failed/tiny"}, [0, 1]),
        (lambda runs: {"group": "engine_failed/small"}, []),
        (lambda runs: {"run": ["nonsense", "'; --"]}, []),
        (lambda runs: {}, []),
    ],
    ids=["one", "selected", "group", "group of none", "nonsense", "nothing"],
)
def test_one_a_group_or_all_that_are_selected_are_tried_again(
    operator: Client, three: list[Prediction], no_wake_ups: list[str], form: Any, again: list[int]
) -> None:
    no_wake_ups.clear()
    page = operator.post(f"{PAGE}retry/", form(three), follow=True)
    assert page.redirect_chain[0][0] == f"{PAGE}#failures"
    assert waiting() == {three[i].pk for i in again}
    if again:
        number = f"{len(again)} prediction{'s are' if len(again) > 1 else ' is'} queued again."
        assert number in page.content.decode()
    else:
        assert "queued again" not in page.content.decode()


def test_trying_again_takes_the_clean_run_beside_it_along() -> None:
    (run,) = make_runs(make_user(), models=("tiny",), bars=[[0.25, 0, 0.5, 1]])
    failed(run, run.clean_run)
    assert lifecycle.retry_failed(Prediction.objects.filter(pk=run.pk)) == 1
    assert waiting() == {run.pk, run.clean_run_id}


def test_what_is_deleted_cancelled_or_without_its_picture_is_not_tried_again(
    operator: Client, three: list[Prediction]
) -> None:
    Prediction.objects.filter(pk=three[0].pk).hide()
    Prediction.objects.filter(pk=three[1].pk).update(status=Job.Status.CANCELLED)
    Prediction.objects.filter(pk=three[2].pk).update(network_input=None)
    assert "its picture is gone" in text_of(operator, "failures")
    page = operator.post(f"{PAGE}retry/", {"run": [run.pk for run in three]}, follow=True)
    assert "There was nothing to try again" in page.content.decode()
    assert waiting() == set()


def test_many_are_tried_again_piece_by_piece(
    operator: Client, three: list[Prediction], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "RETRIED_AT_ONCE", 1)
    page = operator.post(f"{PAGE}retry/", {"group": "engine_failed/tiny"}, follow=True)
    assert "2 predictions are queued again." in page.content.decode()
    assert waiting() == {run.pk for run in three[:2]}


def test_an_accounts_limit_does_not_keep_an_operator_from_trying_again(
    three: list[Prediction], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr("predictions.quotas.QUOTA_IN_FLIGHT", 0)
    assert lifecycle.retry_failed(Prediction.objects.all()) == 3
