"""Pages of the API's lists, turned by cursor: what is added meanwhile shifts nothing.

A cursor holds all that a row is ordered by, its id last. So every row has a place of its own however many share a name
or a moment, and a page is found at the same cost wherever it stands.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.schema import or_empty
from predictions.orders import NEWEST, ORDERS

TICK = timedelta(microseconds=1)
CURSOR_LENGTH = 4000


class Column(NamedTuple):
    """One column of an order. What is null stands last, turned round first."""

    name: str
    falls: bool
    turned: bool = False

    @classmethod
    def of(cls, one: Any) -> Column:
        if isinstance(one, str):
            return cls(one.removeprefix("-"), one.startswith("-"))
        return cls(one.expression.name, one.descending)

    def other_way(self) -> Column:
        return Column(self.name, not self.falls, not self.turned)

    @property
    def ordering(self) -> Any:
        column = F(self.name)
        if self.name != "probability1":
            return column.desc() if self.falls else column.asc()
        nulls = {"nulls_first": True} if self.turned else {"nulls_last": True}
        return column.desc(**nulls) if self.falls else column.asc(**nulls)

    def value(self, sent: Any) -> Any:
        """What a cursor says of this column. Raises ValueError where it cannot have been given out."""
        if self.name == "created":
            moment = parse_datetime(sent) if isinstance(sent, str) else None
            if moment is None or moment.tzinfo is None or not 1971 < moment.year < 9998:
                raise ValueError
            return moment
        if self.name == "id":
            return UUID(sent)
        if self.name == "probability1":
            if sent is not None and not (isinstance(sent, float | int) and math.isfinite(sent)):
                raise ValueError
            return sent
        if not isinstance(sent, str) or "\0" in sent:
            raise ValueError
        sent.encode()  # half of a pair of code units is no text
        return sent

    def same(self, value: Any) -> Q:
        if value is None:
            return Q(**{f"{self.name}__isnull": True})
        if self.name == "created":
            # SQLite compares moments as text, and writes its own ones in milliseconds: equal is what lies between.
            return Q(created__gt=value - TICK, created__lt=value + TICK)
        return Q(**{self.name: value})

    def beyond(self, value: Any) -> Q | None:
        """What comes after ``value``; None where nothing can."""
        if value is None:
            return Q(**{f"{self.name}__isnull": False}) if self.turned else None
        if self.name == "created":
            return Q(created__lte=value - TICK) if self.falls else Q(created__gte=value + TICK)
        after = Q(**{f"{self.name}__{'lt' if self.falls else 'gt'}": value})
        if self.name == "probability1" and not self.turned:
            after |= Q(probability1__isnull=True)
        return after


def after(columns: Sequence[Column], values: Sequence[Any]) -> Q:
    """The rows that come after the one with these values."""
    found: Q | None = None
    for column, value in zip(reversed(columns), reversed(values), strict=True):
        further = column.beyond(value)
        if found is not None:
            level = column.same(value) & found
            further = level if further is None else further | level
        found = further
    assert found is not None  # the id is never null
    first, value = columns[0], values[0]
    if first.name == "created":
        # Said once more without an alternative: so the database begins to read there.
        found &= Q(created__lt=value + TICK) if first.falls else Q(created__gt=value - TICK)
    return found


class Pages(CursorPagination):
    """Lists of the API. The view's ``rows`` fetches what a page shows, once the page's ids are found."""

    ordering = NEWEST
    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        """A size that cannot be is an error, not another size."""
        sent = request.query_params.get(self.page_size_query_param)
        if not sent:
            return self.page_size
        if not sent.isascii() or not sent.isdecimal() or not 1 <= int(sent[:10]) <= self.max_page_size:
            sentence = _("Choose a number from 1 to %(most)d.") % {"most": self.max_page_size}
            raise ValidationError({self.page_size_query_param: [sentence]})
        return int(sent)

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[Any, ...]:
        return self.ordering

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        size = self.get_page_size(request)
        columns = [Column.of(one) for one in self.get_ordering(request, queryset, view)]
        self.address = request.build_absolute_uri()
        backwards, values = self._place(request, columns)
        if backwards:
            columns = [column.other_way() for column in columns]
        if values:
            queryset = queryset.filter(after(columns, values))
        found = queryset.order_by(*(column.ordering for column in columns))
        # Only columns of the index are read here, however many rows are sorted.
        places = list(found.values_list("pk", *(column.name for column in columns))[: size + 1])
        more = len(places) > size
        places = places[:size]
        if backwards:
            places.reverse()
        self.first = places[0][1:] if places else None
        self.last = places[-1][1:] if places else None
        self.begins = not (more if backwards else request.query_params.get(self.cursor_query_param))
        self.ends = not (backwards or more)
        rows = view.rows([pk for pk, *_values in places])
        return [rows[pk] for pk, *_values in places if pk in rows]

    def _place(self, request: Request, columns: Sequence[Column]) -> tuple[bool, list[Any]]:
        """Which way to read, and beyond which row; without one from that end of the list."""
        sent = request.query_params.get(self.cursor_query_param)
        if not sent:
            return False, []
        try:
            if len(sent) > CURSOR_LENGTH:
                raise ValueError
            backwards, *values = json.loads(base64.b64decode(sent, "-_", validate=True))
            if not isinstance(backwards, bool) or len(values) not in (0, len(columns)):
                raise ValueError
            return backwards, [column.value(one) for column, one in zip(columns, values, strict=False)]
        except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise NotFound(self.invalid_cursor_message) from error

    def _link(self, backwards: bool, values: Sequence[Any] | None) -> str:
        content = json.dumps(
            [backwards, *map(_written, values or ())], ensure_ascii=False, separators=(",", ":")
        )
        cursor = base64.urlsafe_b64encode(content.encode()).decode()
        return replace_query_param(self.address, self.cursor_query_param, cursor)

    def get_next_link(self) -> str | None:
        return None if self.ends else self._link(False, self.last)

    def get_previous_link(self) -> str | None:
        return None if self.begins else self._link(True, self.first)

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.get_next_link(), "previous": self.get_previous_link(), "results": data})

    # --- the description ------------------------------------------------------------------------------------

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        parameters = super().get_schema_operation_parameters(view)
        for parameter in parameters:
            if parameter["name"] == self.page_size_query_param:
                parameter["schema"] = or_empty(
                    type="integer", minimum=1, maximum=self.max_page_size, default=self.page_size
                )
        return parameters

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": {**link, "example": "https://convoscope.example/api/v1/predictions/?cursor=W2ZhbHNl"},
                "previous": {**link, "example": None},
                "results": schema,
            },
        }


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


class SortedPages(Pages):
    """In the orders of the history page. What has no answer comes last when sorted by confidence."""

    sort_query_param = "sort"

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[Any, ...]:
        sort = request.query_params.get(self.sort_query_param) or "newest"
        if sort not in ORDERS:
            sentence = _("There is no such order. Choose one of these: %(names)s.")
            raise ValidationError({self.sort_query_param: [sentence % {"names": ", ".join(ORDERS)}]})
        return ORDERS[sort]

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        sort = {
            "name": self.sort_query_param,
            "required": False,
            "in": "query",
            "description": "What has no answer yet comes last when sorted by confidence.",
            "schema": or_empty(type="string", enum=list(ORDERS), default="newest"),
        }
        return [*super().get_schema_operation_parameters(view), sort]
