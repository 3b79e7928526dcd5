"""What is stored of each network's atlas, for the pages that show what excites a channel."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from learn import explanations
from learn.models import Explanation
from learn.subjects import ALL_SAMPLES
from ml.artifact import Card
from ml.explain import archive
from ml.explain.atlas import COLUMN, ROW, SAMPLE, VALUE, atlas_layer
from ml.explain.structure import Structure
from predictions import samples

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """A cell of a sample picture's maps, and the value there."""

    title: str
    row: int
    column: int
    value: float


def stored(card: Card) -> Explanation | None:
    """The atlas of this version of a network; None where it was not made yet."""
    rows = Explanation.objects.of_samples().filter(sample=ALL_SAMPLES, kind="atlas", network=card.name)
    done = rows.filter(artifact=card.version, status=Explanation.Status.DONE)
    return done.defer("clean_pixels", "covered_pixels").order_by("-created", "-pk").first()


def for_script(cards: Iterable[Card]) -> dict[str, Any]:
    """By network where its atlas lies and of which pictures it is: see static/js/laboratory/xray-atlas.js."""
    found = {card.name: stored(card) for card in cards}
    return {
        name: {
            "base": reverse("learn:explanation-file", args=[row.pk, "x"]).removesuffix("x"),
            "samples": [{"name": one, "title": _title(one)} for one in row.result["samples"]],
        }
        for name, row in found.items()
        if row is not None
    }


def excited(card: Card, of: Structure, layer: str, channel: int) -> tuple[str, list[Place]]:
    """The layer whose places stand for a channel, and its places, the strongest first; empty where nothing is known."""
    name, row = atlas_layer(of, layer), stored(card)
    if name is None or row is None:
        return "", []
    try:
        content = explanations.open_member(row, f"places/{archive.member_name(name)}.npy")
        places = archive.from_npy(content)[channel]
        titles = [_title(one) for one in row.result["samples"]]
        return name, [
            Place(titles[int(one[SAMPLE])], int(one[ROW]), int(one[COLUMN]), float(one[VALUE]))
            for one in places
            if one[VALUE] > 0
        ]
    except (OSError, ValueError, KeyError, IndexError) as error:
        logger.error("The atlas %s cannot be read: %s", row.pk, error)
        return "", []


def _title(name: str) -> str:
    sample = samples.every().get(name)
    return sample.title if sample else name
