"""The networks of this site in the same terms as those of the literature, read from their graphs."""

from __future__ import annotations

from dataclasses import replace

from learn.figures.family import NORMALISATION, Kind, Layer, Network, Shape
from ml.artifact import Card
from ml.explain import graph_file
from ml.explain.structure import structure

SITE = "site-"
"""Before a network's name, so that it is none of the literature's."""

DRAWN: dict[str, Kind] = {
    "convolution": "convolution",
    "max_pool": "max",
    "average_pool": "mean",
    "dense": "dense",
}
"""The kinds of layers that stand for themselves, by what the graph calls them."""


def own(card: Card) -> Network:
    """The network of ``card``, one that can be looked into (``learn.subjects.cards``). Raises ArtifactError."""
    layers = {layer.name: layer for layer in structure(card.name).layers}
    way = _way(layers)
    found: list[Layer] = []
    skips = []
    so_far: dict[str, int] = {}
    for name in way:
        layer = layers[name]
        if layer.kind in DRAWN:
            found.append(_layer(layer, layers))
        elif layer.kind == "add":
            around, parted = _around(layer, layers, way)
            first = so_far[parted]
            found += [replace(_layer(one, layers), bypass=True) for one in around]
            skips.append((first, len(found) - 1))
        so_far[name] = len(found)
    _, size, _ = layers[way[0]].shape
    return Network(
        SITE + card.name,
        card.title,
        None,
        Shape(size, layers[way[0]].shape[0]),
        _normalised(found, layers, way),
        tuple(skips),
    )


def _way(layers: dict[str, graph_file.Layer]) -> list[str]:
    """The longest way from the picture to the scores, in its order: everything but what stands in shortcuts."""
    length: dict[str, int] = {}
    for name, layer in layers.items():
        length[name] = 1 + max((length[one] for one in layer.inputs), default=0)
    way = [list(layers)[-1]]
    while inputs := layers[way[-1]].inputs:
        way.append(max(inputs, key=lambda one: length[one]))
    return way[::-1]


def _around(
    addition: graph_file.Layer, layers: dict[str, graph_file.Layer], way: list[str]
) -> tuple[list[graph_file.Layer], str]:
    """What stands in the shortcut of an addition, and the layer of the way at which the shortcut parts from it."""
    before = way[way.index(addition.name) - 1]
    name = next(one for one in addition.inputs if one != before)
    around: list[graph_file.Layer] = []
    while name not in way:
        if layers[name].kind in DRAWN:
            around.insert(0, layers[name])
        name = layers[name].inputs[0]
    return around, name


def _layer(layer: graph_file.Layer, layers: dict[str, graph_file.Layer]) -> Layer:
    before, after = _shape(layers[layer.inputs[0]]), _shape(layer)
    is_dense = layer.kind == "dense"
    return Layer(
        layer.name,
        DRAWN[layer.kind],
        before,
        after,
        # Convolutions have no biases in these graphs: the normalisation behind them has.
        weights=layer.multiply_adds // after.side**2 + is_dense * after.channels,
        multiply_adds=layer.multiply_adds,
        kernel=layer.kernel,
        stride=layer.stride,
    )


def _normalised(found: list[Layer], layers: dict[str, graph_file.Layer], way: list[str]) -> tuple[Layer, ...]:
    """The same layers with the weights of their batch normalisations."""
    norms = [layer for layer in layers.values() if layer.kind == "batch_normalisation"]
    # Where sums are normalised, a normalisation belongs to what reads it, else to the convolution that it reads.
    is_before = any(layers[norm.inputs[0]].kind == "add" for norm in norms)
    extra = dict.fromkeys((layer.name for layer in found), 0)
    for norm in norms:
        ahead = way[way.index(norm.name) :] if norm.name in way else []
        host = next((one for one in ahead if one in extra), "") if is_before else ""
        extra[host or _behind(norm, layers, extra)] += NORMALISATION * norm.shape[0]
    return tuple(
        replace(layer, weights=layer.weights + extra[layer.name], normalisation=extra[layer.name])
        for layer in found
    )


def _behind(norm: graph_file.Layer, layers: dict[str, graph_file.Layer], known: dict[str, int]) -> str:
    name = norm.inputs[0]
    while name not in known:
        name = layers[name].inputs[0]
    return name


def _shape(layer: graph_file.Layer) -> Shape:
    channels, side, _ = layer.shape
    return Shape(side, channels)
