"""What tests of the laboratory's API share: asking for an explanation, and having it computed."""

from __future__ import annotations

from typing import Any

from learn import explaining
from tests.api import Api

ROOT = "/api/v1/explanations/"


def post(api: Api, **sent: Any) -> Any:
    return api.send("post", ROOT, {"kind": "mean", **sent})


def done(api: Api, **sent: Any) -> dict[str, Any]:
    """Asked and computed."""
    response = post(api, **sent)
    assert response.status_code in (200, 202), response.content
    explaining.drain()
    answer: dict[str, Any] = api.get(f"{ROOT}{response.json()['id']}/").json()
    assert answer["status"] == "done", answer
    return answer
