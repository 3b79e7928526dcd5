"""What the laboratory removes by itself, and what it hands over, merges and forgets of a person."""

from __future__ import annotations

import json
import os
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from accounts import exports, registry
from accounts.models import DataExport, User
from learn import explaining, explanation_files, explanations, subjects, upkeep
from learn.models import Explanation
from predictions import lifecycle, retention, timers
from predictions.inference import drain
from predictions.models import Prediction, Upload
from tests.factories import make_guest, make_runs, make_user
from tests.learn.conftest import Asked
from tests.learn.test_explanations import files

pytestmark = pytest.mark.django_db

AGO = {days: timedelta(days=days) for days in (2, 6, 8)}


def explain(user: Any, on: str = "", level: int = 1) -> Explanation:
    if not on:
        run, *_ = make_runs(user, models=("tiny",))
        drain()
        on = str(run.pk)
    found = explanations.ask(subjects.find(user, on), "tiny", "mean", {"level": level})
    explaining.drain(60.0)
    found.refresh_from_db()
    return found


def last_used(row: Explanation, days: int) -> None:
    Explanation.objects.filter(pk=row.pk).update(used=timezone.now() - AGO[days])


def sweep(capture: Any) -> int:
    with capture(execute=True):
        return upkeep.sweep()


# --- the timers ------------------------------------------------------------------------------------------------


def test_the_workers_timers_see_to_the_laboratory() -> None:
    names = [name for name, _every, _action in timers.listed()]
    for name in (
        "explanations: leases",
        "explanations: wake-ups",
        "unused explanations",
        "explanations' files",
    ):
        assert names.count(name) == 1
        assert len(name) <= 40


def test_what_nobody_used_for_a_week_goes_with_its_file(
    asked: Asked, user: User, django_capture_on_commit_callbacks: Any
) -> None:
    old, young = explain(user), explain(None, "sample:apple")
    last_used(old, 8)
    last_used(young, 6)
    assert sweep(django_capture_on_commit_callbacks) == 1
    assert list(Explanation.objects.all()) == [young]
    assert len(files()) == 1


def test_what_waits_stays_however_long(asked: Asked, django_capture_on_commit_callbacks: Any) -> None:
    waiting = explanations.ask(subjects.find(None, "sample:apple"), "tiny", "mean")
    last_used(waiting, 8)
    assert sweep(django_capture_on_commit_callbacks) == 0


def test_what_failed_goes_after_a_day(asked: Asked, django_capture_on_commit_callbacks: Any) -> None:
    def fail(work: Any) -> Any:
        raise ZeroDivisionError

    asked.does = fail
    failed = explain(None, "sample:apple")
    assert sweep(django_capture_on_commit_callbacks) == 0
    last_used(failed, 2)
    assert sweep(django_capture_on_commit_callbacks) == 1


