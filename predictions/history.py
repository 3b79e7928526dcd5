"""The history's queries, made so that they stay quick with 100,000 predictions of one owner.

What is counted, filtered and ordered stands in indexes (``prediction_history_columns``, ``_sure`` and ``_name``), which
the database reads alone; only the rows of the page that is shown are fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from django.core.paginator import EmptyPage, Page, PageNotAnInteger, Paginator
from django.db.models import QuerySet

from predictions.history_entries import entries
from predictions.models import Prediction
from predictions.orders import NEWEST, ORDERS

PAGE_SIZE = 24
CHUNK = 500
# Beyond this no page is looked for before all are counted: databases refuse larger offsets.
FAR = 10**7


def own(user: Any) -> QuerySet[Prediction]:
    """What a history is made of: the owner's predictions, without clean runs that only stand beside others."""
    return Prediction.objects.of(user).filter(asked=True)


class HistoryPages(Paginator):
    """Pages of 24 predictions. A page that is not full says how many there are, and nothing is counted twice."""

    def __init__(self, found: QuerySet[Prediction], order: str = "newest") -> None:
        super().__init__(found, PAGE_SIZE)
        self.found = found
        self.order = order

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
        return Page(entries(ids), wanted, self)

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
        if self.order == "surest":
            return self._surest(first)
        return _keys(self.found.order_by(*ORDERS[self.order]), first, self.per_page)

    def _surest(self, first: int) -> list[Any]:
        """Those with an answer, then the others, with which the index begins when it is read backwards."""
        answered = self.found.filter(probability1__isnull=False)
        ids = _keys(answered.order_by("-probability1", *NEWEST), first, self.per_page)
        if len(ids) < self.per_page:
            before = first + len(ids) if ids or not first else answered.count()
            others = self.found.filter(probability1__isnull=True).order_by(*NEWEST)
            ids += _keys(others, max(0, first - before), self.per_page - len(ids))
        return ids


def _keys(ordered: QuerySet[Prediction], first: int, most: int) -> list[Any]:
    return list(ordered.values_list("pk", flat=True)[first : first + most])


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
