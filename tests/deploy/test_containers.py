"""Image and composition: linted, of files that exist, and the same commands and variables as everywhere else.

No engine runs here: neither was ever built or started by these tests.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.committed import git
from tests.services import PYTHON, ROOT
from tests.site.test_environment import variables_read

PROGRAMS = Path(sys.executable).parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
EXAMPLE = (ROOT / "deploy/compose.env.example").read_text()
SITE = ["web", "worker", "lab", "timers", "migrate", "bucket"]


def lint(*command: str) -> None:
    result = subprocess.run(
        [str(PROGRAMS / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_linters_are_silent():
    lint("hadolint", "--failure-threshold", "style", "Dockerfile")
    lint("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")


# --- the image ---------------------------------------------------------------------------------------------


def instructions() -> list[tuple[str, str]]:
    """Name and arguments of each, with continued lines put together."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    return [
        (name, rest) for name, _space, rest in (line.partition(" ") for line in text.splitlines()) if name
    ]


def copied() -> list[str]:
    """What the image takes from the repository."""
    words = [rest.split() for name, rest in instructions() if name == "COPY"]
    return [source for line in words if not line[0].startswith("--from") for source in line[:-1]]


def test_every_source_exists_and_is_tracked_or_will_be():
    known = git("ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for source in copied():
        assert any(name == source or name.startswith(f"{source}/") for name in known), source


def test_all_that_the_site_imports_and_reads_is_copied(built):
    """What is in the bundle is in the image, but for what only Beanstalk reads."""
    import zipfile

    with zipfile.ZipFile(built) as archive:
        names = {name for name in archive.namelist() if not name.startswith((".ebextensions/", ".platform/"))}
    beanstalk = {"Procfile", "requirements.txt", "release.json", "LICENSE", "README.md"}
    missing = {
        name
        for name in names - beanstalk
        if not any(name == one or name.startswith(f"{one}/") for one in copied())
    }
    # COPY a b deploy/ names files; the rest are folders.
    assert missing == set()


def ignored(path: str) -> bool:
    """As .dockerignore says it: the last line that fits decides."""
    from fnmatch import fnmatch

    out = False
    for line in (ROOT / ".dockerignore").read_text().split("\n"):
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        wanted, pattern = pattern.startswith("!"), pattern.removeprefix("!")
        parents = [str(parent) for parent in Path(path).parents if str(parent) != "."]
        anywhere = pattern.startswith("**/") and any(
            fnmatch(part, pattern.removeprefix("**/")) for part in Path(path).parts
        )
        if anywhere or any(fnmatch(one, pattern) for one in [path, *parents]):
            out = not wanted
    return out


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".venv/bin/python",
        "var/secret_key",
        "var/media/pictures/a.jpg",
        "runs/vgg/log.jsonl",
        "tests/conftest.py",
        "deploy/compose.env",
        "deploy/infrastructure.yaml",
        "accounts/__pycache__/models.cpython-311.pyc",
        "convoscope.sqlite3",
    ],
)
def test_neither_git_nor_data_nor_keys_reach_the_builder(path):
    assert ignored(path)


def test_what_is_copied_reaches_the_builder():
    for source in copied():
        assert not ignored(source), source


def test_nobody_is_root_and_nothing_that_installs_is_left():
    kinds = [name for name, _rest in instructions()]
    assert kinds.count("FROM") == 2
    final = instructions()[len(kinds) - kinds[::-1].index("FROM") :]
    [user] = [rest for name, rest in final if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)
    names = [name for name, _rest in final]
    assert not {"RUN", "COPY", "ADD"} & set(names[names.index("USER") :])
    runs = " ".join(rest for name, rest in final if name == "RUN")
    assert "pip install" not in runs
    assert "apt-get" not in runs
    for gone in ("ensurepip", "site-packages/*", "/usr/local/bin/pip*"):
        assert gone in runs
    [first] = [rest for name, rest in instructions() if name == "RUN" and "pip install" in rest]
    assert "--only-binary :all:" in first
    assert "pip uninstall --yes pip setuptools" in first
    assert {"HEALTHCHECK", "STOPSIGNAL", "LABEL", "WORKDIR", "EXPOSE"} <= set(names)


def test_static_files_are_collected_without_a_single_secret(tmp_path):
    """The command of the image, with its variables and no others."""
    [command] = [rest for name, rest in instructions() if name == "RUN" and "collectstatic" in rest]
    command = command.partition(" &&")[0].replace("/tmp/collecting", str(tmp_path))
    command = command.replace("collectstatic", "collectstatic --dry-run")
    environment = {"PATH": f"{PROGRAMS}:/usr/bin:/bin", "ENVIRONMENT": "production"}
    subprocess.run(["/bin/sh", "-c", command], cwd=ROOT, env=environment, check=True)


# --- the composition ---------------------------------------------------------------------------------------


def procfile() -> dict[str, list[str]]:
    """The lines of the Procfile as they run where no role chooses."""
    found = {}
    for line in (ROOT / "Procfile").read_text().splitlines():
        name, _, command = line.partition(": ")
        words = shlex.split(command)
        assert words[:2] == ["sh", "deploy/bin/when_role"]
        words = words[3 : words.index("---")] if "---" in words else words[3:]
        # A container is reached from outside of it, and celery knows its name.
        found[name] = [
            word.replace("127.0.0.1:8000", "0.0.0.0:8000").replace("@HOST", "@%h") for word in words
        ]
    return found


