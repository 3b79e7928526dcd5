from __future__ import annotations

import re

import pytest
from django.core import mail
from django.urls import reverse

from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db

NEW = "a wholly different sentence"


def ask_for_reset(client, email="ada@example.com"):
    return client.post(reverse("account_reset_password"), {"email": email})


def link() -> str:
    return re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", mail.outbox[-1].body).group(1)


def test_the_password_is_changed_by_who_knows_the_old_one(client, user):
    client.force_login(user)
    data = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    response = client.post(reverse("account_change_password"), data)
    assert response.url == reverse("accounts:account")
    user.refresh_from_db()
    assert user.check_password(NEW)
    assert client.get(reverse("accounts:account")).status_code == 200


@pytest.mark.parametrize(
    ("passwords", "wrong"),
    [
        (("not it", NEW, NEW), "oldpassword"),
        ((PASSWORD, "smal", "smal"), "password1"),
        ((PASSWORD, NEW, "x"), "password2"),
    ],
)
def test_a_bad_change_changes_nothing(client, user, passwords, wrong):
    client.force_login(user)
    data = dict(zip(("oldpassword", "password1", "password2"), passwords, strict=True))
    response = client.post(reverse("account_change_password"), data)
    assert wrong in response.context["form"].errors
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_the_link_in_the_mail_sets_a_new_password_once(client, user):
    assert ask_for_reset(client, "ADA@example.com").status_code == 302
    assert mail.outbox[-1].to == ["ada@example.com"]
    page = client.get(link(), follow=True)
    form_address = page.redirect_chain[-1][0]
    assert client.post(form_address, {"password1": NEW, "password2": NEW}).status_code == 302
    user.refresh_from_db()
    assert user.check_password(NEW)
    client.session.flush()
    again = client.get(link(), follow=True)
    assert again.context["token_fail"]


def test_a_weak_new_password_is_refused_after_a_reset_too(client, user):
    ask_for_reset(client)
    form_address = client.get(link(), follow=True).redirect_chain[-1][0]
    response = client.post(form_address, {"password1": "smal", "password2": "smal"})
    assert "password1" in response.context["form"].errors
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_asking_for_a_reset_does_not_tell_who_has_an_account(client, user):
    known, unknown = ask_for_reset(client), ask_for_reset(client, "nobody@example.com")
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    assert len(mail.outbox) == 2


def test_resets_are_limited(client, user, limits):
    answers = [ask_for_reset(client).status_code for _ in range(6)]
    assert answers == [302] * 5 + [429]
