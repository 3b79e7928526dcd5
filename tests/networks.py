"""Small networks for tests: real artifacts with a real graph, made in milliseconds.

They answer by mean colour, have other labels and another size than the shipped ones, and so also show that
nothing outside `ml` counts on a hundred classes or on 32 pixels.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ml import artifact
from ml.preprocessing import Preprocessing
from ml.storage import write_json

COLOURS = {
    "red": (1.0, 0.0, 0.0),
    "green": (0.0, 1.0, 0.0),
    "blue": (0.0, 0.0, 1.0),
    "white": (1.0, 1.0, 1.0),
    "black": (0.0, 0.0, 0.0),
    "sea_green": (0.0, 1.0, 1.0),
    "woman": (1.0, 0.0, 1.0),
}


def make_artifact(
    root: Path, name: str, *, size: int = 24, version: str = "1", multiply_adds: int = 1000
) -> None:
    """A network called ``name`` below ``root`` that names the colour nearest to the picture's mean."""
    import openvino
    from openvino import opset15 as op

    folder = root / name
    folder.mkdir(parents=True)
    colours = np.array(list(COLOURS.values()), np.float32)
    pictures = op.parameter([-1, size, size, 3], np.float32, name="pictures")
    mean = op.reduce_mean(pictures, np.array([1, 2]), keep_dims=False)
    kernel = op.constant(np.ascontiguousarray(8.0 * colours))
    bias = op.constant(np.ascontiguousarray(-4.0 * (colours**2).sum(-1)))
    logits = op.add(op.matmul(mean, kernel, False, True), bias)
    model = openvino.Model([op.result(logits)], [pictures], name)
    openvino.save_model(model, folder / "network.xml", compress_to_fp16=False)
    how = Preprocessing(size=size, mean=(0.0, 0.0, 0.0), std=(1.0, 1.0, 1.0))
    metrics: dict[str, Any] = {
        "top1": 0.5,
        "top5": 0.9,
        "ece": 0.01,
        "nll": 1.0,
        "n": 10,
        "engine": "openvino",
    }
    card = artifact.Card(
        name=name,
        title=name.title(),
        version=f"{name}-{version}",
        architecture=name,
        options={},
        labels=tuple(COLOURS),
        preprocessing=how,
        temperature=1.0,
        parameters=28,
        multiply_adds=multiply_adds,
        layers=[],
        metrics=metrics,
        reference_metrics=metrics,
        training={},
        files={file: artifact.checksum(folder / file) for file in ("network.xml", "network.bin")},
    )
    write_json(folder / "card.json", card.to_dict())
