"""Numbers as a reader wants them: percentages, grouped thousands, millions, and SVG lengths."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

register = template.Library()


@register.filter
def percent(probability: float) -> str:
    """0.8725 -> ``87.3%``; never a false 0% or 100%."""
    share = 100 * float(probability)
    if 0 < share < 0.05:
        return _("< %(number)s%%") % {"number": number_format(0.1, 1)}
    if 99.95 <= share < 100:
        return _("> %(number)s%%") % {"number": number_format(99.9, 1)}
    return _("%(number)s%%") % {"number": number_format(round(share, 1), 1)}


@register.filter
def bar_width(probability: float) -> str:
    """A probability as a length of 0 to 100 for SVG, with a point in every language."""
    return f"{100 * min(1.0, max(0.0, float(probability))):.2f}"


@register.filter
def signed(number: float, places: int = 1) -> str:
    """-1.0 -> ``−1.0`` with a true minus sign."""
    return number_format(round(float(number), places), places).replace("-", "\N{MINUS SIGN}")


@register.filter
def grouped(number: float) -> str:
    """36536884 -> ``36,536,884``."""
    return number_format(int(number), use_l10n=True, force_grouping=True)


@register.filter
def rounded(number: float) -> str:
    """36536884 -> ``36.5 million``; below ten thousand the number itself."""
    number = float(number)
    if number >= 1e9:
        return pgettext("number", "%(number)s billion") % {"number": number_format(round(number / 1e9, 1), 1)}
    if number >= 1e6:
        return pgettext("number", "%(number)s million") % {"number": number_format(round(number / 1e6, 1), 1)}
    if number >= 1e4:
        return pgettext("number", "%(number)s thousand") % {"number": number_format(round(number / 1e3), 0)}
    return number_format(round(number), 0, force_grouping=True)
