"""What the laboratory looks at: a sample picture or one of one's own predictions, as each network sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import numpy as np
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from numpy.typing import NDArray
from PIL import Image

from accounts.models import User
from learn import sample_answers
from learn.sample_answers import Answers
from ml import artifact
from ml.artifact import Card
from ml.preprocessing import Preprocessing
from predictions import explainable, samples
from predictions.corruption import Bar, BarsInvalid, parse_bars
from predictions.crop import AUTO, Crop
from predictions.decoding import decode
from predictions.images import open_prepared
from predictions.inputs import box_on, shrunk

SAMPLE = "sample:"
# What stands for a sample's name where something is about all of them.
ALL_SAMPLES = "all"
# Over the middle of a sample picture for which nobody chose a bar.
MIDDLE = Bar(0.3, 0.3, 0.4, 0.4)

Pixels = NDArray[np.uint8]


class SubjectError(Exception):
    """There is nothing to look at; ``sentence`` says why. ``code``: not_found, queued, expired, bars or no_network."""

    def __init__(self, code: str, sentence: str | Promise) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


@dataclass(frozen=True)
class Subject:
    """A picture, its bars and its box, and what each network that can be explained sees of it.

    ``clean`` and ``covered`` hold uint8 (size, size, 3), RGB, by network; ``covered`` is empty without bars.
    ``answers``: what the site serves, by network. ``owner`` is None for a sample picture.
    """

    on: str
    kind: Literal["sample", "prediction"]
    title: str
    alt: str
    image_url: str
    thumbnail_url: str
    page_url: str
    width: int
    height: int
    bars: tuple[Bar, ...]
    crop: Crop | None
    cards: tuple[Card, ...]
    clean: Mapping[str, Pixels] = field(repr=False)
    covered: Mapping[str, Pixels] = field(repr=False)
    answers: Mapping[str, Answers] = field(repr=False)
    owner: User | None = None
    sample: str = ""
    # Network -> the row whose end is also the end of what is made from it.
    anchors: Mapping[str, int] = field(default_factory=dict, repr=False)

    def card(self, network: str) -> Card:
        """The card of a network of this subject. Raises SubjectError."""
        found = next((card for card in self.cards if card.name == network), None)
        if found is None:
            raise SubjectError(
                "no_network",
                _("This picture is not looked into by a network %(name)s.") % {"name": repr(network[:40])},
            )
        return found


def cards() -> tuple[Card, ...]:
    """The networks that can be explained, the cheapest first."""
    from ml.explain.structure import explainable as has_layers

    return tuple(card for card in artifact.cards() if has_layers(card))


def find(user: Any, on: str, bars: Any = None) -> Subject:
    """The subject at ``on`` (``sample:apple`` or a prediction's id) as ``user`` (or None) may see it.

    ``bars``: JSON text or a list of [x, y, width, height]; they take the place of the subject's own, and ``[]`` means
    none. Nothing given means those of the prediction, or the bar that belongs to the sample. Raises SubjectError.
    """
    wanted = _bars(bars)
    if on.startswith(SAMPLE):
        return _sample(on.removeprefix(SAMPLE), wanted)
    try:
        pk = UUID(on)
    except ValueError:
        raise not_found() from None
    picture = explainable.find(user, pk) if user is not None and user.is_authenticated else None
    if picture is None:
        raise not_found()
    return _prediction(picture, wanted)


def _bars(value: Any) -> tuple[Bar, ...] | None:
    if value is None or value == "":
        return None
    try:
        return parse_bars(value)
    except BarsInvalid as error:
        raise SubjectError("bars", error.message) from None


def not_found() -> SubjectError:
    """One sentence for whatever is not there, not there any more and not yours."""
    return SubjectError(
        "not_found",
        _("There is no such picture here, or not any more. Choose one of yours or a sample picture."),
    )


# --- one's own ------------------------------------------------------------------------------------------------


def _prediction(picture: explainable.Picture, wanted: tuple[Bar, ...] | None) -> Subject:
    if picture.state == "queued":
        raise SubjectError("queued", _("This picture is not answered yet. Look again when it is."))
    if picture.state == "expired":
        raise _expired()
    seen = explainable.pixels(picture, offered := cards())
    there = tuple(card for card in offered if card.name in seen)
    if not there:
        raise SubjectError(
            "no_network", _("None of the networks that can be looked into was asked about this picture.")
        )
    bars = picture.bars if wanted is None else wanted
    covered = {name: one.covered for name, one in seen.items() if one.covered is not None}
    if bars != picture.bars or (bars and len(covered) < len(there)):
        try:
            covered = explainable.covered(picture, there, bars) if bars else {}
        except FileNotFoundError:
            raise _expired() from None
    said = explainable.answers(picture, there, bars)
    return Subject(
        on=str(picture.id),
        kind="prediction",
        title=picture.filename,
        alt=_("Your picture %(name)s") % {"name": picture.filename},
        image_url=picture.image_url,
        thumbnail_url=picture.thumbnail_url,
        page_url=picture.page_url,
        width=picture.width,
        height=picture.height,
        bars=bars,
        crop=picture.crop,
        cards=there,
        clean={card.name: seen[card.name].clean for card in there},
        covered=covered,
        answers={
            card.name: Answers(said.get((card.name, False)), said.get((card.name, True)) if bars else None)
            for card in there
        },
        owner=picture.owner,
        anchors={card.name: seen[card.name].anchor for card in there},
    )


def _expired() -> SubjectError:
    return SubjectError(
        "expired",
        _("This picture was removed because of its age. To look into it, send it again."),
    )


# --- the site's own -------------------------------------------------------------------------------------------


def _sample(name: str, wanted: tuple[Bar, ...] | None) -> Subject:
    sample = samples.every().get(name)
    if sample is None:
        raise not_found()
    bars = sample_bars(sample) if wanted is None else wanted
    there = cards()
    if not there:
        raise SubjectError("no_network", _("No network can be looked into here yet. Try again later."))
    clean = {card.name: _seen(sample, card.preprocessing, ()) for card in there}
    covered = {card.name: _seen(sample, card.preprocessing, bars) for card in there} if bars else {}
    return Subject(
        on=SAMPLE + name,
        kind="sample",
        title=sample.title,
        alt=sample.alt,
        image_url=sample.address,
        thumbnail_url=sample.thumbnail_address,
        page_url=reverse("predictions:predict"),
        width=sample.width,
        height=sample.height,
        bars=bars,
        crop=_sample_box(sample),
        cards=there,
        clean=clean,
        covered=covered,
        answers=sample_answers.of(name, there, clean, covered),
        sample=name,
    )


def all_samples() -> Subject:
    """All sample pictures together, without bars: ``clean`` holds uint8 (pictures, size, size, 3) by network.

    In the order of `samples.every`. No address leads to it. Raises SubjectError where there are none.
    """
    every = tuple(samples.every().values())
    if not every:
        raise not_found()
    there = cards()
    return Subject(
        on="",
        kind="sample",
        title=_("All sample pictures"),
        alt="",
        image_url="",
        thumbnail_url="",
        page_url=reverse("predictions:predict"),
        width=0,
        height=0,
        bars=(),
        crop=None,
        cards=there,
        clean={card.name: np.stack([_seen(one, card.preprocessing, ()) for one in every]) for card in there},
        covered={},
        answers={},
        sample=ALL_SAMPLES,
    )


def sample_pixels(name: str, card: Card) -> Pixels:
    """A sample picture without bars as the network of ``card`` sees it, (size, size, 3). Raises KeyError."""
    return _seen(samples.every()[name], card.preprocessing, ())


def sample_bars(sample: samples.Sample) -> tuple[Bar, ...]:
    """The bar that a sample picture is shown with first."""
    return (Bar(*sample.bar) if sample.bar else MIDDLE,)


@lru_cache(maxsize=8)
def _sample_picture(sample: samples.Sample) -> Image.Image:
    """As the site would keep it if somebody sent it, so that it gives the answers that it gives on the predict page."""
    return open_prepared(decode(samples.file_bytes(sample)).data)


@lru_cache(maxsize=32)
def _sample_box(sample: samples.Sample) -> Crop | None:
    return box_on(_sample_picture(sample), AUTO)


@lru_cache(maxsize=256)
def _seen(sample: samples.Sample, how: Preprocessing, bars: tuple[Bar, ...]) -> Pixels:
    seen = shrunk(_sample_picture(sample), how, bars, _sample_box(sample))
    seen.flags.writeable = False
    return seen
