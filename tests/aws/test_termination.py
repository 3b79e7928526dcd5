"""A machine that Auto Scaling ends: what the watch does, and a fleet of two that loses one of them."""

from __future__ import annotations

import errno
import http.client
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from accounts import draining
from accounts import tasks as long_tasks
from predictions import metadata, termination
from predictions.models import Prediction
from predictions.termination import Watch
from tests import services
from tests.aws.machine import GROUP, HOOK, Machine, running_machine
from tests.factories import make_runs, make_user
from tests.networks import make_artifact
from tests.services import LiveStack, RedisServer, wait_until


class Parent:
    """The parent of a worker, as far as the watch knows it."""

    def __init__(self) -> None:
        self.stopped = 0
        self.ended = 0

    def stop_taking(self) -> None:
        self.stopped += 1

    def end_long_tasks(self) -> int:
        self.ended += 1
        return 0


@pytest.fixture
def machine(moto: str, tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    with running_machine(moto) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        settings.DATA_DIR = tmp_path
        settings.TERMINATION_HOOK = HOOK
        monkeypatch.setattr(metadata, "_token_until", 0.0)
        monkeypatch.setattr(termination, "SETTLE_SECONDS", 0.0)
        monkeypatch.setattr(termination, "RENEW_SECONDS", 0.0)
        yield found


@pytest.fixture
def claimed(db: None, small_networks: list[str], no_wake_ups: list[str]) -> tuple[str, list[Prediction]]:
    """What this machine has in hand."""
    make_runs(make_user(), pictures=2, models=("tiny",))
    return Prediction.objects.claim(8)


COMPLETE, HEARTBEAT = "CompleteLifecycleAction", "RecordLifecycleActionHeartbeat"


def test_a_machine_in_service_works_on(machine: Machine) -> None:
    parent = Parent()
    Watch(parent).look()
    assert not draining.draining()
    assert (parent.stopped, machine.calls) == (0, [])


@pytest.mark.django_db
def test_an_idle_machine_is_done_at_once_and_says_so_once(machine: Machine) -> None:
    machine.state = "Terminated"
    answering, lab = Watch(Parent()), Watch(Parent())
    for watch in (answering, lab, answering, lab):
        watch.look()
    assert draining.draining()
    assert machine.calls == [
        {
            "Action": COMPLETE,
            "Version": "2011-01-01",
            "LifecycleHookName": HOOK,
            "AutoScalingGroupName": GROUP,
            "InstanceId": machine.instance,
            "LifecycleActionResult": "CONTINUE",
        }
    ]


@pytest.mark.usefixtures("db")
def test_it_begins_nothing_and_finishes_what_it_has(
    machine: Machine, claimed: tuple[str, list[Prediction]]
) -> None:
    claim, runs = claimed
    machine.state = "Terminated"
    parent = Parent()
    watch = Watch(parent)
    watch.look()
    watch.look()
    assert set(machine.actions()) == {HEARTBEAT}
    assert (parent.stopped, Prediction.objects.claim(8)[1]) == (1, [])
    Prediction.objects.finish_all(
        claim,
        {run.pk: Prediction.answer_fields("tiny", [(i, "", 0.1) for i in range(5)]) for run in runs},
    )
    watch.look()
    assert machine.actions()[-1] == COMPLETE
    assert set(Prediction.objects.values_list("status", "attempts")) == {("done", 1)}


@pytest.mark.usefixtures("claimed")
def test_what_does_not_end_is_handed_back_without_costing_an_attempt(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(termination, "PATIENCE_SECONDS", 0.0)
    machine.state = "Terminated"
    Watch(Parent()).look()
    assert machine.actions() == [COMPLETE]
    assert set(Prediction.objects.values_list("status", "attempts", "claimed_by")) == {("queued", 0, "")}


@pytest.mark.django_db
def test_a_long_task_is_waited_for_and_none_is_begun(machine: Machine) -> None:
    machine.state = "Terminated"
    watch = Watch(Parent())
    with long_tasks.alone() as free:
        assert free
        watch.look()
    assert COMPLETE not in machine.actions()
    with long_tasks.alone() as free:
        assert not free
    watch.look()
    assert machine.actions()[-1] == COMPLETE


@pytest.mark.django_db
def test_auto_scaling_that_refuses_costs_one_line(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    machine.state, machine.refuses = "Terminated", "You are not authorised"
    watch = Watch(Parent())
    for _beat in range(3):
        watch.look()
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert [line for line in lines if "could not be told" in line] == [lines[-1]]
    assert "You are not authorised" in lines[-1]
    assert draining.draining()


@pytest.mark.django_db
def test_a_hook_whose_time_was_up_is_no_failure(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    machine.state, machine.refuses = "Terminated", "No active Lifecycle Action found with instance ID i-1"
    Watch(Parent()).look()
    assert "could not be told" not in caplog.text


@pytest.mark.django_db
def test_a_hook_that_begins_after_the_load_balancer_has_drained_is_ended_then(machine: Machine) -> None:
    """EC2 says that the machine goes before Auto Scaling waits for its word."""
    machine.state, machine.refuses = "Terminated", "No active Lifecycle Action found with instance ID i-1"
    watch = Watch(Parent())
    watch.look()
    watch.look()
    machine.refuses = ""
    machine.calls.clear()
    for _beat in range(3):
        watch.look()
    assert machine.actions() == [COMPLETE]


@pytest.mark.django_db
def test_a_spot_machine_drains_and_asks_nobody(machine: Machine) -> None:
    machine.spot = "terminate"
    parent = Parent()
    Watch(parent).look()
    assert (draining.draining(), parent.stopped, machine.calls) == (True, 1, [])


def test_without_an_answer_from_ec2_the_machine_works_on_and_says_so_once(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.away = True
    caplog.set_level("INFO")
    watch = Watch(Parent())
    watch.look()
    watch.look()
    assert not draining.draining()
    machine.away = False
    watch.look()
    assert [record.levelname for record in caplog.records if "asking ec2" in record.getMessage().lower()] == [
        "WARNING",
        "INFO",
    ]


@pytest.mark.django_db
def test_what_ec2_said_before_it_fell_silent_holds(machine: Machine) -> None:
    machine.state = "Terminated"
    watch = Watch(Parent())
    watch.look()
    machine.away = True
    watch.look()
    assert draining.draining()


def test_a_token_that_is_over_is_replaced(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "_token", "an old one")
    monkeypatch.setattr(metadata, "_token_until", time.monotonic() + 60)
    assert metadata.text("instance-id") == machine.instance


def test_a_machine_made_from_an_image_of_one_that_went_takes_work(machine: Machine) -> None:
    draining.begin()
    Watch(Parent()).look()
    assert not draining.draining()


@pytest.mark.django_db
def test_a_worker_that_asked_a_moment_too_early_takes_nothing_back(machine: Machine) -> None:
    early = Watch(Parent())
    early.look()
    # The other worker of this machine has heard of it between this one's question and its answer.
    draining.begin()
    early.look()
    assert draining.draining()


@pytest.mark.django_db
def test_on_a_full_disk_it_takes_no_more_messages_and_drains_as_soon_as_it_can(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> bool:
        raise OSError(errno.ENOSPC, "No space left on device")

    machine.state = "Terminated"
    parent = Parent()
    watch = Watch(parent)
    with monkeypatch.context() as patch:
        patch.setattr(draining, "begin", full)
        watch.look()
    assert (parent.stopped, draining.draining(), machine.calls) == (1, False, [])
    watch.look()
    assert (parent.stopped, draining.draining(), machine.actions()) == (1, True, [COMPLETE])


@pytest.mark.django_db
def test_what_is_no_http_at_all_is_no_answer(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def nonsense(*arguments: Any, **options: Any) -> Any:
        raise http.client.BadStatusLine("SSH-2.0-OpenSSH_9.6")

    monkeypatch.setattr(metadata._opener, "open", nonsense)
    Watch(Parent()).look()
    assert not draining.draining()


@pytest.mark.django_db
def test_without_a_database_it_goes_when_its_patience_ends(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(model: Any) -> Any:
        raise OperationalError("connection refused")

    monkeypatch.setattr(termination, "_claims", away)
    machine.state = "Terminated"
    watch = Watch(Parent())
    watch.look()
    assert COMPLETE not in machine.actions()
    monkeypatch.setattr(termination, "PATIENCE_SECONDS", 0.0)
    watch.look()
    assert machine.actions()[-1] == COMPLETE


# --- a fleet of two ----------------------------------------------------------------------------------------


COUNT = 420
MAKE = f"""
from accounts.models import DataExport
from predictions.models import Network, Prediction
from tests.factories import make_runs, make_user
Network.synchronise()
make_runs(make_user("fleet@example.com"), pictures=2, models=("tiny",))
first = list(Prediction.objects.values("owner_id", "upload_id", "batch_id", "model_id", "network_input_id"))
Prediction.objects.bulk_create(Prediction(**first[n % 2]) for n in range({COUNT} - 2))
DataExport.objects.create(owner_id=first[0]["owner_id"])
"""


def start(folder: Path, name: str, environment: dict[str, str]) -> LiveStack:
    """One machine: a folder and a name of its own."""
    data = folder / name
    data.mkdir()
    stack = LiveStack(data, 0, {**environment, "DATA_DIR": str(data), "TEST_HOST": name})
    stack.start_worker("predictions")
    return stack


@pytest.mark.timeout(120)
def test_a_fleet_that_loses_a_machine_loses_nothing(
    moto: str, own_redis: RedisServer, tmp_path: Path
) -> None:
    make_artifact(tmp_path / "networks", "tiny", size=24, multiply_adds=1_000)
    environment = {
        **services.inherited(),
        "DJANGO_SETTINGS_MODULE": "tests.aws.slow_site",
        "ENVIRONMENT": "local",
        "DATABASE_URL": f"sqlite:///{tmp_path}/convoscope.sqlite3",
        "CELERY_BROKER_URL": own_redis.url,
        "ML_ARTIFACTS_DIR": str(tmp_path / "networks"),
        "RATE_LIMITS": "0",
        "TEST_BATCH_SECONDS": "1.2",
        "TEST_QUICKLY": str(tmp_path / "quickly"),
        "DATA_DIR": str(tmp_path),
        "LOG_LEVEL": "INFO",
    }
    services.prepare(tmp_path, environment, with_database=True)
    with running_machine(moto) as machine:
        first = LiveStack(tmp_path, 0, environment)
        first.python(MAKE)
        going = staying = None
        try:
            going = start(tmp_path, "going", {**environment, **machine.environment})
            going.start_lab()
            staying = start(tmp_path, "staying", environment)
            own_rows(tmp_path, going, staying, machine)
        finally:
            for stack in (going, staying):
                if stack is not None:
                    stack.stop()


def own_rows(folder: Path, going: LiveStack, staying: LiveStack, machine: Machine) -> None:
    import sqlite3

    link = sqlite3.connect(f"file:{folder}/convoscope.sqlite3?mode=ro", uri=True, timeout=20)

    def one(sql: str, *values: Any) -> Any:
        return link.execute(sql, values).fetchone()[0]

    archive = "SELECT count(*) FROM accounts_dataexport WHERE status = 'running'"
    wait_until(lambda: one(archive) == 1, 30, f"an archive being made\n{going.log('lab')}")
    both = (
        "SELECT count(DISTINCT substr(claimed_by, 1, 5)) FROM predictions_prediction WHERE status = 'running'"
    )
    wait_until(lambda: one(both) == 2, 30, f"both machines being at work\n{going.log('worker1')}")
    machine.state = "Terminated"
    flag = going.folder / "draining"
    wait_until(flag.exists, 15, f"the machine hearing of it\n{going.log('worker1')}")
    told = flag.stat().st_mtime
    wait_until(lambda: machine.actions() == [COMPLETE], 30, f"the machine being done\n{going.log('worker1')}")
    assert time.time() - told < 10
    # Nothing is left with it, nothing was begun after it was told, and nobody counts on it.
    claims = "SELECT count(*) FROM predictions_prediction WHERE claimed_by LIKE 'going:%'"
    assert one(claims) == 0
    assert one("SELECT count(*) FROM predictions_prediction WHERE status = 'queued'") > 0
    assert one("SELECT count(*) FROM predictions_heartbeat WHERE name LIKE 'going:%'") == 0
    (folder / "quickly").touch()
    seen: list[Any] = []
    late = "SELECT started FROM predictions_prediction WHERE claimed_by LIKE 'going:%' AND status = 'running'"

    def all_done() -> bool:
        seen.extend(link.execute(late).fetchall())
        return bool(one("SELECT count(*) FROM predictions_prediction WHERE status = 'done'") == COUNT)

    wait_until(all_done, 40, f"all being answered\n{staying.log('worker1')}")
    assert seen == []
    assert one("SELECT count(*) FROM predictions_prediction WHERE attempts <> 1") == 0
    assert "No messages are taken from the queue predictions" in going.log("worker1")
    # The archive that it was in the middle of waits for another machine, as if it had not been tried.
    assert link.execute("SELECT status, attempts FROM accounts_dataexport").fetchall() == [("queued", 0)]
    link.close()
