"""A machine that is about to go begins nothing more; what it has in hand ends as ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.contrib.django.task import DjangoTask

from accounts import draining
from accounts import tasks as long_tasks
from accounts.exports import DataExport
from predictions import inference, tasks, worker
from predictions.jobs import Heartbeat
from predictions.models import Prediction
from predictions.pulse import MARGIN_SECONDS, Pulse
from tests.factories import make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks")]


@pytest.fixture
def hook(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.TERMINATION_HOOK = "convoscope-finish"


@pytest.mark.usefixtures("hook", "no_wake_ups")
def test_nothing_is_claimed_and_what_was_claimed_is_answered() -> None:
    make_runs(make_user(), pictures=2, models=("tiny",))
    claim, (first,) = Prediction.objects.claim(1)
    assert draining.begin()
    inference.compute(claim, [first])
    assert inference.drain()
    assert sorted(Prediction.objects.values_list("status", flat=True)) == ["done", "queued"]
    draining.end()
    assert not inference.drain()
    assert set(Prediction.objects.values_list("status", flat=True)) == {"done"}


@pytest.mark.usefixtures("hook")
def test_no_wake_up_is_sent_that_could_come_back_here(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(DjangoTask, "apply_async", lambda self, *args, **options: sent.append(self.name))
    make_runs(make_user(), models=("tiny",))
    draining.begin()
    tasks.predict()
    assert sent == []
    draining.end()
    tasks.predict.delay()
    assert sent == ["predictions.predict"]


@pytest.mark.usefixtures("hook", "no_wake_ups")
def test_no_archive_is_begun() -> None:
    DataExport.objects.create(owner=make_user())
    draining.begin()
    long_tasks.prepare_exports()
    assert DataExport.objects.get().status == DataExport.Status.QUEUED


@pytest.mark.usefixtures("hook")
def test_its_workers_no_longer_count() -> None:
    worker._beat("host:1", models={"tiny": "tiny-1"})
    assert Heartbeat.objects.answering().exists()
    draining.begin()
    worker.tick("host:1")
    assert not Heartbeat.objects.exists()


@pytest.mark.usefixtures("no_wake_ups")
def test_without_a_hook_a_file_of_that_name_means_nothing(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    draining.begin()
    make_runs(make_user(), models=("tiny",))
    assert len(Prediction.objects.claim(8)[1]) == 1


# --- what a parent notices about itself --------------------------------------------------------------------


class Consumer:
    """As much of Celery's consumer as the pulse knows; ``turn`` lets its loop turn once."""

    def __init__(self) -> None:
        self.connection: Any = object()
        self.asked: list[Any] = []
        self.app = worker_app()

    def call_soon(self, action: Any, *arguments: Any) -> None:
        self.asked.append(lambda: action(*arguments))

    def turn(self) -> None:
        for action in self.asked:
            action()
        self.asked.clear()


def worker_app() -> Any:
    from classifier_site.celery import app

    return app


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    from predictions import pulse

    now = [1000.0]
    monkeypatch.setattr(pulse.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(pulse.time, "time", lambda: now[0])
    return now


def test_a_loop_that_no_longer_turns_is_noticed(clock: list[float]) -> None:
    consumer = Consumer()
    pulse = Pulse(consumer)
    assert pulse.stuck() == ""
    consumer.turn()
    clock[0] += 3600
    assert pulse.stuck() == ""
    clock[0] += 61
    assert pulse.stuck() == "its main loop has not turned for 61 s"
    consumer.turn()
    assert pulse.stuck() == ""


@pytest.mark.usefixtures("clock")
def test_a_loop_that_answers_before_it_was_asked_to_the_end_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = Consumer()
    monkeypatch.setattr(consumer, "call_soon", lambda action: action())
    pulse = Pulse(consumer)
    assert [pulse.stuck(), pulse.stuck()] == ["", ""]


def test_a_beat_that_fails_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[str] = []
    stopping = threading.Event()

    def show(pulse: Pulse) -> None:
        beats.append("beat")
        if len(beats) == 3:
            stopping.set()
        raise TypeError("nobody foresaw it")

    monkeypatch.setattr(worker, "show", show)
    monkeypatch.setattr(worker, "_stopping", stopping)
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.0)
    pool = SimpleNamespace(_pool=object())
    worker._run_timers("host:1", SimpleNamespace(pool=pool, consumer=Consumer()))
    assert len(beats) == 3


def test_a_worker_that_looks_for_its_broker_is_not_stuck(clock: list[float]) -> None:
    consumer = Consumer()
    pulse = Pulse(consumer)
    pulse.stuck()
    consumer.connection = None
    clock[0] += 3600
    assert pulse.stuck() == ""


def test_a_task_that_outlives_its_limit_is_noticed(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    from celery.worker import state

    class Request:
        task = tasks.predict
        time_start = clock[0]

    consumer = Consumer()
    monkeypatch.setattr(state, "active_requests", {Request()})
    pulse = Pulse(consumer)
    limit = consumer.app.conf.task_time_limit
    clock[0] += limit + MARGIN_SECONDS - 1
    assert pulse._task() == ""
    clock[0] += 2
    assert pulse._task() == f"a task has outlived its time limit of {limit:.0f} s"

    class Changing(set[Any]):
        """As when the main loop begins a task while somebody looks."""

        times = 0

        def __iter__(self) -> Iterator[Any]:
            self.times += 1
            if self.times == 1:
                raise RuntimeError("Set changed size during iteration")
            return super().__iter__()

    monkeypatch.setattr(state, "active_requests", Changing({Request()}))
    assert "outlived" in pulse._task()
