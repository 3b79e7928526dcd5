"""What one cell went through before a convolution and what becomes of it afterwards, in the network's own order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.formats import number_format

from learn.figures.layer_names import spoken, titled
from ml.explain.cells import Window
from ml.explain.graph_file import Layer
from ml.explain.structure import Structure
from ml.explain.trace import Trace, value

if TYPE_CHECKING:
    from learn.figures.cell import Chosen, Writer

MULTIPLIES = ("convolution", "dense")
SIDES = ("top", "left", "bottom", "right")


@dataclass(frozen=True)
class Step:
    """One layer: what it made of the number, and where the numbers in that come from."""

    title: str
    text: str
    note: str = ""


@dataclass
class _Here:
    """Where the number is now: after this layer, with this value."""

    layer: Layer
    y: int
    x: int
    value: float


def following(of: Structure, name: str) -> list[Layer]:
    """The layers that take a layer's number on, one after another, up to what multiplies it again.

    Of a convolution an addition comes first; where an addition is read twice, the normalisation is followed.
    """
    found: list[Layer] = []
    layer = of.layer(name)
    while True:
        readers = [of.layer(reader) for reader in of.consumers[layer.name]]
        multiplied = any(reader.kind in MULTIPLIES for reader in readers)
        kinds = ["batch_normalisation", "relu", "max_pool", "average_pool"]
        kinds = ["add", *kinds] if layer.kind == "convolution" else [*kinds, "add"]
        after = [reader for kind in kinds for reader in readers if reader.kind == kind]
        if not after or (multiplied and layer.kind == "relu"):
            return found
        layer = after[0]
        found.append(layer)


def after(of: Structure, trace: Trace, chosen: Chosen, total: float, writer: Writer) -> list[Step]:
    """What becomes of the cell, whose value is ``total``."""
    here = _Here(of.layer(chosen.layer), chosen.y, chosen.x, total)
    steps = []
    for layer in following(of, chosen.layer):
        text, note, result = _step(of, trace, layer, here, chosen.channel, writer)
        steps.append(Step(titled(layer.name), text, note))
        if result is None:
            break
        here = result
    return steps


def before(of: Structure, trace: Trace, name: str, at: tuple[int, int, int], writer: Writer) -> list[Step]:
    """What the number of the input at (channel, row, column) went through just before ``name`` reads it."""
    channel, y, x = at
    layers: list[Layer] = []
    layer = of.layer(of.layer(name).inputs[0])
    while layer.kind in ("relu", "batch_normalisation"):
        layers.insert(0, layer)
        layer = of.layer(layer.inputs[0])
    number = float(value(of, trace, layer.name)[channel, y, x])
    if layer.kind == "input":
        return [Step(titled(layer.name), _pixel(of, channel, number, writer))]
    if layer.kind == "max_pool" and not layers:
        pool = _pool(of, trace, layer, channel, y, x, writer)
        text = writer.fill("pooled", **pool)
        return [Step(titled(layer.name), text)]
    here = _Here(layer, y, x, number)
    steps = [Step(titled(layer.name), writer.number(number))]
    for one in layers:
        text, note, result = _step(of, trace, one, here, channel, writer)
        steps.append(Step(titled(one.name), text, note))
        assert result is not None
        here = result
    return steps


def ends(of: Structure, name: str, writer: Writer) -> str:
    """Which layers multiply the number next."""
    last = next(reversed(following(of, name)), of.layer(name))
    readers = [of.layer(reader) for reader in of.consumers[last.name]]
    if any(reader.kind == "dense" for reader in readers):
        return writer.words["to_logits"]
    names = [spoken(reader.name) for reader in readers if reader.kind == "convolution"]
    return writer.fill("read_by", layers="; ".join(names)) if names else ""


def window(of: Structure, layer: Layer, where: Window, writer: Writer) -> str:
    """Which cells of the input the cell reads, and what stride and padding have to do with it."""
    if layer.kind == "average_pool":
        return writer.words["window_all"]
    edges = {
        "top": line(where.rows[0]),
        "bottom": line(where.rows[-1]),
        "left": line(where.columns[0]),
        "right": line(where.columns[-1]),
    }
    parts = [writer.fill("window_one" if layer.kernel == 1 else "window", **edges)]
    if layer.stride > 1:
        _channels, rows, columns = of.layer(layer.inputs[0]).shape
        # With padding a map keeps its size, without it the window loses what it cannot reach.
        lost = 0 if any(layer.padding) else layer.kernel - 1
        sizes = {
            "height": layer.shape[1],
            "width": layer.shape[2],
            "more": rows - lost,
            "wide": columns - lost,
        }
        parts.append(writer.fill("stride", stride=layer.stride, **sizes))
        if layer.kernel < layer.stride:
            parts.append(writer.words["skipped"])
    else:
        parts.append(writer.words["stride_one"])
    padded = [
        writer.fill("pad_side", count=count, side=writer.words[side])
        for side, count in zip(SIDES, layer.padding, strict=True)
        if count
    ]
    if padded:
        parts.append(writer.fill("pad_same", sides=", ".join(padded)))
    return " ".join(parts)


def listed(texts: Sequence[str], writer: Writer) -> str:
    """a, b, c and d"""
    if len(texts) < 2:
        return "".join(texts)
    return writer.fill("list", first=", ".join(texts[:-1]), last=texts[-1])


def _step(
    of: Structure, trace: Trace, layer: Layer, here: _Here, channel: int, writer: Writer
) -> tuple[str, str, _Here | None]:
    """What a layer makes of the number: text, note, and where the number is then; None where it is not read."""
    if layer.kind == "batch_normalisation":
        return _normalised(of, layer, here, channel, writer)
    if layer.kind == "relu":
        text = writer.fill("passes" if here.value > 0 else "stopped", value=writer.number(here.value))
        return text, "", _Here(layer, here.y, here.x, max(here.value, 0.0))
    if layer.kind == "add":
        return _added(of, trace, layer, here, channel, writer)
    if layer.kind == "max_pool":
        return _pooled(of, trace, layer, here, channel, writer)
    values = value(of, trace, here.layer.name)[channel]
    mean = math.fsum(map(float, values.flat)) / values.size
    text = writer.fill("averaged", count=values.size, result=writer.number(mean))
    return text, "", _Here(layer, 0, 0, mean)


def _normalised(
    of: Structure, layer: Layer, here: _Here, channel: int, writer: Writer
) -> tuple[str, str, _Here]:
    learned = of.normalisation(layer.name)
    gamma, beta, mean, variance = (
        float(one[channel]) for one in (learned.gamma, learned.beta, learned.mean, learned.variance)
    )
    scale = gamma / math.sqrt(variance + learned.epsilon)
    shift = beta - mean * scale
    result = here.value * scale + shift
    unit = 10**writer.digits
    shown = [round(one * unit) / unit for one in (result, here.value, scale, shift)]
    left = shown[0] - shown[1] * shown[2] - shown[3]
    over = writer.signed(left)
    values = {
        "value": writer.number(here.value),
        "scale": writer.number(scale),
        "shift": writer.term(shift),
        "result": writer.number(result),
        "rounding": over,
    }
    note = writer.fill(
        "scale",
        gamma=writer.number(gamma),
        beta=writer.number(beta),
        mean=writer.number(mean),
        variance=writer.number(variance),
        epsilon=number_format(f"{learned.epsilon:.5f}", 5),
    )
    text = writer.fill("normalised_rounded" if round(left * unit) else "normalised", **values)
    return text, note, _Here(layer, here.y, here.x, result)


def _added(
    of: Structure, trace: Trace, layer: Layer, here: _Here, channel: int, writer: Writer
) -> tuple[str, str, _Here]:
    (beside,) = (name for name in layer.inputs if name != here.layer.name)
    other = float(value(of, trace, beside)[channel, here.y, here.x])
    result = here.value + other
    over = writer.over([here.value, other], result)
    values: dict[str, Any] = {
        "value": writer.number(here.value),
        "other": writer.term(other),
        "layer": spoken(beside),
        "result": writer.number(result),
        "rounding": over,
    }
    text = writer.fill("added_rounded" if over.strip("0.,") else "added", **values)
    return text, "", _Here(layer, here.y, here.x, result)


def _pooled(
    of: Structure, trace: Trace, layer: Layer, here: _Here, channel: int, writer: Writer
) -> tuple[str, str, _Here | None]:
    row, column = here.y // layer.stride, here.x // layer.stride
    if row >= layer.shape[1] or column >= layer.shape[2]:
        return writer.words["pool_beyond"], "", None
    pool = _pool(of, trace, layer, channel, row, column, writer)
    wins = pool["at"] == (here.y, here.x)
    mine = writer.number(here.value)
    if wins:
        text = writer.fill("pool_wins", value=mine, values=pool["values"], row=line(row), column=line(column))
    else:
        text = writer.fill("pool_loses", value=mine, **pool)
    return text, "", _Here(layer, row, column, here.value if wins else pool["exact"])


def _pool(
    of: Structure, trace: Trace, layer: Layer, channel: int, y: int, x: int, writer: Writer
) -> dict[str, Any]:
    """The values under a pooling's window, the largest of them, and where that one lies in the map before."""
    top, left = y * layer.stride - layer.padding[0], x * layer.stride - layer.padding[1]
    source = value(of, trace, layer.inputs[0])[channel]
    first = (max(top, 0), max(left, 0))
    patch = source[first[0] : top + layer.kernel, first[1] : left + layer.kernel]
    row, column = divmod(int(patch.argmax()), patch.shape[1])
    return {
        "values": listed([writer.number(float(one)) for one in patch.flat], writer),
        "largest": writer.number(float(patch[row, column])),
        "exact": float(patch[row, column]),
        "at": (first[0] + row, first[1] + column),
        "row": line(first[0] + row),
        "column": line(first[1] + column),
    }


def _pixel(of: Structure, channel: int, number: float, writer: Writer) -> str:
    how = of.card.preprocessing
    mean, std = float(how.mean[channel]), float(how.std[channel])
    pixel = round((number * std + mean) * 255)
    return writer.fill(
        "pixel",
        pixel=pixel,
        fraction=writer.number(pixel / 255),
        mean=writer.number(mean),
        std=writer.number(std),
        result=writer.number(number),
    )


def line(number: int) -> str:
    """A row or a column as people count them, from 1; padding before the first is 0 and less."""
    return str(number + 1).replace("-", "\N{MINUS SIGN}")
