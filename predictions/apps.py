"""The predictions app: uploads, runs of networks, and the workers that compute them."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


def write_networks(sender: Any, using: str, **details: Any) -> None:
    """Rows for the networks that the artifacts offer, so that a fresh database can hold answers."""
    from predictions.models import Network

    if using == "default":
        Network.synchronise()


def share_section(request: HttpRequest) -> tuple[str, dict[str, Any]] | None:
    """Imports the pages only when the account page is asked for: a worker has none."""
    from predictions.share_views import account_section

    return account_section(request)


def _register_inbox() -> None:
    """The bucket's inbox, where there is one: others pay nothing for it."""
    from datetime import timedelta

    from django.conf import settings

    # Known to every process: who sends the wake-up has no inbox of its own.
    from predictions import inbox_tasks, job_tables
    from predictions.models import InboxObject

    if not settings.INBOX_QUEUE_URL:
        return

    def ask() -> None:
        from predictions import inbox

        inbox.wake_up()

    def forget() -> None:
        from predictions import inbox

        inbox.sweep()

    job_tables.register(
        "inbox", InboxObject, queue=inbox_tasks.QUEUE, wake_up=inbox_tasks.take_inbox.delay, seconds=0.05
    )
    job_tables.register_timer("inbox: queue", timedelta(seconds=5), ask)
    job_tables.register_timer("inbox: old rows", timedelta(minutes=10), forget)


class PredictionsConfig(AppConfig):
    name = "predictions"
    verbose_name = _("Predictions")

    def ready(self) -> None:
        from accounts import moderators, registry

        # worker listens to Celery's signals, which only a worker sends.
        from predictions import lifecycle, notices, personal, worker  # noqa: F401

        post_migrate.connect(write_networks, sender=self)
        registry.register_exporter("predictions", personal.export)
        registry.register_file_exporter("predictions", personal.files)
        registry.register_eraser("predictions", personal.erase)
        registry.register_merger("predictions", personal.merge)
        registry.register_counter("predictions", personal.pictures)
        registry.register_suspender("predictions", lifecycle.cancel)
        registry.register_section("predictions-shares", share_section)
        registry.register_section("predictions-notices", notices.account_section, first=True)
        _register_inbox()
        moderators.register_permissions(
            "predictions.view_report",
            "predictions.moderate",
            "predictions.view_upload",
            "predictions.view_prediction",
        )
