"""The Django project: settings, addresses, health, checks and the supervisor behind `make run`."""

from classifier_site import refusal
from classifier_site.celery import app as celery_app

__all__ = ["celery_app"]

refusal.install()
