"""The history as a CSV file, and its days as a strip."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import throttle
from accounts.models import User
from predictions import history, lifecycle
from tests.factories import finish, make_runs, make_user
from tests.predictions.history_pages import BARS, JSON, answered, listed, run_at, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


@pytest.fixture
def user() -> User:
    return make_user(time_zone="America/New_York")


def table(page: Client, query: str = "") -> list[dict[str, str]]:
    response = page.get(f"/history/export.csv?{query}")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


# --- CSV ----------------------------------------------------------------------------------------------------


def test_a_row_says_all_there_is_to_say(page: Client, user: User) -> None:
    run = run_at(user, 2026, 7, 4, 3, 59, 30)
    lifecycle.rename(user, run.upload, "fox, grey.png")
    lifecycle.annotate(user, run.pk, "two\nlines")
    lifecycle.mark(user, [run.pk], starred=True)
    (row,) = table(page)
    assert row["file name"] == "fox, grey.png"
    assert (row["network"], row["version"], row["status"]) == ("tiny", "test-1", "done")
    assert [row[f"label {rank}"] for rank in (1, 2)] == ["red", "green"]
    assert [float(row[f"probability {rank}"]) for rank in range(1, 6)] == [0.6, 0.2, 0.1, 0.05, 0.01]
    assert (row["covered"], row["share covered"], row["outside"]) == ("no", "0", "")
    assert (row["starred"], row["note"]) == ("yes", "two\nlines")
    assert (row["batch"], row["id"]) == (str(run.batch_id), str(run.pk))
    # Of the account's zone, in summer time.
    assert row["created"] == "2026-07-03T23:59:30-04:00"


def test_a_covered_run_says_how_much_is_covered_and_one_without_answer_has_empty_cells(
    page: Client, user: User
) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    (row,) = table(page)
    assert (row["covered"], row["share covered"]) == ("yes", "0.25")
    assert (row["status"], row["label 1"], row["probability 1"], row["finished"]) == ("queued", "", "", "")
    finish(run)
    assert table(page)[0]["status"] == "done"


@pytest.mark.parametrize("name", ["=1+1.png", "+1.png", "-1.png", "@SUM(A1).png"])
def test_what_a_spreadsheet_would_run_becomes_text(page: Client, user: User, name: str) -> None:
    answered(user, 0.9, name=name, note=f"{name}")
    (row,) = table(page)
    assert (row["file name"], row["note"]) == (f"'{name}", f"'{name}")


def test_the_file_holds_what_the_filter_finds_newest_first(page: Client, user: User) -> None:
    for number in range(26):
        answered(user, 0.9 if number % 2 else 0.4, name=f"{number}.png")
    answered(make_user(), 0.9, name="foreign.png")
    assert [row["file name"] for row in table(page)] == [f"{number}.png" for number in range(25, -1, -1)]
    sure = table(page, "confidence_min=0.5&page=2&sort=name")
    assert [row["file name"] for row in sure] == [f"{number}.png" for number in range(25, 0, -2)]


def test_pieces_join_without_a_gap_or_a_repetition_even_at_one_moment(
    page: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "CHUNK", 3)
    runs = [run_at(user, 2026, 3, 1 + number // 4) for number in range(10)]
    assert [row["id"] for row in table(page)] == listed(page.get("/history/"))
    assert len(table(page)) == len(runs)


def test_rows_are_read_while_they_are_sent(page: Client, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "CHUNK", 2)
    make_runs(user, pictures=6, models=("tiny",))
    with CaptureQueriesContext(connection) as asked:
        rows: Iterator[Any] = history.newest_first(history.own(user))
        next(rows)
    assert len(asked) == 2
    with CaptureQueriesContext(connection) as asked:
        assert len(list(rows)) == 5
    assert len(asked) == 5  # two more pieces of two queries, and one that finds nothing more


def test_a_filter_that_cannot_be_read_exports_nothing(page: Client) -> None:
    response = page.get("/history/export.csv?start=soon")
    assert response["Location"] == "/history/?start=soon"


def test_the_page_leads_to_the_file_of_its_filter(page: Client, user: User) -> None:
    answered(user, 0.9)
    html = text(page.get("/history/?model=tiny&q=&page=1"))
    assert 'href="/history/export.csv?model=tiny" download>These as CSV' in html
    assert 'href="/history/export.csv" download>All as CSV' in text(page.get("/history/"))


def test_strangers_get_no_file(client: Client) -> None:
    assert client.get("/history/export.csv").status_code == 302


# --- activity -----------------------------------------------------------------------------------------------


def fragment(page: Client, query: str = "") -> str:
    response = page.get(f"/history/activity/?{query}", headers=JSON)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.json()["html"])


def days(html: str) -> dict[str, int]:
    """The list's days and their numbers."""
    return {day: int(count) for day, count in re.findall(r'end=([0-9-]+)">[^<]+</a>: (\d+)', html)}


