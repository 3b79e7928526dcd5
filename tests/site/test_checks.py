"""An unsafe production is refused, each danger under its own id and with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from classifier_site import checks
from tests.networks import make_artifact

ROOT = Path(django_settings.BASE_DIR)
KEY = "k9-" + "".join(chr(ord("a") + n % 26) for n in range(60))

SAFE: dict[str, Any] = {
    "PRODUCTION": True,
    "SECRET_KEY": KEY,
    "SECRET_KEY_GIVEN": True,
    "DEBUG": False,
    "ALLOWED_HOSTS": ["convoscope.example"],
    "MEDIA_URL": "",
    "EMAIL_URL": "smtp://mail.example",
    "DEFAULT_FROM_EMAIL": "site@convoscope.example",
    "OPERATOR_NAME": "Example University",
    "OPERATOR_EMAIL": "privacy@convoscope.example",
    "OPERATOR_ADDRESS": "1 Example Street, Exampleton",
    "CELERY_BROKER_URL": "redis://cache.example/0",
    "RATE_LIMITS": True,
    "CACHE_URL": "redis://cache.example/1",
    "AWS_STORAGE_BUCKET_NAME": "bucket",
    "AWS_S3_REGION_NAME": "eu-west-1",
}
ENVIRONMENT = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": KEY,
    "ALLOWED_HOSTS": "convoscope.example",
    "DATABASE_URL": "postgres://convoscope@localhost/convoscope",
    "CELERY_BROKER_URL": "redis://localhost:6379/0",
    "CACHE_URL": "redis://localhost:6379/1",
    "AWS_STORAGE_BUCKET_NAME": "convoscope-example",
    "AWS_S3_REGION_NAME": "eu-west-1",
    "EMAIL_URL": "smtp://localhost:587",
    "DEFAULT_FROM_EMAIL": "convoscope@convoscope.example",
    "OPERATOR_NAME": "Example University",
    "OPERATOR_EMAIL": "privacy@convoscope.example",
    "OPERATOR_ADDRESS": "1 Example Street, Exampleton",
}


@pytest.fixture
def production(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in SAFE.items():
        setattr(settings, name, value)
    engine = {"default": {"ENGINE": "django.db.backends.postgresql"}}
    monkeypatch.setattr(settings._wrapped, "DATABASES", engine, raising=False)
    return settings


def ids() -> list[str]:
    return [problem.id for problem in checks.check_production(None)]


def test_a_safe_production_passes(production):
    assert ids() == []


def test_a_laptop_is_not_asked(settings):
    settings.PRODUCTION = False
    settings.DEBUG = True
    assert ids() == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SECRET_KEY_GIVEN", False, "E001"),
        ("SECRET_KEY", "short", "E001"),
        ("SECRET_KEY", "a" * 80, "E001"),
        ("SECRET_KEY", "django-insecure-" + KEY, "E001"),
        ("DEBUG", True, "E002"),
        ("ALLOWED_HOSTS", [], "E003"),
        ("ALLOWED_HOSTS", ["a.example", "*"], "E003"),
        ("MEDIA_URL", "/media/", "E005"),
        ("EMAIL_URL", "", "E006"),
        ("EMAIL_URL", "console:", "E006"),
        ("CELERY_BROKER_URL", "filesystem://", "E008"),
        ("RATE_LIMITS", False, "E009"),
        ("DEFAULT_FROM_EMAIL", "", "E010"),
        ("OPERATOR_NAME", "", "E012"),
        ("OPERATOR_EMAIL", "", "E012"),
        ("OPERATOR_ADDRESS", "", "E012"),
        ("CACHE_URL", "", "W001"),
        ("AWS_STORAGE_BUCKET_NAME", "", "W002"),
    ],
)
def test_each_danger_has_its_id(production, name, value, expected):
    setattr(production, name, value)
    assert ids() == [f"convoscope.{expected}"]


def test_sqlite_is_refused(production, monkeypatch):
    monkeypatch.setattr(
        production._wrapped, "DATABASES", {"default": {"ENGINE": "django.db.backends.sqlite3"}}, raising=False
    )
    assert ids() == ["convoscope.E007"]


@pytest.mark.parametrize(
    "options",
    [
        {"querystring_auth": False},
        {"custom_domain": "cdn.example"},
        {"default_acl": "public-read"},
    ],
)
def test_a_public_bucket_is_refused(production, options):
    private = {"bucket_name": "b", "region_name": "eu-west-1", "default_acl": None, "querystring_auth": True}
    backend = {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": private}
    production.STORAGES = {**production.STORAGES, "default": backend}
    assert ids() == []
    backend = {**backend, "OPTIONS": {**private, **options}}
    production.STORAGES = {**production.STORAGES, "default": backend}
    assert ids() == ["convoscope.E005"]


def test_pictures_among_static_files_are_refused(production):
    production.MEDIA_ROOT = Path(production.STATIC_ROOT) / "media"
    assert ids() == ["convoscope.E005"]


@pytest.mark.parametrize(("in_production", "number"), [(True, "E004"), (False, "W004")])
def test_missing_and_broken_networks_are_told(settings, monkeypatch, in_production, number):
    settings.PRODUCTION = in_production
    monkeypatch.setattr("ml.config.artifact_names", list)
    assert [problem.id for problem in checks.check_artifacts(None)] == [f"convoscope.{number}"]
    monkeypatch.setattr("ml.config.artifact_names", lambda: ["no-such-network"])
    [problem] = checks.check_artifacts(None)
    assert problem.id == f"convoscope.{number}"
    assert "no-such-network" in problem.msg


def test_every_problem_says_what_to_do(production):
    for name, value in {
        "SECRET_KEY": "x",
        "DEBUG": True,
        "ALLOWED_HOSTS": [],
        "EMAIL_URL": "",
        "CACHE_URL": "",
    }.items():
        setattr(production, name, value)
    problems = checks.check_production(None)
    assert len(problems) >= 5
    assert all(problem.hint for problem in problems)


def test_processes_of_an_unsafe_production_end_with_the_sentences(production, monkeypatch):
    monkeypatch.setattr(checks, "check_artifacts", lambda app_configs: [])
    checks.refuse_unsafe_production()
    production.DEBUG = True
    with pytest.raises(SystemExit, match=r"convoscope\.E002: DEBUG is on\. Remove DEBUG"):
        checks.refuse_unsafe_production()


def test_every_id_is_in_the_operators_guide():
    source = (ROOT / "classifier_site/checks.py").read_text()
    guide = (ROOT / "docs/operations.md").read_text()
    for number in range(1, 13):
        assert f"`convoscope.E{number:03d}`" in guide
    assert "E011" not in source


def run_check(folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DATA_DIR": str(folder), **ENVIRONMENT, **variables}
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # the suite's own
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_a_full_production_environment_is_silent(tmp_path):
    make_artifact(tmp_path / "networks", "tiny")
    result = run_check(tmp_path, ML_ARTIFACTS_DIR=str(tmp_path / "networks"))
    assert result.returncode == 0, result.stderr
    assert "no issues (0 silenced)" in result.stdout


def test_a_management_command_refuses_rate_limits_off(tmp_path):
    result = run_check(tmp_path, RATE_LIMITS="0")
    assert result.returncode == 1
    assert "convoscope.E009" in result.stderr


@pytest.mark.parametrize("address", ["", "not an address"])
def test_an_engine_on_a_server_needs_the_servers_address(tmp_path, address):
    make_artifact(tmp_path / "networks", "tiny")
    chosen = {"ML_ENGINE": "tensorflow_serving", "ML_SERVING_URL": address}
    result = run_check(tmp_path, ML_ARTIFACTS_DIR=str(tmp_path / "networks"), **chosen)
    assert result.returncode == 1
    assert "convoscope.E011" in result.stderr
    assert "ML_SERVING_URL" in result.stderr
