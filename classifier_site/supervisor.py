"""Behind `make run`: prepares the data folder, then runs the site and its workers until it is told to stop."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from classifier_site import guard

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
STOP_SECONDS = 12.0  # a little more than Celery's soft shutdown
PORT_SECONDS = 3.0  # what a killed predecessor may take to give the port back
PATIENCE = 20.0  # after which a start that is not ready is explained
NICE = 10
STEADY = 10.0  # a process that lived this long starts with a clean slate
PR_SET_PDEATHSIG = 1


class CannotStartError(Exception):
    """One sentence for the person who typed `make run`."""


def web_command(port: int) -> list[str]:
    command = [sys.executable, "-m", "gunicorn", "classifier_site.wsgi", "--bind", f"{HOST}:{port}"]
    command += ["--worker-class", "gthread", "--workers", "1", "--threads", "8", "--keep-alive", "5"]
    command += ["--timeout", "60", "--graceful-timeout", "5", "--log-level", "warning", "--no-control-socket"]
    if Path("/dev/shm").is_dir():  # noqa: S108  (a heartbeat file on a busy disk can make a worker look dead)
        command += ["--worker-tmp-dir", "/dev/shm"]  # noqa: S108
    return command


def worker_command(queues: str = "predictions", concurrency: int = 1) -> list[str]:
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "classifier_site",
        "--quiet",
        "worker",
        "--pool",
        "prefork",
    ]
    command += ["--concurrency", str(concurrency), "--without-gossip", "--without-mingle"]
    return [*command, "--queues", queues]


def lab_command() -> list[str]:
    """The worker for figures and for what takes minutes, such as archives. It gives way to the one that answers.

    Of its two processes one is left for figures while the other prepares an archive.
    """
    return ["nice", "-n", str(NICE), *worker_command("lab,archives", 2), "--hostname", "lab@%h"]


def figures_command() -> list[str]:
    """Makes the figures of the sample pictures that are not there yet, and ends."""
    return ["nice", "-n", str(NICE), sys.executable, "manage.py", "make_explanations", "--verbosity", "0"]


# --- before anything starts --------------------------------------------------------------------------------


def check_port(port: int, seconds: float = PORT_SECONDS) -> None:
    end = time.monotonic() + seconds
    while True:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except PermissionError:
                raise CannotStartError(
                    f"Port {port} needs an administrator; choose one above 1023, as in PORT=8000."
                ) from None
            except OSError:
                if time.monotonic() > end:
                    raise CannotStartError(
                        f"Port {port} is taken; choose another, as in PORT={port + 1} make run."
                    ) from None
            else:
                return
        time.sleep(0.1)


def check_writable(folder: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
            file.flush()
    except OSError as error:
        raise CannotStartError(
            f"DATA_DIR is {folder}, which cannot be written to ({error.strerror})."
        ) from None


def prepare() -> int:
    """Everything that must be there before the processes start; returns the port."""
    os.chdir(ROOT)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "classifier_site.settings")
    import django
    from django.core.exceptions import ImproperlyConfigured

    try:
        django.setup()
        from django.conf import settings

        port: int = settings.PORT
        data_dir: Path = settings.DATA_DIR
    except ImproperlyConfigured as error:
        raise CannotStartError(str(error)) from None
    # The children change nothing about where data lies, wherever they are started from.
    os.environ["DATA_DIR"] = str(data_dir)
    check_writable(data_dir)
    check_port(port)
    fill(data_dir)
    return port


def fill(data_dir: Path) -> None:
    """The tables, a row for every network, and the static files."""
    from django.core.management import call_command
    from django.core.management.base import CommandError
    from django.db import DatabaseError, connections

    from ml.artifact import ArtifactError

    try:
        call_command("migrate", interactive=False, verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0, clear=False)
    except DatabaseError as error:
        raise CannotStartError(f"The database in {data_dir} cannot be used: {error}") from None
    except ArtifactError as error:
        raise CannotStartError(f"A network cannot be offered: {error}") from None
    except (CommandError, OSError) as error:
        raise CannotStartError(f"The site could not be prepared: {error}") from None
    finally:
        connections.close_all()


# --- the processes -----------------------------------------------------------------------------------------


def _die_with(parent: int) -> Callable[[], None] | None:
    """On Linux, what makes a child receive SIGTERM when this process dies; elsewhere the guard sees to it."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def bind() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the line above
            os._exit(1)

    return bind


