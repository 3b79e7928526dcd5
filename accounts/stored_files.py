"""Files in the storage whose rows are gone, on a disk or in a bucket. Rows go first, so nobody sees such a file."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

logger = logging.getLogger(__name__)

# Timers run between heartbeats, so a sweep stops after this long and goes on at its next turn.
SECONDS = 3.0


class StorageAway(OSError):
    """The storage does not do what it is asked, for a reason that lies with it: nothing is known about the file."""


def is_away() -> bool:
    """Whether the storage was found to be away a moment ago, so that what needs it can be left for later."""
    return bool(getattr(default_storage, "is_away", False))


def remove(names: Iterable[str], seconds: float = float("inf")) -> list[str]:
    """Removes files that no row names, for at most ``seconds``; returns those that are gone.

    One that the storage does not give up is swept later. A storage that is away is asked once, not once for each file:
    each time might take as long as the storage may be waited for.
    """
    end = time.monotonic() + seconds
    waiting = [name for name in names if name]
    gone: list[str] = []
    for place, name in enumerate(waiting):
        if time.monotonic() >= end:
            break
        try:
            default_storage.delete(name)
        except StorageAway:
            logger.warning("%d files could not be removed yet: the storage is away.", len(waiting) - place)
            break
        except Exception as error:
            logger.warning("The file %s could not be removed yet (%s).", name, type(error).__name__)
        else:
            gone.append(name)
    return gone


def older(folder: str, age: timedelta) -> list[str]:
    """The files of a folder that were written longer ago than ``age``; none while the storage is away."""
    oldest = timezone.now() - age
    try:
        return [name for name, written in _listed(folder) if written < oldest]
    except StorageAway:
        return []


def _listed(folder: str) -> Iterator[tuple[str, datetime]]:
    listing = getattr(default_storage, "listing", None)
    if listing is not None:
        # A bucket says when it got each object where it lists them; asking would be a request for each.
        yield from listing(folder)
        return
    try:
        names = default_storage.listdir(folder)[1]
    except FileNotFoundError:
        return
    for name in names:
        path = f"{folder}/{name}"
        try:
            yield path, default_storage.get_modified_time(path)
        except FileNotFoundError:
            continue  # It has just been removed by somebody else.
