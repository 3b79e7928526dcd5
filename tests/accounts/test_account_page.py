from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts import forms
from accounts.models import ApiToken
from tests.factories import make_user

pytestmark = pytest.mark.django_db

PAGE = "/account/"


@pytest.fixture
def owner(client, user):
    client.force_login(user)
    return user


def make_token(client, name="laptop") -> str:
    """The key that the page shows."""
    response = client.post(reverse("accounts:make-token"), {"name": name})
    return re.search(r'value="(cvs_[\w-]+)"', response.content.decode()).group(1)


def test_it_says_who_one_is_and_where_to_change_it(client, owner):
    response = client.get(PAGE)
    page = response.content.decode()
    assert response.status_code == 200
    assert "ada@example.com" in page
    assert reverse("account_email") in page
    assert reverse("account_change_password") in page
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("path", ["", "tokens/", "tokens/1/revoke/"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_visitors_are_asked_to_log_in(client, path, method):
    response = getattr(client, method)(PAGE + path)
    assert (response.status_code, response.url.split("?")[0]) == (302, reverse("account_login"))


def test_the_time_zone_can_be_changed(client, owner):
    assert client.post(PAGE, {"time_zone": "Asia/Tokyo"}).url == PAGE
    owner.refresh_from_db()
    assert owner.time_zone == "Asia/Tokyo"
    assert '<option value="Asia/Tokyo" selected>' in client.get(PAGE).content.decode()


@pytest.mark.parametrize("zone", ["", "Europe/Atlantis", "../etc/passwd"])
def test_a_time_zone_that_is_none_is_refused(client, owner, zone):
    response = client.post(PAGE, {"time_zone": zone})
    assert response.status_code == 422
    assert response.context["zone_form"].errors["time_zone"]
    owner.refresh_from_db()
    assert owner.time_zone == "UTC"


def test_nothing_else_of_the_account_can_be_posted(client, owner):
    client.post(PAGE, {"time_zone": "UTC", "email": "x@example.com", "is_staff": "on", "is_superuser": "on"})
    owner.refresh_from_db()
    assert (owner.email, owner.is_staff, owner.is_superuser) == ("ada@example.com", False, False)


def test_a_new_token_is_shown_once(client, owner):
    key = make_token(client)
    token = owner.api_tokens.get()
    assert ApiToken.objects.find(key) == token
    page = client.get(PAGE).content.decode()
    assert key not in page
    assert token.digest not in page
    assert "laptop" in page
    assert token.prefix in page


def test_the_page_with_the_key_is_not_kept(client, owner):
    response = client.post(reverse("accounts:make-token"), {"name": "laptop"})
    assert "no-store" in response["Cache-Control"]


def test_who_had_to_log_in_first_comes_back_to_the_account_page(client, owner):
    assert client.get(reverse("accounts:make-token")).url == PAGE
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_a_token_needs_a_name_of_reasonable_length(client, owner, name):
    response = client.post(reverse("accounts:make-token"), {"name": name})
    assert response.status_code == 422
    assert response.context["token_form"].errors["name"]
    assert not ApiToken.objects.exists()


def test_a_name_is_text_and_nothing_else(client, owner):
    make_token(client, "<script>alert(1)</script>")
    page = client.get(PAGE).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_there_is_a_limit_that_is_said(client, owner, limits, monkeypatch):
    monkeypatch.setattr(forms, "MAX_TOKENS", 1)
    make_token(client)
    response = client.post(reverse("accounts:make-token"), {"name": "another"})
    assert "Revoke one" in response.content.decode()
    assert owner.api_tokens.count() == 1


def test_a_token_is_revoked(client, owner):
    key = make_token(client)
    revoke = reverse("accounts:revoke-token", args=[owner.api_tokens.get().pk])
    assert revoke in client.get(PAGE).content.decode()
    client.get(revoke)
    assert ApiToken.objects.find(key)
    assert client.post(revoke).url == PAGE
    assert ApiToken.objects.find(key) is None
    assert client.post(revoke).status_code == 404


def test_a_strangers_token_is_not_there(client, owner):
    token, _key = ApiToken.objects.issue(make_user(), "theirs")
    revoke = reverse("accounts:revoke-token", args=[token.pk])
    assert client.post(revoke).status_code == 404
    assert client.get(revoke).status_code == 404
    assert ApiToken.objects.filter(pk=token.pk).exists()
    assert "theirs" not in client.get(PAGE).content.decode()


@pytest.mark.parametrize("name", ["accounts:account", "accounts:make-token"])
def test_forms_from_elsewhere_are_refused(user, name):
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    assert client.post(reverse(name), {"name": "x", "time_zone": "Asia/Tokyo"}).status_code == 403
    user.refresh_from_db()
    assert user.time_zone == "UTC"
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_other_methods_are_not_allowed(client, owner, method):
    assert getattr(client, method)(PAGE).status_code == 405
