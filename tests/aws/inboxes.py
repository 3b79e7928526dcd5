"""An inbox for tests: the queue that S3 tells, pictures put into the bucket, and what is found in the outbox."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import quote_plus

import pytest
from django.core.files.storage import default_storage
from django.db.models.functions import Now
from django.utils import timezone
from PIL import Image

from accounts.models import User
from predictions import inbox, inference
from predictions.models import InboxObject
from tests.aws.proxy import S3Proxy
from tests.aws.server import REGION, client
from tests.factories import make_user

OWNER = "bulk@example.com"


def png(colour: tuple[int, int, int] = (250, 10, 10), side: int = 32) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class Inbox:
    """A site with an inbox, and what its operator sees of it. ``put`` and ``tell`` go past the site."""

    s3: Any
    sqs: Any
    bucket: str
    queue: str
    owner: User
    proxy: S3Proxy

    def put(self, key: str, data: bytes | None = None) -> str:
        """Puts an object, of which S3 tells by itself; returns its ETag."""
        return str(
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=png() if data is None else data)["ETag"]
        )

    def tell(
        self, key: str, etag: str = "0" * 32, *, version: str = "01", size: int = 100, **other: Any
    ) -> str:
        """Sends what S3 would say about an object; returns the message."""
        thing = {"key": quote_plus(key), "size": size, "eTag": etag.strip('"'), "sequencer": version}
        record = {
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "eventTime": "2026-11-22T10:00:00.000Z",
            "s3": {"bucket": {"name": self.bucket}, "object": thing},
        }
        return self.say(json.dumps({"Records": [{**record, **other}]}))

    def say(self, body: str) -> str:
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=body)
        return body

    def only_told(self) -> None:
        """From now on S3 says nothing by itself, and what it said is forgotten."""
        self.s3.put_bucket_notification_configuration(Bucket=self.bucket, NotificationConfiguration={})
        self.sqs.purge_queue(QueueUrl=self.queue)

    def run(self) -> None:
        """What the workers do until there is nothing more to do."""
        before: list[Any] = []
        for _round in range(6):
            inbox.work()
            inference.drain()
            now = list(InboxObject.objects.order_by("pk").values_list("pk", "status", "upload", "written"))
            if now == before or all(written for *_rest, written in now):
                break
            before = now

    def later(self) -> None:
        """All leases are over, and the storage is asked again."""
        InboxObject.objects.filter(status="running").update(lease_until=timezone.now() - timedelta(hours=1))
        InboxObject.objects.sweep_expired()
        InboxObject.objects.filter(written__isnull=True).update(result_due=Now())
        default_storage._guard.worked()  # type: ignore[attr-defined]

    def messages(self) -> int:
        """What the queue holds, whether somebody has it in hand or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [one["Key"] for one in found.get("Contents", ())]

    def writings(self, key: str) -> list[bytes]:
        """Everything that was ever written under this name, the newest first."""
        found = self.s3.list_object_versions(Bucket=self.bucket, Prefix=key).get("Versions", [])
        return [
            self.s3.get_object(Bucket=self.bucket, Key=key, VersionId=one["VersionId"])["Body"].read()
            for one in found
            if one["Key"] == key
        ]

    def result(self, key: str) -> dict[str, Any]:
        answer = self.s3.get_object(Bucket=self.bucket, Key=key)
        assert answer["ContentType"] == "application/json; charset=utf-8"
        assert answer["ServerSideEncryption"] == "AES256"
        return dict(json.loads(answer["Body"].read()))


@cache
def _sqs(moto: str) -> Any:
    return client("sqs", moto)


def inbox_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.getMessage() for one in caplog.records if one.name.startswith("predictions.inbox")]


def make_inbox(moto: str, s3: Any, settings: Any, proxy: S3Proxy, monkeypatch: pytest.MonkeyPatch) -> Inbox:
    """The queue, the settings of the site and its owner."""
    queue = make_queue(moto, s3, settings.AWS_STORAGE_BUCKET_NAME)
    settings.INBOX_QUEUE_URL = queue
    settings.INBOX_OWNER = OWNER
    monkeypatch.setattr(inbox, "POLL_SECONDS", 0)
    monkeypatch.setattr(inbox, "_trouble", "")
    return Inbox(s3, _sqs(moto), settings.AWS_STORAGE_BUCKET_NAME, queue, make_user(OWNER), proxy)


def make_queue(moto: str, s3: Any, bucket: str) -> str:
    """The address of the queue that S3 tells of what arrives in the inbox."""
    sqs = _sqs(moto)
    queue = sqs.create_queue(QueueName="convoscope-inbox")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:convoscope-inbox"
    told = {"Key": {"FilterRules": [{"Name": "prefix", "Value": "inbox/"}]}}
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": told}]
        },
    )
    return str(queue)
