"""The Procfile: what Beanstalk reads, and which command each line is in each of the two environments and without one.

That the processes then work, are healthy and stop is in tests/deploy/test_bundle.py, on a production of their own.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from tests.services import ROOT, wait_until

LINES = (ROOT / "Procfile").read_text().splitlines()
COMMANDS = {name: command.strip() for name, _, command in (line.partition(":") for line in LINES)}
BINARIES = Path(sys.executable).parent
WAITS = {("web", "worker"), ("web", "lab"), ("worker", "timers")}
# systemd's own, which Beanstalk does not change for the processes of a Procfile.
STOP_SECONDS = 90


def spawn(name: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """As Beanstalk does it: systemd has a shell run the line, in the release's folder."""
    return subprocess.Popen(
        ["/bin/sh", "-c", f"exec {COMMANDS[name]}"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def words_of(process: subprocess.Popen[bytes]) -> list[str]:
    return Path(f"/proc/{process.pid}/cmdline").read_text().split("\0")[:-1]


# --- what Beanstalk reads ------------------------------------------------------------------------------------


def test_each_line_is_one_that_beanstalk_takes_and_the_first_is_the_site():
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+:\s*[^\s].*", line) for line in LINES)
    assert list(COMMANDS) == ["web", "worker", "lab", "timers"]


def test_nothing_in_it_means_something_else_to_systemd():
    """A percent sign is a specifier there, a dollar a variable of the unit."""
    assert not set("%$\\\"'") & set("".join(LINES))


def test_programs_are_called_by_bare_name_and_are_there():
    for command in COMMANDS.values():
        words = shlex.split(command)
        assert words[:2] == ["sh", "deploy/bin/when_role"]
        assert (ROOT / words[1]).exists()
        for program in ("gunicorn", "celery", "python", "env", "nice", "sleep", "uname"):
            if program in words:
                assert shutil.which(program, path=f"{BINARIES}:{os.environ['PATH']}"), program
        # A path would be this machine's and not Beanstalk's.
        assert not [word for word in words if word.startswith((".", "/")) and word != "/dev/shm"]


def test_a_process_ends_within_the_time_that_systemd_gives_it():
    graceful = [int(found) for found in re.findall(r"--graceful-timeout (\d+)", COMMANDS["web"])]
    assert len(graceful) == 2
    assert max(graceful) < STOP_SECONDS
    assert settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT < STOP_SECONDS
    # SIGTERM goes to every process of the unit, and without this it would end tasks at once.
    assert all("env REMAP_SIGTERM=SIGQUIT" in COMMANDS[name] for name in ("worker", "lab"))


# --- which command runs in which role ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stubs(tmp_path_factory):
    """Programs that say how they were called."""
    folder = tmp_path_factory.mktemp("stubs")
    for name in ("gunicorn", "celery", "python"):
        (folder / name).write_text(f'#!/bin/sh\nprintf "%s\\n" "{name}" "${{REMAP_SIGTERM:-}}" "$@"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("role", ["", "web", "worker"])
def test_each_role_runs_its_own_processes_and_none_runs_all(role, name, stubs):
    environment = {"PATH": f"{stubs}:/usr/bin:/bin", "ROLE": role}
    process = spawn(name, environment)
    if (role, name) in WAITS:
        # Only sleep is left, without a shell before it and without Python.
        wait_until(lambda: words_of(process) == ["sleep", "infinity"], 5, f"{name} waiting in {role}")
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=1)
        assert (process.returncode, output, errors) == (-signal.SIGTERM, b"", b"")
        return
    output, errors = process.communicate(timeout=5)
    assert (process.returncode, errors) == (0, b"")
    program, remapped, *arguments = output.decode().splitlines()
    assert "---" not in arguments
    if name == "web":
        application = (
            "classifier_site.worker_health:application" if role == "worker" else "classifier_site.wsgi"
        )
        assert (program, arguments[0]) == ("gunicorn", application)
        assert arguments[arguments.index("--bind") + 1].startswith("127.0.0.1:")
    elif name == "timers":
        assert (program, *arguments) == ("python", "manage.py", "run_timers")
    else:
        assert (program, remapped, arguments[:3]) == (
            "celery",
            "SIGQUIT",
            ["-A", "classifier_site", "worker"],
        )
        if name == "lab":
            # Machines of one fleet have a name each, and so have the two workers of a machine.
            assert arguments[-2:] == ["--hostname", f"lab@{socket.gethostname()}"]


@pytest.mark.parametrize("role", ["wrok", "web,worker"])
def test_a_role_that_there_is_not_is_refused_in_a_sentence(role, stubs):
    process = spawn("web", {"PATH": f"{stubs}:/usr/bin:/bin", "ROLE": role})
    output, errors = process.communicate(timeout=5)
    assert (process.returncode, output) == (64, b"")
    assert errors.decode() == f"ROLE is '{role}'; it must be web, worker or empty.\n"


def test_words_with_blanks_stay_one_word(stubs):
    command = [
        "sh",
        "deploy/bin/when_role",
        "web",
        "python",
        "two words",
        "",
        "*",
        "---",
        "worker",
        "celery",
        "a b",
    ]
    said = {}
    for role in ("web", "worker"):
        environment = {"PATH": f"{stubs}:/usr/bin:/bin", "ROLE": role}
        result = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
        said[role] = result.stdout.splitlines()
    assert said == {"web": ["python", "", "two words", "", "*"], "worker": ["celery", "", "a b"]}
