"""Everything as one archive: what lies in it, asked for, handed to its owner for a week, and swept."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone

from accounts import archive, exports, registry
from accounts.models import ApiToken, DataExport, ModerationEntry
from tests.accounts.archives import ASK, PAGE, fail, stored
from tests.factories import make_picture, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups")]

JSON = {"accept": "application/json"}


def ready(user: Any) -> DataExport:
    export, _made = exports.ask(user)
    exports.prepare()
    export.refresh_from_db()
    assert export.status == "ready"
    return export


def opened(export: DataExport) -> zipfile.ZipFile:
    with default_storage.open(export.file.name, "rb") as file:
        return zipfile.ZipFile(io.BytesIO(file.read()))


def told(export: DataExport) -> dict[str, Any]:
    return json.loads(opened(export).read("data.json"))


def address(export: DataExport) -> str:
    return f"{ASK}{export.pk}/"


def age(export: DataExport, **fields: timedelta) -> None:
    """Makes it as old as if so much time had passed."""
    moved = {name: getattr(export, name) - by for name, by in fields.items()}
    DataExport.objects.filter(pk=export.pk).update(**moved)
    export.refresh_from_db()


def put(folder: Path, name: str, days: float = 0) -> Path:
    path = folder / "exports" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"left behind")
    then = timezone.now().timestamp() - days * 86400
    os.utime(path, (then, then))
    return path


# --- what lies in it ---------------------------------------------------------------------------------------


def test_it_holds_the_account_the_pictures_and_what_each_file_is(user, small_networks):
    (run,) = make_runs(user, models=("tiny",))
    ApiToken.objects.issue(user, "laptop")
    ModerationEntry.objects.create(
        actor=make_user("boss@example.com"), account=user, action="lift", reason="A mistake"
    )
    export = ready(user)
    with opened(export) as file:
        assert file.namelist() == ["README.txt", f"pictures/{run.upload_id}.png", "data.json"]
        assert file.testzip() is None
        assert file.read(f"pictures/{run.upload_id}.png") == make_picture().data
        assert file.getinfo(f"pictures/{run.upload_id}.png").compress_type == zipfile.ZIP_STORED
        assert "data.json" in file.read("README.txt").decode()
    data = told(export)
    account = data["account"]
    assert (account["email"], account["time_zone"]) == (user.email, "UTC")
    assert [token["name"] for token in account["api_tokens"]] == ["laptop"]
    assert [(entry["action"], entry["reason"]) for entry in account["moderation"]] == [("lift", "A mistake")]
    assert [upload["file"] for upload in data["predictions"]["uploads"]] == [f"pictures/{run.upload_id}.png"]
    assert data["missing_files"] == []


def test_what_its_files_are_is_said_in_the_account_s_language(user, small_networks):
    user.language = "de"
    user.save(update_fields=["language"])
    with opened(ready(user)) as file:
        assert file.read("README.txt").decode().startswith("Alles, was Convoscope")


def test_it_holds_no_secret_and_nobody_else(user, small_networks):
    _token, key = ApiToken.objects.issue(user, "laptop")
    other = make_user("boss@example.com")
    make_runs(other, models=("tiny",))
    ModerationEntry.objects.create(actor=other, account=user, action="lift")
    text = json.dumps(told(ready(user)))
    for secret in (key, user.password, other.email, "digest"):
        assert secret not in text


def test_what_every_app_registers_is_in_it(user, monkeypatch):
    monkeypatch.setattr(
        registry, "_exporters", {"diary": lambda user: {"days": iter([1, 2]), "of": user.email}}
    )
    monkeypatch.setattr(
        registry, "_file_exporters", {"diary": lambda user: [("diary/1.txt", lambda: io.BytesIO(b"dear"))]}
    )
    export = ready(user)
    assert told(export)["diary"] == {"days": [1, 2], "of": user.email}
    assert opened(export).read("diary/1.txt") == b"dear"
    assert opened(export).getinfo("diary/1.txt").compress_type == zipfile.ZIP_DEFLATED


def test_a_picture_whose_file_is_missing_is_named_and_the_others_are_there(user, small_networks):
    gone, there = make_runs(user, pictures=2, models=("tiny",))
    default_storage.delete(gone.upload.file.name)
    export = ready(user)
    assert told(export)["missing_files"] == [f"pictures/{gone.upload_id}.png"]
    assert f"pictures/{there.upload_id}.png" in opened(export).namelist()


def test_names_in_every_script_and_empty_accounts_are_fine(user):
    ApiToken.objects.issue(user, 'Gerät «ü» 漢字 "')
    assert told(ready(user))["account"]["api_tokens"][0]["name"] == 'Gerät «ü» 漢字 "'
    assert told(ready(make_user()))["predictions"]["uploads"] == []


def test_the_memory_does_not_grow_with_the_pictures(user, monkeypatch, tmp_path):
    """Only the archive's table of contents does: some hundred bytes a picture."""
    megabyte = bytes(1024 * 1024)

    class Keeping:
        def keep(self) -> None:
            pass

    def peak(pictures: int) -> int:
        files = [(f"pictures/{i}.jpg", lambda: io.BytesIO(megabyte)) for i in range(pictures)]
        monkeypatch.setattr(registry, "_file_exporters", {"many": lambda user: iter(files)})
        monkeypatch.setattr(
            registry, "_exporters", {"rows": lambda user: {"rows": iter([{"x": "y" * 1000}] * 20 * pictures)}}
        )
        with (tmp_path / "archive").open("wb") as file:
            tracemalloc.start()
            try:
                archive._fill(file, user, Keeping(), tmp_path)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    few, many = peak(3), peak(60)
    assert many - few < 1024 * 1024


