"""What the database itself refuses, whoever asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from predictions.models import Label, Network, Prediction
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

YESTERDAY = timezone.now() - timedelta(days=1)


@pytest.fixture
def run() -> Prediction:
    return finish(make_runs(make_user(), models=("tiny",))[0])


@pytest.mark.parametrize(
    "values",
    [
        {"model_id": "unknown"},
        {"top1_id": "tiny:-10"},
        {"top1_id": "tiny:101"},
        {"top1_id": "small:0"},
        {"top5_id": "small:0"},
        {"top1_id": None},
        {"probability1": 1.01},
        {"probability1": -0.01},
        {"probability5": -0.5},
        {"probability2": 0.99},
        {"finished": YESTERDAY},
        {"finished": None},
        {"status": "thinking"},
        {"status": "queued"},
        {"status": "running"},
        {"lease_until": YESTERDAY},
    ],
    ids=str,
)
def test_a_row_that_cannot_be_is_refused(run: Prediction, values: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        write(run, values)


def write(run: Prediction, values: dict[str, Any]) -> None:
    Prediction.objects.filter(pk=run.pk).update(**values)
    connection.check_constraints()


def test_the_same_rows_are_taken_when_they_are_right(run: Prediction) -> None:
    Prediction.objects.filter(pk=run.pk).update(top1_id="tiny:6", probability1=1.0, finished=timezone.now())
    connection.check_constraints()


def test_a_label_belongs_to_its_network_once() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Label.objects.create(id="tiny:again", network_id="tiny", index=0, name="red")


def test_networks_are_written_from_their_cards_and_again_without_harm(small_networks: list[str]) -> None:
    Network.synchronise()
    assert set(small_networks) <= set(Network.objects.values_list("name", flat=True))
    assert Label.objects.filter(network="tiny").count() == 7
    assert Label.objects.get(pk="tiny:5").name == "sea_green"


def test_answers_name_class_and_words(run: Prediction) -> None:
    Prediction.objects.filter(pk=run.pk).update(top1_id="tiny:5")
    run.refresh_from_db()
    assert run.answers
    assert run.answers[0] == {"index": 5, "label": "sea_green", "name": "sea green", "probability": 0.6}
    assert len(run.answers) == 5
