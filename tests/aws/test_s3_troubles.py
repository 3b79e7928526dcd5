"""What an operator has set wrongly, and credentials that change: one line says what to do, and health is right."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.utils import ContainerMetadataFetcher
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.test import Client

from accounts.stored_files import StorageAway
from classifier_site import backends, health, logs, object_storage, storage_troubles
from predictions.models import PICTURES
from tests.aws.proxy import S3Proxy
from tests.aws.server import CREDENTIALS, REGION
from tests.aws.signatures import Key, Refused, Request

pytestmark = pytest.mark.django_db

NAME = "pictures/ab/a.png"


def ask() -> None:
    default_storage.save(NAME, ContentFile(b"hello"))


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == storage_troubles.logger.name]


@pytest.fixture
def storage_health(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What /readyz says of the storage; the other parts are well, and a loaded machine has time."""
    monkeypatch.setattr(health, "PROBE_SECONDS", 10.0)
    # No probe of another test, which may still wait for its answer.
    monkeypatch.setattr(health, "_running", {})
    for part in ("database", "broker"):
        monkeypatch.setattr(health, f"_{part}", lambda: "ok")
    monkeypatch.setattr(health, "_worker", lambda: ("ok", {"tiny": "1"}))

    def asked() -> str:
        answer = Client().get("/readyz")
        said = str(answer.json()["storage"])
        assert answer.status_code == (200 if said == "ok" else 503)
        assert Client().get("/healthz").status_code == 200
        return said

    return asked


def expire(proxy: S3Proxy) -> None:
    proxy.keys[CREDENTIALS["AWS_ACCESS_KEY_ID"]].expired = True


def forget(proxy: S3Proxy) -> None:
    proxy.keys.clear()


def change_secret(proxy: S3Proxy) -> None:
    proxy.keys[CREDENTIALS["AWS_ACCESS_KEY_ID"]].secret = "another"


def move_clock(proxy: S3Proxy) -> None:
    proxy.ahead = timedelta(minutes=-20)


def deny(proxy: S3Proxy) -> None:
    proxy.allows = lambda request: False


def move_bucket(proxy: S3Proxy) -> None:
    proxy.region = "eu-central-1"


def redirect(proxy: S3Proxy) -> None:
    """As the address of another region answers."""
    moved = {"x-amz-bucket-region": "eu-central-1"}
    text = "The bucket you are attempting to access must be addressed using the specified endpoint."
    proxy.fail("error", says=lambda: Refused(301, "PermanentRedirect", text, moved))


def overload(proxy: S3Proxy) -> None:
    proxy.fail("error")


def vanish(proxy: S3Proxy) -> None:
    proxy.fail("reset")


@pytest.mark.parametrize(
    ("spoil", "public", "to_do"),
    [
        (expire, "the credentials for the bucket have expired", "instance profile"),
        (forget, "the credentials for the bucket are wrong", "instance profile"),
        (change_secret, "the credentials for the bucket are wrong", "instance profile"),
        (move_clock, "this machine's clock is wrong", "chronyd"),
        (deny, "the bucket refuses access", "deploy/policies"),
        (move_bucket, "the bucket is in another region", "set AWS_S3_REGION_NAME=eu-central-1"),
        (redirect, "the bucket is in another region", "set AWS_S3_REGION_NAME=eu-central-1"),
        (overload, "the bucket is overloaded", "service health"),
        (vanish, "the bucket does not answer", "security groups"),
    ],
)
def test_every_trouble_has_a_sentence_a_line_and_the_right_health(
    hasty: S3Proxy, storage_health: Any, caplog: pytest.LogCaptureFixture, spoil: Any, public: str, to_do: str
) -> None:
    assert storage_health() == "ok"
    ask()
    spoil(hasty)
    for _ in range(3):
        with pytest.raises(StorageAway):
            ask()
        with pytest.raises(StorageAway):
            default_storage.open(NAME)
        with pytest.raises(StorageAway):
            default_storage.exists(NAME)
    assert storage_health() == public
    (line,) = said(caplog)
    assert public in line
    assert to_do in line
    # The key's number and the name of the bucket are for the log alone, the secret for nobody.
    assert hasty.url not in public
    hasty.reset()
    ask()
    assert storage_health() == "ok"
    assert default_storage.open(NAME).read() == b"hello"


