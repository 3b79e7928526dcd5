"""A shipped network as an ONNX file, layer by layer: ``python -m benchmarks.onnx_graph MODEL FILE``.

Only the benchmark needs it: ONNX Runtime is measured beside OpenVINO and TensorFlow. Written out, like ``ml.graph``,
because a converter would be one more thing that could make it slow.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ml import artifact, engines
from ml.artifact import Card

OPSET = 17


class Translation:
    """Collects the nodes and constants of one network."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, values: Any) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def layer(self, layer: Any, inputs: list[str]) -> str:
        """Adds one Keras layer and returns the name of its output. Raises TypeError for an unknown one."""
        name, kind = layer.name, type(layer).__name__
        if kind == "Conv2D":
            kernel = self.constant(f"{name}.kernel", numpy(layer.kernel).transpose(3, 2, 0, 1))
            strides = list(layer.strides)
            return self.node("Conv", [inputs[0], kernel], name, strides=strides, auto_pad="SAME_UPPER")
        if kind == "BatchNormalization":
            variables = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
            parts = [self.constant(f"{name}.{i}", numpy(variable)) for i, variable in enumerate(variables)]
            return self.node("BatchNormalization", [inputs[0], *parts], name, epsilon=float(layer.epsilon))
        if kind == "MaxPooling2D":
            size, strides = list(layer.pool_size), list(layer.strides)
            return self.node("MaxPool", inputs, name, kernel_shape=size, strides=strides)
        if kind == "GlobalAveragePooling2D":
            return self.node("ReduceMean", inputs, name, axes=[2, 3], keepdims=0)
        if kind == "Dense":
            kernel = self.constant(f"{name}.kernel", numpy(layer.kernel))
            bias = self.constant(f"{name}.bias", numpy(layer.bias))
            return self.node("Gemm", [inputs[0], kernel, bias], name)
        if kind in ("ReLU", "Add"):
            return self.node("Relu" if kind == "ReLU" else kind, inputs, name)
        if kind == "Dropout":
            return inputs[0]
        raise TypeError(f"{kind} has no translation into an ONNX graph")


def numpy(variable: Any) -> Any:
    return np.asarray(variable.numpy(), np.float32)


def to_onnx(network: Any, size: int) -> onnx.ModelProto:
    """float32 pictures (n, size, size, 3), normalised -> logits (n, classes)."""
    made = Translation()
    names: dict[int, str] = {}
    for layer in network.layers:
        if type(layer).__name__ == "InputLayer":
            name = made.node("Transpose", ["pictures"], "planes", perm=[0, 3, 1, 2])
        else:
            tensors = layer.input if isinstance(layer.input, list) else [layer.input]
            name = made.layer(layer, [names[id(tensor)] for tensor in tensors])
        names[id(layer.output)] = name
    last = network.layers[-1]
    pictures = helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", size, size, 3])
    logits = helper.make_tensor_value_info(last.name, TensorProto.FLOAT, ["n", last.units])
    graph = helper.make_graph(made.nodes, network.name, [pictures], [logits], made.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def classifier(card: Card) -> Any:
    """The Keras network of an artifact with nothing but its logits."""
    network = engines.keras_network(card)
    return type(network)(network.inputs, network.outputs[0], name=card.name)


def main() -> None:
    card = artifact.load_card(sys.argv[1])
    model = to_onnx(classifier(card), card.size)
    Path(sys.argv[2]).write_bytes(model.SerializeToString())


if __name__ == "__main__":
    main()
