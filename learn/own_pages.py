"""What the pages of somebody's own classes show: the board of pictures, where the training stands, answers."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from PIL import Image

from learn import explanations, own_classes, own_network, own_results
from learn.own_models import OwnClasses, OwnExample
from learn.own_results import Answer
from ml.features import deep_count
from predictions.forms import ACCEPT
from predictions.inputs import preprocessing_key


class Box(NamedTuple):
    """One class on the board."""

    name: str
    pictures: list[OwnExample]
    room: int


class Tried(NamedTuple):
    """A picture that was tried: its name, what the network saw of it as a data address, and the classes."""

    filename: str
    address: str
    answers: list[Answer]


@dataclass(frozen=True)
class Standing:
    """Where a set stands: at most one of ``waiting``, ``failed`` and ``stopped``; a waiting one may be ``running``."""

    waiting: bool
    running: bool
    failed: bool
    stopped: bool
    stale: bool  # names or pictures have changed since the head was trained
    current: bool  # the head is of the network that is offered now
    seen: str

    @property
    def final(self) -> bool:
        return not self.waiting

    @property
    def says(self) -> str:
        if self.running:
            return _("Training")
        if self.waiting:
            return _("Waiting for the worker")
        if self.failed:
            return _("The training failed.")
        return _("The training was stopped.") if self.stopped else _("Trained")


def standing(owned: OwnClasses) -> Standing:
    status = OwnClasses.Status
    return Standing(
        waiting=not owned.is_final,
        running=owned.status == status.RUNNING,
        failed=owned.status == status.FAILED,
        # One that was never to be trained rests as well.
        stopped=owned.status == status.CANCELLED and owned.retried is not None,
        stale=owned.trained and owned.result["of"] != own_classes.fingerprint(owned),
        current=own_results.is_of(owned, own_network.card()),
        seen=f"{owned.status}-{owned.retried.isoformat() if owned.retried else ''}",
    )


def context(owned: OwnClasses) -> dict[str, Any]:
    """What the templates of a set's page read."""
    around = about()
    card = around["card"]
    boxes = _boxes(owned)
    pictures = [one for box in boxes for one in box.pictures]
    now = standing(owned)
    return around | {
        "owned": owned,
        "boxes": boxes,
        "count": len(pictures),
        "ready": card is not None and all(box.pictures for box in boxes),
        "other_input": card is not None
        and any(one.preprocessing != preprocessing_key(card.preprocessing) for one in pictures),
        "standing": now,
        "worker": now.final or explanations.worker_is_there(),
        "verdict": own_results.verdict(owned.result) if owned.trained else None,
        "accept": ACCEPT,
    }


def about() -> dict[str, Any]:
    """What every one of these pages says: the network, and how much one may have."""
    card = own_network.card()
    limits = {
        "sets": own_classes.MOST_SETS,
        "classes": own_classes.MOST_CLASSES,
        "name": own_classes.NAME_LENGTH,
        "title": own_classes.TITLE_LENGTH,
        "of_a_class": own_classes.MOST_OF_A_CLASS,
        "pictures": own_classes.MOST_PICTURES,
    }
    return {"card": card, "features": deep_count(card) if card else 0, "limits": limits}


def state(request: HttpRequest, owned: OwnClasses) -> dict[str, Any]:
    """The same for the page's script: both moving parts of the page, and whether there is more to wait for."""
    shown = context(owned)
    now: Standing = shown["standing"]
    return {
        "final": now.final,
        "seen": now.seen,
        "says": now.says if now.waiting or owned.retried else "",
        "html": render_to_string("learn/own/_training.html", shown, request),
        "board": render_to_string("learn/own/_board.html", shown, request),
    }


def tried(filename: str, pixels: NDArray[np.uint8], answers: list[Answer]) -> Tried:
    """pixels: uint8 (size, size, 3), what the network saw."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return Tried(filename, f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}", answers)


def picture_of(example: OwnExample) -> Image.Image:
    """The pixels as a picture, RGB."""
    side = int((len(example.pixels) // 3) ** 0.5)
    return Image.frombytes("RGB", (side, side), bytes(example.pixels))


def _boxes(owned: OwnClasses) -> list[Box]:
    found: list[list[OwnExample]] = [[] for _name in owned.classes]
    for example in OwnExample.objects.filter(owned=owned).defer("pixels"):
        found[example.index].append(example)
    left = own_classes.MOST_PICTURES - sum(map(len, found))
    return [
        Box(name, pictures, max(0, min(left, own_classes.MOST_OF_A_CLASS - len(pictures))))
        for name, pictures in zip(owned.classes, found, strict=True)
    ]
