"""The API's lists: turned by cursor without gaps and repeats, and read from an index however long they are."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from predictions import lifecycle
from predictions.models import Batch, Prediction
from tests.api import BATCHES, PREDICTIONS, Api, error_of
from tests.factories import finish, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

SORTS = ["newest", "oldest", "surest", "least-sure", "name"]


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def api(owner: User) -> Api:
    return Api(owner)


def copies(run: Prediction, count: int, **fields: Any) -> None:
    """More rows like this one, made at one moment."""
    rows = []
    for _one in range(count):
        row = Prediction.objects.get(pk=run.pk) if not rows else Prediction(**_values(rows[0]))
        row.pk, row._state.adding = uuid4(), True
        for name, value in fields.items():
            setattr(row, name, value)
        rows.append(row)
    Prediction.objects.bulk_create(rows, batch_size=500)


def _values(row: Prediction) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in Prediction._meta.concrete_fields}


def pages(api: Api, address: str, link: str = "next") -> Iterator[list[str]]:
    """The ids of each page from this one on."""
    seen: set[str] = set()
    next_one: str | None = address
    while next_one:
        assert next_one not in seen, "a page leads back to an earlier one"
        seen.add(next_one)
        body = api.get(next_one).json()
        yield [entry["id"] for entry in body["results"]]
        next_one = body[link]


@pytest.mark.parametrize("sort", SORTS)
def test_more_than_a_thousand_that_are_ordered_alike_are_all_listed_once(
    api: Api, owner: User, sort: str
) -> None:
    (run,) = make_runs(owner, models=("tiny",))
    copies(run, 1_100)
    walked = [pk for page in pages(api, f"{PREDICTIONS}?sort={sort}&page_size=200") for pk in page]
    assert len(walked) == 1_101
    assert set(walked) == {str(pk) for pk in Prediction.objects.values_list("pk", flat=True)}


@pytest.mark.parametrize("sort", SORTS)
def test_pages_are_turned_back_as_they_were_turned(api: Api, owner: User, sort: str) -> None:
    runs = make_runs(owner, pictures=7, models=("tiny",))
    for run, probability in zip(runs, (0.5, 0.9, 0.5, 0.1), strict=False):
        finish(run, probability)
    there = list(pages(api, f"{PREDICTIONS}?sort={sort}&page_size=2"))
    last = f"{PREDICTIONS}?sort={sort}&page_size=2"
    while link := api.get(last).json()["next"]:
        last = link
    assert [len(page) for page in there] == [2, 2, 2, 1]
    back = [pk for page in reversed(list(pages(api, last, "previous"))) for pk in page]
    assert back == [pk for page in there for pk in page]


def test_what_is_added_or_deleted_meanwhile_shifts_nothing(api: Api, owner: User) -> None:
    runs = make_runs(owner, pictures=6, models=("tiny",))
    first = api.get(page_size=2).json()
    lifecycle.delete(owner, [entry["id"] for entry in first["results"]])
    make_runs(owner, models=("tiny",))
    following = [pk for page in pages(api, first["next"]) for pk in page]
    whole = {str(run.pk) for run in runs} - {entry["id"] for entry in first["results"]}
    assert len(following) == 4
    assert set(following) == whole


def test_from_a_last_page_that_was_deleted_leads_a_way_back(api: Api, owner: User) -> None:
    runs = make_runs(owner, pictures=3, models=("tiny",))
    first = api.get(page_size=2).json()
    shown = [entry["id"] for entry in first["results"]]
    lifecycle.delete(owner, [run.pk for run in runs if str(run.pk) not in shown])
    empty = api.get(first["next"]).json()
    assert (empty["results"], empty["next"]) == ([], None)
    assert [entry["id"] for entry in api.get(empty["previous"]).json()["results"]] == shown


def test_batches_of_one_moment_are_all_listed_once(api: Api, owner: User) -> None:
    refused = [{"position": 0, "filename": "a.txt", "code": "not_a_picture", "message": "No picture."}]
    Batch.objects.bulk_create([Batch(owner=owner, rejected=refused) for _one in range(25)])
    walked = [pk for page in pages(api, f"{BATCHES}?page_size=4") for pk in page]
    assert len(walked) == len(set(walked)) == 25


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        "[false]x",
        "[0]",
        '[false,"2026-11-20T09:30:00Z"]',
        '[false,"2026-11-20T09:30:00","0b3c8f0e-5f0c-4b52-9a66-1f6f9bd1f6a2"]',
        '[false,"9999-12-31T23:59:59.999999Z","0b3c8f0e-5f0c-4b52-9a66-1f6f9bd1f6a2"]',
        '[false,"2026-11-20T09:30:00Z","nobody"]',
        '[false,"2026-11-20T09:30:00Z",7]',
        '[false,null,"0b3c8f0e-5f0c-4b52-9a66-1f6f9bd1f6a2"]',
        "[" * 2500,
        "\udcff",
    ],
)
def test_a_cursor_that_cannot_have_been_given_out_is_404(api: Api, content: str) -> None:
    sent = base64.urlsafe_b64encode(content.encode(errors="surrogateescape")).decode()
    response = api.get(cursor=sent)
    assert response.status_code == 404
    error_of(response)


@pytest.mark.parametrize(
    ("sort", "value"),
    [("surest", "NaN"), ("surest", '"0.5"'), ("surest", "1e999"), ("name", "7"), ("name", '"\\ud800"')],
)
def test_a_cursor_of_another_order_is_404(api: Api, sort: str, value: str) -> None:
    content = f'[false,{value},"2026-11-20T09:30:00Z","0b3c8f0e-5f0c-4b52-9a66-1f6f9bd1f6a2"]'
    assert json.loads(content)
    sent = base64.urlsafe_b64encode(content.encode()).decode()
    assert api.get(sort=sort, cursor=sent).status_code == 404


def test_a_cursor_is_of_its_whole_microsecond(api: Api, owner: User) -> None:
    (run,) = make_runs(owner, models=("tiny",))
    moment = datetime(2026, 3, 31, 12, 0, 0, tzinfo=UTC)
    for microseconds in (0, 1, 1000):
        copies(run, 3, created=moment + timedelta(microseconds=microseconds))
    Prediction.objects.filter(pk=run.pk).delete()
    for sort in ("newest", "oldest"):
        walked = [pk for page in pages(api, f"{PREDICTIONS}?sort={sort}&page_size=2") for pk in page]
        assert len(walked) == len(set(walked)) == 9


# --- cost --------------------------------------------------------------------------------------------------


def plan_of(queries: CaptureQueriesContext, table: str) -> tuple[str, str]:
    """The first statement on a table, and what the database does for it."""
    sql = next(query["sql"] for query in queries.captured_queries if f'FROM "{table}"' in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return sql, " ".join(str(row[-1]) for row in cursor.fetchall())


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is that of SQLite")
@pytest.mark.parametrize("sort", SORTS)
def test_only_an_index_is_read_before_it_is_known_which_rows_are_shown(
    api: Api, owner: User, sort: str
) -> None:
    make_runs(owner, pictures=3, models=("tiny",))
    link = api.get(sort=sort, page_size=1).json()["next"]
    with CaptureQueriesContext(connection) as queries:
        api.get(link)
    sql, plan = plan_of(queries, "predictions_prediction")
    assert "JOIN" not in sql
    assert "USING COVERING INDEX prediction_history" in plan
    if sort in ("newest", "oldest"):
        assert "TEMP B-TREE" not in plan


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is that of SQLite")
def test_batches_are_read_in_their_order_and_never_sorted(api: Api, owner: User) -> None:
    for _one in range(3):
        make_runs(owner, models=("tiny",))
    link = api.get(BATCHES, page_size=1).json()["next"]
    with CaptureQueriesContext(connection) as queries:
        api.get(link)
    _sql, plan = plan_of(queries, "predictions_batch")
    assert "batch_newest" in plan
    assert "TEMP B-TREE" not in plan
