"""How many connections to PostgreSQL the processes hold, that the largest fleet fits the database, and TLS to Redis."""

from __future__ import annotations

import math
import re
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests import services
from tests.networks import make_artifact
from tests.services import ROOT, LiveStack, PostgresServer

# At most, as docs/operations.md has it. The first test below measures them.
WEB = {"threads of two processes": 16, "probes of /readyz": 4, "timers": 1}
WORKER = {"worker": 2, "lab": 4}
WITH_POOL = 8
# Migrations, what a release makes, somebody at a prompt; and what PostgreSQL and RDS keep for themselves.
OTHERS, RESERVED = 10, 10
# Of its memory an instance has less than its class is named for, and RDS allows a connection for so many bytes.
USABLE, BYTES = 0.8, 9_531_392
GIB = {"micro": 1, "small": 2, "medium": 4, "large": 8}


def web_command(port: int) -> list[str]:
    """As ``Procfile`` has it."""
    command = [services.PYTHON, "-m", "gunicorn", "classifier_site.wsgi", "--bind", f"127.0.0.1:{port}"]
    return [*command, "--worker-class", "gthread", "--workers", "2", "--threads", "8", "--no-control-socket"]


@dataclass
class Site:
    stack: LiveStack
    postgres: PostgresServer
    key: str

    def ask(self, path: str = "/api/v1/predictions/") -> tuple[int, float]:
        """The status, and after how many seconds."""
        begun = time.monotonic()
        request = urllib.request.Request(
            self.stack.url + path, headers={"Authorization": f"Token {self.key}"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                response.read()
                status = response.status
        except urllib.error.HTTPError as error:
            status = error.code
        return status, time.monotonic() - begun

    def ask_at_once(self, count: int = 16, path: str = "/api/v1/predictions/") -> list[tuple[int, float]]:
        answers: list[tuple[int, float]] = []
        threads = [threading.Thread(target=lambda: answers.append(self.ask(path))) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers

    def recovers(self, seconds: float) -> None:
        services.wait_until(
            lambda: all(status == 200 for status, _took in self.ask_at_once(8)),
            seconds,
            "every request served",
        )


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("networks")
    make_artifact(folder, "tiny", size=24, multiply_adds=1_000)
    return str(folder)


@pytest.fixture(scope="module")
def site(networks: str) -> Iterator[Site]:
    with services.running_postgres() as postgres, services.running_redis() as redis:
        database = postgres.new_database()
        options: dict[str, Any] = {"workers": 0, "ready": False, "web_command": web_command}
        variables = {"ML_ARTIFACTS_DIR": networks, "PGAPPNAME": "web"}
        with services.running_stack(database=database, broker=redis.url, **options, **variables) as stack:
            source = (
                "from accounts.models import ApiToken, User;"
                "print(ApiToken.objects.issue(User.objects.create_user('p@example.com', None), 'p')[1])"
            )
            yield Site(stack, postgres, stack.python(source).strip().splitlines()[-1])


@contextmanager
def counted(site: Site) -> Iterator[Counter[str]]:
    """The most connections that each kind of process held at once."""
    found: Counter[str] = Counter()
    stopping = threading.Event()
    statement = (
        "SELECT application_name, count(*) FROM pg_stat_activity WHERE datname LIKE 'convoscope%' GROUP BY 1"
    )

    def look() -> None:
        with psycopg.connect(site.postgres.url(), autocommit=True) as link:
            while not stopping.wait(0.01):
                for name, count in link.execute(statement).fetchall():
                    found[name] = max(found[name], count)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        stopping.set()
        thread.join()


def test_no_process_holds_more_connections_than_reckoned(site: Site) -> None:
    stack = site.stack
    with counted(site) as most:
        kept = stack.environment
        stack.environment = {**kept, "PGAPPNAME": "worker"}
        stack.start_worker("predictions")
        stack.environment = {**kept, "PGAPPNAME": "lab"}
        stack.start_lab()
        stack.environment = kept
        stack.python("from accounts import exports, models; exports.ask(models.User.objects.get())")
        stack.wait_ready()
        for path in ("/api/v1/predictions/", "/readyz", "/api/v1/predictions/"):
            site.ask_at_once(24, path)
        for process in stack.workers:
            services.stop(process)
    # Each thread keeps its own, so most of these are there; a test that saw none would prove nothing.
    assert WEB["threads of two processes"] / 2 <= most["web"] <= sum(WEB.values()) - WEB["timers"]
    assert 1 <= most["worker"] <= WORKER["worker"]
    assert 1 <= most["lab"] <= WORKER["lab"]


def hold_all(site: Site, held: list[Any]) -> None:
    while True:
        held.append(psycopg.connect(site.postgres.url()))


def outages(site: Site, seconds: float) -> None:
    """PostgreSQL is stopped, then it has no connection left: answered 503 within ``seconds``, and over soon after."""
    site.recovers(10)
    site.postgres.stop()
    answers = site.ask_at_once()
    assert {status for status, _took in answers} == {503}
    assert max(took for _status, took in answers) < seconds
    # Started anew, so that no connection is open yet.
    site.postgres.start()
    held: list[Any] = []
    try:
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            hold_all(site, held)
        answers = site.ask_at_once()
    finally:
        for link in held:
            link.close()
    assert {status for status, _took in answers} == {503}
    assert max(took for _status, took in answers) < seconds
    site.recovers(10)


def test_an_outage_is_answered_at_once_and_ends_soon(site: Site) -> None:
    outages(site, 2)


@pytest.mark.soak
def test_with_a_pool_it_takes_longer_and_threads_share_connections(site: Site) -> None:
    assert site.stack.web is not None
    services.stop(site.stack.web)
    site.stack.environment = {**site.stack.environment, "DATABASE_POOL": "4"}
    site.stack.start_web()
    outages(site, 6)
    with counted(site) as most:
        for _round in range(3):
            answers = site.ask_at_once(24)
            assert {status for status, _took in answers} == {200}
    assert 2 <= most["web"] <= WITH_POOL


def test_a_worker_has_no_pool_whatever_the_site_has(monkeypatch: pytest.MonkeyPatch) -> None:
    from classifier_site.environment import database
    from predictions import worker

    entry = database("postgres://u@h/n", Path(), pool=4)
    assert entry["OPTIONS"]["pool"]["max_size"] == 4
    assert entry["CONN_MAX_AGE"] == 0
    monkeypatch.setattr(worker, "connections", type("Handler", (), {"settings": {"default": entry}}))
    worker.keep_connections_apart()
    assert "pool" not in entry["OPTIONS"]


# --- the reckoning -----------------------------------------------------------------------------------------


def parameter(template: str, name: str) -> str:
    found = re.search(rf"^  {name}:\n(?:    .*\n)*?    Default: (\S+)", template, re.MULTILINE)
    assert found is not None, name
    return found[1]


def test_the_largest_fleet_fits_the_database() -> None:
    template = (ROOT / "deploy/infrastructure.yaml").read_text()
    # A deployment adds a batch before it takes one away.
    share = int(
        re.search(r"BatchSize: \"(\d+)\"", (ROOT / ".ebextensions/10_environment.config").read_text())[1]
    )  # type: ignore[index]
    web, workers = (
        (count := int(parameter(template, name))) + math.ceil(count * share / 100)
        for name in ("WebMaximum", "WorkerMaximum")
    )
    needed = web * sum(WEB.values()) + workers * sum(WORKER.values()) + OTHERS
    memory = GIB[parameter(template, "DatabaseClass").rsplit(".", 1)[1]] * 1024**3
    allowed = int(memory * USABLE / BYTES) - RESERVED
    assert needed <= allowed
    page = (ROOT / "docs/operations.md").read_text()
    assert f"| together | | | **{needed}** |" in page
    assert f"{allowed} connections" in page
