from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.throttling import SimpleRateThrottle

from accounts import forms
from accounts.models import ApiToken
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

URL = "/api/v1/token/"


def ask(client, email="ada@example.com", password=PASSWORD, address="10.0.0.1", headers=None, **more):
    data = {"email": email, "password": password, **more}
    return client.post(URL, data, content_type="application/json", REMOTE_ADDR=address, headers=headers or {})


def error(response) -> dict:
    body = response.json()
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"])
    return body["error"]


def test_it_is_where_the_contract_says():
    assert reverse("accounts_api:token") == URL


def test_address_and_password_give_a_token_that_works(client, user):
    response = ask(client, "ADA@example.com")
    assert response.status_code == 200
    assert set(response.json()) == {"token"}
    assert "no-store" in response["Cache-Control"]
    assert ApiToken.objects.find(response.json()["token"]).owner == user


def test_it_can_be_named(client, user):
    ask(client, name="course notebook")
    ask(client)
    assert [token.name for token in user.api_tokens.all()] == ["API", "course notebook"]


def test_a_form_does_as_well_as_json_and_needs_no_csrf_token(user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    response = client.post(URL, {"email": "ada@example.com", "password": PASSWORD})
    # The interface may be limited to JSON by a setting; a missing CSRF token is never the reason to refuse.
    assert response.status_code == 200


def test_wrong_passwords_and_unknown_addresses_cannot_be_told_apart(client, user, hashes):
    wrong = ask(client, password="not this one at all")
    hashed_for_wrong = len(hashes)
    unknown = ask(client, "nobody@example.com")
    assert wrong.status_code == unknown.status_code == 400
    assert error(wrong) == error(unknown)
    assert hashed_for_wrong == len(hashes) - hashed_for_wrong > 0
    make_user("gone@example.com", is_active=False)
    assert error(ask(client, "gone@example.com")) == error(wrong)
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        ({}, {"email", "password"}),
        ({"email": "invalidemail", "password": "aas"}, {"email"}),
        ({"email": "", "password": ""}, {"email", "password"}),
        ({"email": "ada@example.com"}, {"password"}),
        ({"email": ["x"], "password": {"a": 1}}, {"email", "password"}),
        ({"email": "ada@example.com", "password": "nul\0"}, {"password"}),
        ({"email": "ada@example.com", "password": "x" * 5000}, {"password"}),
        ({"email": "ada@example.com", "password": PASSWORD, "name": "x" * 101}, {"name"}),
    ],
)
def test_bad_input_names_its_fields(client, user, data, fields):
    response = client.post(URL, data, content_type="application/json")
    assert response.status_code == 400
    assert set(error(response)["fields"]) == fields
    assert not ApiToken.objects.exists()


def test_what_is_no_json_is_refused(client, user):
    response = client.post(URL, "{", content_type="application/json")
    assert response.status_code == 400
    assert error(response)["message"]


def test_an_unconfirmed_address_gets_no_token_where_confirmation_is_required(client, confirmation_required):
    make_user("new@example.com", verified=False)
    response = ask(client, "new@example.com")
    assert response.status_code == 403
    assert error(response)["code"] == "email_not_confirmed"
    assert error(ask(client, "new@example.com", "wrong"))["code"] == "wrong_credentials"


def test_guessing_is_stopped_but_does_not_lock_the_owner_out(client, user, limits):
    codes = [error(ask(client, password=f"guess {number}"))["code"] for number in range(5)]
    assert codes[:4] == ["wrong_credentials"] * 4
    locked = ask(client)
    assert locked.status_code == 429
    assert error(locked)["code"] == "locked_out"
    assert int(locked["Retry-After"]) > 0
    assert ask(client, "ADA@EXAMPLE.COM").status_code == 429
    assert ask(client, headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 429
    assert ask(client, address="10.0.0.2").status_code == 200


def test_another_account_from_the_same_address_is_not_locked_out(client, user, limits):
    for number in range(6):
        ask(client, password=f"guess {number}")
    make_user("grace@example.com")
    assert ask(client, "grace@example.com").status_code == 200


def test_success_starts_the_count_anew(client, user, limits):
    for _round in range(2):
        for number in range(4):
            assert ask(client, password=f"guess {number}").status_code == 400
        assert ask(client).status_code == 200


def test_the_login_page_and_the_endpoint_count_apart(client, user, limits):
    for number in range(5):
        client.post(
            reverse("account_login"),
            {"login": "ada@example.com", "password": f"guess {number}"},
            REMOTE_ADDR="10.0.0.1",
        )
    assert ask(client).status_code == 200


def test_requests_are_throttled(client, user, monkeypatch):
    monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, "token", "3/min")
    answers = [ask(client) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert error(answers[-1])["message"]
    assert int(answers[-1]["Retry-After"]) > 0
    assert ask(client, address="10.0.0.2").status_code == 200


def test_the_number_of_tokens_is_limited(client, user, limits, settings, monkeypatch):
    monkeypatch.setattr(forms, "MAX_TOKENS", 2)
    assert [ask(client).status_code for _ in range(3)] == [200, 200, 409]
    assert error(ask(client))["code"] == "too_many_tokens"
    settings.RATE_LIMITS = False
    assert ask(client).status_code == 200


def test_reading_the_endpoint_is_not_allowed(client):
    assert client.get(URL).status_code == 405
