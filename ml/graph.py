"""A Keras network as an OpenVINO graph, layer by layer, every layer keeping its name.

Written here rather than left to a converter so that the graph's nodes are the network's layers: the laboratory
reads activations by layer name, and the weights can be read back into Keras.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import openvino
from keras import layers
from numpy.typing import NDArray
from openvino import opset1
from openvino import opset15 as op

from ml.artifact import WEIGHT
from ml.engines import FEATURES, LOGITS
from ml.networks import BATCH_NORM_EPSILON, weight_name


def to_openvino(network: keras.Model, size: int) -> openvino.Model:
    """The graph of ``network`` for float32 pictures (n, size, size, 3) -> logits (n, classes), features (n, k).

    Features are what the last dense layer reads: the average of each channel of the last feature map.

    Inside, tensors are (n, channels, height, width). Kernels are kept as float16 constants widened at load;
    everything else is float32. Raises TypeError for a layer that has no translation.
    """
    pictures = op.parameter([-1, size, size, 3], np.float32, name="pictures")
    dropped = (layers.Dropout, layers.InputLayer)
    values: dict[int, Any] = {}
    for layer in network.layers:
        if isinstance(layer, layers.InputLayer):
            node = op.transpose(pictures, np.array([0, 3, 1, 2]))
        else:
            tensors = layer.input if isinstance(layer.input, list) else [layer.input]
            node = _translate(layer, [values[id(tensor)] for tensor in tensors])
        if not isinstance(layer, dropped):
            node.set_friendly_name(layer.name.replace("_", "/"))
        values[id(layer.output)] = node
    logits = op.result(values[id(network.output)])
    features = op.result(values[id(network.layers[-1].input)])
    logits.get_output_tensor(0).set_names({LOGITS})
    features.get_output_tensor(0).set_names({FEATURES})
    pictures.get_output_tensor(0).set_names({"pictures"})
    return openvino.Model([logits, features], [pictures], network.name)


def _constant(layer: Any, variable: Any, values: NDArray[Any], *, half: bool = False) -> Any:
    # Contiguous: OpenVINO reads the memory as it lies and would take a transposed view for something else.
    node = op.constant(np.ascontiguousarray(values, np.float16 if half else np.float32))
    node.set_friendly_name(f"{WEIGHT}{weight_name(layer, variable)}")
    return op.convert(node, np.float32) if half else node


def _numpy(variable: Any) -> NDArray[np.float32]:
    return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)


def _translate(layer: Any, inputs: list[Any]) -> Any:
    x = inputs[0]
    if isinstance(layer, layers.Conv2D):
        kernel = _constant(layer, layer.kernel, _numpy(layer.kernel).transpose(3, 2, 0, 1), half=True)
        stride = list(layer.strides)
        return op.convolution(x, kernel, stride, [0, 0], [0, 0], [1, 1], auto_pad="same_upper")
    if isinstance(layer, layers.BatchNormalization):
        gamma, beta, mean, variance = (
            _constant(layer, v, _numpy(v))
            for v in (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
        )
        return op.batch_norm_inference(x, gamma, beta, mean, variance, BATCH_NORM_EPSILON)
    if isinstance(layer, layers.ReLU):
        return op.relu(x)
    if isinstance(layer, layers.MaxPooling2D):
        size = list(layer.pool_size)
        # The first version: later ones have a second output with the positions, which nothing here needs.
        return opset1.max_pool(x, list(layer.strides), [0, 0], [0, 0], size)
    if isinstance(layer, layers.Dropout):
        return x
    if isinstance(layer, layers.Add):
        return op.add(inputs[0], inputs[1])
    if isinstance(layer, layers.GlobalAveragePooling2D):
        return op.reduce_mean(x, np.array([2, 3]), keep_dims=False)
    if isinstance(layer, layers.Dense):
        kernel = _constant(layer, layer.kernel, _numpy(layer.kernel).T, half=True)
        bias = _constant(layer, layer.bias, _numpy(layer.bias))
        return op.add(op.matmul(x, kernel, False, True), bias)
    raise TypeError(f"{type(layer).__name__} has no translation into an OpenVINO graph")
