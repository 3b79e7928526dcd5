"""The exact graph in pieces: from a picture to a layer's activations, and from altered activations to the logits.

The float32 graph is cut where one layer's output alone decides the logits. Each piece between two cuts is compiled
once, when it is first needed, so that all tails together hold the weights of one network (150 MB for the Wide
ResNet) instead of one network a layer.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ml import config
from ml.engines import cpu_settings
from ml.explain import weights
from ml.explain.structure import Array, Structure, structure

AT_ONCE = 8
"""Pictures in one run, so that the activations of many do not fill the memory."""
KEPT = 2
"""Networks whose pieces are kept."""


def cut_layers(structure: Structure) -> list[str]:
    """The layers that a map is offered at, in computing order: what passes through each alone decides the logits.

    Every ReLU of a network without skip connections; else the sum at each block's end and the last ReLU.
    """
    relus = [layer.name for layer in structure.layers if layer.kind == "relu"]
    sums = [layer.name for layer in structure.layers if layer.kind == "add"]
    return [name for name in (*sums, *relus[-1:]) if _decides(structure, name)] if sums else relus


def _decides(structure: Structure, name: str) -> bool:
    """Whether no later layer reads what was computed before ``name``."""
    order = [layer.name for layer in structure.layers]
    at = order.index(name)
    known = {*order[at:]}
    return all(known.issuperset(layer.inputs) for layer in structure.layers[at + 1 :])


class Pieces:
    """A float32 graph cut behind each of ``layers``. Safe to call from several threads; one call runs at a time.

    of: the network whose layers these are. model: its ``openvino.Model``, which is taken apart; another one with the
    same layers does as well. layers: cuts in computing order. Raises ValueError for a layer that the graph does not
    have or behind which it does not fall apart.
    """

    def __init__(self, of: Structure, model: Any, layers: Sequence[str]) -> None:
        self.structure = of
        self.layers = tuple(layers)
        self._models: list[Any] = _cut(model, [*layers, of.layers[-1].name])
        self._requests: list[Any] = [None] * len(self._models)
        self._lock = threading.Lock()

    def activations(self, pictures: Array, layer: str) -> Array:
        """Normalised pictures (n, size, size, 3) -> what ``layer`` gives, float32 (n, channels, height, width).

        Raises ValueError for a layer that is not a cut.
        """
        return self._run(pictures, 0, self._index(layer) + 1)

    def logits(self, activations: Array, layer: str) -> Array:
        """(n, channels, height, width), put in the place of what ``layer`` gives -> float32 logits (n, classes).

        Raises ValueError for a layer that is not a cut.
        """
        return self._run(activations, self._index(layer) + 1, len(self._models))

    def answers(self, pictures: Array) -> Array:
        """Normalised pictures (n, size, size, 3) -> float32 logits (n, classes)."""
        return self._run(pictures, 0, len(self._models))

    def _index(self, layer: str) -> int:
        if layer not in self.layers:
            raise ValueError(
                f"{self.structure.card.title} is not cut at {layer!r}, but at {', '.join(self.layers)}."
            )
        return self.layers.index(layer)

    def _run(self, values: Array, first: int, behind: int) -> Array:
        found = []
        with self._lock:
            for start in range(0, len(values), AT_ONCE):
                some: Any = np.ascontiguousarray(values[start : start + AT_ONCE], np.float32)
                for piece in range(first, behind):
                    some = self._request(piece).infer([some], share_inputs=True, share_outputs=True)[0]
                # A copy: the next batch overwrites the request's own memory.
                found.append(np.array(some))
        return np.concatenate(found)

    def _request(self, piece: int) -> Any:
        if self._requests[piece] is None:
            import openvino

            settings = cpu_settings(config.thread_count())
            compiled = openvino.Core().compile_model(self._models[piece], "CPU", settings)
            self._requests[piece] = compiled.create_infer_request()
            self._models[piece] = None
        return self._requests[piece]


def _cut(model: Any, ends: Sequence[str]) -> list[Any]:
    """One graph for each of ``ends``, from the one before it (the first from the pictures) to it."""
    import openvino
    from openvino import opset15 as op

    nodes = {node.get_friendly_name(): node for node in model.get_ops()}
    if missing := [name for name in ends if name not in nodes]:
        raise ValueError(f"the graph has no layer {', '.join(missing)}")
    parameter = model.get_parameters()[0]
    models = []
    for name in ends:
        output = nodes[name].output(0)
        readers = output.get_target_inputs()
        try:
            models.append(openvino.Model([op.result(output)], [parameter], name))
        except RuntimeError as error:
            raise ValueError(f"the graph does not fall apart at {name}: {error}") from error
        parameter = op.parameter(output.get_partial_shape(), np.float32, name=name)
        for reader in readers:
            reader.replace_source_output(parameter.output(0))
    return models


def pieces(name: str) -> Pieces:
    """The exact graph of the network called ``name``, cut at ``cut_layers``, kept by the artifact's version.

    Raises ArtifactError for a missing or damaged artifact.
    """
    return _pieces(structure(name))


@lru_cache(maxsize=KEPT)
def _pieces(of: Structure) -> Pieces:
    return Pieces(of, weights.graph(of.card), cut_layers(of))
