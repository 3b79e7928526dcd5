"""The history's filters and orders, each by what it lists."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from predictions import lifecycle
from predictions.models import Prediction
from tests.factories import make_runs, make_user
from tests.predictions.history_pages import BARS, answered, listed, run_at, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


@pytest.fixture
def user() -> User:
    return make_user(time_zone="America/New_York")


def found(page: Client, query: str) -> set[str]:
    response = page.get(f"/history/?{query}")
    assert response.status_code == 200
    return set(listed(response))


def ids(*runs: Prediction) -> set[str]:
    return {str(run.pk) for run in runs}


# --- days, networks, classes, batches --------------------------------------------------------------------------


def test_days_are_whole_inclusive_and_of_the_accounts_zone(page: Client, user: User) -> None:
    # New York is four hours behind UTC in July: its 4th ends at four in the morning of UTC's 5th.
    before = run_at(user, 2026, 7, 4, 3, 59)
    first = run_at(user, 2026, 7, 4, 4, 0)
    last = run_at(user, 2026, 7, 5, 3, 59)
    after = run_at(user, 2026, 7, 5, 4, 0)
    assert listed(page.get("/history/?start=2026-07-04&end=2026-07-04")) == [str(last.pk), str(first.pk)]
    assert listed(page.get("/history/?end=2026-07-03")) == [str(before.pk)]
    assert listed(page.get("/history/?start=2026-07-05")) == [str(after.pk)]


def test_a_network_and_a_class_can_be_chosen(page: Client, user: User) -> None:
    red = run_at(user, 2026, 3, 1, network="tiny", first=0)
    blue = run_at(user, 2026, 3, 2, network="tiny", first=2)
    other = run_at(user, 2026, 3, 3, network="small", first=2)
    assert listed(page.get("/history/?model=tiny")) == [str(blue.pk), str(red.pk)]
    assert listed(page.get("/history/?label=blue")) == [str(other.pk), str(blue.pk)]
    assert listed(page.get("/history/?label=blue&model=tiny")) == [str(blue.pk)]
    html = page.get("/history/?label=blue").content.decode()
    assert '<option value="blue" selected>blue</option>' in html
    assert '<option value="sea_green">sea green</option>' in html


def test_a_batch_can_be_looked_at(page: Client, user: User) -> None:
    runs = make_runs(user, pictures=2, models=("tiny",))
    make_runs(user, models=("tiny",))
    response = page.get(f"/history/?batch={runs[0].batch_id}")
    assert set(listed(response)) == {str(run.pk) for run in runs}
    assert f"Batch: <b>{str(runs[0].batch_id)[:8]}</b>" in text(response)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("start=yesterday", "“yesterday” is not a date. Write it as 2026-03-31"),
        ("end=2026-02-30", "“2026-02-30” is not a date."),
        ("start=31.03.2026", "“31.03.2026” is not a date."),
        ("start=2026-03-02&end=2026-03-01", "The last day lies before the first one."),
        ("model=nosuch", "There is no such network."),
        ("label=-10", "There is no class “-10”."),
        ("label=101", "There is no class “101”."),
        ("model=tiny&label=apple", "Tiny has no class “apple”."),
        ("batch=17", "This is not a batch&#x27;s id."),
        ("status=lost", "There is no status “lost”."),
        ("confidence_min=much", "“much” is not a confidence. Write a number from 0 to 1, such as 0.9."),
        ("confidence_min=90", "“90” is not a confidence."),
        ("confidence_max=-0.1", "“-0.1” is not a confidence."),
        ("confidence_max=nan", "“nan” is not a confidence."),
        ("confidence_min=0.9&confidence_max=0.5", "The upper limit lies below the lower one."),
        ("covered=maybe", "“maybe” is neither yes nor no."),
        ("starred=1", "“1” is neither yes nor no."),
        ("sort=best", "There is no order “best”."),
    ],
)
def test_a_filter_that_makes_no_sense_says_so_at_its_field_and_shows_nothing(
    page: Client, user: User, query: str, sentence: str
) -> None:
    run_at(user, 2026, 3, 5)
    response = page.get(f"/history/?{query}")
    assert response.status_code == 200
    assert sentence in text(response)
    assert listed(response) == []
    # Days in the wrong order can be read: the sentence at the field is all there is to say.
    assert ("This filter cannot be read" in text(response)) is ("lies be" not in sentence)


def test_what_was_typed_stays_in_the_field(page: Client, user: User) -> None:
    run_at(user, 2026, 3, 5)
    html = page.get("/history/?start=yesterday&end=2026-03-09").content.decode()
    assert re.search(r'<input type="text" name="start" value="yesterday"', html)
    assert re.search(r'<input type="date" name="end" value="2026-03-09"', html)


@pytest.mark.parametrize("day", ["0001-01-01", "1969-12-31", "9999-12-31"])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_days_at_the_end_of_the_calendar_are_days(client: Client, day: str, zone: str) -> None:
    user = make_user(time_zone=zone)
    client.force_login(user)
    run_at(user, 2026, 3, 5)
    for name in ("start", "end"):
        assert client.get(f"/history/?{name}={day}").status_code == 200


def test_nothing_that_matches_is_not_nothing_at_all(page: Client, user: User) -> None:
    run_at(user, 2026, 3, 5)
    html = text(page.get("/history/?label=blue"))
    assert "Nothing matches" in html
    assert 'class="filters' in html


# --- confidence, bars, stars, text ---------------------------------------------------------------------------


def test_a_confidence_is_a_share_with_both_limits_included(page: Client, user: User) -> None:
    low, middle, high = (answered(user, probability) for probability in (0.3, 0.5, 0.9))
    make_runs(user, models=("tiny",))  # no answer, and so no confidence
    assert found(page, "confidence_min=0.5") == ids(middle, high)
    assert found(page, "confidence_max=0.5") == ids(low, middle)
    assert found(page, "confidence_min=0.4&confidence_max=0.6") == ids(middle)
    assert found(page, "confidence_min=0") == ids(low, middle, high)


def test_a_confidence_that_the_list_does_not_offer_stays_chosen(page: Client, user: User) -> None:
    answered(user, 0.9)
    html = page.get("/history/?confidence_min=0.85").content.decode()
    assert '<option value="0.85" selected>85.0%</option>' in html


def test_covered_ones_and_others(page: Client, user: User) -> None:
    plain = answered(user, 0.9)
    covered = answered(user, 0.9, bars=BARS)
    assert found(page, "covered=yes") == ids(covered)
    assert found(page, "covered=no") == ids(plain)


def test_starred_ones_and_others(page: Client, user: User) -> None:
    plain, starred = answered(user, 0.9), answered(user, 0.9)
    lifecycle.mark(user, [starred.pk], starred=True)
    assert found(page, "starred=yes") == ids(starred)
    assert found(page, "starred=no") == ids(plain)


@pytest.mark.parametrize("words", ["rome", "ROME", "street rome", "me-St", "  rome  "])
def test_all_words_stand_somewhere_in_the_file_name_whatever_their_case(
    page: Client, user: User, words: str
) -> None:
    rome = answered(user, 0.9, name="Rome-Street 12.JPG")
    answered(user, 0.9, name="Paris-Street.jpg")
    assert found(page, f"q={words}") == ids(rome)


def test_letters_beyond_ascii_have_no_case_either(page: Client, user: User) -> None:
    name = answered(user, 0.9, name="STRAßE-Ärger.png")
    note = answered(user, 0.9, name="a.png", note="ÜBUNG drei")
    answered(user, 0.9, name="b.png")
    for words in ("strasse", "ÄRGER", "ärger"):
        assert found(page, f"q={words}") == ids(name)
    assert found(page, "q=übung") == ids(note)


def test_a_word_may_stand_in_the_note_and_another_in_the_name(page: Client, user: User) -> None:
    run = answered(user, 0.9, name="fox.png", note="Ask the teacher")
    answered(user, 0.9, name="fox.png")
    other = make_user()
    answered(other, 0.9, name="fox.png", note="Ask the teacher")
    assert found(page, "q=teacher") == ids(run)
    assert found(page, "q=teacher fox") == ids(run)
    assert found(page, "q=teacher wolf") == set()


@pytest.mark.parametrize("words", ["100%", "a_b", "c\\d", "e'f"])
def test_what_means_something_to_the_database_means_itself(page: Client, user: User, words: str) -> None:
    run = answered(user, 0.9, name=f"x {words} y.png", note="")
    # A backslash separates folders, of which only the last part is kept.
    expected = ids(run) if "\\" not in words else set()
    answered(user, 0.9, name="100 aXb cd ef.png")
    response = page.get("/history/", {"q": words})
    assert set(listed(response)) == expected


def test_a_text_that_no_file_name_can_hold_is_refused_at_its_field(page: Client, user: User) -> None:
    answered(user, 0.9)
    assert "Null characters are not allowed." in text(page.get("/history/", {"q": "a\0b"}))
    assert "at most 120 characters" in text(page.get("/history/", {"q": "a" * 121}))


def test_a_status_can_be_chosen(page: Client, user: User) -> None:
    done = answered(user, 0.9)
    (waiting,) = make_runs(user, models=("tiny",))
    assert found(page, "status=done") == ids(done)
    assert found(page, "status=queued") == ids(waiting)
    assert found(page, "status=rejected") == set()


# --- what is filtered by ---------------------------------------------------------------------------------------


def test_each_active_filter_is_shown_and_can_be_taken_away(page: Client, user: User) -> None:
    run_at(user, 2026, 3, 5)
    html = text(page.get("/history/?q=&model=tiny&label=red&start=2026-03-01&confidence_min=0.5&sort=oldest"))
    for chip in ("Network: <b>Tiny</b>", "Class: <b>red</b>", "From: <b>March 1, 2026</b>"):
        assert chip in html
    assert "Confidence, at least: <b>50.0%</b>" in html
    without_network = "?label=red&amp;start=2026-03-01&amp;confidence_min=0.5&amp;sort=oldest"
    assert f'href="/history/{without_network}"' in html
    assert "Order:" not in html


def test_seldom_used_filters_are_folded_away_unless_they_are_used(page: Client, user: User) -> None:
    answered(user, 0.9)
    assert '<details class="more">' in text(page.get("/history/?q=a"))
    assert '<details class="more" open>' in text(page.get("/history/?starred=no"))
    assert '<details class="more" open>' in text(page.get("/history/?covered=maybe"))


# --- order -----------------------------------------------------------------------------------------------------


def test_each_order(page: Client, user: User) -> None:
    first = answered(user, 0.5, name="b.png")
    second = answered(user, 0.9, name="C.png")
    third = answered(user, 0.3, name="a.png")
    (waiting,) = make_runs(user, models=("tiny",))
    lifecycle.rename(user, waiting.upload, "d.png")
    orders = {
        "": [waiting, third, second, first],
        "newest": [waiting, third, second, first],
        "oldest": [first, second, third, waiting],
        "surest": [second, first, third, waiting],
        "least-sure": [third, first, second, waiting],
        "name": [third, first, second, waiting],
    }
    for order, runs in orders.items():
        assert listed(page.get(f"/history/?sort={order}")) == [str(run.pk) for run in runs], order


def test_pages_of_the_surest_go_on_with_those_that_have_no_answer(page: Client, user: User) -> None:
    make_runs(user, pictures=30, models=("tiny",))
    waiting = list(Prediction.objects.of(user).order_by("-created", "-id"))
    runs = [answered(user, 0.5 + number / 100) for number in range(20)]
    pages = [listed(page.get(f"/history/?sort=surest&page={number}")) for number in (1, 2, 3)]
    expected = [*reversed(runs), *waiting]
    assert pages == [[str(run.pk) for run in expected[at : at + 24]] for at in (0, 24, 48)]
    assert page.get("/history/?sort=surest&page=4").status_code == 404


@pytest.mark.parametrize("order", ["newest", "oldest", "surest", "least-sure", "name"])
def test_no_order_lists_a_prediction_twice_or_not_at_all(page: Client, user: User, order: str) -> None:
    runs = make_runs(user, pictures=26, models=("tiny",))
    pages = [listed(page.get(f"/history/?sort={order}&page={number}")) for number in (1, 2)]
    assert sorted(pages[0] + pages[1]) == sorted(str(run.pk) for run in runs)


# --- speed -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "most"),
    [
        ("", 6),
        ("model=tiny", 8),
        ("label=red", 7),
        ("q=png", 6),
        ("confidence_min=0.1&covered=no&starred=no&status=done&sort=surest", 6),
    ],
)
def test_a_filter_costs_no_query_a_row(page: Client, user: User, query: str, most: int) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert page.get(f"/history/?{query}").status_code == 200
        # Those who it is, and what it is asked, are the same for every page.
        return len([one for one in asked if "predictions_" in one["sql"]])

    answered(user, 0.9, name="one.png")
    count()
    few = count()
    assert few <= most
    for number in range(12):
        answered(user, 0.9, name=f"{number}.png")
    assert count() == few


@pytest.mark.parametrize(
    "query",
    [
        "",
        "label=red",
        "q=png",
        "covered=no",
        "starred=yes",
        "confidence_min=0.5",
        "status=done",
        "sort=surest",
        "sort=least-sure",
        "sort=name",
    ],
)
def test_what_is_counted_and_ordered_is_read_from_the_index_alone(
    page: Client, user: User, query: str
) -> None:
    for _number in range(25):
        answered(user, 0.9)
    with CaptureQueriesContext(connection) as asked:
        page.get(f"/history/?{query}")
    searches = [
        one["sql"] for one in asked if "predictions_prediction" in one["sql"] and "JOIN" not in one["sql"]
    ]
    assert searches
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by what the table holds; benchmarks/history.py measures it")
    with connection.cursor() as cursor:
        for sql in searches:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(str(row[-1]) for row in cursor.fetchall())
            assert "USING COVERING INDEX prediction_history" in plan, (sql, plan)


def test_more_words_than_are_looked_for_are_refused_at_their_field(page: Client, user: User) -> None:
    run = answered(user, 0.9, name="a b c d e f g h.png")
    response = page.get("/history/", {"q": "a b c d e f g h a b"})
    assert listed(response) == [str(run.pk)]
    response = page.get("/history/", {"q": "a b c d e f g h i"})
    assert "Search for at most 8 words at once." in text(response)
    assert listed(response) == []
