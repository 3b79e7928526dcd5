"""A worker whose networks are on a TensorFlow Serving: what it reports, and what happens to rows meanwhile.

The server is a stand-in on loopback that runs the real SavedModel of a small network with random weights.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml import artifact, saved_model
from ml.preprocessing import normalise
from predictions import inference, tasks, worker
from predictions.jobs import Heartbeat
from predictions.models import Network, Prediction
from tests.factories import make_runs, make_user
from tests.ml import networks_for_tests
from tests.services import free_port
from tests.serving import ServingServer, running_server

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups")]
NAME = "wideresnet"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Artifacts, and what was written for the server."""
    artifacts, served = tmp_path_factory.mktemp("artifacts"), tmp_path_factory.mktemp("served")
    saved_model.export(networks_for_tests.write_artifact(artifacts, NAME), served)
    return artifacts, served


@pytest.fixture
def elsewhere(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, settings: Any) -> int:
    """The worker's settings; the port at which the server is expected, where nobody listens yet."""
    port = free_port()
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(folders[0]))
    monkeypatch.setenv("ML_SERVING_URL", f"http://127.0.0.1:{port}")
    settings.ML_ENGINE = "tensorflow_serving"
    monkeypatch.setattr(inference, "_predictors", {})
    monkeypatch.setattr(inference, "_complaints", {})
    Network.synchronise()
    return port


@pytest.fixture
def server(elsewhere: int, folders: tuple[Path, Path]) -> Iterator[ServingServer]:
    with running_server(folders[1], port=elsewhere) as running:
        yield running


def states() -> list[tuple[str, int]]:
    return list(Prediction.objects.order_by("created").values_list("status", "attempts"))


def test_predictions_are_answered_by_the_server_with_the_artifacts_version(server: ServingServer) -> None:
    make_runs(make_user(), pictures=3, models=(NAME,))
    tasks.predict()
    assert {run.status for run in Prediction.objects.all()} == {"done"}
    assert {run.artifact for run in Prediction.objects.all()} == {artifact.load_card(NAME).version}
    assert len(server.asked) == 1


def test_without_the_server_predictions_wait_and_lose_no_attempt(
    elsewhere: int, folders: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    make_runs(make_user(), pictures=2, models=(NAME,))
    for _ in range(5):
        tasks.predict()
    assert states() == [("queued", 0)] * 2
    records = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert records
    assert all(f"TensorFlow Serving at 127.0.0.1:{elsewhere}" in record.getMessage() for record in records)
    assert not any(record.exc_info for record in records)
    with running_server(folders[1], port=elsewhere):
        tasks.predict()
    assert [status for status, _ in states()] == ["done"] * 2


def test_a_server_that_goes_away_in_between_makes_predictions_wait(
    elsewhere: int, folders: tuple[Path, Path]
) -> None:
    with running_server(folders[1], port=elsewhere):
        assert inference.load_all() == {NAME: artifact.load_card(NAME).version}
    make_runs(make_user(), pictures=2, models=(NAME,))
    tasks.predict()
    assert states() == [("queued", 0)] * 2


def test_one_picture_that_the_server_refuses_fails_alone(server: ServingServer) -> None:
    make_runs(make_user(), pictures=3, models=(NAME,))
    second = Prediction.objects.order_by("created")[1]
    black = np.zeros((1, 32, 32, 3), np.uint8)
    second.network_input.pixels = black.tobytes()
    second.network_input.save()
    server.poison = normalise(black, artifact.load_card(NAME).preprocessing).tobytes()
    tasks.predict()
    assert [status for status, _ in states()] == ["done", "failed", "done"]


def test_a_server_with_another_version_ends_predictions_in_a_sentence(
    server: ServingServer, tmp_path: Path, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert inference.load_all()
    networks_for_tests.write_artifact(tmp_path, NAME, version="the-next")
    server.folder = tmp_path / "served"
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    saved_model.export(artifact.load_card(NAME), server.folder)
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(folders[0]))
    make_runs(make_user(), models=(NAME,))
    tasks.predict()
    run = Prediction.objects.get()
    assert (run.status, run.error_code) == ("failed", "no_artifact")


# --- readiness ---------------------------------------------------------------------------------------------


def beat() -> dict[str, str]:
    worker.tick("host:1")
    return Heartbeat.objects.get(name="host:1").models


def test_the_heartbeat_follows_the_server_and_the_log_says_each_change_once(
    elsewhere: int, folders: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "predictions.inference")
    assert inference.load_all() == {}
    caplog.clear()
    assert [beat(), beat()] == [{}, {}]
    with running_server(folders[1], port=elsewhere) as server:
        assert [beat(), beat()] == [{NAME: artifact.load_card(NAME).version}] * 2
        server.state = "UNLOADING"
        assert beat() == {}
    said = [record.getMessage() for record in caplog.records]
    place = f"TensorFlow Serving at 127.0.0.1:{elsewhere}"
    assert said == [
        f"The network {NAME}: {place} does not answer (ConnectionRefusedError).",
        f"The network {NAME}: answers again.",
        f"The network {NAME}: {place} has not loaded {NAME} yet.",
    ]


def test_a_worker_that_computes_itself_asks_no_server(small_networks: list[str]) -> None:
    assert inference.served() is None
    worker._beat("host:1", models={"tiny": "tiny-1"})
    assert beat() == {"tiny": "tiny-1"}


# --- the processor -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "vnni", "lines"),
    [("openvino", False, 1), ("openvino", True, 0), ("openvino", None, 0), ("tensorflow", False, 0)],
)
def test_a_worker_on_a_processor_without_vnni_says_so(
    engine: str,
    vnni: bool | None,
    lines: int,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.ML_ENGINE = engine
    monkeypatch.setattr(worker.config, "has_vnni", lambda: vnni)
    monkeypatch.setattr(worker, "_run_timers", lambda name, instance: None)
    monkeypatch.setattr(worker.os, "register_at_fork", lambda **hooks: None)
    worker.start_timers(instance=None)
    assert sum("no VNNI" in record.getMessage() for record in caplog.records) == lines
