"""A read-mostly console of uploads and predictions: everything that changes something is a service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from predictions import removal, tasks
from predictions.jobs import Heartbeat
from predictions.media import picture_response
from predictions.models import Prediction, Upload
from predictions.templatetags.prediction_format import percent


def _size(width: int, height: int) -> str:
    """640 × 480 in one piece: a narrow column would break it at plain spaces."""
    return f"{width}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{height}"


def _thumbnail(upload_id: Any) -> str:
    address = reverse("admin:predictions_upload_picture", args=[upload_id])
    return format_html('<img src="{}?size=thumb" alt="" width="80" loading="lazy">', address)


class ReadOnlyAdmin(admin.ModelAdmin):
    """Nothing is typed in here: rows come from users and workers."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Upload)
class UploadAdmin(ReadOnlyAdmin):
    list_display = ("thumbnail", "filename", "owner", "dimensions", "runs", "created")
    list_display_links = ("thumbnail", "filename")
    list_filter = ("created", "content_type")
    list_select_related = ("owner",)
    list_per_page = 50
    show_full_result_count = False
    date_hierarchy = "created"
    search_fields = ("owner__email", "filename")
    ordering = ("-created",)
    fields = ("picture", "filename", "owner", "dimensions", "source", "bytes", "content_type", "created")
    readonly_fields = fields
    actions = ("remove_pictures",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        return super().get_queryset(request).annotate(run_count=Count("predictions"))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        # Django's own deletion would leave the files behind.
        actions.pop("delete_selected", None)
        return actions

    def get_urls(self) -> list[URLPattern]:
        address = path(
            "<uuid:pk>/picture/",
            self.admin_site.admin_view(self.picture_view),
            name="predictions_upload_picture",
        )
        return [address, *super().get_urls()]

    def picture_view(self, request: HttpRequest, pk: Any) -> HttpResponseBase:
        upload = Upload.objects.filter(pk=pk).first()
        if upload is None or not self.has_view_permission(request, upload):
            raise Http404
        return picture_response(request, upload)

    def delete_model(self, request: HttpRequest, obj: Upload) -> None:
        removal.remove_upload(obj)

    @admin.action(description=_("Remove this picture"), permissions=["delete"])
    def remove_pictures(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        self.log_deletions(request, queryset)
        count = 0
        for upload in queryset:
            removal.remove_upload(upload)
            count += 1
        messages.success(
            request, ngettext("%d picture was removed.", "%d pictures were removed.", count) % count
        )

    @admin.display(description=_("picture"))
    def thumbnail(self, upload: Upload) -> str:
        return _thumbnail(upload.pk)

    @admin.display(description=_("picture"))
    def picture(self, upload: Upload) -> str:
        address = reverse("admin:predictions_upload_picture", args=[upload.pk])
        return format_html('<a href="{0}"><img src="{0}?size=thumb" alt="" width="320"></a>', address)

    @admin.display(description=_("size"), ordering="width")
    def dimensions(self, upload: Upload) -> str:
        return _size(upload.width, upload.height)

    @admin.display(description=_("size as sent"))
    def source(self, upload: Upload) -> str:
        return _size(upload.source_width, upload.source_height)

    @admin.display(description=_("predictions"), ordering="run_count")
    def runs(self, upload: Any) -> int:
        return int(upload.run_count)


@admin.register(Prediction)
class PredictionAdmin(ReadOnlyAdmin):
    list_display = ("thumbnail", "owner", "model", "answer", "probability", "status", "created")
    list_display_links = ("thumbnail", "owner")
    list_filter = ("status", "model", "outside", "created", "asked")
    list_select_related = ("owner", "upload", "model", "top1")
    list_per_page = 50
    show_full_result_count = False
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
        count = Prediction.objects.filter(pk__in=queryset.values("pk")).retry()
        tasks.predict.delay_on_commit()
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
        return _thumbnail(run.upload_id)

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
