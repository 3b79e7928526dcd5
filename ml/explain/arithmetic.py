"""One number inside a network taken apart: what was multiplied, what was added, and what rounding left over.

Products and sums are float64 of the float32 numbers that the layer read; the network itself adds in float32 and in
another order. ``remainder`` is what its stored number has more, so total + remainder is the stored number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ml.explain.cells import (
    AddCell,
    Cell,
    ChannelSum,
    ConvolutionCell,
    NormalisedCell,
    PoolingCell,
    ReluCell,
    Window,
)
from ml.explain.graph_file import WORDS, Layer
from ml.explain.structure import Structure, check_cell
from ml.explain.trace import Trace, value

MOST_DIGITS = 12


def cell(of: Structure, trace: Trace, layer: str, channel: int, y: int = 0, x: int = 0) -> Cell:
    """Any number of any layer but the input, taken apart by the layer's kind.

    Raises KeyError for a layer that the network does not have, IndexError for a channel or a cell outside it, and
    ValueError for the input, whose numbers are not computed, and for a trace with numbers that are not finite.
    """
    known = of.layer(layer)
    if known.kind not in _KINDS:
        raise ValueError(f"{layer} is {known.words}: its numbers are not computed from others.")
    return _KINDS[known.kind](of, trace, layer, channel, y, x)


def convolution_cell(
    of: Structure, trace: Trace, layer: str, channel: int, y: int, x: int
) -> ConvolutionCell:
    """One number of a convolution taken apart. Raises as ``cell`` does, and ValueError for another kind of layer."""
    known = _checked(of, layer, ("convolution",), channel, y, x)
    read = value(of, trace, known.inputs[0])
    window = _window(known, read.shape[1:], y, x)
    return _sum(
        known,
        channel,
        (y, x),
        _patch(read, window),
        of.kernel(layer, channel),
        window,
        _stored(of, trace, known, channel, y, x),
    )


def dense_cell(
    of: Structure, trace: Trace, layer: str, channel: int, y: int = 0, x: int = 0
) -> ConvolutionCell:
    """One logit taken apart: features times weights, plus the bias. Raises as ``convolution_cell`` does."""
    known = _checked(of, layer, ("dense",), channel, y, x)
    read = value(of, trace, known.inputs[0])
    kernels, biases = of.dense()
    kernel = kernels[channel][:, None, None]
    stored = _stored(of, trace, known, channel, y, x)
    return _sum(
        known, channel, (y, x), read, kernel, _window(known, (1, 1), 0, 0), stored, float(biases[channel])
    )


def normalised_cell(of: Structure, trace: Trace, layer: str, channel: int, y: int, x: int) -> NormalisedCell:
    """One number of a batch normalisation taken apart. Raises as ``convolution_cell`` does."""
    known = _checked(of, layer, ("batch_normalisation",), channel, y, x)
    given = float(value(of, trace, known.inputs[0])[channel, y, x])
    learned = of.normalisation(layer)
    gamma, beta, mean, variance = (
        float(one[channel]) for one in (learned.gamma, learned.beta, learned.mean, learned.variance)
    )
    deviation = math.sqrt(variance + learned.epsilon)
    centred = given - mean
    scaled = centred / deviation * gamma
    return NormalisedCell(
        layer,
        known.kind,
        channel,
        y,
        x,
        total=scaled + beta,
        stored=_stored(of, trace, known, channel, y, x),
        source=known.inputs[0],
        input=given,
        mean=mean,
        variance=variance,
        epsilon=learned.epsilon,
        deviation=deviation,
        gamma=gamma,
        beta=beta,
        centred=centred,
        standardised=centred / deviation,
        scaled=scaled,
    )


def relu_cell(of: Structure, trace: Trace, layer: str, channel: int, y: int, x: int) -> ReluCell:
    """One number of a ReLU. Raises as ``convolution_cell`` does."""
    known = _checked(of, layer, ("relu",), channel, y, x)
    given = float(value(of, trace, known.inputs[0])[channel, y, x])
    stored = _stored(of, trace, known, channel, y, x)
    return ReluCell(
        layer, known.kind, channel, y, x, max(given, 0.0), stored, known.inputs[0], given, given > 0
    )


def pooling_cell(
    of: Structure, trace: Trace, layer: str, channel: int, y: int = 0, x: int = 0
) -> PoolingCell:
    """One number of a max pooling or an average pooling taken apart. Raises as ``convolution_cell`` does."""
    known = _checked(of, layer, ("max_pool", "average_pool"), channel, y, x)
    read = value(of, trace, known.inputs[0])[channel : channel + 1]
    window = _window(known, read.shape[1:], y, x)
    patch = _patch(read, window)[0]
    winner = None
    if known.kind == "max_pool":
        row, column = divmod(int(np.where(window.inside, patch, -np.inf).argmax()), known.kernel)
        winner = (window.rows[row], window.columns[column])
        total = float(patch[row, column])
    else:
        total = math.fsum(map(float, patch.flat)) / patch.size
    stored = _stored(of, trace, known, channel, y, x)
    return PoolingCell(
        layer, known.kind, channel, y, x, total, stored, known.inputs[0], known.stride, window, patch, winner
    )


def add_cell(of: Structure, trace: Trace, layer: str, channel: int, y: int, x: int) -> AddCell:
    """One number of an addition taken apart. Raises as ``convolution_cell`` does."""
    known = _checked(of, layer, ("add",), channel, y, x)
    terms = tuple((name, float(value(of, trace, name)[channel, y, x])) for name in known.inputs)
    total = math.fsum(number for _, number in terms)
    return AddCell(layer, known.kind, channel, y, x, total, _stored(of, trace, known, channel, y, x), terms)


_KINDS = {
    "convolution": convolution_cell,
    "batch_normalisation": normalised_cell,
    "relu": relu_cell,
    "max_pool": pooling_cell,
    "average_pool": pooling_cell,
    "add": add_cell,
    "dense": dense_cell,
}


def chain(of: Structure, convolution: str) -> tuple[str, ...]:
    """The layers to tell about together with a convolution, itself among them, in the network's own order.

    Where normalisation follows (VGG): convolution, normalisation, ReLU. Where it comes first (Wide ResNet):
    normalisation and ReLU, through which every number that the convolution reads has gone, the convolution, and the
    addition that takes its result. Raises KeyError and ValueError for what is no convolution.
    """
    known = of.layer(convolution)
    if known.kind != "convolution":
        raise ValueError(f"{convolution} is {known.words}, not a convolution.")
    before: list[str] = []
    following = ("add",) if of.pre_activation else ("batch_normalisation", "relu", "add")
    if of.pre_activation:
        source = of.layer(known.inputs[0])
        while source.kind in ("batch_normalisation", "relu"):
            before.insert(0, source.name)
            source = of.layer(source.inputs[0])
    after: list[str] = []
    readers = of.consumers[convolution]
    while len(readers) == 1 and of.layer(readers[0]).kind in following:
        after.append(readers[0])
        readers = () if of.pre_activation else of.consumers[readers[0]]
    return (*before, convolution, *after)


class Displayed(NamedTuple):
    """Numbers as they are shown. The digits of ``terms`` and ``rounding`` add up to those of ``total`` exactly."""

    terms: list[str]
    total: str
    rounding: str


def displayed(terms: Sequence[float], digits: int, total: float | None = None) -> Displayed:
    """Each term and the total rounded by itself to ``digits`` after the point, and what rounding left over.

    So every number is shown as it is shown elsewhere, and the sum on the page is right to the last digit. total:
    what they shall add up to, such as the stored number; their sum when None. Halves go to the even digit, 0 has no
    sign, the point is a point and a minus a hyphen. Raises ValueError for numbers that are not finite and for
    digits outside 0 to 12.
    """
    if not 0 <= digits <= MOST_DIGITS:
        raise ValueError(f"Numbers are shown with 0 to {MOST_DIGITS} digits, not {digits}.")
    if not all(map(math.isfinite, (*terms, total or 0.0))):
        raise ValueError("Only finite numbers can be added up.")
    units = [_units(term, digits) for term in terms]
    whole = _units(math.fsum(terms) if total is None else total, digits)
    return Displayed(
        [_shown(unit, digits) for unit in units], _shown(whole, digits), _shown(whole - sum(units), digits)
    )


def _units(number: float, digits: int) -> int:
    """How often the last digit that is shown goes into a number. Python's formatting rounds exactly."""
    return int(f"{number:.{digits}f}".replace(".", ""))


