"""Second factors and sessions in the admin: to be looked at and removed, never read, made or changed."""

from __future__ import annotations

from typing import Any

from allauth.mfa.base.internal.flows import delete_dangling_recovery_codes
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.http import HttpRequest


class LookAndRemove(admin.ModelAdmin):
    list_select_related = ("user",)
    search_fields = ("user__email",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Without its second factor an administrator's account is easier to take.
        if obj is not None and obj.user.is_superuser and not request.user.is_superuser:
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


class AuthenticatorAdmin(LookAndRemove):
    """For somebody who lost the phone and the recovery codes, after it is certain that it is them."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type", "created_at")
    fields = readonly_fields = ("user", "type", "created_at", "last_used_at")

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        obj.delete()
        delete_dangling_recovery_codes(obj.user)


class UserSessionAdmin(LookAndRemove):
    list_display = ("user", "user_agent", "created_at", "last_seen_at")
    list_filter = ("last_seen_at",)
    fields = readonly_fields = ("user", "user_agent", "created_at", "last_seen_at")

    def delete_model(self, request: HttpRequest, obj: UserSession) -> None:
        obj.end()


def register() -> None:
    """In the place of what allauth registers, which would let secrets be read and searches fail."""
    for model, of_model in ((Authenticator, AuthenticatorAdmin), (UserSession, UserSessionAdmin)):
        admin.site.unregister(model)
        admin.site.register(model, of_model)
