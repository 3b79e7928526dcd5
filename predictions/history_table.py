"""The history as a table for other programs: what each column is called and what stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any

from django.db.models import QuerySet

from predictions.corruption import covered_share, parse_bars
from predictions.history import newest_first
from predictions.models import RANKS, Prediction

# Names for programs: the same in every language.
COLUMNS = (
    *("file name", "network", "version", "status"),
    *(column for rank in RANKS for column in (f"label {rank}", f"probability {rank}")),
    *("covered", "share covered", "outside", "starred", "note", "batch", "created", "finished", "id"),
)


def rows(found: QuerySet[Prediction], zone: tzinfo) -> Iterator[list[Any]]:
    """A row a prediction, newest first; times are those of ``zone``, with their distance from UTC."""
    for run in newest_first(found):
        answers: list[Any] = []
        for rank in RANKS:
            label = getattr(run, f"top{rank}")
            answers += [label.name, getattr(run, f"probability{rank}")] if label else ["", ""]
        yield [
            *(run.upload.filename, run.model_id, run.artifact, run.status, *answers),
            *(_word(run.covered), round(covered_share(parse_bars(run.bars)), 6) if run.bars else 0),
            *(_word(run.outside), _word(run.starred), run.note, run.batch_id),
            *(_moment(run.created, zone), _moment(run.finished, zone), run.pk),
        ]


def _word(value: bool | None) -> str:
    return {True: "yes", False: "no"}.get(value, "")  # type: ignore[arg-type]


def _moment(value: datetime | None, zone: tzinfo) -> str:
    return value.astimezone(zone).isoformat(timespec="seconds") if value else ""