def _shown(units: int, digits: int) -> str:
    text = f"{abs(units):0{digits + 1}d}"
    sign = "-" if units < 0 else ""
    return f"{sign}{text[:-digits]}.{text[-digits:]}" if digits else f"{sign}{text}"


def _checked(of: Structure, layer: str, kinds: tuple[str, ...], channel: int, y: int, x: int) -> Layer:
    known = of.layer(layer)
    if known.kind not in kinds:
        raise ValueError(f"{layer} is {known.words}, not {' or '.join(WORDS[kind] for kind in kinds)}.")
    check_cell(known, channel, y, x)
    return known


def _stored(of: Structure, trace: Trace, layer: Layer, channel: int, y: int, x: int) -> float:
    return float(value(of, trace, layer.name)[channel, y, x])


def _window(layer: Layer, shape: tuple[int, ...], y: int, x: int) -> Window:
    """What the cell (y, x) of ``layer`` reads of an input of ``shape`` (height, width)."""
    top, left, _bottom, _right = layer.padding
    rows, passed_rows, unread_rows = _along(layer, shape[0], layer.shape[1], top, y)
    columns, passed_columns, unread_columns = _along(layer, shape[1], layer.shape[2], left, x)
    inside = np.array(
        [[0 <= row < shape[0] and 0 <= column < shape[1] for column in columns] for row in rows]
    )
    return Window(rows, columns, inside, passed_rows, passed_columns, unread_rows, unread_columns)


