"""The figures of the sample pictures, made with every release, so that they are there for everybody at once.

Most are about one picture; what all of them say together is made once for each version of a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import IntegrityError, transaction

from learn import explaining, explanation_files, explanations, kinds, subjects
from learn.kinds import KindError
from learn.models import Explanation
from learn.questions import Question
from learn.subjects import SAMPLE, Subject
from ml.artifact import Card
from predictions.jobs import Job


@dataclass(frozen=True)
class Made:
    """One figure: it was there, was made now, is being made by a worker, or could not be made, and why."""

    sample: str
    network: str
    kind: str
    outcome: Literal["there", "made", "under way", "failed"]
    reason: str = ""


def make(samples: Sequence[str], networks: Sequence[str] = ()) -> Iterator[Made]:
    """Makes, in this process, what is missing for these samples and networks (every one when none is named).

    Raises SubjectError for a sample that does not exist.
    """
    for name in samples:
        yield from _all_of(subjects.find(None, SAMPLE + name), networks, "one")


def make_together(networks: Sequence[str] = ()) -> Iterator[Made]:
    """Makes what is missing of what is about all sample pictures together, as ``make`` does."""
    if together():
        yield from _all_of(subjects.all_samples(), networks, "samples")


def together() -> bool:
    """Whether any kind looks at all sample pictures together."""
    return any(kind.pictures == "samples" and kind.for_samples for kind in kinds.every().values())


def _all_of(subject: Subject, networks: Sequence[str], pictures: Literal["one", "samples"]) -> Iterator[Made]:
    for card in subject.cards:
        if not networks or card.name in networks:
            for kind, parameters in _wanted(pictures, card):
                yield _made(subject, card.name, kind, parameters)


def _wanted(pictures: Literal["one", "samples"], card: Card) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in kinds.every().values():
        if kind.pictures == pictures and kind.offered_for(card):
            for parameters in kind.for_samples:
                yield kind.name, parameters


def _made(subject: Subject, network: str, kind: str, parameters: dict[str, Any]) -> Made:
    def end(outcome: Literal["there", "made", "under way", "failed"], reason: str = "") -> Made:
        return Made(subject.sample, network, kind, outcome, reason)

    try:
        asked = explanations.question(subject, network, kind, parameters)
    except KindError as error:
        return end("failed", str(error))
    row = _row(subject, asked)
    if row.status == Job.Status.DONE:
        return end("there")
    own = Explanation.objects.filter(pk=row.pk)
    # One that failed is tried again at every turn.
    own.retry()
    claim, rows = own.claim(1)
    if not rows:
        return end("under way")
    if explaining.run(claim, rows[0]):
        return end("made")
    row.refresh_from_db()
    return end("failed", row.error_sentence)


def _row(subject: Subject, asked: Question) -> Explanation:
    """The row of this question, from now on one that nothing else makes room for."""
    row = explanations.stored(subject, asked)
    if row is not None and not explanation_files.is_there(row):
        row.delete()
        row = None
    if row is None:
        row = explanations.new(subject, asked, built=True)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            # Somebody has asked for it in this moment.
            row = Explanation.objects.of_samples().get(key=asked.key)
    if not row.built:
        Explanation.objects.filter(pk=row.pk).update(built=True)
    return row


def remove_old(samples: Sequence[str]) -> int:
    """Removes what was made with earlier releases and is not wanted any more; returns how many figures that were."""
    wanted: set[str] = set()
    for name in samples:
        wanted |= _keys(subjects.find(None, SAMPLE + name), "one")
    if samples and together():
        wanted |= _keys(subjects.all_samples(), "samples")
    old = Explanation.objects.of_samples().finished().filter(built=True).exclude(key__in=wanted)
    ids = list(old.values_list("pk", flat=True))
    Explanation.objects.filter(pk__in=ids).delete()
    return len(ids)


def _keys(subject: Subject, pictures: Literal["one", "samples"]) -> set[str]:
    return {
        explanations.question(subject, card.name, kind, parameters).key
        for card in subject.cards
        for kind, parameters in _wanted(pictures, card)
    }
