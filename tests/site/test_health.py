"""/healthz says that the process is up, /readyz that a picture sent now would be classified."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from classifier_site import health

PARTS = ["database", "storage", "broker", "worker"]


@pytest.fixture
def probes(monkeypatch):
    """Every part well; a test spoils one."""

    def spoil(**replaced):
        for name in PARTS:
            probe = replaced.get(
                name, (lambda: ("ok", {"a-network": "1"})) if name == "worker" else (lambda: "ok")
            )
            monkeypatch.setattr(health, f"_{name}", probe)

    spoil()
    return spoil


def fail(error):
    def probe():
        raise error

    return probe


def test_healthz_asks_nothing(client):
    """Without the database mark pytest-django refuses any query."""
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_a_load_balancer_may_ask_by_address_and_without_https(client, settings, probes, address):
    settings.ALLOWED_HOSTS = ["convoscope.example"]
    settings.SECURE_SSL_REDIRECT = True
    response = client.get(address, headers={"host": "10.0.0.7"})
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"


def test_ready_names_every_part_and_the_networks(client, probes):
    response = client.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", **dict.fromkeys(PARTS, "ok"), "models": {"a-network": "1"}}


@pytest.mark.parametrize("missing", PARTS)
def test_one_missing_part_is_503_and_the_others_are_still_named(client, probes, missing):
    probes(**{missing: fail(RuntimeError("password=hidden"))})
    response = client.get("/readyz")
    assert response.status_code == 503
    body = response.json()
    assert body["status"] == "unavailable"
    assert "RuntimeError" in body[missing]
    assert "hidden" not in response.content.decode()
    assert all(body[name] == "ok" for name in PARTS if name != missing)


def test_a_part_that_hangs_costs_its_time_and_is_not_asked_twice(client, probes, monkeypatch):
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.2)
    release, calls = threading.Event(), []

    def hang():
        calls.append(1)
        release.wait(30)
        return "ok"

    probes(storage=hang)
    try:
        for _ in range(3):
            body = client.get("/readyz").json()
            assert "no answer" in body["storage"]
            assert body["database"] == "ok"
        assert len(calls) == 1
    finally:
        release.set()


@pytest.mark.django_db(transaction=True)
class TestWorkers:
    def beat(self, *, age: int, models: dict[str, str]):
        from predictions.models import Heartbeat

        Heartbeat.objects.create(name=f"w{age}", seen=timezone.now() - timedelta(seconds=age), models=models)

    def test_no_worker(self):
        assert health._worker() == ("no worker has been seen for 15 s", {})

    def test_a_worker_that_prepares_archives_answers_nothing(self):
        from predictions.models import Heartbeat

        Heartbeat.objects.create(name="lab", queues="lab")
        assert health._worker() == ("no worker has been seen for 15 s", {})

    def test_a_worker_of_both_queues_counts(self, small_networks):
        from predictions.models import Heartbeat

        Heartbeat.objects.create(name="both", queues="lab,predictions", models={"tiny": "1", "small": "1"})
        assert health._worker() == ("ok", {"tiny": "1", "small": "1"})

    def test_a_worker_that_was_seen_too_long_ago(self):
        self.beat(age=16, models={"a-network": "1"})
        assert health._worker() == ("no worker has been seen for 15 s", {})

    def test_a_worker_without_networks(self):
        self.beat(age=1, models={})
        assert health._worker() == ("a worker is up but has loaded no network", {})

    def test_live_workers_have_every_network_between_them(self, small_networks):
        self.beat(age=1, models={"tiny": "1"})
        self.beat(age=2, models={"small": "2"})
        assert health._worker() == ("ok", {"tiny": "1", "small": "2"})

    def test_a_network_that_no_worker_has_loaded_is_named(self, small_networks, client):
        self.beat(age=1, models={"small": "2"})
        self.beat(age=16, models={"tiny": "1"})
        response = client.get("/readyz")
        assert response.status_code == 503
        assert response.json()["worker"] == "no worker has loaded: tiny"
        assert response.json()["models"] == {"small": "2"}

    def test_a_damaged_network_is_missed_as_well(self, small_networks, tmp_path):
        (tmp_path / "artifacts" / "tiny" / "card.json").write_text("{")
        self.beat(age=1, models={"small": "2"})
        assert health._worker()[0] == "no worker has loaded: tiny"

    def test_the_database_answers(self):
        assert health._database() == "ok"


def test_the_local_broker_and_storage_are_folders_that_can_be_written(own_media):
    assert health._broker() == "ok"
    assert health._storage() == "ok"


def test_a_full_disk_is_told(own_media, monkeypatch):
    class Usage:
        free = 1

    monkeypatch.setattr(health.shutil, "disk_usage", lambda folder: Usage)
    assert health._storage() == "the disk is full"
