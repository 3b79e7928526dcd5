"""What people take with them: one archive of all that the site holds about them, prepared in the background."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

FOLDER = "exports"
KEPT = timedelta(days=7)


def export_path(export: DataExport, filename: str) -> str:
    """A random name, as every file has."""
    return f"{FOLDER}/{secrets.token_hex(16)}.zip"


class DataExport(models.Model):
    """One archive of an account's data: asked for, being made, ready for some days, or failed."""

    class Status(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("being prepared")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="data_exports")
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Until then the process that makes it has it for itself.
    leased_until = models.DateTimeField(null=True, blank=True)
    file = models.FileField(upload_to=export_path, max_length=120, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    created = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    finished = models.DateTimeField(null=True, blank=True)
    expires = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        verbose_name = _("data export")
        verbose_name_plural = _("data exports")
        ordering = ("-created",)
        constraints = [
            # Asked for twice, it is prepared once.
            models.UniqueConstraint(
                fields=["owner"], condition=Q(status__in=["queued", "running"]), name="export_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status="ready") | Q(expires__isnull=False, finished__isnull=False),
                name="export_ready_expires",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}, {self.created:%Y-%m-%d}"
