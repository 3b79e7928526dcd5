"""`manage.py run_timers`: what the workers' parents do again and again, done where there are no workers."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import OperationalError
from django.utils import timezone

from predictions import removal, timers
from predictions.jobs import Heartbeat, Timer
from predictions.management.commands import run_timers
from tests import services
from tests.services import wait_until

ROOT = services.ROOT


@pytest.fixture
def site(tmp_path: Path) -> dict[str, str]:
    """The environment of a site with tables and nothing else."""
    environment = {
        **services.inherited(),
        "DATA_DIR": str(tmp_path / "site"),
        "DATABASE_URL": "",
        "CELERY_BROKER_URL": "",
        "LOG_LEVEL": "INFO",
    }
    (tmp_path / "site").mkdir()
    services.prepare(tmp_path / "site", environment, with_database=True)
    return environment


def test_it_runs_the_timers_and_ends_at_once_when_told_to(site: dict[str, str]) -> None:
    command = [sys.executable, "-c", PROGRAM]
    process = subprocess.Popen(command, cwd=ROOT, env=site, stdout=subprocess.PIPE, text=True)
    link = sqlite3.connect(Path(site["DATA_DIR"]) / "convoscope.sqlite3", timeout=20)
    names = {name for name, _every, _action in timers.listed()}

    def run() -> set[str]:
        return {name for (name,) in link.execute("SELECT name FROM predictions_timer")}

    wait_until(lambda: run() == names, 30, "every timer having had its turn")
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    said, _none = process.communicate(timeout=10)
    assert time.monotonic() - begun < 2.5
    assert process.returncode == 0
    # It shows no life of a worker, and holds no network.
    assert link.execute("SELECT count(*) FROM predictions_heartbeat").fetchone() == (0,)
    heavy, megabytes = said.split()
    assert heavy == "False"
    assert int(megabytes) < 180
    link.close()


PROGRAM = """
import sys
sys.argv = ["manage.py", "run_timers"]
import manage
manage.main()
heavy = {"openvino", "tensorflow", "keras", "boto3"} & {name.partition(".")[0] for name in sys.modules}
megabytes = int(open("/proc/self/statm").read().split()[1]) * 4096 // 10**6
print(bool(heavy), megabytes)
"""


def test_an_unsafe_production_is_refused(site: dict[str, str]) -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "run_timers"],
        cwd=ROOT,
        env={**site, "ENVIRONMENT": "production", "ML_ARTIFACTS_DIR": site["DATA_DIR"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 1
    assert "convoscope.E001" in result.stderr
    assert "convoscope.E007" in result.stderr


def test_an_outage_of_the_database_is_said_once_and_survived(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    stopping = threading.Event()
    turns: list[int] = []

    def due(*details: Any) -> None:
        turns.append(1)
        if len(turns) < 4:
            raise OperationalError("password=secret")
        stopping.set()

    monkeypatch.setattr(run_timers, "close_old_connections", lambda: None)
    monkeypatch.setattr(run_timers, "connection", Mock())
    monkeypatch.setattr(timers, "run_due", due)
    run_timers.run(stopping, pause=0)
    said = [record.getMessage() for record in caplog.records]
    assert said == ["Timers: put off until it works again (OperationalError).", "Timers: it works again."]


@pytest.mark.django_db
@pytest.mark.usefixtures("no_wake_ups")
def test_between_two_timers_it_can_be_told_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[bool] = []
    monkeypatch.setattr(removal, "purge", lambda: stopped.append(True))
    timers.run_due(lambda: bool(stopped))
    assert not Timer.objects.filter(name="drafts").exists()
    assert Timer.objects.filter(name="deleted predictions").exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("no_wake_ups")
def test_a_site_and_its_workers_share_the_timers(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    from predictions import scaling, worker

    settings.CLOUDWATCH_NAMESPACE = "Convoscope/tests"
    sent: list[str] = []
    monkeypatch.setattr(scaling, "report", lambda: sent.append("metrics"))
    timers.run_due()
    worker.tick("host:1")
    assert sent == ["metrics"]
    Timer.objects.update(next_run=timezone.now() - timedelta(seconds=1))
    timers.run_due()
    assert sent == ["metrics"] * 2
    assert Heartbeat.objects.count() == 1


def test_without_a_namespace_there_are_no_metrics(settings: Any) -> None:
    settings.CLOUDWATCH_NAMESPACE = ""
    assert "metrics" not in [name for name, _every, _action in timers.listed()]
