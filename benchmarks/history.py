"""The history with 1,000,000 predictions of 1,000 owners in PostgreSQL, and with 100,000 in SQLite.

Time is that of the whole request in the server, from the middleware to the rendered page, for the owner of 100,000.
Each figure stands beside that of a page without a query of its own ("home") in the same minute, because a busy
machine slows both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 40
LARGEST = 100_000
LIMITS = {"postgresql": 50, "sqlite": 150}
CLASSES = ("apple", "bear", "bicycle", "bottle", "castle", "clock", "cloud", "dolphin", "fox", "house")
WORDS = ("dog", "cat", "rome", "lake", "img_12", "winter", "bridge 7", "train-station", "img_9", "market")


# What is asked for; what stands in braces is another one in each round.
ADDRESSES = {
    "home": "/",
    "first page": "/history/",
    "hundredth page": "/history/?page={about_100}",
    "dates, a month": "/history/?start={year}-0{month}-01&end={year}-0{month}-28",
    "dates, since": "/history/?start=2025-0{month}-01",
    "network": "/history/?model={network}",
    "network, hundredth page": "/history/?model={network}&page={about_100}",
    "class": "/history/?label={label}",
    "class of a network, tenth page": "/history/?label={label}&model=vgg&page=10",
    "confidence, at least": "/history/?confidence_min={sure}",
    "confidence, between": "/history/?confidence_min=0.4&confidence_max=0.5",
    "covered": "/history/?covered={yes}",
    "starred": "/history/?starred=yes",
    "status": "/history/?status={status}",
    "batch": "/history/?batch={batch}",
    "text": "/history/?q={word}",
    "text that is nowhere": "/history/?q=nowhere{i}",
    "text of a note": "/history/?q=teacher",
    "all at once": "/history/?q=img&model=vgg&covered=no&confidence_min=0.5&start=2025-01-01",
    "oldest first": "/history/?sort=oldest&page={first_or_100}",
    "surest first": "/history/?sort=surest&page={first_or_100}",
    "least sure first": "/history/?sort=least-sure&page={first_or_100}",
    "by file name": "/history/?sort=name&page={first_or_100}",
    "starred, surest first": "/history/?starred=yes&sort=surest&page={first_or_tenth}",
    "a class, by file name": "/history/?label={label}&sort=name&page={first_or_tenth}",
    "calendar": "/history/activity/",
    "calendar of a class": "/history/activity/?label={label}",
    "CSV, first piece": "/history/export.csv",
}


def address(template: str, i: int, batch: Any) -> str:
    return template.format(
        i=i,
        batch=batch,
        about_100=95 + i % 10,
        first_or_100=1 + 99 * (i % 2),
        first_or_tenth=1 + 9 * (i % 2),
        year=2025 + i % 2,
        month=1 + i % 9,
        network=("vgg", "wideresnet")[i % 2],
        label=CLASSES[i % len(CLASSES)],
        sure=(0.5, 0.9, 0.99)[i % 3],
        yes=("yes", "no")[i % 2],
        status=("done", "failed")[i % 2],
        word=WORDS[i % len(WORDS)],
    )


def measure() -> list[dict[str, Any]]:
    from tests.services import running_postgres

    rows = []
    with running_postgres() as server:
        rows += _in_a_process(server.new_database(), 1_000_000, 1_000)
    with tempfile.TemporaryDirectory(prefix="convoscope-history-") as folder:
        rows += _in_a_process(f"sqlite:///{folder}/history.sqlite3", LARGEST, 1)
    return rows


def _in_a_process(database: str, predictions: int, users: int) -> list[dict[str, Any]]:
    """Django reads its database once a process, so each gets one of its own."""
    with tempfile.TemporaryDirectory(prefix="convoscope-history-") as folder:
        environment = {**os.environ, "DATABASE_URL": database, "DATA_DIR": folder, "RATE_LIMITS": "0"}
        command = [sys.executable, "-m", "benchmarks.history", str(predictions), str(users)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def _ask(client: Any, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    if response.streaming:
        pieces = iter(response.streaming_content)
        # The first piece may hold no more than the byte order mark.
        next(pieces), next(pieces)
        response.close()


def _quantiles(client: Any, template: str, batch: Any) -> tuple[float, float]:
    for i in range(3):
        _ask(client, address(template, i, batch))
    taken = []
    for i in range(ROUNDS):
        asked = address(template, i, batch)
        start = time.perf_counter()
        _ask(client, asked)
        taken.append((time.perf_counter() - start) * 1000)
    taken.sort()
    return taken[ROUNDS // 2], taken[int(ROUNDS * 0.95)]


def figures() -> list[dict[str, Any]]:
    """The times of the owner with the most predictions, in the database that Django has."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    # What gunicorn's workers do at their start.
    import classifier_site.wsgi  # noqa: F401
    from accounts.models import User
    from predictions.models import Prediction

    owner = User.objects.get(email="bench1@example.com")
    batch = Prediction.objects.of(owner).order_by("created").values_list("batch_id", flat=True)[40]
    client = Client(SERVER_NAME="localhost")
    client.force_login(owner)
    rows = []
    for name, template in ADDRESSES.items():
        p50, p95 = _quantiles(client, template, batch)
        with CaptureQueriesContext(connection) as asked:
            _ask(client, address(template, 0, batch))
        row = {"database": connection.vendor, "what": name, "p50_ms": round(p50, 1), "p95_ms": round(p95, 1)}
        if template.partition("?")[0] == "/history/":
            row["limit_ms"] = LIMITS[connection.vendor]
        rows.append({**row, "queries": len(asked)})
    return rows


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_site.settings")
    django.setup()
    from django.core.management import call_command

    from benchmarks import history_rows

    call_command("collectstatic", interactive=False, verbosity=0)
    if len(sys.argv) > 1:
        predictions, users = map(int, sys.argv[1:])
        call_command("migrate", verbosity=0)
        history_rows.fill(predictions, users, LARGEST)
    print(json.dumps(figures()))


if __name__ == "__main__":
    main()
