"""claim -> the network's features -> a head -> save: what a worker does with classes that are to be trained.

A moment's work: 200 pictures take the network some seconds of a processor at most, and the head a tenth of one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django.utils.translation import gettext_noop

from learn import own_classes, own_network
from learn.own_models import OwnClasses, OwnExample
from ml import engines, head
from predictions.inputs import preprocessing_key
from predictions.turns import Turns

logger = logging.getLogger(__name__)

# Like learn.explaining: well below the task's time limit, which lies below the lease.
DRAIN_SECONDS = 2.0

NO_NETWORK = gettext_noop("There is no network for this at the moment. Try again later.")
OTHER_INPUT = gettext_noop(
    "The network was replaced by one that sees pictures differently. Make a new set and add the pictures again."
)
EMPTY_CLASS = gettext_noop("A class has no picture. Add one, or remove the class, then train.")
FAILED = gettext_noop("The training failed. Try again; if it fails again, take back the pictures added last.")

_turns = Turns()


class TrainingError(Exception):
    """Why no head could be trained: a code for programs, a sentence (in English, translated when read) for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def drain(seconds: float = DRAIN_SECONDS) -> bool:
    """Trains one set after the other until none waits or the time is up; says whether one may wait."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        claim, rows = OwnClasses.objects.claim(1, turns=_turns)
        if not rows:
            break
        run(claim, rows[0])
    return OwnClasses.objects.waiting().exists()


def run(claim: str, row: OwnClasses) -> bool:
    """Trains a set that ``claim`` holds and writes how it ended; says whether it has its head now."""
    try:
        return bool(OwnClasses.objects.finish_all(claim, {row.pk: trained(row)}))
    except (SystemExit, KeyboardInterrupt, OperationalError, InterfaceError):
        # The worker is going away, or the database has: no fault of the pictures.
        _leave(claim, OwnClasses.objects.hand_back)
        raise
    except TrainingError as error:
        code, sentence = error.code, str(error)
    except own_network.NetworkAway:
        code, sentence = "no_network", NO_NETWORK
    except Exception:
        logger.exception("Own classes could not be trained.")
        code, sentence = "failed", FAILED
    _leave(claim, lambda held: OwnClasses.objects.fail(held, row, code, sentence))
    return False


def trained(row: OwnClasses) -> dict[str, Any]:
    """The columns of a set that was trained on what it holds now. Raises TrainingError and NetworkAway."""
    card = own_network.card()
    if card is None:
        raise TrainingError("no_network", NO_NETWORK)
    of = own_classes.fingerprint(row)
    examples = list(OwnExample.objects.filter(owned=row))
    if any(one.preprocessing != preprocessing_key(card.preprocessing) for one in examples):
        raise TrainingError("other_input", OTHER_INPUT)
    if len({one.index for one in examples}) < len(row.classes):
        raise TrainingError("empty_class", EMPTY_CLASS)
    pixels = np.stack([np.frombuffer(bytes(one.pixels), np.uint8) for one in examples])
    features = own_network.of_pixels(card, pixels.reshape(-1, card.size, card.size, 3), in_worker=True)
    labels, keys = [one.index for one in examples], [one.digest for one in examples]
    found = head.train(features, labels, len(row.classes), keys)
    result = {
        "classes": row.classes,
        "counts": list(found.counts),
        "folds": found.folds,
        "confusion": None if found.confusion is None else found.confusion.tolist(),
        "network": {
            "name": card.name,
            "title": card.title,
            "version": card.version,
            "precision": engines.default_precision(card),
        },
        "preprocessing": card.preprocessing.to_dict(),
        "trained": timezone.now().isoformat(timespec="seconds"),
        "of": of,
    }
    both = np.concatenate([found.head.weights, found.head.bias[None]])
    return {
        "result": result,
        "head": both.astype("<f4").tobytes(),
        "network": card.name,
        "artifact": card.version,
    }


def _leave(claim: str, action: Callable[[str], Any]) -> None:
    try:
        action(claim)
    except Exception:
        logger.warning("Claim %s could not be returned; its lease will run out.", claim)
