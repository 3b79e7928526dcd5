"""What a worker does beside its tasks: heartbeat, timers, wake-ups sent again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery.contrib.django.task import DjangoTask
from django.db import OperationalError
from django.utils import timezone

from predictions import inference, job_tables, removal, tasks, timers, worker
from predictions.jobs import Heartbeat, Timer
from predictions.models import Prediction
from tests.factories import make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks")]


def test_a_beat_shows_life_and_keeps_what_is_loaded() -> None:
    worker._beat("host:1", models={"tiny": "tiny-1"})
    before = Heartbeat.objects.get().seen
    worker.tick("host:1")
    heartbeat = Heartbeat.objects.get()
    # SQLite's clock counts milliseconds, Python's microseconds.
    assert heartbeat.seen >= before - timedelta(milliseconds=1)
    assert heartbeat.models == {"tiny": "tiny-1"}


def test_only_networks_that_load_are_reported(tmp_path: Any) -> None:
    (tmp_path / "artifacts" / "tiny" / "network.xml").write_text("damaged")
    assert inference.load_all() == {"small": "small-1"}


def test_a_wake_up_is_sent_again_while_something_waits(no_wake_ups: list[str]) -> None:
    timers.wake_up()
    assert no_wake_ups == []
    make_runs(make_user(), models=("tiny",))
    timers.wake_up()
    assert no_wake_ups == []
    Prediction.objects.update(created=timezone.now() - timedelta(seconds=10))
    timers.wake_up()
    assert no_wake_ups == ["predictions.predict"]


@pytest.mark.usefixtures("no_wake_ups")
def test_two_workers_run_each_timer_once(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []
    monkeypatch.setattr(removal, "purge", lambda: runs.append("purge"))
    worker.tick("host:1")
    worker.tick("host:2")
    assert runs == ["purge"]
    Timer.objects.update(next_run=timezone.now() - timedelta(seconds=1))
    worker.tick("host:2")
    assert runs == ["purge", "purge"]


@pytest.mark.usefixtures("no_wake_ups")
def test_a_timer_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []

    def fail() -> None:
        raise OperationalError("the disk is full")

    monkeypatch.setattr(removal, "purge", fail)
    monkeypatch.setattr(removal, "sweep_orphans", lambda: runs.append("orphans"))
    worker.tick("host:1")
    assert runs == ["orphans"]


def test_workers_long_gone_are_forgotten() -> None:
    worker._beat("host:1")
    worker._beat("host:2")
    Heartbeat.objects.filter(name="host:1").update(seen=timezone.now() - timedelta(hours=1))
    timers.forget_dead_workers()
    assert [heartbeat.name for heartbeat in Heartbeat.objects.all()] == ["host:2"]


def test_a_broker_that_is_away_does_not_fail_a_submission(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise ConnectionError("connection refused")

    monkeypatch.setattr(DjangoTask, "apply_async", away)
    with django_capture_on_commit_callbacks(execute=True):
        (run,) = make_runs(make_user(), models=("tiny",))
    assert Prediction.objects.waiting().get() == run


def test_the_task_computes_what_waits(no_wake_ups: list[str]) -> None:
    make_runs(make_user(), pictures=3)
    tasks.predict()
    assert set(Prediction.objects.values_list("status", flat=True)) == {"done"}
    assert no_wake_ups == []


def test_a_task_whose_time_is_up_sends_the_next_one(
    no_wake_ups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_runs(make_user(), models=("tiny",))
    monkeypatch.setattr(inference, "DRAIN_SECONDS", 0.0)
    monkeypatch.setattr(inference.drain, "__defaults__", (0.0,))
    tasks.predict()
    assert no_wake_ups == ["predictions.predict"]
    assert Prediction.objects.waiting().count() == 1


# --- workers of other queues -------------------------------------------------------------------------------


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_queues", "archives,lab")


@pytest.mark.usefixtures("lab")
def test_a_worker_that_does_not_answer_loads_no_network_and_starts_on_what_waits_for_it(
    no_wake_ups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.connection, "close", lambda: None)
    monkeypatch.setattr(inference, "load_all", lambda: pytest.fail("a network was loaded"))
    worker.begin()
    assert no_wake_ups == [
        "learn.explain",
        "learn.train_own",
        "accounts.prepare_exports",
        "accounts.erase_accounts",
    ]
    # Those who look at a figure are told at once that somebody is there.
    assert Heartbeat.objects.serving("lab").exists()


def test_a_worker_that_answers_loads_the_networks_and_starts_on_predictions(
    no_wake_ups: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker.connection, "close", lambda: None)
    monkeypatch.setattr(worker, "_queues", "predictions")
    worker.begin()
    assert no_wake_ups == ["predictions.predict"]
    heartbeat = Heartbeat.objects.get()
    assert (heartbeat.queues, set(heartbeat.models)) == ("predictions", {"tiny", "small"})


@pytest.mark.usefixtures("lab", "no_wake_ups")
def test_a_worker_that_does_not_answer_shows_life_and_runs_the_timers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs: list[str] = []
    monkeypatch.setattr(removal, "purge", lambda: runs.append("purge"))
    worker.tick("host:9")
    heartbeat = Heartbeat.objects.get()
    assert (heartbeat.name, heartbeat.queues, heartbeat.models) == ("host:9", "archives,lab", {})
    assert runs == ["purge"]
    assert list(Heartbeat.objects.answering()) == []


# --- tables and timers of other apps ----------------------------------------------------------------------------


def test_a_name_stands_for_one_table_and_one_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_tables, "_tables", {})
    monkeypatch.setattr(job_tables, "_timers", {})
    runs: list[str] = []
    job_tables.register("runs", Prediction, queue="lab", wake_up=lambda: runs.append("woken"))
    job_tables.register_timer("sweep", timedelta(minutes=1), lambda: runs.append("swept"))
    with pytest.raises(ValueError, match="'runs' is registered already"):
        job_tables.register("runs", Prediction, queue="lab", wake_up=list)
    with pytest.raises(ValueError, match="'sweep' is registered already"):
        job_tables.register_timer("sweep", timedelta(minutes=1), list)
    names = [name for name, _every, _action in timers.listed()]
    assert names[-3:] == ["runs: leases", "runs: wake-ups", "sweep"]


def test_every_name_of_a_timer_is_used_once() -> None:
    names = [name for name, _every, _action in timers.listed()]
    assert len(set(names)) == len(names)
