"""An archive being prepared: in turn, under a lease, tried again after a failure."""

from __future__ import annotations

import errno
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.utils import timezone

from accounts import archive, exports, registry, tasks
from accounts.models import DataExport
from tests.accounts.archives import ASK, PAGE, fail, stored
from tests.factories import make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups")]


def test_the_oldest_comes_first_and_all_are_done(no_wake_ups):
    late, early = (exports.ask(make_user())[0] for _ in range(2))
    DataExport.objects.filter(pk=early.pk).update(created=timezone.now() - timedelta(hours=1))
    assert exports._claim() == early
    tasks.prepare_exports()
    late.refresh_from_db()
    assert late.status == "ready"
    assert no_wake_ups == []


def test_a_task_whose_time_is_up_sends_the_next_one(user, no_wake_ups, monkeypatch):
    exports.ask(user)
    monkeypatch.setattr(exports.prepare, "__defaults__", (0.0,))
    tasks.prepare_exports()
    assert no_wake_ups == ["accounts.prepare_exports"]
    assert DataExport.objects.get().status == "queued"


def test_what_one_process_has_no_other_takes_until_its_lease_is_over(user):
    exports.ask(user)
    mine = exports._claim()
    assert mine is not None
    assert exports._claim() is None
    DataExport.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    again = exports._claim()
    assert again is not None
    assert (again.pk, again.attempts) == (mine.pk, 2)


def test_who_was_given_up_writes_nothing_any_more(user, own_media):
    exports.ask(user)
    slow = exports._claim()
    DataExport.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    exports.prepare()
    done = DataExport.objects.get()
    exports._make(slow)
    assert DataExport.objects.get().file == done.file
    assert stored(own_media) == [Path(done.file.name).name]


def test_the_lease_is_renewed_while_it_is_made_and_a_lost_one_ends_it(user, monkeypatch):
    monkeypatch.setattr(exports, "RENEW_SECONDS", 0.0)
    exports.ask(user)
    export = exports._claim()
    soon = timezone.now() + timedelta(seconds=10)
    DataExport.objects.update(leased_until=soon)
    exports.Lease(export).keep()
    assert DataExport.objects.get().leased_until > soon
    DataExport.objects.update(attempts=2)
    with pytest.raises(exports.LeaseLostError):
        exports.Lease(export).keep()


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), ConnectionError("the storage is away")])
def test_a_full_disk_or_a_storage_that_is_away_is_tried_again_later(user, own_media, monkeypatch, error):
    exports.ask(user)
    monkeypatch.setattr(default_storage, "save", fail(error), raising=False)
    assert exports.prepare() is False
    export = DataExport.objects.get()
    assert (export.status, export.attempts) == ("queued", 1)
    assert export.leased_until > timezone.now()
    assert stored(own_media) == []
    monkeypatch.undo()
    DataExport.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    exports.prepare()
    assert DataExport.objects.get().status == "ready"


def test_the_disk_is_not_filled_to_its_end(user, small_networks, monkeypatch, own_media):
    make_runs(user, models=("tiny",))
    exports.ask(user)
    monkeypatch.setattr(archive, "RESERVE", 10**18)
    exports.prepare()
    assert DataExport.objects.get().status == "queued"
    assert stored(own_media) == []


def test_after_three_attempts_it_has_failed_and_can_be_asked_for_again(page, user, monkeypatch):
    exports.ask(user)
    monkeypatch.setattr(default_storage, "save", fail(OSError(errno.ENOSPC, "full")), raising=False)
    for _attempt in range(3):
        DataExport.objects.update(leased_until=None)
        exports.prepare()
    assert DataExport.objects.get().status == "failed"
    text = page.get(PAGE).content.decode()
    assert "could not be prepared" in text
    assert "Try again" in text
    monkeypatch.undo()
    page.post(ASK)
    exports.prepare()
    assert "Download the archive" in page.get(PAGE).content.decode()


def test_one_that_kills_its_worker_three_times_is_given_up_and_the_next_one_is_made(user):
    killer, _made = exports.ask(user)
    DataExport.objects.update(
        status="running", attempts=3, leased_until=timezone.now() - timedelta(seconds=1)
    )
    other, _made = exports.ask(make_user())
    exports.prepare()
    assert [DataExport.objects.get(pk=one.pk).status for one in (killer, other)] == ["failed", "ready"]


def test_a_worker_that_goes_away_hands_it_back_without_counting_the_attempt(user, own_media, monkeypatch):
    exports.ask(user)
    monkeypatch.setattr(default_storage, "save", fail(SystemExit()), raising=False)
    with pytest.raises(SystemExit):
        exports.prepare()
    export = DataExport.objects.get()
    assert (export.status, export.attempts, export.leased_until) == ("queued", 0, None)
    assert stored(own_media) == []


def test_a_database_that_is_away_costs_no_attempt(user, monkeypatch):
    """SQLite turns a SystemExit in the middle of a query into this error as well."""
    exports.ask(user)
    monkeypatch.setattr(default_storage, "save", fail(OperationalError("interrupted")), raising=False)
    with pytest.raises(OperationalError):
        exports.prepare()
    export = DataExport.objects.get()
    assert (export.status, export.attempts) == ("queued", 0)
    assert export.leased_until > timezone.now()


def test_nothing_is_made_for_an_account_that_is_about_to_be_erased(user):
    exports.ask(user)
    type(user).objects.update(deletion_due=timezone.now() + timedelta(days=7))
    assert exports.prepare() is False
    type(user).objects.update(deletion_due=None)
    exports.prepare()
    assert DataExport.objects.get().status == "ready"


def test_an_account_erased_meanwhile_leaves_no_file(user, own_media, monkeypatch):
    exports.ask(user)
    save = default_storage.save

    def erased_before(*args: Any, **options: Any) -> str:
        registry.forget(user)
        return save(*args, **options)

    monkeypatch.setattr(default_storage, "save", erased_before, raising=False)
    exports.prepare()
    assert not DataExport.objects.exists()
    assert stored(own_media) == []


def test_the_timer_wakes_the_worker_while_something_waits_and_only_then(user, no_wake_ups):
    tasks.wake_up()
    exports.ask(user)
    DataExport.objects.update(created=timezone.now() - timedelta(minutes=1))
    tasks.wake_up()
    assert no_wake_ups == ["accounts.prepare_exports"]
    exports._claim()
    tasks.wake_up()
    assert no_wake_ups == ["accounts.prepare_exports"]
    DataExport.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    tasks.wake_up()
    assert no_wake_ups == ["accounts.prepare_exports"] * 2
