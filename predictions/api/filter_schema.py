"""The filters of the API's list as its description shows them; what they do is said in `predictions.filters`."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from accounts.schema import or_empty
from predictions.filters import STATUSES, TEXT_LENGTH, YES_NO


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
