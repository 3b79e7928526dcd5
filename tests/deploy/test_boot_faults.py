"""What stands in a new machine's way: variables that are wrong, servers that are away, a disk that is full, a release
that fails half way. Each is one clear line and the right answer about health, and nothing is lost.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from moto.server import ThreadedMotoServer

from classifier_site import refusal
from tests import pictures, services
from tests.aws.server import REGION, client
from tests.deploy.installed import (
    ONE_PROCESS,
    Instance,
    Production,
    Program,
    accounts,
    container_commands,
    form,
    plain_manifest,
    unpack,
)
from tests.networks import make_artifact
from tests.services import ROOT, PostgresServer, RedisServer, free_port, wait_until

# --- variables that are wrong --------------------------------------------------------------------------------

WRONG = {
    "ENVIRONMENT=staging": "ENVIRONMENT is 'staging'; it must be one of local, production.",
    "ROLE=lab": "ROLE is 'lab'; it must be one of web, worker, empty.",
    "DATABASE_URL=mysql://u:hidden@h/n": "DATABASE_URL starts with mysql; it must start with postgres:",
    "DATABASE_URL=hidden": "DATABASE_URL starts with no scheme",
    "DATABASE_URL=postgres://u:hidden@host": "DATABASE_URL names no database",
    "DATABASE_URL=postgres://u:hidden@host:port/n": "DATABASE_URL has a port that is no number",
    "DATABASE_URL=postgres://u:hid[den@host/n": "DATABASE_URL is no address",
    "CELERY_BROKER_URL=amqp://u:hidden@h": "CELERY_BROKER_URL starts with amqp",
    "CELERY_BROKER_URL=redis://:hidden@h:99999/0": "CELERY_BROKER_URL has a port",
    "CACHE_URL=memcached://h": "CACHE_URL starts with memcached; it must start with redis:, rediss:",
    "CACHE_URL=rediss://:hidden@h:x/0": "CACHE_URL has a port",
    "REDIS_URL=http://h": "REDIS_URL starts with http",
    "AWS_S3_ENDPOINT_URL=s3://bucket": "AWS_S3_ENDPOINT_URL starts with s3; it must start with http:, https:",
    "EMAIL_URL=mail.example": "EMAIL_URL starts with no scheme",
    "EMAIL_URL=ses://": "EMAIL_URL names no region",
    "EMAIL_URL=smtp://": "EMAIL_URL names no host",
    "TRUSTED_PROXY_COUNT=two": "TRUSTED_PROXY_COUNT is 'two'; it must be a whole number.",
    "TRUSTED_PROXY_COUNT=-1": "TRUSTED_PROXY_COUNT is -1; it must lie between 0 and 10.",
    "RETENTION_MONTHS=1.5": "RETENTION_MONTHS is '1.5'; it must be a whole number.",
    "LABORATORY_QUOTA_MB=1": "LABORATORY_QUOTA_MB is 1; it must lie between 64 and 100000.",
    "DEBUG=perhaps": "DEBUG is 'perhaps'; it must be 1 or 0.",
    "STAFF_SECOND_FACTOR=2": "STAFF_SECOND_FACTOR is '2'; it must be 1 or 0.",
    "LOG_LEVEL=LOUD": "LOG_LEVEL is 'LOUD'; it must be one of DEBUG",
    "CLOUDWATCH_NAMESPACE=a b": "CLOUDWATCH_NAMESPACE is 'a b'; it must be at most 255 letters",
    "DATA_DIR=/dev/null/data": "DATA_DIR is /dev/null/data, which cannot be created",
}
# In one interpreter, which has imported what is expensive; each case is a child of it.
DRIVER = """
import json, os, sys
import classifier_site, botocore.config, csp.constants, redis.retry
for number, case in enumerate(json.load(sys.stdin)):
    child = os.fork()
    if child == 0:
        name, _, value = case.partition("=")
        os.environ[name] = value
        os.dup2(os.open(f"{number}.said", os.O_WRONLY | os.O_CREAT), 2)
        try:
            import classifier_site.settings
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture
def nowhere(tmp_path: Path) -> Production:
    """Servers that nobody has started."""
    return Production(
        "postgres://convoscope@127.0.0.1:9/convoscope",
        "redis://127.0.0.1:9/0",
        "http://127.0.0.1:9",
        "bucket",
    )


