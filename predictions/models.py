"""Pictures, runs of networks on them, and what the database itself refuses."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Concat, Now, StrIndex
from django.db.models.lookups import Exact
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ml.labels import display
from predictions.distributions import Distribution
from predictions.images import FILENAME_LENGTH
from predictions.inbox_rows import InboxObject
from predictions.jobs import Heartbeat, Job, JobQuerySet, Timer, job_constraints, job_indexes
from predictions.networks import Label, Network
from predictions.orders import order_indexes
from predictions.reports import FINGERPRINT_LENGTH, RemovedPicture, Report
from predictions.shares import Share

__all__ = [
    "Batch",
    "Distribution",
    "Heartbeat",
    "InboxObject",
    "Label",
    "Network",
    "NetworkInput",
    "Prediction",
    "RemovedPicture",
    "Report",
    "Share",
    "Timer",
    "Upload",
]

UNDO = timedelta(seconds=10)
DRAFT_LIFETIME = timedelta(hours=24)
PICTURES = "pictures"
NOTE_LENGTH = 500
HISTORY_COLUMNS = (
    "asked",
    "status",
    "model",
    "top1",
    "probability1",
    "covered",
    "starred",
    "batch",
    "search_name",
    # SQLite reads the row for a column of the condition unless it stands here as well.
    "deleted",
)
TOP = 5
RANKS = range(1, TOP + 1)
# How the key of each of a network's labels begins.
LABEL_PREFIX = Concat(F("model"), models.Value(":"), output_field=models.CharField())


def picture_path(upload: Upload, filename: str) -> str:
    """A random name: a file's address says nothing about its owner, its content or its neighbours."""
    name = secrets.token_hex(16)
    return f"{PICTURES}/{name[:2]}/{name}.{filename.rsplit('.', 1)[-1]}"


class UploadQuerySet(models.QuerySet["Upload"]):
    def orphans(self) -> Self:
        """Drafts that nothing was asked of within a day, and pictures whose last prediction is gone."""
        return self.unused().filter(created__lt=Now() - DRAFT_LIFETIME)

    def unused(self) -> Self:
        """Pictures without any prediction, deleted ones counted; not those that moderators withhold."""
        return self.shown().filter(~Exists(Prediction.objects.filter(upload=OuterRef("pk"))))

    def shown(self) -> Self:
        """Neither hidden by a moderator nor held for review."""
        return self.filter(hidden__isnull=True)

    def kept(self) -> Self:
        """Those whose file is still there: it was not removed because of its age."""
        return self.filter(expired__isnull=True)


class Upload(models.Model):
    """A picture as the site keeps it: upright, stripped, bounded. Without predictions it is a draft."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="uploads")
    file = models.FileField(_("picture"), upload_to=picture_path, max_length=120)
    filename = models.CharField(_("file name"), max_length=FILENAME_LENGTH)
    content_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    source_width = models.PositiveIntegerField()
    source_height = models.PositiveIntegerField()
    bytes = models.PositiveIntegerField(_("size in bytes"))
    created = models.DateTimeField(_("created"), db_default=Now(), editable=False, db_index=True)
    # Since when moderators withhold it; its predictions are deleted, and ``expired``, ``just_deleted`` spare them.
    hidden = models.DateTimeField(_("hidden"), null=True, blank=True, editable=False)
    # Hidden because it looks like a picture that was removed, until a moderator has seen it.
    held = models.BooleanField(_("held for review"), default=False, db_default=False, editable=False)
    # How it looks, for finding it again; empty where there is nothing to tell it by, null while nobody has looked.
    fingerprint = models.CharField(max_length=FINGERPRINT_LENGTH, null=True, blank=True, editable=False)
    # When its file was removed because of its age. What the networks said is kept.
    expired = models.DateTimeField(_("file removed"), null=True, blank=True, editable=False)

    objects = UploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("upload")
        verbose_name_plural = _("uploads")
        ordering = ("-created",)
        constraints = [
            models.CheckConstraint(
                name="upload_held_is_hidden", condition=Q(held=False) | Q(hidden__isnull=False)
            )
        ]
        indexes = [
            models.Index(fields=["hidden"], name="upload_hidden", condition=Q(hidden__isnull=False)),
            models.Index(
                fields=["fingerprint"], name="upload_fingerprint", condition=Q(fingerprint__isnull=False)
            ),
            # Nobody has looked at these yet: none, most of the time.
            models.Index(fields=["id"], name="upload_unseen", condition=Q(fingerprint__isnull=True)),
            # For what an account keeps, and for what has become old: no row is read but this.
            models.Index(fields=["owner", "bytes"], name="upload_storage", condition=Q(expired__isnull=True)),
            models.Index(fields=["created"], name="upload_kept", condition=Q(expired__isnull=True)),
            models.Index(fields=["expired"], name="upload_expired", condition=Q(expired__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.filename


class NetworkInput(models.Model):
    """What a network sees of an upload: the bytes of uint8 (size, size, 3), RGB.

    Made once for each preprocessing, set of bars and box, so that workers read no object storage; goes with its upload.
    """

    upload = models.ForeignKey(Upload, models.CASCADE, related_name="inputs")
    preprocessing = models.CharField(max_length=40)
    bars_key = models.CharField(max_length=64, blank=True, default="")
    crop_key = models.CharField(max_length=40, blank=True, default="", db_default="")
    size = models.PositiveIntegerField()
    pixels = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["upload", "preprocessing", "bars_key", "crop_key"], name="network_input_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} at {self.size}"


class Batch(models.Model):
    """What one submission asked for. ``key`` makes a repeated submission the same one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="batches")
    key = models.CharField(max_length=80, null=True, blank=True, editable=False)
    # What a repeated ``key`` must have asked for; empty where nobody compares.
    fingerprint = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    rejected = models.JSONField(default=list, blank=True)
    # What the student says is on the pictures: an upload's id -> a class's own name.
    truths = models.JSONField(default=dict, blank=True, db_default=models.Value({}, models.JSONField()))
    created = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = _("batches")
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="batch_key_once_per_owner")]
        indexes = [models.Index(fields=["owner", "-created", "-id"], name="batch_newest")]

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        return reverse("predictions:batch", args=[self.pk])


