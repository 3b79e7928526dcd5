"""Pictures go some months after they were last asked about; a star keeps them, and the answers always stay."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from predictions import lifecycle, quotas, removal, retention, services, timers
from predictions.models import Job, NetworkInput, Prediction, Upload
from tests.api import Api
from tests.factories import finish, make_picture, make_runs
from tests.folders import files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

BARS = [[0.25, 0, 0.5, 1]]
JSON = {"accept": "application/json"}
LONG_AGO = timedelta(days=800)


@pytest.fixture(autouse=True)
def a_year(settings: Any) -> None:
    settings.RETENTION_MONTHS = 12


def answered(owner: User, age: timedelta = LONG_AGO, **kw: Any) -> list[Prediction]:
    """Runs on one picture that were asked for and answered so long ago."""
    runs = [finish(run) for run in make_runs(owner, **kw)]
    for run in runs:
        if run.clean_run:
            finish(run.clean_run)
    made_old(runs[0].upload, age)
    return runs


def made_old(upload: Upload, age: timedelta) -> None:
    then = timezone.now() - age
    Upload.objects.filter(pk=upload.pk).update(created=then)
    Prediction.objects.filter(upload=upload).update(created=then)


def kept(run: Prediction) -> bool:
    return Upload.objects.get(pk=run.upload_id).expired is None


@pytest.fixture
def expired(user: User) -> Prediction:
    """A covered run of two networks whose picture is gone."""
    run = answered(user, bars=BARS)[0]
    assert retention.sweep() == 1
    return Prediction.objects.select_related("upload").get(pk=run.pk)


# --- what goes and what stays ------------------------------------------------------------------------------


def test_the_file_and_what_the_networks_saw_go_and_the_answers_stay(user: User, own_media: Path) -> None:
    runs = answered(user, bars=BARS)
    Upload.objects.update(fingerprint="0123456789abcdef")
    before = [(run.pk, run.answers, run.bars) for run in runs]
    assert retention.sweep() == 1
    assert files(own_media) == []
    assert not NetworkInput.objects.exists()
    upload = Upload.objects.get()
    assert (upload.file.name, upload.fingerprint) == ("", "0123456789abcdef")
    assert abs(timezone.now() - upload.expired) < timedelta(minutes=1)
    after = Prediction.objects.in_bulk([run.pk for run in runs])
    assert [(pk, after[pk].answers, after[pk].bars) for pk, _answers, _bars in before] == before
    assert retention.sweep() == 0


def test_what_it_took_leaves_the_storage_count(user: User, settings: Any, monkeypatch: Any) -> None:
    settings.RATE_LIMITS = True
    answered(user)
    monkeypatch.setattr(quotas, "QUOTA_BYTES", len(make_picture().data))
    monkeypatch.setattr(quotas, "QUOTA_PICTURES", 1)
    with pytest.raises(quotas.QuotaExceeded):
        services.store(user, make_picture())
    retention.sweep()
    services.store(user, make_picture())


def test_a_star_on_any_of_its_predictions_keeps_a_picture(user: User) -> None:
    runs = answered(user)
    lifecycle.mark(user, [runs[1].pk], starred=True)
    assert retention.sweep() == 0
    lifecycle.mark(user, [runs[1].pk], starred=False)
    assert retention.sweep() == 1


def test_a_picture_counts_from_when_it_was_last_asked_about(user: User) -> None:
    (run,) = answered(user, models=("tiny",))
    again = finish(services.submit(user, [run.upload], ("tiny",)).runs[0])
    assert retention.sweep() == 0
    Prediction.objects.filter(pk=again.pk).update(created=timezone.now() - LONG_AGO)
    assert retention.sweep() == 1


def test_what_waits_or_was_just_tried_again_is_kept(user: User) -> None:
    (run,) = make_runs(user, models=("tiny",))
    made_old(run.upload, LONG_AGO)
    assert retention.sweep() == 0
    claim, _runs = Prediction.objects.claim(1)
    assert retention.sweep() == 0
    Prediction.objects.fail(claim, run, "engine_failed", "It failed.")
    lifecycle.retry(user, pk=run.pk)
    finish(run)
    assert retention.sweep() == 0
    Prediction.objects.update(retried=timezone.now() - LONG_AGO)
    assert retention.sweep() == 1


@pytest.mark.parametrize(("days", "stays"), [(360, True), (372, False)])
def test_the_age_that_counts_is_the_settings(user: User, days: int, stays: bool) -> None:
    (run,) = answered(user, timedelta(days=days), models=("tiny",))
    retention.sweep()
    assert kept(run) is stays


def test_nothing_goes_where_the_operator_keeps_pictures(user: User, settings: Any, own_media: Path) -> None:
    settings.RETENTION_MONTHS = 0
    answered(user)
    assert retention.sweep() == 0
    assert len(files(own_media)) == 1


def test_what_moderators_hid_is_kept_as_long_from_that_day(user: User) -> None:
    (run,) = answered(user, models=("tiny",))
    Upload.objects.update(hidden=timezone.now() - timedelta(days=30))
    assert retention.sweep() == 0
    Upload.objects.update(hidden=timezone.now() - LONG_AGO)
    assert retention.sweep() == 1
    assert not kept(run)


def test_a_timer_of_the_workers_does_it_piece_by_piece(user: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(retention, "SWEEP_STEP", 2)
    monkeypatch.setattr(retention, "PIECE", 3)
    for _ in range(5):
        answered(user, models=("tiny",))
    actions = {name: action for name, _every, action in timers.listed()}
    assert retention.sweep(0) == 0
    assert actions["old pictures"]() == 5


def test_a_file_that_the_storage_does_not_give_up_is_tried_again(
    user: User, own_media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = answered(user, models=("tiny",))
    name = Upload.objects.get().file.name

    def away(name: str) -> None:
        raise OSError("The storage is away.")

    with monkeypatch.context() as broken:
        broken.setattr(default_storage._wrapped, "delete", away)
        assert retention.sweep() == 1
    assert len(files(own_media)) == 1
    assert not kept(run)
    monkeypatch.setattr(removal, "DRAFT_LIFETIME", timedelta(0))
    assert removal.sweep_files(name.rsplit("/", 1)[0]) == 1
    assert files(own_media) == []


def test_work_on_what_is_withheld_does_not_keep_it(user: User) -> None:
    """It is not computed before somebody has looked at the picture."""
    (run,) = make_runs(user, models=("tiny",))
    made_old(run.upload, LONG_AGO)
    Prediction.objects.update(deleted=timezone.now() - LONG_AGO)
    Upload.objects.update(hidden=timezone.now() - LONG_AGO, held=True)
    assert retention.sweep() == 1


# --- at the same moment ------------------------------------------------------------------------------------


def look_then(monkeypatch: pytest.MonkeyPatch, happens: Any) -> None:
    """Something happens between the sweep's first look and its locks."""
    expire = retention._expire

    def later(*given: Any) -> int:
        happens()
        return expire(*given)

    monkeypatch.setattr(retention, "_expire", later)


