"""The filters of the API as its description shows them, and how they refuse; what they do: `predictions.filters`."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request

from accounts.schema import or_empty
from predictions.filters import STATUSES, TEXT_LENGTH, YES_NO, ApiPredictionFilter


def check(filtered: ApiPredictionFilter) -> ApiPredictionFilter:
    """Raises ValidationError with each field's sentences where the filter cannot be read."""
    if filtered.is_valid():
        return filtered
    raise ValidationError(
        {
            # An error's own messages: the framework would take a percent sign in what was sent for a placeholder.
            name: [ErrorDetail(sentence, error.code) for error in errors for sentence in error.messages]
            for name, errors in filtered.form.errors.as_data().items()
        }
    )


class Filters(DjangoFilterBackend):
    """The filters of the list."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        filtered = self.get_filterset(request, queryset, view)
        return queryset if filtered is None else check(filtered).qs


def _filter(name: str, schema: dict[str, Any], description: str) -> OpenApiParameter:
    return OpenApiParameter(name, schema if schema is TEXT else or_empty(**schema), description=description)


TEXT = {"type": "string", "maxLength": TEXT_LENGTH}
DAY = {"type": "string", "format": "date"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
EITHER = {"type": "string", "enum": [value for value, _name in YES_NO]}

FILTERS = [
    _filter("model", TEXT, "A network's name."),
    _filter("label", TEXT, "The likeliest class, by the network's own name for it, such as `aquarium_fish`."),
    _filter("start", DAY, "The first day, in UTC: YYYY-MM-DD."),
    _filter("end", DAY, "The last day, in UTC and included."),
    _filter("batch", {"type": "string", "format": "uuid"}, "What one POST returned."),
    _filter("status", {"type": "string", "enum": [value for value, _name in STATUSES]}, "A state."),
    _filter("confidence_min", SHARE, "The likeliest class has at least this probability."),
    _filter("confidence_max", SHARE, "The likeliest class has at most this probability."),
    _filter("covered", EITHER, "Whether bars were drawn."),
    _filter("starred", EITHER, "Whether you starred it."),
    _filter("q", TEXT, "Words that all stand in the file name or in the note."),
]
