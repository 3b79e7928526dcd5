"""What the fleet follows: how much waits, in seconds of the machines that are there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from learn.models import Explanation, OwnClasses
from predictions import scaling, worker
from predictions.jobs import Heartbeat, Job
from predictions.models import Prediction
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


def alive(name: str, **rates: float) -> None:
    worker._beat(name, models={"tiny": "tiny-1"})
    Heartbeat.objects.filter(name=name).update(rates=rates)


def explanation(kind: str = "xray", **fields: Any) -> Explanation:
    return Explanation.objects.create(
        sample="apple", network="tiny", artifact="tiny-1", kind=kind, clean_pixels=b"", **fields
    )


def metrics() -> dict[str, float]:
    return {name: value for name, (value, _unit) in scaling.measure().metrics().items()}


def test_an_empty_site_has_nothing_to_say() -> None:
    assert metrics() == {
        "QueuedRows": 0,
        "OldestAge": 0.0,
        "BacklogPerWorker": 0.0,
        "Workers": 0,
        "FailedRows": 0,
    }


def test_the_backlog_is_what_one_worker_would_take_by_its_own_rate() -> None:
    make_runs(make_user(), pictures=6, models=("tiny", "small"))
    alive("a:1", tiny=10.0, small=2.0)
    assert metrics()["BacklogPerWorker"] == pytest.approx(6 / 10 + 6 / 2)
    alive("b:1", tiny=30.0, small=2.0)
    # A second machine, three times as quick with one network: each has half of it.
    assert metrics()["BacklogPerWorker"] == pytest.approx((6 * (1 / 10 + 1 / 30) / 2 + 6 / 2) / 2)


def test_without_a_known_rate_the_networks_size_tells_and_nobody_counts_as_one() -> None:
    make_runs(make_user(), pictures=5, models=("tiny",))
    # 1,000 multiply-adds are nothing beside what every picture costs.
    assert metrics()["BacklogPerWorker"] == pytest.approx(5 * scaling.BASE_SECONDS, rel=0.01)
    assert metrics()["Workers"] == 0


def test_a_network_without_an_artifact_is_reckoned_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    make_runs(make_user(), pictures=5, models=("tiny",))
    monkeypatch.setenv("ML_ARTIFACTS_DIR", "/nowhere")
    assert metrics()["BacklogPerWorker"] == pytest.approx(5 * scaling.UNKNOWN_SECONDS)


def test_machines_that_answer_are_counted_once() -> None:
    alive("a:1")
    alive("a:2")
    alive("b:7")
    Heartbeat.objects.create(name="c:1", queues="archives,lab")
    Heartbeat.objects.create(name="d:1", seen=timezone.now() - timedelta(minutes=1))
    assert metrics()["Workers"] == 2


def test_figures_of_the_laboratory_count_as_long_as_they_took_lately() -> None:
    alive("a:1")
    now = timezone.now()
    for seconds in (4, 6):
        explanation(
            "occlusion",
            key=f"done{seconds}",
            status="done",
            started=now - timedelta(seconds=seconds),
            finished=now,
        )
    explanation("occlusion", key="waits")
    explanation("occlusion", key="waits as well")
    explanation("xray", key="of a kind that nobody knows")
    OwnClasses.objects.create(owner=make_user(), title="cups", classes=["a", "b"])
    # 5 s each, 1 s where nothing is known, two at a time.
    assert metrics()["BacklogPerWorker"] == pytest.approx((2 * 5 + 1 + 1) / 2, rel=0.01)
    assert metrics()["QueuedRows"] == 4


def test_the_oldest_is_the_one_that_somebody_waits_for() -> None:
    user = make_user()
    bulk, single = make_runs(user, models=("tiny", "small"))
    now = timezone.now()
    Prediction.objects.filter(pk=bulk.pk).update(priority=Job.Priority.BULK, created=now - timedelta(hours=5))
    Prediction.objects.filter(pk=single.pk).update(created=now - timedelta(seconds=40))
    assert metrics()["OldestAge"] == pytest.approx(40, abs=2)
    explanation(key="older", created=now - timedelta(seconds=90))
    assert metrics()["OldestAge"] == pytest.approx(90, abs=2)
    # Tried again just now, nobody has waited for it before.
    Explanation.objects.update(retried=now)
    assert metrics()["OldestAge"] == pytest.approx(40, abs=2)


def test_what_failed_in_the_last_minute_is_counted() -> None:
    runs = make_runs(make_user(), pictures=3, models=("tiny",))
    now = timezone.now()
    ended = {"status": "failed", "started": now - timedelta(hours=1)}
    Prediction.objects.filter(pk=runs[0].pk).update(**ended, finished=now)
    Prediction.objects.filter(pk=runs[1].pk).update(**ended, finished=now - timedelta(minutes=2))
    finish(runs[2])
    explanation(key="one", **ended, finished=now)
    assert metrics()["FailedRows"] == 2


def test_it_takes_as_many_statements_for_much_as_for_little(django_assert_max_num_queries: Any) -> None:
    make_runs(make_user(), pictures=20)
    alive("a:1", tiny=10.0)
    for number in range(10):
        explanation(key=str(number))
    with django_assert_max_num_queries(9):
        scaling.measure()
