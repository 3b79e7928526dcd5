"""Suspending and lifting in the admin's list of users: the action asks for a reason on a page of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts import suspension
from accounts.models import User
from accounts.moderation_log import REASON_LENGTH

# More at once is a mistake, or a question of the address that they came from.
MOST = 100


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=REASON_LENGTH, widget=forms.Textarea({"rows": 4}))


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("active", _("Active")),
            ("suspended", _("Suspended")),
            ("inactive", _("Deactivated by hand")),
            ("deletion", _("Deleted by their owner, not yet erased")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        chosen: dict[str | None, dict[str, Any]] = {
            "active": {"is_active": True, "deletion_due__isnull": True},
            "suspended": {"suspended__isnull": False},
            "inactive": {"is_active": False, "suspended__isnull": True},
            "deletion": {"deletion_due__isnull": False},
        }
        return queryset.filter(**chosen.get(self.value(), {}))


class SuspensionActions:
    """For the admin of users: a column that says how things stand, and two actions."""

    @admin.display(description=_("state"))
    def state(self, user: User) -> str:
        said = []
        if user.suspended is not None:
            said.append(gettext("suspended on %(date)s") % {"date": _day(user.suspended)})
        elif not user.is_active:
            said.append(gettext("deactivated by hand"))
        if user.deletion_due is not None:
            said.append(gettext("erased on %(date)s") % {"date": _day(user.deletion_due)})
        return ", ".join(said) or gettext("active")

    def has_suspend_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("accounts.suspend_user"))

    @admin.action(description=_("Suspend…"), permissions=["suspend"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        words = {
            "title": gettext("Suspend accounts"),
            "says": gettext(
                "Their owners are logged out everywhere, and told this reason when they come back. What they have "
                "shared is not shown meanwhile."
            ),
            "button": gettext("Suspend"),
        }
        return self._ask(
            request, queryset.filter(suspended__isnull=True), "suspend", suspension.suspend, words
        )

    @admin.action(description=_("Lift the suspension…"), permissions=["suspend"])
    def lift(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        words = {
            "title": gettext("Lift suspensions"),
            "says": gettext("Their owners can log in again. The reason is kept in the moderation log."),
            "button": gettext("Lift the suspension"),
        }
        return self._ask(request, queryset.filter(suspended__isnull=False), "lift", suspension.lift, words)

    def _ask(
        self,
        request: HttpRequest,
        users: QuerySet[User],
        action: str,
        verb: Callable[[Any, User, str], bool],
        words: dict[str, str],
    ) -> HttpResponse | None:
        """The page that asks for the reason and, when that is sent, the verb for each of the accounts."""
        chosen = list(users.order_by("email")[: MOST + 1])
        if not chosen or len(chosen) > MOST:
            said = gettext("Choose fewer accounts, at most %(most)d.") % {"most": MOST} if chosen else ""
            self._tell(request, said or gettext("None of these accounts needs it."), messages.WARNING)
            return None
        form = ReasonForm(request.POST if "confirmed" in request.POST else None)
        if not form.is_valid():
            context = {
                **admin.site.each_context(request),
                **words,
                "form": form,
                "users": chosen,
                "action": action,
                "checkbox": ACTION_CHECKBOX_NAME,
                "opts": User._meta,
            }
            return TemplateResponse(request, "admin/accounts/user/ask_reason.html", context)
        done = 0
        for user in chosen:
            try:
                done += verb(request.user, user, form.cleaned_data["reason"])
            except suspension.MayNotSuspend as error:
                self._tell(request, f"{user.email}: {error}", messages.ERROR)
        if done:
            said = (
                ngettext("%(count)d account is suspended.", "%(count)d accounts are suspended.", done)
                if action == "suspend"
                else ngettext(
                    "The suspension of %(count)d account is lifted.",
                    "The suspensions of %(count)d accounts are lifted.",
                    done,
                )
            )
            self._tell(request, said % {"count": done}, messages.SUCCESS)
        return None

    def _tell(self, request: HttpRequest, said: str, level: int) -> None:
        messages.add_message(request, level, said)


def _day(when: Any) -> str:
    return date_format(localtime(when), "SHORT_DATE_FORMAT")
