"""A site that was lost comes back from its backup, by the commands of docs/operations.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.accounts import totp
from tests.aws.server import client
from tests.deploy.installed import HOST, Answer, Instance, Production, Program, plain_manifest, unpack
from tests.networks import make_artifact
from tests.services import ROOT

EMAIL, PASSWORD = "student@example.com", "a-long-enough-sentence"
SECRET = "JBSWY3DPEHPK3PXP" * 2


def documented() -> list[list[str]]:
    """The commands of the guide's section, block by block."""
    guide = (ROOT / "docs/operations.md").read_text()
    section = guide.partition("## Restoring from a backup\n")[2].partition("\n## ")[0]
    return [block.strip().splitlines() for block in re.findall(r"```sh\n(.*?)```", section, re.DOTALL)]


# One picture that was answered and one that waits, an account with everything, as the site itself makes them.
LIVED = f"""
from django.conf import settings
from django.test import Client
from allauth.mfa.totp.internal.auth import TOTP
from accounts.models import ApiToken, User
from tests import pictures
from predictions import tasks
user = User.objects.create_user({EMAIL!r}, {PASSWORD!r})
user.emailaddress_set.create(email=user.email, verified=True, primary=True)
TOTP.activate(user, {SECRET!r})
key = ApiToken.objects.issue(user, "test")[1]
from django.core.files.uploadedfile import SimpleUploadedFile
def send():
    program = Client(headers={{"Authorization": f"Token {{key}}", "Host": {HOST!r}}})
    files = {{"image": SimpleUploadedFile("a.jpg", pictures.jpeg()), "model": "tiny"}}
    return program.post("/api/v1/predictions/", files, secure=True).json()["results"][0]["id"]
answered = send()
tasks.predict()
print(key, answered, send())
"""


@pytest.fixture(scope="module")
def release(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = unpack(built, tmp_path_factory.mktemp("restore") / "current")
    plain_manifest(folder)
    make_artifact(folder.parent / "networks", "tiny")
    return folder


@pytest.fixture(scope="module")
def lost(release: Path, new_production: Callable[[], Production]) -> tuple[Instance, Production, list[str]]:
    """A site that has lived for a while, and of which there is a backup."""
    production = new_production()
    more = {"ML_ARTIFACTS_DIR": str(release.parent / "networks"), "PYTHONPATH": str(ROOT)}
    instance = Instance(release, production.variables("web", **more))
    instance.manage("migrate", "--noinput", "--verbosity", "0")
    facts = instance.python(LIVED).split()
    [command] = documented()[0]
    saved = instance.run("sh", "-c", command)
    assert saved.returncode == 0, saved.stderr
    return instance, production, facts


@pytest.fixture(scope="module")
def restored(
    release: Path,
    lost: tuple[Instance, Production, list[str]],
    new_production: Callable[[], Production],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Instance, Production]]:
    """A new database and a new bucket, the commands of the guide, and both processes."""
    production = new_production()
    folder = tmp_path_factory.mktemp("restored") / "current"
    folder.symlink_to(release)
    more = {"ML_ARTIFACTS_DIR": str(release.parent / "networks")}
    instance = Instance(folder, production.variables("", **more))
    try:
        for command in documented()[1]:
            done = instance.run("sh", "-c", command)
            assert done.returncode == 0, (command, done.stderr)
        for name in ("web", "worker"):
            instance.start(name)
        instance.wait_for("/readyz")
        yield instance, production
    finally:
        instance.end()


def test_the_key_is_not_in_the_copy(lost, release):
    instance, _production, _facts = lost
    files = [path for path in (release / "backup").rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"database.dump", "secret-key.sha256"}
    key = instance.variables["SECRET_KEY"].encode()
    assert not [path for path in files if key in path.read_bytes()]
    assert (release / "backup").stat().st_mode & 0o077 == 0


def test_pictures_and_answers_are_there_and_what_waited_is_answered(lost, restored):
    _old, before, (token, answered, waiting) = lost
    instance, production = restored
    program = Program(instance, token)
    found = program.prediction(answered)
    assert (found["status"], len(found["top5"])) == ("done", 5)
    picture = program.ask(found["image_url"].partition(HOST)[2])
    assert (picture.status, picture.body[:2]) == (200, b"\xff\xd8")
    program.wait_done([waiting], 30)
    rows = "SELECT count(*) FROM predictions_prediction"
    assert production.rows(rows) == before.rows(rows) == [(2,)]
    assert production.rows("SELECT attempts FROM predictions_prediction") == [(1,), (1,)]

    def keys(bucket: str) -> set[Any]:
        listed = client("s3", production.s3).list_objects_v2(Bucket=bucket)
        return {entry["Key"] for entry in listed["Contents"] if entry["Key"].startswith("pictures/")}

    assert keys(before.bucket) <= keys(production.bucket)


class Browser:
    """Keeps cookies, and sends forms as pages do."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.cookies: dict[str, str] = {}

    def ask(self, path: str, **fields: str) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if fields:
            body = urlencode({**fields, "csrfmiddlewaretoken": self.cookies["__Secure-csrftoken"]}).encode()
            headers |= {"Content_Type": "application/x-www-form-urlencoded", "Origin": f"https://{HOST}"}
        answer = self.instance.ask(path, "POST" if fields else "GET", body, **headers)
        for cookie in SimpleCookie(answer.set_cookies).values():
            self.cookies[cookie.key] = cookie.value
        return answer


def test_people_sign_in_with_password_and_second_factor(restored):
    instance, _production = restored
    browser = Browser(instance)
    assert browser.ask("/accounts/login/").status == 200
    second = browser.ask("/accounts/login/", login=EMAIL, password=PASSWORD)
    assert (second.status, "/2fa/" in second.headers["Location"]) == (302, True), second.body[:2000]
    assert browser.ask("/history/").status == 302
    assert browser.ask(second.headers["Location"], code=totp.code(SECRET)).status == 302
    assert browser.ask("/history/").status == 200


def test_another_key_a_full_database_and_half_a_copy_are_refused(lost, release, tmp_path):
    instance, _production, _facts = lost
    command = ["python", "-m", "deploy.backup", "restore"]
    for folder, variables, expected in [
        ("backup", {"SECRET_KEY": "another-" * 10}, "SECRET_KEY is not the one of the site that was saved"),
        ("backup", {}, "The database already has"),
        (str(tmp_path), {}, "holds no whole backup"),
        ("backup", {"DATABASE_URL": "sqlite:///x"}, "DATABASE_URL starts with sqlite"),
    ]:
        refused = instance.run(*command, folder, **variables)
        assert refused.returncode == 1
        [line] = refused.stderr.splitlines()
        assert expected in line
    again = instance.run("python", "-m", "deploy.backup", "save", "backup")
    assert (again.returncode, "is not empty" in again.stderr) == (1, True)
