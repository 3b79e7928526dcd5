"""What was computed to explain a network, one row for each question about one picture; and solved tasks of lessons."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from learn.own_models import OwnClasses, OwnExample
from predictions.jobs import Job, JobQuerySet, job_constraints, job_indexes

__all__ = ["Explanation", "ExplanationQuerySet", "OwnClasses", "OwnExample", "SolvedTask"]

# ``used`` is written no more often than this: looking at a figure must not cost a write for each of its files.
USED_STEP = timedelta(minutes=1)


class ExplanationQuerySet(JobQuerySet):
    def of_samples(self) -> Self:
        """The site's own, about its sample pictures: everybody may see them."""
        return self.filter(owner__isnull=True)

    def finished(self) -> Self:
        return self.filter(finished__isnull=False)

    def evictable(self) -> Self:
        """What can make room, the least recently used first: not what was made with a release, nor what waits."""
        return self.finished().filter(built=False).order_by("used", "pk")

    def touch(self) -> int:
        """Notes that these were used now."""
        return self.filter(used__lt=Now() - USED_STEP).update(used=Now())


class Explanation(Job):
    """A question about one picture and one version of one network, and its answer.

    It has the pixels that the network saw, so that a worker reads neither the storage nor other tables. ``result`` is
    small and for pages; the arrays and pictures of a figure are members of one file.
    """

    GAVE_UP: ClassVar[str] = gettext_noop(
        "This figure stopped the worker three times, so it was given up. Try another picture or other settings."
    )

    # Null: about a sample picture, and the site's own.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="explanations"
    )
    # The clean picture as the network saw it. It goes with its upload, and this row with it.
    network_input = models.ForeignKey(
        "predictions.NetworkInput", models.CASCADE, null=True, blank=True, related_name="+"
    )
    sample = models.CharField(_("sample picture"), max_length=40, blank=True, default="")
    network = models.CharField(_("network"), max_length=40)
    artifact = models.CharField(_("version"), max_length=80)
    kind = models.CharField(_("kind"), max_length=40)
    parameters = models.JSONField(_("parameters"), default=dict, blank=True)
    # uint8 (size, size, 3), RGB. Null where there are no bars or the kind does not look at them.
    clean_pixels = models.BinaryField()
    covered_pixels = models.BinaryField(null=True, blank=True)
    bars = models.JSONField(_("bars"), default=list, blank=True)
    crop = models.JSONField(_("box"), null=True, blank=True, default=None)
    # A digest of what was asked: whoever asks the same again is given the same row.
    key = models.CharField(max_length=64, editable=False)
    # Made with a release for a sample picture: nothing else takes its room.
    built = models.BooleanField(_("made with the release"), default=False)

    result = models.JSONField(_("result"), default=dict, blank=True)
    file = models.FileField(_("file"), max_length=120, blank=True, default="")
    # The names of what is in the file.
    members = models.JSONField(default=list, blank=True)
    # Of the file and of the row, for quotas.
    bytes = models.PositiveBigIntegerField(_("size in bytes"), default=0)
    used = models.DateTimeField(_("last used"), default=timezone.now)

    objects = ExplanationQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("explanation")
        verbose_name_plural = _("explanations")
        ordering = ("-created", "-id")
        constraints = [
            *job_constraints("explanation"),
            models.UniqueConstraint(fields=["owner", "key"], name="explanation_once_per_owner"),
            models.UniqueConstraint(
                fields=["key"], name="explanation_once_of_samples", condition=Q(owner__isnull=True)
            ),
            models.CheckConstraint(
                name="explanation_of_a_picture_or_a_sample",
                condition=Q(owner__isnull=True, network_input__isnull=True) & ~Q(sample="")
                | Q(owner__isnull=False, network_input__isnull=False, sample="", built=False),
            ),
        ]
        indexes = [
            *job_indexes("explanation"),
            # For counting what somebody has waiting.
            models.Index(fields=["owner"], name="explanation_in_flight", condition=Q(finished__isnull=True)),
            # For what makes room, and what nobody has used for long.
            models.Index(fields=["owner", "used", "bytes"], name="explanation_used"),
            models.Index(fields=["used"], name="explanation_unused", condition=Q(built=False)),
            models.Index(fields=["sample"], name="explanation_sample", condition=Q(owner__isnull=True)),
            models.Index(fields=["-created", "-id"], name="explanation_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.network}"


class SolvedTask(models.Model):
    """A task of a lesson that somebody with an account has solved; both by the names they have in the code."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="solved_tasks")
    lesson = models.CharField(_("lesson"), max_length=40)
    task = models.CharField(_("task"), max_length=40)
    solved = models.DateTimeField(_("solved"), default=timezone.now)

    class Meta:
        verbose_name = _("solved task")
        verbose_name_plural = _("solved tasks")
        ordering = ("solved", "id")
        constraints = [
            models.UniqueConstraint(fields=["owner", "lesson", "task"], name="solved_task_once"),
        ]

    def __str__(self) -> str:
        return f"{self.lesson}: {self.task}"
