"""What a network and its layers are, in words and in written numbers: for tables, sentences and the page's data."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn.figures.family import Layer, Measure, Network, Shape
from learn.figures.layer_names import titled
from predictions.templatetags.prediction_format import percent

MEASURES: dict[Measure, str | Promise] = {
    "weights": gettext_lazy("weights"),
    "work": gettext_lazy("multiply-adds"),
}
POOLINGS = ("max", "mean", "sum")
TIMES = " \N{MULTIPLICATION SIGN} "


@dataclass(frozen=True)
class Row:
    """A layer as a table has it; every field but ``layer`` and ``chosen`` is text."""

    layer: Layer
    title: str
    does: str
    comes: str
    goes: str
    weights: str
    weights_share: str
    work: str
    work_share: str
    chosen: bool


def row(network: Network, layer: Layer, *, chosen: bool = False) -> Row:
    return Row(
        layer,
        title(layer),
        does(layer),
        shape(layer.before),
        shape(layer.after),
        grouped(layer.weights),
        percent(network.share([layer], "weights")),
        grouped(layer.multiply_adds),
        percent(network.share([layer], "work")),
        chosen,
    )


def title(layer: Layer) -> str:
    """``Convolution 2 (C3)``: with the name its authors gave it, if they did."""
    return f"{titled(layer.name)} ({layer.known})" if layer.known else titled(layer.name)


def shape(one: Shape) -> str:
    """``55 × 55 × 96``; plainly how many numbers where there are no places any more."""
    if one.side == 1:
        return grouped(one.channels)
    return TIMES.join((str(one.side), str(one.side), grouped(one.channels)))


def does(layer: Layer) -> str:
    """``11 × 11, stride 4``: what is special about it, in a few words."""
    square = TIMES.join((str(layer.kernel), str(layer.kernel)))
    words = {
        "convolution": square,
        "max": _("largest of %(square)s"),
        "sum": _("sum of %(square)s"),
        "mean": _("mean of the whole map") if layer.kernel == layer.before.side else _("mean of %(square)s"),
        "dense": _("all with all"),
    }
    parts = [words[layer.kind] % {"square": square}]
    if layer.stride != (layer.kernel if layer.kind in POOLINGS else 1):
        parts.append(_("stride %(stride)s") % {"stride": layer.stride})
    if layer.groups > 1:
        parts.append(_("in %(count)s groups") % {"count": layer.groups})
    if layer.pairs:
        every = layer.before.channels * layer.after.channels
        parts.append(_("%(count)s of %(all)s pairs of maps") % {"count": layer.pairs, "all": every})
    if layer.bypass:
        parts.append(_("in a shortcut"))
    if layer.fixed:
        parts.append(_("set by hand"))
    return ", ".join(parts)


def totals(network: Network) -> list[tuple[str, str]]:
    """What stands beside a network's name: (what, how much)."""
    year = [(_("Year"), str(network.year))] if network.year else []
    return [
        *year,
        (_("Picture"), shape(network.picture)),
        (_("Layers one behind another"), str(network.depth)),
        (_("Weights"), grouped(network.weights)),
        (_("Multiply-adds"), grouped(network.multiply_adds)),
    ]


def sentence(network: Network, layer: Layer) -> str:
    """All there is to say of one layer; static/js/laboratory/family.js says the same."""
    of = row(network, layer)
    said = _(
        "%(title)s of %(network)s: %(comes)s go in, %(goes)s come out. %(weights)s weights, %(weights_share)s of "
        "all; %(work)s multiply-adds, %(work_share)s of all."
    ) % {
        "title": of.title,
        "network": network.title,
        "comes": of.comes,
        "goes": of.goes,
        "weights": of.weights,
        "weights_share": of.weights_share,
        "work": of.work,
        "work_share": of.work_share,
    }
    return f"{said} {used(layer)}".strip()


def used(layer: Layer) -> str:
    """How often a weight is used, for one picture; "" for a layer without kernels."""
    if not layer.has_kernels:
        return ""
    if layer.uses == 1:
        return _("Each weight is used once.")
    return _("Each weight of a kernel is used at %(places)s places.") % {"places": grouped(layer.uses)}


def grouped(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)
