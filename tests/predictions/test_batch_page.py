"""The page of many pictures: its table, how it is sorted and kept up to date, and what may be done from it."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from predictions import inference, lifecycle, removal, services
from predictions.batch_order import Order, natural
from predictions.images import PreparedImage
from predictions.models import Batch, Job, Prediction
from predictions.services import RejectedPicture
from tests.factories import finish, make_picture, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

JSON = {"accept": "application/json"}
BARS = [[0.25, 0, 0.5, 1]]


def text(response: Any) -> str:
    html = re.sub(r"\s+", " ", response.content.decode() if hasattr(response, "content") else response)
    return html.replace("\N{NO-BREAK SPACE}", " ")


def picture(name: str) -> PreparedImage:
    return make_picture()._replace(filename=name)


def send(user: User, *names: str, models: tuple[str, ...] = ()) -> list[Prediction]:
    return services.submit(user, [picture(name) for name in names], models).runs


def files(html: str) -> list[str]:
    """The file names in the table, in their order."""
    return re.findall(r'<(?:a|span) class="filename"[^>]*>([^<]+)</(?:a|span)></th>', html)


def fail(run: Prediction) -> None:
    claim = f"test:{run.pk}"
    now = run.created
    Prediction.objects.filter(pk=run.pk).update(
        status="running", claimed_by=claim, started=now, lease_until=now
    )
    assert Prediction.objects.fail(claim, run, "engine_failed", inference.ENGINE_FAILED)


def statuses(runs: list[Prediction]) -> list[str]:
    found = dict(Prediction.objects.values_list("pk", "status"))
    return [found[run.pk] for run in runs]


# --- the table ----------------------------------------------------------------------------------------------


def test_taken_and_rejected_pictures_stand_in_one_table(page: Client, user: User) -> None:
    bad = RejectedPicture("notes.txt", "not_a_picture", "This file is not a picture.")
    submission = services.submit(user, [make_picture(), bad, make_picture((0, 0, 255))])
    finish(submission.runs[0], 0.75)
    html = text(page.get(submission.batch.get_absolute_url()))
    assert files(html) == ["200-30-30.png", "notes.txt", "0-0-255.png"]
    assert "75.0%" in html
    assert "This file is not a picture." in html
    assert "2 pictures taken, 1 not taken. 1 of 4 answers are there" in html


def test_each_row_has_a_thumbnail_that_loads_late_in_a_place_of_its_size(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", models=("tiny",))
    html = text(page.get(runs[0].batch.get_absolute_url()))
    address = f"/pictures/{runs[0].upload_id}/?size=thumb"
    assert f'<img src="{address}" width="90" height="60" alt="" loading="lazy">' in html


def test_it_says_on_how_many_pictures_the_networks_agree(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", "c.png")
    for run, first in zip(runs, [0, 0, 0, 1, 2], strict=False):
        finish(run, first=first)
    html = text(page.get(runs[0].batch.get_absolute_url()))
    assert "The networks agree on 1 of 2 pictures (50.0%)." in html
    assert (html.count(">same<"), html.count(">different<")) == (1, 1)


def test_totals_name_confidence_and_the_most_frequent_classes(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", "c.png", models=("tiny",))
    for run, first, sure in zip(runs, [5, 5, 1], [0.9, 0.6, 0.3], strict=True):
        finish(run, sure, first=first)
    html = text(page.get(runs[0].batch.get_absolute_url()))
    row = html[html.index('class="table totals"') :].split("</table>")[0]
    assert "60.0%" in row
    assert "sea green 2, green 1" in row


def test_one_network_has_no_column_for_agreement(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", models=("tiny",))
    assert "Agreement" not in text(page.get(runs[0].batch.get_absolute_url()))


def test_pictures_that_were_all_rejected_have_a_page_too(page: Client, user: User) -> None:
    bad = [RejectedPicture(f"{n}.txt", "not_a_picture", "This file is not a picture.") for n in "ab"]
    batch = services.submit(user, bad).batch
    html = text(page.get(batch.get_absolute_url()))
    assert files(html) == ["a.txt", "b.txt"]
    assert "True labels" not in html


def test_many_pictures_cost_as_many_queries_as_few(page: Client, user: User) -> None:
    few, many = make_runs(user, pictures=2, bars=BARS), make_runs(user, pictures=12, bars=BARS)
    for runs in (few, many):
        for run in runs:
            finish(run)
        batch = Batch.objects.get(pk=runs[0].batch_id)
        batch.truths = {str(run.upload_id): "red" for run in runs}
        batch.save()
    waiting = make_runs(user, pictures=2), make_runs(user, pictures=12)
    page.get(f"/batches/{few[0].batch_id}/")
    for pair in [(few, many), waiting]:
        counts = []
        for runs in pair:
            with CaptureQueriesContext(connection) as asked:
                page.get(f"/batches/{runs[0].batch_id}/")
            counts.append(len(asked))
        assert counts[0] == counts[1] <= 9


# --- sorting ------------------------------------------------------------------------------------------------


@pytest.fixture
def sortable(user: User) -> Batch:
    """b10 (green 50%, red), b2 (red 90%, red), A1 (blue 70%, unanswered), and a file that is no picture."""
    bad = RejectedPicture("c.txt", "not_a_picture", "This file is not a picture.")
    sent = [picture("b10.png"), bad, picture("b2.png"), picture("A1.png")]
    submission = services.submit(user, sent)
    answers = [(1, 0.5), (0, 0.4), (0, 0.9), (0, 0.6), (2, 0.7)]
    for run, (first, sure) in zip(submission.runs, answers, strict=False):
        finish(run, sure, first=first)
    return submission.batch


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("", ["b10.png", "c.txt", "b2.png", "A1.png"]),
        ("-position", ["A1.png", "b2.png", "c.txt", "b10.png"]),
        ("name", ["A1.png", "b2.png", "b10.png", "c.txt"]),
        ("-name", ["c.txt", "b10.png", "b2.png", "A1.png"]),
        ("confidence:tiny", ["b10.png", "A1.png", "b2.png", "c.txt"]),
        ("-confidence:tiny", ["b2.png", "A1.png", "b10.png", "c.txt"]),
        ("-confidence:small", ["b2.png", "b10.png", "c.txt", "A1.png"]),
        ("label:tiny", ["A1.png", "b10.png", "b2.png", "c.txt"]),
        ("agreement", ["b10.png", "b2.png", "c.txt", "A1.png"]),
        ("-agreement", ["b2.png", "b10.png", "c.txt", "A1.png"]),
        ("confidence:none", ["b10.png", "c.txt", "b2.png", "A1.png"]),
        ("'; DROP", ["b10.png", "c.txt", "b2.png", "A1.png"]),
    ],
)
def test_links_sort_the_table_and_what_is_missing_comes_last(
    page: Client, sortable: Batch, sort: str, order: list[str]
) -> None:
    assert files(text(page.get(sortable.get_absolute_url(), {"sort": sort}))) == order


def test_the_head_says_how_it_is_sorted_and_leads_to_the_other_way_round(
    page: Client, sortable: Batch
) -> None:
    html = text(page.get(sortable.get_absolute_url(), {"sort": "-confidence:tiny"}))
    assert html.count("aria-sort=") == 1
    head = html[html.index('aria-sort="descending"') :][:200]
    assert 'href="?sort=confidence:tiny#pictures"' in head
    assert 'href="?sort=name#pictures"' in html
    assert 'href="?sort=-confidence:small#pictures"' in html


def test_numbers_in_file_names_are_ordered_as_numbers() -> None:
    names = ["img10.jpg", "IMG2.jpg", "img2b.jpg", "7.png", "Ünal.png", "x²5.png"]
    assert sorted(names, key=natural)[:3] == ["7.png", "IMG2.jpg", "img2b.jpg"]
    assert str(Order.parse("-label:tiny", ["tiny"])) == "-label:tiny"


# --- keeping up ---------------------------------------------------------------------------------------------


def test_the_fragment_keeps_up_until_all_is_answered(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", models=("tiny",))
    address = f"/batches/{runs[0].batch_id}/status/"
    first = page.get(address, headers=JSON).json()
    assert not first["final"]
    assert "html" not in page.get(address, {"seen": first["seen"]}, headers=JSON).json()
    for run in runs:
        finish(run)
    last = page.get(address, {"seen": first["seen"]}, headers=JSON).json()
    assert last["final"]
    assert last["says"] == "2 of 2 answers are there."


def test_only_rows_that_changed_are_sent_again(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", "c.png")
    address = f"/batches/{runs[0].batch_id}/status/"
    first = page.get(address, headers=JSON).json()
    assert files(text(first["html"])) == ["a.png", "b.png", "c.png"]
    assert not first["partial"]
    finish(runs[2])
    second = page.get(address, {"seen": first["seen"]}, headers=JSON).json()
    assert second["partial"]
    assert files(text(second["html"])) == ["b.png"]
    assert "1 of 6 answers are there" in text(second["html"])


def test_a_table_whose_order_depends_on_the_answers_is_sent_whole(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", models=("tiny",))
    query = {"sort": "-confidence:tiny"}
    html = text(page.get(runs[0].batch.get_absolute_url(), query))
    address = re.search(r'data-poll="([^"]+)" data-poll-seen="([^"]+)"', html)
    assert address
    assert address[1].endswith("?sort=-confidence%3Atiny")
    finish(runs[0], 0.3)
    finish(runs[1], 0.6)
    state = page.get(address[1], {**query, "seen": address[2]}, headers=JSON).json()
    assert not state["partial"]
    assert files(text(state["html"])) == ["b.png", "a.png"]


def test_what_another_window_changed_is_sent_whole(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", "c.png", models=("tiny",))
    address = f"/batches/{runs[0].batch_id}/status/"
    seen = page.get(address, headers=JSON).json()["seen"]
    lifecycle.delete(user, [runs[1].pk])
    state = page.get(address, {"seen": seen}, headers=JSON).json()
    assert not state["partial"]
    assert files(text(state["html"])) == ["a.png", "c.png"]


def test_asking_whether_anything_is_new_reads_no_answers(page: Client, user: User) -> None:
    runs = make_runs(user, pictures=12)
    for run in runs[:6]:
        finish(run)
    address = f"/batches/{runs[0].batch_id}/status/"
    seen = page.get(address, headers=JSON).json()["seen"]
    with CaptureQueriesContext(connection) as asked:
        state = page.get(address, {"seen": seen}, headers=JSON).json()
    assert "html" not in state
    assert not any("predictions_label" in query["sql"] for query in asked)
    assert len(asked) <= 9


def test_a_seen_that_is_nonsense_is_answered_with_the_whole_table(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", models=("tiny",))
    for seen in ("", "x", "..", "a.b.qq", "9" * 3000):
        state = page.get(f"/batches/{runs[0].batch_id}/status/", {"seen": seen}, headers=JSON).json()
        assert files(text(state["html"])) == ["a.png", "b.png"]


# --- cancelling, trying again, deleting ---------------------------------------------------------------------


def test_what_waits_is_cancelled_and_what_is_answered_stays(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", "c.png", models=("tiny",))
    finish(runs[0])
    Prediction.objects.claim(1)
    response = page.post(f"/batches/{runs[0].batch_id}/cancel/?sort=name", follow=True)
    assert response.redirect_chain == [(f"/batches/{runs[0].batch_id}/?sort=name", 302)]
    assert statuses(runs) == ["done", "running", "cancelled"]
    html = text(response)
    assert "1 answer is cancelled." in html
    assert "1 cancelled" in html


def test_cancelling_takes_the_clean_runs_along(page: Client, user: User) -> None:
    runs = make_runs(user, pictures=2, models=("tiny",), bars=BARS)
    assert page.post(f"/batches/{runs[0].batch_id}/cancel/", headers=JSON).json()["cancelled"] == 4
    assert set(Prediction.objects.values_list("status", flat=True)) == {"cancelled"}
    assert "Nothing was waiting" in text(page.post(f"/batches/{runs[0].batch_id}/cancel/", follow=True))


def test_a_failed_picture_says_why_and_is_tried_again_alone(
    page: Client, user: User, no_wake_ups: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    runs = send(user, "a.png", "b.png", models=("tiny",))
    for run in runs:
        fail(run)
    html = text(page.get(runs[0].batch.get_absolute_url()))
    assert html.count("The network failed on this picture.") == 2
    assert f'form="batch-retry" name="run" value="{runs[1].pk}"' in html
    with django_capture_on_commit_callbacks(execute=True):
        page.post(f"/batches/{runs[0].batch_id}/retry/", {"run": str(runs[1].pk)})
    assert statuses(runs) == ["failed", "queued"]
    assert no_wake_ups


def test_all_that_failed_or_was_cancelled_is_tried_again(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png", "c.png", models=("tiny",))
    finish(runs[0])
    fail(runs[1])
    lifecycle.cancel(user, pk=runs[2].pk)
    html = text(page.get(runs[0].batch.get_absolute_url()))
    assert "Try all again (2)" in html
    assert page.post(f"/batches/{runs[0].batch_id}/retry/", headers=JSON).json()["retried"] == 2
    assert statuses(runs) == ["done", "queued", "queued"]


def test_a_clean_run_that_failed_alone_is_asked_for_again(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    finish(run)
    fail(run.clean_run)
    response = page.post(f"/batches/{run.batch_id}/retry/", follow=True)
    assert "1 answer is asked for again." in text(response)
    assert statuses([run, run.clean_run]) == ["done", "queued"]


def test_trying_again_counts_for_the_quota(page: Client, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = send(user, "a.png", "b.png", models=("tiny",))
    lifecycle.cancel(user, batch=runs[0].batch_id)
    monkeypatch.setattr("predictions.quotas.QUOTA_IN_FLIGHT", 1)
    response = page.post(f"/batches/{runs[0].batch_id}/retry/", headers=JSON)
    assert response.status_code == 422
    assert statuses(runs) == ["cancelled", "cancelled"]
    assert "still waiting" in text(page.post(f"/batches/{runs[0].batch_id}/retry/", follow=True))


def test_runs_of_others_and_of_other_batches_are_not_touched(page: Client, user: User) -> None:
    mine, also_mine = send(user, "a.png", models=("tiny",)), send(user, "b.png", models=("tiny",))
    others = send(make_user(), "c.png", models=("tiny",))
    for run in (*also_mine, *others):
        fail(run)
    named = [str(run.pk) for run in (*also_mine, *others)]
    page.post(f"/batches/{mine[0].batch_id}/retry/", {"run": [*named, "nonsense"]})
    assert statuses([*also_mine, *others]) == ["failed", "failed"]
    for verb in ("cancel", "retry", "delete", "truths"):
        assert page.post(f"/batches/{others[0].batch_id}/{verb}/").status_code == 404


def test_a_deleted_batch_comes_back_by_the_historys_undo(page: Client, user: User) -> None:
    runs = send(user, "a.png", "b.png")
    address = runs[0].batch.get_absolute_url()
    response = page.post(f"{address}delete/", follow=True)
    assert response.redirect_chain == [("/history/", 302)]
    html = text(response)
    assert "4 predictions are deleted." in html
    assert page.get(address).status_code == 404
    page.post("/predictions/undo/", {"id": re.findall(r'name="id" value="([^"]+)"', html)})
    assert files(text(page.get(address))) == ["a.png", "b.png"]


def test_a_deleted_batch_is_gone_with_what_was_rejected_in_it(page: Client, user: User) -> None:
    bad = RejectedPicture("notes.txt", "not_a_picture", "This file is not a picture.")
    batch = services.submit(user, [make_picture(), bad]).batch
    address = batch.get_absolute_url()
    page.post(f"{address}delete/")
    assert page.get(address).status_code == 404
    removal.remove(Prediction.objects.filter(batch=batch))
    assert page.get(address).status_code == 404


def test_get_changes_nothing(page: Client, user: User) -> None:
    (run,) = send(user, "a.png", models=("tiny",))
    for verb in ("cancel", "retry", "delete", "truths"):
        assert page.get(f"/batches/{run.batch_id}/{verb}/").status_code == 405
    assert page.get(f"/predictions/{run.pk}/cancel/").status_code == 405


# --- one picture --------------------------------------------------------------------------------------------


def test_a_single_picture_can_be_cancelled_while_it_waits(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",), bars=BARS)
    html = text(page.get(run.get_absolute_url()))
    assert f'action="/predictions/{run.pk}/cancel/"' in html
    response = page.post(f"/predictions/{run.pk}/cancel/", follow=True)
    assert response.redirect_chain == [(run.get_absolute_url(), 302)]
    assert set(Prediction.objects.values_list("status", flat=True)) == {"cancelled"}
    assert "2 answers are cancelled." in text(response)
    assert "/cancel/" not in text(page.get(run.get_absolute_url()))


def test_an_answer_that_is_there_cannot_be_cancelled(page: Client, user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    finish(run)
    answer = page.post(f"/predictions/{run.pk}/cancel/", headers=JSON).json()
    assert (answer["cancelled"], statuses([run])) == (0, [Job.Status.DONE])
    assert page.post(f"/predictions/{uuid.uuid4()}/cancel/").status_code == 404
