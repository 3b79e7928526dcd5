"""The predictions app: uploads, runs of networks, and the workers that compute them."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


def write_networks(sender: Any, using: str, **details: Any) -> None:
    """Rows for the networks that the artifacts offer, so that a fresh database can hold answers."""
    from predictions.models import Network

    if using == "default":
        Network.synchronise()


class PredictionsConfig(AppConfig):
    name = "predictions"
    verbose_name = _("Predictions")

    def ready(self) -> None:
        from accounts import registry

        # worker listens to Celery's signals, which only a worker sends.
        from predictions import personal, worker  # noqa: F401

        post_migrate.connect(write_networks, sender=self)
        registry.register_exporter("predictions", personal.export)
        registry.register_eraser("predictions", personal.erase)
        registry.register_merger("predictions", personal.merge)
        registry.register_counter("predictions", personal.pictures)
