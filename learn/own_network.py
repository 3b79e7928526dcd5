"""The network whose features classes of somebody's own are told apart by, loaded where it is needed.

Always by OpenVINO and always the graph that is shipped to answer: a head fits the features it was trained on, so the
worker that trains and the web process that answers have to read the same ones.
"""

from __future__ import annotations

import logging
import threading

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from learn import subjects
from ml import artifact, features
from ml.artifact import ArtifactError, Card
from ml.engines import EngineError
from ml.features import NoFeaturesError
from ml.predictor import Predictor, load_predictor

logger = logging.getLogger(__name__)

ENGINE = "openvino"
# One thread in a web process: somebody who tries a picture must not take the processor from other people's pages.
WEB_THREADS = 1

_loading = threading.Lock()
_loaded: dict[tuple[str, str, int | None], Predictor] = {}


class NetworkAway(Exception):
    """There is no network at the moment that could be used for this."""


def card() -> Card | None:
    """The most accurate network that is offered and whose card says what its last layer reads; None without one."""
    usable = [one for one in artifact.cards() if features.deep_count(one)]
    return max(usable, key=lambda one: float(one.metrics["top1"]), default=None)


def of_pixels(used: Card, pixels: NDArray[np.uint8], *, in_worker: bool = False) -> NDArray[np.float32]:
    """uint8 (n, size, size, 3) -> float32 (n, k), what the last layer of this network reads. Raises NetworkAway."""
    try:
        return features.deep(_predictor(used, settings.ML_THREADS if in_worker else WEB_THREADS), pixels)
    except (ArtifactError, EngineError, NoFeaturesError) as error:
        logger.error("The network %s cannot be used for own classes: %s", used.name, error)
        raise NetworkAway from error


def of_sample(used: Card, name: str) -> NDArray[np.float32]:
    """The same of one of the site's own pictures, float32 (1, k). Raises KeyError for no such one and NetworkAway."""
    return of_pixels(used, subjects.sample_pixels(name, used)[None])


def _predictor(used: Card, threads: int | None) -> Predictor:
    """Loaded at the first use and never before a fork; a new version takes the old one's place."""
    key = (str(used.folder), used.version, threads)
    with _loading:
        if key not in _loaded:
            found = load_predictor(used.name, engine=ENGINE, threads=threads)
            _loaded.clear()
            _loaded[key] = found
        return _loaded[key]
