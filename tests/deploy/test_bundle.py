"""The zip that would be uploaded: what is in it, and that it is all that a site needs."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy import bundle, wheels
from tests import pictures
from tests.deploy.installed import (
    HOST,
    Instance,
    Production,
    Program,
    accounts,
    container_commands,
    unpack,
)
from tests.services import ROOT, wait_until

# --- the file ----------------------------------------------------------------------------------------------


def names(path: Path) -> dict[str, zipfile.ZipInfo]:
    with zipfile.ZipFile(path) as archive:
        return {entry.filename: entry for entry in archive.infolist()}


def test_it_holds_what_production_needs_and_nothing_else(built):
    found = names(built)
    assert {"Procfile", "manage.py", "requirements.txt", "release.json"} <= set(found)
    assert "ml/artifacts/vgg/int8.bin" in found
    assert "samples/samples.json" in found
    assert "locale/de/LC_MESSAGES/django.mo" in found
    folders = {name.partition("/")[0] for name in found}
    assert not folders & {".git", ".venv", ".ci", ".github", "tests", "benchmarks", "runs", "var", "docs"}
    assert not [name for name in found if name.endswith((".pyc", ".sqlite3", ".po"))]


def test_hooks_and_programs_stay_executable(built):
    modes = {name: (entry.external_attr >> 16) & 0o777 for name, entry in names(built).items()}
    tracked = subprocess.run(
        ["git", "ls-files", "--stage", "manage.py"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert tracked.startswith("100755")
    assert modes["manage.py"] == 0o755
    assert modes["Procfile"] == 0o644
    hooks = [name for name in modes if name.startswith((".platform/hooks/", ".platform/confighooks/"))]
    assert all(modes[name] == 0o755 for name in hooks), hooks


def test_everything_that_is_left_out_is_there_or_was_thought_of():
    """A pattern that fits nothing any more would hide what a later file of that name is for."""
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    from fnmatch import fnmatch

    optional = {".ebignore", ".github/*"}
    for pattern in {*bundle.LEFT_OUT, *bundle.KEPT} - optional:
        assert any(fnmatch(name, pattern) for name in tracked), pattern


def test_it_is_below_500_mb_with_its_wheels_and_says_which_release_it_is(built, committed):
    recorded = json.loads(wheels.RECORD.read_text())
    assert sum(recorded.values()) > 50 * 1024 * 1024
    assert built.stat().st_size + sum(recorded.values()) < bundle.LIMIT
    with zipfile.ZipFile(built) as archive:
        release = json.loads(archive.read("release.json"))
    assert release["commit"] == committed.hash
    assert release["label"] == f"20261101T120000Z-{committed.hash[:12]}"
    assert built.name == f"convoscope-{release['label']}.zip"


def test_the_same_commit_gives_the_same_bytes(tmp_path):
    written = datetime(2026, 11, 1, 12, tzinfo=UTC)
    members = [bundle.Member("b", b"2" * 100), bundle.Member("a/hook", b"1", executable=True)]
    bundle.write(tmp_path / "one.zip", members, written)
    bundle.write(tmp_path / "two.zip", members[::-1], written)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_one_that_is_too_large_is_refused_and_not_left_behind(tmp_path):
    path = tmp_path / "large.zip"
    path.write_bytes(b"x" * 2000)
    with pytest.raises(bundle.BundleError, match="leave something out"):
        bundle.refuse_large(path, limit=2000)
    assert not path.exists()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small one in place of ours."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for name in ("Procfile", "manage.py", "requirements-serve.txt"):
        (folder / name).write_text("")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        identity = ["-c", "user.name=Tests", "-c", "user.email=tests@convoscope.example"]
        subprocess.run(["git", *identity, *command], cwd=folder, check=True)
    monkeypatch.setattr(bundle, "ROOT", folder)
    return folder


@pytest.mark.parametrize("name", ["manage.py", "new.py"])
def test_what_is_not_committed_is_told_before_anything_is_built(repository, tmp_path, capsys, name):
    arguments = ["--out", str(repository / "dist"), "--without-wheels"]
    assert bundle.main(arguments) == 0
    # The zip of the run before does not count as a change.
    assert bundle.main(arguments) == 0
    (repository / name).write_text("changed")
    assert bundle.main(arguments) == 1
    assert f"{name} would be missing" in capsys.readouterr().err
    assert bundle.main([*arguments, "--allow-changes"]) == 0


def test_a_commit_that_nobody_has_is_one_sentence(repository, capsys):
    assert bundle.main(["--out", str(repository / "dist"), "--commit", "no-such-commit"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "no-such-commit" in line


def test_a_link_is_refused_because_it_would_not_be_unpacked(repository, capsys):
    (repository / "link").symlink_to("Procfile")
    subprocess.run(["git", "add", "link"], cwd=repository, check=True)
    identity = ["-c", "user.name=Tests", "-c", "user.email=tests@convoscope.example"]
    subprocess.run(["git", *identity, "commit", "-qm", "link"], cwd=repository, check=True)
    assert bundle.main(["--out", str(repository / "dist"), "--without-wheels"]) == 1
    assert "link is a link" in capsys.readouterr().err


# --- the packages ------------------------------------------------------------------------------------------


def test_every_pin_has_a_wheel_for_the_instances():
    """By the file names of the last build with wheels; `--record` writes them."""
    pinned = wheels.pins((ROOT / "requirements-serve.txt").read_text())
    recorded = json.loads(wheels.RECORD.read_text())
    chosen = wheels.matched(pinned, recorded)
    assert set(chosen.values()) == set(recorded)


@pytest.mark.parametrize(
    "name",
    [
        "numpy-1.0-cp311-cp311-manylinux_2_39_x86_64.whl",  # a newer glibc
        "numpy-1.0-cp311-cp311-manylinux_2_28_aarch64.whl",
        "numpy-1.0-cp311-cp311-musllinux_1_2_x86_64.whl",
        "numpy-1.0-cp312-cp312-manylinux_2_28_x86_64.whl",
        "numpy-1.1-cp311-cp311-manylinux_2_28_x86_64.whl",  # another version
    ],
)
def test_a_wheel_that_would_not_install_there_does_not_count(name):
    with pytest.raises(wheels.WheelError, match="numpy 1.0"):
        wheels.matched(wheels.pins("numpy==1.0"), [name])


def test_a_package_for_some_of_the_platforms_pythons_is_brought():
    pinned = 'a==1; python_full_version < "3.11.3"\nb==1; sys_platform == "darwin"\nc==1\n'
    assert [one.name for one in wheels.pins(pinned)] == ["a", "c"]


def small_wheel(folder: Path, name: str = "tiny") -> None:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}.py", "here = True\n")
        wheel.writestr(
            f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        )
        wheel.writestr(
            f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")


def test_pip_installs_from_the_wheels_alone_wherever_it_is_started(tmp_path):
    folder = tmp_path / "staging"
    folder.mkdir()
    small_wheel(folder / wheels.FOLDER)
    text = wheels.requirements(wheels.pins("tiny==1.0"), folder / wheels.FOLDER)
    (folder / "requirements.txt").write_text(text)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(tmp_path / "site")]
    command += ["--no-cache-dir", "--requirement", str(folder / "requirements.txt")]
    # An index that answers nobody.
    environment = {**os.environ, "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "0"}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "site" / "tiny.py").exists()
    [wheel] = (folder / wheels.FOLDER).iterdir()
    small_wheel(folder / wheels.FOLDER, "tiny")
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    spoilt = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert spoilt.returncode
    assert "hash" in spoilt.stderr.lower()


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


# --- the site that it becomes ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def production(deployed: tuple[Instance, Production]) -> Production:
    return deployed[1]


@pytest.fixture(scope="module")
def web(deployed: tuple[Instance, Production]) -> Iterator[Instance]:
    instance = deployed[0]
    try:
        instance.start_all()
        instance.wait_for("/healthz")
        yield instance
    finally:
        instance.end()


@pytest.fixture(scope="module")
def worker(
    built: Path, production: Production, web: Instance, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Instance]:
    """The worker environment's machine, which has a folder of its own for everything."""
    folder = unpack(built, tmp_path_factory.mktemp("worker") / "current")
    instance = Instance(folder, production.variables("worker"))
    try:
        instance.start_all()
        instance.wait_for("/healthz")
        web.wait_for("/readyz")
        yield instance
    finally:
        instance.end()