def test_a_star_that_comes_in_between_keeps_the_picture(
    user: User, monkeypatch: Any, own_media: Path
) -> None:
    (run,) = answered(user, models=("tiny",))
    look_then(monkeypatch, lambda: lifecycle.mark(user, [run.pk], starred=True))
    assert retention.sweep() == 0
    assert kept(run)
    assert len(files(own_media)) == 1


def test_a_question_that_comes_in_between_keeps_the_picture(user: User, monkeypatch: Any) -> None:
    (run,) = answered(user, models=("tiny",))
    look_then(monkeypatch, lambda: services.submit(user, [run.upload], ("small",)))
    assert retention.sweep() == 0
    assert Prediction.objects.waiting().get().network_input is not None


def test_a_question_that_comes_just_too_late_is_refused_as_a_whole(user: User, monkeypatch: Any) -> None:
    (run,) = answered(user, models=("tiny",))
    find = services._inputs

    def late(*given: Any) -> Any:
        # The picture was read already, and the network's input found.
        made = find(*given)
        assert retention.sweep() == 1
        return made

    monkeypatch.setattr(services, "_inputs", late)
    with pytest.raises(services.PictureGone):
        services.submit(user, [Upload.objects.get(pk=run.upload_id)], ("tiny",))
    assert Prediction.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_rows_that_somebody_holds_are_left_to_the_next_turn(user: User) -> None:
    from django.db import connection, connections

    if not connection.features.has_select_for_update_skip_locked:
        pytest.skip("SQLite has one writer at a time")
    (run,) = answered(user, models=("tiny",))
    other = connections.create_connection("default")
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("UPDATE predictions_prediction SET starred = true WHERE id = %s", [run.pk])
        assert retention.sweep() == 0
        other.commit()
    finally:
        other.close()
    assert retention.sweep() == 0
    with transaction.atomic():
        Prediction.objects.filter(pk=run.pk).update(starred=False)
    assert retention.sweep() == 1


# --- what people see ---------------------------------------------------------------------------------------


def test_every_page_that_shows_it_says_that_the_picture_is_gone(page: Client, expired: Prediction) -> None:
    addresses = [
        expired.get_absolute_url(),
        f"/batches/{expired.batch_id}/",
        f"/compare/?a={expired.pk}&b={expired.clean_run_id}",
        "/history/",
    ]
    for address in addresses:
        shown = page.get(address)
        assert shown.status_code == 200, address
        text = shown.content.decode()
        assert "The picture was removed because of its age" in text, address
        assert f"/pictures/{expired.upload_id}/" not in text, address
        assert "/input.png" not in text, address
        assert "red" in text, address
    detail = page.get(addresses[0]).content.decode()
    assert "What the networks said is kept." in detail
    assert "Ask again" not in detail
    assert "Use this picture again" not in detail
    status = page.get(f"/predictions/{expired.pk}/status/", headers=JSON).json()
    assert "/input.png" not in status["html"]


