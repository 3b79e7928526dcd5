"""claim -> a kind's computation -> save: what a worker does with the questions that wait.

One question at a time: each is as much work as a batch of predictions, and one that goes wrong fails alone.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from django.db import InterfaceError, OperationalError, transaction
from django.utils.translation import gettext_noop

from accounts import stored_files
from accounts.stored_files import StorageAway
from learn import explanation_files, kinds, laboratory_quota, questions
from learn.explanation_files import TooLargeError
from learn.kinds import KindError, Result, Work
from learn.models import Explanation
from ml import artifact
from ml.artifact import ArtifactError, Card
from predictions.turns import Turns

logger = logging.getLogger(__name__)

# A task begins no other after this long. One that it has begun then has 53 s until the task's time limit, which lies
# below the lease: nobody else begins the same while it is being computed.
DRAIN_SECONDS = 2.0
MAX_RESULT = 64 * 1024

NO_ARTIFACT = gettext_noop("This network is not available at the moment. Try another one.")
OTHER_VERSION = gettext_noop("The network was replaced by a new version in the meantime. Reload the page.")
FAILED = gettext_noop("This figure could not be computed. Try another picture or other settings.")
TOO_LARGE = gettext_noop("This figure is too large to be kept. Choose less at once.")

_turns = Turns()


class OtherVersionError(Exception):
    """What was asked was about a version of the network that is no longer there."""


def drain(seconds: float = DRAIN_SECONDS) -> bool:
    """Computes one question after the other until nothing waits or the time is up; says whether something may wait."""
    end = time.monotonic() + seconds
    # What could not be stored would be computed in vain.
    while time.monotonic() < end and not stored_files.is_away():
        claim, rows = Explanation.objects.claim(1, turns=_turns)
        if not rows:
            break
        run(claim, rows[0])
    # While the storage is away the next wake-up is the timers', not one at once.
    return not stored_files.is_away() and Explanation.objects.waiting().exists()


def run(claim: str, row: Explanation) -> bool:
    """Computes a row that ``claim`` holds and writes how it ended; says whether it has its answer now."""
    begun = time.monotonic()
    try:
        done = _save(claim, row, _compute(row))
    except (SystemExit, KeyboardInterrupt, OperationalError, InterfaceError):
        # The worker is going away, or the database has: no fault of the question.
        _leave(claim, Explanation.objects.hand_back)
        raise
    except StorageAway:
        logger.warning("%s of %s waits for the storage.", row.kind, row.network)
        _leave(claim, Explanation.objects.hand_back)
        return False
    except Exception as error:
        _fail(claim, row, error)
        return False
    logger.info(
        "%s of %s took %.2f s%s.",
        row.kind,
        row.network,
        time.monotonic() - begun,
        "" if done else ", in vain",
    )
    return done


def _compute(row: Explanation) -> Result:
    kind = kinds.find(row.kind)
    card = artifact.load_card(row.network)
    if card.version != row.artifact:
        raise OtherVersionError
    covered = None if row.covered_pixels is None else _pixels(row.covered_pixels, card)
    clean = _pixels(row.clean_pixels, card, many=kind.pictures == "samples")
    result = kind.compute(Work(card, clean, covered, row.parameters))
    if len(questions.canonical(result.data)) > MAX_RESULT:
        raise TooLargeError("the result is larger than a row may be")
    return result


def _pixels(raw: Any, card: Card, *, many: bool = False) -> Any:
    pixels = np.frombuffer(bytes(raw), np.uint8)
    return pixels.reshape(-1, card.size, card.size, 3) if many else pixels.reshape(card.size, card.size, 3)


def _save(claim: str, row: Explanation, result: Result) -> bool:
    """Writes the file, then the row, if ``claim`` still holds it; a file that came too late is removed again.

    Only what is written makes room: a worker that lost its lease takes nothing away from anybody.
    """
    name, size = explanation_files.write(result.members) if result.members else ("", 0)
    try:
        size += len(questions.canonical(result.data)) + len(row.clean_pixels) + len(row.covered_pixels or b"")
        columns = {
            "result": result.data,
            "file": name,
            "members": sorted(result.members),
            "bytes": size,
        }
        with transaction.atomic():
            written = Explanation.objects.finish_all(claim, {row.pk: columns})
            if written:
                laboratory_quota.make_room(row.owner_id, row.pk)
    except BaseException:
        explanation_files.delete([name])
        raise
    if not written:
        explanation_files.delete([name])
    return bool(written)


def _fail(claim: str, row: Explanation, error: Exception) -> None:
    """Ends the row with a sentence for whoever asked; what nobody foresaw is logged in full."""
    match error:
        case KindError():
            code, sentence = "refused", str(error)
        case OtherVersionError():
            code, sentence = "other_version", OTHER_VERSION
        case ArtifactError():
            logger.error("The network %s cannot be explained: %s", row.network, error)
            code, sentence = "no_artifact", NO_ARTIFACT
        case TooLargeError():
            logger.warning("%s of %s is not kept: %s.", row.kind, row.network, error)
            code, sentence = "too_large", TOO_LARGE
        case _:
            logger.error("%s of %s failed.", row.kind, row.network, exc_info=error)
            code, sentence = "failed", FAILED
    _leave(claim, lambda held: Explanation.objects.fail(held, row, code, sentence))


def _leave(claim: str, action: Callable[[str], Any]) -> None:
    try:
        action(claim)
    except Exception:
        logger.warning("Claim %s could not be returned; its lease will run out.", claim)
