"""A user, and a browser in which that user is signed in."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from tests.factories import make_user


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def page(user: User, client: Client) -> Client:
    client.force_login(user)
    return client
