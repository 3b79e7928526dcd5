"""What the entries of a history page say, ready for their template.

A page has 24 of them, and most of what it cost was looking the same things up for each: objects of five tables, words
in the reader's language, addresses. Here each of them is looked up once, and an entry is a dictionary of strings.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from predictions.models import Job, Prediction, Upload
from predictions.templatetags.prediction_format import class_name, percent

# What an entry shows, of the forty columns of a run and those of the rows beside it.
SHOWN = (
    *("id", "upload_id", "batch_id", "created", "status", "error_message", "bars", "covered", "crop"),
    *("starred", "note", "probability1", "outside", "top1__name", "model__title", "of_several"),
    *("upload__filename", "upload__width", "upload__height", "upload__expired"),
    *("clean_run__deleted", "clean_run__probability1", "clean_run__top1__name"),
)
# Stands in an address for the id that is filled in.
ANY = uuid.UUID(int=0)


def of_several() -> Exists:
    """Whether a run's batch has another picture, too: then it has a page of its own."""
    beside = Prediction.objects.visible().filter(batch=OuterRef("batch"), asked=True)
    return Exists(beside.exclude(upload=OuterRef("upload")))


def entries(ids: list[Any]) -> list[dict[str, Any]]:
    """The predictions of these ids, in their order, each as what its entry shows."""
    if not ids:
        return []
    found = Prediction.objects.filter(pk__in=ids).annotate(of_several=of_several()).order_by()
    rows = {row["id"]: row for row in found.values(*SHOWN)}
    page, picture, batch, edit = map(
        _addresses, ("predictions:detail", "predictions:picture", "predictions:batch", "predictions:edit")
    )
    select = gettext("Select %(name)s, %(network)s")
    statuses = dict(Job.Status.choices)
    shown = []
    for row in (rows[pk] for pk in ids if pk in rows):
        name, network = row["upload__filename"], row["model__title"]
        width, height = row["upload__width"], row["upload__height"]
        made = timezone.localtime(row["created"])
        failed = row["status"] == Job.Status.FAILED
        shown.append(
            {
                "id": str(row["id"]),
                "upload": str(row["upload_id"]),
                "name": name,
                "network": network,
                "url": page(row["id"]),
                "picture": picture(row["upload_id"]),
                "edit": edit(row["id"]),
                "several": batch(row["batch_id"]) if row["of_several"] else "",
                "select": select % {"name": name, "network": network},
                "file": _file(row),
                # As text: a number would be written the way of the reader's language.
                "width": str(width),
                "height": str(height),
                "tiny": width < 200 and height < 200,
                "bars": row["bars"],
                "crop": row["crop"],
                "covered": row["covered"],
                "starred": row["starred"],
                "note": row["note"],
                "outside": row["outside"],
                "moment": made.isoformat(),
                "made": date_format(made, "DATETIME_FORMAT"),
                "answer": class_name(row["top1__name"]) if row["top1__name"] else "",
                "sure": percent(row["probability1"]) if row["top1__name"] else "",
                "status": statuses[row["status"]],
                "failed": failed,
                "trouble": gettext(row["error_message"]) if failed and row["error_message"] else "",
                "without_bars": _without_bars(row),
            }
        )
    return shown


def _addresses(name: str) -> Callable[[Any], str]:
    """Makes the addresses of a view that takes an id: looked up once, and the id put in."""
    before, after = reverse(name, args=[ANY]).split(str(ANY))
    return lambda pk: f"{before}{pk}{after}"


def _file(row: dict[str, Any]) -> Upload | None:
    """The picture, where more is drawn than the picture: for the partial that does so on all pages."""
    if not (row["bars"] or row["crop"] or row["upload__expired"]):
        return None
    sides = {"width": row["upload__width"], "height": row["upload__height"]}
    return Upload(pk=row["upload_id"], expired=row["upload__expired"], **sides)


def _without_bars(row: dict[str, Any]) -> str:
    """What the network said of the picture of a covered run without its bars."""
    label = row["clean_run__top1__name"]
    if not row["covered"] or not label or row["clean_run__deleted"]:
        return ""
    says = gettext("without bars: %(name)s %(probability)s")
    return says % {"name": class_name(label), "probability": percent(row["clean_run__probability1"])}
