"""Loaded before Django's settings (`-p tests.environment`): no test sees the developer's variables or data.

TEST_DATABASE_URL runs the suite on another database than SQLite.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from pathlib import Path

from tests.shared import VARIABLE as SHARED

# TensorFlow brings an older libcurl along, and of two the first that is loaded counts: without this, whether SQS can be
# spoken to would depend on which tests a process had before.
with contextlib.suppress(ImportError):
    import pycurl  # noqa: F401

_OURS = [
    "ALLOWED_HOSTS",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_S3_ENDPOINT_URL",
    "AWS_S3_REGION_NAME",
    "AWS_SQS_REGION_NAME",
    "AWS_STORAGE_BUCKET_NAME",
    "CACHE_URL",
    "CELERY_BROKER_URL",
    "CLOUDWATCH_NAMESPACE",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_POOL",
    "DATABASE_URL",
    "DEBUG",
    "DEFAULT_FROM_EMAIL",
    "EMAIL_URL",
    "ENVIRONMENT",
    "INBOX_OWNER",
    "INBOX_QUEUE_URL",
    "LABORATORY_QUOTA_MB",
    "LABORATORY_SAMPLES",
    "LABORATORY_SAMPLE_MB",
    "LOG_LEVEL",
    "ML_ARTIFACTS_DIR",
    "ML_CACHE_DIR",
    "ML_ENGINE",
    "ML_SERVING_URL",
    "ML_THREADS",
    "OPERATOR_ADDRESS",
    "OPERATOR_EMAIL",
    "OPERATOR_NAME",
    "PORT",
    "RATE_LIMITS",
    "REDIS_URL",
    "RETENTION_MONTHS",
    "ROLE",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SQS_QUEUES_URL",
    "SQS_QUEUE_PREFIX",
    "STAFF_SECOND_FACTOR",
    "TERMINATION_HOOK",
    "TRUSTED_PROXY_COUNT",
]

for _name in _OURS:
    os.environ.pop(_name, None)

if "PYTEST_XDIST_WORKER" in os.environ:
    # Beside other tests a second thread waits for the first most of the time, and spins while it does.
    for _name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[_name] = "1"

if SHARED not in os.environ:
    # The first process; those that it starts find the variable set, and each has a DATA_DIR of its own.
    os.environ[SHARED] = tempfile.mkdtemp(prefix="convoscope-shared-")
    atexit.register(shutil.rmtree, os.environ[SHARED], ignore_errors=True)
_folder = tempfile.mkdtemp(prefix="convoscope-tests-")
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
os.environ["DATA_DIR"] = _folder
(Path(_folder) / "static").mkdir()
# Made once for all of them: what is kept here is named by its content.
os.environ["ML_CACHE_DIR"] = str(Path(os.environ[SHARED]) / "cache")
os.environ["LOG_LEVEL"] = "WARNING"
if os.environ.get("TEST_DATABASE_URL"):
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
# Playwright's synchronous interface runs an event loop in the test's own thread, and there Django refuses the
# database although nothing is concurrent.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
