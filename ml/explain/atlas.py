"""What excites a channel: the places of a fixed set of pictures at which each channel of a layer is largest.

A channel is known by what it answers to most (Zeiler and Fergus, 2014, "Visualizing and Understanding Convolutional
Networks", section 4): for every channel and picture the largest value and its place, of which the best few of different
pictures are kept. What part of a picture such a place can depend on follows from the layers before it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ml.explain.structure import Structure
from ml.explain.trace import Tracer
from ml.explain.xray import outputs

Array = NDArray[np.float32]

KEPT = 3
"""Places of each channel, of different pictures."""

KINDS = ("relu", "add")
"""Kinds of layers that have places: their outputs are what later layers read, as large as the channel is excited."""

AT_ONCE = 4
"""Pictures whose traces are in memory together."""

SAMPLE, ROW, COLUMN, VALUE = range(4)
"""What the last axis of the places holds."""


def atlas_layer(of: Structure, name: str) -> str | None:
    """The layer with places whose channels are those of the layer called ``name``; None where no layer has them.

    A ReLU and an addition stand for themselves; a convolution or a normalisation for the ReLU that alone reads it, a
    pooling for the ReLU that it reads. Raises KeyError for a layer that the network does not have.
    """
    layer = of.layer(name)
    if layer.kind in KINDS:
        return name
    if layer.kind in ("max_pool", "average_pool"):
        return atlas_layer(of, layer.inputs[0])
    readers = [of.layer(reader) for reader in of.consumers[name]]
    if len(readers) == 1 and readers[0].kind in ("batch_normalisation", "relu"):
        return atlas_layer(of, readers[0].name)
    return None


def atlas(found: Tracer, pictures: NDArray[np.uint8]) -> dict[str, Array]:
    """uint8 pictures (n, size, size, 3) -> by name of each layer of KINDS its places, float32 (channels, k, 4).

    k is KEPT, or n where there are fewer pictures. A place is the index of a picture, the row and the column of a cell
    of the layer, and the value there, in the units of the layer; the largest value first, the earlier picture first
    where two are alike. A value that is not above zero says that nothing in these pictures excites the channel more.
    Raises ValueError for no pictures and for pictures of another shape.
    """
    if not len(pictures):
        raise ValueError("an atlas needs a picture")
    best: dict[str, list[tuple[Array, NDArray[np.intp]]]] = {}
    widths = {layer.name: layer.shape[2] for layer in found.structure.layers}
    for start in range(0, len(pictures), AT_ONCE):
        for trace in found.trace(pictures[start : start + AT_ONCE]):
            for layer, maps in outputs(found.structure, trace):
                if layer.kind in KINDS:
                    cells = maps.reshape(len(maps), -1)
                    places = cells.argmax(1)
                    best.setdefault(layer.name, []).append((cells[np.arange(len(cells)), places], places))
    return {name: _strongest(several, widths[name]) for name, several in best.items()}


def _strongest(several: list[tuple[Array, NDArray[np.intp]]], width: int) -> Array:
    """The best of each picture's largest values and their places, (channels,) each -> (channels, k, 4)."""
    values = np.stack([one for one, _ in several], 1)
    places = np.stack([one for _, one in several], 1)
    order = np.argsort(-values, axis=1, kind="stable")[:, :KEPT]
    rows, columns = np.divmod(np.take_along_axis(places, order, 1), width)
    parts = (order, rows, columns, np.take_along_axis(values, order, 1))
    return np.stack(parts, -1).astype(np.float32)
