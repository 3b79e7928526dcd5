"""What the laboratory knows about a person, for the registry of accounts."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from typing import IO, Any

from django.db.models import QuerySet

from accounts.registry import Opener
from learn import explanation_files, own_pages, own_results
from learn.explanations import visible
from learn.models import Explanation, ExplanationQuerySet, OwnClasses, OwnExample, SolvedTask

PIECE = 200


def export(user: Any) -> dict[str, Iterator[dict[str, Any]]]:
    """What was computed about the pictures that ``user`` may see, the tasks of the lessons that are solved, and classes
    of the user's own.
    """
    return {
        "explanations": map(_row, _pieces(_own(user))),
        "lessons": map(_solved, _tasks(user)),
        "own_classes": map(_set, OwnClasses.objects.filter(owner=user).order_by("created", "pk")),
    }


def files(user: Any) -> Iterator[tuple[str, Opener]]:
    """The files of these figures: activations as NumPy files, maps as PNG and JSON, in a zip each. Then what is kept of
    the pictures of own classes, as PNG.
    """
    for row in _pieces(_own(user).exclude(file="")):
        yield _name(row), partial(explanation_files.open_file, row)
    for owned in OwnClasses.objects.filter(owner=user).defer("head"):
        for example in OwnExample.objects.filter(owned=owned).defer("pixels"):
            yield _picture_name(example), partial(_open_picture, example.pk)


def erase(user: Any) -> None:
    """Removes every row of ``user`` with its file, a few at a time; may be interrupted and called twice."""
    while ids := list(Explanation.objects.filter(owner=user).values_list("pk", flat=True)[:PIECE]):
        Explanation.objects.filter(pk__in=ids).delete()
    _tasks(user).delete()
    OwnClasses.objects.filter(owner=user).delete()


def merge(guest: Any, user: Any) -> str:
    """Makes what was computed for ``guest`` the user's, inside the caller's transaction; what both have stays once.

    Guests have no classes of their own (``learn.own_views``) and no solved tasks.
    """
    rows = Explanation.objects.filter(owner=guest)
    own = Explanation.objects.filter(owner=user)
    rows.lock()
    rows.filter(key__in=own.values("key")).delete()
    rows.update(owner=user)
    return ""


def cancel(user: Any) -> int:
    """Stops what waits for an account that is being suspended."""
    return sum(table.objects.filter(owner=user).cancel() for table in (Explanation, OwnClasses))


def _set(owned: OwnClasses) -> dict[str, Any]:
    pictures = OwnExample.objects.filter(owned=owned).defer("pixels")
    return {
        "id": str(owned.pk),
        "title": owned.title,
        "classes": owned.classes,
        "pictures": [
            {
                "class": owned.classes[one.index],
                "filename": one.filename,
                "file": _picture_name(one),
                "added": one.created.isoformat(),
            }
            for one in pictures
        ],
        "head": own_results.exported(owned) if owned.trained else None,
        "shared": owned.token is not None,
        "created": owned.created.isoformat(),
    }


def _picture_name(example: OwnExample) -> str:
    return f"own-classes/{example.owned_id}/{example.index + 1}/{example.pk}.png"


def _open_picture(pk: int) -> IO[bytes]:
    """Raises FileNotFoundError for a picture that was taken back in the meantime."""
    example = OwnExample.objects.filter(pk=pk).first()
    if example is None:
        raise FileNotFoundError(str(pk))
    buffer = io.BytesIO()
    own_pages.picture_of(example).save(buffer, "PNG")
    buffer.seek(0)
    return buffer


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
