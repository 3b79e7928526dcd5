"""From messages to rows: what the inbox's queue says becomes a row, once, and only then is the message deleted."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.conf import settings

from ml import artifact
from predictions import inbox_bucket
from predictions.inbox_events import Arrival, Malformed, read
from predictions.inbox_rows import InboxObject
from predictions.models import Job

logger = logging.getLogger(__name__)

# Rows without a result. Beyond it messages stay in their queue. Both networks on each are what an account may ask.
IN_FLIGHT = 1000
RECEIVED = 100


def receive(seconds: int) -> int:
    """Makes rows of messages while there is room; returns how many messages. Raises Away."""
    room = min(RECEIVED, IN_FLIGHT - InboxObject.objects.unwritten().count())
    count = 0
    while count < room:
        messages = inbox_bucket.receive(room - count, 0 if count else seconds)
        if not messages:
            break
        note(messages)
        count += len(messages)
    return count


def note(messages: Sequence[dict[str, str]]) -> None:
    """A row for every version of an object that has none, and then the messages are deleted. Raises Away.

    A message that cannot be read is left to come again, until the queue moves it to its dead-letter queue.
    """
    arrivals: list[Arrival] = []
    read_ones: list[dict[str, str]] = []
    for message in messages:
        try:
            arrivals += read(message["Body"], settings.AWS_STORAGE_BUCKET_NAME, _foreign)
        except Malformed as error:
            logger.warning("A message of the inbox's queue is none of S3's and stays there: %s.", error)
        else:
            read_ones.append(message)
    offered = {card.name for card in artifact.cards()}
    rows = [
        InboxObject(
            identity=arrival.identity,
            key=arrival.key,
            etag=arrival.etag,
            version=arrival.version,
            size=arrival.size,
            networks=networks_of(arrival.folder, offered),
            priority=Job.Priority.BULK,
        )
        for arrival in arrivals
    ]
    InboxObject.objects.bulk_create(rows, ignore_conflicts=True)
    inbox_bucket.delete(read_ones)


def _foreign(what: str) -> None:
    logger.info("The inbox's queue told of %s, which is left alone.", what)


def networks_of(folder: str, offered: set[str]) -> str:
    """The networks that a folder names; empty, which means all, for any other folder."""
    names = list(dict.fromkeys(folder.split("+")))
    return "+".join(names) if set(names) <= offered else ""
