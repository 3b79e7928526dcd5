"""What a worker's machine answers to its load balancer, from the signs of life of real workers and of made ones."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from classifier_site import worker_health
from predictions import signs
from tests import services
from tests.networks import make_artifact
from tests.services import LiveStack, free_port, wait_until


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(worker_health, "DATA_DIR", tmp_path)
    return tmp_path


def ask(path: str = "/healthz", method: str = "GET") -> tuple[int, dict[str, Any]]:
    told: list[str] = []
    body = b"".join(
        worker_health.application(
            {"PATH_INFO": path, "REQUEST_METHOD": method}, lambda status, headers: told.append(status)
        )
    )
    return int(told[0].split()[0]), json.loads(body or b"{}")


def leave(folder: Path, name: str, **says: Any) -> None:
    signs.leave(folder, name, **{"pid": 7, "stuck": "", "draining": False, "loads": name == "worker", **says})


def well(folder: Path) -> None:
    leave(folder, "worker")
    leave(folder, "lab")
    signs.loaded(folder, "worker", 7, {"tiny": "tiny-1"})


def test_before_the_first_sign_it_is_starting(folder: Path) -> None:
    status, says = ask()
    assert status == 503
    assert says["worker"] == says["lab"] == "no sign of life yet"


def test_both_workers_alive_and_the_networks_loaded_is_well(folder: Path) -> None:
    well(folder)
    assert ask() == (200, {"status": "ok", "worker": "ok", "lab": "ok", "draining": False})
    assert ask(method="HEAD") == (200, {})


@pytest.mark.parametrize("name", ["worker", "lab"])
def test_one_that_fell_silent_is_named(folder: Path, name: str) -> None:
    well(folder)
    past = time.time() - 40
    os.utime(folder / "signs" / f"{name}.json", (past, past))
    status, says = ask()
    assert status == 503
    assert says[name] == "no sign of life for 40 s"


def test_a_worker_is_not_well_before_its_networks_are_loaded(folder: Path) -> None:
    well(folder)
    # Started again: what the one before it had loaded says nothing.
    leave(folder, "worker", pid=8)
    assert ask()[1]["worker"] == "its networks are being loaded"
    signs.loaded(folder, "worker", 8, {})
    assert (ask()[0], ask()[1]["worker"]) == (503, "it has loaded no network")
    signs.loaded(folder, "worker", 8, {"tiny": "tiny-1"})
    assert ask()[0] == 200


def test_in_a_container_the_next_worker_has_the_same_number(folder: Path) -> None:
    well(folder)
    signs.starts(folder, "worker")
    assert ask()[1]["worker"] == "its networks are being loaded"
    signs.loaded(folder, "worker", 7, {"tiny": "tiny-1"})
    assert ask()[0] == 200


def test_where_a_server_answers_there_is_nothing_to_load(folder: Path) -> None:
    leave(folder, "worker", loads=False)
    leave(folder, "lab")
    assert ask()[0] == 200


def test_a_stuck_worker_says_why(folder: Path) -> None:
    well(folder)
    leave(folder, "worker", stuck="its main loop has not turned for 70 s")
    assert (ask()[0], ask()[1]["worker"]) == (503, "its main loop has not turned for 70 s")


def test_a_machine_that_drains_is_well(folder: Path) -> None:
    well(folder)
    leave(folder, "worker", draining=True)
    assert ask() == (200, {"status": "ok", "worker": "ok", "lab": "ok", "draining": True})


def test_a_damaged_sign_is_no_sign(folder: Path) -> None:
    well(folder)
    (folder / "signs" / "lab.json").write_text("{")
    assert ask()[0] == 503


def test_on_a_full_disk_the_sign_stays_fresh(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    well(folder)
    path = folder / "signs" / "worker.json"
    os.utime(path, (0, 0))

    def full(*arguments: Any, **options: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    leave(folder, "worker")
    assert ask()[0] == 200


@pytest.mark.parametrize("path", ["/", "/readyz", "/healthz/", "/predict/"])
def test_there_is_nothing_else(path: str) -> None:
    assert ask(path)[0] == 404
    assert ask(method="POST")[0] == 405


# --- with real processes -----------------------------------------------------------------------------------


def health_command(port: int) -> list[str]:
    command = [services.PYTHON, "-m", "gunicorn", "classifier_site.worker_health:application"]
    return [
        *command,
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "1",
        "--threads",
        "2",
        "--no-control-socket",
    ]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[LiveStack]:
    """A worker's machine with neither database nor Redis: both are away from its first second on."""
    make_artifact(tmp_path / "networks", "tiny", size=24, multiply_adds=1_000)
    environment = {
        **services.inherited(),
        "ENVIRONMENT": "local",
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"postgres://nobody@127.0.0.1:{free_port()}/none",
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{free_port()}/0",
        "ML_ARTIFACTS_DIR": str(tmp_path / "networks"),
        "LOG_LEVEL": "INFO",
    }
    stack = LiveStack(tmp_path, free_port(), environment)
    try:
        stack.web = stack._spawn(health_command(stack.port), "health.log")
        yield stack
    finally:
        # They would look for their broker as long as they may.
        for process in stack.workers:
            process.kill()
        stack.stop()


def test_a_machine_without_database_and_redis_becomes_and_stays_well_until_its_worker_dies(
    machine: LiveStack,
) -> None:
    wait_until(lambda: machine.status("/healthz") == 503, 20, "the health check starting")
    worker = machine.start_worker("predictions")
    machine.start_lab()
    wait_until(
        lambda: machine.status("/healthz") == 200,
        40,
        f"being well\n{machine.log('worker1')}{machine.body('/healthz')}",
    )
    os.killpg(worker.pid, signal.SIGKILL)
    # What 30 s do.
    sign = machine.folder / "signs" / "worker.json"
    past = time.time() - 31
    os.utime(sign, (past, past))
    assert machine.status("/healthz") == 503
    assert json.loads(machine.body("/healthz"))["lab"] == "ok"
