"""Links with which people show a result to others."""

from __future__ import annotations

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

TOKEN_BYTES = 32
TOKEN_LENGTH = 43


def make_token() -> str:
    """256 random bits: whoever was not given the link does not find it."""
    return secrets.token_urlsafe(TOKEN_BYTES)


class ShareQuerySet(models.QuerySet["Share"]):
    def live(self) -> ShareQuerySet:
        """Not withdrawn. Whether there is still something to see is asked of the predictions themselves."""
        return self.filter(withdrawn__isnull=True)

    def showing(self) -> ShareQuerySet:
        """Those that show something just now: not withdrawn, nothing deleted or hidden, the account not away."""
        from predictions.models import Prediction

        listed = Prediction.objects.visible().filter(
            batch=OuterRef("batch"), owner=OuterRef("owner"), asked=True, upload__hidden__isnull=True
        )
        run, other = (
            Q(**{f"{name}__deleted__isnull": True, f"{name}__upload__hidden__isnull": True})
            & Q(**{f"{name}__owner": F("owner")})
            for name in ("run", "other")
        )
        return self.live().filter(
            Q(kind=Share.Kind.PREDICTION) & run
            | Q(kind=Share.Kind.COMPARISON) & run & other
            | Q(kind=Share.Kind.BATCH) & Q(Exists(listed)),
            owner__is_active=True,
            owner__deletion_due__isnull=True,
        )


class Share(models.Model):
    """One unguessable address of a prediction, of two compared or of a batch. Withdrawn, it is never used again."""

    class Kind(models.TextChoices):
        PREDICTION = "prediction", _("prediction")
        COMPARISON = "comparison", _("comparison")
        BATCH = "batch", _("several pictures")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=make_token, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="shares", verbose_name=_("owner")
    )
    kind = models.CharField(_("what is shared"), max_length=10, choices=Kind.choices)
    # The prediction, or the first of a comparison.
    run = models.ForeignKey(
        "predictions.Prediction", models.CASCADE, null=True, blank=True, related_name="shares"
    )
    # The second of a comparison.
    other = models.ForeignKey(
        "predictions.Prediction", models.CASCADE, null=True, blank=True, related_name="+"
    )
    batch = models.ForeignKey(
        "predictions.Batch", models.CASCADE, null=True, blank=True, related_name="shares"
    )
    created = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    withdrawn = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    objects = ShareQuerySet.as_manager()

    class Meta:
        verbose_name = _("shared link")
        verbose_name_plural = _("shared links")
        ordering = ("-created",)
        constraints = [
            models.CheckConstraint(
                name="share_names_what_it_shows",
                condition=Q(kind="prediction", run__isnull=False, other__isnull=True, batch__isnull=True)
                | Q(kind="comparison", run__isnull=False, other__isnull=False, batch__isnull=True)
                | Q(kind="batch", run__isnull=True, other__isnull=True, batch__isnull=False),
            ),
            # Shared twice, a thing has one link.
            models.UniqueConstraint(
                name="share_prediction_once",
                fields=["run"],
                condition=Q(kind="prediction", withdrawn__isnull=True),
            ),
            models.UniqueConstraint(
                name="share_comparison_once",
                fields=["run", "other"],
                condition=Q(kind="comparison", withdrawn__isnull=True),
            ),
            models.UniqueConstraint(
                name="share_batch_once", fields=["batch"], condition=Q(kind="batch", withdrawn__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.token[:6]}…"

    def get_absolute_url(self) -> str:
        return reverse("predictions:shared", args=[self.token])
