"""A read-mostly console of predictions and workers: everything that changes something is a service.

Reports and pictures have modules of their own, which are found from here: ``moderation_admin`` and ``upload_admin``.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from predictions import lifecycle, removal
from predictions.admin_search import OwnerSearch
from predictions.admin_tools import ReadOnlyAdmin, blurred, may_moderate
from predictions.jobs import Heartbeat
from predictions.models import Label, Prediction, Upload
from predictions.moderation_admin import RemovedPictureAdmin, ReportAdmin
from predictions.templatetags.prediction_format import percent
from predictions.upload_admin import UploadAdmin

__all__ = ["HeartbeatAdmin", "PredictionAdmin", "RemovedPictureAdmin", "ReportAdmin", "UploadAdmin"]


@admin.register(Prediction)
class PredictionAdmin(OwnerSearch, ReadOnlyAdmin):
    list_display = ("thumbnail", "owner", "model", "answer", "probability", "status", "created")
    list_display_links = ("owner",)
    list_filter = ("status", "model", "outside", "created", "asked")
    list_select_related = ("owner", "upload", "model", "top1")
    list_per_page = 50
    date_hierarchy = "created"
    search_fields = ("owner__email", "upload__filename", "top1__name")
    ordering = ("-created",)
    fields = (
        "thumbnail",
        "owner",
        "upload",
        "model",
        "artifact",
        "status",
        "all_answers",
        "outside",
        "outside_score",
        "bars",
        "crop",
        "clean_run",
        "batch",
        "priority",
        "attempts",
        "error_code",
        "error_message",
        "created",
        "started",
        "finished",
        "deleted",
    )
    readonly_fields = fields
    actions = ("retry_failed", "remove_predictions")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prediction]:
        """Without the pictures that moderators hid, for those who are none."""
        found = super().get_queryset(request)
        hidden = Upload.objects.filter(hidden__isnull=False)
        return found if may_moderate(request) else found.exclude(upload__in=hidden.order_by().values("pk"))

    def named(self, word: str) -> Q:
        """In the file name, as the row itself has it, and in the likeliest class."""
        labels = list(Label.objects.filter(name__icontains=word).values_list("pk", flat=True))
        return Q(search_name__contains=word.casefold()) | Q(top1__in=labels)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_model(self, request: HttpRequest, obj: Prediction) -> None:
        removal.remove(Prediction.objects.filter(pk=obj.pk))

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("predictions.change_prediction")

    @admin.action(description=_("Try failed predictions again"), permissions=["retry"])
    def retry_failed(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> None:
        count = lifecycle.retry_failed(Prediction.objects.filter(pk__in=queryset.values("pk")))
        messages.success(
            request,
            ngettext("%d prediction is queued again.", "%d predictions are queued again.", count) % count,
        )

    @admin.action(
        description=_("Remove for good, with pictures that nothing else uses"), permissions=["delete"]
    )
    def remove_predictions(self, request: HttpRequest, queryset: QuerySet[Prediction]) -> None:
        self.log_deletions(request, queryset)
        count = removal.remove(Prediction.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))))
        messages.success(
            request, ngettext("%d prediction was removed.", "%d predictions were removed.", count) % count
        )

    @admin.display(description=_("picture"))
    def thumbnail(self, run: Prediction) -> str:
        return blurred(run.upload)

    @admin.display(description=_("answer"), ordering="top1")
    def answer(self, run: Prediction) -> str:
        return run.top1.name.replace("_", " ") if run.top1 else "–"

    @admin.display(description=_("probability"), ordering="probability1")
    def probability(self, run: Prediction) -> str:
        return "–" if run.probability1 is None else percent(run.probability1)

    @admin.display(description=_("answers"))
    def all_answers(self, run: Prediction) -> str:
        return ", ".join(f"{row['name']} {percent(row['probability'])}" for row in run.answers or []) or "–"


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """Which workers live, and what they have loaded."""

    list_display = ("name", "queues", "loaded", "started", "seen")
    ordering = ("-seen",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("networks"))
    def loaded(self, heartbeat: Heartbeat) -> str:
        return ", ".join(f"{name} ({version})" for name, version in sorted(heartbeat.models.items())) or "–"
