"""Numbers as a reader wants them: percentages, grouped thousands, millions, and SVG lengths."""

from __future__ import annotations

import re

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext, pgettext

from predictions.templatetags import prediction_format

register = template.Library()

CORES = re.compile(r"(\d+) cores?\b")

# A percentage looks the same in a lesson and in the workshop.
percent = register.filter(prediction_format.percent)
bar_width = register.filter(prediction_format.bar_width)


@register.filter
def chosen_percent(share: float) -> str:
    """A share that somebody chose and nobody measured: 0.3 -> ``30%``, 0.125 -> ``12.5%``."""
    if 0 < share < 0.0005:
        return percent(share)
    rounded_share = round(100 * float(share), 1)
    return gettext("%(number)s%%") % {
        "number": number_format(rounded_share, 0 if rounded_share.is_integer() else 1)
    }


@register.filter
def machine(hardware: str) -> str:
    """What a file says of a computer in the reader's language: ``AMD EPYC, 2 cores``."""
    return CORES.sub(
        lambda found: ngettext("%(count)s core", "%(count)s cores", int(found[1])) % {"count": found[1]},
        hardware,
    )


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
