"""Probabilities, class names and lengths of SVG figures on the pages of predictions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from ml.artifact import Card
from ml.explain import structure
from ml.labels import display

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
def class_name(label: object) -> str:
    """A class's own name as a person reads it, in their language."""
    return _(display(str(label)))


@register.filter
def explainable(card: Card | None) -> bool:
    """Whether the laboratory can look into this network."""
    return card is not None and structure.explainable(card)


@register.filter
def box_path(crop: Sequence[float] | None, picture: Any) -> str:
    """The outline of a box on a picture as SVG path data; empty where the whole picture went in."""
    if not crop or tuple(crop) == (0, 0, 1, 1):
        return ""
    x, width = (part_of(fraction, picture.width) for fraction in (crop[0], crop[2]))
    y, height = (part_of(fraction, picture.height) for fraction in (crop[1], crop[3]))
    return f"M{x} {y}h{width}v{height}h-{width}z"


@register.filter
def part_of(fraction: float, whole: float) -> str:
    """A fraction of a picture's side as an SVG length, with a point in every language."""
    return f"{float(fraction) * float(whole):.3f}"


@register.simple_tag(takes_context=True)
def picture_url(context: template.Context, upload: Any) -> str:
    """Where a picture is: for its owner, or, on a page that was ``shared``, for whoever has the link."""
    if shown := context.get("shared"):
        return reverse("predictions:shared-picture", args=[shown.share.token, upload.pk])
    return reverse("predictions:picture", args=[upload.pk])


@register.simple_tag(takes_context=True)
def input_url(context: template.Context, run: Any) -> str:
    """Where it is what a network saw; see ``picture_url``."""
    if shown := context.get("shared"):
        return reverse("predictions:shared-input", args=[shown.share.token, run.pk])
    return reverse("predictions:input", args=[run.pk])
