"""The orders in which predictions are listed, on pages and in the API, by the name that addresses have for them."""

from __future__ import annotations

from typing import Any

from django.db.models import F
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
