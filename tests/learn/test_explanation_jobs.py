"""Explanations as jobs: who computes them, what becomes of those that go wrong, how much one account may ask."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, NoReturn

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.utils import timezone

from accounts.models import User
from accounts.stored_files import StorageAway
from learn import explaining, explanations, subjects, tasks
from learn.kinds import KindError, Result, Work
from learn.models import Explanation
from ml.artifact import ArtifactError
from predictions import job_tables, timers, worker
from predictions.inference import drain
from predictions.jobs import MAX_ATTEMPTS
from predictions.models import Prediction
from tests.factories import make_runs, make_user
from tests.learn.conftest import Asked
from tests.learn.test_explanations import files

pytestmark = pytest.mark.django_db

MB = 1024**2


def prediction(user: User) -> str:
    run, *_ = make_runs(user, models=("tiny",))
    drain()
    return str(run.pk)


@pytest.fixture
def on(asked: Asked, user: User) -> str:
    return prediction(user)


def ask(user: Any, on: str, level: int = 1, kind: str = "mean") -> Explanation:
    return explanations.ask(subjects.find(user, on), "tiny", kind, {"level": level})


def ended(row: Explanation) -> tuple[str, str, str]:
    row.refresh_from_db()
    return row.status, row.error_code, row.error_sentence


# --- who computes ----------------------------------------------------------------------------------------------


def test_asking_wakes_a_worker_up(
    asked: Asked, user: User, on: str, no_wake_ups: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    no_wake_ups.clear()
    with django_capture_on_commit_callbacks(execute=True):
        ask(user, on)
    with django_capture_on_commit_callbacks(execute=True):
        ask(user, on)
    assert no_wake_ups == ["learn.explain"]


def test_the_task_computes_what_waits(asked: Asked, user: User, on: str) -> None:
    rows = [ask(user, on, level) for level in (1, 2)]
    tasks.explain()
    assert [ended(row)[0] for row in rows] == ["done", "done"]
    assert len({row.claimed_by for row in rows}) == 1
    assert all(row.attempts == 1 for row in rows)


def test_a_task_that_has_worked_long_hands_over_to_the_next(
    asked: Asked, user: User, on: str, no_wake_ups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(user, on)
    no_wake_ups.clear()
    monkeypatch.setattr(explaining.drain, "__defaults__", (0.0,))
    tasks.explain()
    assert (no_wake_ups, asked.calls) == (["learn.explain"], [])


def test_a_live_question_is_computed_before_the_others_and_those_in_turn(
    asked: Asked, user: User, on: str
) -> None:
    other = make_user()
    theirs = prediction(other)
    for level in (1, 2, 3):
        ask(user, on, level)
    ask(other, theirs, 10)
    ask(None, "sample:cup", 20)
    ask(user, on, 4, kind="live")
    explaining.drain(60.0)
    assert [work.parameters["level"] for work in asked.calls] == [4, 1, 10, 20, 2, 3]


def test_visitors_questions_do_not_keep_others_from_their_turn(asked: Asked, user: User, on: str) -> None:
    other = make_user()
    theirs = prediction(other)
    ask(user, on, 1)
    ask(other, theirs, 2)
    for level in range(10, 15):
        ask(None, "sample:cup", level)
    ask(user, on, 3)
    ask(other, theirs, 4)
    explaining.drain(60.0)
    assert [work.parameters["level"] for work in asked.calls] == [1, 2, 10, 11, 3, 4, 12, 13, 14]


def test_a_lost_wake_up_is_sent_again(asked: Asked, user: User, on: str, no_wake_ups: list[str]) -> None:
    row = ask(user, on)
    table = next(one for one in job_tables.every() if one.model is Explanation)
    no_wake_ups.clear()
    table.send_lost_wake_up()
    assert no_wake_ups == []
    Explanation.objects.filter(pk=row.pk).update(created=timezone.now() - timedelta(seconds=5))
    table.send_lost_wake_up()
    assert no_wake_ups == ["learn.explain"]


# --- a worker that goes ----------------------------------------------------------------------------------------


def test_what_a_dead_worker_had_is_done_again_and_given_up_after_three_times(
    asked: Asked, user: User, on: str
) -> None:
    row = ask(user, on)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        Explanation.objects.claim(1, owner=f"{worker.worker_name().split(':')[0]}:999999")
        worker.tick("host:9")
        row.refresh_from_db()
        assert row.attempts == attempt
    status, code, sentence = ended(row)
    assert (status, code) == ("failed", "gave_up")
    assert sentence.startswith("This figure stopped the worker three times")


def test_what_an_expired_lease_held_is_done_again(asked: Asked, user: User, on: str) -> None:
    row = ask(user, on)
    Explanation.objects.claim(1)
    Explanation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    names = {name: action for name, _every, action in timers.listed()}
    names["explanations: leases"]()
    explaining.drain(60.0)
    assert ended(row)[0] == "done"


def test_a_worker_that_is_told_to_go_hands_its_work_back(asked: Asked, user: User, on: str) -> None:
    row = ask(user, on)

    def go(work: Work) -> NoReturn:
        raise SystemExit(0)

    asked.does = go
    with pytest.raises(SystemExit):
        explaining.drain(60.0)
    assert (ended(row)[0], row.attempts) == ("queued", 0)
    asked.does = None
    explaining.drain(60.0)
    assert ended(row)[0] == "done"


def test_a_database_that_is_away_costs_no_attempt(
    asked: Asked, user: User, on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ask(user, on)

    def away(*given: Any, **options: Any) -> NoReturn:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(explaining.laboratory_quota, "make_room", away)
        with pytest.raises(OperationalError):
            explaining.drain(60.0)
    assert (ended(row)[0], row.attempts) == ("queued", 0)
    assert files() == []


def test_a_worker_that_lost_its_lease_writes_nothing(asked: Asked, user: User, on: str) -> None:
    row = ask(user, on)
    claim, rows = Explanation.objects.claim(1)
    Explanation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    Explanation.objects.sweep_expired()
    second, again = Explanation.objects.claim(1)
    assert not explaining.run(claim, rows[0])
    assert ended(row)[0] == "running"
    assert files() == []
    assert explaining.run(second, again[0])
    assert ended(row)[0] == "done"
    assert len(files()) == 1


def test_an_explanation_whose_picture_goes_while_it_is_computed_leaves_nothing(
    asked: Asked, user: User, on: str
) -> None:
    from predictions import removal

    ask(user, on)

    def remove(work: Work) -> Result:
        removal.remove(Prediction.objects.all())
        return Result({}, {"clean/pixels.npy": work.clean})

    asked.does = remove
    explaining.drain(60.0)
    assert not Explanation.objects.exists()
    assert files() == []


# --- what goes wrong -------------------------------------------------------------------------------------------


def raising(error: Exception) -> Any:
    def fail(work: Work) -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (KindError("There is nothing to compare."), "refused", "There is nothing to compare."),
        (
            ArtifactError("damaged"),
            "no_artifact",
            "This network is not available at the moment. Try another one.",
        ),
        (
            ZeroDivisionError(),
            "failed",
            "This figure could not be computed. Try another picture or other settings.",
        ),
        (
            MemoryError(),
            "failed",
            "This figure could not be computed. Try another picture or other settings.",
        ),
    ],
    ids=["refused", "no artifact", "unforeseen", "memory"],
)
def test_a_question_that_goes_wrong_fails_alone_with_a_sentence(
    asked: Asked, user: User, on: str, error: Exception, code: str, sentence: str
) -> None:
    wrong = ask(user, on, 1)
    right = ask(user, on, 2)
    fail = raising(error)
    asked.does = lambda work: fail(work) if work.parameters["level"] == 1 else Result({"level": 2})
    explaining.drain(60.0)
    assert ended(wrong) == ("failed", code, sentence)
    assert ended(right)[0] == "done"


@pytest.mark.parametrize(
    "result",
    [
        Result({"text": "x" * 70_000}),
        Result({}, {"maps.npy": np.zeros((65, MB), np.uint8)}),
        Result({}, {"a.png": bytes(40 * MB), "b.png": bytes(25 * MB)}),
    ],
    ids=["row", "array", "together"],
)
def test_an_explanation_that_is_too_large_is_not_kept(
    asked: Asked, user: User, on: str, result: Result
) -> None:
    row = ask(user, on)
    asked.does = lambda work: result
    explaining.drain(60.0)
    assert ended(row) == ("failed", "too_large", "This figure is too large to be kept. Choose less at once.")
    assert files() == []


def test_a_result_with_nan_is_no_result(
    asked: Asked, user: User, on: str, caplog: pytest.LogCaptureFixture
) -> None:
    row = ask(user, on)
    asked.does = lambda work: Result({"mean": float("nan")})
    with caplog.at_level(logging.ERROR):
        explaining.drain(60.0)
    assert ended(row)[:2] == ("failed", "failed")
    assert "mean of tiny failed" in caplog.text


def test_a_question_about_a_version_that_is_gone_says_so(asked: Asked, user: User, on: str) -> None:
    row = ask(user, on)
    Explanation.objects.update(artifact="tiny-0")
    explaining.drain(60.0)
    assert ended(row)[1] == "other_version"
    assert asked.calls == []


def test_what_failed_is_computed_again_when_it_is_asked_again_later(
    asked: Asked, user: User, on: str
) -> None:
    asked.does = raising(ZeroDivisionError())
    row = ask(user, on)
    explaining.drain(60.0)
    asked.does = None
    ask(user, on)
    explaining.drain(60.0)
    assert ended(row)[0] == "failed"
    Explanation.objects.update(started=None, finished=timezone.now() - timedelta(minutes=1))
    assert ask(user, on).pk == row.pk
    explaining.drain(60.0)
    assert ended(row) == ("done", "", "")


def test_a_storage_that_is_full_fails_with_a_sentence(
    asked: Asked, user: User, on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*given: Any, **options: Any) -> NoReturn:
        raise OSError(28, "No space left on device")

    row = ask(user, on)
    with monkeypatch.context() as patch:
        patch.setattr(type(default_storage._wrapped), "_save", full)
        explaining.drain(60.0)
    assert ended(row)[:2] == ("failed", "failed")


def test_while_the_storage_is_away_a_question_waits_and_nothing_is_computed_in_vain(
    asked: Asked, user: User, on: str, no_wake_ups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = default_storage._wrapped  # type: ignore[attr-defined]

    def away(*given: Any, **options: Any) -> NoReturn:
        monkeypatch.setattr(storage, "is_away", True, raising=False)
        raise StorageAway("the bucket does not answer")

    row = ask(user, on)
    other = ask(user, on, 2)
    no_wake_ups.clear()
    with monkeypatch.context() as patch:
        patch.setattr(type(storage), "_save", away)
        for _ in range(3):
            tasks.explain()
        assert [ended(one)[0] for one in (row, other)] == ["queued", "queued"]
        assert (row.attempts, len(asked.calls)) == (0, 1)
        # The timers wake the worker up later; a wake-up at once would find the storage as it is.
        assert no_wake_ups == []
    monkeypatch.delattr(storage, "is_away")
    tasks.explain()
    assert [ended(one)[0] for one in (row, other)] == ["done", "done"]
