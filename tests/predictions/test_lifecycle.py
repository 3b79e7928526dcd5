"""The verbs for what is there already: how much they count, and what one account may have waiting."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from predictions import inference, lifecycle, quotas
from predictions.models import Distribution, Job, Prediction
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

BARS = [[0.25, 0, 0.5, 1]]


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def two_may_wait(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(quotas, "QUOTA_IN_FLIGHT", 2)


def statuses(*runs: Prediction) -> list[str]:
    found = Prediction.objects.in_bulk([run.pk for run in runs])
    return [found[run.pk].status for run in runs]


# --- cancelling and trying again ----------------------------------------------------------------------------


def test_cancelling_counts_the_clean_run_that_goes_with_it(user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    assert lifecycle.cancel(user, pk=run.pk) == 2
    assert lifecycle.cancel(user, pk=run.pk) == 0


def test_a_clean_run_that_alone_still_waits_is_cancelled_and_counted(user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    finish(run)
    assert lifecycle.cancel(user, pk=run.pk) == 1
    assert statuses(run, run.clean_run) == [Job.Status.DONE, Job.Status.CANCELLED]


def test_trying_again_counts_clean_runs_that_failed_alone(user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    finish(run)
    Prediction.objects.filter(pk=run.clean_run_id).cancel()
    assert lifecycle.retry(user, batch=run.batch) == 1
    assert lifecycle.retry(user, batch=run.batch) == 0


@pytest.mark.usefixtures("two_may_wait")
def test_trying_again_asks_how_much_may_wait_clean_runs_counted(user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    lifecycle.cancel(user, pk=run.pk)
    (other,) = make_runs(user, models=("tiny",))
    with pytest.raises(quotas.QuotaExceeded, match="still waiting"):
        lifecycle.retry(user, pk=run.pk)
    assert statuses(run, run.clean_run) == [Job.Status.CANCELLED] * 2
    finish(other)
    assert lifecycle.retry(user, pk=run.pk) == 2


@pytest.mark.usefixtures("two_may_wait")
def test_trying_nothing_again_is_no_question_of_how_much_may_wait(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = make_runs(user, models=("tiny",))
    monkeypatch.setattr(quotas, "QUOTA_IN_FLIGHT", 0)
    assert lifecycle.retry(user, pk=run.pk) == 0


# --- deleting and bringing back -----------------------------------------------------------------------------


@pytest.mark.usefixtures("two_may_wait")
def test_bringing_back_asks_how_much_may_wait_clean_runs_counted(user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    lifecycle.delete(user, [run.pk])
    (other,) = make_runs(user, models=("tiny",))
    with pytest.raises(quotas.QuotaExceeded, match="still waiting"):
        lifecycle.undo(user, [run.pk])
    assert not Prediction.objects.of(user).filter(pk=run.pk).exists()
    finish(other)
    assert lifecycle.undo(user, [run.pk]) == 1
    assert Prediction.objects.of(user).filter(pk__in=[run.pk, run.clean_run_id]).count() == 2


@pytest.mark.usefixtures("two_may_wait")
def test_what_is_answered_comes_back_however_much_waits(user: User) -> None:
    run = finish(make_runs(user, models=("tiny",))[0])
    lifecycle.delete(user, [run.pk])
    make_runs(user, pictures=2, models=("tiny",))
    assert lifecycle.undo(user, [run.pk]) == 1


# --- answers ------------------------------------------------------------------------------------------------


def test_answers_and_their_probabilities_are_kept_together_or_not_at_all(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = make_runs(user, pictures=3, models=("tiny",))

    def away(*rows: Any, **options: Any) -> None:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(Distribution.objects, "bulk_create", away)
        with pytest.raises(OperationalError):
            inference.drain()
    assert statuses(*runs) == [Job.Status.QUEUED] * 3
    inference.drain()
    assert statuses(*runs) == [Job.Status.DONE] * 3
    assert Distribution.objects.count() == 3


def test_a_run_removed_while_it_is_computed_takes_no_others_probabilities_with_it(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = make_runs(user, pictures=3, models=("tiny",))
    network = inference.predictor("tiny")
    answer = network.answers

    def removed_meanwhile(pixels: Any) -> Any:
        Prediction.objects.filter(pk=runs[1].pk).delete()
        return answer(pixels)

    monkeypatch.setattr(network, "answers", removed_meanwhile)
    inference.drain()
    kept = set(Distribution.objects.values_list("run_id", flat=True))
    assert kept == {runs[0].pk, runs[2].pk}


def test_what_a_network_saw_is_not_read_with_its_answers(user: User) -> None:
    make_runs(user, models=("tiny",), bars=BARS)
    with CaptureQueriesContext(connection) as queries:
        found = list(Prediction.objects.of(user).with_answers())
        assert [run.answers for run in found] == [None, None]
    assert len(queries) == 1
    assert "pixels" not in queries[0]["sql"]
