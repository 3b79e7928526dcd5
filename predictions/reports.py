"""What people say about pictures that they were shown, and what moderators removed for good."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from predictions.shares import Share

TEXT_LENGTH = 1000
FINGERPRINT_LENGTH = 16


class Report(models.Model):
    """One person's report of one shared picture. It stays when the picture is gone."""

    class Reason(models.TextChoices):
        PERSON = "person", _("It shows a person who did not agree to it")
        MINOR = "minor", _("It shows a minor")
        HARMFUL = "harmful", _("It is violent, sexual or hateful")
        ILLEGAL = "illegal", _("It is against the law")
        COPYRIGHT = "copyright", _("It belongs to somebody else")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        UPHELD = "upheld", _("upheld")
        DISMISSED = "dismissed", _("dismissed")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(
        "predictions.Upload",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="reports",
        verbose_name=_("picture"),
    )
    share = models.ForeignKey(
        Share, models.SET_NULL, null=True, blank=True, related_name="reports", verbose_name=_("shared link")
    )
    # Whose picture it is.
    account = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="reports_about",
        verbose_name=_("account"),
    )
    reporter = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="reports_made",
        verbose_name=_("reported by"),
    )
    # Tells reporters apart: an account's id, or a keyed hash of a visitor's address. Emptied with the decision.
    reporter_key = models.CharField(max_length=64, blank=True, editable=False)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason.choices)
    text = models.TextField(_("in their words"), max_length=TEXT_LENGTH, blank=True)
    # How often the same reporter sent it again.
    repeated = models.PositiveIntegerField(_("sent again"), default=0)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.OPEN)
    decided = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    created = models.DateTimeField(_("reported"), db_default=Now(), editable=False, db_index=True)

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ("created", "id")
        permissions = [("moderate", _("Can decide reports, and hide, release and remove pictures"))]
        constraints = [
            models.UniqueConstraint(
                name="report_once_a_reporter",
                fields=["upload", "reporter_key"],
                condition=Q(state="open") & ~Q(reporter_key=""),
            ),
            models.CheckConstraint(
                name="report_decided_has_time",
                condition=Q(state="open", decided__isnull=True)
                | (~Q(state="open") & Q(decided__isnull=False)),
            ),
        ]
        indexes = [
            models.Index(fields=["created", "id"], name="report_queue", condition=Q(state="open")),
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}, {self.created:%Y-%m-%d}"


class RemovedPicture(models.Model):
    """How a picture looked that was removed for good. One that looks the same is held for review."""

    fingerprint = models.CharField(_("fingerprint"), max_length=FINGERPRINT_LENGTH, unique=True)
    created = models.DateTimeField(_("removed"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("removed picture")
        verbose_name_plural = _("removed pictures")
        ordering = ("-created",)

    def __str__(self) -> str:
        return self.fingerprint
