"""What a network hands out beside its logits: averages of channels, from the middle of it and from its end.

The last layer's averages say which objects a picture looks like. Those of the middle say what it is made of (edges,
grain, flat areas), and tell a drawing from a photograph far better; ``ml.outside`` uses both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ml.engines import FEATURES

if TYPE_CHECKING:
    from ml.artifact import Card
    from ml.predictor import Predictor

LAYERS: dict[str, tuple[str, ...]] = {
    "vgg": ("block2/relu2", "block3/relu1"),
    "wideresnet": ("group2/block1/relu1", "group3/block1/relu1"),
}
"""Layers in the middle of each architecture whose channels are averaged over the picture."""


def attached(model: Any, architecture: str) -> Any:
    """A copy of an OpenVINO graph with the output ``features``, float32 (n, k), in place of one that it had.

    The averages of each channel of LAYERS, then what the last dense layer reads, as the last columns. Nodes are found
    by their names, so it works on the exact and on the quantised graph alike; quantising comes first, so that it
    is not led by an output that decides nothing. Raises ValueError when a layer is missing.
    """
    from openvino import opset15 as op

    changed = model.clone()
    nodes = {node.get_friendly_name(): node for node in changed.get_ops()}
    if missing := [name for name in (*LAYERS[architecture], "head/pool") if name not in nodes]:
        raise ValueError(f"the graph has no layer {', '.join(missing)}")
    for result in changed.get_results():
        if FEATURES in result.get_output_tensor(0).get_names():
            changed.remove_result(result)
    averages = [
        op.reduce_mean(nodes[name].output(0), [2, 3], keep_dims=False).output(0)
        for name in LAYERS[architecture]
    ]
    together = op.result(op.concat([*averages, nodes["head/pool"].output(0)], 1))
    together.get_output_tensor(0).set_names({FEATURES})
    changed.add_results([together])
    changed.validate_nodes_and_infer_types()
    return changed


class NoFeaturesError(Exception):
    """This graph, or this engine, does not hand out what the last dense layer reads."""


def deep_count(card: Card) -> int:
    """How many numbers the last dense layer of a network reads; 0 where its card lists no such layer."""
    dense = [row["parameters"] for row in card.layers if row["kind"] == "Dense"]
    return dense[-1] // len(card.labels) - 1 if dense else 0


def deep(predictor: Predictor, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 (n, size, size, 3), RGB -> float32 (n, k): what the last dense layer reads of each picture.

    The averages of the last channels, k = ``deep_count``; the last columns of what the shipped graph hands out.
    Raises NoFeaturesError where there are none and ValueError for another shape.
    """
    count = deep_count(predictor.card)
    found = predictor.outputs(pixels).features if count else None
    if found is None or found.shape[1] < count:
        raise NoFeaturesError(f"{predictor.card.name} hands out no features")
    return np.ascontiguousarray(found[:, -count:])
