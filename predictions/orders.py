"""The orders in which predictions are listed, on pages and in the API, by the name that addresses have for them."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

# Every order ends with the id, so that no row stands on two pages.
NEWEST = ("-created", "-id")
_ORDERS: list[tuple[str, Any, tuple[Any, ...]]] = [
    ("newest", _("Newest first"), NEWEST),
    ("oldest", _("Oldest first"), ("created", "id")),
    ("surest", _("Surest first"), (F("probability1").desc(nulls_last=True), *NEWEST)),
    ("least-sure", _("Least sure first"), (F("probability1").asc(nulls_last=True), *NEWEST)),
    ("name", _("By file name"), ("search_name", *NEWEST)),
]
# Name -> columns, and as the choices of a field.
ORDERS = {name: columns for name, _words, columns in _ORDERS}
SORTS = [(name, words) for name, words, _columns in _ORDERS]


def order_indexes() -> list[models.Index]:
    """What is listed, by confidence, read from either end, and by name.

    They are narrow beside ``prediction_history_columns``: what needs no other column is counted and searched in them,
    too. SQLite reads the row for a column of the condition unless it stands here as well.
    """
    listed = Q(asked=True, deleted__isnull=True)
    return [
        models.Index(
            fields=["owner", "probability1", "created", "id", "asked", "deleted"],
            name="prediction_history_sure",
            condition=listed,
        ),
        models.Index(
            fields=["owner", "search_name", "-created", "-id", "asked", "deleted"],
            name="prediction_history_name",
            condition=listed,
        ),
    ]
