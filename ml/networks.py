"""The two networks as Keras functional models, defined once for training, evaluation and export.

Both take float32 pictures (n, size, size, 3), normalised (``ml.preprocessing.normalise``), and return float32
logits (n, classes). Layer names are ``<part>_<layer>``; a weight's name is its layer's with ``_`` as ``/`` and
the variable's own name behind: ``group1/block2/conv1/kernel``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray

from ml.features import LAYERS as FEATURE_LAYERS

BATCH_NORM_EPSILON = 1e-5
BATCH_NORM_MOMENTUM = 0.9

VGG_CHANNELS = (64, 128, 256, 512)
WRN_GROUP_CHANNELS = (16, 32, 64)
WRN_STEM_CHANNELS = 16


def _conv(x: Any, channels: int, name: str, *, kernel: int = 3, stride: int = 1) -> Any:
    return layers.Conv2D(
        channels,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)


def _norm(x: Any, name: str) -> Any:
    return layers.BatchNormalization(momentum=BATCH_NORM_MOMENTUM, epsilon=BATCH_NORM_EPSILON, name=name)(x)


def _head(x: Any, classes: int) -> Any:
    x = layers.GlobalAveragePooling2D(name="head_pool")(x)
    # Logits stay float32 under a mixed policy: bfloat16 keeps 8 bits, too few to tell near ties apart.
    return layers.Dense(classes, dtype="float32", name="head_dense")(x)


def vgg(*, size: int | None = 32, classes: int = 100, dropout: float = 0.1) -> keras.Model:
    """Eight 3 x 3 convolutions in pairs of 64, 128, 256 and 512 channels, after Simonyan and Zisserman, 2014.

    Batch normalisation (Ioffe and Szegedy, 2015) and ReLU after each convolution, 2 x 2 max pooling after the
    first three pairs, dropout between the blocks, global average pooling, one dense layer. ``size`` None leaves
    height and width free (at least 8). Output: logits (n, classes).
    """
    pictures = x = layers.Input((size, size, 3), name="pictures")
    for block, channels in enumerate(VGG_CHANNELS, 1):
        for conv in (1, 2):
            x = _conv(x, channels, f"block{block}_conv{conv}")
            x = _norm(x, f"block{block}_bn{conv}")
            x = layers.ReLU(name=f"block{block}_relu{conv}")(x)
        if block < len(VGG_CHANNELS):
            x = layers.MaxPooling2D(2, name=f"block{block}_pool")(x)
            x = layers.Dropout(dropout, name=f"block{block}_dropout")(x)
    return keras.Model(pictures, _head(x, classes), name="vgg")


def wideresnet(
    *,
    size: int | None = 32,
    classes: int = 100,
    depth: int = 28,
    width: int = 10,
    dropout: float = 0.0,
) -> keras.Model:
    """WRN-depth-width of Zagoruyko and Komodakis, 2016 (section 2, table 1); 28-10 unless said.

    A 3 x 3 stem of 16, three groups of (depth - 4) / 6 pre-activation blocks of 16, 32 and 64 times ``width``
    channels, stride 2 in the first convolution of groups two and three, a 1 x 1 projection of the activated
    input where the shape changes, dropout between a block's convolutions, final batch normalisation and ReLU,
    global average pooling, one dense layer. Raises ValueError when ``depth`` is not 6 n + 4.
    """
    blocks, rest = divmod(depth - 4, 6)
    if rest or blocks < 1:
        raise ValueError(f"depth must be 6 n + 4 with n >= 1, not {depth}")
    pictures = layers.Input((size, size, 3), name="pictures")
    x = _conv(pictures, WRN_STEM_CHANNELS, "stem_conv")
    for group, base in enumerate(WRN_GROUP_CHANNELS, 1):
        for block in range(1, blocks + 1):
            stride = 2 if group > 1 and block == 1 else 1
            x = _wide_block(x, base * width, stride, dropout, f"group{group}_block{block}")
    x = _norm(x, "head_bn")
    x = layers.ReLU(name="head_relu")(x)
    return keras.Model(pictures, _head(x, classes), name="wideresnet")


def _wide_block(x: Any, channels: int, stride: int, dropout: float, name: str) -> Any:
    out = layers.ReLU(name=f"{name}_relu1")(_norm(x, f"{name}_bn1"))
    shortcut = x
    if x.shape[-1] != channels or stride != 1:
        shortcut = _conv(out, channels, f"{name}_shortcut", kernel=1, stride=stride)
    out = _conv(out, channels, f"{name}_conv1", stride=stride)
    out = layers.ReLU(name=f"{name}_relu2")(_norm(out, f"{name}_bn2"))
    if dropout:
        out = layers.Dropout(dropout, name=f"{name}_dropout")(out)
    out = _conv(out, channels, f"{name}_conv2")
    return layers.Add(name=f"{name}_add")([shortcut, out])


ARCHITECTURES: dict[str, Callable[..., keras.Model]] = {"vgg": vgg, "wideresnet": wideresnet}


def build(name: str, **options: Any) -> keras.Model:
    """The network called ``name`` with fresh weights. Raises ValueError for an unknown name or option."""
    try:
        make = ARCHITECTURES[name]
    except KeyError:
        raise ValueError(
            f"There is no network {name!r}; there are {', '.join(sorted(ARCHITECTURES))}."
        ) from None
    if unknown := sorted(options.keys() - inspect.signature(make).parameters.keys()):
        raise ValueError(f"The network {name} has no option {', '.join(unknown)}.")
    return make(**options)


def with_features(network: keras.Model) -> keras.Model:
    """The same network with two outputs: logits (n, classes) and features (n, k), see ``ml.features``.

    Channel averages of the layers named there, then what the last dense layer reads. Raises KeyError for a
    network that is not one of ARCHITECTURES.
    """
    middle = [network.get_layer(name.replace("/", "_")).output for name in FEATURE_LAYERS[network.name]]
    averages = [layers.GlobalAveragePooling2D()(maps) for maps in middle]
    features = layers.Concatenate()([*averages, network.layers[-1].input])
    return keras.Model(network.inputs, [network.output, features], name=network.name)


def layer_name(layer: keras.Layer) -> str:
    """``block1_conv1`` -> ``block1/conv1``, as cards and weights name it."""
    return str(layer.name).replace("_", "/")


def weight_name(layer: keras.Layer, variable: Any) -> str:
    """``block1_conv1`` and its kernel -> ``block1/conv1/kernel``."""
    return f"{layer_name(layer)}/{variable.name}"


def get_weights(network: keras.Model) -> dict[str, NDArray[np.float32]]:
    """All weights by name, batch-normalisation statistics included."""
    return {
        weight_name(layer, variable): np.asarray(keras.ops.convert_to_numpy(variable), np.float32)
        for layer in network.layers
        for variable in layer.weights
    }


def set_weights(network: keras.Model, values: dict[str, NDArray[Any]]) -> None:
    """Sets every weight from ``values``. Raises ValueError when one is missing, left over or misshapen."""
    targets = {weight_name(layer, v): v for layer in network.layers for v in layer.weights}
    if missing := sorted(targets.keys() - values.keys()):
        raise ValueError(f"weights are missing: {', '.join(missing[:5])}")
    if extra := sorted(values.keys() - targets.keys()):
        raise ValueError(f"weights are unknown to {network.name}: {', '.join(extra[:5])}")
    for name, variable in targets.items():
        if tuple(values[name].shape) != tuple(variable.shape):
            raise ValueError(f"{name} is {values[name].shape}, not {tuple(variable.shape)}")
        variable.assign(np.asarray(values[name], np.float32))


def multiply_adds(network: keras.Model) -> int:
    """Multiply-adds of one picture in the convolutions and the dense layer (bias and normalisation left out)."""
    total = 0
    for layer in network.layers:
        if isinstance(layer, layers.Conv2D):
            height, width, channels = layer.output.shape[1:]
            kernel_height, kernel_width, inputs, _ = layer.kernel.shape
            total += height * width * channels * kernel_height * kernel_width * inputs
        elif isinstance(layer, layers.Dense):
            inputs, outputs = layer.kernel.shape
            total += inputs * outputs
    return int(total)


def layer_table(network: keras.Model) -> list[dict[str, Any]]:
    """One row a layer: name, kind, output shape without the batch, parameters. For cards and figures."""
    return [
        {
            "name": layer_name(layer),
            "kind": type(layer).__name__,
            "shape": [int(side) for side in layer.output.shape[1:]],
            "parameters": int(layer.count_params()),
        }
        for layer in network.layers
        if not isinstance(layer, layers.InputLayer)
    ]
