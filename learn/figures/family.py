"""Networks as short, exact plans, from which the shape, the weights and the computing of every layer follow.

A weight is what is learned: kernels, dense layers, biases, and the scale and shift of a batch normalisation (its means
and variances are measured, not learned). A multiply-add is one multiplication with its addition, in a convolution or a
dense layer, for one picture; biases, normalisation, pooling and additions are left out, as they are by custom.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from django.utils.functional import Promise

NORMALISATION = 2
"""Weights of a batch normalisation for each channel: a scale and a shift (Ioffe and Szegedy, 2015, algorithm 1)."""

Kind = Literal["convolution", "max", "mean", "sum", "dense"]
"""What a layer does; the three in the middle are poolings."""

Measure = Literal["weights", "work"]
"""What a share is one of: ``work`` are the multiply-adds."""


@dataclass(frozen=True)
class Shape:
    """``channels`` maps of ``side`` rows and columns; the numbers of a dense layer are maps of side 1."""

    side: int
    channels: int

    @property
    def numbers(self) -> int:
        return self.side**2 * self.channels


@dataclass(frozen=True)
class Convolution:
    """``channels`` square kernels. ``groups``: channels are read and made in so many parts apart from one another.

    ``pairs``: how many pairs of a map that is read and a map that is made are connected, where a table says which (0:
    all). ``norm``: a batch normalisation belongs to it, of what it reads (``"before"``) or of what it makes.
    """

    name: str
    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    pairs: int = 0
    bias: bool = True
    norm: Literal["", "before", "after"] = ""
    known: str = ""


@dataclass(frozen=True)
class Pooling:
    """``kernel`` 0 is the whole map, ``stride`` 0 the width of the kernel.

    ``learned``: a weight and a bias for each map. ``norm``: a batch normalisation of what it reads belongs to it.
    """

    name: str
    kernel: int = 0
    stride: int = 0
    padding: int = 0
    how: Literal["max", "mean", "sum"] = "max"
    learned: bool = False
    norm: bool = False
    known: str = ""


@dataclass(frozen=True)
class Dense:
    """``neurons`` sums of all that comes in, each with a bias. ``fixed``: set by hand, without bias, not learned."""

    name: str
    neurons: int
    fixed: bool = False
    known: str = ""


@dataclass(frozen=True)
class Residual:
    """What goes round ``layers`` is added to what they make; on its way it passes ``shortcut``, if there is one."""

    layers: tuple[Convolution, ...]
    shortcut: Convolution | None = None


Step = Convolution | Pooling | Dense | Residual


@dataclass(frozen=True)
class Layer:
    """A layer of a plan, computed. ``weights`` are all that it learns, ``normalisation`` those of them that belong to
    its batch normalisation; ``fixed`` are numbers set by hand. ``known`` is what its authors call it. ``bypass``: it
    stands in a shortcut. ``kernel`` is the whole map for a mean over it."""

    name: str
    kind: Kind
    before: Shape
    after: Shape
    weights: int = 0
    multiply_adds: int = 0
    normalisation: int = 0
    fixed: int = 0
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    pairs: int = 0
    known: str = ""
    bypass: bool = False

    @property
    def part(self) -> str:
        """The group or block that it belongs to, ``""`` for none: ``group1`` for ``group1/block2/conv1``."""
        return self.name.rpartition("/")[0].partition("/")[0]

    @property
    def has_kernels(self) -> bool:
        return self.kind in ("convolution", "dense")

    @property
    def uses(self) -> int:
        """How often each weight of its kernels is multiplied for one picture: once at each place that it makes."""
        return self.after.side**2 if self.has_kernels else 0

    def amount(self, by: Measure) -> int:
        return self.weights if by == "weights" else self.multiply_adds


@dataclass(frozen=True)
class Network:
    """A network, computed. ``skips``: (first, last) layers that an addition goes round, by their places in ``layers``;
    a convolution within the shortcut itself is the last. ``year`` is None for one that was not published."""

    slug: str
    title: str | Promise
    year: int | None
    picture: Shape
    layers: tuple[Layer, ...]
    skips: tuple[tuple[int, int], ...] = ()
    note: str | Promise = ""

    @cached_property
    def weights(self) -> int:
        return sum(layer.weights for layer in self.layers)

    @cached_property
    def multiply_adds(self) -> int:
        return sum(layer.multiply_adds for layer in self.layers)

    @property
    def convolutions(self) -> int:
        """All of them, those in shortcuts too."""
        return sum(layer.kind == "convolution" for layer in self.layers)

    @property
    def depth(self) -> int:
        """Convolutions and dense layers one behind the other; those in shortcuts are not behind others."""
        return sum(layer.has_kernels and not layer.bypass for layer in self.layers)

    def layer(self, name: str) -> Layer | None:
        return next((layer for layer in self.layers if layer.name == name), None)

    def share(self, layers: Iterable[Layer], by: Measure) -> float:
        """The share (0..1) of ``layers`` in the network's weights or multiply-adds."""
        whole = self.weights if by == "weights" else self.multiply_adds
        return sum(layer.amount(by) for layer in layers) / whole

    def kind_share(self, kind: str, by: Measure) -> float:
        """The share of all layers of one kind."""
        return self.share((layer for layer in self.layers if layer.kind == kind), by)

    def part_share(self, part: str, by: Measure) -> float:
        """The share of all layers of one part."""
        return self.share((layer for layer in self.layers if layer.part == part), by)


