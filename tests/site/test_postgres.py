"""What holds on SQLite holds on PostgreSQL: the tests of rows and of the job way, a second time."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.services import ROOT

AGAIN = [
    "test_models.py",
    "test_jobs.py",
    "test_lifecycle.py",
    "test_retention.py",
    "test_waiting.py",
    "test_services.py",
    "test_deleting.py",
    "test_many_pictures.py",
    "test_guest_merge.py",
    "test_api_lists.py",
    "test_migrations.py",
]
LABORATORY = [
    "test_explanations.py",
    "test_explanation_jobs.py",
    "test_laboratory_quota.py",
    "test_own_classes.py",
]


def test_rows_and_jobs_behave_the_same_on_postgresql(postgres_server):
    files = [str(ROOT / "tests/predictions" / name) for name in AGAIN]
    files += [str(ROOT / "tests/learn" / name) for name in LABORATORY]
    environment = {**os.environ, "TEST_DATABASE_URL": postgres_server.url()}
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *files]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:]
    assert " passed" in result.stdout
