"""What is written to the outbox about a picture of the inbox: JSON, the same bytes whenever it is made."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils import translation

from ml import artifact
from ml.artifact import ArtifactError
from predictions.inbox_events import INBOX, KEY_BYTES
from predictions.inbox_rows import InboxObject
from predictions.models import Job, Prediction

OUTBOX = "outbox/"
ENDING = ".json"

# Read by programs and their operators, in the language of the logs.
UNREADABLE = (
    "unreadable",
    (
        "This picture could not be read from the bucket: it is no longer there, or the site may not read it. "
        "Put it into the inbox again."
    ),
)
REMOVED = (
    "removed",
    "This picture was deleted from the site before it was answered. Put it into the inbox again.",
)
CANCELLED = (
    "cancelled",
    "Somebody cancelled this before it was answered. Put the picture into the inbox again.",
)
# No result: the version that came later has one of its own.
REPLACED = "replaced"


def key_of(key: str) -> str:
    """Where the result of an object lies: the same path below the outbox, with an ending more.

    A path that would become too long is cut, and a digest of all of it keeps it apart from others.
    """
    path = key.removeprefix(INBOX)
    found = f"{OUTBOX}{path}{ENDING}"
    if len(found.encode()) <= KEY_BYTES:
        return found
    mark = f"~{hashlib.sha256(path.encode()).hexdigest()[:16]}"
    room = KEY_BYTES - len(f"{OUTBOX}{mark}{ENDING}")
    return f"{OUTBOX}{path.encode()[:room].decode(errors='ignore')}{mark}{ENDING}"


def runs_of(rows: Iterable[InboxObject]) -> dict[Any, list[Prediction]]:
    """An upload's id -> what was asked about it and is not deleted, in the order of the networks."""
    ids = [row.upload_id for row in rows if row.upload_id]
    found: dict[Any, list[Prediction]] = defaultdict(list)
    for run in (
        Prediction.objects.visible().filter(upload__in=ids, asked=True).with_answers().order_by("position")
    ):
        found[run.upload_id].append(run)
    return found


def is_answered(runs: Iterable[Prediction]) -> bool:
    return any(run.status == Job.Status.DONE for run in runs)


def compose(row: InboxObject, runs: Sequence[Prediction]) -> str:
    """The result as JSON; empty for a version that was replaced before it was read."""
    if row.error_code == REPLACED:
        return ""
    with translation.override("en"):
        return json.dumps(_content(row, runs), ensure_ascii=False, indent=1) + "\n"


def _content(row: InboxObject, runs: Sequence[Prediction]) -> dict[str, Any]:
    error: tuple[str, str] | None = None
    if row.error_code:
        error = row.error_code, row.error_message
    elif not runs:
        error = REMOVED
    elif all(run.status == Job.Status.CANCELLED for run in runs):
        error = CANCELLED
    answers = [] if error else [_answer(run) for run in runs]
    labels = {one["network"]: one["label"] for one in answers if "label" in one}
    surest = max(labels, key=_accuracy, default="")
    content: dict[str, Any] = {
        "file_name": row.key.rsplit("/", 1)[-1],
        "label": labels.get(surest),
        "networks": answers,
        "key": row.key,
        "version": row.version,
        "ended": _time(max([run.finished for run in runs if run.finished], default=row.finished)),
    }
    if error:
        content["error"] = {"code": error[0], "message": error[1]}
    return content


def _answer(run: Prediction) -> dict[str, Any]:
    """What one network says, or why it says nothing."""
    named = {"network": run.model_id}
    if run.status == Job.Status.CANCELLED:
        return {**named, "error": {"code": CANCELLED[0], "message": CANCELLED[1]}}
    if run.status != Job.Status.DONE:
        return {**named, "error": {"code": run.error_code, "message": run.error_message}}
    labels = [getattr(run, f"top{rank}") for rank in range(1, 6)]
    top5 = [
        {"label": label.name, "probability": getattr(run, f"probability{rank}")}
        for rank, label in enumerate(labels, 1)
        if label
    ]
    return {
        **named,
        "artifact": run.artifact,
        "label": top5[0]["label"],
        "outside": run.outside,
        "top5": top5,
    }


def _accuracy(network: str) -> float:
    """How often a network was right on test pictures: whose word goes at the top."""
    try:
        return float(artifact.load_card(network).metrics["top1"])
    except (ArtifactError, KeyError):
        return 0.0


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
