"""What was tried without an account: whose it is after a sign-up, and who is asked about it after a login."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings as site
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import guests, registry
from accounts.models import User
from tests.accounts.visitors import age, log_in, request_of, sign_up
from tests.factories import make_guest

pytestmark = pytest.mark.django_db

HTML = {"accept": "text/html"}
OFFER = "You tried 2 pictures here before you logged in. Keep them in your history?"
KEEP, REFUSE = "/account/guest/keep/", "/account/guest/refuse/"


# --- becoming an account ------------------------------------------------------------------------------------


@pytest.fixture
def merged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Who was merged into whom."""
    calls: list[tuple[str, str]] = []

    def merge(guest: User, account: User) -> str:
        calls.append((guest.email, account.email))
        return "Everything is yours now."

    monkeypatch.setattr(registry, "_mergers", {"test": merge})
    monkeypatch.setattr(registry, "_counters", {"test": lambda one: 2})
    return calls


def test_signing_up_merges_the_guest(client: Client, merged: list[tuple[str, str]]) -> None:
    guest = make_guest(client)
    before = client.session.session_key
    sign_up(client, "new@example.com")
    assert merged == [(guest.email, "new@example.com")]
    assert list(User.objects.values_list("email", flat=True)) == ["new@example.com"]
    assert guests.SESSION_KEY not in client.session
    assert client.session.session_key != before
    assert "Everything is yours now." in client.get("/account/").content.decode()


def test_a_sign_up_merges_once_and_ends_the_session_of_before(
    client: Client, merged: list[tuple[str, str]]
) -> None:
    guest = make_guest(client)
    stale = Client()
    stale.cookies[site.SESSION_COOKIE_NAME] = client.session.session_key
    sign_up(client, "new@example.com")
    assert client.get("/account/").status_code == 200
    assert guests.SESSION_KEY not in stale.session
    client.post(reverse("account_logout"))
    assert guests.SESSION_KEY not in client.session
    log_in(client, "new@example.com")
    assert merged == [(guest.email, "new@example.com")]


def test_whoever_must_confirm_the_address_gets_the_pictures_at_the_first_login(
    client: Client, confirmation_required: None, merged: list[tuple[str, str]]
) -> None:
    guest = make_guest(client)
    answer = sign_up(client, "new@example.com")
    assert merged == []
    assert "wait in this browser" in client.get(answer.url).content.decode()
    # About as long as the link in the message is good.
    guest.refresh_from_db()
    assert guest.guest_until is not None
    assert guest.guest_until > timezone.now() + timedelta(days=2)
    account = User.objects.get(email="new@example.com")
    account.emailaddress_set.update(verified=True)
    log_in(client, "New@example.com")
    assert merged == [(guest.email, account.email)]


def test_signing_up_again_and_again_keeps_no_guest_for_ever(
    client: Client, confirmation_required: None
) -> None:
    guest = make_guest(client)
    begun = timezone.now() - timedelta(days=2)
    User.objects.filter(pk=guest.pk).update(created=begun)
    for number in range(2):
        sign_up(client, f"new-{number}@example.com")
        guest.refresh_from_db()
        assert guest.guest_until == begun + timedelta(days=3)


def test_a_sign_up_for_another_address_merges_nothing_into_an_account(
    client: Client, user: User, confirmation_required: None, merged: list[tuple[str, str]]
) -> None:
    guest = make_guest(client)
    sign_up(client, "new@example.com")
    log_in(client, user.email)
    assert merged == []
    assert OFFER in client.get("/account/").content.decode()
    assert client.session[guests.SESSION_KEY] == guest.pk


def test_a_sign_up_stands_for_the_pictures_that_were_there_only(
    client: Client, user: User, confirmation_required: None, merged: list[tuple[str, str]]
) -> None:
    first = make_guest(client)
    sign_up(client, user.email)
    age(first, 25)
    second = make_guest(client)
    log_in(client, user.email)
    assert merged == []
    assert client.session[guests.SESSION_KEY] == second.pk


def test_a_stranger_puts_nothing_into_an_account(
    client: Client, user: User, confirmation_required: None, merged: list[tuple[str, str]]
) -> None:
    guest = make_guest(client)
    taken = sign_up(client, user.email)
    assert merged == []
    kept_for_taken = User.objects.get(pk=guest.pk).guest_until
    other = Client()
    second = make_guest(other)
    free = sign_up(other, "free@example.com")
    assert merged == []
    assert (taken.status_code, taken.url) == (free.status_code, free.url)
    assert client.get(taken.url).content.count(b"wait in this browser") == 1
    # How long the pictures are kept does not tell either that the address is taken.
    kept_for_free = User.objects.get(pk=second.pk).guest_until
    assert kept_for_taken is not None
    assert kept_for_free is not None
    assert abs(kept_for_free - kept_for_taken) < timedelta(minutes=1)


def test_a_wrong_password_merges_nothing(client: Client, user: User, merged: list[tuple[str, str]]) -> None:
    guest = make_guest(client)
    client.post(reverse("account_login"), {"login": user.email, "password": "not this one"})
    assert merged == []
    assert client.session[guests.SESSION_KEY] == guest.pk


