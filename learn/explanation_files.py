"""The files of explanations in the storage: under random names, gone with their rows."""

from __future__ import annotations

import secrets
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache
from typing import IO, Any

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver
from numpy.typing import NDArray

from accounts import stored_files
from learn.models import Explanation
from ml.explain import archive

FOLDER = "laboratory"
MAX_BYTES = archive.LIMIT
# Of an .npy file, before its values.
NPY_HEADER = 128
# Larger ones are put together on disk.
IN_MEMORY = 16 * 1024**2
# What no row names by then was left by a process that was killed.
STRAY = timedelta(days=1)


class TooLargeError(Exception):
    """One explanation may not fill the storage."""


def write(members: Mapping[str, bytes | NDArray[Any]]) -> tuple[str, int]:
    """Stores the members in one file; returns its name and its size. Raises TooLargeError."""
    total = sum(len(one) if isinstance(one, bytes) else one.nbytes + NPY_HEADER for one in members.values())
    if total > MAX_BYTES:
        raise TooLargeError(f"its file would have {total} bytes")
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as made:
        archive.write(made, dict(members))
        size = made.seek(0, 2)
        made.seek(0)
        name = secrets.token_hex(16)
        return default_storage.save(f"{FOLDER}/{name[:2]}/{name}.zip", File(made)), size


def read(file: str, member: str) -> bytes:
    """One member of a file. Raises FileNotFoundError where the file or the member is gone, or damaged."""
    if not file:
        raise FileNotFoundError(member)
    with default_storage.open(file, "rb") as opened:
        try:
            return archive.read(opened, member)
        except (KeyError, ValueError):
            raise FileNotFoundError(member) from None


@lru_cache(maxsize=512)
def sizes(file: str) -> dict[str, int]:
    """How many bytes each member of a file has; a file never changes. Raises FileNotFoundError as ``read`` does."""
    with default_storage.open(file, "rb") as opened:
        try:
            return archive.sizes(opened)
        except ValueError:
            raise FileNotFoundError(file) from None


def open_file(explanation: Explanation) -> IO[bytes]:
    """The whole file, to be closed by the caller. Raises FileNotFoundError."""
    if not explanation.file:
        raise FileNotFoundError(str(explanation.pk))
    opened: IO[bytes] = default_storage.open(explanation.file.name or "", "rb")
    return opened


def is_there(explanation: Explanation) -> bool:
    """Whether the storage still has its file; also where there is none to have."""
    return not explanation.file or default_storage.exists(explanation.file.name or "")


def delete(names: Iterable[str]) -> int:
    """Removes files that no row names; one that the storage does not give up now is swept later. Returns how many."""
    return len(stored_files.remove(names))


@receiver(post_delete, sender=Explanation, dispatch_uid="learn.explanation_files")
def forget(sender: Any, instance: Explanation, using: str, **details: Any) -> None:
    """However a row goes (with its picture, its owner, because of its age), its file goes after the transaction."""
    if instance.file:
        name = instance.file.name or ""
        transaction.on_commit(lambda: delete([name]), using=using, robust=True)


def sweep(folder: str | None = None) -> int:
    """Removes files older than a day that no row names, in one of the 256 folders. A timer calls it every minute."""
    folder = folder or f"{FOLDER}/{int(time.time() // 60) % 256:02x}"
    old = stored_files.older(folder, STRAY)
    known = set(Explanation.objects.filter(file__startswith=f"{folder}/").values_list("file", flat=True))
    return len(stored_files.remove((name for name in old if name not in known), stored_files.SECONDS))
