"""The verbs of classes of one's own: name them, give them pictures, train, show the result to others, delete."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from learn import own_network, tasks
from learn.own_models import TITLE_LENGTH, OwnClasses, OwnExample
from predictions import quotas
from predictions.images import PreparedImage, display_name, open_prepared
from predictions.inputs import preprocessing_key, shrunk
from predictions.intake import take_all
from predictions.jobs import Job
from predictions.shares import make_token

MOST_SETS = 20
LEAST_CLASSES, MOST_CLASSES = 2, 10
NAME_LENGTH = 40
MOST_OF_A_CLASS = 30
MOST_PICTURES = 200


class Refused(Exception):
    """What cannot be done: a code for programs, a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Rejected(NamedTuple):
    """A file that was not taken, and why."""

    filename: str
    message: str


class Added(NamedTuple):
    taken: int
    rejected: list[Rejected]


# --- sets and classes ----------------------------------------------------------------------------------------


def of(owner: Any, pk: UUID) -> OwnClasses | None:
    """One of the owner's sets."""
    return OwnClasses.objects.filter(owner=owner, pk=pk).first()


def create(owner: Any, title: str, names: Sequence[str]) -> OwnClasses:
    """A new set, without pictures. Raises Refused, and QuotaExceeded for an account that has been closed."""
    title = title_of(title)
    cleaned: list[str] = []
    for name in names:
        cleaned.append(_new_name(name, cleaned))
    if len(cleaned) < LEAST_CLASSES:
        raise Refused("too_few_classes", _("Name at least two classes, each on a line of its own."))
    if len(cleaned) > MOST_CLASSES:
        raise Refused("too_many_classes", _too_many_classes())
    with transaction.atomic():
        quotas.hold_in_flight(owner)
        if OwnClasses.objects.filter(owner=owner).count() >= MOST_SETS:
            sentence = _("You have %(most)d sets, the most an account may. Delete one first.")
            raise Refused("too_many_sets", sentence % {"most": MOST_SETS})
        return OwnClasses.objects.create(
            owner=owner,
            title=title,
            classes=cleaned,
            priority=Job.Priority.LABORATORY,
            # It rests until somebody asks for a head.
            status=Job.Status.CANCELLED,
            finished=timezone.now(),
        )


def rename(owned: OwnClasses, title: str) -> None:
    """Raises Refused."""
    title = title_of(title)
    OwnClasses.objects.filter(pk=owned.pk).update(title=title)


def add_class(owned: OwnClasses, name: str) -> None:
    """Raises Refused."""
    with _held(owned) as row:
        if len(row.classes) >= MOST_CLASSES:
            raise Refused("too_many_classes", _too_many_classes())
        row.classes.append(_new_name(name, row.classes))


def rename_class(owned: OwnClasses, before: str, name: str) -> None:
    """Raises Refused."""
    with _held(owned) as row:
        place = _place(row, before)
        row.classes[place] = _new_name(name, row.classes[:place] + row.classes[place + 1 :])


def remove_class(owned: OwnClasses, name: str) -> None:
    """Removes a class with its pictures. Raises Refused."""
    with _held(owned) as row:
        place = _place(row, name)
        if len(row.classes) <= LEAST_CLASSES:
            sentence = _("A set has at least two classes. Add another one first, or rename this one.")
            raise Refused("too_few_classes", sentence)
        del row.classes[place]
        examples = OwnExample.objects.filter(owned=row)
        examples.filter(index=place).delete()
        examples.filter(index__gt=place).update(index=F("index") - 1)


def delete(owned: OwnClasses) -> None:
    """Removes a set with its pictures, its head and its link, at once and for good."""
    OwnClasses.objects.filter(pk=owned.pk).delete()


# --- pictures ------------------------------------------------------------------------------------------------


