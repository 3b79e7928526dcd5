"""Answers while a bar is dragged: computed in the web process, kept nowhere.

They come from the cheapest network offered, from the same shrinking and the same artifact as the answers that are
kept, so both say the same about the same bars. A server for networks or the reference engine has no live answers:
neither belongs in a web process.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict
from typing import Any, NamedTuple
from uuid import UUID

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from PIL import Image

from ml.artifact import ArtifactError, Card
from ml.engines import EngineError
from ml.predictor import Predictor, load_predictor
from predictions.corruption import Bar
from predictions.crop import Wanted
from predictions.images import open_prepared
from predictions.inputs import box_on, shrunk
from predictions.models import Upload
from predictions.services import offered

logger = logging.getLogger(__name__)

ENGINE = "openvino"
# One thread: a dragged bar must not take the processor from other people's pages.
THREADS = 1
TOP = 3
# Until a network that cannot be loaded is tried again: every bar that is dragged would try it otherwise.
AGAIN_SECONDS = 30.0
PICTURES_BYTES = 96 * 1024**2
PIXEL_BYTES = 4  # what Pillow keeps of an RGB pixel


class LiveUnavailable(Exception):
    """This site has no live answers: its engine is another one, or no network is ready."""


class Answer(NamedTuple):
    """What a network says about one picture: (index, class's own name, probability) each, the likeliest first.

    ``outside`` says whether the picture is unlike all its classes; None where the network cannot tell.
    """

    top: list[tuple[int, str, float]]
    outside: bool | None


class Live(NamedTuple):
    """What the cheapest network says without the bars and, where there are any, with them."""

    card: Card
    clean: Answer
    covered: Answer | None


class Pictures:
    """Decoded pictures of the last uploads asked about, by id, up to a number of bytes altogether.

    It does not ask whose they are: its caller has done that for this very request.
    """

    def __init__(self, most_bytes: int = PICTURES_BYTES) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[UUID, Image.Image] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def bytes(self) -> int:
        return sum(_bytes(picture) for picture in self._kept.values())

    def of(self, upload: Upload) -> Image.Image:
        """The upload's pixels, not to be changed. Raises FileNotFoundError once its file is gone."""
        with self._lock:
            if (picture := self._kept.get(upload.pk)) is not None:
                self._kept.move_to_end(upload.pk)
                return picture
        with upload.file.open("rb") as file:
            picture = open_prepared(file.read())
        with self._lock:
            if _bytes(picture) <= self.most_bytes:
                self._kept[upload.pk] = picture
                while self.bytes > self.most_bytes:
                    self._kept.popitem(last=False)
        return picture

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()


def _bytes(picture: Image.Image) -> int:
    return picture.width * picture.height * PIXEL_BYTES


pictures = Pictures()
_loading = threading.Lock()


class _Loaded(NamedTuple):
    """The network that answers, one at a time: a new version takes the old one's place.

    ``predictor`` is None for one that could not be loaded, which is tried again once ``until`` has passed.
    """

    key: tuple[Any, ...]
    predictor: Predictor | None
    until: float = math.inf


_loaded: _Loaded | None = None


def available() -> bool:
    """Whether pages may offer live answers."""
    return settings.ML_ENGINE == ENGINE


def network() -> Predictor:
    """The cheapest network offered, loaded at the first request and never before a fork. Raises LiveUnavailable."""
    card = next(iter(offered()), None)
    if card is None or not available():
        raise LiveUnavailable
    global _loaded
    key = (card.folder, card.version)
    with _loading:
        if _loaded is None or _loaded.key != key or time.monotonic() >= _loaded.until:
            try:
                _loaded = _Loaded(key, load_predictor(card.name, engine=ENGINE, threads=THREADS))
            except (ArtifactError, EngineError) as error:
                logger.warning("There are no live answers: %s", error)
                _loaded = _Loaded(key, None, time.monotonic() + AGAIN_SECONDS)
        if _loaded.predictor is None:
            raise LiveUnavailable
        return _loaded.predictor


def answer(upload: Upload, bars: tuple[Bar, ...], crop: Wanted) -> Live:
    """What the cheapest network says of this picture now.

    Raises LiveUnavailable, CropInvalid for a box that is not square on the picture and FileNotFoundError once its
    file is gone.
    """
    predictor = network()
    picture = pictures.of(upload)
    box = box_on(picture, crop)
    how = predictor.card.preprocessing
    seen = [shrunk(picture, how, shown, box) for shown in ([(), bars] if bars else [()])]
    answers = _answers(predictor, np.stack(seen))
    return Live(predictor.card, answers[0], answers[1] if bars else None)


def _answers(predictor: Predictor, pixels: NDArray[np.uint8]) -> list[Answer]:
    rows, scores = predictor.answers(pixels)
    known = predictor.card.outside
    judged: list[bool | None] = [None] * len(rows)
    if known is not None and scores is not None:
        judged = [bool(score > known["threshold"]) if np.isfinite(score) else None for score in scores]
    return [Answer(predictor.top(row, TOP), outside) for row, outside in zip(rows, judged, strict=True)]
