"""Typed readers of environment variables, each of which says in one sentence what it expected."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE = ("1", "true", "yes", "on")
FALSE = ("0", "false", "no", "off")


class Environment:
    """Reads variables from `values`; an unset and an empty variable mean the same."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = os.environ if values is None else values

    def text(self, name: str, default: str = "", *, choices: Sequence[str] = ()) -> str:
        value = self._values.get(name, "").strip() or default
        if choices and value not in choices:
            listed = ", ".join(choice or "empty" for choice in choices)
            raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of {listed}.")
        return value

    def name(self, name: str, marks: str, *, longest: int) -> str:
        """A name of letters, digits and ``marks``; empty when none is given."""
        value = self._values.get(name, "").strip()
        allowed = all((mark.isascii() and mark.isalnum()) or mark in marks for mark in value)
        if len(value) > longest or not allowed:
            raise ImproperlyConfigured(
                f"{name} is {value[:40]!r}; it must be at most {longest} letters, digits and {' '.join(marks)}."
            )
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._values.get(name, "").strip().lower()
        if not value:
            return default
        if value in TRUE:
            return True
        if value in FALSE:
            return False
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be 1 or 0.")

    def number(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        value = self._values.get(name, "").strip()
        try:
            number = int(value) if value else default
        except ValueError:
            raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number.") from None
        if not minimum <= number <= maximum:
            raise ImproperlyConfigured(f"{name} is {number}; it must lie between {minimum} and {maximum}.")
        return number

    def names(self, name: str, default: Sequence[str] = ()) -> list[str]:
        """A list separated by commas."""
        value = self._values.get(name, "").strip()
        return [part.strip() for part in value.split(",") if part.strip()] or list(default)

    def url(self, name: str, default: str = "", *, schemes: Sequence[str]) -> str:
        value = self._values.get(name, "").strip() or default
        # The value may hold a password, so the message names only what comes before the colon.
        scheme = value.partition(":")[0] if ":" in value else ""
        if value and scheme not in schemes:
            starts = ", ".join(f"{known}:" for known in schemes)
            raise ImproperlyConfigured(
                f"{name} starts with {scheme or 'no scheme'}; it must start with {starts}"
            )
        try:
            _port(name, urlsplit(value))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} is no address; characters such as / [ ] in a password are written as %2F %5B %5D."
            ) from None
        return value

    def folder(self, name: str, default: str) -> Path:
        """A folder that exists and can be written to, made if need be."""
        folder = Path(self._values.get(name, "").strip() or default).expanduser().resolve()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name} is {folder}, which cannot be created ({error.strerror}); choose another folder."
            ) from None
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ImproperlyConfigured(
                f"{name} is {folder}, which cannot be written to; choose another folder."
            )
        return folder


# PostgreSQL would compile queries over a long history, which takes longer than to run them.
NO_COMPILING = "-c jit=off"
SQLITE_OPTIONS = {
    # A transaction takes the write lock at its start, so that two writers wait instead of failing half-way.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


# A request that finds no free connection, or no database, waits no longer for one.
POOL_SECONDS = 1.0


def database(url: str, local_file: Path, pool: int = 0) -> dict[str, Any]:
    """The entry of DATABASES for a postgres:// or sqlite:// address; nothing given means `local_file`.

    With `pool` the threads of a process share so many connections to PostgreSQL instead of keeping one each.
    """
    parts = urlsplit(url)
    if not url or parts.scheme == "sqlite":
        name = unquote(parts.path[1:]) if url else str(local_file)
        if not name:
            raise ImproperlyConfigured("DATABASE_URL names no file; write sqlite:///folder/name.sqlite3.")
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": name, "OPTIONS": dict(SQLITE_OPTIONS)}
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured(
            "DATABASE_URL names no database; write postgres://user:password@host:5432/name."
        )
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or query.pop("host", "")),
        "PORT": str(_port("DATABASE_URL", parts) or ""),
        "CONN_MAX_AGE": 0 if pool else 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 3, "options": NO_COMPILING, **query, **_pool(pool)},
    }


def _pool(size: int) -> dict[str, Any]:
    if not size:
        return {}
    return {
        "pool": {
            "min_size": 0,
            "max_size": size,
            "timeout": POOL_SECONDS,
            "max_idle": 60.0,
            "reconnect_timeout": POOL_SECONDS,
        }
    }


def mail(url: str) -> dict[str, Any]:
    """Django's e-mail settings for console:, smtp://, smtps:// or ses://region."""
    parts = urlsplit(url)
    if parts.scheme == "ses":
        if not parts.hostname:
            raise ImproperlyConfigured("EMAIL_URL names no region; write ses://eu-west-1.")
        return {"EMAIL_BACKEND": "classifier_site.mail.SesBackend", "EMAIL_SES_REGION": parts.hostname}
    if parts.scheme in ("smtp", "smtps"):
        if not parts.hostname:
            raise ImproperlyConfigured("EMAIL_URL names no host; write smtp://user:password@host:587.")
        secure = parts.scheme == "smtps"
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": parts.hostname,
            "EMAIL_PORT": _port("EMAIL_URL", parts) or (465 if secure else 587),
            "EMAIL_HOST_USER": unquote(parts.username or ""),
            "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
            "EMAIL_USE_SSL": secure,
            "EMAIL_USE_TLS": not secure and parse_qs(parts.query).get("tls", ["1"])[-1] in TRUE,
            "EMAIL_TIMEOUT": 10,
        }
    return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}


def _port(name: str, parts: Any) -> int | None:
    try:
        port: int | None = parts.port
    except ValueError:
        raise ImproperlyConfigured(f"{name} has a port that is no number from 1 to 65535.") from None
    return port
