"""A network computed in NumPy, layer by layer, so that anything on the way can be another than it was.

A compiled graph holds its weights fast: an altered kernel would mean compiling again. One matrix product a
convolution (Chellapilla et al., 2006, section 3.1) costs the VGG some 80 ms and the Wide ResNet some 300 ms a
picture on two cores, and nothing beforehand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.explain.graph_file import Layer
from ml.explain.structure import Array, Structure
from ml.explain.trace import pooled

After = Callable[[Layer, Array], Array]
Normalising = Callable[[Layer, Array], None]


@dataclass(frozen=True)
class Weights:
    """All weights of a network, float32, by the names of its layers.

    kernels: (outputs, inputs, height, width) of each convolution, which may be read one layer at a time. scales,
    shifts: (channels,) of each batch normalisation. dense: kernel (classes, k) and bias (classes,).
    """

    kernels: Mapping[str, Array]
    scales: Mapping[str, Array]
    shifts: Mapping[str, Array]
    dense: tuple[Array, Array]


class Kernels(Mapping[str, Array]):
    """The kernels that a network learned, each layer's read whenever it is asked for, or those of ``edited`` instead.

    Kept as float32, those of the Wide ResNet would take 150 MB of every process; reading them takes 80 ms.
    """

    def __init__(self, of: Structure, edited: Mapping[str, Array] | None = None) -> None:
        self._of = of
        self._edited = edited or {}

    def __getitem__(self, name: str) -> Array:
        return self._edited[name] if name in self._edited else self._of.kernels(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._of.convolutions)

    def __len__(self) -> int:
        return len(self._of.convolutions)


def weights(of: Structure) -> Weights:
    """The weights that the network learned. Raises ArtifactError, and so does reading its kernels."""
    learned = {layer.name: of.normalisation(layer.name) for layer in normalisations(of)}
    return Weights(
        Kernels(of),
        {name: one.scale for name, one in learned.items()},
        {name: one.shift for name, one in learned.items()},
        of.dense(),
    )


def normalisations(of: Structure) -> list[Layer]:
    """The batch normalisations in computing order."""
    return [layer for layer in of.layers if layer.kind == "batch_normalisation"]


def convolve(x: Array, kernels: Array, layer: Layer) -> Array:
    """Float32 (n, inputs, h, w) and kernels (outputs, inputs, k, k) -> (n, outputs, h', w'), padded as ``layer`` is.

    As in all networks a cross-correlation: kernels are not turned round.
    """
    top, left, bottom, right = layer.padding
    wide = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    outputs, inputs, side, _ = kernels.shape
    _, height, width = layer.shape
    step, count = layer.stride, len(x)
    columns = np.empty((side * side, inputs, count, height, width), np.float32)
    for i in range(side * side):
        rows = slice(i // side, i // side + (height - 1) * step + 1, step)
        across = slice(i % side, i % side + (width - 1) * step + 1, step)
        columns[i] = wide[:, :, rows, across].swapaxes(0, 1)
    flat = kernels.transpose(0, 2, 3, 1).reshape(outputs, -1)
    product = flat @ columns.reshape(side * side * inputs, -1)
    return product.reshape(outputs, count, height, width).swapaxes(0, 1)


def run(
    of: Structure,
    using: Weights,
    pictures: Array,
    *,
    after: After | None = None,
    normalising: Normalising | None = None,
) -> Array:
    """Normalised pictures, float32 (n, 3, size, size) -> float32 logits (n, classes).

    after: is given every layer and what it gave, float32 (n, channels, h, w), and returns what is used in its place.
    normalising: is given every batch normalisation and what it is about to scale and shift.
    """
    readers = Counter(source for layer in of.layers for source in layer.inputs)
    values: dict[str, Array] = {}
    for layer in of.layers:
        before = [values[source] for source in layer.inputs]
        if normalising and layer.kind == "batch_normalisation":
            normalising(layer, before[0])
        found = _computed(layer, before, using) if before else pictures
        values[layer.name] = after(layer, found) if after else found
        for source in layer.inputs:
            readers[source] -= 1
            # A Wide ResNet's maps together are some hundred megabytes; what nobody reads any more goes.
            if not readers[source]:
                del values[source]
    return values[of.layers[-1].name].reshape(len(pictures), -1)


def _computed(layer: Layer, before: list[Array], using: Weights) -> Array:
    x = before[0]
    if layer.kind == "convolution":
        return convolve(x, using.kernels[layer.name], layer)
    if layer.kind == "batch_normalisation":
        return x * using.scales[layer.name][:, None, None] + using.shifts[layer.name][:, None, None]
    if layer.kind == "relu":
        return np.maximum(x, np.float32(0))
    if layer.kind == "add":
        return x + before[1]
    if layer.kind == "max_pool":
        return pooled(x.reshape(-1, *x.shape[2:]), layer).reshape(len(x), *layer.shape)
    if layer.kind == "average_pool":
        return np.asarray(x.mean((2, 3), keepdims=True), np.float32)
    kernel, bias = using.dense
    return (x.reshape(len(x), -1) @ kernel.T + bias)[:, :, None, None]


def as_maps(pictures: NDArray[np.float32]) -> Array:
    """(n, size, size, 3), as ``ml.preprocessing.normalise`` gives pictures -> (n, 3, size, size)."""
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
