"""`make run` from its start to its end: one sentence for what is wrong, and no process left behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from classifier_site import guard, supervisor
from tests import services
from tests.networks import make_artifact

ROOT = services.ROOT
START = 120.0
STOP = 30.0


class Site:
    """A supervisor in a data folder of its own, with a mark by which all its processes are found."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.mark = f"{folder.name}-{port}"
        self.log = folder / "out.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **variables: str) -> subprocess.Popen[bytes]:
        environment = {
            **services.inherited(),
            "DATA_DIR": str(self.folder / "data"),
            "PORT": str(self.port),
            "SITE_MARK": self.mark,
            # Figures that nobody looks at, of large networks, would take the time of the tests beside.
            "LABORATORY_SAMPLES": "none",
            "ML_ARTIFACTS_DIR": str(self.folder / "networks"),
            **variables,
        }
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "classifier_site.supervisor"],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return self.process

    def fill(self) -> None:
        """What its first start would make, so that it starts in less time."""
        data = self.folder / "data"
        data.mkdir()
        services.prepare(data, {**services.inherited(), "ENVIRONMENT": "local"}, with_database=True)

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if (
                    process.environ().get("SITE_MARK") == self.mark
                    and process.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def named(self, word: str) -> list[psutil.Process]:
        return [process for process in self.processes() if any(word in part for part in process.cmdline())]

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as link:
                link.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                return b" 200 " in link.recv(64)
        except OSError:
            return False

    def up(self) -> bool:
        # Each worker is a parent and its pool children.
        return (
            self.answers()
            and len(self.workers("predictions")) >= 2
            and len(self.workers("lab,archives")) >= 3
        )

    def workers(self, queue: str) -> list[psutil.Process]:
        return [process for process in self.named("celery") if queue in process.cmdline()]

    def wait_up(self) -> None:
        services.wait_until(self.up, START, "the start", pause=0.3)

    def wait_gone(self) -> None:
        services.wait_until(lambda: not self.processes(), STOP, "the end of every process", pause=0.3)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    running = Site(tmp_path, services.free_port())
    make_artifact(tmp_path / "networks", "tiny", size=24, multiply_adds=1_000)
    yield running
    for process in running.processes():
        process.kill()
    if running.process is not None:
        running.process.wait(5)


def refused(site: Site, **variables: str) -> str:
    """What a start that fails prints; it must be one line."""
    process = site.start(**variables)
    assert process.wait(START) == 1
    text = site.log.read_text().strip()
    assert "\n" not in text, text
    assert site.processes() == []
    return text


def test_a_taken_port_is_one_sentence(site):
    with socket.socket() as other:
        other.bind(("127.0.0.1", site.port))
        other.listen()
        text = refused(site)
    assert text == f"Port {site.port} is taken; choose another, as in PORT={site.port + 1} make run."


def test_a_port_that_is_no_port_is_one_sentence(site):
    assert refused(site, PORT="http") == "PORT is 'http'; it must be a whole number."


def test_a_data_folder_that_cannot_be_made_is_one_sentence(site):
    (site.folder / "file").write_text("")
    text = refused(site, DATA_DIR=str(site.folder / "file" / "var"))
    assert text.startswith("DATA_DIR is ")
    assert text.endswith("choose another folder.")


def test_a_broken_database_is_one_sentence(site):
    (site.folder / "data").mkdir()
    (site.folder / "data" / "convoscope.sqlite3").write_bytes(b"this is no database" * 100)
    text = refused(site)
    assert text.startswith(f"The database in {site.folder / 'data'} cannot be used: ")


def test_a_network_that_cannot_be_read_is_one_sentence(monkeypatch, tmp_path):
    from ml.artifact import ArtifactError

    def fail(name, **options):
        raise ArtifactError("card.json is not a network's card: it is empty.")

    monkeypatch.setattr("django.core.management.call_command", fail)
    with pytest.raises(supervisor.CannotStartError) as refusal:
        supervisor.fill(tmp_path)
    sentence = "A network cannot be offered: card.json is not a network's card: it is empty."
    assert str(refusal.value) == sentence


def test_a_dead_process_is_started_again_and_ctrl_c_ends_every_one(site):
    site.fill()
    process = site.start()
    site.wait_up()
    [*_, web] = sorted(site.named("gunicorn"), key=lambda process: -process.create_time())
    web.kill()
    services.wait_until(lambda: not web.is_running(), 10, "the death of the site")
    site.wait_up()
    assert "The site ended (signal SIGKILL) and is started again." in site.log.read_text()
    process.send_signal(signal.SIGINT)
    assert process.wait(STOP) == 0
    assert site.processes() == []
    assert not site.answers()


def test_after_a_kill_nothing_stays_and_a_second_start_works_and_ends_by_sigterm(site):
    site.fill()
    process = site.start()
    site.wait_up()
    process.kill()
    process.wait(5)
    site.wait_gone()
    again = site.start()
    site.wait_up()
    again.terminate()
    assert again.wait(STOP) == 0
    assert site.processes() == []


def test_sigterm_to_make_ends_everything(site):
    """make's own packages step is left out: the stamp in .venv says that they are installed."""
    makefile = (ROOT / "Makefile").read_text()
    recipe = makefile.split("\nrun: packages\n")[1].split("\n\n")[0]
    assert recipe.startswith("\t@exec ")
    assert "\n" not in recipe
    (site.folder / "Makefile").write_text(
        f"run:\n\t@cd {ROOT} && exec {sys.executable} -m classifier_site.supervisor\n"
    )
    environment = {
        **services.inherited(),
        "DATA_DIR": str(site.folder / "data"),
        "PORT": str(site.port),
        "SITE_MARK": site.mark,
        "LABORATORY_SAMPLES": "none",
        "ML_ARTIFACTS_DIR": str(site.folder / "networks"),
    }
    with site.log.open("wb") as output:
        make = subprocess.Popen(
            ["make", "-C", str(site.folder), "run"],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    site.wait_up()
    make.terminate()
    make.wait(STOP)
    site.wait_gone()


def test_the_guard_ends_the_groups_it_was_told_of():
    minded, released = (
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
        for _ in range(2)
    )
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(guard.__file__)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(f"+{minded.pid}\n+{released.pid}\n-{released.pid}\n")
        process.stdin.close()
        assert minded.wait(5) == -signal.SIGTERM
        assert process.wait(5) == 0
        assert released.poll() is None
    finally:
        minded.kill()
        released.kill()
        minded.wait()
        released.wait()


def test_the_guard_kills_what_does_not_end():
    stubborn = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
    )
    process: Any = subprocess.Popen(
        [sys.executable, "-c", stubborn], stdout=subprocess.PIPE, start_new_session=True
    )
    process.stdout.readline()
    guard.end_groups([process.pid], grace=0.2)
    assert process.wait(5) == -signal.SIGKILL
    process.stdout.close()


def test_a_process_that_is_to_end_is_not_started_again_and_its_failure_is_one_sentence(capsys, monkeypatch):
    """The figures of the laboratory: the site goes on without them."""
    script = "import sys; sys.exit(int(sys.argv[1]))"
    children = [
        supervisor.Child(f"preparation {code}", [sys.executable, "-c", script, code], without="it goes on")
        for code in ("0", "3")
    ]
    one = supervisor.Supervisor(1, [], children)
    # This process has handlers of its own.
    monkeypatch.setattr(supervisor.signal, "signal", lambda *arguments: None)
    monkeypatch.setattr(one, "_announce", lambda waited: setattr(one, "announced", True))
    revive = one._revive

    def look() -> None:
        revive()
        one.stopping = int(one.announced and not one.afterwards and not one.children)

    monkeypatch.setattr(one, "_revive", look)
    one.run()
    assert capsys.readouterr().out == "The preparation 3 ended (status 3); it goes on.\n"


def test_an_exit_status_is_put_in_words():
    assert supervisor.describe(-9) == "signal SIGKILL"
    assert supervisor.describe(3) == "status 3"
