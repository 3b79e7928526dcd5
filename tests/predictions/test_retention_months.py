"""The months after which a picture goes are those of the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predictions import retention


@pytest.mark.parametrize(
    ("moment", "months", "expected"),
    [
        (datetime(2026, 11, 20, 9, 30, tzinfo=UTC), 12, datetime(2025, 11, 20, 9, 30, tzinfo=UTC)),
        (datetime(2026, 3, 31, tzinfo=UTC), 1, datetime(2026, 2, 28, tzinfo=UTC)),
        (datetime(2024, 2, 29, tzinfo=UTC), 12, datetime(2023, 2, 28, tzinfo=UTC)),
        (datetime(2026, 1, 15, tzinfo=UTC), 1, datetime(2025, 12, 15, tzinfo=UTC)),
    ],
)
def test_months_are_those_of_the_calendar(moment: datetime, months: int, expected: datetime) -> None:
    assert retention.earlier(moment, months) == expected


START = datetime(1990, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 6_000_000_000).map(lambda seconds: START + timedelta(seconds=seconds))


@given(MOMENTS, st.integers(1, 1200))
def test_what_is_announced_is_when_it_happens(newest: datetime, months: int) -> None:
    due = retention.later(newest, months)
    assert retention.earlier(due, months) >= newest
    assert retention.earlier(due - timedelta(microseconds=1), months) < newest
