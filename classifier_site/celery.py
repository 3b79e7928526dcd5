"""The Celery application: transport for wake-ups, nothing more."""

from __future__ import annotations

import os
import warnings
from logging.config import dictConfig

# SIGTERM to a whole process group would otherwise kill running tasks at once; remapped, it lets them finish
# for worker_soft_shutdown_timeout. billiard reads this when it is imported, so it is set before Celery is.
os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_site.settings")

from celery import Celery
from celery.signals import setup_logging, worker_init
from django.conf import settings

from classifier_site import broker

# The danger that Celery warns root of is pickle in messages, and this application takes JSON only.
warnings.filterwarnings("ignore", message=r"\s*You're running the worker with superuser")

broker.register()
app = Celery("convoscope")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def refuse_unsafe_production(**details: object) -> None:
    from classifier_site import checks

    checks.refuse_unsafe_production()


@setup_logging.connect
def use_the_settings(**details: object) -> None:
    """Workers log as the site does, instead of in Celery's own way."""
    dictConfig(settings.LOGGING)
