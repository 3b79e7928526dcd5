"""One number of a network computed once more, in float64 and by other means than the product's.

Nothing of ``ml.explain`` or ``ml.packing`` is used: the packed file is taken apart here, OpenVINO parses the graph and
gives the constants, an own run hands out what every layer reads, and padding is added by hand.
"""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import openvino
from openvino import opset15 as op


def bytes_of_weights(folder: Path) -> np.ndarray:
    """The weights as OpenVINO's format has them, uint8, from either of the two forms that are shipped."""
    plain = folder / "network.bin"
    if plain.exists():
        return np.fromfile(plain, np.uint8)
    packed = (folder / "network.bin.packed").read_bytes()
    magic, length = struct.unpack("<4sQ", packed[:12])
    assert magic == b"CVP1"
    high = np.frombuffer(zlib.decompress(packed[12 : 12 + length]), np.uint8)
    low = np.frombuffer(packed[12 + length :], np.uint8)
    content = np.zeros(len(high) + len(low), np.uint8)
    content[0::2] = low
    content[1::2] = high
    return content


class Network:
    """A shipped graph for one normalised picture, float32 (1, size, size, 3): every output, every constant."""

    def __init__(self, folder: Path, picture: np.ndarray) -> None:
        core = openvino.Core()
        content = openvino.Tensor(bytes_of_weights(folder))
        model = core.read_model((folder / "network.xml").read_bytes(), content)
        self._nodes = {node.get_friendly_name(): node for node in model.get_ordered_ops()}
        wanted = [
            node for node in model.get_ordered_ops() if node.get_type_name() not in ("Result", "Constant")
        ]
        results = [op.result(node.output(0)) for node in wanted]
        open_model = openvino.Model(results, model.get_parameters(), "open")
        compiled = core.compile_model(open_model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        self._constants: dict[tuple[str, int], np.ndarray] = {}
        given = compiled([picture])
        self._outputs = {node.get_friendly_name(): given[i][0] for i, node in enumerate(wanted)}

    def names(self, kind: str) -> list[str]:
        return [name for name, node in self._nodes.items() if node.get_type_name() == kind and "/" in name]

    def read_by(self, name: str, port: int = 0) -> np.ndarray:
        """What the layer reads, float64 (channels, height, width)."""
        source = self._nodes[name].input_value(port).get_node().get_friendly_name()
        return self._outputs[source].astype(np.float64)

    def constant(self, name: str, port: int) -> np.ndarray:
        """A constant that the layer reads, float64, with or without a conversion between."""
        if (name, port) not in self._constants:
            node = self._nodes[name].input_value(port).get_node()
            while node.get_type_name() == "Convert":
                node = node.input_value(0).get_node()
            self._constants[name, port] = np.array(node.data).astype(np.float64)
        return self._constants[name, port]

    def dense(self) -> tuple[np.ndarray, np.ndarray]:
        """Kernel (classes, features) and bias (classes,) of the last layer, float64."""
        product = self._nodes["head/dense"].input_value(0).get_node().get_friendly_name()
        return self.constant(product, 1), self.constant("head/dense", 1).ravel()

    def convolution(self, name: str, channel: int, y: int, x: int) -> tuple[float, int, int]:
        """The sum of the products, how many cells of a channel are padding, and the stride."""
        read, kernel = self.read_by(name), self.constant(name, 1)[channel]
        stride = self._nodes[name].get_attributes()["strides"][0]
        height, side = read.shape[1], kernel.shape[1]
        # "Same": as many output cells as strides fit, rounded up; what is missing for them is added, half of it
        # before (rounded down) and the rest behind.
        missing = max(0, (-(-height // stride) - 1) * stride + side - height)
        before = missing // 2
        wide = np.zeros((read.shape[0], height + missing, height + missing))
        wide[:, before : before + height, before : before + height] = read
        mask = np.zeros(wide.shape[1:], int)
        mask[before : before + height, before : before + height] = 1
        total, outside = 0.0, 0
        for i in range(side):
            for j in range(side):
                row, column = y * stride + i, x * stride + j
                total += float(np.dot(wide[:, row, column], kernel[:, i, j]))
                outside += 1 - mask[row, column]
        return total, int(outside), int(stride)