def test_each_wrong_variable_is_one_sentence(nowhere, tmp_path):
    environment = {**nowhere.variables("web"), "DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", DRIVER],
        cwd=tmp_path,
        env=environment,
        input=json.dumps(list(WRONG)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split() == ["1"] * len(WRONG), run.stdout
    for number, (case, expected) in enumerate(WRONG.items()):
        lines = (tmp_path / f"{number}.said").read_text().splitlines()
        assert len(lines) == 1, (case, lines)
        assert lines[0].startswith(expected), (case, lines)
        assert "hid" not in lines[0], case


MALFORMED = {"DATABASE_URL": "mysql://u:hidden@h/n"}, "DATABASE_URL starts with mysql"
UNSAFE = {"RATE_LIMITS": "0"}, "convoscope.E009: RATE_LIMITS is 0."
CONTRADICTORY = (
    {"INBOX_QUEUE_URL": "https://sqs/1/in", "AWS_STORAGE_BUCKET_NAME": ""},
    "INBOX_QUEUE_URL is set without",
)


@pytest.mark.parametrize(
    ("line", "role", "case"),
    [
        ("web", "web", MALFORMED),
        ("web", "web", UNSAFE),
        ("worker", "worker", CONTRADICTORY),
        ("timers", "web", MALFORMED),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value[0])),
)
def test_each_process_says_it_and_ends(nowhere, tmp_path, line, role, case):
    variables, expected = case
    instance = Instance(tmp_path / "current", nowhere.variables(role, **variables))
    instance.folder.symlink_to(ROOT)
    process = instance.start(line)
    try:
        # gunicorn would otherwise start its processes again for ever.
        assert process.wait(60) > 0
    finally:
        instance.end()
    said = instance.log(line)
    # Of gunicorn's own way down there may be one.
    assert "ImproperlyConfigured" not in said
    assert "/classifier_site/" not in said
    found = {one for one in said.splitlines() if expected in one}
    assert len(found) == 1, said


def test_other_errors_keep_their_traceback_and_their_status(capsys):
    """An app that is set up wrongly is a fault of the code, for which developers need the way to it."""
    with pytest.raises(ImproperlyConfigured), refusal.in_sentences():
        raise ImproperlyConfigured("an app")
    with pytest.raises(SystemExit) as ended, refusal.in_sentences():
        raise SystemExit(0)
    assert ended.value.code == 0
    assert capsys.readouterr().err == ""
    with pytest.raises(SystemExit) as ended, refusal.in_sentences():
        raise SystemExit("a sentence")
    assert ended.value.code == refusal.STATUS
    assert capsys.readouterr().err == "a sentence\n"


def test_a_deployment_with_wrong_variables_is_refused_before_anything_is_changed(nowhere, tmp_path):
    variables, _expected = UNSAFE
    instance = Instance(tmp_path / "current", nowhere.variables("web", **variables))
    instance.folder.symlink_to(ROOT)
    ran = instance.deploy()
    assert len(ran) == 1
    assert ran[0].returncode
    [said] = ran[0].stderr.splitlines()
    assert said.startswith("This release cannot run with these variables:")
    assert "RATE_LIMITS is 0." in said


def test_a_change_of_variables_alone_is_refused_as_well(nowhere, tmp_path):
    variables, expected = MALFORMED
    instance = Instance(tmp_path / "current", nowhere.variables("web", **variables))
    instance.folder.symlink_to(ROOT)
    hook = instance.run("/bin/sh", ".platform/confighooks/predeploy/10_check")
    assert hook.returncode
    [said] = hook.stderr.splitlines()
    assert expected in said
    assert "hidden" not in said


# --- servers that are away when the machine starts ----------------------------------------------------------


@dataclass
class Late:
    """A site whose servers are not there yet."""

    production: Production
    web: Instance
    worker: Instance
    postgres: PostgresServer
    redis: RedisServer
    s3_port: int


@contextlib.contextmanager
def s3_on(port: int) -> Iterator[None]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    try:
        yield
    finally:
        server.stop()


@pytest.fixture(scope="module")
def late(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Late]:
    folder = tmp_path_factory.mktemp("late")
    make_artifact(folder / "networks", "tiny")
    with services.running_postgres() as postgres, services.running_redis() as redis:
        port = free_port()
        production = Production(
            postgres.new_database(), redis.url, f"http://127.0.0.1:{port}", "pictures-late"
        )
        release = unpack(built, folder / "release")
        plain_manifest(release)
        more = {"ML_ARTIFACTS_DIR": str(folder / "networks")}
        machines = []
        for role in ("web", "worker"):
            (folder / role).symlink_to(release)
            machines.append(Instance(folder / role, production.variables(role, **more)))
        made = Late(production, *machines, postgres, redis, port)
        # This release has been here before; now everything starts at once, and the servers are slower.
        assert made.web.run("python", "deploy/bin/migrate.py").returncode == 0
        postgres.stop()
        redis.stop()
        try:
            yield made
        finally:
            for machine in machines:
                machine.end()


