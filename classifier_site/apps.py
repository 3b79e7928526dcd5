"""Registers the system checks of the site as a whole."""

from __future__ import annotations

from django.apps import AppConfig


class ClassifierSiteConfig(AppConfig):
    name = "classifier_site"
    verbose_name = "Convoscope"

    def ready(self) -> None:
        from classifier_site import checks  # noqa: F401  (importing registers them)
