"""The row as the job: claims, leases, attempts, order."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from predictions import lifecycle
from predictions.jobs import LEASE, MAX_ATTEMPTS, Timer
from predictions.models import Job, Prediction
from tests.factories import finish, make_runs, make_user
from tests.services import wait_until

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


def dead_pid() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def test_a_claim_takes_one_network_at_a_time_in_the_order_of_waiting() -> None:
    first, second = make_runs(make_user(), models=("small", "tiny"))
    claim, taken = Prediction.objects.claim(10)
    assert {run.model_id for run in taken} == {taken[0].model_id}
    assert len(taken) == 1
    _other, rest = Prediction.objects.claim(10)
    assert {taken[0].pk, rest[0].pk} == {first.pk, second.pk}
    assert Prediction.objects.held(claim).count() == 1


def test_a_claimed_row_is_not_claimed_again() -> None:
    make_runs(make_user(), pictures=3, models=("tiny",))
    _claim, taken = Prediction.objects.claim(10)
    assert len(taken) == 3
    assert Prediction.objects.claim(10)[1] == []


def test_a_claim_takes_at_most_its_limit() -> None:
    make_runs(make_user(), pictures=5, models=("tiny",))
    assert len(Prediction.objects.claim(2)[1]) == 2
    assert Prediction.objects.waiting().count() == 3


def test_a_single_picture_overtakes_a_bulk_submission() -> None:
    make_runs(make_user(), pictures=4, models=("tiny",))
    (single,) = make_runs(make_user(), models=("tiny",))
    assert Prediction.objects.claim(1)[1] == [single]


def test_a_lost_lease_cannot_write_its_result() -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    claim, _taken = Prediction.objects.claim(1)
    Prediction.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert Prediction.objects.sweep_expired() == 1
    fields = Prediction.answer_fields("tiny", [(0, "red", 0.9)])
    assert Prediction.objects.finish_all(claim, {run.pk: fields}) == set()
    run.refresh_from_db()
    assert (run.status, run.top1_id) == (Job.Status.QUEUED, None)


def test_a_result_is_written_once() -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    claim, _taken = Prediction.objects.claim(1)
    first, second = (Prediction.answer_fields("tiny", [(index, "", 0.9)]) for index in (0, 1))
    assert Prediction.objects.finish_all(claim, {run.pk: first}) == {run.pk}
    assert Prediction.objects.finish_all(claim, {run.pk: second}) == set()
    run.refresh_from_db()
    assert run.top1_id == "tiny:0"


def test_a_lease_that_still_holds_is_left_alone() -> None:
    make_runs(make_user(), models=("tiny",))
    _claim, (run,) = Prediction.objects.claim(1)
    assert Prediction.objects.sweep_expired() == 0
    remaining = run.lease_until - timezone.now()
    assert LEASE - timedelta(seconds=10) < remaining <= LEASE


def test_rows_of_a_dead_process_come_back_and_those_of_a_live_one_stay() -> None:
    host = socket.gethostname()
    make_runs(make_user(), pictures=2, models=("tiny",))
    Prediction.objects.claim(1, owner=f"{host}:{dead_pid()}")
    Prediction.objects.claim(1, owner=f"{host}:{os.getpid()}")
    assert Prediction.objects.sweep_dead() == 1
    assert Prediction.objects.waiting().count() == 1


def test_rows_of_another_host_are_left_to_their_lease() -> None:
    make_runs(make_user(), models=("tiny",))
    Prediction.objects.claim(1, owner=f"elsewhere:{dead_pid()}")
    assert Prediction.objects.sweep_dead() == 0


def test_what_kills_the_worker_is_tried_three_times_and_then_failed_with_a_sentence() -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    for attempt in range(1, MAX_ATTEMPTS + 1):
        claim, taken = Prediction.objects.claim(1, owner=f"{socket.gethostname()}:{dead_pid()}")
        assert [r.attempts for r in taken] == [attempt], claim
        Prediction.objects.sweep_dead()
    run.refresh_from_db()
    assert (run.status, run.error_code) == (Job.Status.FAILED, "gave_up")
    assert run.error_sentence.endswith(".")
    assert Prediction.objects.claim(1)[1] == []


def test_neighbours_of_what_kills_the_worker_are_tried_alone() -> None:
    make_runs(make_user(), pictures=4, models=("tiny",))
    _claim, taken = Prediction.objects.claim(10, owner=f"{socket.gethostname()}:{dead_pid()}")
    assert len(taken) == 4
    Prediction.objects.sweep_dead()
    assert [len(Prediction.objects.claim(10)[1]) for _ in range(5)] == [1, 1, 1, 1, 0]


def test_handing_back_does_not_count_as_an_attempt() -> None:
    make_runs(make_user(), models=("tiny",))
    claim, _taken = Prediction.objects.claim(1)
    assert Prediction.objects.hand_back(claim) == 1
    assert Prediction.objects.waiting().get().attempts == 0


def test_a_failed_run_can_be_tried_again_and_a_waiting_one_cancelled() -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    claim, _taken = Prediction.objects.claim(1)
    Prediction.objects.fail(claim, run, "engine_failed", "It failed.")
    assert Prediction.objects.filter(pk=run.pk).retry() == 1
    assert Prediction.objects.claim(1)[1][0].attempts == 1
    (other,) = make_runs(make_user(), models=("tiny",))
    assert Prediction.objects.filter(pk=other.pk).cancel() == 1
    other.refresh_from_db()
    assert other.is_final


def test_a_timer_runs_once_an_interval() -> None:
    every = timedelta(minutes=5)
    assert Timer.objects.due("sweep", every)
    assert not Timer.objects.due("sweep", every)
    Timer.objects.update(next_run=timezone.now() - timedelta(seconds=1))
    assert Timer.objects.due("sweep", every)
    assert not Timer.objects.due("sweep", every)


def test_a_finished_row_knows_how_long_its_reader_waited() -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    assert run.seconds is None
    run = finish(run)
    assert run.seconds is not None
    assert 0 <= run.seconds < 60


def test_a_retried_row_counts_from_the_retry() -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    Prediction.objects.filter(pk=run.pk).cancel()
    Prediction.objects.filter(pk=run.pk).update(created=timezone.now() - timedelta(days=1))
    Prediction.objects.filter(pk=run.pk).retry()
    run = finish(run)
    assert run.seconds is not None
    assert run.seconds < 60


def test_what_has_no_end_is_what_waits_or_runs() -> None:
    user = make_user()
    runs = make_runs(user, pictures=4, models=("tiny",))
    Prediction.objects.claim(1)
    Prediction.objects.filter(pk=runs[1].pk).cancel()
    finish(runs[2])
    in_flight = set(Prediction.objects.in_flight().values_list("pk", flat=True))
    assert in_flight == {runs[0].pk, runs[3].pk}
    with CaptureQueriesContext(connection) as queries:
        Prediction.objects.of(user).in_flight().count()
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + queries[0]["sql"])
            assert "prediction_in_flight" in str(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time and no row locks"
)
@pytest.mark.parametrize("change", ["finish", "star", "delete", "cancel", "sweep"])
def test_a_change_of_several_rows_holds_none_while_it_waits_for_the_first(change: str) -> None:
    user = make_user()
    keys = sorted(run.pk for run in make_runs(user, pictures=12, models=("tiny",)))
    claim = ""
    if change in ("finish", "sweep"):
        claim, _taken = Prediction.objects.claim(12)
    if change == "sweep":
        Prediction.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    answers = {key: Prediction.answer_fields("tiny", [(0, "", 0.9)]) for key in keys}
    changes: dict[str, Callable[[], Any]] = {
        "finish": lambda: Prediction.objects.finish_all(claim, answers),
        "star": lambda: lifecycle.mark(user, keys, starred=True),
        "delete": lambda: lifecycle.delete(user, keys),
        "cancel": lambda: lifecycle.cancel(user),
        "sweep": Prediction.objects.sweep_expired,
    }
    failures: list[Exception] = []

    def beside() -> None:
        try:
            changes[change]()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(cursor.fetchone()[0])

    thread = threading.Thread(target=beside)
    with transaction.atomic():
        Prediction.objects.filter(pk=keys[0]).update(note="first")
        thread.start()
        wait_until(waits, 10, "the other change waiting")
        Prediction.objects.filter(pk__in=keys[1:]).update(note="all others")
    thread.join()
    assert failures == []


def test_nothing_to_do_is_no_error() -> None:
    assert Prediction.objects.claim(5)[1] == []
    assert Prediction.objects.sweep_expired() == 0
    assert Prediction.objects.sweep_dead() == 0
