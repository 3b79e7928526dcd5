"""claim -> ml.predictor -> save: the one bridge between the rows and the networks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext_noop

from ml import artifact, config, tensorflow_serving
from ml.artifact import ArtifactError
from ml.engines import EngineAwayError, EngineError
from ml.predictor import Predictor, load_predictor
from predictions import pace
from predictions.jobs import CLAIM
from predictions.models import Distribution, NetworkInput, Prediction
from predictions.turns import Turns

logger = logging.getLogger(__name__)

# Well below the task's time limit, so that a busy queue never looks like a hung inference.
DRAIN_SECONDS = 20.0

BAD_INPUT = gettext_noop("This picture could not be given to the network. Send it again.")
ENGINE_FAILED = gettext_noop(
    "The network failed on this picture. Try again; if it fails again, try another picture."
)
NO_ARTIFACT = gettext_noop("This network is not available at the moment. Try another one.")

_predictors: dict[str, Predictor] = {}
_complaints: dict[str, str] = {}
_turns = Turns()


def predictor(name: str) -> Predictor:
    """The network called ``name``, loaded once a process and never before a fork.

    Raises ArtifactError, and EngineError where a server was to answer and does not.
    """
    if name not in _predictors:
        _predictors[name] = load_predictor(name, engine=settings.ML_ENGINE, threads=settings.ML_THREADS)
    return _predictors[name]


def load_all() -> dict[str, str]:
    """Loads every network offered and answers once with each; returns name -> version of those that work."""
    loaded = {}
    for card in artifact.cards():
        try:
            network = predictor(card.name)
            network.predict_arrays(np.zeros((1, card.size, card.size, 3), np.uint8))
        except (ArtifactError, EngineError) as error:
            logger.error("The network %s cannot be used: %s", card.name, error)
            continue
        except Exception:
            logger.exception("The network %s cannot be loaded.", card.name)
            continue
        loaded[card.name] = card.version
    return loaded


def served() -> dict[str, str] | None:
    """With an engine on a server: name -> version of the networks that it can answer now; else None.

    What is missing is logged in one sentence when it changes.
    """
    if settings.ML_ENGINE != "tensorflow_serving":
        return None
    ready = {}
    for card in artifact.cards():
        try:
            tensorflow_serving.check(card, config.serving_url())
        except (ArtifactError, EngineError, ValueError) as error:
            complaint = str(error)
        else:
            complaint = ""
            ready[card.name] = card.version
        if complaint != _complaints.get(card.name, ""):
            logger.log(
                logging.WARNING if complaint else logging.INFO,
                "The network %s: %s",
                card.name,
                complaint or "answers again.",
            )
        _complaints[card.name] = complaint
    return ready


def drain(seconds: float = DRAIN_SECONDS) -> bool:
    """Computes batch after batch until nothing waits or the time is up; says whether something may still wait."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.monotonic()
        claim, runs = Prediction.objects.claim(CLAIM, turns=_turns)
        if not runs:
            return Prediction.objects.waiting().exists()
        try:
            compute(claim, runs)
            pace.note(runs[0].model_id, len(runs), time.monotonic() - begun)
        except (SystemExit, KeyboardInterrupt, OperationalError, InterfaceError):
            # The worker is going away, or the database has: no fault of the pictures.
            _leave(claim, Prediction.objects.hand_back)
            raise
        except EngineAwayError as error:
            # No fault of the pictures either. The timer's next wake-up tries again.
            logger.warning("%d predictions wait: %s", len(runs), error)
            _leave(claim, Prediction.objects.hand_back)
            return False
        except Exception:
            # Something about one of them is wrong in a way that nobody foresaw. The attempt counts, they are
            # tried alone from now on, and after three attempts the one at fault ends; the queue moves on.
            logger.exception("Claim %s could not be computed.", claim)
            _leave(claim, Prediction.objects.give_back)
    return Prediction.objects.waiting().exists()


