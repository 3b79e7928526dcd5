"""What tests of an account's end share: an end that was asked for, and somebody who logs in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.test import Client

from accounts import deletion
from accounts.models import User
from tests.factories import PASSWORD


def asked(user: User, ago: timedelta = timedelta(0)) -> User:
    """Has its owner ask for the end, so long ago."""
    deletion.ask(user)
    User.objects.filter(pk=user.pk).update(deletion_due=user.deletion_due - ago)
    user.refresh_from_db()
    return user


def overdue(user: User) -> User:
    return asked(user, timedelta(days=7, seconds=1))


def log_in(client: Client, user: User) -> Any:
    return client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
