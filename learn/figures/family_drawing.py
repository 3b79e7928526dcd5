"""Networks drawn as blocks from left to right, all in one language: what is twice as much is one step higher or wider.

A block is as high as its maps have rows and as wide as there are channels, both by their logarithm. Lengths are in
doublings until a drawing of some width is made of them; static/js/laboratory/family-drawing.js makes the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from learn.figures.family import Layer, Measure, Network, Shape
from predictions.templatetags.prediction_format import percent

GAP = 0.8
POOL = 2.4
"""Doublings between two layers, and those that a pooling is wide."""

WIDTH, LEFT, RIGHT = 340, 30, 6
TOP, BLOCKS, BARS, BELOW = 26, 130, 48, 20
"""Units of a drawing: the arcs, the blocks, their bars, and the label of the longest one."""
WIDEST = 14.0
"""Units of a doubling across, at most: a small network stays small."""
ARC = 18
SIDES = (1, 8, 32, 128)
"""Rows that have a line in the drawing."""
LABEL = 22
"""Half of what a label needs, in units."""
FAINT = 0.08
"""How dark a block without any share is, of 1."""


@dataclass(frozen=True)
class Place:
    """Where a layer stands, in doublings: from ``x``, ``width`` wide, ``height`` high; ``start`` is the height of what
    it reads, from which a ``slope`` leads to its own."""

    x: float
    width: float
    height: float
    start: float
    slope: bool = False


def high(shape: Shape) -> float:
    return math.log2(shape.side) + 1


def wide(shape: Shape) -> float:
    return math.log2(shape.channels) + 1


def lay_out(network: Network) -> tuple[list[Place], float]:
    """The places of all layers, and how far the last one reaches. The picture stands before them, from 0."""
    x = wide(network.picture)
    found = []
    for layer in network.layers:
        x += GAP
        width = wide(layer.after) if layer.has_kernels else POOL
        found.append(Place(x, width, high(layer.after), high(layer.before), not layer.has_kernels))
        x += width
    return found, x


@dataclass(frozen=True)
class Scale:
    """Units of a doubling across and upwards, and the share that has the longest bar."""

    across: float
    up: float
    longest: float

    def x(self, doublings: float) -> float:
        return LEFT + self.across * doublings

    def y(self, doublings: float) -> float:
        return TOP + BLOCKS - self.up * doublings


def scale_of(networks: Sequence[Network], by: Measure) -> Scale:
    """One scale for networks that are drawn under one another."""
    extent = max(lay_out(one)[1] for one in networks)
    tallest = max(high(one.picture) for one in networks)
    longest = max(one.share([layer], by) for one in networks for layer in one.layers)
    return Scale(min(WIDEST, (WIDTH - LEFT - RIGHT) / extent), BLOCKS / tallest, longest)


@dataclass(frozen=True)
class Block:
    """A layer as SVG: ``path`` is its outline, ``fill`` how dark it is (0..1), ``bar`` its bar as an outline."""

    layer: Layer
    path: str
    fill: str
    bar: str
    mark: str
    chosen: bool


@dataclass(frozen=True)
class Drawing:
    """``ticks``: (y, text) of lines; ``label``: (x, y, text) of the longest bar."""

    picture: str
    blocks: tuple[Block, ...]
    arcs: tuple[str, ...]
    ticks: tuple[tuple[str, int], ...]
    label: tuple[str, str, str]
    ground: int = TOP + BLOCKS
    left: int = LEFT
    width: int = WIDTH
    height: int = TOP + BLOCKS + BARS + BELOW


def draw(network: Network, chosen: Layer, by: Measure, scale: Scale) -> Drawing:
    """One network on a scale that it may share with another."""
    places, _end = lay_out(network)
    picture = Place(0.0, wide(network.picture), high(network.picture), high(network.picture))
    shares = [network.share([layer], by) for layer in network.layers]
    blocks = tuple(
        Block(
            layer,
            _outline(place, scale),
            f"{FAINT + (1 - FAINT) * share / scale.longest:.3f}",
            _bar(place, share, scale),
            _mark(place, scale),
            layer is chosen,
        )
        for layer, place, share in zip(network.layers, places, shares, strict=True)
    )
    most = max(range(len(shares)), key=lambda at: shares[at])
    middle = scale.x(places[most].x + places[most].width / 2)
    return Drawing(
        _outline(picture, scale),
        blocks,
        tuple(
            _arc(places[first], places[last], network.layers[last].bypass, scale)
            for first, last in network.skips
        ),
        tuple(
            (f"{scale.y(math.log2(side) + 1):.1f}", side) for side in SIDES if side <= network.picture.side
        ),
        (
            f"{min(WIDTH - LABEL, max(LEFT + LABEL, middle)):.1f}",
            f"{TOP + BLOCKS + BARS * shares[most] / scale.longest + 14:.1f}",
            percent(shares[most]),
        ),
    )


def _outline(place: Place, scale: Scale) -> str:
    left, right = scale.x(place.x), scale.x(place.x + place.width)
    ground = scale.y(0)
    start = place.start if place.slope else place.height
    return (
        f"M{left:.1f} {ground:.1f}V{scale.y(start):.1f}L{right:.1f} {scale.y(place.height):.1f}V{ground:.1f}Z"
    )


def _bar(place: Place, share: float, scale: Scale) -> str:
    left, right = scale.x(place.x), scale.x(place.x + place.width)
    return f"M{left:.1f} {TOP + BLOCKS}H{right:.1f}v{BARS * share / scale.longest:.1f}H{left:.1f}Z"


def _mark(place: Place, scale: Scale) -> str:
    """A small triangle at the top that points at the layer."""
    return f"M{scale.x(place.x + place.width / 2):.1f} 10l-5 -8h10Z"


def _arc(first: Place, last: Place, has_own: bool, scale: Scale) -> str:
    """From what comes into ``first`` round to what ``last`` makes, or into the middle of ``last`` itself."""
    left, right = scale.x(first.x), scale.x(last.x + last.width * (0.5 if has_own else 1))
    start, end = scale.y(first.start), scale.y(last.height)
    top = min(start, end) - ARC
    return f"M{left:.1f} {start:.1f}C{left:.1f} {top:.1f} {right:.1f} {top:.1f} {right:.1f} {end:.1f}"
