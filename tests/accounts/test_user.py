from __future__ import annotations

import io

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from accounts.models import User
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def test_an_address_is_stored_and_found_in_one_spelling():
    made = User.objects.create_user(" Ada@Example.COM ", PASSWORD)
    assert made.email == "ada@example.com"
    assert User.objects.get(email="ADA@example.com") == made
    assert User.objects.get_by_natural_key("Ada@Example.com") == made
    assert str(made) == "ada@example.com"


def test_the_spelling_holds_for_bulk_writes_and_updates_too():
    User.objects.bulk_create([User(email="Grace@Example.com")])
    made = User.objects.get()
    assert made.email == "grace@example.com"
    User.objects.update(email="GRACE@EXAMPLE.ORG")
    made.refresh_from_db()
    assert made.email == "grace@example.org"


def test_two_accounts_cannot_differ_in_case_only(user):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("ADA@EXAMPLE.COM", PASSWORD)
    with pytest.raises(ValidationError, match="already"):
        User(email="ADA@EXAMPLE.COM", password="x").full_clean()


def test_the_database_itself_refuses_upper_case(user):
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET email = 'Ada@example.com' WHERE id = %s", [user.pk])


def test_a_user_needs_an_address():
    with pytest.raises(ValueError, match="e-mail"):
        User.objects.create_user("", PASSWORD)


def test_an_account_without_password_cannot_log_in():
    assert not User.objects.create_user("ada@example.com").has_usable_password()


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "Asia/Calcutta"])
def test_real_time_zones_are_valid(name):
    make_user(time_zone=name).full_clean()


@pytest.mark.parametrize("name", ["Europe/Atlantis", "../etc/passwd", "localtime", "utc+2", ""])
def test_other_time_zones_are_not(name):
    with pytest.raises(ValidationError) as caught:
        make_user(time_zone=name).full_clean()
    assert list(caught.value.message_dict) == ["time_zone"]


def test_createsuperuser_without_a_terminal(monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, email="Root@Example.com", verbosity=0)
    made = User.objects.get()
    assert made.email == "root@example.com"
    assert made.is_superuser
    assert made.is_staff
    assert made.check_password(PASSWORD)


def test_createsuperuser_asks_for_address_and_password_only(monkeypatch):
    asked = []
    answers = {"address": "root@example.com", "password": PASSWORD}

    def answer(kind):
        def reply(prompt=""):
            asked.append(kind)
            return answers[kind]

        return reply

    monkeypatch.setattr("builtins.input", answer("address"))
    monkeypatch.setattr("getpass.getpass", answer("password"))
    call_command("createsuperuser", interactive=True, stdin=Terminal(), stdout=io.StringIO())
    assert asked == ["address", "password", "password"]
    assert User.objects.get().is_superuser


def test_createsuperuser_refuses_what_is_no_address():
    with pytest.raises(CommandError, match="valid email"):
        call_command("createsuperuser", interactive=False, email="nobody", verbosity=0)


class Terminal:
    def isatty(self) -> bool:
        return True
