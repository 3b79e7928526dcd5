"""Who is there: a user, a moderator, an operator, somebody with a link; and what another user had answered."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User
from predictions.models import Prediction
from tests.factories import finish, make_runs, make_user
from tests.predictions.moderation_console import make_staff
from tests.predictions.operations_page import staff
from tests.predictions.visitors import logged_in

MODERATOR = ("moderate", "suspend_user", "view_report", "view_upload", "view_moderationentry")


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def page(user: User, client: Client) -> Client:
    client.force_login(user)
    return client


@pytest.fixture
def moderator() -> User:
    return make_staff(*MODERATOR, email="moderator@example.com")


@pytest.fixture
def console(moderator: User) -> Client:
    return logged_in(moderator)


@pytest.fixture
def operator() -> Client:
    return staff("view_heartbeat", "change_prediction", "view_prediction", "view_user")


@pytest.fixture
def stranger() -> Client:
    """Somebody who was given a link and nothing else."""
    return Client()


@pytest.fixture
def run() -> Prediction:
    """An answered run of another user's."""
    return finish(make_runs(make_user("ada@example.com"), models=("tiny",))[0])
