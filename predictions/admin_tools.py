"""What the parts of the console about pictures share: read-only lists, blurred pictures, actions with a reason."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ActionForm
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.moderation_log import REASON_LENGTH
from predictions.models import Upload

MODERATE = "predictions.moderate"


def may_moderate(request: HttpRequest) -> bool:
    return request.user.has_perm(MODERATE)


def who(request: HttpRequest) -> User:
    """Who is at work in the admin, where everybody has an account."""
    return cast(User, request.user)


class ReasonForm(ActionForm):
    """The reason of what is done to all the selected rows."""

    reason = forms.CharField(
        label=gettext_lazy("Reason:"), required=False, max_length=REASON_LENGTH, widget=forms.TextInput
    )


class ReadOnlyAdmin(admin.ModelAdmin):
    """Nothing is typed in here: rows come from users and workers. No list counts more rows than it shows."""

    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css = {"all": ["admin/moderation.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return may_moderate(request)


def size(width: int, height: int) -> str:
    """640 × 480 in one piece: a narrow column would break it at plain spaces."""
    return f"{width}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{height}"


def blurred(upload: Upload | None, width: int = 80) -> str:
    """A picture that is blurred until somebody wants to see it, by a click or with the space bar; without a script."""
    if upload is None:
        return format_html('<span class="no-picture">{}</span>', _("removed"))
    if upload.expired or not upload.file:
        return format_html('<span class="no-picture">{}</span>', _("file removed"))
    address = reverse("admin:predictions_upload_picture", args=[upload.pk])
    return format_html(
        '<label class="blurred"><input type="checkbox" autocomplete="off" aria-label="{}">'
        '<img src="{}?size=thumb" alt="" width="{}" loading="lazy"></label>',
        _("Show the picture %(name)s") % {"name": upload.filename},
        address,
        width,
    )
