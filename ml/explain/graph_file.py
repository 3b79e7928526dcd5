"""The layers that an exact graph's XML file describes, and where in the other file their weights lie.

OpenVINO's IR, version 11: ``layers`` are operations with their output shapes, ``edges`` join their ports. The names
are those that ``ml.graph`` gave.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ml.engines import LOGITS

WORDS = {
    "input": "the input",
    "convolution": "a convolution",
    "batch_normalisation": "a batch normalisation",
    "relu": "a ReLU",
    "max_pool": "a max pooling",
    "add": "an addition",
    "average_pool": "an average pooling",
    "dense": "a dense layer",
}
"""The kinds of layers there are, as a sentence names them."""

PARTS = ("Parameter", "Const", "Convert", "MatMul")
"""Operations that are read together with the layer that they belong to."""

DTYPES = {"f16": "<f2", "f32": "<f4"}


class GraphError(ValueError):
    """The file describes something that is not understood here; the message is part of a sentence that says what."""


@dataclass(frozen=True)
class Constant:
    """Where a weight lies: ``size`` bytes from ``offset``, values of ``dtype`` in ``shape``."""

    offset: int
    size: int
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One layer. ``inputs`` are names of layers; ``shape`` is that of its output, (channels, height, width).

    The input, ``pictures``, is the normalised picture (3, size, size); average pooling and the dense layer give
    (channels, 1, 1). An output cell (y, x) of a convolution or a max pooling reads the square of ``kernel`` cells a
    side that begins at row y * ``stride`` - top and column x * ``stride`` - left of ``padding`` (top, left, bottom,
    right). What lies outside the input counts as 0 for a convolution and not at all for a pooling. "Same" padding
    puts an odd remainder at the bottom and at the right, so with a stride of 2 it is often there alone. Other
    layers have kernel and stride 1, an average pooling the whole map. ``epsilon`` belongs to a batch normalisation.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    shape: tuple[int, int, int]
    kernel: int = 1
    stride: int = 1
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    multiply_adds: int = 0
    epsilon: float = 0.0

    @property
    def words(self) -> str:
        """Its kind as a sentence names it: ``a max pooling``."""
        return WORDS[self.kind]

    def to_dict(self) -> dict[str, Any]:
        """All of it as JSON."""
        values = asdict(self)
        return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


@dataclass
class _Node:
    id: int
    type: str
    name: str
    data: dict[str, str]
    shape: tuple[int, ...]
    names: str
    sources: dict[int, int] = field(default_factory=dict)

    def source(self, port: int) -> int:
        # Ports are numbered from 0, inputs first.
        return self.sources[port]


def read_layers(path: Path) -> tuple[list[Layer], dict[str, tuple[Constant, ...]]]:
    """The layers that the logits are computed by, in computing order, and the weights of each by its name.

    A convolution has (kernel,), a batch normalisation (gamma, beta, mean, variance), a dense layer (kernel, bias).
    Raises GraphError for a graph without convolutions or with an operation that is not understood, and OSError.
    """
    nodes = _read_nodes(path)
    wanted = _needed(nodes)
    reader = _Reader(nodes)
    for node in nodes.values():
        if node.id in wanted:
            reader.read(node)
    if not any(layer.kind == "convolution" for layer in reader.layers):
        raise GraphError("its graph has no named layers")
    return reader.layers, reader.constants


def _read_nodes(path: Path) -> dict[int, _Node]:
    try:
        # The file is one of the network's own; its checksum was compared.
        root = ET.parse(path).getroot()  # noqa: S314
        nodes = {}
        for element in root.iterfind("layers/layer"):
            data = element.find("data")
            port = element.find("output/port")
            node = _Node(
                id=int(element.attrib["id"]),
                type=element.attrib["type"],
                name=element.attrib["name"],
                data={} if data is None else dict(data.attrib),
                shape=() if port is None else tuple(int(dim.text or 0) for dim in port.iterfind("dim")),
                names="" if port is None else port.get("names", ""),
            )
            nodes[node.id] = node
        for edge in root.iterfind("edges/edge"):
            values = edge.attrib
            nodes[int(values["to-layer"])].sources[int(values["to-port"])] = int(values["from-layer"])
    except (ET.ParseError, KeyError, ValueError) as error:
        raise GraphError(f"its graph cannot be read: {error}") from error
    return nodes


def _needed(nodes: dict[int, _Node]) -> set[int]:
    """What the logits are computed from; a graph may have other outputs beside them."""
    results = [node for node in nodes.values() if node.type == "Result"]
    named = [node for node in results if LOGITS in nodes[node.source(0)].names.split(",")]
    if not named and len(results) != 1:
        raise GraphError("its graph has no output called logits")
    found: set[int] = set()
    waiting = [(named or results)[0].source(0)]
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting.extend(nodes[node].sources.values())
    return found


class _Reader:
    """Turns nodes into layers one after another; ``layers`` and ``constants`` are what was found so far."""

    def __init__(self, nodes: dict[int, _Node]) -> None:
        self.layers: list[Layer] = []
        self.constants: dict[str, tuple[Constant, ...]] = {}
        self._nodes = nodes
        self._known: dict[int, Layer] = {}
        self._types: dict[str, Callable[[_Node], Layer]] = {
            "Transpose": self._input,
            "Convolution": self._convolution,
            "BatchNormInference": self._normalisation,
            "ReLU": self._relu,
            "MaxPool": self._max_pool,
            "ReduceMean": self._average_pool,
            "Add": self._add,
        }

    def read(self, node: _Node) -> None:
        if node.type in PARTS:
            return
        try:
            layer = self._types[node.type](node)
        except GraphError:
            raise
        except (KeyError, ValueError):
            raise GraphError(
                f"its graph has no named layers: {node.type} {node.name!r} is not understood"
            ) from None
        self._known[node.id] = layer
        self.layers.append(layer)

    def _from(self, node: _Node, port: int = 0) -> Layer:
        return self._known[node.source(port)]

    def _constant(self, node: _Node, port: int) -> Constant:
        source = self._nodes[node.source(port)]
        if source.type == "Convert":
            source = self._nodes[source.source(0)]
        data = source.data
        return Constant(
            int(data["offset"]), int(data["size"]), DTYPES[data["element_type"]], _numbers(data["shape"])
        )

    def _input(self, node: _Node) -> Layer:
        parameter = self._nodes[node.source(0)]
        _, channels, height, width = node.shape
        return Layer(parameter.name, "input", (), (channels, height, width))

    def _convolution(self, node: _Node) -> Layer:
        before = self._from(node)
        kernel = self._constant(node, 1)
        outputs, inputs, side, across = kernel.shape
        if _numbers(node.data["dilations"]) != (1, 1):
            raise GraphError(f"its graph has a convolution with holes, {node.name!r}")
        height, width, stride, padding = _window(node, before.shape, side, across)
        self.constants[node.name] = (kernel,)
        adds = outputs * inputs * side * side * height * width
        shape = (outputs, height, width)
        return Layer(node.name, "convolution", (before.name,), shape, side, stride, padding, adds)

    def _normalisation(self, node: _Node) -> Layer:
        before = self._from(node)
        self.constants[node.name] = tuple(self._constant(node, port) for port in range(1, 5))
        epsilon = float(node.data["epsilon"])
        return Layer(node.name, "batch_normalisation", (before.name,), before.shape, epsilon=epsilon)

    def _relu(self, node: _Node) -> Layer:
        before = self._from(node)
        return Layer(node.name, "relu", (before.name,), before.shape)

    def _max_pool(self, node: _Node) -> Layer:
        before = self._from(node)
        side, across = _numbers(node.data["kernel"])
        height, width, stride, padding = _window(node, before.shape, side, across)
        shape = (before.shape[0], height, width)
        return Layer(node.name, "max_pool", (before.name,), shape, side, stride, padding)

    def _average_pool(self, node: _Node) -> Layer:
        before = self._from(node)
        channels, height, width = before.shape
        if node.shape[1:] != (channels,) or height != width:
            raise GraphError(f"its graph has an average that is not over the whole map, {node.name!r}")
        return Layer(node.name, "average_pool", (before.name,), (channels, 1, 1), height, height)

    def _add(self, node: _Node) -> Layer:
        product = self._nodes[node.source(0)]
        if product.type == "MatMul":
            before = self._from(product)
            kernel, bias = self._constant(product, 1), self._constant(node, 1)
            self.constants[node.name] = (kernel, bias)
            classes, inputs = kernel.shape
            shape = (classes, 1, 1)
            return Layer(node.name, "dense", (before.name,), shape, multiply_adds=classes * inputs)
        left, right = self._from(node), self._from(node, 1)
        return Layer(node.name, "add", (left.name, right.name), left.shape)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _window(
    node: _Node, before: tuple[int, int, int], side: int, across: int
) -> tuple[int, int, int, tuple[int, int, int, int]]:
    """Output height and width, stride and padding (top, left, bottom, right) of a layer that reads windows."""
    stride, other = _numbers(node.data["strides"])
    if side != across or stride != other:
        raise GraphError(f"its graph has a window that is not square, {node.name!r}")
    if node.data.get("rounding_type", "floor") != "floor":
        raise GraphError(f"its graph has a pooling that reads beyond the edge, {node.name!r}")
    begin, end = _numbers(node.data["pads_begin"]), _numbers(node.data["pads_end"])
    rows = _along(node.data["auto_pad"], before[1], side, stride, begin[0], end[0])
    columns = _along(node.data["auto_pad"], before[2], side, stride, begin[1], end[1])
    return rows[0], columns[0], stride, (rows[1], columns[1], rows[2], columns[2])


def _along(auto: str, length: int, side: int, stride: int, begin: int, end: int) -> tuple[int, int, int]:
    """Output length and the padding before and after, along one axis (OpenVINO's Convolution, auto_pad)."""
    if auto in ("same_upper", "same_lower"):
        count = math.ceil(length / stride)
        total = max((count - 1) * stride + side - length, 0)
        # "Upper" means that an odd one goes to the end.
        begin = total // 2 if auto == "same_upper" else total - total // 2
        return count, begin, total - begin
    if auto == "valid":
        begin = end = 0
    return (length + begin + end - side) // stride + 1, begin, end
