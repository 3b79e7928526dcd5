"""One moto server and one strict S3 before it for all tests here, emptied before each that uses them."""

from __future__ import annotations

import ipaddress
import urllib.request
from collections.abc import Iterator
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore import loaders, session
from botocore.config import Config
from botocore.retries.standard import ExponentialBackoff
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.files.storage import default_storage, storages

from classifier_site import backends, health
from classifier_site.storage_troubles import Guard
from tests.aws.inboxes import Inbox, make_inbox
from tests.aws.proxy import S3Proxy, running_proxy
from tests.aws.server import CREDENTIALS, REGION, client, running_moto

BUCKET = "convoscope-pictures"


@pytest.fixture(scope="session", autouse=True)
def descriptions_read_once() -> Iterator[None]:
    """Each test's client is a new one; what botocore knows of S3 need not be read from disk for each."""
    read = loaders.Loader(include_default_search_paths=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_loader", lambda search_path_string=None: read)
        yield


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    with running_moto() as url:
        yield url


@pytest.fixture
def moto(moto_server: str) -> str:
    """The address of moto, empty."""
    reset = urllib.request.Request(f"{moto_server}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset, timeout=10).close()
    return moto_server


@pytest.fixture(scope="session")
def proxy_server(moto_server: str) -> Iterator[S3Proxy]:
    with running_proxy(moto_server) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    encoding = serialization.Encoding.PEM
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(encoding) + key.private_bytes(encoding, *plain))
    return path


@pytest.fixture
def proxy(proxy_server: S3Proxy, moto: str) -> Iterator[S3Proxy]:
    """S3 as the site sees it: strict, and well until a test says otherwise."""
    proxy_server.reset()
    yield proxy_server
    proxy_server.reset()


@pytest.fixture
def aws_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment, where boto3 looks for them."""
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def past_the_proxy(moto_server: str) -> Any:
    return client("s3", moto_server)


@pytest.fixture
def s3(moto: str, past_the_proxy: Any) -> Any:
    """A client that goes to moto past the proxy, to prepare and to look."""
    return past_the_proxy


@pytest.fixture
def bucket(s3: Any) -> str:
    """The name of an empty bucket that keeps versions, as the template makes it."""
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return BUCKET


@pytest.fixture
def s3_site(settings: Any, proxy: S3Proxy, bucket: str, aws_credentials: None) -> Iterator[S3Proxy]:
    """The site keeps its files in ``bucket``, behind the proxy, by the settings of production."""
    settings.AWS_STORAGE_BUCKET_NAME = bucket
    settings.AWS_S3_REGION_NAME = REGION
    settings.AWS_S3_ENDPOINT_URL = proxy.url
    settings.STORAGES = {**settings.STORAGES, "default": backends.storage(bucket, REGION, proxy.url)}
    yield proxy
    # What /readyz still asks is this test's: the next one counts its own requests and lines.
    wait(health._running.values(), timeout=20)
    storages._storages.pop("default", None)
    default_storage._wrapped = storages["default"]


@pytest.fixture
def hasty(s3_site: S3Proxy, settings: Any, monkeypatch: pytest.MonkeyPatch) -> S3Proxy:
    """As ``s3_site``, but nobody waits: limits of a fraction of a second, no pause before another attempt, and the
    guard lets everybody ask again at once.
    """
    default = settings.STORAGES["default"]
    short = default["OPTIONS"]["client_config"].merge(Config(connect_timeout=0.3, read_timeout=0.3))
    options = {**default["OPTIONS"], "client_config": short}
    settings.STORAGES = {**settings.STORAGES, "default": {**default, "OPTIONS": options}}
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda self, context: 0)
    monkeypatch.setattr(Guard, "PAUSE", 0.0)
    return s3_site


@pytest.fixture
def box(
    moto: str,
    s3: Any,
    s3_site: S3Proxy,
    settings: Any,
    small_networks: list[str],
    no_wake_ups: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Inbox:
    """The bucket's inbox with its queue, an owner, and two small networks."""
    return make_inbox(moto, s3, settings, s3_site, monkeypatch)
