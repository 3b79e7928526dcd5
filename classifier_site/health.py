"""/healthz: the process is up. /readyz: a picture sent now would be classified."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.storage import FileSystemStorage, storages
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.stored_files import StorageAway

logger = logging.getLogger(__name__)

PROBE_SECONDS = 1.0
DISK_RESERVE = 64 * 1024 * 1024
OK = "ok"


class HealthMiddleware:
    """Answers both addresses before hosts, HTTPS, sessions and headers matter."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return healthz(request)
        if request.path_info == "/readyz":
            return readyz(request)
        return self.get_response(request)


def healthz(request: HttpRequest) -> HttpResponse:
    return _uncached(JsonResponse({"status": OK}))


def readyz(request: HttpRequest) -> HttpResponse:
    """Every part by name, with "ok" or a reason; 503 when one is missing."""
    results = run_probes({"database": _database, "storage": _storage, "broker": _broker, "worker": _worker})
    models: dict[str, str] = {}
    if isinstance(results["worker"], tuple):
        results["worker"], models = results["worker"]
    ready = all(result == OK for result in results.values())
    body = {"status": OK if ready else "unavailable", **results, "models": models}
    response = _uncached(JsonResponse(body, status=200 if ready else 503))
    _log_changes(results)
    response._has_been_logged = True  # type: ignore[attr-defined]  # or Django would log every 503 as an error
    return response


_last: dict[str, Any] = {}


def _log_changes(results: dict[str, Any]) -> None:
    """Says when something that was well no longer is, and when it is again; a start is no news."""
    for name, result in results.items():
        if (result == OK) != (_last.get(name, result) == OK):
            logger.log(logging.INFO if result == OK else logging.WARNING, "The %s: %s", name, result)
    _last.update(results)


def _uncached(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    return response


# --- running probes within their time ----------------------------------------------------------------------

_lock = threading.Lock()
_running: dict[str, Future[Any]] = {}
_pool: ThreadPoolExecutor | None = None


def run_probes(probes: dict[str, Callable[[], Any]]) -> dict[str, Any]:
    """Each probe's result, or a reason. A probe that hangs is not started again before it has ended."""
    global _pool
    futures: dict[str, Future[Any]] = {}
    with _lock:
        if _pool is None:  # made on first use, so that no thread exists before a server forks
            _pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="readyz")
        for name, probe in probes.items():
            future = _running.get(name)
            if future is None or future.done():
                future = _running[name] = _pool.submit(_guarded, name, probe)
            futures[name] = future
    end = time.monotonic() + PROBE_SECONDS
    results: dict[str, Any] = {}
    for name, future in futures.items():
        try:
            results[name] = future.result(timeout=max(0.0, end - time.monotonic()))
        except FutureTimeout:
            results[name] = f"no answer within {PROBE_SECONDS:.0f} s"
    return results


def _guarded(name: str, probe: Callable[[], Any]) -> Any:
    try:
        return probe()
    except Exception as error:
        # The error's text may hold an address with its password, so nothing repeats it.
        logger.debug("The probe of the %s failed: %s", name, type(error).__name__)
        return f"does not work ({type(error).__name__})"
    finally:
        connection.close()


# --- the probes --------------------------------------------------------------------------------------------


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return OK


def _storage() -> str:
    storage = storages["default"]
    if not isinstance(storage, FileSystemStorage):
        from predictions.models import PICTURES

        try:
            storage.probe(PICTURES)  # type: ignore[attr-defined]
        except StorageAway as error:
            return str(error)
        return OK
    folder = Path(storage.location)
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        return "the folder for pictures cannot be written to"
    if shutil.disk_usage(folder).free < DISK_RESERVE:
        return "the disk is full"
    return OK


def _broker() -> str:
    from classifier_site.celery import app

    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"]
        return OK if os.access(folder, os.W_OK) else "the folder for messages cannot be written to"
    if settings.CELERY_BROKER_URL.startswith("sqs"):
        from classifier_site import sqs

        sqs.ask(app)
        return OK
    with app.connection_for_write() as link:
        ping = getattr(getattr(link.channel(), "client", None), "ping", None)
        if ping is not None:
            ping()
    return OK


def _worker() -> tuple[str, dict[str, str]]:
    """How the live workers that answer are, and the networks that they have loaded, by name and version."""
    from ml.config import artifact_names
    from predictions.models import Heartbeat

    models: dict[str, str] = {}
    alive = False
    for heartbeat in Heartbeat.objects.answering().alive():
        alive = True
        models.update(heartbeat.models)
    if not alive:
        return "no worker has been seen for 15 s", models
    if not models:
        return "a worker is up but has loaded no network", models
    # By name alone: during a deployment a worker of the release before may answer for a while. A network whose
    # card is damaged counts as well, because it is not offered although it should be.
    missing = [name for name in artifact_names() if name not in models]
    return (f"no worker has loaded: {', '.join(missing)}" if missing else OK), models
