"""Without an account: five pictures, kept for a day, and for good once there is an account."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import guests, throttle
from accounts.models import User
from predictions import forms, quotas, samples, services
from predictions.models import Prediction, Upload
from tests.factories import finish, make_runs, make_user
from tests.folders import files
from tests.predictions.visitors import HTML, JSON, ask, draft, guest_of, logged_in, picture

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


# --- looking ------------------------------------------------------------------------------------------------


def test_looking_makes_nobody_and_leaves_no_session(client: Client) -> None:
    response = client.get("/predict/", headers=HTML)
    assert response.status_code == 200
    assert "5 of 5 pictures left" in response.content.decode()
    assert set(response.cookies) == {"csrftoken"}
    assert response["Cache-Control"] == "private, no-cache"
    assert not User.objects.exists()


def test_what_cannot_be_taken_makes_nobody(client: Client) -> None:
    nonsense = SimpleUploadedFile("notes.jpg", b"nonsense", "image/jpeg")
    assert client.post("/predict/draft/", {"image": nonsense}, headers=JSON).status_code == 422
    assert client.post("/predict/", {"image": nonsense, "model": "tiny"}, headers=HTML).status_code == 422
    assert client.post("/predict/", {"draft": "9" * 32, "model": "tiny"}, headers=HTML).status_code == 422
    assert not User.objects.exists()
    assert set(client.cookies) == {"csrftoken"}


@pytest.mark.parametrize("address", ["/history/", "/predict/?upload=0f8fad5b-d9cb-469f-a165-70867728950e"])
def test_a_visitor_who_has_nothing_yet_is_sent_to_the_login_page(client: Client, address: str) -> None:
    assert client.get(address, headers=HTML)["Location"].startswith("/accounts/login/?next=")


def test_an_account_sees_no_trial(page: Client) -> None:
    assert "data-trial" not in page.get("/predict/").content.decode()


# --- trying -------------------------------------------------------------------------------------------------


def test_a_guest_uses_every_page_of_the_workshop(client: Client) -> None:
    address = ask(client, 1)["Location"]
    run = Prediction.objects.get()
    finish(run)
    detail = client.get(address, headers=HTML).content.decode()
    assert "4 of 5 pictures left" in detail
    assert "Sign up</a> to keep them" in detail
    assert f"next={address}" in detail
    assert "Log out" not in detail
    for page in (
        f"{address}status/",
        f"/predictions/{run.pk}/input.png",
        f"/batches/{run.batch_id}/",
        f"/batches/{run.batch_id}/status/",
        f"/pictures/{run.upload_id}/",
        f"/predict/?upload={run.upload_id}",
    ):
        assert client.get(page).status_code == 200, page
    assert str(run.pk) in client.get("/history/").content.decode()
    assert client.post("/predictions/delete/", {"id": str(run.pk)}, headers=JSON).json()["deleted"]
    assert client.post("/predictions/undo/", {"id": str(run.pk)}, headers=JSON).json()["restored"] == 1


def test_the_pages_of_accounts_and_the_api_do_not_know_guests(client: Client) -> None:
    ask(client, 1)
    run = Prediction.objects.get()
    for page in ("/account/", "/account/tokens/", "/accounts/email/", "/admin/"):
        assert client.get(page, headers=HTML).status_code == 302, page
    for page in ("/api/v1/", "/api/v1/predictions/", f"/api/v1/predictions/{run.pk}/"):
        assert client.get(page, headers=JSON).status_code == 401, page
    assert client.post("/api/v1/predictions/", {"image": picture()}, headers=JSON).status_code == 401
    home = client.get("/", headers=HTML).content.decode()
    assert "Log in" in home
    assert "Log out" not in home


def test_every_draft_says_how_many_are_left(client: Client) -> None:
    said = [draft(client, number).json()["trial"] for number in range(2)]
    assert said == [
        {"left": 4, "says": "4 of 5 pictures left"},
        {"left": 3, "says": "3 of 5 pictures left"},
    ]
    assert "trial" not in draft(logged_in(make_user())).json()


def test_a_draft_is_asked_about_by_the_guest_who_sent_it(client: Client) -> None:
    sent = draft(client).json()["id"]
    answer = client.post("/predict/", {"draft": sent, "model": ["tiny"]}, headers=JSON)
    assert answer.status_code == 200
    assert Prediction.objects.get().owner == guest_of(client)
    assert Upload.objects.count() == 1


def test_drafts_sent_at_once_belong_to_one_guest(client: Client) -> None:
    client.get("/predict/")
    twin = Client()
    twin.cookies["csrftoken"] = client.cookies["csrftoken"].value
    draft(client, 1)
    draft(twin, 2)
    assert guest_of(client) == guest_of(twin)
    assert Upload.objects.filter(owner=guest_of(client)).count() == 2


def test_a_page_of_an_account_whose_login_has_ended_is_told_so(client: Client) -> None:
    response = draft(client, **{"X-Account": "1"})
    assert response.status_code == 401
    assert "Log in" in response.json()["error"]["message"]
    assert ask(client, 1, account="1")["Location"] == "/accounts/login/?next=/predict/"
    assert not User.objects.exists()
    # Neither does it go to a guest who tries in another tab.
    draft(client)
    assert draft(client, **{"X-Account": "1"}).status_code == 401


def test_too_many_guests_from_one_address_are_told_what_to_do(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    monkeypatch.setattr(guests, "NEW_PER_HOUR", 1)
    assert draft(client).status_code == 201
    refused = draft(Client())
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert "Sign up or log in" in refused.json()["error"]["message"]
    assert "Sign up or log in" in ask(Client(), 1).content.decode()
    assert draft(client).status_code == 201
    assert draft(logged_in(make_user())).status_code == 201


def test_visitors_are_limited_by_their_address_until_they_are_guests(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RATE_LIMITS = True
    draft(client)
    spent = {"127.0.0.1": 301}
    monkeypatch.setattr(throttle, "_count", lambda scope, who, *window: spent.get(who, 1))
    assert draft(Client()).status_code == 429
    assert draft(client, 2).status_code == 201


# --- five pictures ------------------------------------------------------------------------------------------


@pytest.fixture
def limited(settings: Any) -> None:
    settings.RATE_LIMITS = True


@pytest.mark.usefixtures("limited")
def test_the_sixth_picture_is_refused_and_nothing_is_lost(client: Client, own_media: Path) -> None:
    sent = [draft(client, number).json()["id"] for number in range(5)]
    refused = draft(client, 5)
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "trial_over"
    assert "You have tried 5 pictures" in refused.json()["error"]["message"]
    assert len(files(own_media)) == 5
    page = ask(client, 6)
    assert page.status_code == 422
    html = page.content.decode()
    assert "You have tried 5 pictures" in html
    assert "0 of 5 pictures left" in html
    assert 'href="/accounts/signup/?next=/predict/"' in html
    assert 'href="/accounts/login/?next=/predict/"' in html
    # Those that were taken can still be asked about, once more and with other bars.
    address = client.post("/predict/", {"draft": sent[0], "model": ["tiny"]}, headers=HTML)["Location"]
    assert client.post(f"{address}again/", headers=HTML).status_code == 302
    covered = {"draft": sent[0], "model": ["tiny"], "bars": "[[0, 0, 0.5, 1]]"}
    assert client.post("/predict/", covered, headers=HTML).status_code == 302


@pytest.mark.usefixtures("limited")
def test_more_at_once_than_are_left_are_refused_together(client: Client, own_media: Path) -> None:
    ask(client, 1, 2)
    page = ask(client, 3, 4, 5, 6)
    assert page.status_code == 422
    assert "can try 3 more pictures, and these are 4" in page.content.decode()
    assert len(files(own_media)) == 2
    assert ask(client, 3, 4, 5).status_code == 302


@pytest.mark.usefixtures("limited")
def test_more_than_five_pictures_are_refused_before_they_are_read(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []
    monkeypatch.setattr(forms, "take_all", read.append)
    page = ask(client, *range(6))
    assert page.status_code == 422
    assert "can try 5 more pictures, and these are 6" in page.content.decode()
    assert read == []
    assert not User.objects.exists()


@pytest.mark.usefixtures("limited")
def test_deleting_a_picture_makes_no_room_for_another(client: Client) -> None:
    for number in range(5):
        ask(client, number)
    ids = [str(run.pk) for run in Prediction.objects.all()]
    client.post("/predictions/delete/", {"id": ids}, headers=JSON)
    assert draft(client, 6).status_code == 422


@pytest.mark.usefixtures("limited")
def test_what_was_not_kept_does_not_count(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(client, 1)
    monkeypatch.setattr(quotas, "GUEST_IN_FLIGHT", 1)
    assert "still waiting" in ask(client, 2).content.decode()
    monkeypatch.setattr(quotas, "GUEST_IN_FLIGHT", 100)

    def broken(*args: Any) -> None:
        raise OSError("the storage is away")

    with monkeypatch.context() as patch:
        patch.setattr(services, "make_inputs", broken)
        with pytest.raises(OSError, match="away"):
            ask(client, 2)
    assert guest_of(client).trials == 1
    assert ask(client, 2, 3, 4, 5).status_code == 302


@pytest.mark.usefixtures("limited")
def test_sending_the_same_form_twice_counts_once(client: Client) -> None:
    first, second = (ask(client, 1, key="one-page") for _ in range(2))
    assert first["Location"] == second["Location"]
    assert guest_of(client).trials == 1


def test_load_tests_are_not_limited(client: Client, settings: Any) -> None:
    settings.RATE_LIMITS = False
    assert [draft(client, number).status_code for number in range(6)] == [201] * 6


# --- whose ------------------------------------------------------------------------------------------------


def test_a_guests_things_are_the_guests_alone(client: Client, user: User) -> None:
    ask(client, 1)
    run = Prediction.objects.get()
    other = Client()
    ask(other, 2)
    staff = make_user(is_staff=True, is_superuser=True)
    pages = (
        f"/predictions/{run.pk}/",
        f"/predictions/{run.pk}/status/",
        f"/predictions/{run.pk}/input.png",
        f"/batches/{run.batch_id}/",
        f"/pictures/{run.upload_id}/",
        f"/predict/?upload={run.upload_id}",
    )
    for stranger in (other, logged_in(user), logged_in(staff)):
        assert [stranger.get(page).status_code for page in pages] == [404] * len(pages)
        assert str(run.pk) not in stranger.get("/history/").content.decode()
        gone = stranger.post("/predictions/delete/", {"id": str(run.pk)}, headers=JSON)
        assert gone.json()["deleted"] == []
    assert client.get(pages[0]).status_code == 200


def test_a_guest_sees_nothing_of_an_account(client: Client, user: User) -> None:
    ask(client, 1)
    (run,) = make_runs(user, models=("tiny",))
    for page in (f"/predictions/{run.pk}/", f"/batches/{run.batch_id}/", f"/pictures/{run.upload_id}/"):
        assert client.get(page).status_code == 404, page
    draft_of_another = {"draft": str(run.upload_id), "model": ["tiny"]}
    assert client.post("/predict/", draft_of_another, headers=HTML).status_code == 422


def test_the_sites_own_pictures_are_not_among_the_five(client: Client) -> None:
    sample = samples.offered()[0]
    data = (settings.BASE_DIR / "static" / "samples" / sample.filename).read_bytes()
    for _time in range(7):
        file = SimpleUploadedFile("renamed.jpg", data, "image/jpeg")
        answer = client.post("/predict/draft/", {"image": file}, headers=JSON)
        assert answer.status_code == 201
        assert answer.json()["trial"]["left"] == 5
    other = SimpleUploadedFile("renamed.jpg", data + b"\0", "image/jpeg")
    assert client.post("/predict/draft/", {"image": other}, headers=JSON).json()["trial"]["left"] == 4


def test_the_sites_own_pictures_have_a_bound_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotas, "GUEST_KEPT", 2)
    data = (settings.BASE_DIR / "static" / "samples" / samples.offered()[0].filename).read_bytes()
    sent = [
        client.post(
            "/predict/draft/", {"image": SimpleUploadedFile("a.jpg", data, "image/jpeg")}, headers=JSON
        )
        for _time in range(3)
    ]
    assert [answer.status_code for answer in sent] == [201, 201, 422]
    assert sent[2].json()["error"]["code"] == "trial_over"
