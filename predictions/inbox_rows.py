"""The row of a picture that was put into the bucket's inbox: the job of taking it in, and then its result."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.db import connections, models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from predictions.jobs import Job, JobQuerySet, job_constraints, job_indexes


class InboxQuerySet(JobQuerySet):
    def unwritten(self) -> Self:
        """What has no result in the bucket yet."""
        return self.filter(written__isnull=True)

    def ready(self) -> Self:
        """What was taken in or refused, and whose networks have all ended."""
        from predictions.models import Prediction

        waiting = Prediction.objects.visible().in_flight().filter(upload=OuterRef("upload"))
        ended = self.unwritten().exclude(status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
        return ended.filter(~Exists(waiting), result_due__lte=Now())

    def take_ready(self, limit: int, until: Any) -> list[Any]:
        """Up to ``limit`` whose results are the caller's to write, and nobody else's until then."""
        with transaction.atomic(using=self.db):
            rows = self.ready().order_by("result_due", "id")
            if connections[self.db].features.has_select_for_update_skip_locked:
                rows = rows.select_for_update(skip_locked=True, of=("self",))
            keys = list(rows.values_list("pk", flat=True)[:limit])
            self.filter(pk__in=keys).update(result_due=until)
        return list(self.filter(pk__in=keys).order_by("created", "id"))


class InboxObject(Job):
    """One version of an object below ``inbox/``: taken in as a job, done when its result lies below ``outbox/``.

    The job ends when the picture was given to the networks, or refused with a sentence. ``written``: when all was over.
    """

    # Those for the same networks are taken in together.
    GROUP_FIELDS: ClassVar[tuple[str, ...]] = ("networks",)

    # A digest of bucket, key and version: whatever is delivered twice meets it.
    identity = models.CharField(max_length=64, unique=True, editable=False)
    key = models.TextField()
    etag = models.CharField(max_length=80, db_default="", default="")
    # Grows with every version of the same key: S3's sequencer, or the time of the event.
    version = models.CharField(max_length=64, db_default="", default="")
    size = models.BigIntegerField(db_default=0, default=0)
    # Names joined by "+"; empty for all that are offered.
    networks = models.CharField(max_length=200, db_default="", default="")
    # Without a constraint: a release that does not know this table may remove uploads beside this one.
    upload = models.ForeignKey(
        "predictions.Upload", models.SET_NULL, null=True, related_name="+", db_constraint=False
    )
    # What is written, fixed before it is: whoever repeats the writing writes the same bytes.
    result = models.TextField(db_default="", default="")
    result_due = models.DateTimeField(db_default=Now())
    written = models.DateTimeField(null=True)

    objects = InboxQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        app_label = "predictions"
        constraints = job_constraints("inbox")
        indexes = [
            *job_indexes("inbox"),
            models.Index(
                fields=["result_due", "id"], name="inbox_unwritten", condition=Q(written__isnull=True)
            ),
            models.Index(fields=["written"], name="inbox_written", condition=Q(written__isnull=False)),
            models.Index(fields=["-created", "-id"], name="inbox_newest"),
        ]

    def __str__(self) -> str:
        return self.key
