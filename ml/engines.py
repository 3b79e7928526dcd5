"""What computes a network: one interface, several engines, each imported only when it is asked for.

OpenVINO answers by default (int8 where the artifact has it); TensorFlow is the reference, in this process or,
through ``ml.tensorflow_serving``, in a server's.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ml import artifact, config
from ml.artifact import Card

PRECISIONS = ("int8", "bfloat16", "float32")
LOGITS = "logits"
FEATURES = "features"


class EngineError(Exception):
    """An engine has no answer for these pictures; the message is one sentence that says why."""


class EngineAwayError(EngineError):
    """The engine cannot be reached at the moment; the same pictures may be answered later."""


class Outputs(NamedTuple):
    """What a network says about n pictures.

    logits: float32 (n, classes). features: float32 (n, k), what the last dense layer reads (the global average
    pool), or None where the graph that was shipped does not give it.
    """

    logits: NDArray[np.float32]
    features: NDArray[np.float32] | None


class Engine(Protocol):
    """Computes one network. ``name`` and ``precision`` say with what; calls come one at a time."""

    name: str
    precision: str

    def run(self, pictures: NDArray[np.float32]) -> Outputs:
        """float32 pictures (n, size, size, 3), normalised -> what the network says about them.

        Raises EngineError where an engine outside this process has no answer.
        """
        ...


def cpu_settings(threads: int | None, hint: str = "f32") -> dict[str, Any]:
    """What a graph is compiled with for one answer at a time on the CPU; hint: the precision, ``f32`` or ``bf16``."""
    settings = {
        # Explicit: on processors with bfloat16 OpenVINO would choose it by itself, up to 6e-3 off.
        "INFERENCE_PRECISION_HINT": hint,
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": "1",
        # Pinned, the threads of every process sit on the same first cores: two workers are no faster than one.
        "ENABLE_CPU_PINNING": "NO",
    }
    if threads:
        settings["INFERENCE_NUM_THREADS"] = str(threads)
    return settings


class OpenVinoEngine:
    """A compiled OpenVINO graph on the CPU.

    precision: ``int8`` runs the quantised graph, ``float32`` the exact one, ``bfloat16`` the exact one with
    convolutions in bfloat16 where the processor has it. threads: None leaves the choice to OpenVINO. weights: put
    in the place of the exact graph's own, which then takes pictures of the card's size, whatever it was made for.
    Raises ArtifactError for missing or damaged files and ValueError for weights that the graph does not have.
    """

    name = "openvino"

    def __init__(
        self,
        card: Card,
        *,
        precision: str,
        threads: int | None,
        weights: dict[str, NDArray[np.float32]] | None = None,
    ) -> None:
        import openvino

        self.precision = precision
        model = artifact.read_graph(card, artifact.QUANTISED if precision == "int8" else artifact.EXACT)
        settings = cpu_settings(threads, "bf16" if precision == "bfloat16" else "f32")
        if weights is not None:
            _replace_weights(model, weights, card.size)
        self._compiled = openvino.Core().compile_model(model, "CPU", settings)
        self._request = self._compiled.create_infer_request()
        named = {name: i for i, port in enumerate(self._compiled.outputs) for name in port.get_names()}
        # A graph with one output need not name it.
        self._logits = named.get(LOGITS, 0)
        self._features = named.get(FEATURES)

    def run(self, pictures: NDArray[np.float32]) -> Outputs:
        result = self._request.infer([np.ascontiguousarray(pictures)], share_inputs=True)
        features = None if self._features is None else np.array(result[self._features], np.float32)
        return Outputs(np.array(result[self._logits], np.float32), features)


def _replace_weights(model: Any, weights: dict[str, NDArray[np.float32]], size: int) -> None:
    from openvino import opset15

    model.reshape([-1, size, size, 3])
    left = dict(weights)
    for node in model.get_ops():
        name = node.get_friendly_name()
        if node.get_type_name() != "Constant" or not name.startswith(artifact.WEIGHT):
            continue
        values = left.pop(name.removeprefix(artifact.WEIGHT), None)
        if values is None or values.size != node.data.size:
            raise ValueError(f"these weights do not fit: {name.removeprefix(artifact.WEIGHT)}")
        laid_out = artifact.to_graph_layout(values).astype(node.data.dtype)
        constant = opset15.constant(np.ascontiguousarray(laid_out))
        constant.set_friendly_name(name)
        node.output(0).replace(constant.output(0))
    if left:
        raise ValueError(f"the graph has no weights called {', '.join(sorted(left)[:5])}")


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
        both = keras_network(card)
        signature = [tf.TensorSpec((None, card.size, card.size, 3), tf.float32)]
        self._call = tf.function(lambda pictures: both(pictures, training=False), input_signature=signature)

    def run(self, pictures: NDArray[np.float32]) -> Outputs:
        logits, features = self._call(pictures)
        return Outputs(np.asarray(logits, np.float32), np.asarray(features, np.float32))


def keras_network(card: Card) -> Any:
    """The Keras model of an artifact, with the weights of its exact graph and two outputs: logits and features.

    Raises ArtifactError for missing or damaged files and ValueError for an architecture that is not defined here.
    """
    from ml import networks

    network = networks.build(card.architecture, size=card.size, classes=len(card.labels), **card.options)
    networks.set_weights(network, artifact.read_weights(card))
    return networks.with_features(network)


def default_precision(card: Card) -> str:
    """What OpenVINO answers in unless told otherwise: int8 where the artifact has it, else float32."""
    return "int8" if f"{artifact.QUANTISED}.xml" in card.files else "float32"


def create(
    card: Card, *, engine: str | None = None, threads: int | None = None, precision: str | None = None
) -> Engine:
    """The engine called ``engine`` (``ML_ENGINE`` when None) with the network of ``card`` loaded.

    threads: ``ML_THREADS`` when None, and as many as the engine likes when that is not set either. precision:
    one of PRECISIONS; None means int8 where the artifact has it. TensorFlow knows only float32. Raises
    ArtifactError for a missing or damaged artifact, EngineError for a server that does not answer and ValueError
    for an unknown engine, precision, address or number of threads.
    """
    engine = engine or config.engine_name()
    threads = config.thread_count() if threads is None else threads
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, not {threads}")
    if engine.startswith("tensorflow") and precision not in (None, "float32"):
        raise ValueError("the TensorFlow engine computes in float32 only")
    if engine == "tensorflow":
        return TensorFlowEngine(card, threads=threads)
    if engine == "tensorflow_serving":
        from ml.tensorflow_serving import TensorFlowServingEngine

        return TensorFlowServingEngine(card, address=config.serving_url())
    if engine != "openvino":
        raise ValueError(f"there is no engine {engine!r}; there are {', '.join(config.ENGINES)}")
    precision = precision or default_precision(card)
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {PRECISIONS}, not {precision!r}")
    return OpenVinoEngine(card, precision=precision, threads=threads)
