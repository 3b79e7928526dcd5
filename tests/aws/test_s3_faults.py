"""S3 that is slow, says no, or is not there: three tries at most, no row without its object, nobody waits for long."""

from __future__ import annotations

import io
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts import exports, stored_files
from accounts.models import DataExport, User
from accounts.stored_files import StorageAway
from classifier_site import object_storage, storage_troubles
from classifier_site.storage_troubles import Guard
from predictions import lifecycle, removal, services
from predictions.models import Batch, Prediction, Upload
from tests.aws.proxy import Kind, S3Proxy
from tests.factories import make_picture, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

JSON = {"accept": "application/json"}
SENTENCE = "Pictures and files cannot be reached at the moment. Try again in a minute."
KINDS: list[Kind] = ["error", "reset", "hang", "hang within", "lost"]


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def page(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def keys(s3: Any, bucket: str) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def a_day_later(monkeypatch: pytest.MonkeyPatch) -> None:
    now = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(hours=25))


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == storage_troubles.logger.name]


def test_the_limits_of_production_are_two_and_five_seconds_and_three_tries(s3_site: S3Proxy) -> None:
    config = storages["default"].client_config
    assert (config.connect_timeout, config.read_timeout) == (2, 5)
    assert config.retries == {"total_max_attempts": 3, "mode": "standard"}


# --- sending a picture -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_cannot_be_stored_leaves_no_row(
    hasty: S3Proxy, user: User, s3: Any, bucket: str, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty.fail(kind, times=3)
    with pytest.raises(StorageAway):
        services.submit(user, [make_picture()], ("tiny",))
    assert hasty.count("PUT") == 3
    assert not Upload.objects.exists()
    assert not Batch.objects.exists()
    # What was stored although nobody heard of it is swept like everything without a row.
    left = keys(s3, bucket)
    assert bool(left) == (kind == "lost")
    a_day_later(monkeypatch)
    for name in left:
        removal.sweep_files(name.rpartition("/")[0])
    assert keys(s3, bucket) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_stored_by_a_later_try(
    hasty: S3Proxy, user: User, s3: Any, bucket: str, kind: Kind
) -> None:
    hasty.fail(kind, times=2)
    (run,) = services.submit(user, [make_picture()], ("tiny",)).runs
    assert run.upload.file.name in keys(s3, bucket)
    assert run.upload.file.open().read() == make_picture().data
    # Was it stored by an attempt whose answer was lost, then it takes another name.
    assert len(keys(s3, bucket)) == (2 if kind == "lost" else 1)


def test_of_several_pictures_all_are_kept_or_none(hasty: S3Proxy, user: User, s3: Any, bucket: str) -> None:
    hasty.fail("error", only=lambda request: request.method == "PUT" and hasty.count("PUT") > 3)
    with pytest.raises(StorageAway):
        services.submit(user, [make_picture() for _ in range(6)], ("tiny",))
    assert not Upload.objects.exists()
    assert keys(s3, bucket) == []