def test_days_are_counted_as_days_of_the_accounts_zone(page: Client, user: User) -> None:
    # New York is four hours behind UTC in July.
    run_at(user, 2026, 7, 4, 3, 59)
    run_at(user, 2026, 7, 4, 4, 0)
    run_at(user, 2026, 7, 5, 3, 59)
    run_at(make_user(), 2026, 7, 4, 12)
    html = fragment(page, "end=2026-07-31")
    assert days(html) == {"2026-07-03": 1, "2026-07-04": 2}
    assert "3 predictions from" in html
    assert "On 2 days, most on July 4, 2026: 2." in html


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 8, 23), (11, 2, 25)])
def test_a_day_on_which_the_clocks_change_is_one_day(
    page: Client, user: User, month: int, day: int, hours: int
) -> None:
    year = 2025 if month == 11 else 2026
    midnight = datetime(year, month, day, tzinfo=ZoneInfo("America/New_York")).astimezone(UTC)
    for moment in (midnight, midnight + timedelta(hours=hours, minutes=-1)):
        run_at(user, *moment.timetuple()[:5])
    run_at(user, *(midnight + timedelta(hours=hours)).timetuple()[:5])
    assert days(fragment(page, f"end={year}-12-01")) == {
        f"{year}-{month:02}-{day:02}": 2,
        f"{year}-{month:02}-{day + 1:02}": 1,
    }


def test_other_filters_count_and_the_days_chosen_are_only_marked(page: Client, user: User) -> None:
    run_at(user, 2026, 3, 1, 12, first=0)
    run_at(user, 2026, 3, 2, 12, first=0)
    run_at(user, 2026, 3, 2, 12, first=2)
    html = fragment(page, "label=red&start=2026-03-02&end=2026-03-02&sort=oldest")
    assert days(html) == {"2026-03-01": 1, "2026-03-02": 1}
    assert html.count("chosen") == 1
    # A day's address keeps what else is filtered.
    assert 'href="/history/?label=red&amp;sort=oldest&amp;start=2026-03-01&amp;end=2026-03-01"' in html


def test_the_strip_ends_today_and_has_53_weeks(page: Client, user: User) -> None:
    make_runs(user, models=("tiny",))
    html = fragment(page)
    today = timezone.localdate(timezone=ZoneInfo("America/New_York"))
    assert list(days(html)) == [today.isoformat()]
    # A square with a link for each day that has predictions; all others are one path.
    assert html.count("<rect") == 1
    (path,) = re.findall(r'<path d="([^"]+)"', html)
    assert 52 * 7 < path.count("M") + 1 <= 53 * 7
    assert "style=" not in html


@pytest.mark.parametrize(
    "query", ["start=0001-01-01", "end=0001-01-01", "start=9999-12-31", "end=9999-12-31"]
)
def test_days_at_the_ends_of_the_calendar_have_a_strip(page: Client, user: User, query: str) -> None:
    make_runs(user, models=("tiny",))
    assert "<svg" in fragment(page, query)


def test_without_predictions_it_says_so(page: Client) -> None:
    html = fragment(page)
    assert "No predictions from" in html
    assert "<details" not in html


def test_without_a_script_the_strip_is_a_page(page: Client, user: User) -> None:
    run_at(user, 2026, 3, 1, 12)
    assert "/history/activity/?model=tiny" in text(page.get("/history/?model=tiny"))
    html = text(page.get("/history/activity/?model=tiny&end=2026-03-31"))
    assert "<h1>Activity</h1>" in html
    assert days(html) == {"2026-03-01": 1}


def test_a_filter_that_cannot_be_read_has_no_strip(page: Client, user: User) -> None:
    make_runs(user, models=("tiny",))
    assert page.get("/history/activity/?start=soon")["Location"] == "/history/?start=soon"
    assert page.get("/history/activity/?start=soon", headers=JSON).status_code == 400
    assert "data-activity=" not in text(page.get("/history/?start=soon"))


def test_the_strip_costs_one_query_however_many_there_are(page: Client, user: User) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            fragment(page)
        return len([one for one in asked if "predictions_prediction" in one["sql"]])

    make_runs(user, models=("tiny",))
    count()
    assert count() == 1
    make_runs(user, pictures=5, models=("tiny",))
    assert count() == 1


@pytest.mark.parametrize(("address", "scope"), [("export.csv", "export"), ("activity/", "activity")])
def test_reading_the_whole_history_again_and_again_has_a_limit(
    page: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, address: str, scope: str
) -> None:
    settings.RATE_LIMITS = True
    spent = {"export": 10, "activity": 60}
    monkeypatch.setattr(throttle, "_count", lambda asked, *rest: spent[asked])
    assert page.get(f"/history/{address}").status_code == 200
    spent[scope] += 1
    response = page.get(f"/history/{address}", headers=JSON)
    assert response.status_code == 429
    assert response.json()["error"]["code"] == "throttled"
    assert page.get("/history/").status_code == 200
