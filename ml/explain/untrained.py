"""A shipped network's layers with weights that nobody trained: what its heat maps are compared with."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml.explain import forward, grids, tails, weights
from ml.explain.graph_file import Layer
from ml.explain.structure import Array, Structure, structure
from ml.preprocessing import normalise

PICTURES = 8
"""Generated pictures whose statistics the batch normalisations take; the least map then has 128 values a channel."""


@dataclass(frozen=True)
class Untrained:
    """``parts``: the graph with random weights, cut as the trained one is; ``dense``: the last layer's kernel."""

    parts: tails.Pieces
    dense: Array


def untrained(name: str) -> Untrained:
    """The network called ``name`` with random weights, the same ones for the same version. Raises ArtifactError."""
    return _untrained(structure(name))


@lru_cache(maxsize=2)
def _untrained(of: Structure) -> Untrained:
    using = drawn(of, np.random.default_rng(zlib.crc32(of.card.version.encode())))
    model = weights.graph(of.card)
    _replace(model, of, using)
    return Untrained(tails.Pieces(of, model, tails.cut_layers(of)), using.dense[0])


def drawn(of: Structure, rng: np.random.Generator) -> forward.Weights:
    """Weights as before training: kernels after He et al., 2015 (section 2.2), no bias.

    Batch normalisations neither stretch nor shift what they normalised, but they know the mean and the variance that
    generated pictures give, since with those of the trained weights the values would die or explode on their way.
    """
    shapes = {layer.name: (layer, of.layer(layer.inputs[0])) for layer in of.layers if layer.inputs}
    kernels = {
        name: _he(rng, layer.shape[0], before.shape[0], layer.kernel)
        for name, (layer, before) in shapes.items()
        if layer.kind == "convolution"
    }
    last, average = shapes[of.layers[-1].name]
    dense = _he(rng, last.shape[0], average.shape[0], 1)[:, :, 0, 0]
    scales: dict[str, Array] = {}
    shifts: dict[str, Array] = {}

    def learn(layer: Layer, x: Array) -> None:
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
        scales[layer.name] = (1 / np.sqrt(variance + np.float32(layer.epsilon))).astype(np.float32)
        shifts[layer.name] = -mean * scales[layer.name]

    using = forward.Weights(kernels, scales, shifts, (dense, np.zeros(len(dense), np.float32)))
    pictures = normalise(generated(of.card.size, rng), of.card.preprocessing)
    forward.run(of, using, forward.as_maps(pictures), normalising=learn)
    return using


def generated(size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Coloured clouds of every coarseness, uint8 (PICTURES, size, size, 3): what photographs have in common."""
    found = np.zeros((PICTURES, 3, size, size))
    grid = 2
    while grid <= size:
        for place in np.ndindex(PICTURES, 3):
            # Coarse structure is stronger than fine, as in photographs, whose amplitudes fall with 1 / frequency.
            found[place] += grids.bilinear(rng.normal(size=(grid, grid)), size) / grid
        grid *= 2
    low, high = found.min((2, 3), keepdims=True), found.max((2, 3), keepdims=True)
    return np.asarray(255 * (found - low) / (high - low), np.uint8).transpose(0, 2, 3, 1)


def _he(rng: np.random.Generator, outputs: int, inputs: int, side: int) -> Array:
    deviation = np.float32(np.sqrt(2 / (inputs * side * side)))
    return rng.standard_normal((outputs, inputs, side, side), np.float32) * deviation


def _replace(model: Any, of: Structure, using: forward.Weights) -> None:
    """Puts ``using`` in the place of the weights of an ``openvino.Model`` of this network."""
    from openvino import opset15 as op

    nodes = {node.get_friendly_name(): node for node in model.get_ops()}

    def put(node: Any, port: int, values: Array) -> None:
        node.input(port).replace_source_output(op.constant(np.ascontiguousarray(values)).output(0))

    for name, kernels in using.kernels.items():
        put(nodes[name], 1, kernels)
    for layer in forward.normalisations(of):
        # Mean 0 and a variance that together with epsilon is 1: scale and shift alone are left.
        ones = np.ones(layer.shape[0], np.float32)
        values = (
            using.scales[layer.name],
            using.shifts[layer.name],
            0 * ones,
            ones - np.float32(layer.epsilon),
        )
        for port, value in enumerate(values, 1):
            put(nodes[layer.name], port, value)
    last = nodes[of.layers[-1].name]
    kernel, bias = using.dense
    put(last.input_value(0).get_node(), 1, kernel)
    put(last, 1, bias)
