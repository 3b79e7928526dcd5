"""A program that uses the API, for tests."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import ApiToken, User
from tests import pictures

PREDICTIONS = "/api/v1/predictions/"
BATCHES = "/api/v1/batches/"


class Api:
    """A program with a token. Bodies are JSON, apart from those that carry pictures."""

    def __init__(self, user: User) -> None:
        _token, self.key = ApiToken.objects.issue(user, "test")
        self.client = Client(headers={"Authorization": f"Token {self.key}"})

    def post(self, *files: Any, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        images = [SimpleUploadedFile(name, data) for name, data in files]
        return self.client.post(PREDICTIONS, {"image": images, **fields}, headers=headers)

    def get(self, path: str = PREDICTIONS, **query: Any) -> Any:
        return self.client.get(path, query)

    def send(self, method: str, path: str, body: Any = None) -> Any:
        return getattr(self.client, method)(path, body, content_type="application/json")


def jpeg(name: str = "a.jpg") -> tuple[str, bytes]:
    return name, pictures.jpeg()


def error_of(response: Any) -> dict[str, Any]:
    """What an error says, after its shape was checked."""
    body = response.json()
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "fields"}
    assert body["error"]["message"]
    error: dict[str, Any] = body["error"]
    return error
