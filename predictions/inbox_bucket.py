"""The bucket's inbox and outbox, and the queue that tells of what arrives: every request to S3 and SQS for them.

S3 is asked as the storage asks it, with its endpoint, credentials and limits of time. The queue is asked at the address
that its own URL names.
"""

from __future__ import annotations

import re
import time
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import default_storage

from accounts.stored_files import StorageAway
from predictions.decoding import MAX_BYTES
from predictions.inbox_events import newer

REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
# What a message that was received has until it comes again, unless its row was committed and it was deleted.
VISIBILITY = 60
LARGEST_RECEIVE = 10
TRIES = 3
READ_SECONDS = 10.0
PIECE = 64 * 1024


# What S3 refuses for reasons that are no fault of the one object. Every other refusal is about the object.
NO_FAULT = {
    "AccountProblem",
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "NoSuchBucket",
    "PermanentRedirect",
    "RequestTimeTooSkewed",
    "RequestTimeout",
    "SignatureDoesNotMatch",
    "SlowDown",
    "Throttling",
    "TokenRefreshRequired",
    "TooManyRequests",
}


class Away(Exception):
    """S3 or SQS does not answer, or not now. Trying again later may help."""


class Unreadable(Exception):
    """There is no such object, or the site may not read it, which S3 tells apart only for those who may list."""


class Replaced(Exception):
    """The object is another version by now, which has an event of its own."""


class TooLarge(Exception):
    """The object is larger than a picture may be. None of it was read."""


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _of_the_object(error: ClientError) -> bool:
    return 400 <= _status(error) < 500 and _code(error) not in NO_FAULT


def away(error: Exception) -> Away:
    """In words that hold no address and no key."""
    if isinstance(error, StorageAway):
        return Away(str(error))
    return Away(_code(error) if isinstance(error, ClientError) else type(error).__name__)


# --- objects -----------------------------------------------------------------------------------------------


def s3() -> Any:
    """The storage's client, which several threads may use at once."""
    return default_storage.connection.meta.client  # type: ignore[attr-defined]


def read(client: Any, key: str, etag: str) -> bytes:
    """The bytes of this very version. Raises Unreadable, Replaced, TooLarge and Away."""
    try:
        answer = client.get_object(Bucket=settings.AWS_STORAGE_BUCKET_NAME, Key=key, IfMatch=f'"{etag}"')
        body = answer["Body"]
        try:
            if answer["ContentLength"] > MAX_BYTES:
                raise TooLarge
            return _whole(body)
        finally:
            body.close()
    except ClientError as error:
        if _status(error) == 412:
            raise Replaced from error
        if _of_the_object(error):
            raise Unreadable from error
        raise away(error) from error
    except (BotoCoreError, StorageAway, OSError) as error:
        raise away(error) from error


def _whole(body: Any) -> bytes:
    """All of it, unless it only drips: a picture takes less than a second."""
    end = time.monotonic() + READ_SECONDS
    data = bytearray()
    for piece in body.iter_chunks(PIECE):
        data += piece
        if time.monotonic() > end:
            raise Away("slow")
    return bytes(data)


def write(client: Any, key: str, body: bytes, version: str, *, replace: bool) -> bool:
    """Writes a result unless that of the same or a newer version is there. False for an object of somebody else's.

    ``replace``: whether that of an older version gives way. Raises Away.
    """
    put = {
        **default_storage.get_object_parameters(key),  # type: ignore[attr-defined]
        "Bucket": settings.AWS_STORAGE_BUCKET_NAME,
        "Key": key,
        "Body": body,
        "ContentType": "application/json; charset=utf-8",
        "Metadata": {"version": version},
    }
    condition = {"IfNoneMatch": "*"}
    try:
        for _try in range(TRIES):
            try:
                client.put_object(**put, **condition)
                return True
            except ClientError as error:
                if _status(error) != 412:
                    raise
            there = client.head_object(Bucket=put["Bucket"], Key=key)
            known = there["Metadata"].get("version")
            if known is None:
                return False
            if not replace or not newer(version, known):
                return True
            condition = {"IfMatch": there["ETag"]}
    except (ClientError, BotoCoreError, StorageAway, OSError) as error:
        raise away(error) from error
    raise Away("ConditionalRequestConflict")


def remove(client: Any, key: str, etag: str) -> None:
    """Removes this version from the inbox; one that was put there since stays, and what the site may not remove.

    Raises Away.
    """
    try:
        client.delete_object(Bucket=settings.AWS_STORAGE_BUCKET_NAME, Key=key, IfMatch=f'"{etag}"')
    except ClientError as error:
        if not _of_the_object(error):
            raise away(error) from error
    except (BotoCoreError, StorageAway, OSError) as error:
        raise away(error) from error


# --- messages ----------------------------------------------------------------------------------------------


@cache
def _sqs(queue: str) -> Any:
    import boto3
    from botocore.config import Config

    parts = urlsplit(queue)
    found = REGION.search(parts.hostname or "")
    return boto3.session.Session().client(
        "sqs",
        endpoint_url=f"{parts.scheme}://{parts.netloc}",
        region_name=found.group() if found else settings.AWS_SQS_REGION_NAME,
        config=Config(
            connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"}
        ),
    )


def receive(most: int, seconds: int) -> list[dict[str, str]]:
    """Up to ``most`` messages and no more than ten, waited for at most so long. Raises Away."""
    queue = settings.INBOX_QUEUE_URL
    try:
        answer = _sqs(queue).receive_message(
            QueueUrl=queue,
            MaxNumberOfMessages=min(most, LARGEST_RECEIVE),
            WaitTimeSeconds=seconds,
            VisibilityTimeout=VISIBILITY,
        )
    except (ClientError, BotoCoreError, OSError) as error:
        raise away(error) from error
    messages: list[dict[str, str]] = answer.get("Messages", [])
    return messages


def delete(messages: list[dict[str, str]]) -> None:
    """What is not deleted comes again, and finds its row. Raises Away."""
    if not messages:
        return
    queue = settings.INBOX_QUEUE_URL
    entries = [
        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
        for number, message in enumerate(messages)
    ]
    try:
        _sqs(queue).delete_message_batch(QueueUrl=queue, Entries=entries)
    except (ClientError, BotoCoreError, OSError) as error:
        raise away(error) from error