@dataclass
class Child:
    """A process with a group of its own, started again when it dies.

    One with ``without`` is to end: that says what is to be said when it did not end well.
    """

    name: str
    command: list[str]
    without: str = ""
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    retry_at: float = 0.0
    pause: float = 0.5

    def start(self, environment: dict[str, str]) -> int:
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509  (this process has one thread)
        )
        self.started = time.monotonic()
        return self.process.pid


@dataclass
class Supervisor:
    port: int
    children: list[Child]
    # Started once the site is ready, so that nobody waits for it.
    afterwards: list[Child] = field(default_factory=list)
    stopping: int = 0
    guard: subprocess.Popen[str] | None = None
    environment: dict[str, str] = field(default_factory=lambda: {**os.environ, "REMAP_SIGTERM": "SIGQUIT"})
    announced: bool = False
    explained: bool = False

    def run(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        self._start_guard()
        begun = time.monotonic()
        try:
            for child in self.children:
                self._start(child)
            while not self.stopping:
                self._revive()
                if not self.announced:
                    self._announce(time.monotonic() - begun)
                elif self.afterwards:
                    self._start(child := self.afterwards.pop(0))
                    self.children.append(child)
                time.sleep(0.1)
        finally:
            self._end()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.stopping += 1

    def _start_guard(self) -> None:
        # A file and not a module: it must be up at once, and import nothing of the site.
        command = [sys.executable, "-I", "-S", str(Path(guard.__file__))]
        self.guard = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
        )

    def _tell_guard(self, line: str) -> None:
        pipe: IO[str] | None = self.guard.stdin if self.guard else None
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.write(line + "\n")
                pipe.flush()

    def _start(self, child: Child) -> None:
        self._tell_guard(f"+{child.start(self.environment)}")

    def _revive(self) -> None:
        now = time.monotonic()
        for child in list(self.children):
            process = child.process
            if process is not None and process.poll() is not None:
                # What the dead one left of its group would hold its port or its rows.
                guard.signal_group(process.pid, signal.SIGKILL)
                self._tell_guard(f"-{process.pid}")
                if child.without:
                    self.children.remove(child)
                    if process.returncode:
                        say(f"The {child.name} ended ({describe(process.returncode)}); {child.without}.")
                    continue
                child.pause = 0.5 if now - child.started > STEADY else min(child.pause * 2, 30.0)
                child.retry_at = now + child.pause
                child.process = None
                say(f"The {child.name} ended ({describe(process.returncode)}) and is started again.")
            if child.process is None and now >= child.retry_at:
                self._start(child)

    def _announce(self, waited: float) -> None:
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}/readyz", timeout=2):
                say(f"Convoscope is at http://{HOST}:{self.port}/ (Ctrl-C ends it).")
                self.announced = True
        except urllib.error.HTTPError as error:
            if waited > PATIENCE and not self.explained:
                self.explained = True
                missing = {k: v for k, v in json.load(error).items() if isinstance(v, str) and v != "ok"}
                missing.pop("status", None)
                reasons = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
                say(f"The site answers at http://{HOST}:{self.port}/ but is not ready yet: {reasons}.")
        except OSError:
            pass

    def _end(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        end = time.monotonic() + STOP_SECONDS
        while any(process.poll() is None for process in running):
            if time.monotonic() > end or self.stopping > 1:  # a second Ctrl-C means now
                break
            time.sleep(0.05)
        for process in running:
            guard.signal_group(process.pid, signal.SIGKILL)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            self._tell_guard(f"-{process.pid}")
        if self.guard is not None and self.guard.stdin is not None:
            with contextlib.suppress(OSError):
                self.guard.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.guard.wait(5)


def describe(code: int) -> str:
    """An exit status in words."""
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"signal {signal.Signals(-code).name}"
    return f"status {code}"


def say(sentence: str) -> None:
    print(sentence, flush=True)


def main() -> int:
    if os.environ.get("MAKELEVEL") and (bind := _die_with(os.getppid())):
        bind()  # SIGKILL to make must not leave the site behind
    try:
        port = prepare()
    except CannotStartError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    children = [Child("site", web_command(port)), Child("worker", worker_command())]
    children.append(Child("second worker", lab_command()))
    figures = Child(
        "preparation of the laboratory",
        figures_command(),
        without="what it did not make is made when somebody asks for it",
    )
    Supervisor(port, children, [figures]).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
