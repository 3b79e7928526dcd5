"""Celery is transport only, and a dead or silent broker does not hold up the site."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from kombu.exceptions import OperationalError

from accounts import tasks
from classifier_site import supervisor
from classifier_site.celery import app
from predictions.jobs import LEASE
from tests.services import ROOT

PROCFILE = (ROOT / "Procfile").read_text().splitlines()
REDIS_OPTIONS = """
import json
from django.conf import settings
print(json.dumps(settings.CELERY_BROKER_TRANSPORT_OPTIONS))
"""


def test_nothing_is_kept_of_a_task_and_nothing_runs_in_the_callers_process():
    assert app.conf.task_ignore_result is True
    assert app.conf.result_backend is None
    assert app.conf.task_always_eager is False
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"


def test_the_local_queue_is_a_folder_that_is_asked_often():
    options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
    assert settings.CELERY_BROKER_URL == "filesystem://"
    assert options["polling_interval"] <= 0.05
    assert options["data_folder_in"] == options["data_folder_out"]
    assert Path(options["data_folder_in"]).is_relative_to(settings.DATA_DIR)


def test_what_takes_long_has_a_queue_of_its_own_with_a_longer_limit():
    app.loader.import_default_modules()
    for name in ("accounts.prepare_exports", "accounts.erase_accounts"):
        assert app.amqp.router.route({}, name)["queue"].name == "archives"
        assert app.tasks[name].time_limit == 3600
    assert app.tasks["predictions.predict"].time_limit == 55


def test_somebody_works_on_every_queue():
    """In production as under `make run`: a queue without a worker would only grow."""
    consumed = [line.split("--queues ")[1].split()[0] for line in PROCFILE if "--queues" in line]
    assert sorted(consumed) == ["lab,archives", "predictions"]
    commands = [supervisor.worker_command(), supervisor.lab_command()]
    assert sorted(command[command.index("--queues") + 1] for command in commands) == sorted(consumed)
    routed = {route["queue"] for route in app.conf.task_routes.values()}
    assert routed | {app.conf.task_default_queue} == set(",".join(consumed).split(","))


def test_an_archive_does_not_hold_figures_up():
    """They share a worker with two processes, and only one long task runs at a time."""
    (lab,) = [line for line in PROCFILE if line.startswith("lab:")]
    for words in (lab.split(), supervisor.lab_command()):
        assert words[words.index("--concurrency") + 1] == "2"
    with tasks.alone() as first:
        assert first
        with tasks.alone() as second:
            assert not second
    with tasks.alone() as again:
        assert again


def test_the_worker_for_figures_and_archives_gives_way_to_the_one_that_answers():
    (lab,) = [line for line in PROCFILE if line.startswith("lab:")]
    for words in (lab.split(), supervisor.lab_command()):
        assert words[words.index("nice") : words.index("nice") + 3] == ["nice", "-n", "10"]
        # Two workers of one host need two names. when_role puts the host's in, because systemd has a %h of its own.
        assert words[words.index("--hostname") + 1] in ("lab@%h", "lab@HOST")


def test_explanations_have_a_queue_of_their_own():
    router = app.amqp.router
    app.loader.import_default_modules()
    assert router.route({}, "learn.explain")["queue"].name == "lab"
    # Below the lease of a row: what runs longer is dead, and nobody else has begun it.
    assert app.tasks["learn.explain"].time_limit == 55 < LEASE.total_seconds()
    assert router.route({}, "predictions.tasks.predict")["queue"].name == "predictions"
    assert app.conf.task_default_queue == "predictions"


@pytest.fixture
def producer(own_redis, tmp_path, monkeypatch):
    """An application with the site's own settings for Redis."""
    import json
    import os
    import subprocess
    import sys

    environment = {**os.environ, "CELERY_BROKER_URL": own_redis.url, "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", REDIS_OPTIONS]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    other = Celery("producer", broker=own_redis.url, set_as_current=False)
    other.conf.update(
        broker_transport_options=json.loads(result.stdout.splitlines()[-1]),
        task_publish_retry=settings.CELERY_TASK_PUBLISH_RETRY,
        broker_connection_timeout=settings.CELERY_BROKER_CONNECTION_TIMEOUT,
        task_ignore_result=True,
    )
    yield other
    other.close()


@pytest.mark.parametrize("outage", ["stopped", "frozen"])
def test_publishing_into_an_outage_ends_within_1_5_s_and_works_again_after_it(producer, own_redis, outage):
    producer.send_task("predictions.any")
    if outage == "stopped":
        own_redis.stop(signal.SIGKILL)
    else:
        own_redis.freeze()
    for _ in range(2):
        started = time.monotonic()
        with pytest.raises(OperationalError):
            producer.send_task("predictions.any")
        assert time.monotonic() - started < 1.5
    if outage == "stopped":
        own_redis.start()
    else:
        own_redis.resume()
    producer.send_task("predictions.any")
