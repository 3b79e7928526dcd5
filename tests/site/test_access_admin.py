"""Who may reach which address of the admin and of the account pages. One that is missing from a table fails the suite.

Permissions are asked before objects are looked for: whoever may see an object is sent on from an id that names none,
whoever may not is refused. What depends on the object itself is tested beside the code that decides it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import get_resolver, reverse

from accounts import suspension
from accounts.models import User
from predictions.models import Report
from tests.factories import make_runs, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("small_networks", "no_wake_ups")]

NOBODY = "00000000-0000-4000-8000-000000000000"
VERBS = ("changelist", "add", "change", "delete")


class May(NamedTuple):
    """Letters of the verbs that are open: l(ist), a(dd), c(hange or see), d(elete)."""

    moderator: str
    superuser: str


LOOK = "lc"
MODELS = {
    "accounts_apitoken": May("", "lcd"),
    "accounts_moderationentry": May(LOOK, LOOK),
    "learn_explanation": May("", LOOK),
    "learn_ownclasses": May("", LOOK),
    "learn_solvedtask": May("", LOOK),
    "accounts_user": May(LOOK, "lacd"),
    "account_emailaddress": May("", "lacd"),
    "auth_group": May("", "lacd"),
    "axes_accessattempt": May("", "lcd"),
    "axes_accessfailurelog": May("", "lcd"),
    "axes_accesslog": May("", "lcd"),
    "mfa_authenticator": May("", "lcd"),
    "predictions_heartbeat": May("", LOOK),
    "predictions_prediction": May(LOOK, "lcd"),
    "predictions_removedpicture": May("lcd", "lcd"),
    "predictions_report": May(LOOK, LOOK),
    "predictions_upload": May(LOOK, "lcd"),
    "usersessions_usersession": May("", "lcd"),
}
# name -> arguments and the status for: staff without a permission, a moderator, a superuser.
OTHERS: dict[str, tuple[list[Any], int, int, int]] = {
    "index": ([], 200, 200, 200),
    "jsi18n": ([], 200, 200, 200),
    "password_change": ([], 200, 200, 200),
    "password_change_done": ([], 200, 200, 200),
    "autocomplete": ([], 403, 403, 403),
    "view_on_site": ([1, 1], 404, 404, 404),
    "app_list": (["axes"], 404, 404, 200),
    "auth_user_password_change": ([0], 403, 403, 404),
    "predictions_report_decide": ([NOBODY, "hide"], 405, 405, 405),
    "predictions_upload_picture": ([NOBODY], 404, 404, 404),
}
# The two doors themselves, open to everybody.
DOORS = {"login", "logout"}
ROLES = ("staff", "moderator", "superuser")


def addresses() -> Iterator[str]:
    """The name of every address of the admin; those without one only lead on to another."""
    for pattern in get_resolver().namespace_dict["admin"][1].reverse_dict.lists():
        if isinstance(pattern[0], str):
            yield pattern[0]


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def moderator() -> User:
    user = make_user("moderator@example.com", is_staff=True)
    user.groups.add(Group.objects.get(name="moderators"))
    return user


@pytest.fixture
def people(moderator: User) -> dict[str, Client]:
    staff = make_user("staff@example.com", is_staff=True)
    superuser = make_user("superuser@example.com", is_staff=True, is_superuser=True)
    return {name: client_of(user) for name, user in zip(ROLES, (staff, moderator, superuser), strict=True)}


def address(name: str) -> str:
    """One address of the admin, of an object that is not there where it takes one."""
    if name in OTHERS:
        return reverse(f"admin:{name}", args=OTHERS[name][0])
    verb = name.rpartition("_")[2]
    return reverse(f"admin:{name}", args=["0"] if verb in ("change", "delete", "history") else [])


def test_every_address_of_the_admin_is_in_the_tables() -> None:
    known = {f"{model}_{verb}" for model in MODELS for verb in (*VERBS, "history")}
    assert set(addresses()) == known | set(OTHERS) | DOORS


def test_whoever_is_not_staff_is_led_to_the_login_wherever_they_knock() -> None:
    suspended = make_user("suspended@example.com", is_staff=True, is_superuser=True)
    suspended_client = client_of(suspended)
    suspension.suspend(make_user("chief@example.com", is_staff=True, is_superuser=True), suspended, "spam")
    suspended_client.get("/")  # where they are told why, once
    clients = {
        "visitor": Client(),
        "user": client_of(make_user("user@example.com")),
        "suspended": suspended_client,
    }
    for who, client in clients.items():
        for name in set(addresses()) - DOORS - {"jsi18n"}:
            response = client.get(address(name))
            assert response.status_code == 302, (who, name)
            assert response["Location"].startswith("/admin/login/"), (who, name)


def test_the_admin_opens_to_each_what_the_table_says(people: dict[str, Client]) -> None:
    for name in OTHERS:
        seen = tuple(client.get(address(name)).status_code for client in people.values())
        assert seen == OTHERS[name][1:], name
    for model, may in MODELS.items():
        open_to = ("", *may)
        for verb in VERBS:
            letter = {"changelist": "l"}.get(verb, verb[0])
            for (who, client), letters in zip(people.items(), open_to, strict=True):
                status = client.get(address(f"{model}_{verb}")).status_code
                # A list or an empty form is shown; an object that is not there leads back to the index.
                opened = 200 if letter in "la" else 302
                assert status == (opened if letter in letters else 403), (who, model, verb)


def test_the_history_of_an_object_is_for_those_who_may_see_the_object(people: dict[str, Client]) -> None:
    owner = make_user("owner@example.com")
    run = make_runs(owner, models=("tiny",))[0]
    for model, pk in (
        ("predictions_upload", run.upload_id),
        ("predictions_prediction", run.pk),
        ("accounts_user", owner.pk),
    ):
        seen = [
            client.get(reverse(f"admin:{model}_history", args=[pk])).status_code for client in people.values()
        ]
        assert seen == [403, 200, 200], model


@pytest.mark.parametrize("verb", ["hide", "remove", "dismiss", "suspend"])
def test_only_who_may_decide_decides(people: dict[str, Client], verb: str) -> None:
    owner = make_user("owner@example.com")
    run = make_runs(owner, models=("tiny",))[0]
    report = Report.objects.create(upload=run.upload, account=owner, reason="minor", reporter_key="one")
    decide = reverse("admin:predictions_report_decide", args=[report.pk, verb])
    for client in (Client(), client_of(owner), people["staff"]):
        assert client.post(decide, {f"reason-{report.pk}": "no"}).status_code in (302, 403)
        report.refresh_from_db()
        owner.refresh_from_db()
        assert report.state == "open"
        assert owner.suspended is None
    people["moderator"].post(decide, {f"reason-{report.pk}": "It shows a minor."})
    report.refresh_from_db()
    owner.refresh_from_db()
    assert owner.suspended if verb == "suspend" else report.state != "open"


# --- accounts ----------------------------------------------------------------------------------------------

# Addresses of allauth: what a visitor and what somebody with an account reads. What they do: tests/accounts/.
ACCOUNT_PAGES: dict[str, tuple[list[Any], int, int]] = {
    "account_login": ([], 200, 302),
    "account_logout": ([], 302, 200),
    "account_inactive": ([], 200, 200),
    "account_signup": ([], 200, 302),
    "account_reauthenticate": ([], 302, 200),
    "account_email": ([], 302, 200),
    "account_email_verification_sent": ([], 200, 200),
    "account_change_password": ([], 302, 200),
    "account_set_password": ([], 302, 302),
    "account_reset_password": ([], 200, 200),
    "account_confirm_login_code": ([], 302, 302),
    "account_confirm_email": (["odd"], 200, 200),
    "account_reset_password_from_key": (["1", "odd"], 200, 200),
    "account_reset_password_from_key_done": ([], 200, 200),
    "account_reset_password_done": ([], 200, 200),
    "mfa_index": ([], 302, 200),
    "mfa_authenticate": ([], 302, 302),
    "mfa_reauthenticate": ([], 302, 302),
    "mfa_activate_totp": ([], 302, 302),
    "mfa_deactivate_totp": ([], 302, 404),
    "mfa_view_recovery_codes": ([], 302, 404),
    "mfa_generate_recovery_codes": ([], 302, 302),
    "mfa_download_recovery_codes": ([], 302, 404),
    "mfa_list_webauthn": ([], 302, 200),
    "mfa_add_webauthn": ([], 302, 302),
    "mfa_reauthenticate_webauthn": ([], 302, 302),
    "mfa_remove_webauthn": ([0], 302, 302),
    "mfa_edit_webauthn": ([0], 302, 302),
    "mfa_login_webauthn": ([], 302, 302),
    "usersessions_list": ([], 302, 200),
}


def test_every_address_of_the_account_pages_is_in_the_table() -> None:
    names = {
        entry.name
        for include in get_resolver().url_patterns
        if str(include.pattern) == "accounts/"
        for entry in flat(include)
    }
    assert names == set(ACCOUNT_PAGES)


def flat(resolver: Any) -> Iterator[Any]:
    for entry in resolver.url_patterns:
        yield from flat(entry) if hasattr(entry, "url_patterns") else [entry]


def test_account_pages_open_to_each_what_the_table_says() -> None:
    suspended = make_user("suspended@example.com")
    suspended_client = client_of(suspended)
    suspension.suspend(make_user("chief@example.com", is_staff=True, is_superuser=True), suspended, "spam")
    suspended_client.get("/")  # where they are told why, once
    clients = (Client(), client_of(make_user("user@example.com")), suspended_client)
    for name, (arguments, visitor, user) in ACCOUNT_PAGES.items():
        seen = [client.get(reverse(name, args=arguments)).status_code for client in clients]
        assert seen == [visitor, user, visitor], name
