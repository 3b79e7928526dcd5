"""The networks as they answer on the rest of the site, for figures that ask them about altered pictures."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ml.artifact import Card

if TYPE_CHECKING:
    from ml.predictor import Predictor

# Whatever engine serves predictions: these are the same int8 graphs, and a figure's worker loads no TensorFlow.
ENGINE = "openvino"


def answering(card: Card) -> Predictor:
    """The network of ``card``, kept by its version and shared by all figures. Raises ArtifactError."""
    return _answering(card.name, card.version)


@lru_cache(maxsize=2)
def _answering(name: str, version: str) -> Predictor:
    from ml.predictor import load_predictor

    return load_predictor(name, engine=ENGINE)
