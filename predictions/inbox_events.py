"""What S3 says about new objects, as it arrives through SQS: bytes from outside, each part checked."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

INBOX = "inbox/"
KEY_BYTES = 1024
# A sequencer or a time; it goes along with the result, in a header.
VERSION = re.compile(r"[\w.:+-]{1,64}", re.ASCII)


class Malformed(ValueError):
    """A message that is no event of S3; says what is wrong with it."""


class Foreign(ValueError):
    """An event that is none of a picture in the inbox; says of what."""


@dataclass(frozen=True)
class Arrival:
    """One version of an object below the inbox. ``version`` grows from one version of a key to the next."""

    bucket: str
    key: str
    size: int
    etag: str
    version: str

    @property
    def identity(self) -> str:
        """The same whenever and however often this version is told of."""
        parts = json.dumps([self.bucket, self.key, self.version, self.etag])
        return hashlib.sha256(parts.encode()).hexdigest()

    @property
    def folder(self) -> str:
        """The first folder below the inbox; empty without one."""
        first, slash, _rest = self.key.removeprefix(INBOX).partition("/")
        return first if slash else ""


def read(body: str, bucket: str, foreign: Callable[[str], object]) -> list[Arrival]:
    """The arrivals of one message. What is none is told to ``foreign``, in words. Raises Malformed."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise Malformed("no JSON") from None
    if not isinstance(message, dict):
        raise Malformed("no object")
    if message.get("Event") == "s3:TestEvent":
        foreign("S3's test event")
        return []
    records = message.get("Records")
    if not isinstance(records, list):
        raise Malformed("no records")
    arrivals = []
    for record in records:
        try:
            arrivals.append(_arrival(record, bucket))
        except Foreign as error:
            foreign(str(error))
    return arrivals


def _arrival(record: Any, bucket: str) -> Arrival:
    source = _text(record, "eventSource")
    if source != "aws:s3":
        raise Foreign(f"an event of {source[:40]!r}")
    name = _text(record, "eventName")
    if not name.startswith("ObjectCreated:"):
        raise Foreign(f"the event {name[:60]!r}")
    where = _text(record, "s3", "bucket", "name")
    if where != bucket:
        raise Foreign(f"an object in the bucket {where[:63]!r}")
    key = _key(_text(record, "s3", "object", "key"))
    if not key.startswith(INBOX):
        raise Foreign("an object outside of the inbox")
    if key.endswith("/"):
        raise Foreign("a folder")
    if any(part in (".", "..") for part in key.split("/")):
        raise Foreign(f"a key with . or .. for a folder: {key[:200]!r}")
    size = record["s3"]["object"].get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 2**63:
        raise Malformed("a size that is none")
    etag = _text(record, "s3", "object", "eTag").strip('"')
    # Services that speak like S3 may leave the sequencer out.
    version = record["s3"]["object"].get("sequencer") or _text(record, "eventTime")
    if not VERSION.fullmatch(etag) or not VERSION.fullmatch(str(version)):
        raise Malformed("a version that is none")
    return Arrival(bucket=bucket, key=key, size=size, etag=etag, version=str(version))


def newer(version: str, than: str) -> bool:
    """Whether of the same key this version came later. S3's sequencers are compared padded to one length."""
    length = max(len(version), len(than))
    return version.ljust(length, "0") > than.ljust(length, "0")


def _key(quoted: str) -> str:
    try:
        # Spaces come as plus signs.
        key = unquote_plus(quoted, errors="strict")
        size = len(key.encode())
    except UnicodeError:
        raise Malformed("a key that is no UTF-8") from None
    if size > KEY_BYTES or "\0" in key:
        raise Malformed("a key that S3 would not take")
    return key


def _text(record: Any, *path: str) -> str:
    for name in path:
        if not isinstance(record, dict):
            raise Malformed(f"no {path[-1]}")
        record = record.get(name)
    if not isinstance(record, str) or not record:
        raise Malformed(f"no {path[-1]}")
    return record
