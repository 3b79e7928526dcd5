"""A network with altered kernels or silenced channels: what it would answer then, in float32.

Channels are silenced in the compiled graph that also makes the X-ray: the Wide ResNet takes a tenth of the time of a
network computed in NumPy, which altered kernels need.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from ml.explain import forward
from ml.explain.graph_file import Layer
from ml.explain.structure import Array, Structure, structure
from ml.explain.trace import tracer
from ml.preprocessing import normalise

MOST_EDITS = 16
MOST_MUTES = 640
"""In one layer."""
LARGEST = 100.0
"""The largest weight that may be set, some hundred times the largest that a network learned.

Sixteen kernels of such weights one behind the other still leave every value within float32.
"""

Mutes = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Edit:
    """The weights of ``layer`` from channel ``input`` to channel ``output``, replaced by ``values`` (height, width)."""

    layer: str
    output: int
    input: int
    values: NDArray[np.floating] | Sequence[Sequence[float]]


class Surgeon:
    """A network that can be altered for one answer; what it learned stays as it is. Raises ArtifactError.

    Safe to call from several threads: nothing is kept from one call to the next.
    """

    def __init__(self, of: Structure) -> None:
        self.structure = of

    @cached_property
    def _weights(self) -> forward.Weights:
        return forward.weights(self.structure)

    @property
    def relus(self) -> tuple[str, ...]:
        """The layers whose channels can be muted, in computing order."""
        return tuple(layer.name for layer in self.structure.layers if layer.kind == "relu")

    def answer(
        self, pixels: NDArray[np.uint8], edits: Sequence[Edit] = (), mutes: Mutes | None = None
    ) -> Array:
        """uint8 pixels (size, size, 3), RGB -> float32 logits (classes,).

        edits: at most MOST_EDITS; of two of the same kernel the later one counts. mutes: by the name of a ReLU, the
        channels whose map is set to 0 behind it. Without either, the logits are those of the exact graph. Raises
        ValueError, with a sentence, for a layer, channel or shape that the network does not have and for a weight that
        is not finite or beyond LARGEST; ArithmeticError when a logit is no longer a finite number.
        """
        size = self.structure.card.size
        if pixels.dtype != np.uint8 or pixels.shape != (size, size, 3):
            title = self.structure.card.title
            raise ValueError(f"{title} takes uint8 ({size}, {size}, 3), not {pixels.dtype} {pixels.shape}")
        kernels = self._edited(edits)
        silent = self._silenced(mutes or {})
        if not edits:
            return tracer(self.structure.card.name).logits(pixels, silent)

        def after(layer: Layer, found: Array) -> Array:
            if layer.name in silent:
                found[:, silent[layer.name]] = 0
            return found

        picture = forward.as_maps(normalise(pixels[None], self.structure.card.preprocessing))
        # What is not finite is looked for in the logits, not warned of on the way there.
        with np.errstate(over="ignore", invalid="ignore"):
            using = replace(self._weights, kernels=kernels)
            logits: Array = forward.run(self.structure, using, picture, after=after)[0]
        if not np.isfinite(logits).all():
            raise ArithmeticError("With these weights the numbers grow beyond what float32 can hold.")
        return logits

    def _edited(self, edits: Sequence[Edit]) -> Mapping[str, Array]:
        if len(edits) > MOST_EDITS:
            raise ValueError(f"At most {MOST_EDITS} kernels can be edited at once, not {len(edits)}.")
        edited: dict[str, Array] = {}
        for edit in edits:
            values = self._checked(edit)
            if edit.layer not in edited:
                edited[edit.layer] = self.structure.kernels(edit.layer)
            edited[edit.layer][edit.output, edit.input] = values
        return forward.Kernels(self.structure, edited)

    def _checked(self, edit: Edit) -> Array:
        if edit.layer not in self.structure.convolutions:
            raise ValueError(f"{self.structure.card.title} has no convolution called {edit.layer!r}.")
        layer = self.structure.layer(edit.layer)
        outputs, inputs = layer.shape[0], self.structure.layer(layer.inputs[0]).shape[0]
        height = width = layer.kernel
        for kind, channel, count in (("output", edit.output, outputs), ("input", edit.input, inputs)):
            if not _is_below(channel, count):
                raise ValueError(f"{edit.layer} has {kind} channels 0 to {count - 1}, not {channel}.")
        try:
            values = np.asarray(edit.values, np.float64)
        except (TypeError, ValueError):
            values = np.empty(0)
        if values.shape != (height, width):
            raise ValueError(f"A kernel of {edit.layer} is {height} x {width} numbers.")
        for weight in values.flat:
            if not abs(weight) <= LARGEST:
                raise ValueError(
                    f"A weight must be a number from -{LARGEST:g} to {LARGEST:g}, not {weight:g}."
                )
        return values.astype(np.float32)

    def _silenced(self, mutes: Mutes) -> dict[str, list[int]]:
        relus = set(self.relus)
        for name, channels in mutes.items():
            if name not in relus:
                raise ValueError(f"{self.structure.card.title} has no ReLU called {name!r}.")
            count = self.structure.layer(name).shape[0]
            if len(channels) > MOST_MUTES:
                raise ValueError(
                    f"At most {MOST_MUTES} channels of a layer can be muted, not {len(channels)}."
                )
            for channel in channels:
                if not _is_below(channel, count):
                    raise ValueError(f"{name} has channels 0 to {count - 1}, not {channel}.")
        return {name: list(channels) for name, channels in mutes.items()}


def _is_below(channel: object, count: int) -> bool:
    return isinstance(channel, int | np.integer) and 0 <= int(channel) < count


def surgeon(name: str) -> Surgeon:
    """The surgeon of the shipped network called ``name``, kept by the artifact's version. Raises ArtifactError."""
    return _surgeon(structure(name))


@lru_cache(maxsize=2)
def _surgeon(of: Structure) -> Surgeon:
    return Surgeon(of)
