"""What predictions know about a person: handed over piece by piece, and erased."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models.functions import Now

from predictions import inference, lifecycle, personal, removal, services, truths
from predictions.models import Batch, Distribution, Prediction, Report, Share, Upload
from tests.factories import finish, make_guest, make_picture, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

EMPTY: dict[str, list[Any]] = {
    "uploads": [],
    "predictions": [],
    "batches": [],
    "shared_links": [],
    "reports": [],
}


def known(user: Any) -> dict[str, list[dict[str, Any]]]:
    """As it is read in the archive."""
    told = {name: list(rows) for name, rows in personal.export(user).items()}
    return json.loads(json.dumps(told))


def names(user: Any) -> list[str]:
    return [name for name, _opener in personal.files(user)]


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def withhold(upload: Upload) -> None:
    """As moderators hide a picture."""
    Prediction.objects.filter(upload=upload).update(deleted=Now())
    Upload.objects.filter(pk=upload.pk).update(hidden=Now())


def test_what_is_known_of_a_user_can_be_handed_over_and_erased(own_media: Path) -> None:
    user, other = make_user(), make_user()
    make_runs(user)
    make_runs(other, models=("tiny",))
    told = known(user)
    assert (len(told["uploads"]), len(told["predictions"]), len(told["batches"])) == (1, 2, 1)
    personal.erase(user)
    personal.erase(user)
    assert known(user) == EMPTY
    assert len(stored(own_media)) == 1
    assert Prediction.objects.filter(owner=other).exists()


def test_what_is_handed_over_holds_all_that_the_user_said() -> None:
    user = make_user()
    refused = services.RejectedPicture("notes.txt", "not_an_image", "This file is not a picture.")
    (run,) = services.submit(user, [make_picture(), refused], ["tiny"]).runs
    finish(run)
    lifecycle.mark(user, [run.pk], starred=True)
    lifecycle.annotate(user, run.pk, "a fox")
    truths.keep(run.batch, {str(run.upload_id): "red"})
    told = known(user)
    (answer,) = told["predictions"]
    assert (answer["starred"], answer["note"], answer["batch"]) == (True, "a fox", str(run.batch_id))
    assert answer["finished"] >= answer["created"]
    (batch,) = told["batches"]
    assert batch["true_labels"] == {str(run.upload_id): "red"}
    assert batch["rejected"] == [{"filename": "notes.txt", "message": "This file is not a picture."}]


def test_links_and_reports_of_ones_own_are_handed_over_and_no_others() -> None:
    user, other = make_user(), make_user()
    (run,) = make_runs(user, models=("tiny",))
    share = Share.objects.create(owner=user, kind="prediction", run=run)
    Report.objects.create(upload=run.upload, account=user, reporter=other, reason="person", text="It is me.")
    assert [link["token"] for link in known(user)["shared_links"]] == [share.token]
    assert known(user)["reports"] == []
    assert [report["text"] for report in known(other)["reports"]] == ["It is me."]


def test_pictures_come_under_their_ids_with_their_bytes() -> None:
    user = make_user()
    (run,) = make_runs(user, models=("tiny",))
    ((name, opener),) = personal.files(user)
    assert name == f"pictures/{run.upload_id}.png"
    with opener() as file, run.upload.file.open("rb") as own:
        assert file.read() == own.read()
    assert known(user)["uploads"][0]["file"] == name


def test_a_hidden_picture_is_named_and_not_handed_out() -> None:
    user = make_user()
    (run,) = make_runs(user, models=("tiny",))
    withhold(run.upload)
    assert names(user) == []
    (told,) = known(user)["uploads"]
    assert told["file"] is None
    assert told["hidden_by_moderators"]
    assert known(user)["predictions"] == []


def test_a_picture_that_the_user_has_deleted_is_not_handed_out_but_drafts_are() -> None:
    user = make_user()
    (gone,) = make_runs(user, models=("tiny",))
    (kept, draft) = make_runs(user, pictures=2, models=("tiny",))
    lifecycle.delete(user, [gone.pk])
    Prediction.objects.filter(pk=draft.pk).delete()
    assert {told["id"] for told in known(user)["uploads"]} == {str(kept.upload_id), str(draft.upload_id)}
    assert len(names(user)) == 2


def test_a_picture_removed_because_of_its_age_is_named_and_its_answers_stay() -> None:
    user = make_user()
    (run,) = make_runs(user, models=("tiny",))
    Upload.objects.update(expired=Now())
    assert names(user) == []
    (told,) = known(user)["uploads"]
    assert (told["file"], bool(told["removed_because_of_age"])) == (None, True)
    assert [answer["id"] for answer in known(user)["predictions"]] == [str(run.pk)]


def test_many_rows_come_in_pieces_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal, "PIECE", 2)
    user = make_user()
    runs = make_runs(user, pictures=5, models=("tiny",))
    assert sorted(told["id"] for told in known(user)["predictions"]) == sorted(str(run.pk) for run in runs)
    assert len(set(names(user))) == 5


# --- erasing -----------------------------------------------------------------------------------------------


def test_hidden_and_deleted_pictures_and_drafts_are_erased_too(own_media: Path) -> None:
    user = make_user()
    hidden, deleted, draft = make_runs(user, pictures=3, models=("tiny",))
    withhold(hidden.upload)
    lifecycle.delete(user, [deleted.pk])
    Prediction.objects.filter(pk=draft.pk).delete()
    personal.erase(user)
    assert not Upload.objects.exists()
    assert not Prediction.objects.exists()
    assert not Batch.objects.exists()
    assert stored(own_media) == []


def test_an_interrupted_erasing_goes_on(own_media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal, "ERASED_AT_ONCE", 2)
    user = make_user()
    make_runs(user, pictures=5, models=("tiny",))
    remove, calls = removal.remove, []

    def killed_at_the_second(runs: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise SystemExit
        return remove(runs)

    monkeypatch.setattr(removal, "remove", killed_at_the_second)
    with pytest.raises(SystemExit):
        personal.erase(user)
    assert Prediction.objects.count() == 3
    personal.erase(user)
    assert not Upload.objects.exists()
    assert stored(own_media) == []


def test_a_worker_that_finishes_after_the_erasing_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    user, other = make_user(), make_user()
    make_runs(user, pictures=2, models=("tiny",))
    (stays,) = make_runs(other, models=("tiny",))
    network = inference.predictor("tiny")
    answer = network.answers

    def erased_meanwhile(pixels: Any) -> Any:
        personal.erase(user)
        return answer(pixels)

    monkeypatch.setattr(network, "answers", erased_meanwhile)
    inference.drain()
    assert [run.pk for run in Prediction.objects.all()] == [stays.pk]
    assert Prediction.objects.get().status == "done"
    assert [told.pk for told in Distribution.objects.all()] == [stays.pk]


def test_what_the_user_reported_stays_without_their_words() -> None:
    user, other = make_user(), make_user()
    (run,) = make_runs(other, models=("tiny",))
    Report.objects.create(
        upload=run.upload,
        account=other,
        reporter=user,
        reporter_key=str(user.pk),
        reason="person",
        text="Me!",
    )
    personal.erase(user)
    report = Report.objects.get()
    assert (report.reporter, report.reporter_key, report.text) == (None, "", "")
    assert report.upload == run.upload


def test_the_admins_log_forgets_what_the_pictures_were_called() -> None:
    user, staff = make_user(), make_user(is_staff=True)
    (run,) = make_runs(user, models=("tiny",))
    for row in (run, run.upload):
        LogEntry.objects.create(
            user=staff,
            content_type=ContentType.objects.get_for_model(row),
            object_id=str(row.pk),
            object_repr="my-holidays.png",
            action_flag=DELETION,
        )
    personal.erase(user)
    assert set(LogEntry.objects.values_list("object_repr", "object_id")) == {("–", None)}


def test_what_came_from_a_guest_is_handed_over_and_erased_with_the_account(
    client: Any, own_media: Path
) -> None:
    guest, user = make_guest(client), make_user()
    make_runs(guest, models=("tiny",))
    personal.merge(guest, user)
    assert len(known(user)["uploads"]) == 1
    personal.erase(user)
    assert stored(own_media) == []