class PredictionQuerySet(JobQuerySet):
    def visible(self) -> Self:
        """Not deleted."""
        return self.filter(deleted__isnull=True)

    def waiting(self) -> Self:
        # What was deleted is not computed; an undo lets it wait again.
        return super().waiting().filter(deleted__isnull=True)

    def ended_badly(self) -> Self:
        # Once the picture's file is removed there is nothing left to show to the network.
        return super().ended_badly().filter(network_input__isnull=False)

    def of(self, user: Any) -> Self:
        """What ``user`` may see: their own, not deleted. The one rule that every view asks."""
        return self.visible().filter(owner=user)

    def with_answers(self) -> Self:
        """With all that a page or the API says about a run, in one query. What the network saw has its own address."""
        tops = [f"top{rank}" for rank in RANKS]
        return self.select_related("upload", "model", "clean_run", "clean_run__top1", *tops)

    def hide(self) -> int:
        with transaction.atomic(using=self.db):
            return self.filter(pk__in=self.filter(deleted__isnull=True).lock()).update(deleted=Now())

    def just_deleted(self) -> Self:
        """What an undo still reaches."""
        shown = Upload.objects.shown().filter(pk=OuterRef("upload"))  # joined, it would be locked as well
        return self.filter(Exists(shown), deleted__gte=Now() - UNDO - timedelta(seconds=5))

    def expired(self) -> Self:
        """Deleted, and too long ago for an undo."""
        shown = Upload.objects.shown().filter(pk=OuterRef("upload"))
        return self.filter(Exists(shown), deleted__lt=Now() - UNDO - timedelta(seconds=5))


