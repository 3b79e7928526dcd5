"""Who is served before whom, where one stands in the line, and how long it is said to take."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from predictions import images, inference, intake, pace, services
from predictions.decoding import decode
from predictions.jobs import CLAIM, parent_name
from predictions.models import Heartbeat, Job, Prediction
from predictions.turns import Turns
from predictions.waiting import spoken, wait_for_last, waits
from tests import pictures
from tests.factories import finish, make_picture, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

BARS = [[0.25, 0, 0.5, 1]]


def text(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode()).replace("\N{NO-BREAK SPACE}", " ")


def many(user: User, pictures: int, models: tuple[str, ...] = ("tiny",)) -> list[Prediction]:
    """So many pictures in one submission; the same pixels, because they are only waited for."""
    batch = services.submit(user, [make_picture(), make_picture()], models).batch
    runs = list(batch.predictions.order_by("position"))
    pattern = runs[: len(models)]
    more = [
        Prediction(
            owner=user,
            upload_id=run.upload_id,
            batch=batch,
            position=len(models) * number + place,
            model_id=run.model_id,
            network_input_id=run.network_input_id,
            priority=run.priority,
        )
        for number in range(2, pictures)
        for place, run in enumerate(pattern)
    ]
    Prediction.objects.bulk_create(more)
    return [*runs, *more]


def worker(name: str = "host:1", **rates: float) -> Heartbeat:
    return Heartbeat.objects.create(name=name, rates=rates)


def served(turns: Turns | None = None, limit: int = CLAIM) -> list[Prediction]:
    """One claim, answered."""
    claim, taken = Prediction.objects.claim(limit, turns=turns)
    answer = {"top1": f"{taken[0].model_id}:0", "probability1": 0.5} if taken else {}
    Prediction.objects.held(claim).update(
        status=Job.Status.DONE, finished=timezone.now(), lease_until=None, **answer
    )
    return taken


# --- who is served before whom ------------------------------------------------------------------------------


def test_a_single_picture_is_in_the_next_claim_while_200_of_somebody_else_wait() -> None:
    many(make_user(), 200)
    turns = Turns()
    assert len(served(turns)) == CLAIM
    (single,) = make_runs(make_user(), models=("tiny",))
    # Alone: with 31 others its answer would come as late as theirs.
    assert served(turns) == [single]
    assert len(served(turns)) == CLAIM


def test_a_single_picture_for_both_networks_waits_for_two_claims_at_most() -> None:
    many(make_user(), 200, ("tiny", "small"))
    turns = Turns()
    served(turns)
    singles = make_runs(make_user())
    taken = [*served(turns), *served(turns)]
    assert set(singles) <= set(taken)


def test_live_comes_before_single_before_laboratory_before_bulk() -> None:
    kinds = [Job.Priority.BULK, Job.Priority.LABORATORY, Job.Priority.SINGLE, Job.Priority.LIVE]
    for kind in kinds:
        (run,) = make_runs(make_user(), models=("tiny",))
        Prediction.objects.filter(pk=run.pk).update(priority=kind)
    turns = Turns()
    assert [served(turns, limit=1)[0].priority for _ in kinds] == sorted(kinds)


def test_two_who_sent_much_are_served_in_turn() -> None:
    first, second = make_user(), make_user()
    many(first, 320)
    many(second, 96)
    turns = Turns()
    owners = [{run.owner_id for run in served(turns)} for _ in range(8)]
    # The second one's 96 pictures are three claims: done after six, not after thirteen.
    assert owners == [{first.pk}, {second.pk}] * 3 + [{first.pk}] * 2


def test_little_claims_are_filled_up_with_what_others_sent() -> None:
    users = [make_user() for _ in range(4)]
    for user in users:
        many(user, 2)
    taken = served(Turns())
    assert len(taken) == 8
    assert {run.owner_id for run in taken} == {user.pk for user in users}


def test_taking_turns_costs_one_statement_more_and_only_for_bulk_work() -> None:
    counts = []
    turns = Turns()
    make_runs(make_user(), models=("tiny",))
    many(make_user(), 100)
    for _ in range(3):
        with CaptureQueriesContext(connection) as asked:
            served(turns)
        counts.append(sum("SELECT" in query["sql"] for query in asked))
    assert counts[0] <= 3
    assert max(counts) <= 5


def test_what_was_tried_before_is_still_taken_alone() -> None:
    runs = many(make_user(), 5)
    Prediction.objects.filter(pk=runs[0].pk).update(attempts=1)
    turns = Turns()
    assert served(turns) == [runs[0]]
    assert len(served(turns)) == 4


@pytest.mark.parametrize("count", [1, 2])
def test_pictures_of_a_large_request_give_way_where_they_are_read(
    monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    said: list[bool] = []
    pool = SimpleNamespace(decode=lambda data, how, *, bulk: said.append(bulk) or decode(data))
    monkeypatch.setattr(images, "pool", pool)
    intake.take_all([SimpleUploadedFile("a.jpg", pictures.jpeg()) for _ in range(count)])
    assert said == [count > 1] * count


# --- where one stands ---------------------------------------------------------------------------------------


def test_the_estimate_is_what_comes_before_by_the_rates_of_the_workers() -> None:
    worker("host:1", tiny=10.0, small=2.0)
    worker("host:2", tiny=10.0)
    for _ in range(3):
        make_runs(make_user(), models=("tiny",))
    make_runs(make_user(), models=("small",))
    (run,) = make_runs(make_user(), models=("tiny",))
    wait = waits([run])[run.pk]
    assert wait.ahead == 4
    # Four of tiny at 20 a second, itself among them, and one of small at 2.
    assert wait.seconds == pytest.approx(4 / 20 + 1 / 2)
    Prediction.objects.claim(2)
    assert waits([run])[run.pk].ahead == 2
    # What is being computed takes its time as well.
    assert waits([run])[run.pk].seconds == pytest.approx(4 / 20 + 1 / 2)


def test_nothing_is_estimated_without_a_rate() -> None:
    worker("host:1", small=2.0)
    (run,) = make_runs(make_user(), models=("tiny",))
    wait = waits([run])[run.pk]
    assert (wait.seconds, wait.says, wait.worker) == (None, "", True)


def test_a_worker_that_is_gone_is_not_counted_on(page: Client, user: User) -> None:
    worker("host:1", tiny=10.0)
    (run,) = make_runs(user, models=("tiny",))
    assert "Queued, next in line, about 1 s" in text(page.get(run.get_absolute_url()))
    Heartbeat.objects.update(seen=timezone.now() - timedelta(seconds=31))
    html = text(page.get(run.get_absolute_url()))
    assert "No worker is running at the moment; your picture waits" in html
    assert "about" not in html[html.index("Queued") :][:40]


def test_a_batch_says_when_its_last_answer_comes(page: Client, user: User) -> None:
    worker("host:1", tiny=10.0, small=1.0)
    make_runs(make_user(), models=("tiny",))
    runs = many(user, 100, ("tiny", "small"))
    address = f"/batches/{runs[0].batch_id}/"
    # 101 of tiny at 10 a second, 100 of small at 1.
    assert "The last answer comes in about 2 min." in text(page.get(address))
    Heartbeat.objects.all().delete()
    assert "No worker is running at the moment" in text(page.get(address))


def test_with_turns_nobody_waits_for_all_of_what_others_sent() -> None:
    worker("host:1", tiny=10.0)
    many(make_user(), 320)
    runs = many(make_user(), 96)
    wait = wait_for_last(runs)
    assert wait is not None
    # Three claims of each: the first one's other pictures come later.
    assert wait.ahead == 95 + 96
    turns = Turns()
    taken = [run for _ in range(6) for run in served(turns)]
    assert set(runs) <= set(taken)


def test_a_single_picture_does_not_wait_for_bulk_work() -> None:
    worker("host:1", tiny=10.0)
    many(make_user(), 200)
    (run,) = make_runs(make_user(), models=("tiny",))
    assert waits([run])[run.pk].ahead == 0


def test_the_place_in_line_is_that_of_the_queue() -> None:
    user = make_user()
    runs = [make_runs(user, models=("tiny",))[0] for _ in range(3)]
    assert [waits(runs)[run.pk].ahead for run in runs] == [0, 1, 2]
    assert [served(limit=1) for _ in runs] == [[run] for run in runs]


def test_several_runs_cost_as_many_queries_as_one(user: User) -> None:
    worker("host:1", tiny=10.0, small=1.0)
    runs = [run for _ in range(3) for run in make_runs(user, bars=BARS)]
    for some in (runs[:1], runs):
        with CaptureQueriesContext(connection) as asked:
            assert len(waits(some)) == len(some)
        assert len(asked) == 3
    with CaptureQueriesContext(connection) as asked:
        assert waits([finish(runs[0])]) == {}
    assert not any("heartbeat" in query["sql"] for query in asked)


def test_finished_runs_are_not_read_to_know_where_one_stands(user: User) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite's plans do not depend on how many rows there are")
    runs = make_runs(user)
    with CaptureQueriesContext(connection) as asked:
        waits(runs)
    plans = []
    for query in asked:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            plans.append(" ".join(str(row[3]) for row in cursor.fetchall()))
    assert ["prediction_waiting" in plan for plan in plans].count(True) == 1
    assert ["prediction_leased" in plan for plan in plans].count(True) == 1


def test_the_page_is_renewed_when_the_estimate_changes(page: Client, user: User) -> None:
    worker("host:1", tiny=10.0)
    (run,) = make_runs(user, models=("tiny",))
    json = {"accept": "application/json"}
    address = f"/predictions/{run.pk}/status/"
    seen = page.get(address, headers=json).json()["seen"]
    Heartbeat.objects.update(rates={"tiny": 0.01})
    state = page.get(address, {"seen": seen}, headers=json).json()
    assert "about 2 min" in state["html"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (0.02, "about 1 s"),
        (3.4, "about 5 s"),
        (12, "about 15 s"),
        (45, "about 45 s"),
        (50, "about 1 min"),
        (61, "about 1 min"),
        (110, "about 2 min"),
        (2900, "about 49 min"),
        (3300, "about 1 hour"),
        (4500, "about 2 hours"),
    ],
)
def test_an_estimate_is_no_more_exact_than_it_can_be(seconds: float | None, words: str) -> None:
    assert spoken(seconds) == words


# --- how fast a worker says it is ---------------------------------------------------------------------------


@pytest.fixture
def fresh_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_seconds", {})
    monkeypatch.setattr(pace, "_reported", float("-inf"))


@pytest.mark.usefixtures("fresh_pace")
def test_a_worker_reports_how_fast_it_answers(user: User) -> None:
    Heartbeat.objects.create(name=parent_name(), rates={"other": 3.0})
    make_runs(user, pictures=3, models=("tiny",))
    inference.drain()
    rates = Heartbeat.objects.get().rates
    assert rates["other"] == 3.0
    assert rates["tiny"] > 0


@pytest.mark.usefixtures("fresh_pace")
def test_rates_are_those_of_the_last_batches_and_large_ones_count_more() -> None:
    pace.note("tiny", 32, 3.2)
    assert pace.rates() == {"tiny": 10.0}
    pace.note("tiny", 1, 1.0)
    alone = pace.rates()["tiny"]
    assert 9.0 < alone < 10.0
    for _ in range(12):
        pace.note("tiny", 32, 1.6)
    assert pace.rates()["tiny"] == pytest.approx(20.0, rel=0.05)


@pytest.mark.usefixtures("fresh_pace")
def test_rates_are_written_every_few_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: clock[0])
    Heartbeat.objects.create(name=parent_name())
    for seconds, writes in [(0, True), (1, False), (3, False), (5, True)]:
        clock[0] = 100.0 + seconds
        with CaptureQueriesContext(connection) as asked:
            pace.note("tiny", 32, 1.0)
        assert bool(asked.captured_queries) is writes, seconds


@pytest.mark.usefixtures("fresh_pace")
def test_a_rate_that_cannot_be_written_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**scope: Any) -> Any:
        raise DatabaseError("the database is away")

    monkeypatch.setattr(Heartbeat.objects, "filter", away)
    pace.note("tiny", 32, 1.0)
    assert pace.rates() == {"tiny": 32.0}
