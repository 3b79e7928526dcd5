"""Small networks with random but lively weights, and artifacts made of them without training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ml import artifact, data
from ml.config import CARD
from ml.labels import CIFAR100
from ml.preprocessing import Preprocessing, normalise
from ml.storage import write_json
from tests.ml import make_inputs

OPTIONS: dict[str, dict[str, Any]] = {"vgg": {}, "wideresnet": {"depth": 10, "width": 1}}
SIZE = 32


def lively(name: str, **options: Any) -> Any:
    """A network whose every weight is random and whose answers differ from picture to picture.

    The batch-normalisation statistics are those of real inputs, so that activations neither die nor explode.
    """
    import keras

    from ml import networks

    keras.utils.set_random_seed(11)
    network = networks.build(name, **options)
    rng = np.random.default_rng(12)
    values = {key: _random(key, value, rng) for key, value in networks.get_weights(network).items()}
    networks.set_weights(network, values)
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = 0.0
    size = options["size"]
    network(normalise(data.resized(make_inputs.read()[::4], size), Preprocessing(size=size)), training=True)
    for norm in norms:
        norm.momentum = networks.BATCH_NORM_MOMENTUM
    return network


def _random(key: str, value: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    ending = key.rsplit("/", 1)[1]
    if ending == "gamma":
        return rng.uniform(0.5, 1.5, value.shape)
    if ending in ("beta", "bias"):
        return rng.normal(0, 0.3, value.shape)
    if key == "head/dense/kernel":
        return rng.normal(0, 6 / np.sqrt(len(value)), value.shape)
    return value


def write_artifact(root: Path, name: str, **changes: Any) -> artifact.Card:
    """``root/name`` with the exact graph of a lively network and its card; ``changes`` go into the card."""
    import openvino

    from ml import features, graph, networks

    network = lively(name, size=SIZE, dropout=0.0, **OPTIONS[name])
    folder = root / name
    folder.mkdir(parents=True)
    exact = features.attached(graph.to_openvino(network, SIZE), name)
    openvino.save_model(exact, folder / "network.xml", compress_to_fp16=False)
    values: dict[str, Any] = {
        "name": name,
        "title": name,
        "version": f"{name}-test",
        "architecture": name,
        "options": OPTIONS[name],
        "labels": CIFAR100,
        "preprocessing": Preprocessing(size=SIZE).to_dict(),
        "temperature": 1.3,
        "parameters": int(network.count_params()),
        "multiply_adds": networks.multiply_adds(network),
        "layers": networks.layer_table(network),
        "metrics": {},
        "reference_metrics": {},
        "training": {},
        "files": {file: artifact.checksum(folder / file) for file in ("network.xml", "network.bin")},
        **changes,
    }
    card = artifact.Card.from_dict(values, folder)
    write_json(folder / CARD, card.to_dict())
    return card
