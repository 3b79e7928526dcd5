"""Guests: who they are, and what they never can be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib.auth import authenticate
from django.contrib.sessions.backends.db import SessionStore
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import guests, registry
from accounts.models import ApiToken, User
from tests.factories import PASSWORD, make_guest, make_user

pytestmark = pytest.mark.django_db


def request_of(
    address: str = "10.0.0.1", csrf: str = "", session: SessionStore | None = None, **cookies: str
) -> HttpRequest:
    request = RequestFactory().post("/predict/", REMOTE_ADDR=address)
    request.session = session or SessionStore()
    request.COOKIES.update(cookies)
    if csrf:
        request.META["CSRF_COOKIE"] = csrf
    return request


@pytest.fixture
def guest() -> User:
    return guests.make(request_of())


def age(guest: User, hours: float) -> None:
    User.objects.filter(pk=guest.pk).update(
        guest_until=timezone.now() + guests.LIFETIME - timedelta(hours=hours)
    )


# --- what a guest is ----------------------------------------------------------------------------------------


def test_a_guest_is_found_in_its_session_for_a_day_and_nowhere_else() -> None:
    request = request_of(tz="Europe%2FBerlin")
    guest = guests.make(request)
    assert guests.of(request) == guest
    assert guests.of(request_of()) is None
    assert guest.time_zone == "Europe/Berlin"
    age(guest, 23.9)
    assert guests.of(request) == guest
    age(guest, 24.1)
    assert guests.of(request) is None


def test_an_account_named_in_a_session_is_no_guest(user: User) -> None:
    request = request_of()
    request.session[guests.SESSION_KEY] = user.pk
    assert guests.of(request) is None
    guests.merge(request, make_user())
    assert User.objects.filter(pk=user.pk).exists()


@pytest.mark.parametrize("rights", [{"is_staff": True}, {"is_superuser": True}, {"guest_until": None}])
def test_the_database_refuses_a_guest_with_rights_or_without_an_end(
    guest: User, rights: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError):
        User.objects.filter(pk=guest.pk).update(**rights)


def test_a_guest_has_no_tokens(guest: User, client: Client) -> None:
    with pytest.raises(ValueError, match="guest"):
        ApiToken.objects.issue(guest, "laptop")
    account = make_user()
    _token, key = ApiToken.objects.issue(account, "laptop")
    ApiToken.objects.update(owner=guest)
    assert client.get("/api/v1/", headers={"Authorization": f"Token {key}"}).status_code == 401


def test_a_guest_cannot_log_in(guest: User, client: Client) -> None:
    for password in ("", "!", guest.password):
        assert authenticate(RequestFactory().post("/admin/"), email=guest.email, password=password) is None
    client.post(reverse("account_login"), {"login": guest.email, "password": guest.password})
    assert client.get("/account/").status_code == 302


# --- nobody has such an address -----------------------------------------------------------------------------


def test_nobody_signs_up_or_goes_on_with_a_guests_address(client: Client, user: User, guest: User) -> None:
    sentence = "No message can be sent to this address."
    new = {"email": "me@Guest.INVALID", "password1": PASSWORD, "password2": PASSWORD}
    assert sentence in client.post(reverse("account_signup"), new).content.decode()
    assert sentence in client.post(reverse("account_reset_password"), {"email": guest.email}).content.decode()
    client.force_login(user)
    added = client.post(reverse("account_email"), {"action_add": "", "email": guest.email})
    assert sentence in added.content.decode()
    assert mail.outbox == []
    assert User.objects.count() == 2


def test_no_administrator_gets_a_guests_address() -> None:
    with pytest.raises(CommandError, match="No message can be sent"):
        call_command("createsuperuser", email="root@guest.invalid", interactive=False)
    with pytest.raises(ValidationError):
        User(email="root@guest.invalid").full_clean()


# --- in the admin -------------------------------------------------------------------------------------------


def test_the_admin_lists_guests_when_asked_and_changes_none(client: Client, guest: User) -> None:
    root = make_user("root@example.com", is_staff=True, is_superuser=True)
    client.force_login(root)
    users = reverse("admin:accounts_user_changelist")

    def listed(kind: str) -> set[User]:
        return set(client.get(users, {"kind": kind} if kind else {}).context["cl"].queryset)

    assert listed("") == listed("accounts") == {root}
    assert listed("guests") == {guest}
    assert listed("all") == {root, guest}
    page = reverse("admin:accounts_user_change", args=[guest.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, {"is_staff": "on"}).status_code == 403
    assert client.get(reverse("admin:auth_user_password_change", args=[guest.pk])).status_code == 403
    client.post(reverse("admin:accounts_user_delete", args=[guest.pk]), {"post": "yes"})
    assert list(User.objects.all()) == [root]


# --- how many -----------------------------------------------------------------------------------------------


def test_one_address_gets_a_class_of_new_guests_an_hour(
    limits: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guests, "NEW_PER_HOUR", 2)
    for _ in range(2):
        guests.make(request_of())
    with pytest.raises(guests.TooManyGuests, match="Sign up or log in") as refused:
        guests.make(request_of())
    assert 0 < refused.value.seconds <= 3600
    guests.make(request_of("10.0.0.2"))


def test_a_network_of_version_6_counts_as_one_address(limits: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guests, "NEW_PER_HOUR", 1)
    guests.make(request_of("2001:db8:1:2::1"))
    with pytest.raises(guests.TooManyGuests):
        guests.make(request_of("2001:db8:1:2:ffff::7"))
    guests.make(request_of("2001:db8:1:3::1"))


def test_load_tests_make_as_many_guests_as_they_like(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not site.RATE_LIMITS
    monkeypatch.setattr(guests, "NEW_PER_HOUR", 0)
    guests.make(request_of())


def test_requests_that_start_together_are_one_guest(monkeypatch: pytest.MonkeyPatch) -> None:
    first = guests.make(request_of(csrf="secret"))
    assert guests.make(request_of(csrf="secret")) == first
    # At the moment of the look the other one is not there yet, at the moment of writing it is.
    found = iter([None, first])
    monkeypatch.setattr(guests, "_made_just_now", lambda email: next(found))
    assert guests.make(request_of(csrf="secret")) == first
    assert User.objects.count() == 1


def test_others_and_those_who_come_later_are_guests_of_their_own() -> None:
    first = guests.make(request_of(csrf="secret"))
    elsewhere = guests.make(request_of("10.0.0.2", csrf="secret"))
    other = guests.make(request_of(csrf="another"))
    User.objects.update(created=timezone.now() - timedelta(minutes=2))
    later = guests.make(request_of(csrf="secret"))
    assert len({first, elsewhere, other, later}) == 4


# --- the end ------------------------------------------------------------------------------------------------


def test_guests_are_erased_after_their_day_and_accounts_never(
    user: User, guest: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    forgotten: list[User] = []
    monkeypatch.setattr(registry, "_erasers", {"test": forgotten.append})
    assert guests.sweep() == 0
    young = guests.make(request_of())
    age(guest, 25)
    assert guests.sweep() == 1
    assert [one.email for one in forgotten] == [guest.email]
    assert set(User.objects.all()) == {user, young}
    assert guests.sweep() == 0


def test_one_guest_that_cannot_be_erased_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, other = (guests.make(request_of()) for _ in range(2))
    age(stuck, 26)
    age(other, 25)

    def erase(one: User) -> None:
        if one.pk == stuck.pk:
            raise OSError("the storage is away")

    monkeypatch.setattr(registry, "_erasers", {"test": erase})
    assert guests.sweep() == 1
    assert list(User.objects.all()) == [stuck]
    monkeypatch.setattr(registry, "_erasers", {})
    assert guests.sweep() == 1


def test_a_turn_ends_when_its_time_is_up() -> None:
    for _ in range(5):
        age(guests.make(request_of()), 25)
    ticks = iter(range(100))
    # One look at the clock begins the turn, one each round, one each guest.
    assert guests.sweep(seconds=4, clock=lambda: float(next(ticks))) == 2
    assert User.objects.count() == 3


def test_an_ended_guest_is_neither_held_nor_merged(user: User) -> None:
    request = request_of()
    guest = guests.make(request)
    age(guest, 24.1)
    guests.hold(request)
    assert guests.of(request) is None
    guests.merge(request, user)
    assert guests.SESSION_KEY not in request.session
    assert guests.sweep() == 1


# --- becoming an account ------------------------------------------------------------------------------------


@pytest.fixture
def merged(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Who was merged into whom."""
    calls: list[tuple[str, str]] = []

    def merge(guest: User, account: User) -> str:
        calls.append((guest.email, account.email))
        return "Everything is yours now."

    monkeypatch.setattr(registry, "_mergers", {"test": merge})
    return calls


