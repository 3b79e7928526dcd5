"""The settings of workers that tests start: batches and archives take a while, so that there is something to interrupt.

``TEST_HOST`` is the machine's name, since all of them are one machine here. Batches take no longer than they need once
the file ``TEST_QUICKLY`` is there. Parents look five times as often as on a real machine.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery.signals import worker_init, worker_process_init

from tests.site_settings import *  # noqa: F403

if os.environ.get("TEST_HOST"):
    socket.gethostname = lambda: os.environ["TEST_HOST"]


@worker_init.connect
def look_often(**details: Any) -> None:
    from predictions import termination, worker

    worker.BEAT_SECONDS = termination.SETTLE_SECONDS = 1.0


@worker_process_init.connect
def take_time(**details: Any) -> None:
    from accounts import archive
    from ml.predictor import Predictor

    quick = Predictor.answers

    def slow(self: Any, pixels: Any) -> Any:
        if len(pixels) > 1 and not os.path.exists(os.environ.get("TEST_QUICKLY", "")):
            time.sleep(float(os.environ.get("TEST_BATCH_SECONDS", "0")))
        return quick(self, pixels)

    @contextmanager
    def endless(*details: Any) -> Iterator[Any]:
        time.sleep(3600)
        yield

    Predictor.answers = slow  # type: ignore[method-assign]
    archive.written = endless  # type: ignore[assignment]
