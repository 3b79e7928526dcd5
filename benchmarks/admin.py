"""The admin with 100,000 uploads and 200,000 predictions of 1,000 accounts in PostgreSQL.

Time is that of the whole request in the server, from the middleware to the rendered page. Each figure stands beside
that of a page without a query of its own ("home") in the same minute, because a busy machine slows both.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 20
PREDICTIONS, USERS, LARGEST = 200_000, 1_000, 10_000
REPORTS = 2_000
LIMIT_MS = 250
STAFF = "operator@example.com"
WORDS = ("rome", "img_12", "winter", "train-lake", "img_99", "market")

UPLOADS, RUNS = "/admin/predictions/upload/", "/admin/predictions/prediction/"
# What is asked for; what stands in braces is another one in each round.
ADDRESSES = {
    "home": "/",
    "admin, first page": "/admin/",
    "uploads": UPLOADS,
    "uploads, hundredth page": f"{UPLOADS}?p={{about_100}}",
    "uploads by e-mail": f"{UPLOADS}?q=bench{{user}}@example.com",
    "uploads by part of an e-mail": f"{UPLOADS}?q=bench{{user}}@",
    "uploads by file name": f"{UPLOADS}?q={{word}}",
    "uploads of a month": f"{UPLOADS}?created__year=2026&created__month={{month}}",
    "predictions": RUNS,
    "predictions, hundredth page": f"{RUNS}?p={{about_100}}",
    "predictions by e-mail": f"{RUNS}?q=bench{{user}}@example.com",
    "predictions by file name": f"{RUNS}?q={{word}}",
    "predictions that failed": f"{RUNS}?status__exact=failed",
    "users": "/admin/accounts/user/",
    "users by e-mail": "/admin/accounts/user/?q=bench{user}@",
    "reports": "/admin/predictions/report/",
    "reports by e-mail": "/admin/predictions/report/?q=bench{user}@example.com",
    "moderation log": "/admin/accounts/moderationentry/",
    "operations": "/admin/operations/",
    "operations, storage by e-mail": "/admin/operations/?email=bench{user}",
    "operations, every ten seconds": "/admin/operations/now/",
}


def address(template: str, i: int) -> str:
    return template.format(
        i=i,
        about_100=95 + i % 10,
        user=1 + 37 * i % USERS,
        word=WORDS[i % len(WORDS)],
        month=1 + i % 9,
    )


def measure() -> list[dict[str, Any]]:
    from tests.services import running_postgres

    with running_postgres() as server, tempfile.TemporaryDirectory(prefix="convoscope-admin-") as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": server.new_database(),
            "DATA_DIR": folder,
            "RATE_LIMITS": "0",
        }
        command = [sys.executable, "-m", "benchmarks.admin"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def fill(predictions: int, users: int, largest: int, reports: int) -> None:
    """The history's rows, and beside them what only an operator and a moderator look at."""
    from django.db import connection
    from django.utils import timezone

    from accounts.models import User
    from benchmarks import history_rows
    from predictions.models import Heartbeat, Job, Prediction, Report, Upload

    history_rows.fill(predictions, users, largest)
    now = timezone.now()
    newest = list(Prediction.objects.order_by("-created").values_list("pk", flat=True)[: predictions // 40])
    third = len(newest) // 3
    end = now - timedelta(minutes=20)
    Prediction.objects.filter(pk__in=newest[:third]).update(
        status=Job.Status.FAILED,
        started=end,
        finished=end,
        error_code="engine_failed",
        error_message="The network failed on this picture.",
    )
    Prediction.objects.filter(pk__in=newest[third : 2 * third]).update(
        status=Job.Status.QUEUED, priority=Job.Priority.BULK, started=None, finished=None, created=end
    )
    Prediction.objects.filter(pk__in=newest[2 * third :]).update(started=end, finished=end)
    for i in range(8):
        Heartbeat.objects.create(name=f"worker:{i}", queues="predictions", models={"vgg": "vgg-1"})
    pictures = Upload.objects.order_by("pk").values_list("pk", "owner_id")[:reports]
    Report.objects.bulk_create(
        Report(upload_id=pk, account_id=owner, reason="other", reporter_key=f"bench-{i}")
        for i, (pk, owner) in enumerate(pictures)
    )
    # The accounts have taken their keys without the database's counter.
    User.objects.create(pk=users + 1, email=STAFF, is_staff=True, is_superuser=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def ask(client: Any, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)


def figures() -> list[dict[str, Any]]:
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    # What gunicorn's workers do at their start.
    import classifier_site.wsgi  # noqa: F401
    from accounts.models import User

    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.get(email=STAFF))
    rows = []
    for name, template in ADDRESSES.items():
        for i in range(2):
            ask(client, address(template, i))
        taken = []
        for i in range(ROUNDS):
            start = time.perf_counter()
            ask(client, address(template, i))
            taken.append((time.perf_counter() - start) * 1000)
        taken.sort()
        with CaptureQueriesContext(connection) as asked:
            ask(client, address(template, 0))
        if os.environ.get("SLOW_QUERIES"):
            for query in asked.captured_queries:
                if float(query["time"]) > 0.02:
                    print(name, query["time"], query["sql"][:1500], file=sys.stderr)
        row = {"what": name, "p50_ms": round(taken[ROUNDS // 2], 1), "p95_ms": round(taken[-2], 1)}
        rows.append({**row, "limit_ms": LIMIT_MS, "queries": len(asked)})
    return rows


def main() -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_site.settings")
    django.setup()
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("migrate", verbosity=0)
    fill(PREDICTIONS, USERS, LARGEST, REPORTS)
    print(json.dumps(figures()))


if __name__ == "__main__":
    main()
