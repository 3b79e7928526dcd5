"""What every layer of a network gave for a picture: one run in float32 that keeps every convolution's output.

Convolutions are nearly all of the work and are kept; what lies between them (normalisation, ReLU, addition, pooling)
is derived again in a moment. A picture of the VGG then takes 1 MB, one of the Wide ResNet 10 MB. Behind every ReLU
stands a gate, so that the same compiled graph also answers without some of its channels.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import config
from ml.engines import cpu_settings
from ml.explain import weights
from ml.explain.structure import Layer, Structure, structure
from ml.preprocessing import normalise

Array = NDArray[np.float32]

AT_ONCE = 8
"""Pictures in one run, so that the outputs of many do not fill the memory."""


@dataclass(frozen=True, eq=False)
class Trace:
    """One picture's way through a network.

    pixels: what the network saw, uint8 (size, size, 3), RGB. convolutions: output of every convolution by its name,
    float32 (channels, height, width). logits: float32 (classes,).
    """

    pixels: NDArray[np.uint8]
    convolutions: Mapping[str, Array]
    logits: Array


class Tracer:
    """A network that says what every convolution gave. Safe to call from several threads; one call runs at a time.

    threads: None leaves the choice to OpenVINO. Raises ArtifactError for missing or damaged files.
    """

    def __init__(self, of: Structure, threads: int | None = None) -> None:
        import openvino
        from openvino import opset15 as op

        self.structure = of
        self.card = of.card
        model = weights.graph(of.card)
        nodes = {node.get_friendly_name(): node for node in model.get_ops()}
        self._names = of.convolutions
        # Exposed, a convolution is not fused with what follows it: what is stored is what it gave by itself.
        outputs = [op.result(nodes[name].output(0)) for name in (*self._names, of.layers[-1].name)]
        relus = [layer for layer in of.layers if layer.kind == "relu"]
        gates = [_gated(nodes[layer.name], layer) for layer in relus]
        self._open = {layer.name: np.ones((1, layer.shape[0], 1, 1), np.float32) for layer in relus}
        exposed = openvino.Model(outputs, [*model.get_parameters(), *gates], of.card.name)
        compiled = openvino.Core().compile_model(exposed, "CPU", cpu_settings(threads))
        self._request: Any = compiled.create_infer_request()
        self._lock = threading.Lock()

    def trace(self, pixels: NDArray[np.uint8]) -> list[Trace]:
        """uint8 pictures (n, size, size, 3), RGB -> one trace each. Raises ValueError for another shape."""
        size = self.card.size
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (size, size, 3):
            raise ValueError(
                f"{self.card.name} takes uint8 (n, {size}, {size}, 3), not {pixels.dtype} {pixels.shape}"
            )
        return [
            one
            for start in range(0, len(pixels), AT_ONCE)
            for one in self._some(pixels[start : start + AT_ONCE])
        ]

    def logits(self, pixels: NDArray[np.uint8], mutes: Mapping[str, Sequence[int]]) -> Array:
        """uint8 pixels (size, size, 3), RGB -> float32 logits (classes,), with some channels 0 behind their ReLU.

        mutes: channels by the name of a ReLU. Raises KeyError for another layer and IndexError for a channel that it
        does not have.
        """
        closed = {name: self._open[name].copy() for name in mutes}
        for name, channels in mutes.items():
            closed[name][0, list(channels)] = 0
        with self._lock:
            return np.array(self._infer(pixels[None], closed)[len(self._names)][0], np.float32)

    def _infer(self, pixels: NDArray[np.uint8], closed: Mapping[str, Array]) -> Any:
        pictures = np.ascontiguousarray(normalise(pixels, self.card.preprocessing))
        gates = ({**self._open, **closed}).values()
        return self._request.infer([pictures, *gates], share_inputs=True, share_outputs=True)

    def _some(self, pixels: NDArray[np.uint8]) -> list[Trace]:
        with self._lock:
            result = self._infer(pixels, {})
            shared = [result[i] for i in range(len(self._names) + 1)]
            # Copied picture by picture: the next run writes into the same memory, and one trace holds no other.
            copied = [[np.array(values[i], np.float32) for values in shared] for i in range(len(pixels))]
        return [
            Trace(seen.copy(), dict(zip(self._names, outputs, strict=False)), outputs[-1])
            for seen, outputs in zip(pixels, copied, strict=True)
        ]


def _gated(relu: Any, layer: Layer) -> Any:
    """The parameter, (1, channels, 1, 1), by which what the node ``relu`` gives is multiplied from now on."""
    from openvino import opset15 as op

    output = relu.output(0)
    readers = output.get_target_inputs()
    gate = op.parameter([1, layer.shape[0], 1, 1], np.float32, name=f"{layer.name}/gate")
    gated = op.multiply(output, gate).output(0)
    for reader in readers:
        reader.replace_source_output(gated)
    return gate


def tracer(name: str, threads: int | None = None) -> Tracer:
    """The tracer of the shipped network called ``name``, compiled once for each version and number of threads.

    threads: ``ML_THREADS`` when None. Raises ArtifactError for an artifact that is missing, damaged or without named
    layers and ValueError for a number of threads below 1.
    """
    threads = config.thread_count() if threads is None else threads
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    return _tracer(structure(name), threads)


@lru_cache(maxsize=4)
def _tracer(of: Structure, threads: int | None) -> Tracer:
    return Tracer(of, threads)


def value(of: Structure, trace: Trace, name: str) -> Array:
    """The output of any layer for one picture, float32 (channels, height, width), as the graph computes it.

    ``pictures`` is the normalised picture, average pooling gives (channels, 1, 1) and the last dense layer, whose
    output are the logits, (classes, 1, 1). A normalisation is x * scale + shift (``Normalisation``), in float32.
    Raises KeyError for a layer that the network or the trace does not have and ValueError for a trace of another
    network or with numbers that are not finite.
    """
    layer = of.layer(name)
    if layer.kind == "convolution":
        return _stored(trace, layer)
    if layer.kind == "dense":
        return _checked(trace.logits.reshape(-1, 1, 1), layer)
    if layer.kind == "input":
        return _picture(of, trace)
    before = [value(of, trace, source) for source in layer.inputs]
    return derived(of, layer, before)


def derived(of: Structure, layer: Layer, before: list[Array]) -> Array:
    """The output of a layer between the convolutions from those of its inputs, float32 (channels, height, width).

    Raises ValueError for the input, a convolution or a dense layer, which are not derived.
    """
    x = before[0]
    if layer.kind == "batch_normalisation":
        learned = of.normalisation(layer.name)
        return x * learned.scale[:, None, None] + learned.shift[:, None, None]
    if layer.kind == "relu":
        return np.maximum(x, np.float32(0))
    if layer.kind == "add":
        return x + before[1]
    if layer.kind == "max_pool":
        return np.asarray(pooled(x, layer), np.float32)
    if layer.kind == "average_pool":
        return np.asarray(x.mean((1, 2), dtype=np.float32, keepdims=True), np.float32)
    raise ValueError(f"{layer.name} is {layer.words}, which is not derived from its inputs.")


def pooled(x: Array, layer: Layer) -> Array:
    """The largest value of each window of ``layer``, (channels, height, width); padding never wins."""
    top, left, bottom, right = layer.padding
    wide = np.pad(x, ((0, 0), (top, bottom), (left, right)), constant_values=-np.inf)
    shape = (layer.kernel, layer.kernel)
    windows = np.lib.stride_tricks.sliding_window_view(wide, shape, axis=(1, 2))
    chosen = windows[:, :: layer.stride, :: layer.stride]
    largest: Array = chosen.max((-2, -1))
    return largest


def _picture(of: Structure, trace: Trace) -> Array:
    size = of.card.size
    if trace.pixels.shape != (size, size, 3):
        raise ValueError(
            f"{of.card.title} sees pictures of {size} x {size} pixels, not {trace.pixels.shape}."
        )
    picture = normalise(trace.pixels[None], of.card.preprocessing)[0]
    return np.ascontiguousarray(picture.transpose(2, 0, 1))


def _stored(trace: Trace, layer: Layer) -> Array:
    try:
        found = trace.convolutions[layer.name]
    except KeyError:
        raise KeyError(f"This trace does not hold the convolution {layer.name!r}.") from None
    return _checked(found, layer)


def _checked(values: Array, layer: Layer) -> Array:
    if values.shape != layer.shape:
        raise ValueError(f"{layer.name} gives {layer.shape}, but this trace holds {values.shape}.")
    if not np.isfinite(values).all():
        raise ValueError(f"{layer.name} holds numbers in this trace that are not finite.")
    return values
