from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def log_in(client, email="ada@example.com", password=PASSWORD, address="10.0.0.1", query="", **headers):
    data = {"login": email, "password": password}
    return client.post(reverse("account_login") + query, data, REMOTE_ADDR=address, headers=headers)


def is_in(client) -> bool:
    return client.get(reverse("accounts:account")).status_code == 200


def error(response) -> list[str]:
    return response.context["form"].non_field_errors()


@pytest.mark.parametrize("email", ["ada@example.com", "ADA@Example.com", " ada@example.com "])
def test_the_address_may_be_typed_in_any_case(client, user, email):
    assert log_in(client, email).url == reverse("predictions:predict")
    assert is_in(client)


def test_logging_out_takes_a_post(client, user):
    client.force_login(user)
    client.get(reverse("account_logout"))
    assert is_in(client)
    assert client.post(reverse("account_logout")).url == reverse("home")
    assert not is_in(client)


def test_a_wrong_password_and_an_unknown_address_cannot_be_told_apart(client, user, hashes):
    wrong = log_in(client, password="not this one at all")
    hashed_for_wrong = len(hashes)
    unknown = log_in(client, "nobody@example.com")
    assert list(error(wrong)) == list(error(unknown)) == ["The e-mail address or the password is not right."]
    assert hashed_for_wrong == len(hashes) - hashed_for_wrong > 0
    assert not is_in(client)


def test_an_inactive_account_does_not_get_in(client):
    make_user("gone@example.com", is_active=False)
    log_in(client, "gone@example.com")
    assert not is_in(client)


def test_the_session_gets_a_new_key_at_login(client, user, settings):
    session = client.session
    session["visited"] = True
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = before = session.session_key
    log_in(client)
    assert client.session.session_key != before
    assert is_in(client)


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_logging_in_leads_to_no_other_site(client, user, target):
    assert log_in(client, query=f"?next={target}").url == reverse("predictions:predict")


def test_logging_in_leads_back_to_the_page_that_asked(client, user):
    asked = client.get(reverse("accounts:account"))
    assert asked.url == f"{reverse('account_login')}?next={reverse('accounts:account')}"
    assert log_in(client, query=f"?next={reverse('accounts:account')}").url == reverse("accounts:account")


def test_guessing_is_stopped_but_does_not_lock_the_owner_out(client, user, limits):
    for number in range(5):
        log_in(client, password=f"guess number {number}")
    assert "Too many" in error(log_in(client))[0]
    assert "Too many" in error(log_in(client, "ADA@example.com"))[0]
    assert not is_in(client)
    log_in(client, address="10.0.0.2")
    assert is_in(client)


def test_a_made_up_forwarding_header_does_not_help_guessing(client, user, limits):
    for number in range(5):
        log_in(client, password=f"guess number {number}", **{"X-Forwarded-For": f"192.0.2.{number}"})
    assert "Too many" in error(log_in(client, **{"X-Forwarded-For": "192.0.2.99"}))[0]