def sign_up(client: Client, email: str) -> Any:
    data = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
    return client.post(reverse("account_signup"), data)


def test_signing_up_merges_the_guest(client: Client, merged: list[tuple[str, str]]) -> None:
    guest = make_guest(client)
    before = client.session.session_key
    sign_up(client, "new@example.com")
    assert merged == [(guest.email, "new@example.com")]
    assert list(User.objects.values_list("email", flat=True)) == ["new@example.com"]
    assert guests.SESSION_KEY not in client.session
    assert client.session.session_key != before
    assert "Everything is yours now." in client.get("/account/").content.decode()


def test_logging_in_merges_the_guest_once(client: Client, user: User, merged: list[tuple[str, str]]) -> None:
    guest = make_guest(client)
    stale = Client()
    stale.cookies[site.SESSION_COOKIE_NAME] = client.session.session_key
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert merged == [(guest.email, user.email)]
    assert client.get("/account/").status_code == 200
    assert guests.SESSION_KEY not in stale.session
    client.post(reverse("account_logout"))
    assert guests.SESSION_KEY not in client.session
    assert merged == [(guest.email, user.email)]


def test_whoever_must_confirm_the_address_gets_the_pictures_at_the_first_login(
    client: Client, confirmation_required: None, merged: list[tuple[str, str]]
) -> None:
    guest = make_guest(client)
    answer = sign_up(client, "new@example.com")
    assert merged == []
    assert "wait in this browser" in client.get(answer.url).content.decode()
    # As long as the link in the message is good.
    age(guest, 0)
    guests.hold(request_of(session=client.session))
    guest.refresh_from_db()
    assert guest.guest_until is not None
    assert guest.guest_until > timezone.now() + timedelta(days=2)
    account = User.objects.get(email="new@example.com")
    account.emailaddress_set.update(verified=True)
    client.post(reverse("account_login"), {"login": account.email, "password": PASSWORD})
    assert merged == [(guest.email, account.email)]


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
    client: Client, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = make_guest(client)

    def broken(_guest: User, _user: User) -> str:
        raise DatabaseError("too busy")

    monkeypatch.setattr(registry, "_mergers", {"test": broken})
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert client.get("/account/").status_code == 200
    assert client.session[guests.SESSION_KEY] == guest.pk
    assert User.objects.filter(pk=guest.pk).exists()


def test_every_table_that_belongs_to_a_user_is_merged_or_never_a_guests() -> None:
    """A new table with an owner must be merged as well: deleting the guest's row would take its rows along."""
    tables = {relation.related_model._meta.label for relation in User._meta.related_objects}
    never = {"account.EmailAddress", "accounts.ApiToken", "admin.LogEntry"}
    by_predictions = {"predictions.Upload", "predictions.Batch", "predictions.Prediction"}
    assert tables - never == by_predictions
    assert list(registry.mergers()) == ["predictions"]


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
