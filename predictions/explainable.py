"""What may be explained of a prediction: the one door through which the explainers see people's pictures.

Who asks is given what the pages of predictions would show them and nothing else: their own, not deleted, not hidden,
not held for review.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import numpy as np
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from numpy.typing import NDArray

from accounts.models import User
from ml.artifact import Card
from predictions import live
from predictions.corruption import Bar, canonical, parse_bars
from predictions.crop import Crop, stored
from predictions.inputs import PictureExpired, bars_key, crop_key, preprocessing_key, shrunk
from predictions.models import Job, NetworkInput, Prediction, Upload

# Runs looked through for the last pictures: a picture with several networks has several runs.
LOOKED_THROUGH = 8


class Pixels(NamedTuple):
    """What one network saw: uint8 (size, size, 3), RGB. ``anchor`` is the key of the clean one's row."""

    anchor: int
    clean: NDArray[np.uint8]
    covered: NDArray[np.uint8] | None


@dataclass(frozen=True)
class Picture:
    """The picture of one of somebody's own predictions."""

    id: UUID
    owner: User
    filename: str
    width: int
    height: int
    bars: tuple[Bar, ...]
    crop: Crop | None
    network: str
    created: datetime
    state: Literal["ready", "queued", "expired"]
    upload: Upload = field(repr=False)

    @property
    def page_url(self) -> str:
        return reverse("predictions:detail", args=[self.id])

    @property
    def image_url(self) -> str:
        return reverse("predictions:picture", args=[self.upload.pk])

    @property
    def thumbnail_url(self) -> str:
        return f"{self.image_url}?size=thumb"


def find(user: Any, pk: UUID) -> Picture | None:
    """The picture of this prediction; None where ``user`` may not see one."""
    run = Prediction.objects.of(user).select_related("upload", "owner").filter(pk=pk).first()
    return run and _picture(run)


def recent(user: Any, most: int = 12, current: str = "") -> list[Picture]:
    """The last pictures that ``user`` was given an answer on, the newest first, each submission's once.

    The prediction ``current`` stands for its submission; the newest one stands for every other.
    """
    runs = Prediction.objects.of(user).filter(
        asked=True, status=Job.Status.DONE, network_input__isnull=False, upload__expired__isnull=True
    )
    newest = runs.select_related("upload", "owner").order_by("-created", "-id")[: most * LOOKED_THROUGH]
    found: dict[tuple[Any, Any], Picture] = {}
    for run in newest:
        key = (run.batch_id, run.upload_id)
        if key not in found or str(run.pk) == current:
            found[key] = _picture(run)
    return list(found.values())[:most]


def _picture(run: Prediction) -> Picture:
    upload = run.upload
    gone = upload.expired is not None or run.network_input_id is None
    return Picture(
        id=run.pk,
        owner=run.owner,
        filename=upload.filename,
        width=upload.width,
        height=upload.height,
        bars=parse_bars(run.bars),
        crop=stored(run.crop),
        network=run.model_id,
        created=run.created,
        state="expired" if gone else "ready" if run.is_final else "queued",
        upload=upload,
    )


def pixels(picture: Picture, cards: Iterable[Card]) -> dict[str, Pixels]:
    """What each network saw of the picture and of its bars; without those whose way of shrinking was not asked for."""
    names = {card.name: preprocessing_key(card.preprocessing) for card in cards}
    covered_key = bars_key(picture.bars)
    rows = NetworkInput.objects.filter(
        upload=picture.upload,
        preprocessing__in=set(names.values()),
        crop_key=crop_key(picture.crop),
        bars_key__in={"", covered_key},
    )
    there = {(row.preprocessing, row.bars_key): row for row in rows}
    found = {}
    for name, how in names.items():
        clean = there.get((how, ""))
        covered = there.get((how, covered_key)) if covered_key else None
        if clean is not None:
            found[name] = Pixels(clean.pk, _array(clean), None if covered is None else _array(covered))
    return found


def _array(row: NetworkInput) -> NDArray[np.uint8]:
    return np.frombuffer(bytes(row.pixels), np.uint8).reshape(row.size, row.size, 3)


def covered(picture: Picture, cards: Iterable[Card], bars: tuple[Bar, ...]) -> dict[str, NDArray[np.uint8]]:
    """What each network would see of the picture under other bars. Raises FileNotFoundError once its file is gone."""
    if picture.upload.expired:
        raise PictureExpired
    image = live.pictures.of(picture.upload)
    made: dict[str, NDArray[np.uint8]] = {}
    shown: dict[str, NDArray[np.uint8]] = {}
    for card in cards:
        how = preprocessing_key(card.preprocessing)
        if how not in made:
            made[how] = shrunk(image, card.preprocessing, bars, picture.crop)
        shown[card.name] = made[how]
    return shown


def answers(
    picture: Picture, cards: Sequence[Card], bars: tuple[Bar, ...]
) -> dict[tuple[str, bool], list[dict[str, Any]]]:
    """(network, covered by ``bars``) -> its five likeliest classes as they were served, where it was asked.

    Only what the present version of a network said: another one's answers would not fit the figures.
    """
    runs = Prediction.objects.of(picture.owner).filter(
        upload=picture.upload, status=Job.Status.DONE, artifact__in=[card.version for card in cards]
    )
    wanted = canonical(bars)
    found: dict[tuple[str, bool], list[dict[str, Any]]] = {}
    for run in runs.with_answers().order_by("-created", "-id"):
        place = (run.model_id, bool(run.bars))
        if place in found or stored(run.crop) != picture.crop or (run.bars and run.bars != wanted):
            continue
        if run.answers:
            found[place] = run.answers
    return found


class Asked(NamedTuple):
    """A prediction that somebody may see."""

    id: UUID
    network: str
    bars: list[list[float]]


def predictions_on(user: Any, anchors: Iterable[int]) -> dict[int, list[Asked]]:
    """Of clean pixels by their rows' keys: the predictions of ``user`` on that picture and box, the newest first.

    Those that were asked for come before those that only stand beside a covered one.
    """
    rows = NetworkInput.objects.filter(pk__in=set(anchors)).only("upload_id", "crop_key")
    found: dict[tuple[UUID, str], list[Asked]] = {(row.upload_id, row.crop_key): [] for row in rows}
    runs = Prediction.objects.of(user).filter(upload__in={upload for upload, _box in found})
    newest = runs.order_by("-asked", "-created", "-id").values_list("pk", "upload", "model", "bars", "crop")
    for pk, upload, network, bars, box in newest:
        place = found.get((upload, crop_key(stored(box))))
        if place is not None:
            place.append(Asked(pk, network, bars))
    return {row.pk: found[row.upload_id, row.crop_key] for row in rows}


# --- who may still see what was made from it -----------------------------------------------------------------


def shown_inputs() -> QuerySet[NetworkInput]:
    """What networks saw of pictures that their owners may see now."""
    runs = Prediction.objects.visible().filter(upload=OuterRef("upload"))
    there = NetworkInput.objects.filter(upload__hidden__isnull=True, upload__expired__isnull=True)
    return there.filter(Exists(runs)).order_by()


def visible_inputs(user: Any) -> QuerySet[NetworkInput]:
    """Of these, those of the pictures of ``user``."""
    return shown_inputs().filter(upload__owner=user)
