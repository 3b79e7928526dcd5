"""What somebody without an account does: tries, signs up, logs in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from accounts import guests
from accounts.models import User
from tests.factories import PASSWORD


def request_of(
    address: str = "10.0.0.1", csrf: str = "", session: SessionStore | None = None, **cookies: str
) -> HttpRequest:
    request = RequestFactory().post("/predict/", REMOTE_ADDR=address)
    request.session = session or SessionStore()
    request.COOKIES.update(cookies)
    if csrf:
        request.META["CSRF_COOKIE"] = csrf
    return request


def age(guest: User, hours: float) -> None:
    User.objects.filter(pk=guest.pk).update(
        guest_until=timezone.now() + guests.LIFETIME - timedelta(hours=hours)
    )


def log_in(client: Client, email: str) -> None:
    client.post(reverse("account_login"), {"login": email, "password": PASSWORD})


def sign_up(client: Client, email: str) -> Any:
    data = {"email": email, "password1": PASSWORD, "password2": PASSWORD}
    return client.post(reverse("account_signup"), data)
