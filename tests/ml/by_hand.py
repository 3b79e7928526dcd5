"""Both networks in float64 NumPy, written down from their papers: shares no code with what it checks.

Weights come in Keras's layouts (``ml.artifact.read_weights``); maps are (height, width, channels).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

Alter = Callable[[str, np.ndarray], np.ndarray]


class Network:
    """The logits of a normalised picture (size, size, 3), every layer's output passing through ``alter``."""

    def __init__(self, weights: Mapping[str, np.ndarray], alter: Alter = lambda name, maps: maps) -> None:
        self.weights = {name: np.asarray(value, np.float64) for name, value in weights.items()}
        self.alter = alter

    def conv(self, name: str, x: np.ndarray, stride: int = 1) -> np.ndarray:
        kernel = self.weights[f"{name}/kernel"]
        side = len(kernel)
        height = -(-len(x) // stride)
        spare = max((height - 1) * stride + side - len(x), 0)
        before, behind = spare // 2, spare - spare // 2
        wide = np.pad(x, ((before, behind), (before, behind), (0, 0)))
        total = np.zeros((height, height, kernel.shape[-1]))
        for dy in range(side):
            for dx in range(side):
                part = wide[
                    dy : dy + (height - 1) * stride + 1 : stride, dx : dx + (height - 1) * stride + 1 : stride
                ]
                total += part @ kernel[dy, dx]
        return self.alter(name, total)

    def bn(self, name: str, x: np.ndarray) -> np.ndarray:
        gamma, beta, mean, variance = (
            self.weights[f"{name}/{part}"] for part in ("gamma", "beta", "moving_mean", "moving_variance")
        )
        return self.alter(name, gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta)

    def relu(self, name: str, x: np.ndarray) -> np.ndarray:
        return self.alter(name, np.where(x > 0, x, 0.0))

    def head(self, x: np.ndarray) -> np.ndarray:
        return x.mean((0, 1)) @ self.weights["head/dense/kernel"] + self.weights["head/dense/bias"]

    def vgg(self, x: np.ndarray) -> np.ndarray:
        x = np.asarray(x, np.float64)
        for block in (1, 2, 3, 4):
            for i in (1, 2):
                x = self.conv(f"block{block}/conv{i}", x)
                x = self.relu(f"block{block}/relu{i}", self.bn(f"block{block}/bn{i}", x))
            if block < 4:
                side = len(x) // 2
                x = x.reshape(side, 2, side, 2, -1).max((1, 3))
        return self.head(x)

    def wideresnet(self, x: np.ndarray) -> np.ndarray:
        x = self.conv("stem/conv", np.asarray(x, np.float64))
        blocks = len({name.split("/")[1] for name in self.weights if name.startswith("group1/")})
        for group in (1, 2, 3):
            for block in range(1, blocks + 1):
                name, stride = f"group{group}/block{block}", 2 if group > 1 and block == 1 else 1
                out = self.relu(f"{name}/relu1", self.bn(f"{name}/bn1", x))
                if f"{name}/shortcut/kernel" in self.weights:
                    x = self.conv(f"{name}/shortcut", out, stride)
                out = self.conv(f"{name}/conv1", out, stride)
                out = self.relu(f"{name}/relu2", self.bn(f"{name}/bn2", out))
                x = self.alter(f"{name}/add", x + self.conv(f"{name}/conv2", out))
        return self.head(self.relu("head/relu", self.bn("head/bn", x)))


def normalised(pixels: np.ndarray, mean: tuple[float, ...], std: tuple[float, ...]) -> np.ndarray:
    """uint8 (size, size, 3) -> float64 of the same shape."""
    return (pixels.astype(np.float64) / 255 - mean) / std


def logits(
    card, pixels: np.ndarray, weights: Mapping[str, np.ndarray], alter: Alter | None = None
) -> np.ndarray:
    """What the card's network answers to uint8 pixels (size, size, 3)."""
    network = Network(weights, alter) if alter else Network(weights)
    how = card.preprocessing
    return getattr(network, card.architecture)(normalised(pixels, how.mean, how.std))
