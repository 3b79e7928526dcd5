"""The pictures and the log in the admin, and that every list of moderation is quick."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ModerationEntry, User
from predictions import moderation
from predictions.models import Prediction, RemovedPicture, Upload
from tests.factories import make_runs, make_user
from tests.predictions.moderating import report_of
from tests.predictions.moderation_console import LOG, QUEUE, UPLOADS, act, text_of
from tests.predictions.visitors import logged_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


# --- pictures ----------------------------------------------------------------------------------------------


def test_pictures_are_hidden_shown_and_removed_from_their_list(
    console: Client, moderator: User, run: Prediction
) -> None:
    other = make_runs(run.owner, models=("tiny",))[0]
    assert "Write a reason first" in text_of(act(console, UPLOADS, "hide_pictures", run.upload, reason=" "))
    assert not Upload.objects.filter(hidden__isnull=False).exists()
    page = act(console, UPLOADS, "hide_pictures", run.upload, other.upload, reason="Both of them.")
    assert "2 pictures are hidden everywhere." in text_of(page)
    assert set(ModerationEntry.objects.values_list("reason", flat=True)) == {"Both of them."}
    assert console.get(f"{UPLOADS}{run.upload_id}/picture/").status_code == 200
    assert "hidden already" in text_of(act(console, UPLOADS, "hide_pictures", run.upload, reason="Again."))
    assert "1 picture is shown again." in text_of(act(console, UPLOADS, "show_pictures", run.upload))
    states = {
        state: console.get(UPLOADS, {"state": state}).context["cl"].result_list
        for state in ("shown", "hidden")
    }
    assert [[row.pk for row in rows] for rows in states.values()] == [[run.upload_id], [other.upload_id]]
    assert "1 picture was removed." in text_of(
        act(console, UPLOADS, "remove_pictures", other.upload, reason="It is.")
    )
    assert Upload.objects.get() == run.upload


def test_what_is_held_has_a_queue_that_says_what_it_looks_like(console: Client, run: Prediction) -> None:
    marks = ("00" * 8, "07" + "00" * 7, "ff" * 8)
    runs = make_runs(run.owner, 3, models=("tiny",))
    for one, mark in zip(runs, marks, strict=True):
        Upload.objects.filter(pk=one.upload_id).update(fingerprint=mark)
        moderation.hold(one.upload)
    removed = RemovedPicture.objects.create(fingerprint="00" * 8)
    page = console.get(UPLOADS, {"state": "held"})
    like = {row.fingerprint: row.like for row in page.context["cl"].result_list}
    # The same, one that differs in three bits, and one that looks like nothing removed any more.
    assert like == {marks[0]: removed, marks[1]: removed, marks[2]: None}
    assert text_of(page).count(f"/admin/predictions/removedpicture/{removed.pk}/change/") == 2
    assert "looks like a picture removed on" in text_of(console.get(f"{UPLOADS}{runs[0].upload_id}/change/"))
    act(console, UPLOADS, "release_pictures", runs[0].upload, run.upload)
    assert not Upload.objects.get(pk=runs[0].upload_id).held
    # A collision is forgotten, so that it holds up nobody again.
    console.post(f"/admin/predictions/removedpicture/{removed.pk}/delete/", {"post": "yes"})
    assert not RemovedPicture.objects.exists()


def test_a_picture_whose_file_is_gone_is_said_to_be(console: Client, run: Prediction) -> None:
    Upload.objects.update(expired=timezone.now(), file="")
    assert "file removed" in text_of(console.get(UPLOADS, {"state": "expired"}))
    assert console.get(f"{UPLOADS}{run.upload_id}/change/").status_code == 200
    assert console.get(f"{UPLOADS}{run.upload_id}/picture/").status_code == 404


def test_the_page_of_a_picture_tells_its_reports_and_what_was_decided(
    console: Client, run: Prediction
) -> None:
    report = report_of(run)
    moderation.hide(None, [run.upload], "Because of that.", report)
    shown = text_of(console.get(f"{UPLOADS}{run.upload_id}/change/"))
    assert "Because of that." in shown
    assert f"{QUEUE}{report.pk}/change/" in shown


# --- the log -----------------------------------------------------------------------------------------------


def test_the_log_is_read_and_searched_and_changed_by_nobody(console: Client, run: Prediction) -> None:
    moderation.hide(None, [run.upload], "Because of that.")
    entry = ModerationEntry.objects.get()
    make_runs(make_user("bob@example.com"), models=("tiny",))

    def found(**query: str) -> list[Any]:
        return [row.pk for row in console.get(LOG, query).context["cl"].result_list]

    for query in ({}, {"q": "ada@"}, {"q": str(run.upload_id)}, {"action__exact": "hide"}, {"by": "site"}):
        assert found(**query) == [entry.pk], query
    for query in ({"q": "bob@"}, {"q": str(uuid.uuid4())}, {"action__exact": "remove"}, {"by": "people"}):
        assert found(**query) == [], query
    root = logged_in(make_user("root@example.com", is_staff=True, is_superuser=True))
    for client in (console, root):
        assert client.get(f"{LOG}{entry.pk}/change/").status_code == 200
        assert client.post(f"{LOG}{entry.pk}/change/", {"reason": "Another."}).status_code == 403
        assert client.get(f"{LOG}add/").status_code == 403
        assert client.post(f"{LOG}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
        act(client, LOG, "delete_selected", entry, post="yes")
    assert ModerationEntry.objects.get().reason == "Because of that."


# --- quick -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [QUEUE, f"{QUEUE}?state=all", UPLOADS, f"{UPLOADS}?state=held", LOG])
def test_a_list_asks_as_much_of_many_rows_as_of_few(console: Client, address: str) -> None:
    RemovedPicture.objects.create(fingerprint="00" * 8)

    def fill(number: int) -> None:
        for i in range(number):
            run, second = make_runs(make_user(), 2, models=("tiny",))
            report_of(run, f"{i}")
            Upload.objects.filter(pk=second.upload_id).update(fingerprint="00" * 8)
            moderation.hold(second.upload)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert console.get(address).status_code == 200
        return len(asked)

    fill(1)
    few = queries()
    fill(4)
    assert queries() == few
    assert few <= 16


def test_no_list_counts_all_rows_for_what_it_does_not_show(console: Client, run: Prediction) -> None:
    report_of(run)
    for address in (QUEUE, UPLOADS, LOG):
        with CaptureQueriesContext(connection) as asked:
            console.get(address, {"q": "ada@example.com"})
        counts = [query["sql"] for query in asked if "COUNT(*)" in query["sql"]]
        assert counts
        assert [sql for sql in counts if "WHERE" not in sql] == []
