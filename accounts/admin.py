from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import registry
from accounts.admin_suspension import StateFilter, SuspensionActions
from accounts.models import ApiToken, User
from accounts.moderation_admin import ModerationEntryAdmin  # noqa: F401  registers the moderation log

STATE_FIELDS = ("state", "suspended", "suspension_reason", "deletion_due")


class UserAddForm(AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email",)
        field_classes: dict[str, Any] = {}


class UserEditForm(UserChangeForm):
    class Meta:
        model = User
        fields = "__all__"
        field_classes: dict[str, Any] = {}


class GuestFilter(admin.SimpleListFilter):
    """Guests come and go by themselves, so the list leaves them out until somebody asks for them."""

    title = _("kind")
    parameter_name = "kind"
    default = "accounts"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(self.default, _("Accounts")), ("guests", _("Guests")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Iterator[Any]:
        # Without the "All" that the base class puts first, which would be the default.
        for value, title in self.lookup_choices:
            yield {
                "selected": (self.value() or self.default) == value,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
                "display": title,
            }

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        if self.value() == "all":
            return queryset
        return queryset.filter(is_guest=self.value() == "guests")


@admin.register(User)
class UserAdmin(SuspensionActions, DjangoUserAdmin):
    """Read-mostly: an address is changed by its owner, who has to confirm the new one."""

    form = UserEditForm
    add_form = UserAddForm
    list_display = ("email", "created", "last_login", "state", "is_staff")
    list_filter = (GuestFilter, StateFilter, "created", "suspended", "is_staff", "is_superuser")
    search_fields = ("email",)
    actions = ("suspend", "lift")
    ordering = ("-created",)
    date_hierarchy = "created"
    filter_horizontal = ("groups", "user_permissions")
    fieldsets = (
        (None, {"fields": ("email", "password", "time_zone", "created", "last_login", "guest_until")}),
        (_("State"), {"fields": STATE_FIELDS}),
        (
            _("What this account may do"),
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "usable_password", "password1", "password2")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        fields: tuple[str, ...] = ("created", "last_login", "guest_until", *STATE_FIELDS)
        if obj is not None:
            fields += ("email",)
        if obj is not None and obj.suspended is not None:
            # The action lifts a suspension, with a reason and in the log.
            fields += ("is_active",)
        if not request.user.is_superuser:
            # Otherwise a moderator could make anybody, or themselves, an administrator.
            fields += ("is_staff", "is_superuser", "groups", "user_permissions")
        return fields

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        # A password or a right would turn a guest into an account that belongs to nobody.
        return (
            _may_touch(request, obj)
            and not (obj is not None and obj.is_guest)
            and super().has_change_permission(request, obj)
        )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return _may_touch(request, obj) and super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        # Deleting many accounts by a wrong tick is not something to make easy.
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        registry.forget(obj)


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):
    """Tokens can be seen, but not read, and revoked."""

    list_display = ("name", "prefix", "owner", "created", "last_used")
    list_filter = ("created", "last_used")
    list_select_related = ("owner",)
    search_fields = ("owner__email", "name", "prefix")
    date_hierarchy = "created"
    fields = ("name", "prefix", "owner", "created", "last_used")
    readonly_fields = fields
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    @admin.action(description=_("Revoke the selected tokens"), permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        self.log_deletions(request, queryset)
        number, _rows = queryset.delete()
        text = ngettext("%(number)d token is revoked.", "%(number)d tokens are revoked.", number)
        self.message_user(request, text % {"number": number}, messages.SUCCESS)


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    """An administrator's account is changed, or given another password, by administrators only."""
    return user is None or not user.is_superuser or request.user.is_superuser
