"""The examples of docs/api.md, run as they are printed against the whole site."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from django.conf import settings

from tests import pictures, services
from tests.networks import COLOURS, make_artifact

PAGE = Path(settings.BASE_DIR) / "docs" / "api.md"


class Site(NamedTuple):
    stack: services.LiveStack
    key: str
    folder: Path

    def run(self, *command: str) -> str:
        """Runs a program where there is a cat.jpg, with the address and the token in its environment."""
        environment = {
            "PATH": os.environ["PATH"],
            "CONVOSCOPE_URL": self.stack.url,
            "CONVOSCOPE_TOKEN": self.key,
        }
        result = subprocess.run(
            command,
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("programmer")
    (folder / "cat.jpg").write_bytes(pictures.jpeg())
    make_artifact(folder / "networks", "tiny")
    make_artifact(folder / "networks", "small")
    with services.running_stack(ML_ARTIFACTS_DIR=str(folder / "networks")) as stack:
        key = stack.python(
            "from accounts.models import ApiToken, User\n"
            "user = User.objects.create_user('ada@example.com', 'correct horse battery staple')\n"
            "print(ApiToken.objects.issue(user, 'my script')[1])"
        )
        yield Site(stack, key.strip(), folder)


def printed(language: str) -> str:
    """The one block of the page in a language."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    return block


def test_the_python_example_classifies_a_picture(site: Site) -> None:
    lines = site.run(sys.executable, "-I", "-c", printed("python")).splitlines()
    assert len(lines) == 2
    for line in lines:
        found = re.fullmatch(r"cat\.jpg: (\w+) \(\d+\.\d%\) says (tiny|small)", line)
        assert found, line
        assert found[1] in COLOURS


def test_the_curl_example_classifies_a_picture(site: Site) -> None:
    services.program("curl")
    head, row = site.run("sh", "-eu", "-c", printed("sh")).lstrip("\ufeff").splitlines()
    assert head.startswith("file name,status,error,true label,agreement,")
    assert row.startswith("cat.jpg,taken,,")
    assert any(colour in row.split(",") for colour in COLOURS)


def test_two_equal_requests_at_once_make_one_prediction(site: Site) -> None:
    source = printed("python").partition("\nfor prediction in")[0]
    # Both send with one and the same key.
    source = source.replace("uuid.uuid4().hex", "'the-same-key-for-both'")
    source += "\nprint(json.dumps(classify('cat.jpg', model='tiny')))"
    command = (sys.executable, "-I", "-c", source)
    with ThreadPoolExecutor(4) as several:
        answers = [json.loads(text) for text in several.map(lambda _one: site.run(*command), range(4))]
    assert len({entry["id"] for answer in answers for entry in answer}) == 1
    address = f"{site.stack.url}/api/v1/predictions/?model=tiny&batch={answers[0][0]['batch']}"
    request = urllib.request.Request(address, headers={"Authorization": f"Token {site.key}"})
    with urllib.request.urlopen(request, timeout=30) as response:
        assert len(json.load(response)["results"]) == 1


def test_the_page_names_every_call_and_limit() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, rate in (
        ("user", "1,200 requests"),
        ("predict", "120 POSTs"),
        ("explain", "60 POSTs"),
        ("token", "10 tokens"),
    ):
        stated = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"][name]
        assert stated == rate.split()[0].replace(",", "") + "/min"
        assert f"{rate} " in text
    for word in (
        "undo",
        "retry",
        "cancel",
        "truths",
        "compare",
        "probabilities",
        "results.csv",
        "export.csv",
        "activity",
        "wait",
        "Retry-After",
        "explanations",
        "maps",
        "layers",
    ):
        assert word in text
