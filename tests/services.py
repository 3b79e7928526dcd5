"""Real servers for tests, each in a folder of its own on a free loopback port, and gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.shared import VARIABLE, made_once

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable


def free_port() -> int:
    """A port that is free and stays so until its server starts, which may take seconds.

    Above these the system chooses for outgoing connections, of which other tests open many meanwhile.
    """
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def wait_until(condition: Callable[[], object], seconds: float, what: str, pause: float = 0.05) -> None:
    """Asks again and again until `condition` holds; fails the test after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(pause)


def program(name: str, *folders: str) -> str:
    """The path of a program; without it the test is skipped, but under CI it fails."""
    path = shutil.which(name) or next(
        (found for folder in folders if (found := shutil.which(name, path=folder))), None
    )
    if path is None:
        message = f"{name} is not installed; `make test` as root on Debian installs it"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


def stop(process: subprocess.Popen[bytes], seconds: float = 10.0, how: int = signal.SIGTERM) -> None:
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


# --- Redis -------------------------------------------------------------------------------------------------


@dataclass
class RedisServer:
    """A Redis that tests may stop, freeze, empty and start again on the same port."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        executable = program("redis-server")
        command = [executable, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        command += ["--save", "", "--appendonly", "no", "--logfile", str(self.folder / "redis.log")]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, 10, "Redis answering")

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.5) as link:
                link.sendall(b"PING\r\n")
                return link.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None:
            if how == signal.SIGTERM:
                self.resume()
            stop(self.process, how=how)

    def freeze(self) -> None:
        """A black hole: connections open, and nothing is ever answered."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def running_redis() -> Iterator[RedisServer]:
    with tempfile.TemporaryDirectory(prefix="convoscope-redis-") as folder:
        server = RedisServer(Path(folder), free_port())
        try:
            server.start()
            yield server
        finally:
            server.stop()


# --- PostgreSQL --------------------------------------------------------------------------------------------


def _postgres_folder() -> str:
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True
    )
    return str(found[0]) if found else ""


@dataclass
class PostgresServer:
    """A PostgreSQL that tests may restart; initdb refuses root, so as root it runs as the user postgres."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    names: int = 0
    prefix: list[str] = field(default_factory=list)
    durable: bool = False

    def url(self, name: str = "postgres") -> str:
        return f"postgres://convoscope@127.0.0.1:{self.port}/{name}"

    def create(self) -> None:
        binaries = _postgres_folder()
        initdb = program("initdb", binaries)
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(self.folder, account.pw_uid, account.pw_gid)
            self.prefix = [program("runuser"), "-u", "postgres", "--"]
        data = ["-D", str(self.folder / "data"), "-U", "convoscope", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*self.prefix, initdb, *data], check=True, stdout=subprocess.DEVNULL, cwd=self.folder)

    def start(self) -> None:
        postgres = program("postgres", _postgres_folder())
        options = [f"-p{self.port}", "-h127.0.0.1", f"-k{self.folder}", "-cmax_connections=60"]
        options += [] if self.durable else ["-cfsync=off"]
        with (self.folder / "postgres.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, postgres, "-D", str(self.folder / "data"), *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        wait_until(self.answers, 20, "PostgreSQL answering")

    def answers(self) -> bool:
        ready = program("pg_isready", _postgres_folder())
        command = [ready, "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def stop(self, how: int = signal.SIGINT) -> None:
        """SIGINT is a fast shutdown, which ends every session; after SIGQUIT the next start recovers."""
        if self.process is None or self.process.poll() is not None:
            return
        pid = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, how)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.kill(pid, signal.SIGKILL)
            self.process.wait(5)

    def restart(self) -> None:
        self.stop()
        self.start()

    def new_database(self) -> str:
        """The address of a fresh, empty database."""
        import psycopg

        self.names += 1
        name = f"convoscope_{self.names}"
        with psycopg.connect(self.url(), autocommit=True) as link:
            link.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


@contextlib.contextmanager
def running_postgres(*, durable: bool = False) -> Iterator[PostgresServer]:
    """``durable``: commits reach the disk, as in production; tests do without."""
    with tempfile.TemporaryDirectory(prefix="convoscope-postgres-") as folder:
        server = PostgresServer(Path(folder), free_port(), durable=durable)
        try:
            server.create()
            server.start()
            yield server
        finally:
            server.stop()


# --- the whole site ----------------------------------------------------------------------------------------


@dataclass
class LiveStack:
    """The site and its worker as processes of their own, as they run for people."""

    folder: Path
    port: int
    environment: dict[str, str]
    web: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    web_command: Callable[[int], list[str]] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def manage(self, *arguments: str) -> str:
        """Runs a management command in the stack's environment and returns what it printed."""
        command = [PYTHON, "manage.py", *arguments]
        result = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert result.returncode == 0, result.stderr[-3000:]
        return result.stdout

    def python(self, source: str) -> str:
        """Runs Python in the stack's environment, with Django set up, and returns what it printed."""
        return self.manage("shell", "--no-imports", "-c", source)

    def start_web(self, seconds: float = 30.0) -> None:
        from classifier_site.supervisor import web_command

        self.web = self._spawn((self.web_command or web_command)(self.port), "web.log")
        wait_until(lambda: self.status("/healthz") == 200, seconds, f"the site starting\n{self.log('web')}")

    def start_worker(self, queues: str = "predictions,lab,archives") -> subprocess.Popen[bytes]:
        from classifier_site.supervisor import worker_command

        name = f"worker{len(self.workers) + 1}@test"
        command = [*worker_command(queues), "--hostname", name]
        process = self._spawn(command, f"worker{len(self.workers) + 1}.log")
        self.workers.append(process)
        return process

    def start_lab(self) -> subprocess.Popen[bytes]:
        """The worker for figures and archives as `make run` starts it."""
        from classifier_site.supervisor import lab_command

        process = self._spawn(lab_command(), "lab.log")
        self.workers.append(process)
        return process

    def wait_ready(self, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while self.status("/readyz") != 200:
            if time.monotonic() > end:
                pytest.fail(f"/readyz did not answer 200: {self.body('/readyz')}\n{self.log('worker1')}")
            time.sleep(0.1)

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def body(self, path: str) -> str:
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as error:
            return error.read().decode()
        except OSError as error:
            return str(error)

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def stop(self) -> None:
        for process in [self.web, *self.workers]:
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in [self.web, *self.workers]:
            if process is not None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    # A browser that is still open holds connections, and the site waits for them as long as it may.
                    process.wait(5)
                # What is left of the group, such as a pool child of a killed worker.
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)

    def _spawn(self, command: Sequence[str], log: str) -> subprocess.Popen[bytes]:
        with (self.folder / log).open("ab") as output:
            return subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=output, stderr=output, start_new_session=True
            )


