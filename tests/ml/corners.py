"""A network that looks at one place only, so that it is known beforehand what a heat map must show."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ml.artifact import Card, load_card
from ml.engines import Outputs
from ml.predictor import Predictor
from tests.networks import make_artifact

SIDE = 24


class Corner:
    """The brighter rows 0 to 5 and columns 12 to 17 are, the surer it is of class 0; all other logits are 0."""

    name = "corner"
    precision = "float32"

    def __init__(self, card: Card) -> None:
        self.classes = len(card.labels)

    def run(self, pictures: np.ndarray) -> Outputs:
        logits = np.zeros((len(pictures), self.classes), np.float32)
        logits[:, 0] = 6 * pictures[:, 0:6, 12:18].mean((1, 2, 3))
        return Outputs(logits, None)


def predictor(root: Path) -> Predictor:
    """A predictor for pictures of SIDE pixels, whose artifact is made below ``root``, the folder of artifacts."""
    make_artifact(root, "corner", size=SIDE)
    card = load_card("corner")
    return Predictor(card, Corner(card))
