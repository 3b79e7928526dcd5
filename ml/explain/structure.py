"""The layers of a network and their weights, read from the exact graph's two files without OpenVINO.

OpenVINO's format (version 11) is an XML file of nodes and edges beside a file with the constants. Reading it here
costs a web process some milliseconds and the kernels it asks for, not a runtime of 200 MB.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ml import artifact
from ml.artifact import EXACT, ArtifactError, Card
from ml.explain import weights
from ml.explain.graph_file import WORDS, Constant, GraphError, Layer, read_layers

logger = logging.getLogger(__name__)

PICTURES = "pictures"
"""The name of the first layer: the normalised picture itself."""

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Normalisation:
    """What a batch normalisation learned, float32 (channels,) each (Ioffe and Szegedy, 2015, algorithm 2).

    A value x becomes gamma (x - mean) / sqrt(variance + epsilon) + beta.
    """

    gamma: Array
    beta: Array
    mean: Array
    variance: Array
    epsilon: float

    @property
    def scale(self) -> Array:
        """float32 (channels,): what each value is multiplied by, gamma / sqrt(variance + epsilon)."""
        return self.gamma / np.sqrt(self.variance + np.float32(self.epsilon))

    @property
    def shift(self) -> Array:
        """float32 (channels,): what is added afterwards, beta - mean * scale."""
        return self.beta - self.mean * self.scale


class Structure:
    """The layers of one version of a network in computing order, and its weights as float32.

    Weights are read when they are first asked for. Every method that takes a layer's name raises KeyError for one
    that does not exist and ValueError for one of another kind, with a sentence; those that read weights raise
    ArtifactError for a missing or damaged file.
    """

    def __init__(
        self, card: Card, layers: Iterable[Layer], constants: dict[str, tuple[Constant, ...]]
    ) -> None:
        self.card = card
        self.layers = tuple(layers)
        self._constants = constants
        self._by_name = {layer.name: layer for layer in self.layers}
        self._weights: NDArray[np.uint8] | None = None
        self._lock = threading.Lock()
        self.consumers: dict[str, tuple[str, ...]] = {
            name: tuple(layer.name for layer in self.layers if name in layer.inputs) for name in self._by_name
        }
        """The layers that read each layer's output, by name."""

    def layer(self, name: str) -> Layer:
        """The layer called ``name``. Raises KeyError."""
        try:
            return self._by_name[name]
        except KeyError:
            raise KeyError(f"{self.card.title} has no layer called {name!r}.") from None

    @property
    def convolutions(self) -> tuple[str, ...]:
        """Names of the convolutions in computing order."""
        return tuple(layer.name for layer in self.layers if layer.kind == "convolution")

    @property
    def pre_activation(self) -> bool:
        """Whether normalisation and ReLU come before each convolution (He et al., 2016, figure 4e), not after it.

        Then some convolution is read by something else than a batch normalisation.
        """
        return any(
            self._by_name[reader].kind != "batch_normalisation"
            for name in self.convolutions
            for reader in self.consumers[name]
        )

    def kernels(self, name: str) -> Array:
        """All kernels of a convolution, float32 (outputs, inputs, height, width)."""
        (kernel,) = self._of(name, "convolution")
        return self._read(kernel)

    def kernel(self, name: str, channel: int) -> Array:
        """What one output channel of a convolution multiplies, float32 (inputs, height, width).

        Raises IndexError for a channel that the layer does not have.
        """
        (kernel,) = self._of(name, "convolution")
        check_channel(self.layer(name), channel)
        count = kernel.shape[0]
        size = kernel.size // count
        part = replace(kernel, offset=kernel.offset + channel * size, size=size, shape=kernel.shape[1:])
        return self._read(part)

    def normalisation(self, name: str) -> Normalisation:
        """What the batch normalisation called ``name`` learned."""
        gamma, beta, mean, variance = map(self._read, self._of(name, "batch_normalisation"))
        return Normalisation(gamma, beta, mean, variance, self.layer(name).epsilon)

    def dense(self) -> tuple[Array, Array]:
        """Kernel float32 (classes, k) and bias float32 (classes,) of the last layer, which gives the logits."""
        kernel, bias = map(self._read, self._of(self.layers[-1].name, "dense"))
        return kernel, bias.reshape(-1)

    def to_dict(self) -> dict[str, Any]:
        """For the browser, all of it JSON: the layers as they stand here and what the card says of the input."""
        how = self.card.preprocessing
        return {
            "name": self.card.name,
            "title": self.card.title,
            "version": self.card.version,
            "size": self.card.size,
            "mean": list(how.mean),
            "std": list(how.std),
            "labels": len(self.card.labels),
            "pre_activation": self.pre_activation,
            "layers": [layer.to_dict() for layer in self.layers],
        }

    def _of(self, name: str, kind: str) -> tuple[Constant, ...]:
        layer = self.layer(name)
        if layer.kind != kind:
            raise ValueError(f"{name} is {layer.words}, not {WORDS[kind]}.")
        return self._constants[name]

    def _read(self, constant: Constant) -> Array:
        with self._lock:
            if self._weights is None:
                self._weights = weights.mapped(self.card)
        end = constant.offset + constant.size
        if end > len(self._weights):
            raise ArtifactError(f"{self.card.name}: its weights end before what {EXACT}.xml says.")
        values = self._weights[constant.offset : end].view(constant.dtype)
        return np.array(values, np.float32).reshape(constant.shape)


def check_channel(layer: Layer, channel: int) -> None:
    """Raises IndexError with a sentence for a channel that ``layer`` does not have."""
    if not 0 <= channel < layer.shape[0]:
        raise IndexError(f"{layer.name} has channels 0 to {layer.shape[0] - 1}, not {channel}.")


def check_cell(layer: Layer, channel: int, y: int, x: int) -> None:
    """Raises IndexError with a sentence for a channel or a cell (row y, column x) outside ``layer``'s output."""
    check_channel(layer, channel)
    _channels, height, width = layer.shape
    if not (0 <= y < height and 0 <= x < width):
        raise IndexError(
            f"{layer.name} has rows 0 to {height - 1} and columns 0 to {width - 1}, not row {y}, column {x}."
        )


def structure(name: str) -> Structure:
    """The layers and weights of the shipped network called ``name``, read once for each version.

    Raises ArtifactError for a missing or damaged artifact and for one whose graph has no named layers, such as a
    network that is not made of convolutions: ``explainable`` says so beforehand.
    """
    card = artifact.load_card(name)
    return _structure(name, card.folder, card.version, card.files.get(f"{EXACT}.xml"))


def explainable(card: Card) -> bool:
    """Whether the network has a laboratory: whether ``structure`` can read its graph. A damaged one is logged."""
    try:
        artifact.load_card(card.name)
        return _explainable(card.name, card.folder, card.version, card.files.get(f"{EXACT}.xml"))
    except ArtifactError as error:
        logger.error("%s", error)
        return False


@lru_cache(maxsize=32)
def _explainable(name: str, folder: Path, version: str, checksum: str | None) -> bool:
    artifact.verify(artifact.load_card(name), f"{EXACT}.xml")
    try:
        _structure(name, folder, version, checksum)
    except ArtifactError as error:
        logger.info("%s", error)
        return False
    return True


@lru_cache(maxsize=8)
def _structure(name: str, folder: Path, version: str, checksum: str | None) -> Structure:
    card = artifact.load_card(name)
    artifact.verify(card, f"{EXACT}.xml")
    try:
        return Structure(card, *read_layers(card.folder / f"{EXACT}.xml"))
    except (OSError, GraphError) as error:
        raise ArtifactError(f"{card.name}: {error}.") from error