@pytest.fixture(scope="module")
def recovered(late: Late) -> Iterator[Late]:
    """Both machines, started before their servers, which came one after the other."""
    # Each process finds out for itself, within 20 s, that the bucket is back; one is enough to look at.
    late.web.start("web", ONE_PROCESS)
    late.worker.start("worker")
    late.web.wait_for("/healthz")
    body = late.web.ask("/readyz")
    assert body.status == 503
    away = {name for name, state in body.json().items() if name not in ("status", "models") and state != "ok"}
    assert away == {"database", "storage", "broker", "worker"}
    late.postgres.start()
    wait_until(lambda: late.web.ask("/readyz").json()["database"] == "ok", 15, "the database being found")
    late.redis.start()
    with s3_on(late.s3_port):
        client("s3", late.production.s3).create_bucket(
            Bucket=late.production.bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        late.web.wait_for("/readyz")
        yield late


@pytest.fixture(scope="module")
def token(recovered: Late) -> str:
    [(token, _cookie)] = accounts(recovered.web, "late@example.com")
    return token


def test_servers_that_come_late_are_found_without_a_restart(recovered, token):
    assert recovered.web.processes["web"].poll() is None
    assert recovered.worker.processes["worker"].poll() is None
    program = Program(recovered.web, token)
    program.wait_done(program.send(pictures.jpeg(), model="tiny"))


# --- a disk that is full --------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 4 MB at ``folder``. Only root may mount one."""
    folder.mkdir()
    privileged = [] if os.geteuid() == 0 else ["sudo", "-n"]
    command = [*privileged, "mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        message = f"no small disk could be mounted ({mounted.stderr.strip()}); run as root, or with sudo"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    try:
        yield folder
    finally:
        subprocess.run([*privileged, "umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_told_to_who_sends_and_the_site_lives(recovered, token, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        empty = os.statvfs(disk).f_bfree
        variables = {**recovered.web.variables, "TMPDIR": str(disk)}
        (tmp_path / "full").symlink_to(recovered.web.folder.resolve())
        web = Instance(tmp_path / "full", variables)
        try:
            # One process, because Python looks once in each whether the folder for temporary files can be written to.
            web.start("web", ONE_PROCESS)
            web.wait_for("/readyz")
            large = form(pictures.png(1600, 1600), model="tiny")
            assert len(large[0]) > 2_700_000
            program = Program(web, token)
            ask = {"Content_Type": large[1]}
            assert program.ask("/api/v1/predictions/", "POST", large[0], **ask).status == 202
            # Temporary files, some of which have no name, go a moment after the answer, and would leave room.
            wait_until(lambda: os.statvfs(disk).f_bfree == empty, 10, "the temporary files being gone")
            with (disk / "filler").open("wb") as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
            refused = program.ask("/api/v1/predictions/", "POST", large[0], **ask)
            assert (refused.status, refused.json()["error"]["code"]) == (503, "unavailable")
            assert "Retry-After" in refused.headers
            assert web.status("/healthz") == 200
            (disk / "filler").unlink()
            assert program.ask("/api/v1/predictions/", "POST", large[0], **ask).status == 202
        finally:
            web.end()


# --- a deployment that fails half way -------------------------------------------------------------------------


@pytest.fixture
def spoilt(built: Path, recovered: Late, tmp_path: Path) -> Instance:
    """The next release, on the site that runs."""
    folder = unpack(built, tmp_path / "next")
    return Instance(folder, dict(recovered.web.variables))


NEXT = """
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("predictions", "{last}")]
    operations = [
        migrations.AddField("upload", "half_way", models.IntegerField(null=True)),
        {second}
    ]
"""


def columns(production: Production) -> list[tuple[str, ...]]:
    return production.rows(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = 'predictions_upload' AND column_name = 'half_way'"
    )


def test_a_migration_that_fails_in_the_middle_leaves_the_old_release_at_work(spoilt, recovered):
    migrations = spoilt.folder / "predictions/migrations"
    last = max(path.stem for path in migrations.glob("0*.py"))
    path = migrations / "0999_half_way.py"
    path.write_text(
        NEXT.format(last=last, second='migrations.RunSQL("SELECT 1 FROM there_is_no_such_table"),')
    )
    command = ["sh", "deploy/bin/as_site", "python", "deploy/bin/migrate.py"]
    failed = spoilt.run(*command)
    assert failed.returncode
    assert "The database was not migrated, and the old release goes on:" in failed.stderr
    assert "there_is_no_such_table" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert columns(recovered.production) == []
    assert recovered.web.status("/readyz") == 200
    path.write_text(NEXT.format(last=last, second=""))
    again = spoilt.run(*command)
    assert again.returncode == 0, again.stderr
    assert len(columns(recovered.production)) == 1
    assert recovered.web.status("/readyz") == 200


def test_static_files_that_cannot_be_collected_end_the_deployment(spoilt, recovered):
    (spoilt.folder / "static/js/broken.js").write_text('import {a} from "./there-is-no-such-file.js";\n')
    [command] = [one for one in container_commands(spoilt.folder) if "collectstatic" in one]
    failed = spoilt.run("/bin/sh", "-c", command.replace("-o webapp -g webapp ", ""))
    assert failed.returncode
    assert "there-is-no-such-file.js" in failed.stderr
    assert not (spoilt.folder / "staticfiles" / "staticfiles.json").exists()
    assert recovered.web.status("/") == 200
