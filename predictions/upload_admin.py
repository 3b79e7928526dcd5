"""Pictures in the admin: found, looked at, hidden, released and removed; what is held for review has a queue here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from accounts.models import ModerationEntry
from accounts.moderation_log import as_reason
from predictions import moderation
from predictions.admin_search import OwnerSearch, QuickList
from predictions.admin_tools import ReadOnlyAdmin, ReasonForm, blurred, may_moderate, size, who
from predictions.fingerprint import NEAR
from predictions.images import CONTENT_TYPES
from predictions.media import picture_response
from predictions.models import Prediction, RemovedPicture, Upload

# A verb of ``moderation`` for many pictures; returns for how many it did something.
Verb = Callable[[Any, Any, str], int]


class UploadStateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("shown", _("shown")),
            ("held", _("held for review")),
            ("hidden", _("hidden")),
            ("expired", _("file removed")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Upload]) -> QuerySet[Upload] | None:
        if self.value() == "held":
            # The condition of the index of what is hidden, without which all pictures would be read.
            return queryset.filter(hidden__isnull=False, held=True)
        if self.value() == "hidden":
            return queryset.filter(hidden__isnull=False, held=False)
        if self.value() == "shown":
            return queryset.filter(hidden__isnull=True)
        return queryset.filter(expired__isnull=False) if self.value() == "expired" else None


class FormatFilter(admin.SimpleListFilter):
    """The formats that pictures are kept in. Asking the pictures for theirs would read all of them."""

    title = gettext_lazy("format")
    parameter_name = "content_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind, kind) for kind in CONTENT_TYPES.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Upload]) -> QuerySet[Upload] | None:
        return queryset.filter(content_type=self.value()) if self.value() else None


def resembled(uploads: Iterable[Upload]) -> dict[Any, RemovedPicture]:
    """What each picture that is held looks like: the removed one that is nearest to it."""
    held = {one.pk: int(one.fingerprint, 16) for one in uploads if one.held and one.fingerprint}
    removed = {int(one.fingerprint, 16): one for one in RemovedPicture.objects.all()} if held else {}
    found = {}
    for pk, mark in held.items():
        nearest = min(removed, key=lambda other: (other ^ mark).bit_count(), default=None)
        if nearest is not None and (nearest ^ mark).bit_count() <= NEAR:
            found[pk] = removed[nearest]
    return found


class Pictures(QuickList):
    """A page of pictures; each that is held knows what it looks like."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = rows = list(self.result_list)
        like = resembled(rows)
        for row in rows:
            row.like = like.get(row.pk)


