"""The laboratory in the admin: what was computed, for whom, and why it was not. Nothing is typed in here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from learn.models import Explanation, OwnClasses, SolvedTask
from predictions.admin_search import OwnerSearch
from predictions.admin_tools import ReadOnlyAdmin


class KeptAdmin(OwnerSearch, ReadOnlyAdmin):
    """Rows of somebody's, which go with the account or by upkeep, never from here."""

    list_select_related = ("owner",)
    list_per_page = 50

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Explanation)
class ExplanationAdmin(KeptAdmin):
    list_display = ("kind", "network", "subject", "status", "size", "used", "created")
    list_filter = ("status", "kind", "network", "built")
    search_fields = ("owner__email", "sample", "kind")
    ordering = ("-created",)
    fields = (
        "kind",
        "network",
        "artifact",
        "subject",
        "parameters",
        "bars",
        "crop",
        "status",
        "error_code",
        "error_message",
        "priority",
        "attempts",
        "built",
        "size",
        "members",
        "created",
        "started",
        "finished",
        "used",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Explanation]:
        """Without what the figures say: it is about somebody's picture."""
        return super().get_queryset(request).defer("clean_pixels", "covered_pixels", "result")

    def named(self, word: str) -> Q:
        return Q(sample__icontains=word) | Q(kind__icontains=word)

    @admin.display(description=_("about"))
    def subject(self, row: Explanation) -> str:
        return row.sample or str(row.owner)

    @admin.display(description=_("size"), ordering="bytes")
    def size(self, row: Explanation) -> str:
        return filesizeformat(row.bytes)


@admin.register(OwnClasses)
class OwnClassesAdmin(KeptAdmin):
    """Names and how the training ended; neither pictures nor heads, and no link that would show more."""

    list_display = ("title", "owner", "status", "network", "is_shared", "created")
    list_filter = ("status", "network")
    search_fields = ("owner__email", "title")
    ordering = ("-created",)
    fields = (
        "title",
        "owner",
        "classes",
        "network",
        "artifact",
        "is_shared",
        "status",
        "error_code",
        "error_message",
        "attempts",
        "created",
        "retried",
        "started",
        "finished",
    )
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[OwnClasses]:
        return super().get_queryset(request).defer("head", "result")

    def named(self, word: str) -> Q:
        return Q(title__icontains=word)

    @admin.display(description=_("shared by a link"), boolean=True)
    def is_shared(self, row: OwnClasses) -> bool:
        return row.token is not None


@admin.register(SolvedTask)
class SolvedTaskAdmin(KeptAdmin):
    """Who solved what, and when: for a question about lost progress. Nobody is graded by it."""

    list_display = ("lesson", "task", "owner", "solved")
    list_filter = ("lesson",)
    search_fields = ("owner__email", "lesson", "task")
    ordering = ("-id",)
    fields = ("owner", "lesson", "task", "solved")
    readonly_fields = fields

    def named(self, word: str) -> Q:
        return Q(lesson__icontains=word) | Q(task__icontains=word)