def _leave(claim: str, action: Callable[[str], Any]) -> None:
    try:
        action(claim)
    except Exception:
        logger.warning("Claim %s could not be returned; its lease will run out.", claim)


def compute(claim: str, runs: list[Prediction]) -> None:
    """Answers the runs of one claim, all of one network. A row that cannot be answered fails alone."""
    try:
        network = predictor(runs[0].model_id)
    except EngineAwayError:
        raise
    except Exception as error:
        _without_network(claim, runs, error)
        return
    inputs = NetworkInput.objects.in_bulk([run.network_input_id for run in runs])
    good: list[Prediction] = []
    arrays: list[Any] = []
    for run in runs:
        # Its upload may have been erased since the claim.
        array = _pixels(inputs.get(run.network_input_id), network.card.size)
        if array is None:
            Prediction.objects.fail(claim, run, "bad_input", BAD_INPUT)
        else:
            good.append(run)
            arrays.append(array)
    if not good:
        return
    try:
        answers = _answers(network, np.stack(arrays))
    except ArtifactError as error:
        # A server that offers another version by now.
        _without_network(claim, good, error)
        return
    _save(claim, network, good, answers)


def _save(claim: str, network: Predictor, runs: list[Prediction], answers: list[Any]) -> None:
    """Writes the answers of the runs that ``claim`` still holds, and fails those that have none."""
    results: dict[Any, dict[str, Any]] = {}
    told: dict[Any, Distribution] = {}
    for run, answer in zip(runs, answers, strict=True):
        if answer is None or not np.isfinite(answer[0]).all():
            Prediction.objects.fail(claim, run, "engine_failed", ENGINE_FAILED)
            continue
        row, score = answer
        fields = Prediction.answer_fields(run.model_id, network.top(row)) | _outside(network, score)
        results[run.pk] = {"artifact": network.card.version, **fields}
        told[run.pk] = Distribution.of(run, row)
    # Together, so that no run that has just been answered can be removed before its probabilities refer to it.
    with transaction.atomic():
        written = Prediction.objects.finish_all(claim, results)
        Distribution.objects.bulk_create(
            [told[key] for key in told if key in written],
            update_conflicts=True,
            unique_fields=["run"],
            update_fields=["probabilities"],
        )


def _without_network(claim: str, runs: list[Prediction], error: Exception) -> None:
    expected = isinstance(error, (ArtifactError, EngineError))
    logger.error("The network %s cannot be used: %s", runs[0].model_id, error, exc_info=not expected)
    for run in runs:
        Prediction.objects.fail(claim, run, "no_artifact", NO_ARTIFACT)


def _pixels(row: Any, size: int) -> Any:
    if row is None:
        return None
    raw = bytes(row.pixels)
    if row.size != size or len(raw) != size * size * 3:
        return None
    return np.frombuffer(raw, np.uint8).reshape(size, size, 3)


def _outside(network: Predictor, score: Any) -> dict[str, Any]:
    """Column values for how far outside the classes a picture is; none where the network cannot tell."""
    known = network.card.outside
    if known is None or score is None or not np.isfinite(score):
        return {"outside": None, "outside_score": None}
    return {"outside": bool(score > known["threshold"]), "outside_score": float(score)}


def _answers(network: Predictor, pixels: Any) -> list[Any]:
    """(probabilities, score or None) of each picture, or None where the network failed on it."""
    try:
        rows, scores = network.answers(pixels)
        return list(zip(rows, [None] * len(rows) if scores is None else scores, strict=True))
    except (ArtifactError, EngineAwayError):
        # Asking again with fewer would be answered alike.
        raise
    except Exception:
        if len(pixels) == 1:
            logger.exception("The network %s failed on one picture.", network.card.name)
            return [None]
        # One of them is at fault: find it by asking one at a time.
        return [row for i in range(len(pixels)) for row in _answers(network, pixels[i : i + 1])]