def _along(
    layer: Layer, length: int, count: int, before: int, place: int
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Places that are read along one axis, where the windows left out begin, and places that no window reads."""
    first = place * layer.stride - before
    read = {start * layer.stride - before + i for start in range(count) for i in range(layer.kernel)}
    passed = range(first + 1, first + layer.stride) if place + 1 < count else range(0)
    unread = tuple(sorted(set(range(length)) - read))
    return tuple(range(first, first + layer.kernel)), tuple(passed), unread


def _patch(read: NDArray[np.float32], window: Window) -> NDArray[np.float32]:
    """The numbers in ``window`` of every channel, float32 (channels, rows, columns), 0 in the padding."""
    rows = np.clip(window.rows, 0, read.shape[1] - 1)
    columns = np.clip(window.columns, 0, read.shape[2] - 1)
    patch: NDArray[np.float32] = np.where(window.inside, read[:, rows[:, None], columns[None]], np.float32(0))
    return patch


def _sum(
    layer: Layer,
    channel: int,
    place: tuple[int, int],
    patch: NDArray[np.float32],
    kernel: NDArray[np.float32],
    window: Window,
    stored: float,
    bias: float = 0.0,
) -> ConvolutionCell:
    products = patch.astype(np.float64) * kernel
    sums = [math.fsum(grid.flat) for grid in products]
    sizes = np.abs(sums)
    whole = float(sizes.sum()) or 1.0
    order = np.argsort(-sizes, kind="stable")
    channels = tuple(ChannelSum(int(i), sums[i], float(sizes[i]) / whole) for i in order)
    total = math.fsum([*sums, bias])
    return ConvolutionCell(
        layer.name,
        layer.kind,
        channel,
        *place,
        total,
        stored,
        layer.inputs[0],
        layer.stride,
        window,
        patch,
        kernel,
        products,
        channels,
        bias,
    )