def test_who_sends_a_picture_meanwhile_reads_what_to_do(
    hasty: S3Proxy, page: Client, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    hasty.fail("error")
    for _ in range(2):
        file = SimpleUploadedFile("a.png", make_picture().data, "image/png")
        answer = page.post("/predict/draft/", {"image": file}, headers=JSON)
        assert answer.status_code == 503
        assert answer.json() == {"error": {"code": "unavailable", "message": SENTENCE}}
        assert answer["Retry-After"] == "5"
    assert not Upload.objects.exists()
    # One line for the operator, and no traceback for every reader.
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == said(caplog)
    (line,) = said(caplog)
    assert line.startswith(
        "Files in the bucket convoscope-pictures can be neither stored nor read: the bucket is overloaded (SlowDown). "
    )
    hasty.heal()
    file = SimpleUploadedFile("a.png", make_picture().data, "image/png")
    assert page.post("/predict/draft/", {"image": file}).status_code == 201


# --- looking at one --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["error", "reset", "hang", "cut", "trickle"])
def test_who_looks_at_a_picture_meanwhile_is_told_to_come_again(
    hasty: S3Proxy, page: Client, user: User, kind: Kind
) -> None:
    (run,) = make_runs(user, models=("tiny",))
    hasty.fail(kind)
    for size in ("", "?size=thumb"):
        answer = page.get(f"/pictures/{run.upload_id}/{size}")
        assert (answer.status_code, answer["Retry-After"]) == (503, "5")
        assert SENTENCE in answer.content.decode()
    assert hasty.count("GET") == (2 if kind in ("cut", "trickle") else 6)
    # Whatever needs no file is there.
    assert page.get(f"/predictions/{run.pk}/").status_code == 200
    hasty.heal()
    assert page.get(f"/pictures/{run.upload_id}/").status_code == 200


def test_a_program_is_told_the_same_in_its_own_form(
    hasty: S3Proxy, page: Client, user: User, caplog: pytest.LogCaptureFixture
) -> None:
    (run,) = make_runs(user, models=("tiny",))
    hasty.fail("error")
    answer = page.get(f"/api/v1/predictions/{run.pk}/image/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["error"] == {"code": "unavailable", "message": SENTENCE}
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == said(caplog)


def test_a_picture_that_drips_is_given_up(
    hasty: S3Proxy, page: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = make_runs(user, models=("tiny",))
    monkeypatch.setattr(object_storage, "READ_SECONDS", -1.0)
    assert page.get(f"/pictures/{run.upload_id}/").status_code == 503


# --- deleting --------------------------------------------------------------------------------------------------


def test_what_is_deleted_meanwhile_is_gone_for_everybody_and_swept_later(
    hasty: S3Proxy, user: User, s3: Any, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = make_runs(user, 5, models=("tiny",))
    lifecycle.delete(user, [run.pk for run in runs])
    Prediction.objects.update(deleted=timezone.now() - timedelta(minutes=5))
    hasty.fail("error")
    assert removal.purge() == 5
    assert not Upload.objects.exists()
    # Asked three times for the first one, and not again for each.
    assert hasty.count("DELETE") == 3
    left = keys(s3, bucket)
    assert len(left) == 5
    a_day_later(monkeypatch)
    assert removal.sweep_files(left[0].rpartition("/")[0]) == 0
    hasty.heal()
    for name in left:
        removal.sweep_files(name.rpartition("/")[0])
    assert keys(s3, bucket) == []


# --- archives --------------------------------------------------------------------------------------------------


def test_an_archive_waits_for_the_storage_and_is_made_then(
    hasty: S3Proxy, user: User, page: Client, caplog: pytest.LogCaptureFixture
) -> None:
    make_runs(user, models=("tiny",))
    exports.ask(user)
    hasty.fail("error", only=lambda request: request.method == "PUT")
    exports.prepare()
    export = DataExport.objects.get()
    assert (export.status, export.attempts, export.file.name) == ("queued", 1, "")
    assert all(record.exc_info in (None, False) for record in caplog.records)
    hasty.heal()
    DataExport.objects.update(leased_until=None)
    exports.prepare()
    export.refresh_from_db()
    assert export.status == "ready"
    hasty.fail("error")
    assert page.get(f"/account/export/{export.pk}/").status_code == 503
    assert DataExport.objects.get().is_there


def test_a_large_file_that_breaks_off_leaves_nothing_half(hasty: S3Proxy, s3: Any, bucket: str) -> None:
    hasty.fail("reset", only=lambda request: request.query.get("partNumber") == "2")
    with pytest.raises(StorageAway):
        default_storage.save("exports/large.zip", File(io.BytesIO(bytes(9 * 1024**2)), "large"))
    assert keys(s3, bucket) == []
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    assert sum(request.query.get("partNumber") == "2" for request in hasty.requests) == 3


# --- who waits -------------------------------------------------------------------------------------------------


def elsewhere(action: Callable[[], Any], threads: int) -> list[float]:
    """How long each of so many threads took, all at once."""
    took: list[float] = []

    def timed() -> None:
        begun = time.monotonic()
        with pytest.raises(StorageAway):
            action()
        took.append(time.monotonic() - begun)

    running = [threading.Thread(target=timed) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return took


def test_all_threads_together_wait_for_one_attempt_and_then_nobody(
    hasty: S3Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Guard, "PAUSE", 60.0)
    name = default_storage.save("pictures/ab/a.png", ContentFile(b"hello"))
    hasty.fail("hang")
    asked = hasty.count()
    elsewhere(lambda: default_storage.open(name), 8)
    # Not three for each: whose attempt has failed meanwhile begins no other.
    assert hasty.count() - asked <= 8 + Guard.FAILURES
    asked = hasty.count()
    assert max(elsewhere(lambda: default_storage.open(name), 8)) < 0.25
    assert hasty.count() == asked
    assert stored_files.is_away()


def test_after_a_while_one_asks_and_when_it_is_answered_all_may(
    hasty: S3Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(monotonic=lambda: clock.now, now=1000.0)
    monkeypatch.setattr(storage_troubles, "time", clock)
    monkeypatch.setattr(Guard, "PAUSE", 10.0)
    name = default_storage.save("pictures/ab/a.png", ContentFile(b"hello"))
    hasty.fail("error")

    def opens() -> bool:
        try:
            return default_storage.open(name).read() == b"hello"
        except StorageAway:
            return False

    counts = []
    for seconds in (0, 1, 8, 2, 1):
        clock.now += seconds
        before = hasty.count()
        assert not opens()
        counts.append(hasty.count() - before)
    assert counts == [3, 0, 0, 1, 0]
    hasty.heal()
    assert not opens()
    clock.now += 11
    assert opens()
    assert opens()


# --- one client ------------------------------------------------------------------------------------------------


def test_threads_share_a_client_and_a_forked_process_makes_its_own(s3_site: S3Proxy) -> None:
    """Making one takes a tenth of a second; two processes on one connection would read each other's answers."""
    storage = storages["default"]
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(storage.connection)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in found}) == 1
    child = os.fork()
    if not child:
        os._exit(0 if storage._resource is None and not storage._making.locked() else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert storage.connection is found[0]