def test_another_storage_is_given_it_piece_by_piece_while_the_lease_is_kept(
    user, own_media, monkeypatch, tmp_path, settings
):
    settings.DATA_DIR = tmp_path / "data"
    monkeypatch.setattr(archive, "FileSystemStorage", type("NotThisOne", (), {}))
    kept: list[int] = []
    monkeypatch.setattr(exports.Lease, "keep", lambda lease: kept.append(1))
    export = ready(user)
    assert told(export)["account"]["email"] == user.email
    assert kept
    assert stored(settings.DATA_DIR) == []
    assert len(stored(own_media)) == 1


# --- asking ------------------------------------------------------------------------------------------------


def test_asked_for_twice_it_is_prepared_once_and_that_is_said(
    page, user, no_wake_ups, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        assert page.post(ASK).url == f"{PAGE}#your-data"
    assert no_wake_ups == ["accounts.prepare_exports"]
    again = page.post(ASK, follow=True).content.decode()
    assert "is being prepared already" in again
    assert DataExport.objects.count() == 1
    exports.prepare()
    again = page.post(ASK, follow=True).content.decode()
    assert "less than an hour ago" in again
    assert DataExport.objects.count() == 1


def test_after_an_hour_a_new_one_is_made_and_takes_the_place_of_the_old_one(page, user, own_media):
    first = ready(user)
    age(first, finished=timedelta(hours=2))
    assert page.get(address(first)).status_code == 200
    second = ready(user)
    assert second.pk != first.pk
    assert page.get(address(first)).status_code == 410
    assert page.get(address(second)).status_code == 200
    exports.sweep()
    assert len(stored(own_media)) == 1


def test_two_forms_at_once_are_one_export(user, monkeypatch):
    first, _made = exports.ask(user)
    answers = iter([None, first])
    monkeypatch.setattr(exports, "_kept", lambda user: next(answers))
    assert exports.ask(user) == (first, False)
    assert DataExport.objects.count() == 1


# --- handing it out ----------------------------------------------------------------------------------------


def test_its_owner_downloads_it_and_nothing_keeps_a_copy(page, user):
    export = ready(user)
    response = page.get(address(export))
    assert response.status_code == 200
    assert response["Content-Type"] == "application/zip"
    assert (
        response["Content-Disposition"] == f'attachment; filename="convoscope-{export.created:%Y-%m-%d}.zip"'
    )
    assert "no-store" in response["Cache-Control"]
    body = b"".join(response.streaming_content)
    assert int(response["Content-Length"]) == len(body) == export.bytes
    assert zipfile.ZipFile(io.BytesIO(body)).testzip() is None


@pytest.mark.parametrize("rights", [{}, {"is_staff": True, "is_superuser": True}])
def test_nobody_else_downloads_it(user, rights):
    export = ready(user)
    client = Client()
    assert client.get(address(export)).status_code == 302
    client.force_login(make_user(**rights))
    assert client.get(address(export)).status_code == 404


def test_before_it_is_ready_its_address_leads_to_the_account_page(page, user):
    export, _made = exports.ask(user)
    assert page.get(address(export)).url == f"{PAGE}#your-data"


def test_when_it_has_expired_a_page_says_so_and_the_file_is_gone(page, user, own_media):
    export = ready(user)
    assert export.expires - export.finished == timedelta(days=7)
    age(export, expires=timedelta(days=7, seconds=1))
    for _ in range(2):
        response = page.get(address(export))
        assert response.status_code == 410
        assert "You can ask for a new one" in response.content.decode()
        assert "no-store" in response["Cache-Control"]
        exports.sweep()
    assert stored(own_media) == []
    assert "Export everything" in page.get(PAGE).content.decode()


def test_a_file_that_is_missing_is_gone_and_can_be_asked_for_again(page, user):
    export = ready(user)
    default_storage.delete(export.file.name)
    assert page.get(address(export)).status_code == 410
    assert ready(user).pk != export.pk


def test_from_an_object_storage_it_comes_in_pieces(page, user, monkeypatch):
    """Opened the usual way the whole archive would be in memory before its first byte goes out."""
    export = ready(user)
    with default_storage.open(export.file.name, "rb") as file:
        data = file.read()

    class File:
        closed = False

        def pieces(self, size):
            yield from (data[:size], data[size:])

        def close(self):
            File.closed = True

        def read(self, size=-1):
            pytest.fail("all of it was read")

    monkeypatch.setattr(default_storage, "open", lambda name, mode: File(), raising=False)
    response = page.get(address(export))
    assert b"".join(response.streaming_content) == data
    assert File.closed
    assert response["Content-Length"] == str(len(data))
    assert response["Content-Disposition"].startswith("attachment")


# --- the account page --------------------------------------------------------------------------------------


def test_the_page_says_how_far_it_is_and_asks_by_itself_until_it_is_ready(page, user):
    assert "results.js" not in page.get(PAGE).content.decode()
    page.post(ASK)
    text = page.get(PAGE).content.decode()
    assert "waits for its turn" in text
    assert f'data-poll="{ASK}" data-poll-seen="queued"' in text
    assert "js/results.js" in text
    assert page.get(ASK, {"seen": "queued"}, headers=JSON).json() == {
        "seen": "queued",
        "says": "",
        "final": False,
    }
    exports._claim()
    answer = page.get(ASK, {"seen": "queued"}, headers=JSON).json()
    assert (answer["seen"], answer["final"]) == ("running", False)
    assert "being prepared" in answer["html"]
    DataExport.objects.update(leased_until=None)
    exports.prepare()
    answer = page.get(ASK, {"seen": "running"}, headers=JSON).json()
    assert (answer["final"], answer["says"]) == (True, "The archive of your data is ready.")
    assert address(DataExport.objects.get()) in answer["html"]
    assert address(DataExport.objects.get()) in page.get(PAGE).content.decode()


def test_asking_again_and_again_is_limited(page, limits, monkeypatch):
    # One window, whatever the minute.
    monkeypatch.setattr("accounts.throttle.wait.__defaults__", (10**12,))
    answers = [page.post(ASK).status_code for _ in range(12)]
    assert answers[-1] == 429


# --- sweeping ----------------------------------------------------------------------------------------------


def test_files_that_no_row_names_are_swept_when_they_are_old(user, own_media):
    export = ready(user)
    put(own_media, "old.zip", days=2)
    put(own_media, "killed.part", days=2)
    put(own_media, "new.part")
    assert exports.sweep() == 2
    assert stored(own_media) == sorted(["new.part", Path(export.file.name).name])


def test_what_a_killed_process_left_goes_when_the_next_archive_is_made(user, own_media):
    put(own_media, "killed.part", days=2)
    ready(user)
    assert [name for name in stored(own_media) if name.endswith(".part")] == []


def test_a_file_that_cannot_be_removed_now_is_removed_later(user, own_media, monkeypatch):
    export = ready(user)
    age(export, expires=timedelta(days=8))
    monkeypatch.setattr(default_storage, "delete", fail(ConnectionError("away")), raising=False)
    assert exports.sweep() == 0
    monkeypatch.undo()
    assert exports.sweep() == 1
    assert stored(own_media) == []


def test_rows_are_forgotten_a_month_later(user):
    export = ready(user)
    age(export, expires=timedelta(days=8))
    exports.sweep()
    assert DataExport.objects.exists()
    age(export, finished=timedelta(days=31))
    exports.sweep()
    assert not DataExport.objects.exists()


def test_without_a_folder_there_is_nothing_to_sweep():
    assert exports.sweep() == 0
