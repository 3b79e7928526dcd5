"""Classes of somebody's own: their names, the head trained for them, and what a network saw of their pictures."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from predictions.images import FILENAME_LENGTH
from predictions.jobs import Job, job_constraints, job_indexes
from predictions.shares import TOKEN_LENGTH

TITLE_LENGTH = 60


class OwnClasses(Job):
    """A set of classes, and the job of training a head for them.

    A set that nobody has asked to train rests as a cancelled job that was never ``retried``. The head of an earlier
    training stays, and answers, until the next one has ended well.
    """

    GAVE_UP: ClassVar[str] = gettext_noop(
        "Training stopped the worker three times, so it was given up. Take back the pictures that you added last, "
        "then train again."
    )

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="own_classes")
    title = models.CharField(_("title"), max_length=TITLE_LENGTH)
    # The names, in their order; pictures refer to their places.
    classes = models.JSONField(_("classes"), default=list)
    # The network and the version that the head reads; empty until there is a head.
    network = models.CharField(_("network"), max_length=40, blank=True, default="")
    artifact = models.CharField(_("version"), max_length=80, blank=True, default="")
    # What came of the last training (learn.own_results), and float32 (k + 1, classes): the weights, then the biases.
    result = models.JSONField(_("result"), default=dict, blank=True)
    head = models.BinaryField(null=True, blank=True)
    # Null where it is not shared. Withdrawn, a link is never used again.
    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("own classes")
        verbose_name_plural = _("own classes")
        ordering = ("-created", "-id")
        constraints = [*job_constraints("own_classes")]
        indexes = [
            *job_indexes("own_classes"),
            models.Index(fields=["owner", "-created", "-id"], name="own_classes_newest"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def trained(self) -> bool:
        return bool(self.result)

    def get_absolute_url(self) -> str:
        return reverse("learn:own-set", args=[self.pk])


class OwnExample(models.Model):
    """One picture of a class as the network saw it. Of the file that was sent nothing else is kept but its name."""

    owned = models.ForeignKey(OwnClasses, models.CASCADE, related_name="examples")
    index = models.PositiveSmallIntegerField(_("class"))
    # uint8 (size, size, 3), RGB, and how it was shrunk (predictions.inputs.preprocessing_key).
    pixels = models.BinaryField()
    preprocessing = models.CharField(max_length=40)
    filename = models.CharField(_("file name"), max_length=FILENAME_LENGTH)
    # Of the pixels.
    digest = models.CharField(max_length=64)
    created = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        verbose_name = _("example")
        verbose_name_plural = _("examples")
        ordering = ("index", "id")
        constraints = [
            # Twice in a class it would be learned and judged by itself, in two classes it would be a contradiction.
            models.UniqueConstraint(fields=["owned", "digest"], name="own_example_once_in_a_set"),
        ]

    def __str__(self) -> str:
        return self.filename
