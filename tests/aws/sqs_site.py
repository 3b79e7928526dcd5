"""The settings of a site whose workers ask SQS and their timers once a second, so that a test waits no longer."""

from typing import Any

from celery.signals import worker_init

from tests.site_settings import *  # noqa: F403

CELERY_BROKER_TRANSPORT_OPTIONS = {
    **CELERY_BROKER_TRANSPORT_OPTIONS,  # noqa: F405
    "wait_time_seconds": 1,
    "polling_interval": 0.2,
}


@worker_init.connect
def look_often(**details: Any) -> None:
    from predictions import worker

    worker.BEAT_SECONDS = 1.0
