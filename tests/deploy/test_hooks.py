"""Hooks, nginx and what a deployment runs on a machine: they are where Beanstalk looks, clean, and do what they say."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings

from classifier_site import bodies
from deploy import beanstalk_options as beanstalk
from tests.deploy.test_options import ENVIRONMENT, PROCESS, value
from tests.services import ROOT, inherited, program, stop, wait_until

BINARIES = Path(sys.executable).parent
PLATFORM = ROOT / ".platform"
STAGES = ("prebuild", "predeploy", "postdeploy")
HOOKS = sorted(
    path for folder in ("hooks", "confighooks") for path in (PLATFORM / folder).rglob("*") if path.is_file()
)
SCRIPTS = [*HOOKS, *(path for path in sorted((ROOT / "deploy" / "bin").iterdir()) if path.suffix != ".py")]
SCRIPTS = [path for path in SCRIPTS if path.is_file()]
NGINX = PLATFORM / "nginx" / "conf.d"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "ROLE": "web",
    "SECRET_KEY": "a-key-that-is-only-for-tests-0123456789-abcdefghijklmnop",  # pragma: allowlist secret
    "ALLOWED_HOSTS": "convoscope.example.edu",
    "DATABASE_URL": "postgres://site:word@database.example/site",  # pragma: allowlist secret
    "CELERY_BROKER_URL": "redis://redis.example:6379/0",
    "CACHE_URL": "redis://redis.example:6379/1",
    "AWS_STORAGE_BUCKET_NAME": "pictures",
    "AWS_S3_REGION_NAME": "eu-west-1",
    "EMAIL_URL": "ses://eu-west-1",
    "DEFAULT_FROM_EMAIL": "convoscope@example.edu",
    "OPERATOR_NAME": "Example University",
    "OPERATOR_EMAIL": "privacy@example.edu",
    "OPERATOR_ADDRESS": "1 Example Street",
    "TRUSTED_PROXY_COUNT": "2",
}


def site(folder: Path, **variables: str) -> dict[str, str]:
    return {**inherited(), "PATH": f"{BINARIES}:{os.environ['PATH']}", "DATA_DIR": str(folder), **variables}


# --- files ---------------------------------------------------------------------------------------------------


def test_each_file_of_platform_is_where_beanstalk_looks_for_it():
    for path in PLATFORM.rglob("*"):
        if not path.is_file():
            continue
        first, *rest = path.relative_to(PLATFORM).parts
        if first == "nginx":
            assert rest[0] == "conf.d", path
            assert path.suffix == ".conf", path
            assert rest[1:-1] in ([], ["elasticbeanstalk"]), path
        else:
            assert first in ("hooks", "confighooks"), path
            assert rest[0] in STAGES, path
            assert len(rest) == 2, path


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_may_be_executed_and_says_what_runs_it(path):
    assert path.read_text().startswith("#!/bin/sh\n")
    assert path.stat().st_mode & stat.S_IXUSR
    tracked = subprocess.run(
        ["git", "ls-files", "--stage", "--", str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    # What is committed without the bit is a hook that Beanstalk refuses, however it lies on this disk.
    assert not tracked or tracked.startswith("100755 ")


def test_shellcheck_finds_nothing_in_any_script():
    shell = [path for path in (ROOT / "deploy").rglob("*.sh") if path.is_file()]
    command = [program("shellcheck", str(BINARIES)), "--", *map(str, [*SCRIPTS, *shell])]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stdout + result.stderr == ""


def test_shellcheck_would_find_a_slip(tmp_path):
    slip = tmp_path / "slip"
    slip.write_text("#!/bin/sh\nrm -rf $DATA_DIR/tmp\n")
    command = [program("shellcheck", str(BINARIES)), str(slip)]
    assert "SC2086" in subprocess.run(command, capture_output=True, text=True, check=False).stdout


# --- commands of a release -----------------------------------------------------------------------------------


def test_a_release_checks_then_migrates_once_then_collects_everywhere():
    commands = beanstalk.read_yaml(ROOT / ".ebextensions" / "20_release.config")["container_commands"]
    # Beanstalk goes by the names.
    ordered = [commands[name] for name in sorted(commands)]
    assert [
        ("check_variables", "migrate.py", "collectstatic", "migrate.py --wait", "makes-figures")[n]
        in one["command"]
        for n, one in enumerate(ordered)
    ] == [True] * 5
    assert [one.get("leader_only", False) for one in ordered] == [False, True, False, False, True]


def test_variables_that_contradict_each_other_end_a_deployment_in_one_line(tmp_path):
    """The same script stops a change of variables alone."""
    check = ["sh", str(PLATFORM / "confighooks" / "predeploy" / "10_check")]
    wrong = site(tmp_path, **{**PRODUCTION, "DATABASE_URL": "", "DEBUG": "1"})
    # Wherever it is started: Beanstalk does not say where for a change of variables.
    result = subprocess.run(check, cwd=tmp_path, env=wrong, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("This release cannot run with these variables: ")
    assert "The database is SQLite." in result.stderr
    assert "DEBUG is on." in result.stderr
    unread = site(tmp_path, **{**PRODUCTION, "ROLE": "wrok"})
    result = subprocess.run(check, cwd=ROOT, env=unread, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "ROLE is 'wrok'; it must be one of web, worker, empty." in result.stderr


def test_a_change_of_variables_alone_collects_static_files_too(machine, tmp_path):
    """Beanstalk unpacks the release anew for it, and runs no container_commands."""
    add, run = machine
    add("install")
    add("python")
    calls, done = run("confighooks/predeploy/20_static")
    assert (done.returncode, done.stderr) == (0, "")
    assert [call.split()[0] for call in calls] == ["install", "python"]
    assert calls[1] == "python manage.py collectstatic --noinput --verbosity 0"
    commands = beanstalk.read_yaml(ROOT / ".ebextensions" / "20_release.config")["container_commands"]
    hook = (PLATFORM / "confighooks" / "predeploy" / "20_static").read_text()
    assert commands["03_collectstatic"]["command"] in hook
    add("python", "exit 1")
    assert run("confighooks/predeploy/20_static")[1].returncode == 1


def test_a_second_environment_waits_until_the_first_has_migrated(postgres_server, tmp_path):
    database = postgres_server.new_database()
    variables = site(tmp_path, DATABASE_URL=database)
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(7306118)")
        process = subprocess.Popen(
            [sys.executable, "deploy/bin/migrate.py"],
            cwd=ROOT,
            env=variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            wait_until(lambda: other.execute(waiting).fetchone() == (1,), 20, "the second one waiting")
            tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
            assert other.execute(tables).fetchone() == (0,)
        finally:
            stop(process)


def test_a_machine_that_was_not_chosen_begins_when_the_chosen_one_has_migrated(postgres_server, tmp_path):
    database = postgres_server.new_database()
    variables = site(tmp_path, DATABASE_URL=database)
    migrate = [sys.executable, "deploy/bin/migrate.py"]
    waiting = subprocess.Popen([*migrate, "--wait"], cwd=ROOT, env=variables)
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid() AND state = 'idle'"
    )
    try:
        with psycopg.connect(database, autocommit=True) as link:
            wait_until(lambda: link.execute(others).fetchone() == (1,), 20, "it having looked and staying")
        done = subprocess.run(migrate, cwd=ROOT, env=variables, capture_output=True, check=False)
        assert done.returncode == 0
        assert waiting.wait(timeout=30) == 0
    finally:
        stop(waiting)


def test_a_machine_that_is_added_while_the_database_is_away_starts_all_the_same(tmp_path):
    variables = site(tmp_path, DATABASE_URL="postgres://site@127.0.0.1:1/site")
    command = [sys.executable, "deploy/bin/migrate.py", "--wait"]
    result = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == 0
    assert result.stderr == "Whether the database was migrated cannot be told (OperationalError).\n"


def test_a_database_that_is_away_leaves_the_old_release_in_one_sentence(tmp_path):
    variables = site(tmp_path, DATABASE_URL="postgres://site@127.0.0.1:1/site")
    result = subprocess.run(
        [sys.executable, "deploy/bin/migrate.py"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("The database was not migrated, and the old release goes on: ")
    assert "Traceback" not in result.stderr


# --- hooks ---------------------------------------------------------------------------------------------------


@pytest.fixture
def machine(tmp_path):
    """A folder for programs that only note how they were called, or do what a test says."""
    stubs = tmp_path / "stubs"
    stubs.mkdir()
    calls = tmp_path / "calls"
    calls.touch()

    def add(name: str, does: str = ":") -> None:
        (stubs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{calls}"\n{does}\n')
        (stubs / name).chmod(0o755)

    def run(hook: str, **variables: str) -> tuple[list[str], subprocess.CompletedProcess[str]]:
        environment = {"PATH": f"{stubs}:/usr/bin:/bin", "DATA_DIR": str(tmp_path / "data"), **variables}
        calls.write_text("")
        done = subprocess.run(
            ["/bin/sh", str(PLATFORM / hook)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return calls.read_text().splitlines(), done

    (tmp_path / "data").mkdir()
    return add, run


def test_the_sites_folder_is_made_for_the_sites_user_and_swap_once(machine, tmp_path):
    add, run = machine
    swap = str(tmp_path / "swap")
    for name in ("install", "mkswap", "chmod"):
        add(name)
    add("fallocate", 'touch "$3"')
    add(
        "swapon",
        f'if [ "$1" = --show=NAME ]; then cat "{tmp_path}/used" 2>/dev/null; else echo "$1" >"{tmp_path}/used"; fi',
    )
    calls, done = run("hooks/prebuild/10_folders", SWAP_FILE=swap)
    assert (done.returncode, done.stderr) == (0, "")
    data = tmp_path / "data"
    assert f"install -d -o webapp -g webapp -m 750 {data} {data}/tmp" in calls
    assert f"chmod 600 {swap}" in calls
    assert calls.index(f"mkswap {swap}") < calls.index(f"swapon {swap}")
    calls, done = run("hooks/prebuild/10_folders", SWAP_FILE=swap)
    assert done.returncode == 0
    assert [call.split()[0] for call in calls] == ["install", "swapon"]


def test_a_machine_without_room_for_swap_starts_all_the_same(machine, tmp_path):
    add, run = machine
    add("install")
    add("fallocate", "exit 1")
    add("swapon", '[ "$1" = --show=NAME ]')
    _, done = run("hooks/prebuild/10_folders", SWAP_FILE=str(tmp_path / "swap"))
    assert done.returncode == 0
    assert "There is no swap on this machine" in done.stderr
    assert not (tmp_path / "swap").exists()


def test_the_figures_are_made_by_one_machine_of_the_workers_beside_its_work(machine, tmp_path):
    add, run = machine
    add("systemd-run")
    add("systemctl")
    mark = tmp_path / "data" / "makes-figures"
    hook = "hooks/postdeploy/20_figures"
    # Not the one that was chosen, and no worker.
    assert run(hook, ROLE="worker")[0] == []
    mark.touch()
    assert run(hook, ROLE="web")[0] == []
    assert not mark.exists()
    mark.touch()
    calls, done = run(hook, ROLE="worker")
    (call,) = [call for call in calls if call.startswith("systemd-run")]
    assert call.endswith("sh deploy/bin/as_site python manage.py make_explanations")
    assert "Nice=19" in call
    assert "--pty" not in call
    assert "--wait" not in call
    assert done.returncode == 0
    assert not mark.exists()


def test_nothing_that_is_wrong_with_logs_or_figures_ends_a_deployment(machine, tmp_path):
    add, run = machine
    for name in ("systemd-run", "systemctl"):
        add(name, "exit 1")
    add("install")
    (tmp_path / "data" / "makes-figures").touch()
    for hook, says in (
        ("hooks/postdeploy/10_logs", "There is no CloudWatch agent"),
        ("confighooks/postdeploy/10_logs", "There is no CloudWatch agent"),
        ("hooks/postdeploy/20_figures", "are not made beforehand"),
    ):
        _, done = run(hook, ROLE="worker")
        assert done.returncode == 0
        assert says in done.stderr


# --- nginx ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nginx():
    """All directives, without comments."""
    text = "\n".join(path.read_text() for path in sorted(NGINX.rglob("*.conf")))
    text = re.sub(r"#.*", "", text)
    assert text.count("{") == text.count("}")
    statements = [part.strip() for part in re.split(r"[;{}]", text) if part.strip()]
    found: dict[str, set[str]] = {}
    for statement in statements:
        name, _, arguments = statement.partition(" ")
        found.setdefault(name, set()).add(arguments.strip())
    return found


def test_nginx_takes_what_the_site_takes_and_no_more(nginx):
    (largest,) = nginx["client_max_body_size"]
    assert int(largest.removesuffix("m")) * 1024 * 1024 == max(settings.BODY_LIMITS.values())


def test_nginx_reads_a_body_before_the_site_does_and_gives_a_silent_client_up_as_the_site_would(nginx):
    assert nginx["proxy_request_buffering"] == {"on"}
    # Beanstalk's own nginx.conf says 60 s beside listen; a second one there would end nginx.
    assert "client_body_timeout" not in nginx
    assert bodies.IDLE_SECONDS == 60


def test_whoever_waits_longest_is_the_load_balancer(nginx):
    """It must never send into a connection that nginx has just closed, nor give up an answer that still comes."""
    idle = int(value("web", "aws:elbv2:loadbalancer", "IdleTimeout"))
    (kept,) = nginx["keepalive_timeout"]
    (patience,) = nginx["proxy_read_timeout"]
    assert int(kept.removesuffix("s")) > idle > int(patience.removesuffix("s"))


def test_nginx_asks_the_site_where_gunicorn_listens_and_adds_the_callers_address(nginx):
    (asked,) = nginx["proxy_pass"]
    procfile = (ROOT / "Procfile").read_text()
    assert set(re.findall(r"--bind (\S+)", procfile)) == {asked.removeprefix("http://")}
    assert asked.endswith(f":{value('web', ENVIRONMENT, 'PORT')}")
    assert "X-Forwarded-For $proxy_add_x_forwarded_for" in nginx["proxy_set_header"]
    assert "Host $host" in nginx["proxy_set_header"]
    # The load balancer's word on HTTPS passes as it is.
    assert not [header for header in nginx["proxy_set_header"] if header.startswith("X-Forwarded-Proto")]
    assert value("web", PROCESS, "Port") == "80"


def test_static_files_come_from_the_site_with_its_headers(nginx):
    assert {"/", "~ ^/static/"} == nginx["location"]
    assert settings.STATIC_URL == "/static/"
    # And where a mapped folder should win, its files have the names that pages ask for.
    folder = value("web", "aws:elasticbeanstalk:environment:proxy:staticfiles", "/static")
    assert f'BASE_DIR / "{folder}" if PRODUCTION' in (ROOT / "classifier_site" / "settings.py").read_text()