def test_each_process_of_the_procfile_runs_here_by_the_same_command():
    commands = {name: COMPOSE["services"][name]["command"] for name in procfile()}
    assert commands == procfile()
    [default] = [rest for name, rest in instructions() if name == "CMD"]
    assert yaml.safe_load(default) == procfile()["web"]


def test_variables_are_those_that_the_site_reads_and_none_holds_a_secret():
    known = variables_read() | {
        "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED", "TMPDIR",
    }  # fmt: skip
    for name in SITE:
        variables = COMPOSE["services"][name]["environment"]
        assert set(variables) <= known, name
    set_by_image = re.findall(r"^(?:ENV |    )([A-Z_]+)=", DOCKERFILE, re.MULTILINE)
    python = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "REMAP_SIGTERM"}
    assert set(set_by_image) <= known | python
    for service in COMPOSE["services"].values():
        for name, value in (service.get("environment") or {}).items():
            if re.search("PASSWORD|SECRET|SSE_KEY", name):
                assert value.startswith("${"), name


def test_every_variable_asked_for_is_explained_in_the_example_and_the_other_way_round():
    asked = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    offered = set(re.findall(r"^([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert asked - offered == {"LOG_LEVEL", "SECRET_KEY_FALLBACKS"}
    assert offered <= asked
    for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "STORAGE_PASSWORD", "STORAGE_KEY"):
        assert re.search(rf"^{name}=$", EXAMPLE, re.MULTILINE), f"{name} has a value that everybody knows"


def test_the_site_starts_after_what_it_needs_and_only_it_is_reached():
    services = COMPOSE["services"]
    for name in procfile():
        needs = services[name]["depends_on"]
        assert needs["migrate"] == needs["bucket"] == {"condition": "service_completed_successfully"}
        assert needs["redis"] == {"condition": "service_healthy"}
    assert services["migrate"]["depends_on"]["database"] == {"condition": "service_healthy"}
    assert services["bucket"]["depends_on"]["storage"] == {"condition": "service_healthy"}
    for name, service in services.items():
        condition = service.get("depends_on", {})
        assert set(condition) <= set(services)
        if name in ("database", "redis", "storage"):
            assert service["networks"] == ["inside"]
            assert service["healthcheck"]["test"]
        else:
            assert service["read_only"] is True
            assert service["cap_drop"] == ["ALL"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        assert not re.search(r":latest$|^[^:]+$", service["image"]), service["image"]
        named = {volume.partition(":")[0] for volume in service.get("volumes", [])}
        assert named <= set(COMPOSE["volumes"])
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_the_variables_of_the_composition_make_a_silent_production(tmp_path):
    """With the example filled in as it says; `check --deploy` asks no server."""
    filled = {name: "k9-" + name.lower() * 8 for name in re.findall(r"^([A-Z_]+)=", EXAMPLE, re.MULTILINE)}
    filled |= {"TRUSTED_PROXY_COUNT": "1", "STAFF_SECOND_FACTOR": "0", "ALLOWED_HOSTS": "convoscope.example"}
    filled |= {"EMAIL_URL": "smtp://mail.example", "DEFAULT_FROM_EMAIL": "site@convoscope.example"}

    def put_in(value: str) -> str:
        def chosen(match: re.Match[str]) -> str:
            name, _, default = match[1].partition(":")
            return filled.get(name) or default.removeprefix("-")

        return re.sub(r"\$\{([^}]+)\}", chosen, value)

    variables = {
        name: put_in(str(value)) for name, value in COMPOSE["services"]["web"]["environment"].items()
    }
    environment = {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "production",
        "DATA_DIR": str(tmp_path),
        **variables,
    }
    command = [PYTHON, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr


# --- its two programs --------------------------------------------------------------------------------------


def healthy(folder: Path, name: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "DATA_DIR": str(folder)}
    command = [PYTHON, "deploy/bin/healthy.py", name]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_worker_is_healthy_by_its_sign_of_life(tmp_path):
    from predictions import signs

    assert (healthy(tmp_path, "lab").returncode, healthy(tmp_path, "lab").stdout) == (
        1,
        "no sign of life yet\n",
    )
    signs.leave(tmp_path, signs.OTHER)
    assert (healthy(tmp_path, "lab").returncode, healthy(tmp_path, "lab").stdout) == (0, "ok\n")
    assert "none of web, worker, lab" in healthy(tmp_path, "beat").stdout


def test_the_bucket_is_made_once(s3):
    from tests.aws.server import CREDENTIALS, REGION, client

    environment = {
        "PATH": os.environ["PATH"],
        "AWS_STORAGE_BUCKET_NAME": "made-by-compose",
        "AWS_S3_ENDPOINT_URL": s3,
        "AWS_S3_REGION_NAME": REGION,
        **CREDENTIALS,
    }
    for _time in range(2):
        subprocess.run([PYTHON, "deploy/bin/make_bucket.py"], cwd=ROOT, env=environment, check=True)
    assert "made-by-compose" in {bucket["Name"] for bucket in client("s3", s3).list_buckets()["Buckets"]}
