"""The shipped VGG alone, and what the laboratory computes with it, for tests of the figures that look into it."""

from __future__ import annotations

import io
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client

from classifier_site.settings import BASE_DIR
from learn import explaining, explanations, subjects
from learn.models import Explanation

APPLE = 0
ON = "sample:apple"


def only_vgg(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offers no other network: the Wide ResNet takes seconds for what VGG does in one."""
    folder.mkdir()
    (folder / "vgg").symlink_to(BASE_DIR / "ml" / "artifacts" / "vgg")
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(folder))


def shown(client: Client, address: str, **query: Any) -> str:
    """A figure's page about the apple, its entities as people read them."""
    answer = client.get(address, {"on": ON, **query}, headers={"accept": "text/html"})
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def explained(kind: str, **parameters: Any) -> Explanation:
    """The answer of VGG about the apple, computed now."""
    found = explanations.ask(subjects.find(None, ON), "vgg", kind, parameters)
    explaining.drain(60)
    found.refresh_from_db()
    assert found.status == "done", found.error_sentence
    return found


def member(row: Explanation, name: str) -> np.ndarray:
    return np.asarray(np.load(io.BytesIO(explanations.open_member(row, name))), np.float64)
