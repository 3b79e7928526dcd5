"""Django's entry for the explainers."""

from __future__ import annotations

from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LearnConfig(AppConfig):
    name = "learn"
    verbose_name = _("Learn")

    def ready(self) -> None:
        from accounts import registry

        # explanation_files listens to what is deleted.
        from learn import explanation_files, explanations, personal, tasks, upkeep
        from learn.models import Explanation, OwnClasses
        from predictions import job_tables

        job_tables.register(
            "explanations",
            Explanation,
            queue=explanations.QUEUE,
            wake_up=tasks.explain.delay,
            sort="kind",
        )
        job_tables.register(
            "own classes", OwnClasses, queue=explanations.QUEUE, wake_up=tasks.train_own.delay
        )
        job_tables.register_timer("unused explanations", timedelta(minutes=1), upkeep.sweep)
        job_tables.register_timer("explanations' files", timedelta(minutes=1), explanation_files.sweep)
        registry.register_exporter("learn", personal.export)
        registry.register_file_exporter("learn", personal.files)
        registry.register_eraser("learn", personal.erase)
        registry.register_merger("learn", personal.merge)
        registry.register_suspender("learn", personal.cancel)
