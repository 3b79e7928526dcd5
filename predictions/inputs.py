"""What the networks see of an upload: its bars painted, its box cut out, shrunk as each network wants it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image

from ml.artifact import Card
from ml.preprocessing import Preprocessing, to_input
from predictions.corruption import Bar, apply_bars, canonical
from predictions.crop import AUTO, Crop, Wanted, crop_key, fitted, placed
from predictions.images import open_prepared
from predictions.models import NetworkInput, Prediction, Upload


class Inputs(NamedTuple):
    """The box that was cut out (None: the networks' own preprocessing), and (network, covered) -> its input."""

    crop: Crop | None
    rows: dict[tuple[str, bool], NetworkInput]


def make_inputs(
    upload: Upload, cards: Sequence[Card], bars: tuple[Bar, ...] = (), crop: Wanted = None
) -> Inputs:
    """The inputs of these networks; networks with the same preprocessing share one. Unsaved when new.

    A box that is still to be placed is placed on the clean picture, also by a network whose own preprocessing places
    one, so that both runs see the same part of it. Raises CropInvalid for a box that is not square on this picture.
    """
    with upload.file.open("rb") as file:
        picture = open_prepared(file.read())
    box = _box(picture, crop)
    keys = {card.name: preprocessing_key(card.preprocessing) for card in cards}
    known = {
        (row.preprocessing, row.bars_key, row.crop_key): row
        for row in upload.inputs.filter(preprocessing__in=keys.values(), crop_key=crop_key(box))
    }
    covered_key = bars_key(bars)
    made: dict[tuple[str, bool], NetworkInput] = {}
    for covered in (False, True) if bars else (False,):
        shown = apply_bars(picture, bars) if covered else picture
        for card in cards:
            place = (keys[card.name], covered_key if covered else "", crop_key(box))
            if place not in known:
                part = placed(picture) if box is None and card.preprocessing.shape == "placed" else box
                known[place] = NetworkInput(
                    upload=upload,
                    preprocessing=place[0],
                    bars_key=place[1],
                    crop_key=place[2],
                    size=card.size,
                    pixels=to_input(shown, card.preprocessing, box=part).tobytes(),
                )
            made[card.name, covered] = known[place]
    return Inputs(box, made)


def _box(picture: Image.Image, crop: Wanted) -> Crop | None:
    if crop == AUTO:
        return placed(picture)
    return fitted(crop, picture.width, picture.height) if isinstance(crop, Crop) else None


def save_inputs(runs: list[Prediction]) -> None:
    """Writes the new inputs of ``runs``; one that another submission wrote a moment ago is used instead."""
    new = {id(run.network_input): run.network_input for run in runs if run.network_input.pk is None}
    if not new:
        return
    NetworkInput.objects.bulk_create(new.values(), ignore_conflicts=True)
    uploads = {row.upload_id for row in new.values()}
    written = {_place(row): row for row in NetworkInput.objects.filter(upload__in=uploads).defer("pixels")}
    for run in runs:
        if run.network_input.pk is None:
            run.network_input = written[_place(run.network_input)]


def _place(row: NetworkInput) -> tuple[object, str, str, str]:
    """What there is one input of."""
    return row.upload_id, row.preprocessing, row.bars_key, row.crop_key


def preprocessing_key(how: Preprocessing) -> str:
    """A short name of how a picture is shrunk: networks that agree in it share their inputs."""
    # Normalisation happens on the way into the network and does not change what is stored.
    return f"{how.shape}-{how.filter}-{how.size}"


def bars_key(bars: tuple[Bar, ...]) -> str:
    """A digest of the bars; empty without bars."""
    return hashlib.sha256(json.dumps(canonical(bars)).encode()).hexdigest() if bars else ""