@pytest.fixture(scope="module")
def program(web: Instance, worker: Instance) -> Program:
    [(token, _cookie)] = accounts(web, "student@example.com")
    return Program(web, token)


def test_check_deploy_is_silent_in_the_environment_of_the_instances(deployed):
    """The first of the commands that a deployment runs ends it otherwise."""
    instance, _production = deployed
    assert "check_variables" in container_commands(instance.folder)[0]
    result = instance.run("sh", "deploy/bin/check_variables")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_each_role_runs_its_own_lines_and_nothing_else(web, worker):
    assert set(web.lines()) == set(web.processes) == set(worker.processes)
    assert web.status("/readyz") == 200
    assert worker.ask("/healthz").json()["status"] == "ok"
    assert worker.status("/readyz") == 404
    idle = {name for name, process in web.processes.items() if command_of(process.pid) == "sleep"}
    assert idle == {"worker", "lab"}
    assert {name for name, process in worker.processes.items() if command_of(process.pid) == "sleep"} == {
        "timers"
    }


def test_a_picture_goes_from_upload_to_answer(program, web, s3):
    [key] = program.send(pictures.jpeg(), model="vgg")
    [answer] = program.wait_done([key])
    assert len(answer["top5"]) == 5
    assert answer["artifact"].startswith("vgg-")
    picture = re.sub(r"^https?://[^/]+", "", answer["image_url"])
    assert answer["image_url"].startswith(f"https://{HOST}/")
    seen = program.ask(picture)
    assert (seen.status, seen.headers["Content-Type"]) == (200, "image/jpeg")
    assert seen.body.startswith(b"\xff\xd8")


