"""An account's end: asked for with the password, and undone for a week."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import deletion
from accounts.models import ApiToken
from predictions import inference
from tests.accounts.endings import asked, log_in, overdue
from tests.factories import PASSWORD, make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_wake_ups")]

DELETE = "/account/delete/"
KEEP = "/account/keep/"
JSON = {"accept": "application/json"}


# --- asking ------------------------------------------------------------------------------------------------


def test_the_page_says_what_goes_when_and_how_to_keep_it(page, user):
    text = page.get(DELETE).content.decode()
    for words in (
        user.email,
        "After 7 days",
        "API tokens",
        "To keep it",
        "export everything",
        "Your password",
    ):
        assert words in text
    assert DELETE in page.get("/account/").content.decode()


@pytest.mark.parametrize("password", ["", "wrong"])
def test_without_the_right_password_nothing_happens(page, user, password):
    assert page.post(DELETE, {"password": password}).status_code == 422
    user.refresh_from_db()
    assert user.deletion_due is None
    assert mail.outbox == []
    assert page.get("/account/").status_code == 200


def test_guessing_the_password_is_limited(page, limits, monkeypatch):
    # One window, whatever the minute.
    monkeypatch.setattr("accounts.throttle.wait.__defaults__", (10**12,))
    assert [page.post(DELETE, {"password": "wrong"}).status_code for _ in range(6)] == [422] * 5 + [429]


def test_it_closes_the_account_at_once_and_says_so_by_e_mail(page, user, client):
    elsewhere = Client()
    log_in(elsewhere, user)
    before = timezone.now()
    response = page.post(DELETE, {"password": PASSWORD}, follow=True)
    assert "your account is erased. To keep it, log in before then." in response.content.decode()
    user.refresh_from_db()
    assert (
        timedelta(days=7) - timedelta(minutes=1) < user.deletion_due - before < timedelta(days=7, minutes=1)
    )
    for browser in (page, elsewhere):
        assert browser.get("/account/").url.startswith("/accounts/login/")
    (message,) = mail.outbox
    assert message.to == [user.email]
    assert message.subject == "Convoscope: Your account will be erased in seven days"
    assert "http://testserver/account/keep/" in message.body


def test_a_mail_server_that_is_away_does_not_keep_anybody_here(page, user, monkeypatch):
    def away(*args: Any) -> None:
        raise ConnectionError("refused")

    monkeypatch.setattr("accounts.adapter.AccountAdapter.send_mail", away)
    assert page.post(DELETE, {"password": PASSWORD}).status_code == 302
    user.refresh_from_db()
    assert user.deletion_due is not None


def test_asked_for_twice_the_first_day_counts(user):
    first = asked(user, timedelta(days=3)).deletion_due
    assert deletion.ask(user) is False
    assert user.deletion_due == first


def test_the_last_administrator_stays_and_of_two_one_may_go(client):
    boss = make_user(is_staff=True, is_superuser=True)
    client.force_login(boss)
    response = client.post(DELETE, {"password": PASSWORD})
    assert response.status_code == 422
    assert "only administrator" in response.content.decode()
    second = make_user(is_staff=True, is_superuser=True)
    assert deletion.ask(second)
    with pytest.raises(deletion.LastSuperuser):
        deletion.ask(boss)
    assert deletion.keep(second)
    assert deletion.ask(boss)


def test_staff_may_go_and_reach_the_admin_no_more(client):
    staff = asked(make_user(is_staff=True))
    client.force_login(staff)
    assert client.get("/admin/").url == KEEP


# --- the pause ---------------------------------------------------------------------------------------------


def test_logging_in_leads_to_one_page_that_asks(client, user):
    asked(user)
    assert log_in(client, user).status_code == 302
    for address in (
        "/",
        "/predict/",
        "/history/",
        "/account/",
        "/account/delete/",
        "/accounts/password/change/",
    ):
        assert client.get(address).url == KEEP
    assert client.post("/account/tokens/", {"name": "x"}).url == KEEP
    assert not ApiToken.objects.exists()
    text = client.get(KEEP).content.decode()
    assert "Keep my account" in text
    assert "Log out" in text


def test_one_can_log_out_instead(client, user):
    asked(user)
    log_in(client, user)
    assert client.post("/accounts/logout/").status_code == 302
    assert client.get(KEEP).url.startswith("/accounts/login/")


def test_kept_it_is_as_before(client, user, small_networks):
    (run,) = make_runs(user, models=("tiny",))
    asked(user)
    log_in(client, user)
    response = client.post(KEEP, follow=True)
    assert response.redirect_chain == [("/account/", 302)]
    assert "Your account is kept" in response.content.decode()
    assert client.get(f"/predictions/{run.pk}/").status_code == 200
    assert deletion.sweep() == 0


def test_who_has_nothing_to_keep_is_shown_the_account(page):
    assert page.get(KEEP).url == "/account/"
    assert page.post(KEEP).url == "/account/"


def test_after_the_seven_days_keeping_comes_too_late(client, user):
    overdue(user)
    log_in(client, user)
    assert "were over" in client.post(KEEP, follow=True).content.decode()
    assert deletion.keep(user) is False
    assert deletion.sweep() == 1


def test_scripts_and_programs_are_told_and_a_token_works_again_afterwards(client, user):
    _token, key = ApiToken.objects.issue(user, "laptop")
    header = {"authorization": f"Token {key}"}
    asked(user)
    client.force_login(user)
    answers = [
        Client().get("/api/v1/predictions/", headers=header),
        client.get("/api/v1/predictions/"),
        client.get("/predict/", headers=JSON),
        Client().post("/api/v1/token/", {"email": user.email, "password": PASSWORD}, "application/json"),
    ]
    assert [(a.status_code, a.json()["error"]["code"]) for a in answers] == [
        (403, "account_deletion_pending")
    ] * 4
    deletion.keep(user)
    assert Client().get("/api/v1/predictions/", headers=header).status_code == 200


def test_what_others_see_does_not_change(user, client):
    asked(user)
    assert client.get("/").status_code == 200
    client.force_login(make_user())
    assert client.get("/account/").status_code == 200


def test_what_waits_is_still_answered_during_the_pause(user, small_networks):
    (run,) = make_runs(user, models=("tiny",))
    asked(user)
    inference.drain()
    run.refresh_from_db()
    assert run.status == "done"
