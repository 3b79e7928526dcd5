"""The history's queries, made so that they stay quick with 100,000 predictions of one owner.

What is counted, filtered and ordered stands in one index (``prediction_history_columns``), which the database
reads alone; only the rows of the page that is shown are fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import Exists, OuterRef, QuerySet

from predictions.models import Prediction
from predictions.orders import NEWEST, ORDERS

PAGE_SIZE = 24
CHUNK = 500
# What an entry shows. A run has some forty columns, its clean run as many, and most of the time went into making
# objects of them.
BESIDE = ("upload", "model", "top1", "clean_run", "clean_run__top1")
SHOWN = (
    *(
        "created",
        "status",
        "error_message",
        "bars",
        "covered",
        "crop",
        "starred",
        "note",
        "probability1",
        "outside",
        "batch",
    ),
    *("upload__filename", "upload__width", "upload__height", "model__title", "top1__name"),
    *("clean_run__deleted", "clean_run__probability1", "clean_run__top1__name"),
)
# Beyond this no page is looked for before all are counted: databases refuse larger offsets.
FAR = 10**7


def own(user: Any) -> QuerySet[Prediction]:
    """What a history is made of: the owner's predictions, without clean runs that only stand beside others."""
    return Prediction.objects.of(user).filter(asked=True)


def of_several() -> Exists:
    """Whether a run's batch has another picture, too: then it has a page of its own."""
    beside = Prediction.objects.visible().filter(batch=OuterRef("batch"), asked=True)
    return Exists(beside.exclude(upload=OuterRef("upload")))


class HistoryPages(Paginator):
    """Pages of 24 predictions. A page that is not full says how many there are, and nothing is counted twice."""

    def __init__(self, found: QuerySet[Prediction], order: str = "newest") -> None:
        super().__init__(found, PAGE_SIZE)
        self.found = found
        self.order = ORDERS[order]

    @cached_property
    def count(self) -> int:
        return self.found.order_by().count()

    def page(self, number: Any) -> Page:
        wanted = self._number(number)
        ids = self._ids(wanted) if wanted <= FAR else []
        if 0 < len(ids) < self.per_page or (not ids and wanted == 1):
            self.count = (wanted - 1) * self.per_page + len(ids)
        if not ids and self.validate_number(wanted) > 1:
            raise EmptyPage("That page contains no results")
        return Page(self._rows(ids), wanted, self)

    @staticmethod
    def _number(number: Any) -> int:
        try:
            wanted = int(str(number))
        except ValueError:
            raise PageNotAnInteger("That page number is not an integer") from None
        if wanted < 1:
            raise EmptyPage("That page number is less than 1")
        return wanted

    def _ids(self, number: int) -> list[Any]:
        first = (number - 1) * self.per_page
        ordered = self.found.order_by(*self.order)
        return list(ordered.values_list("pk", flat=True)[first : first + self.per_page])

    @staticmethod
    def _rows(ids: list[Any]) -> list[Prediction]:
        """The rows of these ids, in their order, with what an entry shows of them."""
        if not ids:
            return []
        runs = Prediction.objects.filter(pk__in=ids).select_related(*BESIDE).only(*SHOWN)
        rows = runs.annotate(of_several=of_several()).in_bulk()
        return [rows[pk] for pk in ids if pk in rows]


# --- the whole history, piece by piece ---------------------------------------------------------------------


def newest_first(found: QuerySet[Prediction]) -> Iterator[Prediction]:
    """Every prediction with its answers, in pieces that leave the memory flat and start at once."""
    before: tuple[Any, Any] | None = None
    while True:
        piece = found.order_by(*NEWEST)
        if before:
            created, pk = before
            # The first condition lets the database start reading there; the second one is the exact place.
            piece = piece.filter(created__lte=created).exclude(created=created, pk__gte=pk)
        places = list(piece.values_list("created", "pk")[:CHUNK])
        ids = [pk for _created, pk in places]
        rows = Prediction.objects.filter(pk__in=ids).with_answers().in_bulk()
        yield from (rows[pk] for pk in ids if pk in rows)
        if len(places) < CHUNK:
            return
        before = places[-1]
