"""Deleting, undo, and what is swept when nothing names it any more."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from predictions import lifecycle, removal, services
from predictions.models import Batch, Prediction, Upload
from predictions.services import RejectedPicture
from tests.factories import make_picture, make_runs, make_user
from tests.folders import files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


def long_ago() -> Any:
    return timezone.now() - timedelta(minutes=5)


def test_deleting_hides_at_once_and_undo_brings_back() -> None:
    user = make_user()
    (run,) = make_runs(user, models=("tiny",), bars=[[0, 0, 0.5, 0.5]])
    assert lifecycle.delete(user, [run.pk]) == [run.pk]
    assert not Prediction.objects.of(user).exists()
    assert lifecycle.undo(user, [run.pk]) == 1
    assert Prediction.objects.of(user).count() == 2


def test_after_the_time_for_undo_row_and_file_are_gone(own_media: Path) -> None:
    user = make_user()
    (run,) = make_runs(user, models=("tiny",), bars=[[0, 0, 0.5, 0.5]])
    lifecycle.delete(user, [run.pk])
    assert removal.purge() == 0
    Prediction.objects.update(deleted=long_ago())
    assert lifecycle.undo(user, [run.pk]) == 0
    assert removal.purge() == 2
    assert not Upload.objects.exists()
    assert not Batch.objects.exists()
    assert files(own_media) == []


def test_the_file_stays_until_the_last_prediction_of_its_upload_goes(own_media: Path) -> None:
    user = make_user()
    first, second = make_runs(user)
    lifecycle.delete(user, [first.pk])
    Prediction.objects.filter(deleted__isnull=False).update(deleted=long_ago())
    removal.purge()
    assert len(files(own_media)) == 1
    lifecycle.delete(user, [second.pk])
    Prediction.objects.filter(deleted__isnull=False).update(deleted=long_ago())
    removal.purge()
    assert files(own_media) == []


def test_a_clean_run_goes_only_with_the_last_covered_one_beside_it() -> None:
    user = make_user()
    (run,) = make_runs(user, models=("tiny",), bars=[[0, 0, 0.5, 0.5]])
    other = Prediction.objects.create(
        owner=user,
        upload=run.upload,
        batch=run.batch,
        model=run.model,
        network_input=run.network_input,
        clean_run=run.clean_run,
        bars=run.bars,
    )
    lifecycle.delete(user, [run.pk])
    assert Prediction.objects.of(user).filter(pk=run.clean_run_id).exists()
    lifecycle.delete(user, [other.pk])
    assert not Prediction.objects.of(user).exists()


def test_nobody_deletes_or_restores_what_is_anothers() -> None:
    owner, other = make_user(), make_user()
    (run,) = make_runs(owner, models=("tiny",))
    assert lifecycle.delete(other, [run.pk]) == []
    lifecycle.delete(owner, [run.pk])
    assert lifecycle.undo(other, [run.pk]) == 0


def test_a_deleted_waiting_run_is_not_computed_after_its_purge() -> None:
    user = make_user()
    make_runs(user, models=("tiny",))
    lifecycle.delete(user, Prediction.objects.values_list("pk", flat=True))
    Prediction.objects.update(deleted=long_ago())
    removal.purge()
    assert Prediction.objects.claim(5)[1] == []


def test_drafts_are_swept_after_a_day(own_media: Path) -> None:
    user = make_user()
    old, young = services.store(user, make_picture()), services.store(user, make_picture())
    Upload.objects.filter(pk=old.pk).update(created=timezone.now() - timedelta(hours=25))
    make_runs(user, models=("tiny",))
    Upload.objects.filter(predictions__isnull=False).update(created=timezone.now() - timedelta(hours=25))
    assert removal.sweep_orphans() == 1
    assert set(Upload.objects.filter(predictions__isnull=True)) == {young}
    assert len(files(own_media)) == 2


def test_files_that_no_row_names_are_swept_after_a_day(own_media: Path) -> None:
    make_runs(make_user(), models=("tiny",))
    (used,) = files(own_media)
    old, young = used.parent / "old.jpg", used.parent / "young.jpg"
    for path in (old, young):
        path.write_bytes(b"left behind")
    day_ago = time.time() - 25 * 3600
    for path in (old, used):
        os.utime(path, (day_ago, day_ago))
    assert removal.sweep_files(f"pictures/{used.parent.name}") == 1
    assert set(files(own_media)) == {used, young}
    assert removal.sweep_files("pictures/never-used") == 0


def test_a_storage_that_is_away_leaves_the_file_to_the_sweeper(
    own_media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_runs(make_user(), models=("tiny",))

    def away(*args: Any) -> None:
        raise OSError("the bucket does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(type(default_storage._wrapped), "delete", away)
        removal.remove(Prediction.objects.all())
    assert not Upload.objects.exists()
    (left,) = files(own_media)
    os.utime(left, (0, 0))
    removal.sweep_files(f"pictures/{left.parent.name}")
    assert files(own_media) == []


def test_a_draft_that_is_used_a_moment_before_it_is_swept_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()
    upload = services.store(user, make_picture())
    Upload.objects.update(created=timezone.now() - timedelta(hours=25))
    listed = set(Upload.objects.orphans().values_list("pk", flat=True))
    services.submit(user, [upload], ["tiny"])
    assert removal._remove_unused(listed) == []
    assert Prediction.objects.of(user).count() == 1


def test_batches_of_nothing_but_rejected_pictures_are_swept_after_a_day() -> None:
    bad = RejectedPicture("notes.txt", "not_a_picture", "This is not a picture.")
    services.submit(make_user(), [bad, bad], ["tiny"])
    removal.sweep_orphans()
    assert Batch.objects.count() == 1
    Batch.objects.update(created=timezone.now() - timedelta(hours=25))
    removal.sweep_orphans()
    assert not Batch.objects.exists()