@admin.register(Upload)
class UploadAdmin(OwnerSearch, ReadOnlyAdmin):
    list_display = ("thumbnail", "filename", "owner", "state", "dimensions", "runs", "created")
    list_display_links = ("filename",)
    list_filter = (UploadStateFilter, "created", FormatFilter)
    list_select_related = ("owner",)
    list_per_page = 50
    date_hierarchy = "created"
    search_fields = ("owner__email", "filename")
    search_help_text = gettext_lazy("The owner’s e-mail address, or the file name")
    ordering = ("-created",)
    fields = (
        *("picture", "filename", "owner", "state", "decisions", "reports"),
        *("dimensions", "source", "bytes", "content_type", "created"),
    )
    readonly_fields = fields
    action_form = ReasonForm
    actions = ("hide_pictures", "show_pictures", "release_pictures", "remove_pictures")

    # --- who may ------------------------------------------------------------------------------------------

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_moderate(request) or super().has_module_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_moderate(request) or super().has_view_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        own = obj is not None and obj.owner_id == request.user.pk
        return not own and super().has_delete_permission(request, obj)

    # --- the list -----------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Upload]:
        """With the number of predictions, which is reckoned for the rows that are shown."""
        runs = Prediction.objects.filter(upload=OuterRef("pk")).order_by().values("upload")
        number = Subquery(runs.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
        found = super().get_queryset(request).annotate(run_count=Coalesce(number, 0))
        # Not even the name of what moderators hid, for those who are none.
        return found if may_moderate(request) else found.shown()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return Pictures

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        # Django's own deletion would leave the files behind.
        actions.pop("delete_selected", None)
        return actions

    # --- the picture --------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        address = path(
            "<uuid:pk>/picture/",
            self.admin_site.admin_view(self.picture_view),
            name="predictions_upload_picture",
        )
        return [address, *super().get_urls()]

    def picture_view(self, request: HttpRequest, pk: Any) -> HttpResponseBase:
        upload = Upload.objects.filter(pk=pk).first()
        if upload is None or not upload.file or not self.has_view_permission(request, upload):
            raise Http404
        if upload.hidden is not None and not may_moderate(request):
            raise Http404
        return picture_response(request, upload)

    # --- what is done -------------------------------------------------------------------------------------

    def delete_model(self, request: HttpRequest, obj: Upload) -> None:
        moderation.remove(who(request), [obj], "")

    def _do(
        self, request: HttpRequest, verb: Verb, queryset: QuerySet[Upload], said: Any, nothing: str
    ) -> None:
        reason = as_reason(request.POST.get("reason", ""))
        if not reason and verb in (moderation.hide, moderation.remove):
            # Its owner reads it on the account page.
            messages.error(request, _("Write a reason first: the owner of the picture is told."))
            return
        # Without what the list shows of them: a page of pictures, or all that were found.
        others = Upload.objects.filter(pk__in=list(queryset.order_by().values_list("pk", flat=True)))
        own = others.filter(owner=who(request)).count()
        count = verb(who(request), others.exclude(owner=who(request)), reason)
        if own:
            messages.warning(request, str(moderation.OwnPicture()))
        if count:
            messages.success(request, said % count)
        elif not own:
            messages.info(request, nothing)

    @admin.action(description=gettext_lazy("Hide everywhere"), permissions=["moderate"])
    def hide_pictures(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        said = ngettext_lazy("%d picture is hidden everywhere.", "%d pictures are hidden everywhere.")
        self._do(request, moderation.hide, queryset, said, _("What was selected is hidden already."))

    @admin.action(description=gettext_lazy("Show again"), permissions=["moderate"])
    def show_pictures(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        said = ngettext_lazy("%d picture is shown again.", "%d pictures are shown again.")
        self._do(request, moderation.show, queryset, said, _("Nothing that was selected is hidden."))

    @admin.action(description=gettext_lazy("Release after review"), permissions=["moderate"])
    def release_pictures(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        said = ngettext_lazy("%d picture is released.", "%d pictures are released.")
        self._do(
            request, moderation.release, queryset, said, _("Nothing that was selected is held for review.")
        )

    @admin.action(description=gettext_lazy("Remove for good"), permissions=["moderate"])
    def remove_pictures(self, request: HttpRequest, queryset: QuerySet[Upload]) -> None:
        self.log_deletions(request, queryset.exclude(owner=who(request)))
        said = ngettext_lazy("%d picture was removed.", "%d pictures were removed.")
        self._do(request, moderation.remove, queryset, said, _("What was selected is gone already."))

    # --- what is shown ------------------------------------------------------------------------------------

    @admin.display(description=gettext_lazy("picture"))
    def thumbnail(self, upload: Upload) -> str:
        return blurred(upload)

    @admin.display(description=gettext_lazy("picture"))
    def picture(self, upload: Upload) -> str:
        address = reverse("admin:predictions_upload_picture", args=[upload.pk])
        if upload.expired or not upload.file:
            return blurred(upload)
        opened = format_html('<p><a href="{}">{}</a></p>', address, _("Open the picture"))
        return format_html("{}{}", blurred(upload, 320), opened)

    @admin.display(description=gettext_lazy("state"))
    def state(self, upload: Any) -> str:
        like = upload.like if hasattr(upload, "like") else resembled([upload]).get(upload.pk)
        if like is not None:
            date = formats.date_format(timezone.localtime(like.created), "DATETIME_FORMAT")
            return format_html(
                '<span class="badge-withheld">{}</span><br><a href="{}">{}</a>',
                _("held for review"),
                reverse("admin:predictions_removedpicture_change", args=[like.pk]),
                _("looks like a picture removed on %(date)s") % {"date": date},
            )
        if upload.hidden:
            word = _("held for review") if upload.held else _("hidden")
            return format_html('<span class="badge-withheld">{}</span>', word)
        return _("file removed") if upload.expired else _("shown")

    @admin.display(description=gettext_lazy("decisions"))
    def decisions(self, upload: Upload) -> str:
        entries = ModerationEntry.objects.filter(picture=upload.pk).select_related("actor")[:20]
        lines = [
            (
                formats.date_format(timezone.localtime(entry.created), "DATETIME_FORMAT"),
                entry.get_action_display(),
                entry.reason or "–",
                entry.actor.email if entry.actor else "–",
            )
            for entry in entries
        ]
        return format_html_join("", "{}: {}; {} ({})<br>", lines) or "–"

    @admin.display(description=gettext_lazy("reports"))
    def reports(self, upload: Upload) -> str:
        lines = [
            (
                reverse("admin:predictions_report_change", args=[report.pk]),
                report.get_reason_display(),
                report.get_state_display(),
            )
            for report in upload.reports.all()[:20]
        ]
        return format_html_join("", '<a href="{}">{}</a>, {}<br>', lines) or "–"

    @admin.display(description=gettext_lazy("size"), ordering="width")
    def dimensions(self, upload: Upload) -> str:
        return size(upload.width, upload.height)

    @admin.display(description=gettext_lazy("size as sent"))
    def source(self, upload: Upload) -> str:
        return size(upload.source_width, upload.source_height)

    @admin.display(description=gettext_lazy("predictions"))
    def runs(self, upload: Any) -> int:
        return int(upload.run_count)
