"""A release as it is deployed: unpacked in a folder, started by its Procfile, told everything by variables."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from django.contrib.staticfiles.finders import get_finders

from tests.aws.server import CREDENTIALS, REGION, client
from tests.services import PostgresServer, RedisServer, free_port, wait_until

HOST = "convoscope.example"
KEY = "k9-" + "".join(chr(ord("a") + number % 26) for number in range(60))
PROGRAMS = str(Path(sys.executable).parent)
# Instead of words of the Procfile's line: a machine with one process of the site, where two show no more.
ONE_PROCESS = {"--workers 2": "--workers 1"}
# What Beanstalk's nginx and the load balancer before it add to every request.
PROXIED = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9, 10.0.1.20"}
BUCKET = "convoscope-pictures"


@dataclass
class Production:
    """What deployments share: a database, a queue, a cache and a bucket, on servers of this machine."""

    database: str
    redis: str
    s3: str
    bucket: str

    @classmethod
    def on(cls, postgres: PostgresServer, redis: RedisServer, s3: str, number: int) -> Production:
        """With a database and a bucket of its own, and two of Redis's databases."""
        bucket = f"{BUCKET}-{number}"
        client("s3", s3).create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        return cls(postgres.new_database(), redis.url.rpartition("/")[0] + f"/{2 * number}", s3, bucket)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database says itself, which is cheaper than to ask a process of the site."""
        with psycopg.connect(self.database, autocommit=True) as link:
            return link.execute(statement).fetchall()

    def variables(self, role: str = "", **more: str) -> dict[str, str]:
        """All that a process is told: nothing of this machine's environment but where programs are."""
        server, _, number = self.redis.rpartition("/")
        return {
            "PATH": f"{PROGRAMS}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "ENVIRONMENT": "production",
            "ROLE": role,
            "SECRET_KEY": KEY,
            "ALLOWED_HOSTS": HOST,
            "TRUSTED_PROXY_COUNT": "2",
            "DATABASE_URL": self.database,
            "CELERY_BROKER_URL": self.redis,
            "CACHE_URL": f"{server}/{int(number) + 1}",
            "AWS_STORAGE_BUCKET_NAME": self.bucket,
            "AWS_S3_REGION_NAME": REGION,
            "AWS_S3_ENDPOINT_URL": self.s3,
            **CREDENTIALS,
            "EMAIL_URL": "smtp://127.0.0.1:25?tls=0",
            "DEFAULT_FROM_EMAIL": f"site@{HOST}",
            "OPERATOR_NAME": "Example University",
            "OPERATOR_EMAIL": f"privacy@{HOST}",
            "OPERATOR_ADDRESS": "1 Example Street, Exampleton",
            "LABORATORY_SAMPLES": "none",
            **more,
        }


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    set_cookies: str = ""

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Instance:
    """One machine: a release in a folder, and the processes of its Procfile that were started."""

    folder: Path
    variables: dict[str, str]
    port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.data = self.folder.parent / f"{self.folder.name}-data"
        self.data.mkdir(exist_ok=True)
        self.logs = self.folder.parent / f"{self.folder.name}-logs"
        self.logs.mkdir(exist_ok=True)
        self.variables = {"DATA_DIR": str(self.data), **self.variables}

    def lines(self) -> dict[str, str]:
        """The commands of the Procfile, by name, on this instance's own port instead of 8000."""
        found = {}
        for line in (self.folder / "Procfile").read_text().splitlines():
            name, _, command = line.partition(":")
            # Releases of before the bundle named the programs of a development folder.
            command = command.strip().replace(".venv/bin/", "")
            found[name] = command.replace("127.0.0.1:8000", f"127.0.0.1:{self.port}")
        return found

    def start(self, name: str, instead: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Starts a line, with ``instead`` of some of its words."""
        command = self.lines()[name]
        for words, others in (instead or {}).items():
            assert words in command
            command = command.replace(words, others)
        with (self.logs / f"{name}.log").open("ab") as log:
            # As Beanstalk does it: systemd starts a shell with the line, and ends the whole group of processes.
            process = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                cwd=self.folder,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes[name] = process
        return process

    def start_all(self) -> None:
        for name in self.lines():
            self.start(name)

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command of the deployment, such as ``python manage.py migrate``."""
        environment = {**self.variables, **variables}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def deploy(self) -> list[subprocess.CompletedProcess[str]]:
        """The container_commands as Beanstalk's leader runs them, until one fails. This machine has no user webapp."""
        done = []
        for written in container_commands(self.folder):
            command = written.replace("-o webapp -g webapp ", "")
            done.append(self.run("/bin/sh", "-c", command.replace("/var/lib/convoscope", str(self.data))))
            if done[-1].returncode:
                break
        return done

    def manage(self, *arguments: str, **variables: str) -> str:
        result = self.run("python", "manage.py", *arguments, **variables)
        assert result.returncode == 0, result.stderr[-3000:]
        return result.stdout

    def python(self, source: str) -> str:
        """The last line that ``source`` prints, run with Django set up."""
        return self.manage("shell", "--no-imports", "-c", source).strip().splitlines()[-1]

    def log(self, name: str) -> str:
        path = self.logs / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    # --- requests, as they come from nginx -------------------------------------------------------------------

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            link.request(method, path, body, {**PROXIED, **named})
            response = link.getresponse()
            cookies = "; ".join(response.headers.get_all("Set-Cookie") or [])
            return Answer(response.status, dict(response.getheaders()), response.read(), cookies)
        finally:
            link.close()

    def status(self, path: str) -> int:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.ask(path).status
        return 0

    def wait_for(self, path: str, status: int = 200, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while (found := self.status(path)) != status:
            if time.monotonic() > end:
                logs = "\n".join(f"--- {name}\n{self.log(name)[-2000:]}" for name in self.processes)
                said = self.ask(path).body.decode() if found else "nothing"
                pytest.fail(f"{path} answered {found} ({said[:400]}) and not {status}\n{logs}")
            time.sleep(0.1)

    # --- ends ------------------------------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """As a machine that loses its power: no process of the line may say goodbye."""
        process = self.processes[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)

    def stop(self, *names: str, seconds: float = 40.0) -> None:
        """As a deployment does: SIGTERM to every process of the lines, and patience."""
        chosen = [self.processes[name] for name in names or self.processes]
        for process in chosen:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in chosen:
            try:
                process.wait(seconds)
            except subprocess.TimeoutExpired:
                pytest.fail(f"{process.args} was still there {seconds:.0f} s after SIGTERM")

    def end(self) -> None:
        """After the test, whatever it left."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def unpack(bundle: Path, folder: Path) -> Path:
    """As Beanstalk's unzip does it: the modes are those that the zip says."""
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(folder)
        for entry in archive.infolist():
            (folder / entry.filename).chmod((entry.external_attr >> 16) & 0o777)
    return folder


def container_commands(folder: Path) -> list[str]:
    """In the order in which they are run: files by name, and commands by name."""
    found = []
    for path in sorted((folder / ".ebextensions").glob("*.config")):
        named = (yaml.safe_load(path.read_text()) or {}).get("container_commands", {})
        found += [named[name]["command"] for name in sorted(named)]
    return found


def plain_manifest(folder: Path) -> None:
    """What `collectstatic` leaves for pages to read, at no cost: every file under its own name."""
    paths = {path.relative_to(folder / "static").as_posix() for path in (folder / "static").rglob("*.*")}
    paths |= {name for finder in get_finders() for name, _storage in finder.list([])}
    (folder / "staticfiles").mkdir()
    manifest = {"version": "1.1", "hash": "", "paths": {name: name for name in sorted(paths)}}
    (folder / "staticfiles" / "staticfiles.json").write_text(json.dumps(manifest))


# --- people and programs -----------------------------------------------------------------------------------

EDGE = "edge-of-the-form"


def accounts(instance: Instance, *emails: str) -> list[tuple[str, str]]:
    """Confirmed accounts: the token of each for the API, and the cookie of a session."""
    source = (
        "from django.conf import settings; from django.test import Client\n"
        "from accounts.models import ApiToken, User\n"
        f"for email in {emails!r}:\n"
        "    user = User.objects.create_user(email, None); client = Client()\n"
        "    user.emailaddress_set.create(email=user.email, verified=True, primary=True)\n"
        "    client.force_login(user, 'allauth.account.auth_backends.AuthenticationBackend')\n"
        "    cookie = client.cookies[settings.SESSION_COOKIE_NAME]\n"
        "    print(ApiToken.objects.issue(user, 'test')[1], cookie.key + '=' + cookie.value)\n"
    )
    lines = instance.manage("shell", "--no-imports", "-c", source).strip().splitlines()
    return [(token, cookie) for token, cookie in map(str.split, lines[-len(emails) :])]


def form(*pictures: bytes, **fields: str) -> tuple[bytes, str]:
    """A multipart body with pictures and fields, and its content type."""
    body = b""
    for number, content in enumerate(pictures):
        body += f'--{EDGE}\r\nContent-Disposition: form-data; name="image"; filename="{number}.jpg"\r\n\r\n'.encode()
        body += content + b"\r\n"
    for name, value in fields.items():
        body += f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
    return body + f"--{EDGE}--\r\n".encode(), f"multipart/form-data; boundary={EDGE}"


@dataclass
class Program:
    """Somebody's program, with their token."""

    instance: Instance
    token: str

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        return self.instance.ask(path, method, body, Authorization=f"Token {self.token}", **headers)

    def send(self, *pictures: bytes, **fields: str) -> list[str]:
        body, kind = form(*pictures, **fields)
        answer = self.ask("/api/v1/predictions/", "POST", body, Content_Type=kind)
        assert answer.status == 202, answer.body[:500]
        return [entry["id"] for entry in answer.json()["results"]]

    def prediction(self, key: str) -> dict[str, Any]:
        answer = self.ask(f"/api/v1/predictions/{key}/")
        assert answer.status == 200, answer.body[:500]
        found: dict[str, Any] = answer.json()
        return found

    def wait_done(self, keys: list[str], seconds: float = 60.0) -> list[dict[str, Any]]:
        left = list(keys)

        def done() -> bool:
            left[:] = [key for key in left if self.prediction(key)["status"] != "done"]
            return not left

        wait_until(done, seconds, f"{len(keys)} predictions being done", pause=0.3)
        return [self.prediction(key) for key in keys]