def add_pictures(owned: OwnClasses, name: str, files: Sequence[UploadedFile]) -> Added:
    """Adds what the network sees of these files to a class; says which files were not taken, and why.

    Nothing else of them is kept. Raises Refused when none can be taken whatever they are.
    """
    card = own_network.card()
    if card is None:
        raise Refused("no_network", no_network())
    if not files:
        raise Refused("no_picture", _("Choose a picture first."))
    room, why = _room(owned, _place(owned, name))
    # What has no room is not even read.
    rejected = [Rejected(display_name(file.name or ""), why) for file in files[room:]]
    found: list[OwnExample] = []
    for picture in take_all(files[:room]):
        if not isinstance(picture, PreparedImage):
            rejected.append(Rejected(picture.filename, str(picture.message)))
            continue
        pixels = shrunk(open_prepared(picture.data), card.preprocessing).tobytes()
        found.append(
            OwnExample(
                pixels=pixels,
                preprocessing=preprocessing_key(card.preprocessing),
                filename=picture.filename,
                digest=hashlib.sha256(pixels).hexdigest(),
            )
        )
    with _held(owned) as row:
        place = _place(row, name)
        room, why = _room(row, place)
        there = dict(OwnExample.objects.filter(owned=row).values_list("digest", "index"))
        taken: list[OwnExample] = []
        for example in found:
            if (other := there.get(example.digest)) is not None:
                rejected.append(Rejected(example.filename, _same(row.classes, place, other)))
            elif len(taken) >= room:
                rejected.append(Rejected(example.filename, why))
            else:
                example.owned, example.index = row, place
                there[example.digest] = place
                taken.append(example)
        OwnExample.objects.bulk_create(taken)
    return Added(len(taken), rejected)


def remove_picture(owned: OwnClasses, pk: int) -> bool:
    """Whether there was such a picture in this set."""
    return bool(OwnExample.objects.filter(owned=owned, pk=pk).delete()[0])


def counts(owned: OwnClasses) -> list[int]:
    """How many pictures each class has."""
    of_each = [0] * len(owned.classes)
    for index in OwnExample.objects.filter(owned=owned).order_by().values_list("index", flat=True):
        of_each[index] += 1
    return of_each


def fingerprint(owned: OwnClasses) -> str:
    """A digest of the names and the pictures: a head that was trained on others is older than they are."""
    examples = OwnExample.objects.filter(owned=owned).order_by("index", "digest")
    asked = [owned.classes, [list(pair) for pair in examples.values_list("index", "digest")]]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


# --- training and sharing --------------------------------------------------------------------------------------


def train(owned: OwnClasses) -> None:
    """Has a worker train a head, unless one is at it. Raises Refused where no head can be trained."""
    card = own_network.card()
    if card is None:
        raise Refused("no_network", no_network())
    with _held(owned) as row:
        examples = OwnExample.objects.filter(owned=row)
        if examples.exclude(preprocessing=preprocessing_key(card.preprocessing)).exists():
            raise Refused("other_input", other_input())
        for name, count in zip(row.classes, counts(row), strict=True):
            if not count:
                sentence = _("“%(name)s” has no picture yet. Add one, or remove the class, then train.")
                raise Refused("empty_class", sentence % {"name": name})
        if not row.is_final:
            return
        OwnClasses.objects.filter(pk=row.pk).update(
            status=Job.Status.QUEUED,
            attempts=0,
            retried=Now(),
            started=None,
            finished=None,
            error_code="",
            error_message="",
        )
        tasks.train_own.delay_on_commit()


def share(owned: OwnClasses) -> str:
    """The token of the set's link, made where there is none. Raises Refused for a set that is not trained."""
    if not owned.trained:
        raise Refused("not_trained", not_trained())
    OwnClasses.objects.filter(pk=owned.pk, token__isnull=True).update(token=make_token())
    owned.refresh_from_db(fields=["token"])
    return owned.token or ""


def withdraw(owned: OwnClasses) -> bool:
    """Ends the link for good; False when there was none."""
    return bool(OwnClasses.objects.filter(pk=owned.pk, token__isnull=False).update(token=None))


