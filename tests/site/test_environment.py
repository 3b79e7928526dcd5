"""Environment variables are read with a type, and a wrong one is refused in a sentence that names it."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from classifier_site import environment
from classifier_site.environment import Environment
from classifier_site.secret_key import local_secret_key

ROOT = Path(settings.BASE_DIR)


def test_unset_and_empty_mean_the_default():
    for values in ({}, {"X": ""}, {"X": "  "}):
        env = Environment(values)
        assert env.text("X", "d") == "d"
        assert env.flag("X", True) is True
        assert env.number("X", 3, minimum=0, maximum=9) == 3
        assert env.names("X", ["a"]) == ["a"]
        assert env.url("X", "redis://h", schemes=("redis",)) == "redis://h"


def test_values_are_converted():
    env = Environment({"T": " a ", "F": "off", "Y": "Yes", "N": "8", "L": "a, b,,c "})
    assert env.text("T") == "a"
    assert env.flag("F", True) is False
    assert env.flag("Y", False) is True
    assert env.number("N", 0, minimum=0, maximum=9) == 8
    assert env.names("L") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda env: env.text("X", choices=("local", "production")), "local, production"),
        (lambda env: env.flag("X", False), "1 or 0"),
        (lambda env: env.number("X", 1, minimum=1, maximum=5), "whole number"),
        (lambda env: env.url("X", schemes=("redis", "sqs")), "redis:, sqs:"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_what_was_expected(read, expected):
    with pytest.raises(ImproperlyConfigured, match=r"^X .*" + re.escape(expected)):
        read(Environment({"X": "wrong"}))


def test_a_number_out_of_range_is_refused():
    with pytest.raises(ImproperlyConfigured, match="between 1 and 65535"):
        Environment({"PORT": "70000"}).number("PORT", 8000, minimum=1, maximum=65535)


def test_a_refused_address_does_not_repeat_its_password():
    with pytest.raises(ImproperlyConfigured) as raised:
        Environment({"DATABASE_URL": "mysql://u:hidden@h/n"}).url("DATABASE_URL", schemes=("postgres",))
    assert "hidden" not in str(raised.value)


def test_a_folder_is_made_and_a_file_in_its_place_is_refused(tmp_path):
    made = Environment({"D": str(tmp_path / "a" / "b")}).folder("D", "./var")
    assert made.is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(ImproperlyConfigured, match="D is .*choose another folder"):
        Environment({"D": str(tmp_path / "file" / "x")}).folder("D", "./var")


def test_sqlite_waits_for_its_turn_and_writes_ahead(tmp_path):
    entry = environment.database("", tmp_path / "db.sqlite3")
    assert entry["NAME"] == str(tmp_path / "db.sqlite3")
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
    assert entry["OPTIONS"]["timeout"] == 20
    assert "journal_mode=WAL" in entry["OPTIONS"]["init_command"]


def test_a_postgres_address_is_taken_apart(tmp_path):
    url = "postgres://us%40er:p%2Fw@db.example:6543/name?sslmode=require"
    entry = environment.database(url, tmp_path / "unused")
    assert entry["USER"] == "us@er"
    assert entry["PASSWORD"] == "p/w"
    assert (entry["HOST"], entry["PORT"], entry["NAME"]) == ("db.example", "6543", "name")
    assert entry["OPTIONS"]["sslmode"] == "require"
    assert entry["CONN_HEALTH_CHECKS"] is True


@pytest.mark.parametrize("url", ["postgres://host", "sqlite://", "postgres://host:port/name"])
def test_an_incomplete_database_address_is_refused(url, tmp_path):
    with pytest.raises(ImproperlyConfigured, match="^DATABASE_URL "):
        environment.database(url, tmp_path / "unused")


def test_mail_addresses():
    assert environment.mail("console:")["EMAIL_BACKEND"].endswith("console.EmailBackend")
    smtp = environment.mail("smtp://user:word@mail.example")
    assert (smtp["EMAIL_HOST"], smtp["EMAIL_PORT"], smtp["EMAIL_USE_TLS"]) == ("mail.example", 587, True)
    assert environment.mail("smtp://mail.example?tls=0")["EMAIL_USE_TLS"] is False
    secure = environment.mail("smtps://mail.example")
    assert (secure["EMAIL_PORT"], secure["EMAIL_USE_SSL"], secure["EMAIL_USE_TLS"]) == (465, True, False)
    assert environment.mail("ses://eu-west-1")["EMAIL_SES_REGION"] == "eu-west-1"
    for incomplete in ("smtp://", "ses://"):
        with pytest.raises(ImproperlyConfigured, match="^EMAIL_URL "):
            environment.mail(incomplete)


def test_the_local_key_is_made_once_and_is_its_owners_alone(tmp_path):
    key = local_secret_key(tmp_path)
    assert len(key) >= 50
    assert local_secret_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def variables_read() -> set[str]:
    """The names in every env.text("NAME", …) and os.environ["NAME"] of the product."""
    pattern = re.compile(r"""(?:\benv\.\w+\(|\bos\.environ(?:\.get\(|\[))\s*["']([A-Z][A-Z0-9_]+)["']""")
    sources = [
        path
        for app in ("classifier_site", "accounts", "predictions", "learn", "ml")
        for path in (ROOT / app).rglob("*.py")
    ]
    return {name for path in sources for name in pattern.findall(path.read_text())}


# Set for other programs, or read from them; an operator sets none of these.
INTERNAL = {"MAKELEVEL", "REMAP_SIGTERM", "DJANGO_SETTINGS_MODULE", "KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL"}


def test_every_variable_that_is_read_is_documented_and_the_other_way_round():
    documented = set(
        re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    )
    read = variables_read()
    assert "ML_ENGINE" in read  # the pattern works
    assert read - documented - INTERNAL == set()
    assert documented - read == set()