def test_files_of_results_stay_complete(page: Client, expired: Prediction) -> None:
    for address in ("/history/export.csv", f"/batches/{expired.batch_id}/results.csv"):
        response = page.get(address)
        assert expired.top1.name in b"".join(response.streaming_content).decode(), address
    row = page.get(f"/batches/{expired.batch_id}/results.json").json()["pictures"][0]
    assert row["networks"]["tiny"]["top5"]


@pytest.mark.parametrize("size", ["", "?size=thumb"])
def test_its_address_says_that_it_is_gone_to_a_browser_that_still_has_it(
    page: Client, expired: Prediction, size: str
) -> None:
    tag = f'"{expired.upload_id}{"-thumb" if size else ""}"'
    gone = page.get(f"/pictures/{expired.upload_id}/{size}", headers={"If-None-Match": tag})
    assert gone.status_code == 410
    assert "because of its age" in gone.content.decode()
    assert page.get(f"/predictions/{expired.pk}/input.png").status_code == 410


def test_nothing_can_be_asked_about_it_any_more(page: Client, expired: Prediction) -> None:
    asked = page.post(f"/predictions/{expired.pk}/again/")
    assert asked.status_code == 410
    assert "because of its age" in asked.content.decode()
    asked = page.post(f"/predictions/{expired.pk}/again/", headers=JSON)
    assert (asked.status_code, asked.json()["error"]["code"]) == (410, "picture_expired")
    workshop = page.get("/predict/", {"upload": expired.upload_id})
    assert workshop.status_code == 404
    assert "because of its age" in workshop.content.decode()
    sent = {"draft": expired.upload_id, "model": "tiny"}
    asked = page.post("/predict/", sent, headers=JSON)
    assert (asked.status_code, asked.json()["error"]["code"]) == (422, "picture_expired")
    live = page.post("/predict/live/", {"draft": expired.upload_id}, headers=JSON)
    assert (live.status_code, live.json()["error"]["code"]) == (410, "picture_expired")
    assert Prediction.objects.in_flight().count() == 0


def test_what_failed_on_it_is_not_offered_to_be_tried_again(page: Client, user: User) -> None:
    first, second = make_runs(user, models=("tiny",), pictures=2)
    finish(second)
    Prediction.objects.filter(pk=first.pk).cancel()
    assert "Ask again</button>" in page.get(first.get_absolute_url()).content.decode()
    for run in (first, second):
        made_old(run.upload, LONG_AGO)
    assert retention.sweep() == 2
    assert "Ask again" not in page.get(first.get_absolute_url()).content.decode()
    batch = page.get(f"/batches/{first.batch_id}/").content.decode()
    assert "Try again" not in batch
    assert "Try all again" not in batch
    assert "All answers are there." not in batch
    assert lifecycle.retry(user, batch=first.batch) == 0
    first.refresh_from_db()
    assert first.status == Job.Status.CANCELLED


def test_the_api_tells_programs(user: User, expired: Prediction) -> None:
    api = Api(user)
    entry = api.get(f"/api/v1/predictions/{expired.pk}/").json()
    assert entry["image_removed"] is not None
    assert len(entry["top5"]) == 5
    gone = api.get(entry["image_url"])
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "picture_expired")
    Prediction.objects.filter(pk=expired.pk).update(
        status="failed", top1=None, probability1=None, error_code="engine_failed"
    )
    again = api.send("post", f"/api/v1/predictions/{expired.pk}/retry/")
    assert (again.status_code, again.json()["error"]["code"]) == (410, "picture_expired")
    rows = api.get("/api/v1/predictions/").json()["results"]
    assert {row["image_removed"] for row in rows} == {entry["image_removed"]}


def test_it_can_still_be_starred_renamed_noted_deleted_and_brought_back(
    user: User, expired: Prediction
) -> None:
    assert lifecycle.mark(user, [expired.pk], starred=True) == 1
    assert lifecycle.annotate(user, expired.pk, "Still here.")
    assert lifecycle.rename(user, expired.upload, "other.jpg") == "other.jpg"
    ids = [run.pk for run in Prediction.objects.filter(asked=True)]
    lifecycle.delete(user, ids)
    assert lifecycle.undo(user, ids) == len(ids)
    removal.remove(Prediction.objects.all())
    assert not Upload.objects.exists()


# --- saying so before --------------------------------------------------------------------------------------


def test_the_page_says_before_that_the_picture_will_go_and_what_keeps_it(page: Client, user: User) -> None:
    (run,) = answered(user, timedelta(days=345), models=("tiny",))
    says = "This picture will be removed on"
    text = page.get(run.get_absolute_url()).content.decode()
    assert says in text
    assert "Star it to keep the picture." in text
    lifecycle.mark(user, [run.pk], starred=True)
    assert says not in page.get(run.get_absolute_url()).content.decode()


def test_the_page_is_silent_while_there_is_time(page: Client, user: User) -> None:
    (run,) = answered(user, timedelta(days=300), models=("tiny",))
    assert "will be removed" not in page.get(run.get_absolute_url()).content.decode()
