"""What the laboratory knows about a person, for the registry of accounts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db.models import QuerySet

from accounts.registry import Opener
from learn import explanation_files
from learn.explanations import visible
from learn.models import Explanation, ExplanationQuerySet, SolvedTask

PIECE = 200


def export(user: Any) -> dict[str, Iterator[dict[str, Any]]]:
    """What was computed about the pictures that ``user`` may see, and the tasks of the lessons that are solved."""
    return {"explanations": map(_row, _pieces(_own(user))), "lessons": map(_solved, _tasks(user))}


def files(user: Any) -> Iterator[tuple[str, Opener]]:
    """The files of these figures: activations as NumPy files, maps as PNG and JSON, in a zip each."""
    for row in _pieces(_own(user).exclude(file="")):
        yield _name(row), partial(explanation_files.open_file, row)


def erase(user: Any) -> None:
    """Removes every row of ``user`` with its file, a few at a time; may be interrupted and called twice."""
    while ids := list(Explanation.objects.filter(owner=user).values_list("pk", flat=True)[:PIECE]):
        Explanation.objects.filter(pk__in=ids).delete()
    _tasks(user).delete()


def merge(guest: Any, user: Any) -> str:
    """Makes what was computed for ``guest`` the user's, inside the caller's transaction; what both have stays once."""
    rows = Explanation.objects.filter(owner=guest)
    own = Explanation.objects.filter(owner=user)
    rows.lock()
    rows.filter(key__in=own.values("key")).delete()
    rows.update(owner=user)
    return ""


def cancel(user: Any) -> int:
    """Stops what waits for an account that is being suspended."""
    return Explanation.objects.filter(owner=user).cancel()


def _tasks(user: Any) -> QuerySet[SolvedTask]:
    return SolvedTask.objects.filter(owner=user)


def _solved(row: SolvedTask) -> dict[str, Any]:
    return {"lesson": row.lesson, "task": row.task, "solved": row.solved.isoformat()}


def _own(user: Any) -> ExplanationQuerySet:
    return visible(user).filter(owner=user)


def _pieces(chosen: ExplanationQuerySet) -> Iterator[Explanation]:
    """The rows in the order of their time, a piece of them at a time: no cursor is left open while files are copied."""
    ids = list(chosen.order_by("created", "pk").values_list("pk", flat=True))
    for start in range(0, len(ids), PIECE):
        piece = ids[start : start + PIECE]
        found = Explanation.objects.defer("clean_pixels", "covered_pixels").in_bulk(piece)
        yield from (found[pk] for pk in piece if pk in found)


def _name(row: Explanation) -> str:
    return f"laboratory/{row.pk}.zip"


def _row(row: Explanation) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "kind": row.kind,
        "model": row.network,
        "artifact": row.artifact,
        "parameters": row.parameters,
        "bars": row.bars,
        "crop": row.crop,
        "status": row.status,
        "error": row.error_sentence or None,
        "result": row.result or None,
        "file": _name(row) if row.file else None,
        "created": row.created.isoformat(),
        "last_used": row.used.isoformat(),
    }
