"""What was computed before about a picture, for pages that show it without asking for more."""

from __future__ import annotations

import json
import logging
from typing import Any

from learn import explanations
from learn.models import Explanation
from learn.subjects import Subject
from ml.artifact import Card

logger = logging.getLogger(__name__)

SIDES = ("clean", "covered")
Logits = dict[str, list[float] | None]


def logits(subject: Subject, card: Card) -> Logits | None:
    """The float32 logits of an X-ray that was made before, by side; None where none was."""
    found = explanations.stored(subject, explanations.question(subject, card.name, "xray"))
    if found is None or found.status != Explanation.Status.DONE:
        return None
    try:
        values: dict[str, Any] = json.loads(explanations.open_member(found, "meta.json"))["logits"]
    except (OSError, ValueError, KeyError) as error:
        logger.warning("The X-ray %s cannot be read: %s", found.pk, error)
        return None
    return {side: values.get(side) for side in SIDES}
