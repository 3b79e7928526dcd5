from __future__ import annotations

import re

import pytest
from django.core import mail
from django.urls import reverse

from accounts.forms import PASSWORD_HINT, SignupForm
from accounts.models import User
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def sign_up(client, email="ada@example.com", password=PASSWORD, again=None, **more):
    data = {"email": email, "password1": password, "password2": password if again is None else again, **more}
    return client.post(reverse("account_signup"), data)


def test_a_new_account_can_be_used_at_once(client):
    response = sign_up(client, "Ada@Example.com", time_zone="Europe/Berlin")
    assert (response.status_code, response.url) == (302, reverse("predictions:predict"))
    made = User.objects.get()
    assert made.email == "ada@example.com"
    assert made.time_zone == "Europe/Berlin"
    assert made.check_password(PASSWORD)
    assert client.get(reverse("accounts:account")).status_code == 200
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]


@pytest.mark.parametrize("zone", ["", "Europe/Atlantis", "../../etc/passwd", "x" * 5000, None])
def test_a_time_zone_that_is_none_becomes_utc_without_a_word(client, zone):
    sign_up(client, **({} if zone is None else {"time_zone": zone}))
    assert User.objects.get().time_zone == "UTC"


@pytest.mark.parametrize(
    ("email", "password", "wrong"),
    [
        ("invalidemail", "aas", {"email", "password1"}),
        ("", "", {"email", "password1", "password2"}),
        ("valid@gmail.com", "smal", {"password1"}),
        ("lfkdjal;fjdlas;jl", "validlongpassword", {"email"}),
        ("valid@gmail.com", "password123", {"password1"}),
        ("valid@gmail.com", "8364019275", {"password1"}),
        ("valid.person@gmail.com", "valid.person", {"password1"}),
        ("a" * 250 + "@gmail.com", PASSWORD, {"email"}),
        ("nul\0@gmail.com", PASSWORD, {"email"}),
    ],
)
def test_bad_input_gets_its_fields_error_and_makes_nothing(client, email, password, wrong):
    response = sign_up(client, email, password)
    form = response.context["form"]
    assert set(form.errors) == wrong
    assert all(message for messages in form.errors.values() for message in messages)
    assert form["email"].value() == email
    assert not User.objects.exists()
    assert not mail.outbox
    if email.isprintable():
        assert email in response.content.decode()
    if password:
        assert f'value="{password}"' not in response.content.decode()


def test_one_hint_about_passwords_gives_way_to_what_is_wrong(client):
    assert str(PASSWORD_HINT) in client.get(reverse("account_signup")).content.decode()
    html = sign_up(client, password="8364019275").content.decode()
    assert str(PASSWORD_HINT) not in html
    assert "id_password1_helptext" not in html
    assert "entirely numeric" in html


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("account_signup", ["E-mail address", "Password", "Password again"]),
        ("account_login", ["E-mail address", "Password"]),
        ("account_reset_password", ["E-mail address"]),
        ("account_change_password", ["Current password", "New password", "New password again"]),
        ("account_email", ["E-mail address"]),
    ],
)
def test_the_fields_are_called_the_same_everywhere(client, user, name, labels):
    if name in ("account_change_password", "account_email"):
        client.force_login(user)
    form = client.get(reverse(name)).context["form"]
    assert [field.label for field in form.visible_fields()] == labels


def test_the_second_password_has_to_be_the_first(client):
    response = sign_up(client, again="something else altogether")
    assert set(response.context["form"].errors) == {"password2"}
    assert not User.objects.exists()


def test_nobody_signs_up_as_administrator(client):
    sign_up(client, is_staff="on", is_superuser="on", is_active="", created="2001-01-01")
    made = User.objects.get()
    assert not made.is_staff
    assert not made.is_superuser
    assert made.is_active
    assert made.created.year != 2001


def test_a_taken_address_is_said_to_be_taken_whatever_its_case(client, user):
    response = sign_up(client, "ADA@example.com")
    assert "already" in response.context["form"].errors["email"][0]
    assert User.objects.count() == 1


def test_in_production_a_taken_address_looks_like_a_free_one(client, user, confirmation_required, hashes):
    taken = sign_up(client, "ada@example.com")
    hashed_for_taken = len(hashes)
    client.logout()
    free = sign_up(client, "grace@example.com")
    assert (taken.status_code, taken.url) == (free.status_code, free.url) == (302, taken.url)
    assert hashed_for_taken == len(hashes) - hashed_for_taken == 1
    assert [message.to[0] for message in mail.outbox] == ["ada@example.com", "grace@example.com"]
    assert User.objects.count() == 2
    assert user.check_password(PASSWORD)


def test_in_production_the_address_is_confirmed_before_anything_else(client, confirmation_required):
    sign_up(client)
    assert client.get(reverse("accounts:account")).status_code == 302
    login = client.post(reverse("account_login"), {"login": "ada@example.com", "password": PASSWORD})
    assert login.url == reverse("account_email_verification_sent")
    link = re.search(r"https?://[^/]+(/accounts/confirm-email/\S+)", mail.outbox[0].body).group(1)
    client.post(link)
    client.post(reverse("account_login"), {"login": "ada@example.com", "password": PASSWORD})
    assert client.get(reverse("accounts:account")).status_code == 200


OTHER_WAYS = [("optional", "account_login"), ("mandatory", "account_email_verification_sent")]


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(("verification", "goes_to"), OTHER_WAYS)
def test_the_form_sent_twice_makes_one_account(client, settings, monkeypatch, verification, goes_to):
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    # At this one's check the account of the other is not there yet; at its save it is.
    monkeypatch.setattr(SignupForm, "validate_unique_email", lambda _form, value: value)
    response = sign_up(client)
    assert (response.status_code, response.url) == (302, reverse(goes_to))
    assert User.objects.count() == 1


def test_sign_ups_from_one_address_are_limited(client, limits):
    answers = [sign_up(client, "nobody", "short").status_code for _ in range(21)]
    assert answers == [200] * 20 + [429]