def test_a_bucket_that_does_not_exist_is_no_empty_one(
    hasty: S3Proxy, storage_health: Any, s3: Any, bucket: str, caplog: pytest.LogCaptureFixture
) -> None:
    hasty.tells_missing = True
    s3.delete_bucket(Bucket=bucket)
    assert storage_health() == "the bucket does not exist"
    with pytest.raises(StorageAway):
        default_storage.exists(NAME)
    with pytest.raises(StorageAway):
        default_storage.open(NAME)
    (line,) = said(caplog)
    assert line.endswith("Create it, or correct AWS_STORAGE_BUCKET_NAME.")


def test_a_role_that_may_read_but_not_write_is_not_well(
    hasty: S3Proxy, storage_health: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty.allows = lambda request: request.method != "PUT"
    assert storage_health() == "ok"
    with pytest.raises(StorageAway):
        ask()
    assert storage_health() == "the bucket refuses access"
    # Nobody may ask to write for hours; what was refused long ago says nothing any more.
    monkeypatch.setattr(object_storage, "REMEMBERED", -1.0)
    assert storage_health() == "ok"


def test_health_is_told_within_its_second_when_nothing_answers(
    s3_site: S3Proxy, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PROBE_SECONDS", 0.3)
    monkeypatch.setattr(health, "_running", {})
    s3_site.fail("hang")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["storage"]) == (503, "no answer within 0 s")
    assert client.get("/healthz").status_code == 200
    s3_site.heal()


def test_without_credentials_it_says_so(
    s3_site: S3Proxy, storage_health: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    storages._storages.pop("default", None)
    assert storage_health() == "there are no credentials for the bucket"
    (line,) = said(caplog)
    assert "Give the machine a role" in line
    with pytest.raises(StorageAway):
        default_storage.url(NAME)


# --- credentials that are renewed ------------------------------------------------------------------------------


class Role:
    """What hands out a role's credentials, as on ECS, at AWS_CONTAINER_CREDENTIALS_FULL_URI.

    They are good for so many ``minutes``. With less than ten left boto3 insists on new ones, with less than fifteen
    it asks for them.
    """

    def __init__(self, proxy: S3Proxy) -> None:
        self.proxy = proxy
        self.number = 0
        self.asked = 0
        self.away = False
        self.minutes = 5
        role = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                role.asked += 1
                self.send_response_only(500 if role.away else 200)
                self.end_headers()
                self.wfile.write(b"" if role.away else json.dumps(role.credentials()).encode())

            def log_message(self, *details: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/credentials"
        self.rotate()

    def credentials(self) -> dict[str, str]:
        return {
            "AccessKeyId": f"ASIAROLE{self.number}",
            "SecretAccessKey": f"secret-{self.number}",
            "Token": f"token-{self.number}",
            "Expiration": (datetime.now(UTC) + timedelta(minutes=self.minutes)).isoformat(),
        }

    def rotate(self) -> None:
        """New ones; S3 takes the old ones no longer."""
        for key in self.proxy.keys.values():
            key.expired = True
        self.number += 1
        given = self.credentials()
        self.proxy.keys[given["AccessKeyId"]] = Key(given["SecretAccessKey"], given["Token"])


@pytest.fixture
def role(hasty: S3Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Role]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    made = Role(hasty)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", made.url)
    storages._storages.pop("default", None)
    threading.Thread(target=made.server.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_roles_credentials_are_renewed_without_a_restart(
    role: Role, hasty: S3Proxy, storage_health: Any
) -> None:
    ask()
    before = default_storage.open(NAME).read()
    role.rotate()
    assert storage_health() == "ok"
    assert default_storage.open(NAME).read() == before
    ask()
    used = [
        request.headers["authorization"].split("Credential=")[1].split("/")[0] for request in hasty.requests
    ]
    # A request of the test before, with keys that are not in this one's environment, may arrive late.
    of_the_role = [key for key in used if key != CREDENTIALS["AWS_ACCESS_KEY_ID"]]
    assert list(dict.fromkeys(of_the_role)) == ["ASIAROLE1", "ASIAROLE2"]
    assert set(hasty.answers) <= {200, 412}
    assert f"X-Amz-Security-Token=token-{role.number}" in default_storage.url(NAME)


def test_when_they_end_in_the_middle_it_fails_clearly_and_goes_on_by_itself(
    role: Role, hasty: S3Proxy, storage_health: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ask()
    hasty.keys["ASIAROLE1"].expired = True
    with pytest.raises(StorageAway):
        ask()
    assert storage_health() == "the credentials for the bucket have expired"
    (line,) = said(caplog)
    assert "(ExpiredToken)" in line
    role.rotate()
    ask()
    assert storage_health() == "ok"


def test_while_nobody_hands_out_new_ones_those_that_are_good_are_used(
    role: Role, storage_health: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ContainerMetadataFetcher, "SLEEP_TIME", 0)
    role.minutes = 12
    ask()
    role.away = True
    ask()
    assert storage_health() == "ok"
    assert role.asked > 1
    assert said(caplog) == []
    role.minutes = 5
    role.away = False
    ask()
    role.away = True
    with pytest.raises(StorageAway):
        ask()
    assert storage_health() == "there are no credentials for the bucket"


# --- what no log may hold --------------------------------------------------------------------------------------


def test_neither_secrets_nor_signed_links_are_logged(
    role: Role, hasty: S3Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    """With everything switched on that LOG_LEVEL=DEBUG switches on."""
    levels = {
        name: entry["level"]
        for name, entry in logs.configuration("DEBUG", as_json=True)["loggers"].items()
        if "level" in entry
    }
    before = {name: logging.getLogger(name).level for name in levels}
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    try:
        with caplog.at_level(logging.DEBUG):
            ask()
            default_storage.save("exports/a.zip", ContentFile(bytes(9 * 1024**2)))
            link = default_storage.url(NAME)
            default_storage.open(NAME)
            for kind in ("error", "reset", "hang"):
                hasty.fail(kind, times=3)  # type: ignore[arg-type]
                with pytest.raises(StorageAway):
                    default_storage.open(NAME)
            hasty.keys["ASIAROLE1"].expired = True
            with pytest.raises(StorageAway):
                ask()
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
    assert said(caplog)
    text = "\n".join([caplog.text, *(str(record.args) for record in caplog.records)])
    signature = link.rpartition("X-Amz-Signature=")[2]
    for secret in ("secret-1", "token-1", "X-Amz-Signature", signature, "Signature="):
        assert secret not in text


# --- several requests of one process ---------------------------------------------------------------------------


def test_a_role_without_the_right_to_list_everything_is_enough(hasty: S3Proxy, bucket: str) -> None:
    """django-storages looks whether a name is free before it writes, and is refused by the policy."""

    def allowed(request: Request) -> bool:
        lists = not request.key
        return not lists or request.query.get("prefix", "").startswith(
            (f"{PICTURES}/", "exports/", "laboratory/")
        )

    hasty.allows = allowed
    ask()
    assert default_storage.exists(NAME)
    assert not default_storage.exists("pictures/ab/none.png")
    with pytest.raises(FileNotFoundError):
        default_storage.open("pictures/ab/none.png")
    usual = backends.storage(bucket, REGION, hasty.url)["OPTIONS"]
    from storages.backends.s3 import S3Storage

    with pytest.raises(Exception, match="403"):
        S3Storage(**usual).save("pictures/ab/b.png", ContentFile(b"hello"))
