"""The admin: what staff see, find and remove, and what staff without the permission cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from predictions import worker
from predictions.models import Prediction, Upload
from predictions.templatetags.prediction_format import percent
from tests.factories import finish, make_runs, make_user
from tests.folders import files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


@pytest.fixture
def admin_client() -> Client:
    client = Client()
    client.force_login(make_user("root@example.com", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def run() -> Prediction:
    return finish(make_runs(make_user("ada@example.com"), models=("tiny",))[0])


@pytest.mark.parametrize("model", ["upload", "prediction", "heartbeat"])
def test_every_list_and_every_entry_opens(admin_client: Client, run: Prediction, model: str) -> None:
    worker._beat("host:1", models={"tiny": "tiny-1"})
    page = admin_client.get(reverse(f"admin:predictions_{model}_changelist"))
    assert page.status_code == 200
    key = {"upload": run.upload_id, "prediction": run.pk, "heartbeat": "host_3A1"}[model]
    entry = admin_client.get(reverse(f"admin:predictions_{model}_change", args=[key]))
    assert entry.status_code == 200


def test_the_list_shows_percentages_and_sizes_in_one_piece(admin_client: Client, run: Prediction) -> None:
    page = admin_client.get(reverse("admin:predictions_prediction_changelist")).content.decode()
    assert f"{percent(run.probability1)}</td>" in page
    assert "Convoscope" in page
    page = admin_client.get(reverse("admin:predictions_upload_changelist")).content.decode()
    assert f"{run.upload.width}\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}{run.upload.height}" in page


def test_no_two_parts_of_the_console_have_one_name(admin_client: Client) -> None:
    names = [app["name"] for app in admin_client.get(reverse("admin:index")).context["app_list"]]
    assert len(names) == len(set(names))


def test_uploads_show_thumbnails_that_staff_may_see(admin_client: Client, run: Prediction) -> None:
    page = admin_client.get(reverse("admin:predictions_upload_changelist")).content.decode()
    address = reverse("admin:predictions_upload_picture", args=[run.upload_id])
    assert address in page
    picture = admin_client.get(address, {"size": "thumb"})
    assert picture["Content-Type"] == "image/jpeg"
    stranger = Client()
    stranger.force_login(make_user())
    assert stranger.get(address).status_code == 302


@pytest.mark.parametrize("model", ["upload", "prediction"])
def test_rows_are_found_by_their_owners_address(admin_client: Client, run: Prediction, model: str) -> None:
    make_runs(make_user("bob@example.com"), models=("tiny",))
    page = admin_client.get(reverse(f"admin:predictions_{model}_changelist"), {"q": "ada@"}).content.decode()
    assert "ada@example.com" in page
    assert "bob@example.com" not in page


def act(client: Client, model: str, action: str, key: Any) -> Any:
    address = reverse(f"admin:predictions_{model}_changelist")
    return client.post(
        address, {"action": action, "_selected_action": [str(key)], "reason": "spam"}, follow=True
    )


def test_removing_a_picture_takes_row_and_file(
    admin_client: Client, run: Prediction, own_media: Path
) -> None:
    assert len(files(own_media)) == 1
    page = act(admin_client, "upload", "remove_pictures", run.upload_id)
    assert "1 picture was removed." in page.content.decode()
    assert not Upload.objects.exists()
    assert not Prediction.objects.exists()
    assert files(own_media) == []


def test_the_delete_button_takes_row_and_file_too(
    admin_client: Client, run: Prediction, own_media: Path
) -> None:
    address = reverse("admin:predictions_upload_delete", args=[run.upload_id])
    admin_client.post(address, {"post": "yes"})
    assert not Upload.objects.exists()
    assert files(own_media) == []


def test_deleting_an_account_takes_its_pictures_too(
    admin_client: Client, run: Prediction, own_media: Path
) -> None:
    address = reverse("admin:accounts_user_delete", args=[run.owner_id])
    admin_client.post(address, {"post": "yes"})
    assert not Prediction.objects.exists()
    assert files(own_media) == []


def test_removing_a_prediction_keeps_a_picture_that_is_still_used(
    admin_client: Client, own_media: Path
) -> None:
    first, second = make_runs(make_user())
    act(admin_client, "prediction", "remove_predictions", first.pk)
    assert len(files(own_media)) == 1
    act(admin_client, "prediction", "remove_predictions", second.pk)
    assert files(own_media) == []


def test_failed_predictions_can_be_tried_again(admin_client: Client) -> None:
    (run,) = make_runs(make_user(), models=("tiny",))
    claim, _runs = Prediction.objects.claim(1)
    Prediction.objects.fail(claim, run, "engine_failed", "It failed.")
    act(admin_client, "prediction", "retry_failed", run.pk)
    assert Prediction.objects.waiting().get() == run


def test_nothing_is_added_or_typed_in(admin_client: Client, run: Prediction) -> None:
    assert admin_client.get(reverse("admin:predictions_prediction_add")).status_code == 403
    address = reverse("admin:predictions_prediction_change", args=[run.pk])
    assert admin_client.post(address, {"status": "failed"}).status_code == 403
    run.refresh_from_db()
    assert run.status == "done"


def test_staff_without_the_permission_see_and_remove_nothing(run: Prediction, own_media: Path) -> None:
    staff = make_user(is_staff=True)
    client = Client()
    client.force_login(staff)
    assert client.get(reverse("admin:predictions_upload_changelist")).status_code == 403
    address = reverse("admin:predictions_upload_picture", args=[run.upload_id])
    assert client.get(address).status_code == 404
    staff.user_permissions.add(Permission.objects.get(codename="view_upload"))
    assert client.get(reverse("admin:predictions_upload_changelist")).status_code == 200
    act(client, "upload", "remove_pictures", run.upload_id)
    assert len(files(own_media)) == 1
