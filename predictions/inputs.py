"""What the networks see of an upload: its bars painted, its box cut out, shrunk as each network wants it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ml.artifact import Card
from ml.preprocessing import Preprocessing, to_input
from predictions.corruption import Bar, apply_bars, canonical
from predictions.crop import AUTO, Crop, Wanted, crop_key, fitted, placed
from predictions.images import open_prepared
from predictions.models import NetworkInput, Prediction, Upload


class PictureExpired(FileNotFoundError):
    """The picture's file was removed because of its age."""


class Inputs(NamedTuple):
    """The box that was cut out (None: the networks' own preprocessing), and (network, covered) -> its input."""

    crop: Crop | None
    rows: dict[tuple[str, bool], NetworkInput]


def make_inputs(
    upload: Upload,
    cards: Sequence[Card],
    bars: tuple[Bar, ...] = (),
    crop: Wanted = None,
    data: bytes | None = None,
) -> Inputs:
    """The inputs of these networks; networks with the same preprocessing share one. Unsaved when new.

    A box that is still to be placed is placed on the clean picture, also by a network whose own preprocessing places
    one, so that both runs see the same part of it. Raises CropInvalid for a box that is not square on this picture.
    ``data``: the bytes that were stored a moment ago. There can be no input yet, and neither the storage nor the
    database is asked.
    """
    picture = open_prepared(data if data is not None else _stored_bytes(upload))
    box = box_on(picture, crop)
    keys = {card.name: preprocessing_key(card.preprocessing) for card in cards}
    known = {} if data is not None else _known_inputs(upload, set(keys.values()), crop_key(box))
    covered_key = bars_key(bars)
    made: dict[tuple[str, bool], NetworkInput] = {}
    for covered in (False, True) if bars else (False,):
        for card in cards:
            place = (keys[card.name], covered_key if covered else "", crop_key(box))
            if place not in known:
                pixels = shrunk(picture, card.preprocessing, bars if covered else (), box)
                known[place] = NetworkInput(
                    upload=upload,
                    preprocessing=place[0],
                    bars_key=place[1],
                    crop_key=place[2],
                    size=card.size,
                    pixels=pixels.tobytes(),
                )
            made[card.name, covered] = known[place]
    return Inputs(box, made)


def _stored_bytes(upload: Upload) -> bytes:
    if upload.expired:
        raise PictureExpired
    with upload.file.open("rb") as file:
        data: bytes = file.read()
    return data


def _known_inputs(
    upload: Upload, preprocessings: set[str], crop: str
) -> dict[tuple[str, str, str], NetworkInput]:
    rows = upload.inputs.filter(preprocessing__in=preprocessings, crop_key=crop)
    return {(row.preprocessing, row.bars_key, row.crop_key): row for row in rows}


def shrunk(
    picture: Image.Image, how: Preprocessing, bars: tuple[Bar, ...] = (), box: Crop | None = None
) -> NDArray[np.uint8]:
    """A picture as a network sees it, (size, size, 3): the same for answers that are kept and for live ones."""
    part = placed(picture) if box is None and how.shape == "placed" else box
    return to_input(apply_bars(picture, bars) if bars else picture, how, box=part)


def box_on(picture: Image.Image, crop: Wanted) -> Crop | None:
    """The box that is cut out of this picture; None leaves it to each network's own preprocessing.

    Raises CropInvalid for a box that is not square on it.
    """
    if crop == AUTO:
        return placed(picture)
    return fitted(crop, picture.width, picture.height) if isinstance(crop, Crop) else None


def save_inputs(runs: list[Prediction], fresh: set[Any]) -> None:
    """Writes the new inputs of ``runs``; one that another submission wrote a moment ago is used instead.

    No other submission can know the uploads with the keys ``fresh``.
    """
    seen = [row for run in runs if (row := run.network_input) is not None]
    new = {id(row): row for row in seen if row.pk is None}
    NetworkInput.objects.bulk_create([row for row in new.values() if row.upload_id in fresh], batch_size=500)
    shared = [row for row in new.values() if row.upload_id not in fresh]
    written: dict[Any, NetworkInput] = {}
    if shared:
        NetworkInput.objects.bulk_create(shared, ignore_conflicts=True)
        there = NetworkInput.objects.filter(upload__in={row.upload_id for row in shared}).defer("pixels")
        written = {_place(row): row for row in there}
    for run, row in zip(runs, seen, strict=True):
        # Given again, because a run takes the key from its input only then.
        run.network_input = written.get(_place(row), row)


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
