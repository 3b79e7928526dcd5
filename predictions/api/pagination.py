"""Pages of the API's lists, turned by cursor: what is added meanwhile shifts nothing."""

from __future__ import annotations

import math
from typing import Any

from django.db.models.functions import Coalesce
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.schema import or_empty


class NewestFirst(CursorPagination):
    ordering = ("-created", "-id")
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
                "next": {**link, "example": "https://convoscope.example/api/v1/predictions/?cursor=cD0yMDI2"},
                "previous": {**link, "example": None},
                "results": schema,
            },
        }

    def decode_cursor(self, request: Request) -> Any:
        cursor = super().decode_cursor(request)
        if cursor is not None and cursor.position is not None and not self.is_position(str(cursor.position)):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def is_position(self, text: str) -> bool:
        """Whether the first column of the order can have this value."""
        try:
            return parse_datetime(text) is not None
        except ValueError:
            return False

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.get_next_link(), "previous": self.get_previous_link(), "results": data})


class SortedPredictions(NewestFirst):
    """In the orders of the history page. What has no answer comes last when sorted by confidence."""

    sort_query_param = "sort"
    ORDERS = {
        "newest": ("-created", "-id"),
        "oldest": ("created", "id"),
        "surest": ("-sureness", "-created", "-id"),
        "least-sure": ("sureness", "-created", "-id"),
        "name": ("search_name", "-created", "-id"),
    }
    # In place of no probability, since a cursor cannot stand at nothing.
    NO_ANSWER = {"surest": -1.0, "least-sure": 2.0}

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        sort = request.query_params.get(self.sort_query_param) or "newest"
        if sort not in self.ORDERS:
            sentence = _("There is no such order. Choose one of these: %(names)s.")
            raise ValidationError({self.sort_query_param: [sentence % {"names": ", ".join(self.ORDERS)}]})
        return self.ORDERS[sort]

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Any:
        sort = request.query_params.get(self.sort_query_param)
        if sort in self.NO_ANSWER:
            queryset = queryset.annotate(sureness=Coalesce("probability1", self.NO_ANSWER[sort]))
        return super().paginate_queryset(queryset, request, view)

    def is_position(self, text: str) -> bool:
        first = self.ordering[0].removeprefix("-")
        if first == "search_name":
            return "\0" not in text
        if first == "sureness":
            try:
                return math.isfinite(float(text))
            except ValueError:
                return False
        return super().is_position(text)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        sort = {
            "name": self.sort_query_param,
            "required": False,
            "in": "query",
            "description": "What has no answer yet comes last when sorted by confidence.",
            "schema": or_empty(type="string", enum=list(self.ORDERS), default="newest"),
        }
        return [*super().get_schema_operation_parameters(view), sort]
