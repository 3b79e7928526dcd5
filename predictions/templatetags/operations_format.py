"""How the operations page writes times that have passed."""

from __future__ import annotations

from datetime import timedelta

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()


@register.filter
def lasting(span: timedelta | None) -> str:
    """``8 s``, ``3 min``, ``2 h 05 min``, ``4 days``: as exact as it matters."""
    if span is None:
        return "–"
    seconds = int(span.total_seconds())
    if seconds < 60:
        return _("%(count)d s") % {"count": seconds}
    minutes = seconds // 60
    if minutes < 60:
        return _("%(count)d min") % {"count": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes}
    days = hours // 24
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}
