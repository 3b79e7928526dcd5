"""Pictures in, probabilities out, through one of two engines with one interface.

``load_predictor`` reads a shipped artifact, checks its checksums and returns a ``Predictor``. OpenVINO answers
by default (int8 where the artifact has it); TensorFlow is the reference and is imported only when asked for.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml import artifact, config
from ml.artifact import Card
from ml.preprocessing import normalise, to_input

PRECISIONS = ("int8", "float32")
BATCH = 32


class Engine(Protocol):
    """float32 pictures (n, size, size, 3), normalised -> float32 logits (n, classes)."""

    name: str
    precision: str

    def logits(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]: ...


class OpenVinoEngine:
    """A compiled OpenVINO graph on the CPU. ``precision`` chooses the quantised or the exact graph."""

    name = "openvino"

    def __init__(self, card: Card, *, precision: str, threads: int | None) -> None:
        import openvino

        self.precision = precision
        xml, _ = artifact.graph_files(card, artifact.QUANTISED if precision == "int8" else artifact.EXACT)
        core = openvino.Core()
        # Explicit: on processors with bfloat16 OpenVINO would choose it by itself, up to 6e-3 off.
        settings: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
        }
        if threads:
            settings["INFERENCE_NUM_THREADS"] = str(threads)
        self._compiled = core.compile_model(core.read_model(card.folder / xml), "CPU", settings)
        self._request = self._compiled.create_infer_request()

    def logits(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        result = self._request.infer([np.ascontiguousarray(pictures)], share_inputs=True)
        return np.array(result[0], np.float32)


class TensorFlowEngine:
    """The network as Keras defines it, in float32, with the weights of the exact graph."""

    name = "tensorflow"
    precision = "float32"

    def __init__(self, card: Card, *, threads: int | None) -> None:
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        import tensorflow as tf

        if threads:
            # Once TensorFlow is running in this process, its threads can no longer be changed.
            with contextlib.suppress(RuntimeError):
                tf.config.threading.set_intra_op_parallelism_threads(threads)
        from ml import networks

        weights = artifact.read_weights(card)
        network = networks.build(card.architecture, size=card.size, classes=len(card.labels), **card.options)
        networks.set_weights(network, weights)
        signature = [tf.TensorSpec((None, card.size, card.size, 3), tf.float32)]
        self._call = tf.function(
            lambda pictures: network(pictures, training=False), input_signature=signature
        )

    def logits(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self._call(pictures), np.float32)


class Predictor:
    """One loaded network. Safe to call from several threads; one call runs at a time."""

    def __init__(self, card: Card, engine: Engine) -> None:
        self.card = card
        self.engine = engine
        self._lock = threading.Lock()

    def logits(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, size, size, 3), RGB -> float32 logits (n, classes). Raises ValueError for another shape."""
        size = self.card.size
        if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1:] != (size, size, 3):
            raise ValueError(
                f"{self.card.name} takes uint8 (n, {size}, {size}, 3), not {pixels.dtype} {pixels.shape}"
            )
        out = np.empty((len(pixels), len(self.card.labels)), np.float32)
        for start in range(0, len(pixels), BATCH):
            chunk = normalise(pixels[start : start + BATCH], self.card.preprocessing)
            with self._lock:
                out[start : start + BATCH] = self.engine.logits(chunk)
        return out

    def predict_arrays(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 (n, size, size, 3), RGB -> float32 probabilities (n, classes), each row summing to 1."""
        return softmax(self.logits(pixels), self.card.temperature)

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


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Softmax over the last axis of ``logits / temperature`` (Guo et al., 2017, section 4.2)."""
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=-1, keepdims=True)
    exponentials = np.exp(scaled)
    return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)


def load_predictor(
    name: str, *, engine: str | None = None, threads: int | None = None, precision: str | None = None
) -> Predictor:
    """The shipped network called ``name``, ready to answer.

    engine: ``openvino`` or ``tensorflow``; ``ML_ENGINE`` when None. threads: as many as the engine likes when
    None and ``ML_THREADS`` is not set. precision: ``int8`` or ``float32``; int8 when None and shipped, and
    TensorFlow knows only float32. Raises ArtifactError for a missing or damaged artifact and ValueError for an
    unknown engine, precision or number of threads.
    """
    card = artifact.load_card(name)
    engine = engine or config.engine_name()
    threads = config.thread_count() if threads is None else threads
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    if engine == "tensorflow":
        if precision not in (None, "float32"):
            raise ValueError("the TensorFlow engine computes in float32 only")
        return Predictor(card, TensorFlowEngine(card, threads=threads))
    if engine != "openvino":
        raise ValueError(f"there is no engine {engine!r}; there are {', '.join(config.ENGINES)}")
    if precision is None:
        precision = "int8" if f"{artifact.QUANTISED}.xml" in card.files else "float32"
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {PRECISIONS}, not {precision!r}")
    return Predictor(card, OpenVinoEngine(card, precision=precision, threads=threads))
