"""What waits for moderators, on the start page of the admin."""

from __future__ import annotations

from typing import Any

from django import template

from predictions.admin_tools import MODERATE
from predictions.models import Report, Upload

register = template.Library()


@register.inclusion_tag("admin/predictions/_waiting.html", takes_context=True)
def waiting_work(context: dict[str, Any]) -> dict[str, Any]:
    """How many reports are open and how many pictures are held; nothing for those who may not decide."""
    request = context["request"]
    if not request.user.has_perm(MODERATE):
        return {"may": False}
    return {
        "may": True,
        "reports": Report.objects.filter(state=Report.State.OPEN).count(),
        "held": Upload.objects.filter(hidden__isnull=False, held=True).count(),
    }
