"""The verbs of the laboratory: ask a question, find its answer, read what the answer's file holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from learn import explanation_files, laboratory_quota, questions, tasks
from learn.kinds import KindError
from learn.models import Explanation, ExplanationQuerySet
from learn.questions import Question
from learn.subjects import Subject, SubjectError, not_found
from predictions import explainable
from predictions.corruption import canonical
from predictions.crop import canonical_crop
from predictions.jobs import Heartbeat, Job
from predictions.services import QuotaExceeded

__all__ = [
    "KindError",
    "QuotaExceeded",
    "SubjectError",
    "ask",
    "of",
    "open_member",
    "position",
    "question",
    "sizes",
    "worker_is_there",
]

QUEUE = "lab"
# A worker shows life every five seconds; one that starts needs less than this.
ALIVE = timedelta(seconds=30)
# What failed is tried again when somebody asks again, but not by every look at the page.
AGAIN = timedelta(seconds=30)


def ask(
    subject: Subject,
    network: str,
    kind: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    asker: str = "",
) -> Explanation:
    """The answer to this question, which may be there already, wait, or be computed now: see ``status``.

    Asked twice, it is the same row. ``asker`` says who asks about a sample picture, which has no owner: see
    ``learn.asking_rate``. Raises SubjectError for a network that the subject does not have, KindError for
    parameters that cannot be used, QuotaExceeded when too much waits already, each with a sentence, and GuestGone for a
    guest who has been erased in the meantime.
    """
    asked = question(subject, network, kind, parameters)
    found = stored(subject, asked)
    try:
        if found is None or _is_to_be_retried(found):
            found = _queue(subject, asked, asker)
        _use(found, subject, asked)
    except IntegrityError:
        # The picture was removed for good in this very moment.
        raise not_found() from None
    return found


def question(
    subject: Subject, network: str, kind: str, parameters: Mapping[str, Any] | None = None
) -> Question:
    """What would be asked. Raises SubjectError and KindError."""
    card = subject.card(network)
    return questions.put(kind, card, parameters or {}, subject.clean[network], subject.covered.get(network))


def stored(subject: Subject, asked: Question) -> Explanation | None:
    """The row of this question, whatever became of it."""
    return Explanation.objects.filter(owner=subject.owner, key=asked.key).first()


def new(subject: Subject, asked: Question, **values: Any) -> Explanation:
    """An unsaved row of this question."""
    card, bars = asked.card, asked.covered is not None
    return Explanation(
        owner=subject.owner,
        network_input_id=subject.anchors.get(card.name),
        sample=subject.sample,
        network=card.name,
        artifact=card.version,
        kind=asked.kind.name,
        priority=_priority(subject, asked),
        parameters=asked.parameters,
        clean_pixels=asked.clean.tobytes(),
        covered_pixels=asked.covered.tobytes() if asked.covered is not None else None,
        bars=canonical(subject.bars) if bars else [],
        crop=canonical_crop(subject.crop),
        key=asked.key,
        **values,
    )


def of(user: Any, pk: UUID) -> Explanation | None:
    """The explanation as ``user`` (or None) may see it now.

    Those of sample pictures are everybody's, the others their owners' while the picture is neither deleted nor hidden.
    """
    return visible(user).filter(pk=pk).defer("clean_pixels", "covered_pixels").first()


def visible(user: Any) -> ExplanationQuerySet:
    """All that ``user`` (or None) may see now."""
    public = Q(owner__isnull=True)
    if user is None or not user.is_authenticated:
        return Explanation.objects.filter(public)
    own = Q(owner=user, network_input__in=explainable.visible_inputs(user).values("pk"))
    return Explanation.objects.filter(public | own)


def open_member(explanation: Explanation, name: str) -> bytes:
    """The bytes of a file of this explanation. Raises FileNotFoundError where there is none of that name."""
    if name not in explanation.members:
        raise FileNotFoundError(name)
    row = Explanation.objects.filter(pk=explanation.pk)
    row.touch()
    try:
        return explanation_files.read(explanation.file.name or "", name)
    except FileNotFoundError:
        # Without its file the row is worth nothing: asked again, it is computed again.
        row.delete()
        raise


def sizes(explanation: Explanation) -> dict[str, int]:
    """How many bytes each of its files has, by name. Raises FileNotFoundError where the storage has lost them."""
    if not explanation.members:
        return {}
    try:
        return explanation_files.sizes(explanation.file.name or "")
    except FileNotFoundError:
        Explanation.objects.filter(pk=explanation.pk).delete()
        raise


def position(explanation: Explanation) -> int | None:
    """Where it stands in the line, 1 for the next one; None when it does not wait."""
    if explanation.status != Job.Status.QUEUED:
        return None
    before = Q(priority__lt=explanation.priority) | Q(
        priority=explanation.priority, created__lt=explanation.created
    )
    return Explanation.objects.waiting().filter(before).count() + 1


def worker_is_there() -> bool:
    """Whether a living worker computes explanations."""
    return Heartbeat.objects.serving(QUEUE).alive(ALIVE).exists()


def _queue(subject: Subject, asked: Question, asker: str) -> Explanation:
    """Writes the row of a new question, or has a failed one computed again."""
    with transaction.atomic():
        # Whoever owns it is locked here, so that two requests at once do not both take the last place.
        laboratory_quota.check_in_flight(subject.owner, asker)
        found = stored(subject, asked) or _written(subject, asked)
        if _is_to_be_retried(found):
            Explanation.objects.filter(pk=found.pk).retry()
            found.refresh_from_db()
        if subject.owner is None:
            laboratory_quota.remember(asker, found.pk)
        tasks.explain.delay_on_commit()
    return found


def _written(subject: Subject, asked: Question) -> Explanation:
    row = new(subject, asked)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        # About a sample picture nobody is locked: somebody else asked the same a moment ago.
        found = stored(subject, asked)
        if found is None:
            raise
        return found
    return row


def _is_to_be_retried(found: Explanation) -> bool:
    if found.status not in (Job.Status.FAILED, Job.Status.CANCELLED):
        return False
    return Explanation.objects.filter(pk=found.pk, finished__lt=Now() - AGAIN).exists()


def _priority(subject: Subject, asked: Question) -> int:
    """Those who have a name go by their question. Visitors wait in turn with everybody: together they have no limit."""
    return (
        asked.kind.priority
        if subject.owner is not None
        else max(asked.kind.priority, Job.Priority.LABORATORY)
    )


def _use(found: Explanation, subject: Subject, asked: Question) -> None:
    """Notes the use. Where the same pixels are those of another upload by now, the answer stays as long as that one."""
    Explanation.objects.filter(pk=found.pk).touch()
    anchor = subject.anchors.get(asked.card.name)
    if found.network_input_id != anchor:
        Explanation.objects.filter(pk=found.pk).update(network_input_id=anchor)
        found.network_input_id = anchor
