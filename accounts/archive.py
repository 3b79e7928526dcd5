"""The archive itself: a zip of everything, written piece by piece, so that it may be larger than the memory."""

from __future__ import annotations

import errno
import json
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import FileSystemStorage, default_storage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts import registry
from accounts.exports import FOLDER, STRAY

if TYPE_CHECKING:
    from accounts.exports import Lease
    from accounts.models import User

CHUNK = 256 * 1024
# So much of the disk is left to the rest of the site.
RESERVE = 512 * 1024 * 1024
# These are compressed already: trying it again would cost time and save nothing.
STORED = (".jpg", ".jpeg", ".png", ".webp")
UNFINISHED = ".part"


class Whole(File):
    """A finished archive on its way into the storage, which shows that it gets on.

    A storage on this disk moves it (``temporary_file_path``) instead of copying it.
    """

    def __init__(self, file: IO[bytes], path: Path, lease: Lease, *, moves: bool) -> None:
        super().__init__(file, path.name)
        self._source = file
        self._lease = lease
        self._thread = threading.get_ident()
        if moves:
            self.temporary_file_path = lambda: str(path)

    def read(self, size: int = -1) -> bytes:
        if threading.get_ident() == self._thread:
            self._lease.keep()
        else:
            self._lease.keep_elsewhere()
        return self._source.read(size)


@contextmanager
def written(user: User, lease: Lease) -> Iterator[Whole]:
    """Everything about ``user`` as a zip, gone after the block unless a storage took it."""
    local = isinstance(default_storage, FileSystemStorage)
    folder = Path(default_storage.path(FOLDER)) if local else Path(settings.DATA_DIR) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(folder)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=UNFINISHED, delete=False) as file:
        path = Path(file.name)
        try:
            _fill(file, user, lease, folder)
            file.flush()
            file.seek(0)
            yield Whole(file, path, lease, moves=local)
        finally:
            path.unlink(missing_ok=True)


def _remove_unfinished(folder: Path) -> None:
    """What processes of this host left behind that were killed."""
    oldest = time.time() - STRAY.total_seconds()
    for path in folder.glob(f"*{UNFINISHED}"):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except FileNotFoundError:
            continue


def _fill(file: IO[bytes], user: User, lease: Lease, folder: Path) -> None:
    missing: list[str] = []
    with zipfile.ZipFile(file, "w") as archive:
        # A worker makes it, who knows no browser.
        with (
            _entry(archive, "README.txt") as target,
            translation.override(user.language or settings.LANGUAGE_CODE),
        ):
            target.write(readme().encode())
        for files in registry.file_exporters().values():
            for name, opener in files(user):
                _go_on(lease, folder)
                if not _add(archive, name, opener):
                    missing.append(name)
        with _entry(archive, "data.json") as target:
            everything = {
                "site": "Convoscope",
                "made": timezone.now().isoformat(),
                **{name: export(user) for name, export in registry.exporters().items()},
                "missing_files": missing,
            }
            for piece in as_json(everything):
                target.write(piece.encode())
                lease.keep()


def _go_on(lease: Lease, folder: Path) -> None:
    lease.keep()
    if shutil.disk_usage(folder).free < RESERVE:
        raise OSError(errno.ENOSPC, "The disk is almost full")


def _add(archive: zipfile.ZipFile, name: str, opener: registry.Opener) -> bool:
    """False for a file that is not there."""
    try:
        source = opener()
    except FileNotFoundError:
        return False
    with source, _entry(archive, name) as target:
        shutil.copyfileobj(source, target, CHUNK)
    return True


def _entry(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    entry = zipfile.ZipInfo(name, timezone.now().timetuple()[:6])
    entry.external_attr = 0o644 << 16
    stored = name.lower().endswith(STORED)
    entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    return archive.open(entry, "w", force_zip64=not stored)


def as_json(value: Any) -> Iterator[str]:
    """The text of ``value`` in pieces. Iterators in it become lists, a line an item."""
    if isinstance(value, Mapping):
        yield "{"
        for number, (key, inner) in enumerate(value.items()):
            yield f"{',' if number else ''}\n{json.dumps(key, ensure_ascii=False)}: "
            yield from as_json(inner)
        yield "\n}"
    elif isinstance(value, Iterator):
        yield "["
        for number, item in enumerate(value):
            yield f"{',' if number else ''}\n{json.dumps(item, ensure_ascii=False)}"
        yield "\n]"
    else:
        yield json.dumps(value, ensure_ascii=False)


def readme() -> str:
    """What lies in the archive, for the person who opens it."""
    return _(
        "Everything that Convoscope holds about you.\n"
        "\n"
        "data.json\n"
        "    account: your e-mail addresses, your time zone and language, the names of your API tokens (not the\n"
        "    tokens themselves, which nobody can read), where you are logged in, and what moderators did.\n"
        "    predictions: your pictures, every answer of the networks with your bars, boxes, stars and notes,\n"
        "    what you sent together, the links you shared and what you reported.\n"
        "    missing_files: pictures that should be in this archive but could not be found. Mostly empty.\n"
        "\n"
        "pictures/\n"
        "    Your pictures as the site keeps them: turned upright, made smaller, and without the data that a\n"
        "    camera adds, such as the place. The name of each is its id in data.json, where its own name stands\n"
        "    as well. A picture that moderators have hidden is named there and is not in this folder; nor is one\n"
        "    that the site has removed because of its age. A picture that you sent while the archive was being\n"
        "    made may be missing.\n"
    )
