"""What was tried without an account becomes an account's, or ends after a day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.test import Client
from django.utils import timezone

from accounts import guests
from accounts.models import User
from predictions import inference, moderation, quotas, services, timers
from predictions.models import Batch, Prediction, Upload
from tests.factories import PASSWORD, make_picture, make_runs
from tests.folders import files
from tests.predictions.visitors import HTML, JSON, ask, draft, guest_of, picture, sign_up

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]


# --- becoming an account ------------------------------------------------------------------------------------


def test_signing_up_keeps_everything_that_was_tried(client: Client) -> None:
    ask(client, 1)
    ask(client, 2, 3)
    draft(client, 4)
    address = ask(client, 5, bars="[[0, 0, 0.5, 1]]")["Location"]
    deleted = Prediction.objects.filter(asked=True).latest("created")
    client.post("/predictions/delete/", {"id": str(deleted.pk)}, headers=JSON)
    user = sign_up(client)
    assert User.objects.count() == 1
    assert set(Upload.objects.values_list("owner", flat=True)) == {user.pk}
    assert set(Batch.objects.values_list("owner", flat=True)) == {user.pk}
    assert set(Prediction.objects.values_list("owner", flat=True)) == {user.pk}
    said = client.get("/history/").content.decode()
    assert "Your 3 pictures are now in your history." in said
    assert "data-trial" not in said
    assert client.post("/predictions/undo/", {"id": str(deleted.pk)}, headers=JSON).status_code == 200
    assert client.get(address).status_code == 200


def test_why_a_picture_was_hidden_is_told_to_the_account_that_it_belongs_to_now(client: Client) -> None:
    ask(client, 1)
    moderation.hide(None, Upload.objects.all(), "It shows a person who did not agree to it")
    sign_up(client)
    assert "It shows a person who did not agree to it" in client.get("/account/").content.decode()


def test_after_logging_out_the_pictures_are_behind_the_login(client: Client) -> None:
    address = ask(client, 1)["Location"]
    before = client.cookies[site.SESSION_COOKIE_NAME].value
    sign_up(client)
    thief = Client()
    thief.cookies[site.SESSION_COOKIE_NAME] = before
    assert thief.get(address, headers=HTML).status_code == 302
    client.post("/accounts/logout/")
    assert client.get(address, headers=HTML).status_code == 302
    assert client.get("/history/", headers=HTML).status_code == 302
    assert "5 of 5 pictures left" in client.get("/predict/", headers=HTML).content.decode()


def log_in(client: Client, user: User) -> None:
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})


def test_who_logs_in_keeps_what_was_tried_beside_the_history_that_is_there(
    client: Client, user: User
) -> None:
    make_runs(user, models=("tiny",), key="same")
    address = ask(client, 1)["Location"]
    assert 'href="/accounts/login/?next=/history/"' in client.get(address, headers=HTML).content.decode()
    Batch.objects.filter(owner=guest_of(client)).update(key="same")
    log_in(client, user)
    assert Prediction.objects.of(user).count() == 1
    asked = client.get("/history/").content.decode()
    assert "You tried 1 picture here before you logged in. Keep it in your history?" in asked
    # A page that was open before asks as well.
    missing = client.get(address, headers=HTML)
    assert missing.status_code == 404
    assert f'name="next" value="{address}"' in missing.content.decode()
    client.post("/account/guest/keep/")
    assert "Your picture is now in your history." in client.get("/history/").content.decode()
    assert Prediction.objects.of(user).count() == 2
    assert sorted(Batch.objects.values_list("key", flat=True), key=str) == [None, "same"]
    assert client.get(address, headers=HTML).status_code == 200


def test_who_logs_in_after_somebody_else_gets_none_of_the_pictures(
    client: Client, user: User, own_media: Path
) -> None:
    make_runs(user, models=("tiny",))
    ask(client, 1, 2)
    draft(client, 3)
    log_in(client, user)
    asked = client.get("/history/").content.decode()
    assert "You tried 2 pictures here before you logged in. Keep them in your history?" in asked
    assert len(files(own_media)) == 4
    client.post("/account/guest/refuse/")
    assert list(User.objects.all()) == [user]
    assert {one.owner for model in (Upload, Batch, Prediction) for one in model.objects.all()} == {user}
    assert len(files(own_media)) == 1


def test_an_answer_that_comes_while_signing_up_is_in_the_history(client: Client) -> None:
    ask(client, 1)
    claim, (run,) = Prediction.objects.claim(1)
    user = sign_up(client)
    inference.compute(claim, [run])
    run.refresh_from_db()
    assert (run.owner, run.status) == (user, "done")


@pytest.mark.parametrize("limits", [True, False])
def test_what_is_sent_while_signing_up_is_refused_without_a_trace(
    client: Client, settings: Any, own_media: Path, limits: bool
) -> None:
    settings.RATE_LIMITS = limits
    sent = draft(client, 1).json()["id"]
    late = guest_of(client)
    user = sign_up(client)
    with pytest.raises(guests.GuestGone, match="Reload the page"):
        services.store(late, make_picture())
    with pytest.raises(guests.GuestGone):
        services.submit(late, [Upload.objects.get(pk=sent)], ["tiny"])
    assert Upload.objects.get().owner == user
    assert len(files(own_media)) == 1


@pytest.mark.parametrize(("headers", "status"), [(JSON, 401), (HTML, 302)])
def test_a_page_whose_guest_has_gone_meanwhile_is_told_so(
    client: Client, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], status: int
) -> None:
    draft(client, 1)

    def gone(*args: Any, **options: Any) -> None:
        raise guests.GuestGone

    monkeypatch.setattr(quotas, "take", gone)
    response = client.post("/predict/draft/", {"image": picture(2)}, headers=headers)
    assert response.status_code == status


# --- the end ------------------------------------------------------------------------------------------------


def expire(guest: User) -> None:
    User.objects.filter(pk=guest.pk).update(guest_until=timezone.now() - timedelta(seconds=1))


def test_after_a_day_the_pictures_are_out_of_reach_and_then_erased(
    client: Client, user: User, own_media: Path
) -> None:
    make_runs(user, models=("tiny",))
    address = ask(client, 1, 2)["Location"]
    draft(client, 3)
    Prediction.objects.claim(1)
    expire(guest_of(client))
    assert client.get(address, headers=HTML).status_code == 302
    actions = {name: action for name, _every, action in timers.listed()}
    assert actions["guests"]() == 1
    assert actions["guests"]() == 0
    assert list(User.objects.all()) == [user]
    assert Prediction.objects.get().owner == user
    assert Upload.objects.get().owner == user
    assert Batch.objects.count() == 1
    assert len(files(own_media)) == 1


def test_after_a_day_one_may_try_again(client: Client) -> None:
    ask(client, 1)
    old = guest_of(client)
    expire(old)
    assert "5 of 5 pictures left" in client.get("/predict/", headers=HTML).content.decode()
    ask(client, 2)
    assert guest_of(client) != old


def test_a_run_whose_guest_is_erased_while_it_is_computed_disturbs_nobody(client: Client) -> None:
    ask(client, 1)
    claim, runs = Prediction.objects.claim(1)
    expire(guest_of(client))
    guests.sweep()
    inference.compute(claim, runs)
    assert not Prediction.objects.exists()
