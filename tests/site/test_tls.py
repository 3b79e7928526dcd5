"""Redis and PostgreSQL over TLS, and only with a certificate that is the server's."""

from __future__ import annotations

import ipaddress
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.db import OperationalError as DatabaseAway
from django.db.backends.postgresql.base import DatabaseWrapper
from kombu import Connection
from kombu.exceptions import OperationalError

from classifier_site import backends
from classifier_site.cache import FailOpenRedisCache
from classifier_site.environment import Environment, database
from tests.services import PostgresServer, free_port, program, stop, wait_until

PEM = serialization.Encoding.PEM


def certificate(folder: Path, name: str, *, issuer: Any = None) -> tuple[Any, Any]:
    """Writes NAME.crt and NAME.key; one that is signed by nobody else is an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    by, by_key = issuer or (None, key)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
    )
    made = builder.sign(by_key, hashes.SHA256())
    (folder / f"{name}.crt").write_bytes(made.public_bytes(PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return made, key


@dataclass
class TlsRedis:
    port: int
    authority: Path
    stranger: Path

    @property
    def url(self) -> str:
        return f"rediss://127.0.0.1:{self.port}/0"


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsRedis]:
    folder = tmp_path_factory.mktemp("redis-tls")
    authority = certificate(folder, "authority")
    certificate(folder, "stranger")
    certificate(folder, "server", issuer=authority)
    port = free_port()
    command = [program("redis-server"), "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1"]
    command += ["--tls-cert-file", "server.crt", "--tls-key-file", "server.key", "--tls-auth-clients", "no"]
    command += ["--tls-ca-cert-file", "authority.crt", "--save", "", "--logfile", "redis.log"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    log = folder / "redis.log"
    try:
        wait_until(
            lambda: process.poll() is not None or (log.exists() and "Ready to accept" in log.read_text()),
            10,
            "Redis answering over TLS",
        )
        assert process.poll() is None, log.read_text()
        yield TlsRedis(port, folder / "authority.crt", folder / "stranger.crt")
    finally:
        stop(process)


@pytest.fixture
def cache(redis: TlsRedis, monkeypatch: pytest.MonkeyPatch) -> FailOpenRedisCache:
    """As production makes it from the address."""
    monkeypatch.setattr(FailOpenRedisCache, "_silent_until", 0.0)
    entry = backends.cache(redis.url)
    return FailOpenRedisCache(entry["LOCATION"], {"OPTIONS": entry["OPTIONS"]})


def broker(redis: TlsRedis, tmp_path: Path) -> Connection:
    """As production makes it from the address."""
    return connection_to(redis.url, tmp_path)


def connection_to(address: str, folder: Path) -> Connection:
    made = backends.queue(address, folder, Environment({}))
    options, tls = made["CELERY_BROKER_TRANSPORT_OPTIONS"], made["CELERY_BROKER_USE_SSL"]
    return Connection(address, transport_options=options, ssl=tls)


def test_the_cache_works_over_tls(
    redis: TlsRedis, cache: FailOpenRedisCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What the system trusts, as it trusts Amazon's authority.
    monkeypatch.setenv("SSL_CERT_FILE", str(redis.authority))
    cache.set("limit", 7)
    assert cache.get("limit") == 7


def test_messages_go_over_tls(redis: TlsRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(redis.authority))
    with broker(redis, tmp_path) as connection:
        queue = connection.SimpleQueue("tests")
        queue.put("wake up")
        message = queue.get(timeout=5)
        assert message.payload == "wake up"
        message.ack()
        queue.close()


def test_a_server_that_nobody_vouches_for_is_given_nothing(
    redis: TlsRedis, cache: FailOpenRedisCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(redis.stranger))
    cache.set("limit", 7)
    assert cache.get("limit") is None
    refused(broker(redis, tmp_path))


def test_a_certificate_for_another_name_is_refused(
    redis: TlsRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(redis.authority))
    refused(connection_to(redis.url.replace("127.0.0.1", "localhost"), tmp_path))


def refused(connection: Connection) -> None:
    with connection, pytest.raises(OperationalError, match="certificate verify failed"):
        connection.default_channel.client.ping()


def test_an_authority_of_ones_own_is_named_in_the_address(
    redis: TlsRedis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FailOpenRedisCache, "_silent_until", 0.0)
    address = f"{redis.url}?ssl_cert_reqs=required&ssl_ca_certs={redis.authority}"
    entry = backends.cache(address)
    own = FailOpenRedisCache(entry["LOCATION"], {"OPTIONS": entry["OPTIONS"]})
    own.set("limit", 9)
    assert own.get("limit") == 9
    with connection_to(address, tmp_path) as connection:
        assert connection.default_channel.client.ping()


# --- PostgreSQL --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def secure_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[tuple[str, Path]]:
    """The address of a PostgreSQL that speaks TLS, and the folder of the certificates."""
    import psycopg

    folder = tmp_path_factory.mktemp("postgres-tls")
    authority = certificate(folder, "authority")
    certificate(folder, "stranger")
    certificate(folder, "server", issuer=authority)
    for name in ("server.crt", "server.key"):
        to = postgres_server.folder / "data" / name
        shutil.copy(folder / name, to)
        to.chmod(0o600)
        if os.geteuid() == 0:
            account = pwd.getpwnam("postgres")
            os.chown(to, account.pw_uid, account.pw_gid)
    with psycopg.connect(postgres_server.url(), autocommit=True) as link:
        link.execute("ALTER SYSTEM SET ssl = on")
        link.execute("SELECT pg_reload_conf()")
        wait_until(lambda: link.execute("SHOW ssl").fetchone() == ("on",), 10, "PostgreSQL speaking TLS")
    # A connection of one's own, not the suite's.
    with django_db_blocker.unblock():
        yield postgres_server.url(), folder


def ask(address: str) -> Any:
    """Whether the connection that the site makes from the address is encrypted."""
    entry = database(address, Path())
    wrapper = DatabaseWrapper({**DEFAULTS, **entry}, alias="secure")
    try:
        with wrapper.cursor() as cursor:
            cursor.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            return cursor.fetchone()[0]
    finally:
        wrapper.close()


DEFAULTS: dict[str, Any] = {
    "AUTOCOMMIT": True,
    "ATOMIC_REQUESTS": False,
    "TIME_ZONE": None,
    "TEST": {},
}


def test_the_database_is_asked_over_tls(secure_postgres: tuple[str, Path]) -> None:
    address, folder = secure_postgres
    assert ask(f"{address}?sslmode=require") is True
    assert ask(f"{address}?sslmode=verify-full&sslrootcert={folder}/authority.crt") is True


def test_a_database_that_nobody_vouches_for_is_told_nothing(secure_postgres: tuple[str, Path]) -> None:
    address, folder = secure_postgres
    with pytest.raises(DatabaseAway, match="certificate verify failed"):
        ask(f"{address}?sslmode=verify-full&sslrootcert={folder}/stranger.crt")
