"""What a browser without an account sends, and what is there of it."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import guests
from accounts.models import User
from tests.factories import PASSWORD, make_picture

JSON = {"accept": "application/json"}
HTML = {"accept": "text/html"}


def picture(number: int = 0) -> SimpleUploadedFile:
    made = make_picture((10 * number, 200, 30))
    return SimpleUploadedFile(f"picture-{number}.png", made.data, "image/png")


def draft(client: Client, number: int = 0, **headers: str) -> Any:
    return client.post("/predict/draft/", {"image": picture(number)}, headers={**JSON, **headers})


def ask(client: Client, *numbers: int, **values: Any) -> Any:
    sent = {"image": [picture(number) for number in numbers], "model": ["tiny"], **values}
    return client.post("/predict/", sent, headers=HTML)


def sign_up(client: Client, email: str = "new@example.com") -> User:
    client.post("/accounts/signup/", {"email": email, "password1": PASSWORD, "password2": PASSWORD})
    return User.objects.get(email=email)


def guest_of(client: Client) -> User:
    return User.objects.get(pk=client.session[guests.SESSION_KEY])


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client
