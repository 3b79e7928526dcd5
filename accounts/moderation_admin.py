"""The log of what moderators did, in the admin: read by those who may, changed by nobody."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ModerationEntry


class BySiteFilter(admin.SimpleListFilter):
    """Pictures are held for review by the site itself."""

    title = gettext_lazy("who did it")
    parameter_name = "by"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("people", _("a moderator")), ("site", _("the site, or an erased account"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ModerationEntry]
    ) -> QuerySet[ModerationEntry] | None:
        return queryset.filter(actor__isnull=self.value() == "site") if self.value() else None


@admin.register(ModerationEntry)
class ModerationEntryAdmin(admin.ModelAdmin):
    list_display = ("created", "action", "who", "account", "reason", "picture")
    list_display_links = ("created",)
    list_filter = ("action", BySiteFilter, "created")
    list_select_related = ("actor", "account")
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    date_hierarchy = "created"
    search_fields = ("account__email", "actor__email", "reason")
    search_help_text = gettext_lazy(
        "An e-mail address, words of the reason, or the id of a picture or a report"
    )
    fields = ("created", "action", "who", "account", "picture", "report", "reason")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        try:
            named = uuid.UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        return queryset.filter(Q(picture=named) | Q(report=named)), False

    @admin.display(description=gettext_lazy("by"), ordering="actor__email")
    def who(self, entry: ModerationEntry) -> str:
        return entry.actor.email if entry.actor else "–"