def shared(token: str) -> OwnClasses | None:
    """What a link shows now: nothing once it is withdrawn, or the account is suspended or about to be deleted."""
    live = OwnClasses.objects.filter(owner__is_active=True, owner__deletion_due__isnull=True)
    found = live.filter(token=token).first()
    return found if found is not None and found.trained else None


# --- sentences -------------------------------------------------------------------------------------------------


def no_network() -> str:
    return _("There is no network for this at the moment. Try again later.")


def other_input() -> str:
    return _(
        "The network was replaced by one that sees pictures differently. Make a new set and add the pictures again."
    )


def other_version() -> str:
    return _("The network was replaced by a new version since this was trained. Train again.")


def not_trained() -> str:
    return _("These classes are not trained yet. Add pictures and train first.")


def title_of(text: str) -> str:
    """A title as it is kept. Raises Refused."""
    title = _one_line(text)
    if not title:
        raise Refused("no_title", _("Give the set a title."))
    if len(title) > TITLE_LENGTH:
        sentence = _("The title is longer than %(most)d characters. Choose a shorter one.")
        raise Refused("title_too_long", sentence % {"most": TITLE_LENGTH})
    return title


def _new_name(text: str, others: Sequence[str]) -> str:
    name = _one_line(text)
    if not name:
        raise Refused("no_name", _("A class needs a name."))
    if len(name) > NAME_LENGTH:
        sentence = _("“%(name)s…” is longer than %(most)d characters. Choose a shorter name.")
        raise Refused("name_too_long", sentence % {"name": name[:20], "most": NAME_LENGTH})
    if name.casefold() in {other.casefold() for other in others}:
        raise Refused("name_twice", _("There are two classes called “%(name)s”.") % {"name": name})
    return name


def _one_line(text: str) -> str:
    """Without what cannot be seen: no character of control, no change of the reading direction."""
    normal = unicodedata.normalize("NFC", text)
    seen = (" " if one.isspace() else one for one in normal)
    return " ".join("".join(one for one in seen if unicodedata.category(one)[0] != "C").split())


def _too_many_classes() -> str:
    return _("A set has at most %(most)d classes.") % {"most": MOST_CLASSES}


def _same(names: Sequence[str], place: int, other: int) -> str:
    if place == other:
        return _("This picture is in “%(name)s” already.") % {"name": names[place]}
    return _("The same picture cannot be in “%(first)s” and in “%(second)s”.") % {
        "first": names[other],
        "second": names[place],
    }


def _room(owned: OwnClasses, place: int) -> tuple[int, str]:
    """How many more pictures the class may have, and what is said of those beyond."""
    of_each = counts(owned)
    in_class, in_all = MOST_OF_A_CLASS - of_each[place], MOST_PICTURES - sum(of_each)
    if in_class <= in_all:
        return max(0, in_class), ngettext(
            "A class has at most %(most)d picture.", "A class has at most %(most)d pictures.", MOST_OF_A_CLASS
        ) % {"most": MOST_OF_A_CLASS}
    return max(0, in_all), ngettext(
        "A set has at most %(most)d picture.", "A set has at most %(most)d pictures.", MOST_PICTURES
    ) % {"most": MOST_PICTURES}


def _place(owned: OwnClasses, name: str) -> int:
    """Where the class of this name stands. Raises Refused."""
    try:
        return int(owned.classes.index(name))
    except ValueError:
        sentence = _("There is no class “%(name)s” any more. Reload the page.") % {"name": name[:NAME_LENGTH]}
        raise Refused("no_class", sentence) from None


@contextmanager
def _held(owned: OwnClasses) -> Iterator[OwnClasses]:
    """The row as it is now, locked until the end, when its names are written. Raises Refused where it is gone."""
    with transaction.atomic():
        row = OwnClasses.objects.select_for_update().defer("head").filter(pk=owned.pk).first()
        if row is None:
            raise Refused("gone", _("This set was deleted."))
        yield row
        OwnClasses.objects.filter(pk=row.pk).update(classes=row.classes)
    owned.classes = row.classes
