"""The laboratory's API on the shipped networks: their layers, and the examples of docs/api.md as they are printed."""

from __future__ import annotations

import io
import json
import re
import shlex
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from accounts.models import ApiToken, User
from learn import explaining, kinds
from ml.artifact import load_card
from tests.api import Api, error_of

pytestmark = pytest.mark.django_db


def test_the_layers_of_a_network(api: Api) -> None:
    found = api.get("/api/v1/networks/vgg/layers/").json()
    assert found["version"] == load_card("vgg").version
    first, second, *_others = found["layers"]
    assert (first["name"], first["shape"]) == ("pictures", [3, 32, 32])
    assert (second["kind"], second["inputs"]) == ("convolution", ["pictures"])
    assert found["layers"][-1]["shape"] == [100, 1, 1]
    missing = api.get("/api/v1/networks/resnet/layers/")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "no_network")


def test_the_root_lists_them(api: Api) -> None:
    assert api.get("/api/v1/").json()["explanations"] == "http://testserver/api/v1/explanations/"


class Answered(io.BytesIO):
    """What a program reads that was answered without a network."""


@pytest.fixture
def printed() -> str:
    return (Path(settings.BASE_DIR) / "docs" / "api.md").read_text(encoding="utf-8")


def block(text: str, language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
    return found


@pytest.mark.usefixtures("no_wake_ups")
def test_the_examples_of_the_page_work_as_they_are_printed(
    user: User, printed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _token, key = ApiToken.objects.issue(user, "my script")
    client = Client()

    def urlopen(request: urllib.request.Request, timeout: float) -> Answered:
        response = client.generic(
            request.get_method(),
            request.full_url.removeprefix("http://testserver"),
            request.data or b"",
            content_type=request.get_header("Content-type", "application/octet-stream"),
            headers={"Authorization": request.get_header("Authorization")},
        )
        assert response.status_code in (200, 202), response.content
        return Answered(response.content)

    monkeypatch.setenv("CONVOSCOPE_URL", "http://testserver")
    monkeypatch.setenv("CONVOSCOPE_TOKEN", key)
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    monkeypatch.setattr("time.sleep", lambda seconds: explaining.drain())
    program = block(printed, "python").partition("\nfor prediction in")[0] + block(printed, "py")
    exec(compile(program, "docs/api.md", "exec"), {})
    said = re.fullmatch(r"class 0: (-?[\d.]+) \+ (-?[\d.]+) = (-?[\d.]+)\n", capsys.readouterr().out)
    assert said
    mean, bias, logit = map(float, said.groups())
    assert mean + bias == pytest.approx(logit, abs=2e-3)
    for response in sent_by_curl(block(printed, "bash"), client, key):
        assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(response.content)).size == (256, 256)


def sent_by_curl(source: str, client: Client, key: str) -> list[Any]:
    """The answers to the curl commands of a page, ID being what the first one says."""
    answers: list[Any] = []
    for line in source.replace("\\\n", " ").splitlines():
        pk = answers[0].json()["id"] if answers else ""
        words = shlex.split(
            line.replace("$api", "/api/v1")
            .replace("$auth", f"Authorization: Token {key}")
            .replace("/ID/", f"/{pk}/")
        )
        path = words[words.index("--fail-with-body") + 1]
        given = [words[i + 1].split(": ", 1) for i, word in enumerate(words) if word == "-H"]
        headers: dict[str, Any] = {name: value for name, value in given if name != "Content-Type"}
        if "-d" in words:
            body = json.loads(words[words.index("-d") + 1])
            answers.append(client.post(path, body, content_type=dict(given)["Content-Type"], headers=headers))
        else:
            answers.append(client.get(path, headers=headers))
    return answers


def test_the_page_names_every_kind_and_call(printed: str) -> None:
    for name, kind in kinds.every().items():
        assert (f"| `{name}` |" in printed) == (kind.pictures == "one")
