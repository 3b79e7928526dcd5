"""Search in the admin's lists of many rows, whose owners and file names are what people look for.

Django's own would join every row with its owner, and ask four times for all that match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import smart_split, unescape_string_literal

from accounts.models import User

# More accounts than this are left to the database to look up; so few are named to it, so that it knows how few.
FEW = 500
MOST_WORDS = 8


def accounts_like(part: str) -> QuerySet[User]:
    """Accounts whose address holds these letters; addresses are kept in lower case."""
    return User.objects.filter(email__contains=part.strip().lower())


def owned_by_like(part: str, field: str = "owner") -> Q:
    """Rows whose owner's address holds these letters."""
    people = accounts_like(part).order_by().values_list("pk", flat=True)
    few = list(people[: FEW + 1])
    return Q(**{f"{field}__in": few if len(few) <= FEW else people})


def words_of(text: str) -> list[str]:
    """What is looked for, each: words, or what stands between quotation marks as one."""
    parts = list(smart_split(text.replace("\0", "")))[:MOST_WORDS]
    quoted = [len(part) > 1 and part[0] in "\"'" and part[0] == part[-1] for part in parts]
    return [
        unescape_string_literal(part) if is_one else part for part, is_one in zip(parts, quoted, strict=True)
    ]


class QuickList(ChangeList):
    """A list that offers no days to choose from while something is searched: for them all rows would be read twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.query:
            self.date_hierarchy = None


if TYPE_CHECKING:
    Admin = admin.ModelAdmin
else:
    Admin = object


class OwnerSearch(Admin):
    """Each word is looked for in the owners' addresses and in ``named``; one with an @ in the addresses alone."""

    def named(self, word: str) -> Q:
        return Q(filename__icontains=word)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return QuickList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any, Model], search_term: str
    ) -> tuple[QuerySet[Any, Model], bool]:
        for word in words_of(search_term):
            wanted = owned_by_like(word)
            queryset = queryset.filter(wanted if "@" in word else wanted | self.named(word))
        return queryset, False