def inherited() -> dict[str, str]:
    """The environment without what the suite sets for its own process, which is not for the site's."""
    return {key: value for key, value in os.environ.items() if key != "DJANGO_ALLOW_ASYNC_UNSAFE"}


def prepare(folder: Path, environment: dict[str, str], *, with_database: bool) -> None:
    """Puts into a data folder what is the same for every site and costs seconds: static files, empty tables."""

    def make(made: Path) -> None:
        variables = {"DATA_DIR": str(made), "DATABASE_URL": "", "ML_ARTIFACTS_DIR": str(made / "none")}
        first = LiveStack(made, 0, environment | variables)
        first.manage("collectstatic", "--noinput", "--verbosity", "0")
        first.manage("migrate", "--verbosity", "0")

    made = made_once("prepared", make)
    shutil.copytree(made / "static", folder / "static")
    if with_database:
        shutil.copy2(made / "convoscope.sqlite3", folder)


@contextlib.contextmanager
def running_stack(
    *,
    database: str = "",
    broker: str = "",
    workers: int = 1,
    ready: bool = True,
    web_command: Callable[[int], list[str]] | None = None,
    **variables: str,
) -> Iterator[LiveStack]:
    """The site on a fresh DATA_DIR, SQLite and files by default; `variables` join the environment.

    `web_command` starts the site on a port; without one it starts as under `make run`.
    """
    with tempfile.TemporaryDirectory(prefix="convoscope-stack-", ignore_cleanup_errors=True) as folder:
        port = free_port()
        environment = {
            **inherited(),
            "ENVIRONMENT": "local",
            "DATA_DIR": folder,
            "PORT": str(port),
            "RATE_LIMITS": "0",
            "LOG_LEVEL": "INFO",
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": database,
            "CELERY_BROKER_URL": broker,
            **variables,
        }
        if VARIABLE in os.environ:
            # For a test; a benchmark measures the site as it is.
            environment["DJANGO_SETTINGS_MODULE"] = variables.get(
                "DJANGO_SETTINGS_MODULE", "tests.site_settings"
            )
        stack = LiveStack(Path(folder), port, environment, web_command=web_command)
        try:
            if VARIABLE in os.environ and "ENVIRONMENT" not in variables:
                prepare(stack.folder, environment, with_database=not database)
            else:
                stack.manage("collectstatic", "--noinput", "--verbosity", "0")
            # With nothing left to migrate it still writes a row for each network.
            stack.manage("migrate", "--verbosity", "0")
            for _ in range(workers):
                stack.start_worker()
            stack.start_web()
            if ready:
                stack.wait_ready()
            yield stack
        finally:
            stack.stop()