def test_a_merge_that_fails_keeps_nobody_out_and_loses_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = make_guest(client)

    def broken(_guest: User, _user: User) -> str:
        raise DatabaseError("too busy")

    monkeypatch.setattr(registry, "_mergers", {"test": broken})
    monkeypatch.setattr(registry, "_counters", {"test": lambda one: 2})
    sign_up(client, "new@example.com")
    page = client.get("/account/")
    assert page.status_code == 200
    assert OFFER in page.content.decode()
    assert client.session[guests.SESSION_KEY] == guest.pk
    assert User.objects.filter(pk=guest.pk).exists()


def test_every_table_that_belongs_to_a_user_is_merged_or_never_a_guests() -> None:
    """A new table with an owner must be merged as well: deleting the guest's row would take its rows along."""
    tables = {relation.related_model._meta.label for relation in User._meta.related_objects}
    never = {
        *("account.EmailAddress", "accounts.ApiToken", "accounts.DataExport", "admin.LogEntry"),
        *("mfa.Authenticator", "predictions.Report", "predictions.Share", "usersessions.UserSession"),
        # A log that is never changed; it names pictures by their ids, by which their owner is told.
        "accounts.ModerationEntry",
        # What a visitor solves in the lessons stays in the browser until there is an account.
        "learn.SolvedTask",
        # For classes of one's own an account is needed.
        "learn.OwnClasses",
    }
    merged = {"predictions.Upload", "predictions.Batch", "predictions.Prediction", "learn.Explanation"}
    assert tables - never == merged
    assert set(registry.mergers()) == {"predictions", "learn"}


# --- being asked about after a login ------------------------------------------------------------------------


def test_who_logs_in_after_somebody_is_asked_and_given_nothing(
    client: Client, user: User, merged: list[tuple[str, str]]
) -> None:
    guest = make_guest(client)
    log_in(client, user.email)
    for page in ("/account/", "/learn/", "/no-such-page/"):
        assert OFFER in client.get(page, headers=HTML).content.decode(), page
    assert merged == []
    elsewhere = Client()
    log_in(elsewhere, user.email)
    assert OFFER not in elsewhere.get("/account/").content.decode()
    age(guest, 25)
    assert OFFER not in client.get("/account/").content.decode()


def test_visitors_and_those_with_nothing_to_keep_are_not_asked(
    client: Client, user: User, merged: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_guest(client)
    assert OFFER not in client.get("/").content.decode()
    monkeypatch.setattr(registry, "_counters", {"test": lambda one: 0})
    log_in(client, user.email)
    assert OFFER not in client.get("/account/").content.decode()


def test_keeping_the_pictures_merges_them_and_asks_no_more(
    client: Client, user: User, merged: list[tuple[str, str]]
) -> None:
    guest = make_guest(client)
    log_in(client, user.email)
    answer = client.post(KEEP, {"next": "/learn/?a=b"})
    assert (answer.status_code, answer["Location"]) == (302, "/learn/?a=b")
    assert merged == [(guest.email, user.email)]
    assert guests.SESSION_KEY not in client.session
    page = client.get("/account/").content.decode()
    assert "Everything is yours now." in page
    assert OFFER not in page
    assert "nothing to keep any more" in client.post(KEEP, follow=True).content.decode()
    assert merged == [(guest.email, user.email)]


def test_refusing_the_pictures_erases_them_at_once(
    client: Client, user: User, merged: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[int] = []
    monkeypatch.setattr(registry, "_erasers", {"test": lambda one: forgotten.append(one.pk)})
    guest = make_guest(client)
    other = guests.make(request_of())
    log_in(client, user.email)
    page = client.post(REFUSE, follow=True).content.decode()
    assert "is erased" in page
    assert OFFER not in page
    assert guests.SESSION_KEY not in client.session
    assert forgotten == [guest.pk]
    assert set(User.objects.all()) == {user, other}
    client.post(REFUSE)
    client.post(KEEP)
    assert merged == []
    assert set(User.objects.all()) == {user, other}


def test_what_cannot_be_erased_at_once_is_left_to_the_sweeper(
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(one: User) -> None:
        raise OSError("the storage is away")

    monkeypatch.setattr(registry, "_erasers", {"test": away})
    make_guest(client)
    log_in(client, user.email)
    assert client.post(REFUSE).status_code == 302
    assert OFFER not in client.get("/account/").content.decode()
    monkeypatch.setattr(registry, "_erasers", {})
    assert guests.sweep() == 1
    assert list(User.objects.all()) == [user]


@pytest.mark.parametrize("address", [KEEP, REFUSE])
def test_only_a_form_of_this_site_answers_and_leads_to_this_site(
    client: Client, user: User, merged: list[tuple[str, str]], address: str
) -> None:
    guest = make_guest(client)
    assert client.post(address).status_code == 302
    assert client.session[guests.SESSION_KEY] == guest.pk
    log_in(client, user.email)
    assert client.get(address)["Location"] == "/predict/"
    strict = Client(enforce_csrf_checks=True)
    strict.cookies[site.SESSION_COOKIE_NAME] = client.session.session_key
    assert strict.post(address).status_code == 403
    assert client.session[guests.SESSION_KEY] == guest.pk
    assert client.post(address, {"next": "https://elsewhere.example/"})["Location"] == "/predict/"


def test_signing_up_twice_at_once_makes_one_account_and_merges_once(
    client: Client, merged: list[tuple[str, str]]
) -> None:
    make_guest(client)
    twin = Client()
    twin.cookies[site.SESSION_COOKIE_NAME] = client.session.session_key
    sign_up(client, "new@example.com")
    sign_up(twin, "new@example.com")
    assert len(merged) == 1
    assert User.objects.count() == 1