def network(
    slug: str,
    title: str | Promise,
    year: int | None,
    picture: Shape,
    plan: Iterable[Step],
    note: str | Promise = "",
) -> Network:
    """Computes a plan. Raises ValueError where a layer does not fit what it is given."""
    layers: list[Layer] = []
    skips = []
    for step in plan:
        # The two ways of an addition end in one shape, so the last layer has it in either case.
        shape = layers[-1].after if layers else picture
        if isinstance(step, Residual):
            first = len(layers)
            layers += _residual(step, shape)
            skips.append((first, len(layers) - 1))
        else:
            layers.append(_layer(step, shape))
    return Network(slug, title, year, picture, tuple(layers), tuple(skips), note)


def places(side: int, kernel: int, stride: int, padding: int) -> int:
    """Rows that come out of ``side`` rows (Dumoulin and Visin, 2016, relationship 6). Raises ValueError for none."""
    if side + 2 * padding < kernel:
        raise ValueError(f"a kernel of {kernel} does not fit {side} rows")
    return (side + 2 * padding - kernel) // stride + 1


def _residual(step: Residual, shape: Shape) -> list[Layer]:
    main: list[Layer] = []
    for one in step.layers:
        main.append(_layer(one, main[-1].after if main else shape))
    around = [replace(_layer(step.shortcut, shape), bypass=True)] if step.shortcut else []
    if (around[-1].after if around else shape) != main[-1].after:
        raise ValueError(f"what goes round {step.layers[0].name} has another shape than what is added to it")
    return main + around


def _layer(step: Convolution | Pooling | Dense, before: Shape) -> Layer:
    if isinstance(step, Convolution):
        return _convolution(step, before)
    if isinstance(step, Pooling):
        return _pooling(step, before)
    products = before.numbers * step.neurons
    return Layer(
        step.name,
        "dense",
        before,
        Shape(1, step.neurons),
        weights=0 if step.fixed else products + step.neurons,
        multiply_adds=products,
        fixed=products if step.fixed else 0,
        known=step.known,
    )


def _convolution(step: Convolution, before: Shape) -> Layer:
    if before.channels % step.groups or step.channels % step.groups:
        raise ValueError(f"{step.name} cannot be cut into {step.groups} equal parts")
    after = Shape(places(before.side, step.kernel, step.stride, step.padding), step.channels)
    pairs = step.pairs or before.channels * after.channels // step.groups
    kernels = step.kernel**2 * pairs
    normalised = {"": 0, "before": before.channels, "after": after.channels}[step.norm]
    return Layer(
        step.name,
        "convolution",
        before,
        after,
        weights=kernels + step.bias * after.channels + NORMALISATION * normalised,
        multiply_adds=kernels * after.side**2,
        normalisation=NORMALISATION * normalised,
        kernel=step.kernel,
        stride=step.stride,
        groups=step.groups,
        pairs=step.pairs,
        known=step.known,
    )


def _pooling(step: Pooling, before: Shape) -> Layer:
    kernel = step.kernel or before.side
    stride = step.stride or kernel
    normalisation = NORMALISATION * before.channels * step.norm
    return Layer(
        step.name,
        step.how,
        before,
        Shape(places(before.side, kernel, stride, step.padding), before.channels),
        weights=2 * before.channels * step.learned + normalisation,
        normalisation=normalisation,
        kernel=kernel,
        stride=stride,
        known=step.known,
    )
