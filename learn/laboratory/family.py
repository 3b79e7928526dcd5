"""Architectures: networks of the literature and of this site in one drawing language, two of them under one another.

The address holds ``net`` and ``versus`` (which two; those of this site begin with ``site-``), ``net_layer`` and
``versus_layer`` (the layer of each that is taken apart, by its name; left out: the first), and ``by`` (weights or work:
what the bars are shares of).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from learn.figures import family_drawing as drawing
from learn.figures import family_words as words
from learn.figures.family import Layer, Measure, Network
from learn.figures.family_own import own
from learn.figures.family_published import published
from learn.laboratory import Figure, State
from learn.laboratory_pages import bare_query
from learn.subjects import Subject

FIRST = {"net": "vgg-16", "versus": "resnet-34"}
OWN_KEYS = ("net", "versus", "net_layer", "versus_layer", "by")


@dataclass(frozen=True)
class Side:
    """One of the two networks, with what is read of it without scripts."""

    key: str
    network: Network
    layer: Layer
    totals: list[tuple[str, str]]
    drawn: drawing.Drawing
    says: str
    rows: list[words.Row]


def context(request: HttpRequest, subject: Subject, state: State) -> dict[str, Any]:
    groups = ((_("Published"), published()), (_("Of this site"), tuple(own(card) for card in state.cards)))
    networks = {network.slug: network for _title, some in groups for network in some}
    by = _by(state)
    chosen = {key: _network(state, key, networks) for key in FIRST}
    scale = drawing.scale_of(list(chosen.values()), by)
    sides = [_side(key, network, _layer(state, key, network), by, scale) for key, network in chosen.items()]
    return {
        "groups": groups,
        "measures": words.MEASURES,
        "by": by,
        "by_title": words.MEASURES[by],
        "sides": sides,
        "longest": scale.longest,
        "kept_here": bare_query(state.query, without=OWN_KEYS),
        "data": {
            "networks": [_data(network) for network in networks.values()],
            "first": FIRST,
            "measures": {name: str(title) for name, title in words.MEASURES.items()},
        },
    }


def _network(state: State, key: str, networks: dict[str, Network]) -> Network:
    asked = state.text(key) or FIRST[key]
    if asked not in networks:
        shown = networks[FIRST[key]]
        state.say(
            _("There is no network “%(value)s” here. %(title)s is shown.")
            % {"value": asked[:40], "title": shown.title}
        )
        return shown
    return networks[asked]


def _layer(state: State, key: str, network: Network) -> Layer:
    asked = state.text(f"{key}_layer")
    found = network.layer(asked) if asked else network.layers[0]
    if found is None:
        state.say(
            _("%(title)s has no layer “%(value)s”. Its first one is shown.")
            % {"title": network.title, "value": asked[:40]}
        )
        return network.layers[0]
    return found


def _by(state: State) -> Measure:
    asked = state.text("by") or "weights"
    found = next((one for one in words.MEASURES if one == asked), None)
    if found is None:
        state.say(_("Bars are shares of weights or of work, not of “%(value)s”.") % {"value": asked[:40]})
    return found or "weights"


def _side(key: str, network: Network, layer: Layer, by: Measure, scale: drawing.Scale) -> Side:
    return Side(
        key,
        network,
        layer,
        words.totals(network),
        drawing.draw(network, layer, by, scale),
        words.sentence(network, layer),
        [words.row(network, one, chosen=one is layer) for one in network.layers],
    )


def _data(network: Network) -> dict[str, Any]:
    """What static/js/laboratory/family.js describes."""
    places, extent = drawing.lay_out(network)
    return {
        "slug": network.slug,
        "title": str(network.title),
        "year": network.year,
        "totals": words.totals(network),
        "note": str(network.note),
        "weights": network.weights,
        "work": network.multiply_adds,
        "depth": network.depth,
        "side": network.picture.side,
        "start": drawing.wide(network.picture),
        "extent": extent,
        "skips": network.skips,
        "layers": [
            {
                "name": layer.name,
                "title": words.title(layer),
                "does": words.does(layer),
                "comes": words.shape(layer.before),
                "goes": words.shape(layer.after),
                "kind": layer.kind,
                "part": layer.part,
                "bypass": layer.bypass,
                "weights": layer.weights,
                "work": layer.multiply_adds,
                "normalisation": layer.normalisation,
                "uses": layer.uses,
                "x": round(place.x, 3),
                "width": round(place.width, 3),
                "height": round(place.height, 3),
                "start": round(place.start, 3),
                "slope": place.slope,
            }
            for layer, place in zip(network.layers, places, strict=True)
        ],
    }


figure = Figure(
    slug="family",
    title=gettext_lazy("Architectures"),
    summary=gettext_lazy(
        "Two networks under one another, from LeNet-5 to those of this site: what each layer makes, how many weights "
        "it holds and how much it computes."
    ),
    order=80,
    template="learn/laboratory/family.html",
    context=context,
    pictured=False,
)
