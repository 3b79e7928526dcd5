"""Pictures in, probabilities out, through one of several engines with one interface (``ml.engines``).

``load_predictor`` reads a shipped artifact, checks its checksums and returns a ``Predictor``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml import artifact, engines, outside_score
from ml.artifact import Card
from ml.engines import Engine, Outputs
from ml.preprocessing import normalise, to_input

BATCH = 32


class Answers(NamedTuple):
    """What a network answers about n pictures.

    probabilities: float32 (n, classes), each row summing to 1. outside: float32 (n,), larger for pictures less like
    those that the network learned; above ``card.outside["threshold"]`` it is to be said. None where the artifact
    or the engine cannot tell.
    """

    probabilities: NDArray[np.float32]
    outside: NDArray[np.float32] | None


class Predictor:
    """One loaded network. Safe to call from several threads; one call runs at a time."""

    def __init__(self, card: Card, engine: Engine) -> None:
        """Raises ArtifactError when the file for the score of pictures outside the classes is missing or damaged."""
        self.card = card
        self.engine = engine
        self._outside = outside_score.load(card)
        self._lock = threading.Lock()

    def outputs(self, pixels: NDArray[np.uint8]) -> Outputs:
        """uint8 (n, size, size, 3), RGB -> logits (n, classes) and features (n, k), see ``engines.Outputs``.

        Raises ValueError for another shape.
        """
        size = self.card.size
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (size, size, 3):
            raise ValueError(
                f"{self.card.name} takes uint8 (n, {size}, {size}, 3), not {pixels.dtype} {pixels.shape}"
            )
        logits = np.empty((len(pixels), len(self.card.labels)), np.float32)
        features: NDArray[np.float32] | None = None
        for start in range(0, len(pixels), BATCH):
            chunk = normalise(pixels[start : start + BATCH], self.card.preprocessing)
            with self._lock:
                some = self.engine.run(chunk)
            logits[start : start + BATCH] = some.logits
            if some.features is not None:
                if features is None:
                    features = np.empty((len(pixels), some.features.shape[1]), np.float32)
                features[start : start + BATCH] = some.features
        return Outputs(logits, features)

    def logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, size, size, 3), RGB -> float32 logits (n, classes). Raises ValueError for another shape."""
        return self.outputs(pixels).logits

    def answers(self, pixels: NDArray[np.uint8]) -> Answers:
        """uint8 (n, size, size, 3), RGB -> probabilities, and how far outside the classes each picture is."""
        outputs = self.outputs(pixels)
        score = self._outside
        if score is not None and outputs.features is None and score.needs_features():
            score = None
        return Answers(
            softmax(outputs.logits, self.card.temperatures(pixels)), score(outputs) if score else None
        )

    def predict_arrays(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, size, size, 3), RGB -> float32 probabilities (n, classes), each row summing to 1."""
        return softmax(self.logits(pixels), self.card.temperatures(pixels))

    def predict(self, images: Sequence[Image.Image], top: int = 5) -> list[list[tuple[int, str, float]]]:
        """The ``top`` likeliest classes of each picture as (index, label, probability), in falling order."""
        if not images:
            return []
        pixels = np.stack([to_input(image, self.card.preprocessing) for image in images])
        return [self.top(row, top) for row in self.predict_arrays(pixels)]

    def top(self, probabilities: NDArray[np.float32], count: int = 5) -> list[tuple[int, str, float]]:
        """The ``count`` likeliest classes of one row of probabilities (ties: the lower index first)."""
        order = np.argsort(-probabilities, kind="stable")[: max(1, count)]
        return [(int(i), self.card.labels[int(i)], float(probabilities[i])) for i in order]


def softmax(
    logits: NDArray[np.float32], temperature: float | NDArray[np.float64] = 1.0
) -> NDArray[np.float32]:
    """Softmax over the last axis of ``logits / temperature`` (Guo et al., 2017, section 4.2).

    temperature: one number, or one for each row (n,) of logits (n, classes).
    """
    scaled = logits.astype(np.float64) / np.asarray(temperature)[..., None]
    scaled -= scaled.max(axis=-1, keepdims=True)
    exponentials = np.exp(scaled)
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)


def load_predictor(
    name: str, *, engine: str | None = None, threads: int | None = None, precision: str | None = None
) -> Predictor:
    """The shipped network called ``name``, ready to answer.

    engine: one of ``config.ENGINES``; ``ML_ENGINE`` when None. threads: as many as the engine likes when None and
    ``ML_THREADS`` is not set. precision: one of ``engines.PRECISIONS``; int8 when None and shipped, and TensorFlow
    knows only float32. Raises ArtifactError for a missing or damaged artifact and ValueError for an unknown
    engine, precision or number of threads.
    """
    card = artifact.load_card(name)
    return Predictor(card, engines.create(card, engine=engine, threads=threads, precision=precision))
