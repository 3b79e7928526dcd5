"""What holds for every loaded network, shipped or made by a test."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.predictor import Predictor, load_predictor

SURE = 0.6


def both(name: str) -> tuple[Predictor, Predictor]:
    """The float32 predictors of OpenVINO and TensorFlow."""
    return load_predictor(name, engine="openvino", precision="float32"), load_predictor(
        name, engine="tensorflow"
    )


def remember(engine: Any) -> None:
    """Lets an engine compute the same batch only once; a network of full size takes seconds for some hundred."""
    run, known = engine.run, {}

    def run_once(batch: NDArray[np.float32]) -> Any:
        key = batch.tobytes()
        if key not in known:
            known[key] = run(batch)
        return known[key]

    engine.run = run_once


def assert_engines_agree(name: str, inputs: NDArray[np.uint8]) -> None:
    """Within 1e-4 of each other, in probabilities and in the logits behind them."""
    ours, reference = both(name)
    remember(ours.engine)
    remember(reference.engine)
    expected = reference.logits(inputs)
    assert np.abs(ours.logits(inputs) - expected).max() < 1e-4
    assert np.abs(ours.predict_arrays(inputs) - reference.predict_arrays(inputs)).max() < 1e-4
    # Answers that hardly differ from one another would agree whatever the engines did.
    assert expected.std(0).mean() > 0.3


def assert_a_batch_equals_its_singles(predictor: Predictor, inputs: NDArray[np.uint8]) -> None:
    """32 together and each alone: the same bits."""
    together = predictor.predict_arrays(inputs[:32])
    alone = np.concatenate([predictor.predict_arrays(one[None]) for one in inputs[:32]])
    assert np.array_equal(together, alone)


def assert_files_answer_always_alike(predictor: Predictor, pixels: NDArray[np.uint8]) -> None:
    """One picture, opened and asked 50 times as PNG, JPEG and WebP, alone and among others: one answer a format."""
    picture = Image.fromarray(pixels).resize((200, 150), Image.Resampling.BICUBIC)
    for kind in ("PNG", "JPEG", "WEBP"):
        file = io.BytesIO()
        picture.save(file, kind, quality=85)
        copies = [Image.open(io.BytesIO(file.getvalue())) for _ in range(50)]
        answers = [predictor.predict([copy])[0] for copy in copies[:25]] + predictor.predict(copies[25:])
        assert len(answers) == 50
        assert all(answer == answers[0] for answer in answers), kind
