"""What tests of shared pages and of the forms that share have in common."""

from __future__ import annotations

from typing import Any

JSON = {"accept": "application/json"}


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return response.content.decode()
