"""The way of a job on real servers, with workers killed: nothing is lost and nothing is answered twice.

`make soak` runs the full counts; here each fault is sampled, with generous ceilings.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import pictures, services
from tests.networks import make_artifact
from tests.services import LiveStack, PostgresServer, RedisServer, wait_until

Stack = Callable[..., LiveStack]


class Program:
    """A program with a token of a fresh account."""

    def __init__(self, stack: LiveStack) -> None:
        self.stack = stack
        source = (
            "from accounts.models import ApiToken, User;"
            "print(ApiToken.objects.issue(User.objects.create_user('p@example.com', None), 'p')[1])"
        )
        self.key = stack.python(source).strip().splitlines()[-1]

    def call(self, path: str, body: bytes | None = None, kind: str = "") -> Any:
        headers = {"Authorization": f"Token {self.key}"} | ({"Content-Type": kind} if kind else {})
        request = urllib.request.Request(self.stack.url + path, body, headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def send(self, count: int, model: str = "") -> list[str]:
        edge = "edge-of-the-form"
        body = b""
        for number in range(count):
            body += (
                f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="{number}.jpg"\r\n\r\n'
            ).encode()
            body += pictures.jpeg() + b"\r\n"
        if model:
            body += f'--{edge}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n'.encode()
        body += f"--{edge}--\r\n".encode()
        made = self.call("/api/v1/predictions/", body, f"multipart/form-data; boundary={edge}")
        return [entry["id"] for entry in made["results"]]

    def states(self, ids: list[str]) -> list[str]:
        return [self.call(f"/api/v1/predictions/{key}/")["status"] for key in ids]

    def wait_done(self, ids: list[str], seconds: float) -> None:
        wait_until(
            lambda: all(state == "done" for state in self.states(ids)),
            seconds,
            f"{len(ids)} predictions being done",
            pause=0.3,
        )


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> str:
    root: Path = tmp_path_factory.mktemp("artifacts")
    make_artifact(root, "tiny")
    make_artifact(root, "small", size=40, multiply_adds=2000)
    return str(root)


@pytest.fixture(scope="module")
def broker() -> Iterator[RedisServer]:
    with services.running_redis() as server:
        yield server


@pytest.fixture(scope="module")
def shared_stack(broker: RedisServer, postgres_server: PostgresServer, artifacts: str) -> Iterator[LiveStack]:
    database = postgres_server.new_database()
    with services.running_stack(database=database, broker=broker.url, ML_ARTIFACTS_DIR=artifacts) as stack:
        yield stack


@pytest.fixture(scope="module")
def shared_program(shared_stack: LiveStack) -> Program:
    return Program(shared_stack)


@pytest.fixture
def full_stack(shared_stack: LiveStack) -> LiveStack:
    """The site on Redis and PostgreSQL with one live worker, whatever the test before did to it."""
    living = [worker for worker in shared_stack.workers if worker.poll() is None]
    if len(living) != 1:
        shared_stack.start_worker()
    shared_stack.wait_ready()
    return shared_stack


@pytest.fixture
def program(full_stack: LiveStack, shared_program: Program) -> Program:
    return shared_program


def children(pid: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in found.stdout.split()]


def pool_children(worker: subprocess.Popen[bytes]) -> Iterator[int]:
    return iter(children(worker.pid))


def test_a_picture_goes_the_whole_way_over_redis_and_postgresql(
    full_stack: LiveStack, program: Program
) -> None:
    program.wait_done(program.send(3), 20)


def test_a_picture_goes_the_whole_way_with_files_and_sqlite(live_stack: Stack, artifacts: str) -> None:
    program = Program(live_stack(ML_ARTIFACTS_DIR=artifacts))
    program.wait_done(program.send(3), 20)


def test_a_killed_child_loses_nothing(full_stack: LiveStack, program: Program) -> None:
    worker = full_stack.workers[-1]
    sent: list[str] = []
    for _round in range(3):
        sent += program.send(20)
        for child in pool_children(worker):
            os.kill(child, signal.SIGKILL)
    program.wait_done(sent, 90)
    assert len(set(sent)) == 120


def test_a_killed_worker_loses_nothing_when_another_one_starts(
    full_stack: LiveStack, program: Program
) -> None:
    worker = full_stack.workers[-1]
    sent = program.send(30)
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait(5)
    sent += program.send(5)
    full_stack.start_worker()
    program.wait_done(sent, 110)


def test_a_terminated_worker_hands_back_what_it_has_not_finished(
    full_stack: LiveStack, program: Program
) -> None:
    worker = full_stack.workers[-1]
    sent = program.send(30)
    os.killpg(worker.pid, signal.SIGTERM)
    worker.wait(25)
    full_stack.start_worker()
    program.wait_done(sent, 60)


def test_a_message_delivered_three_times_gives_one_result(full_stack: LiveStack, program: Program) -> None:
    sent = program.send(10)
    full_stack.python("from predictions.tasks import predict; [predict.delay() for _ in range(30)]")
    program.wait_done(sent, 30)
    counted = full_stack.python(
        "from predictions.models import Prediction;"
        f"print(Prediction.objects.filter(pk__in={sent!r}, attempts=1, status='done').count())"
    )
    assert counted.split()[-1] == str(len(sent))


def test_redis_may_be_away_while_pictures_are_sent(program: Program, broker: RedisServer) -> None:
    broker.stop()
    sent = program.send(3)
    assert set(program.states(sent)) == {"queued"}
    broker.start()
    program.wait_done(sent, 60)


def test_an_emptied_redis_loses_no_picture(program: Program, broker: RedisServer) -> None:
    import redis

    sent = program.send(30)
    redis.Redis.from_url(broker.url).flushall()
    program.wait_done(sent, 60)


# --- the long runs of `make soak` --------------------------------------------------------------------------


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_hundred_killed_children_lose_nothing(full_stack: LiveStack, program: Program) -> None:
    sent: list[str] = []
    for _round in range(100):
        sent += program.send(5, "tiny")
        for child in pool_children(full_stack.workers[-1]):
            os.kill(child, signal.SIGKILL)
    program.wait_done(sent, 600)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_twenty_killed_workers_lose_nothing(full_stack: LiveStack, program: Program) -> None:
    sent: list[str] = []
    for _round in range(20):
        sent += program.send(5, "tiny")
        worker = full_stack.workers[-1]
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(5)
        full_stack.start_worker()
    program.wait_done(sent, 600)
