"""What the API says about all predictions that its filters find: a table to download, and how many each day has."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.schema import answer, errors
from predictions import history_table
from predictions.activity import strip
from predictions.api import examples
from predictions.api.answers import TAG
from predictions.api.filter_schema import FILTERS, check
from predictions.api.serializers import ActivitySerializer
from predictions.filters import ApiPredictionFilter
from predictions.tables import csv_response

# Action -> the scope by which it is throttled: both read a whole history.
SUMMARIES = {"export": "export", "activity": "activity"}


class SummariesMixin(GenericViewSet):
    """For the view set of predictions."""

    def _filtered(self) -> ApiPredictionFilter:
        sent = self.request.query_params
        return check(ApiPredictionFilter(sent, queryset=self.get_queryset(), request=self.request))

    @extend_schema(
        operation_id="predictions_export",
        tags=TAG,
        summary="All that the filters find, as CSV",
        description=(
            "What the list has with the same filters, newest first and in one file: a prediction a row, with its five "
            "answers. Times are UTC. Cells that a spreadsheet would take for formulas begin with an apostrophe."
        ),
        parameters=FILTERS,
        responses={
            (200, "text/csv"): answer(OpenApiTypes.STR, "The file.", examples.EXPORT_CSV),
            **errors(400, 401, 429),
        },
        filters=False,
    )
    def export(self, request: Request) -> HttpResponseBase:
        rows = history_table.rows(self._filtered().qs, UTC)
        today = timezone.localdate(timezone=UTC)
        return csv_response(f"convoscope-{today}.csv", history_table.COLUMNS, rows)

    @extend_schema(
        operation_id="predictions_activity",
        tags=TAG,
        summary="How many predictions each day has",
        description=(
            "Of the 53 weeks that end today, or with `end`, or begin with `start`; days before `start` and after `end` "
            "are not counted."
        ),
        parameters=FILTERS,
        responses={
            200: answer(ActivitySerializer, "The days that have any.", examples.ACTIVITY),
            **errors(400, 401, 429),
        },
        filters=False,
    )
    @action(detail=False, methods=["get"], pagination_class=None)
    def activity(self, request: Request) -> Response:
        filtered = self._filtered()
        start, end = (filtered.form.cleaned_data[name] for name in ("start", "end"))
        with timezone.override(UTC):
            found = strip(filtered.qs, start, end)
        days: list[dict[str, Any]] = [
            {"day": day, "count": count} for day, count in found.counts.items() if count
        ]
        first, last = max(start or found.first, found.first), min(end or found.last, found.last)
        shown = {"first": first, "last": max(first, last), "total": found.total, "days": days}
        return Response(ActivitySerializer(shown).data)
