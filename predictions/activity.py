"""How many predictions each day has, as a strip of 53 weeks: a column a week, a square a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.formats import date_format, get_format
from django.utils.translation import get_language

from predictions.models import Prediction

WEEKS = 53
ALL_BUT_ONE_WEEK = timedelta(weeks=WEEKS - 1)
# The weeks before a day can be counted in every zone if it is not before this one.
EARLIEST = date(1972, 1, 1)
LEVELS = 4
# In the units of the drawing: a square and the gap beside it, and the room for the names of months and weekdays.
STEP = 14
TOP = 18
LEFT = 34
# A square of 12 with round corners, from its upper left one.
SQUARE = "m2 0h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-8a2 2 0 0 1 2-2z"


@dataclass(frozen=True)
class Day:
    """A square: where it lies, and how dark it is (0 for a day without predictions)."""

    day: date
    count: int
    level: int
    x: int
    y: int
    chosen: bool

    @property
    def kind(self) -> str:
        return f"level-{self.level} chosen" if self.chosen else f"level-{self.level}"

    @property
    def place(self) -> str:
        return f"{self.x} {self.y}"

    @property
    def query(self) -> str:
        """What filters by this day alone, in an address."""
        return f"start={self.day}&end={self.day}"


@lru_cache(maxsize=4096)
def in_words(day: date, language: str | None) -> str:
    """A day as it is written in this language, which is the active one. Each stands twice on every calendar."""
    return date_format(day)


@dataclass(frozen=True)
class Strip:
    """The days from ``first`` to ``last``; ``start`` and ``end`` are those that a filter chose."""

    counts: dict[date, int]
    start: date | None = None
    end: date | None = None

    @property
    def first(self) -> date:
        return next(iter(self.counts))

    @property
    def last(self) -> date:
        return next(reversed(self.counts))

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @cached_property
    def days(self) -> list[Day]:
        most = max(self.counts.values())
        days = []
        for number, (day, count) in enumerate(self.counts.items()):
            level = -(-LEVELS * count // most) if count else 0
            x, y = LEFT + STEP * (number // 7), TOP + STEP * (number % 7)
            days.append(Day(day, count, level, x, y, self._chosen(day)))
        return days

    @cached_property
    def active(self) -> list[Day]:
        """The days with predictions, the latest first: the strip as a list."""
        return [day for day in reversed(self.days) if day.count]

    def links(self, address: str) -> list[tuple[str, str, str, str, str]]:
        """The days with predictions, the latest first: where each leads, its name, its number, its look and place.

        Texts by themselves: a template takes twice as long to look them up in a day, four hundred times.
        """
        language = get_language()
        return [
            (f"{address}{one.query}", in_words(one.day, language), str(one.count), one.kind, one.place)
            for one in self.active
        ]

    @property
    def empty(self) -> str:
        """The squares of days without predictions, as one path; see ``chosen_empty`` for those of the filter."""
        return self._path(chosen=False)

    @property
    def chosen_empty(self) -> str:
        return self._path(chosen=True)

    def _path(self, *, chosen: bool) -> str:
        return "".join(f"M{day.place}{SQUARE}" for day in self.days if not day.count and day.chosen is chosen)

    @property
    def busiest(self) -> Day:
        return max(self.days, key=lambda day: day.count)

    @property
    def months(self) -> list[tuple[int, str]]:
        """Where the name of each month stands: over the first week that begins in it, if there is room."""
        mondays = self.days[::7]
        names = [
            (after.x, date_format(after.day, "M"))
            for before, after in pairwise(mondays)
            if before.day.month != after.day.month
        ]
        return [(x, name) for x, name in names if x <= self.width - 2 * STEP]

    @property
    def weekdays(self) -> list[tuple[int, str]]:
        """Every second weekday, with the middle of its row."""
        rows = (1, 3, 5)
        return [(TOP + STEP * row + 10, date_format(self.days[row].day, "D")) for row in rows]

    @property
    def width(self) -> int:
        return LEFT + STEP * WEEKS

    @property
    def height(self) -> int:
        return TOP + STEP * 7

    def _chosen(self, day: date) -> bool:
        return bool(self.start or self.end) and (self.start or day) <= day <= (self.end or day)


def strip(found: QuerySet[Prediction], start: date | None, end: date | None) -> Strip:
    """The 53 weeks up to today, or those that begin or end with the days of a filter."""
    today = timezone.localdate()
    last = max(min(end or today, today), EARLIEST)
    if start and not end and start < today - ALL_BUT_ONE_WEEK:
        last = max(start, EARLIEST) + ALL_BUT_ONE_WEEK
    # Whole weeks, beginning with the day on which weeks begin for the reader (0 is Sunday, Python's Monday is 0).
    into_week = (last.weekday() - (get_format("FIRST_DAY_OF_WEEK") - 1)) % 7
    first = last - timedelta(days=into_week) - ALL_BUT_ONE_WEEK
    return Strip(counts(found, first, last), start, end)


def counts(found: QuerySet[Prediction], first: date, last: date) -> dict[date, int]:
    """How many predictions each day from ``first`` to ``last`` has; days are those of the active zone.

    The database reads one range of the index a day. So the midnights are those of the zone, summer time and all, and
    no date is taken apart row by row.
    """
    connection = connections[found.db]
    zone = timezone.get_current_timezone()
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    midnights = [
        connection.ops.adapt_datetimefield_value(datetime.combine(day, time.min, zone))
        for day in [*days, last + timedelta(days=1)]
    ]
    ranges: list[Any] = [moment for pair in pairwise(midnights) for moment in pair]
    of_a_day = found.filter(created__gte=RawSQL("days.column2", []), created__lt=RawSQL("days.column3", []))
    try:
        inner, parameters = of_a_day.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return dict.fromkeys(days, 0)
    values = ", ".join(f"({i}, %s, %s)" for i in range(len(days)))
    statement = f"SELECT days.column1, (SELECT COUNT(*) FROM ({inner}) entries) FROM (VALUES {values}) days"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [*parameters, *ranges])
        found_on = dict(cursor.fetchall())
    return {day: found_on[i] for i, day in enumerate(days)}