class Prediction(Job):
    """One run of one network on one upload, clean or covered by bars.

    The five likeliest classes are columns of the row, so that the database can hold them to their network, to
    0..1 and to their order.
    """

    GROUP_FIELDS: ClassVar[tuple[str, ...]] = ("model_id",)

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="predictions")
    upload = models.ForeignKey(Upload, models.CASCADE, related_name="predictions")
    batch = models.ForeignKey(Batch, models.CASCADE, related_name="predictions")
    position = models.PositiveIntegerField(default=0)
    # A clean run that was made only to stand beside a covered one is not listed by its batch.
    asked = models.BooleanField(default=True)
    model = models.ForeignKey(Network, models.PROTECT, verbose_name=_("network"), related_name="+")
    # Null when the picture's file was removed because of its age: what a network saw is a picture, too.
    network_input = models.ForeignKey(NetworkInput, models.RESTRICT, null=True, blank=True, related_name="+")
    bars = models.JSONField(_("bars"), default=list, blank=True)
    # The same as "has bars", as a column that the history can filter by.
    covered = models.BooleanField(_("covered"), default=False, db_default=False)
    # The square that was cut out, as fractions. Null where the network's own preprocessing decided.
    crop = models.JSONField(_("box"), null=True, blank=True, default=None)
    clean_run = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="covered_runs")
    artifact = models.CharField(_("version"), max_length=80, blank=True, default="")
    deleted = models.DateTimeField(null=True, blank=True)

    # What its owner made of it.
    starred = models.BooleanField(_("starred"), default=False, db_default=False)
    note = models.CharField(_("note"), max_length=NOTE_LENGTH, blank=True, default="", db_default="")
    # The upload's file name, case-folded: a copy beside the other columns of the history's index.
    search_name = models.CharField(
        max_length=FILENAME_LENGTH, blank=True, default="", db_default="", editable=False
    )

    top1 = models.ForeignKey(Label, models.PROTECT, null=True, blank=True, related_name="+")
    top2 = models.ForeignKey(Label, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    top3 = models.ForeignKey(Label, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    top4 = models.ForeignKey(Label, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    top5 = models.ForeignKey(Label, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    probability1 = models.FloatField(_("probability"), null=True, blank=True)
    probability2 = models.FloatField(null=True, blank=True)
    probability3 = models.FloatField(null=True, blank=True)
    probability4 = models.FloatField(null=True, blank=True)
    probability5 = models.FloatField(null=True, blank=True)
    # Whether the picture is unlike all that the network was trained on, and the score that says so. Null where the
    # network's artifact cannot tell.
    outside = models.BooleanField(_("outside the classes"), null=True, blank=True)
    outside_score = models.FloatField(_("outside score"), null=True, blank=True)

    objects = PredictionQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        verbose_name = _("prediction")
        verbose_name_plural = _("predictions")
        ordering = ("-created", "-id")
        constraints = [
            *job_constraints("prediction"),
            models.CheckConstraint(
                name="prediction_done_has_answer",
                condition=~Q(status=Job.Status.DONE) | Q(top1__isnull=False, probability1__isnull=False),
            ),
            *(
                models.CheckConstraint(
                    name=f"prediction_top{rank}_of_its_network",
                    condition=Q(**{f"top{rank}__isnull": True})
                    | Q(Exact(StrIndex(F(f"top{rank}"), LABEL_PREFIX), 1)),
                )
                for rank in RANKS
            ),
            *(
                models.CheckConstraint(
                    name=f"prediction_probability{rank}_in_range",
                    condition=Q(**{f"probability{rank}__isnull": True})
                    | Q(**{f"probability{rank}__gte": 0.0, f"probability{rank}__lte": 1.0}),
                )
                for rank in RANKS
            ),
            *(
                models.CheckConstraint(
                    name=f"prediction_probability{rank}_falls",
                    condition=Q(**{f"probability{rank + 1}__isnull": True})
                    | Q(**{f"probability{rank + 1}__lte": F(f"probability{rank}")}),
                )
                for rank in range(1, TOP)
            ),
            models.CheckConstraint(
                name="prediction_outside_has_score",
                condition=Q(outside__isnull=True, outside_score__isnull=True)
                | Q(outside__isnull=False, outside_score__isnull=False),
            ),
        ]
        indexes = [
            *job_indexes("prediction"),
            # With all that the history filters and sorts by: counting and finding a page reads no rows but this.
            models.Index(
                fields=["owner", "-created", "-id", *HISTORY_COLUMNS],
                name="prediction_history_columns",
                condition=Q(deleted__isnull=True),
            ),
            *order_indexes(),
            # For counting what an account has waiting.
            models.Index(
                fields=["owner"],
                name="prediction_in_flight",
                condition=Q(finished__isnull=True),
            ),
            # For rows of a release that did not write the name yet: none, most of the time.
            models.Index(fields=["id"], name="prediction_unnamed", condition=Q(search_name="")),
            # For words in notes, which few predictions have.
            models.Index(
                fields=["owner"],
                name="prediction_noted",
                condition=Q(deleted__isnull=True) & ~Q(note=""),
            ),
            models.Index(fields=["deleted"], name="prediction_deleted", condition=Q(deleted__isnull=False)),
            # For the admin: what came last, what was answered in the last hour, what failed lately.
            models.Index(fields=["-created", "-id"], name="prediction_newest"),
            models.Index(
                fields=["finished"], name="prediction_finished", condition=Q(finished__isnull=False)
            ),
            models.Index(fields=["finished"], name="prediction_failed", condition=Q(status="failed")),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} on {self.upload_id}"

    @staticmethod
    def search_form(filename: str) -> str:
        """A file name as the history looks for it: letters of either case are the same."""
        return filename.casefold()[:FILENAME_LENGTH]

    def get_absolute_url(self) -> str:
        return reverse("predictions:detail", args=[self.pk])

    @property
    def answers(self) -> list[dict[str, Any]] | None:
        """The top five as {"index", "label", "name", "probability"}, or None while there is no answer.

        ``label`` is the class's own name, for programs; ``name`` is for people, in their language.
        """
        rows = []
        for rank in RANKS:
            label: Label | None = getattr(self, f"top{rank}")
            if label is None:
                break
            rows.append(
                {
                    "index": label.index,
                    "label": label.name,
                    "name": gettext(display(label.name)),
                    "probability": getattr(self, f"probability{rank}"),
                }
            )
        return rows or None

    @staticmethod
    def answer_fields(network: str, answers: list[tuple[int, str, float]]) -> dict[str, Any]:
        """Column values for the top answers of a predictor."""
        fields: dict[str, Any] = {}
        for rank, (index, _label, probability) in enumerate(answers[:TOP], 1):
            fields[f"top{rank}_id"] = Label.key(network, index)
            fields[f"probability{rank}"] = min(1.0, max(0.0, probability))
        return fields

    @property
    def seconds(self) -> float | None:
        """From sending, or from trying again, to the answer, as the student waited."""
        if self.finished is None:
            return None
        return max(0.0, (self.finished - (self.retried or self.created)).total_seconds())