def test_what_an_earlier_version_said_goes_an_hour_after_its_last_use(
    asked: Asked, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = explain(None, "sample:apple")
    Explanation.objects.update(artifact="tiny-0", built=True)
    assert sweep(django_capture_on_commit_callbacks) == 0
    Explanation.objects.update(used=timezone.now() - timedelta(minutes=61))
    with monkeypatch.context() as patch:
        # Artifacts that cannot be read at the moment say nothing of versions.
        patch.setattr(upkeep.artifact, "cards", list)
        assert sweep(django_capture_on_commit_callbacks) == 0
    assert sweep(django_capture_on_commit_callbacks) == 1
    assert not Explanation.objects.filter(pk=found.pk).exists()


def test_what_is_about_a_deleted_picture_goes_before_the_picture(
    asked: Asked, user: User, django_capture_on_commit_callbacks: Any
) -> None:
    first, second = explain(user), explain(user, level=2)
    upload = Upload.objects.earliest("created")
    lifecycle.delete(user, list(upload.predictions.values_list("pk", flat=True)))
    assert sweep(django_capture_on_commit_callbacks) == 1
    assert list(Explanation.objects.all()) == [second]
    assert Upload.objects.filter(pk=upload.pk).exists()
    assert len(files()) == 1
    assert explanations.of(user, first.pk) is None


def test_what_a_worker_computes_now_is_left_until_it_is_done(
    asked: Asked, user: User, django_capture_on_commit_callbacks: Any
) -> None:
    run, *_ = make_runs(user, models=("tiny",))
    drain()
    explanations.ask(subjects.find(user, str(run.pk)), "tiny", "mean")
    claim, rows = Explanation.objects.claim(1)
    lifecycle.delete(user, [run.pk])
    sweep(django_capture_on_commit_callbacks)
    assert Explanation.objects.get().status == "running"
    explaining.run(claim, rows[0])
    sweep(django_capture_on_commit_callbacks)
    assert not Explanation.objects.exists()
    assert files() == []


def test_retention_takes_explanations_along(
    asked: Asked, user: User, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    settings.RETENTION_MONTHS = 1
    explain(user)
    long_ago = timezone.now() - timedelta(days=99)
    Prediction.objects.update(created=long_ago, started=None, finished=long_ago)
    Upload.objects.update(created=long_ago)
    with django_capture_on_commit_callbacks(execute=True):
        assert retention.sweep() == 1
    assert not Explanation.objects.exists()
    assert files() == []


def test_files_that_no_row_names_go_after_a_day(asked: Asked) -> None:
    found = explain(None, "sample:apple")
    folder = (found.file.name or "").rpartition("/")[0]
    old, new = (default_storage.save(f"{folder}/{name}.zip", ContentFile(b"x")) for name in ("old", "new"))
    then = (timezone.now() - timedelta(days=2)).timestamp()
    for name in (old, found.file.name or ""):
        os.utime(default_storage.path(name), (then, then))
    assert explanation_files.sweep(folder) == 1
    assert not default_storage.exists(old)
    assert default_storage.exists(new)
    assert default_storage.exists(found.file.name or "")
    assert explanation_files.sweep("laboratory/none") == 0


def test_a_storage_that_does_not_give_a_file_up_keeps_nothing_else(
    asked: Asked, user: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def refuse(name: str) -> None:
        raise OSError(13, "Permission denied")

    last_used(explain(user), 8)
    monkeypatch.setattr(default_storage, "delete", refuse)
    assert sweep(django_capture_on_commit_callbacks) == 1
    assert not Explanation.objects.exists()


# --- a person --------------------------------------------------------------------------------------------------


def test_the_archive_of_an_account_has_its_explanations(asked: Asked, user: User) -> None:
    own = explain(user)
    explain(make_user())
    explain(None, "sample:apple")
    explain(user, level=2)
    exports.ask(user)
    exports.prepare()
    archive = DataExport.objects.get(owner=user)
    with default_storage.open(archive.file.name or "") as file, zipfile.ZipFile(file) as content:
        (data,) = [name for name in content.namelist() if name.endswith(".json")]
        rows = json.loads(content.read(data))["learn"]["explanations"]
        assert [(row["kind"], row["model"], row["parameters"]) for row in rows] == [
            ("mean", "tiny", {"level": 1}),
            ("mean", "tiny", {"level": 2}),
        ]
        names = [name for name in content.namelist() if f"{own.pk}.zip" in name]
        assert names
        assert rows[0]["file"].endswith(f"{own.pk}.zip")


def test_an_erased_account_leaves_no_explanation(
    asked: Asked, user: User, django_capture_on_commit_callbacks: Any
) -> None:
    explain(user)
    other = explain(make_user())
    with django_capture_on_commit_callbacks(execute=True):
        registry.erasers()["learn"](user)
        registry.erasers()["learn"](user)
    assert list(Explanation.objects.all()) == [other]
    assert len(files()) == 1


def test_what_a_guest_asked_is_the_accounts_afterwards(
    asked: Asked, user: User, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    guest = make_guest(client)
    mine, theirs = explain(user, level=1), explain(guest, level=2)
    both = explain(guest, level=1)
    with django_capture_on_commit_callbacks(execute=True):
        for merge in registry.mergers().values():
            merge(guest, user)
    assert set(Explanation.objects.filter(owner=user)) == {mine, theirs}
    assert not Explanation.objects.filter(pk=both.pk).exists()
    assert explanations.of(user, theirs.pk) == theirs
    assert len(files()) == 2


def test_a_suspended_account_has_nothing_waiting(asked: Asked, user: User) -> None:
    run, *_ = make_runs(user, models=("tiny",))
    drain()
    waiting = explanations.ask(subjects.find(user, str(run.pk)), "tiny", "mean")
    for suspend in registry.suspenders().values():
        suspend(user)
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"


# --- the admin -------------------------------------------------------------------------------------------------


def test_staff_read_the_list_and_change_nothing(asked: Asked, user: User, client: Client) -> None:
    found = explain(user)
    explain(None, "sample:apple")
    staff = make_user(is_staff=True)
    staff.user_permissions.add(*Permission.objects.filter(codename__endswith="_explanation"))
    client.force_login(staff)
    page = client.get("/admin/learn/explanation/")
    assert page.status_code == 200
    assert user.email in page.content.decode()
    assert "apple" in page.content.decode()
    searched = client.get("/admin/learn/explanation/", {"q": user.email}).content.decode()
    assert str(found.pk) in searched
    address = f"/admin/learn/explanation/{found.pk}/change/"
    assert client.get(address).status_code == 200
    assert client.post(address, {"kind": "other"}).status_code == 403
    assert client.post(f"/admin/learn/explanation/{found.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/learn/explanation/add/").status_code == 403