def test_without_https_nobody_gets_further_than_the_redirect(web, worker):
    plain = web.ask("/", X_Forwarded_Proto="http")
    assert (plain.status, plain.headers["Location"]) == (301, f"https://{HOST}/")
    secure = web.ask("/")
    assert secure.status == 200
    assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]


def test_static_files_have_hashed_names_and_are_compressed(web):
    page = web.ask("/").body.decode()
    [address, *_] = re.findall(r'href="(/static/[^"]+\.css)"', page)
    assert re.search(r"\.[0-9a-f]{12}\.css$", address)
    style = web.ask(address, Accept_Encoding="gzip")
    assert style.headers["Content-Encoding"] == "gzip"
    assert "immutable" in style.headers["Cache-Control"]


def test_pictures_survive_the_loss_of_the_worker_and_are_answered_once(program, production, worker):
    sent = program.send(*[pictures.jpeg()] * 12, model="vgg") + program.send(
        *[pictures.jpeg(quality=80)] * 6, model="wideresnet"
    )
    wait_until(
        lambda: any(program.prediction(key)["status"] in ("running", "done") for key in sent),
        30,
        "the first picture being taken",
    )
    worker.kill("worker")
    # What Beanstalk's systemd does with a line that ended.
    worker.start("worker")
    answers = program.wait_done(sent, 100)
    assert [len(answer["top5"]) for answer in answers] == [5] * len(sent)
    [(rows, done)] = production.rows(
        "SELECT count(*), count(*) FILTER (WHERE status = 'done' AND attempts <= 2) FROM predictions_prediction"
    )
    assert rows == done >= len(sent)
    worker.wait_for("/healthz")


def test_sigterm_ends_every_process_and_hands_back_what_was_not_finished(program, production, web, worker):
    sent = program.send(*[pictures.jpeg(quality=70)] * 8, model="wideresnet")
    worker.stop()
    assert all(process.returncode is not None for process in worker.processes.values())
    # Each is answered, or waits for any worker as if none had had it.
    keys = ", ".join(f"'{key}'" for key in sent)
    rows = production.rows(f"SELECT status, attempts FROM predictions_prediction WHERE id IN ({keys})")
    assert len(rows) == len(sent)
    assert set(rows) <= {("done", 1), ("queued", 0)}
    web.stop()
    assert signal.SIGKILL not in {-process.returncode for process in web.processes.values()}
