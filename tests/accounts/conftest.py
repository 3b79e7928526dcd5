from __future__ import annotations

import pytest
from django.core.cache import cache
from django.test import Client
from rest_framework.throttling import SimpleRateThrottle

from accounts.models import User
from tests.factories import make_user


@pytest.fixture(autouse=True)
def quick_and_unlimited(settings, monkeypatch):
    """Hashing fast, every limit off, and no count left over from another test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.RATE_LIMITS = False
    settings.AXES_ENABLED = False
    settings.ACCOUNT_RATE_LIMITS = False
    for scope in list(SimpleRateThrottle.THROTTLE_RATES):
        monkeypatch.setitem(SimpleRateThrottle.THROTTLE_RATES, scope, None)
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def limits(settings, quick_and_unlimited):
    """The limits of allauth and axes, as they are when ``RATE_LIMITS`` is on."""
    settings.RATE_LIMITS = True
    settings.AXES_ENABLED = True
    settings.ACCOUNT_RATE_LIMITS = {}


@pytest.fixture
def confirmation_required(settings):
    """Sign-up as in production."""
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


@pytest.fixture
def hashes(monkeypatch):
    """Counts how often a password is hashed, which is what an account can be told from by time."""
    from django.contrib.auth.hashers import MD5PasswordHasher

    counted: list[str] = []
    original = MD5PasswordHasher.encode

    def encode(self, password, salt):
        counted.append(password)
        return original(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", encode)
    return counted


@pytest.fixture
def user(db) -> User:
    return make_user("ada@example.com")


@pytest.fixture
def page(user: User, client: Client) -> Client:
    client.force_login(user)
    return client
