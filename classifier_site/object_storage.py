"""Pictures and other files in a private bucket: django-storages' backend, made fit for a site that must not wait.

What is different, and why, is decision 32: one client for all threads; one request for a picture, in or out; nothing
is overwritten, by a condition instead of a look before; a role that may not list the whole bucket is enough; what is
wrong with the bucket is one kind of error, ``StorageAway``, with one line in the log.
"""

from __future__ import annotations

import io
import os
import posixpath
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any

from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError
from django.core.files import File
from storages.backends.s3 import S3Storage
from storages.utils import ReadBytesWrapper, clean_name, get_available_overwrite_name
from urllib3.exceptions import HTTPError

from classifier_site.storage_troubles import BucketAway, Guard, Teller, Trouble, elsewhere, trouble_of

MB = 1024 * 1024
# What is not larger goes in one request and is held in memory: every picture, most figures.
WHOLE = 8 * MB
PIECE = 16 * 1024
# A small file that is not there after this long is given up, however steadily it drips.
READ_SECONDS = 10.0
NAMES = 5
# How long /readyz remembers that the bucket took nothing.
REMEMBERED = 60.0
MISSING = ("NoSuchKey",)
REFUSED = ("403", "AccessDenied", "Forbidden")
# With these S3 answers whoever looks for a bucket in the wrong region.
ELSEWHERE = (301, 307, 400)
TAKEN = ("412", "PreconditionFailed", "409", "ConditionalRequestConflict")

_storages: weakref.WeakSet[PrivateBucketStorage] = weakref.WeakSet()


class PrivateBucketStorage(S3Storage):
    """Raises FileNotFoundError for what is not there and StorageAway when the bucket does not do as it is asked."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._teller = Teller()
        self._begin()
        _storages.add(self)

    def _begin(self) -> None:
        self._making = threading.Lock()
        self._resource: Any = None
        self._bucket = None
        self._guard = Guard()
        self._trouble: tuple[float, Trouble] | None = None

    # --- the connection --------------------------------------------------------------------------------

    @property
    def connection(self) -> Any:
        """One for all threads: making it takes a tenth of a second, asks for credentials and opens connections.

        Threads share its client, which is made for that.
        """
        with self._making:
            if self._resource is None:
                made = self._create_session().resource(
                    "s3",
                    region_name=self.region_name,
                    endpoint_url=self.endpoint_url,
                    use_ssl=self.use_ssl,
                    verify=self.verify,
                    config=self.client_config,
                )
                events = made.meta.client.meta.events
                events.register_first("before-send.s3", self._guard.before)
                events.register_first("response-received.s3", self._look)
                self._resource = made
            return self._resource

    @property
    def _client(self) -> Any:
        return self.connection.meta.client

    def _look(self, response_dict: Any, exception: Any, **details: Any) -> None:
        """At the outcome of every attempt. Where the bucket is elsewhere, botocore would go there by itself, three
        requests for one; signed links would not, nor would a network with a way to one region only.
        """
        if isinstance(exception, BucketAway):
            return
        status = response_dict["status_code"] if response_dict else None
        if status is None or status >= 500:
            self._guard.failed()
            return
        self._guard.worked()
        region = response_dict["headers"].get("x-amz-bucket-region")
        # Without a region of ours, on a laptop, botocore may follow.
        if status in ELSEWHERE and region and self.region_name and region != self.region_name:
            raise BucketAway(elsewhere(region, self.region_name))

    @contextmanager
    def _asking(self, *, writes: bool = False) -> Iterator[None]:
        """Gives every trouble with the bucket its one form."""
        try:
            yield
        except BucketAway as error:
            self._note(error.trouble, writes)
            raise
        except (BotoCoreError, ClientError, HTTPError) as error:
            trouble = trouble_of(error)
            self._note(trouble, writes)
            raise BucketAway(trouble) from error
        else:
            if writes:
                self._trouble = None

    def _note(self, trouble: Trouble, writes: bool) -> None:
        if writes:
            self._trouble = (time.monotonic(), trouble)
        if trouble != Guard.AWAY:
            self._teller.say(self.bucket_name, trouble)

    @property
    def is_away(self) -> bool:
        """Whether it did not answer, or took nothing, a moment ago."""
        return self._guard.closed or self._recent(Guard.PAUSE) is not None

    def _recent(self, seconds: float) -> Trouble | None:
        """Why it took nothing, if that is not longer ago. Other threads write what is read here, so it is read once."""
        noted = self._trouble
        return noted[1] if noted is not None and time.monotonic() - noted[0] < seconds else None

    def probe(self, folder: str) -> None:
        """Raises StorageAway with a reason when files could be neither stored nor read now.

        Asks for the beginning of a list, the one answer that tells a missing bucket from a missing object.
        """
        with self._asking():
            self._client.list_objects_v2(Bucket=self.bucket_name, Prefix=f"{folder}/", MaxKeys=1)
        trouble = self._recent(REMEMBERED)
        if trouble is not None:
            raise BucketAway(trouble)

    # --- files -----------------------------------------------------------------------------------------

    def _open(self, name: str, mode: str = "rb") -> StoredFile:
        if mode != "rb":
            raise ValueError("A file in a bucket is written whole, by save(), and read as bytes.")
        return StoredFile(self, clean_name(name))

    def fetch(self, name: str) -> tuple[Any, int]:
        """The body of an object, on its way, and its length."""
        key = self._normalize_name(clean_name(name))
        with self._asking():
            try:
                found = self._client.get_object(Bucket=self.bucket_name, Key=key)
            except ClientError as error:
                # Who may not list the whole bucket is told 403 of what is not there, too.
                if _code(error) in MISSING or (_code(error) in REFUSED and not self.exists(name)):
                    raise FileNotFoundError(name) from None
                raise
        return found["Body"], found["ContentLength"]

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: whether it is free is found out by writing."""
        return str(get_available_overwrite_name(clean_name(name), max_length))

    def _save(self, name: str, content: Any) -> str:
        name = clean_name(name)
        content.seek(0)
        if content.size > WHOLE:
            return self._save_in_parts(name, content)
        data = ReadBytesWrapper(content).read()
        with self._asking(writes=True):
            for _try in range(NAMES):
                try:
                    self._client.put_object(
                        Bucket=self.bucket_name,
                        Key=self._normalize_name(name),
                        Body=data,
                        IfNoneMatch="*",
                        **self._get_write_parameters(name, content),
                    )
                except ClientError as error:
                    # By somebody else, or by an attempt of this very call whose answer was lost.
                    if _code(error) not in TAKEN:
                        raise
                    name = self._another(name)
                else:
                    return name
        raise FileExistsError(f"{NAMES} names like {name} are taken")

    def _save_in_parts(self, name: str, content: Any) -> str:
        """Archives: a part at a time is in memory. One that fails leaves no part behind that could be completed."""
        while self.exists(name):
            name = self._another(name)
        with self._asking(writes=True):
            self._client.upload_fileobj(
                _Unclosed(content),
                self.bucket_name,
                self._normalize_name(name),
                ExtraArgs=self._get_write_parameters(name, content),
                Config=self.transfer_config,
            )
        return name

    def _another(self, name: str) -> str:
        root, ending = posixpath.splitext(name)
        return str(self.get_alternative_name(root, ending))

    def delete(self, name: str) -> None:
        with self._asking():
            self._client.delete_object(Bucket=self.bucket_name, Key=self._normalize_name(clean_name(name)))

    def exists(self, name: str) -> bool:
        """By a list: an answer about one object does not tell that it is missing from that the bucket is."""
        key = self._normalize_name(clean_name(name))
        with self._asking():
            found = self._client.list_objects_v2(Bucket=self.bucket_name, Prefix=key, MaxKeys=1)
        return any(one["Key"] == key for one in found.get("Contents", ()))

    def listing(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """Name and time of every file directly in a folder, a thousand a request."""
        for page in self._pages(folder):
            for one in page.get("Contents", ()):
                yield one["Key"], one["LastModified"]

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        folders: list[str] = []
        files: list[str] = []
        for page in self._pages(name):
            folders += [
                one["Prefix"].rstrip("/").rpartition("/")[2] for one in page.get("CommonPrefixes", ())
            ]
            files += [one["Key"].rpartition("/")[2] for one in page.get("Contents", ())]
        return folders, files

    def _pages(self, name: str) -> Iterator[Any]:
        folder = self._normalize_name(clean_name(name))
        if not folder:
            raise ValueError("A bucket is listed folder by folder; its role may not list all of it.")
        with self._asking():
            pages = self._client.get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self.bucket_name, Prefix=f"{folder}/", Delimiter="/")

    def size(self, name: str) -> int:
        return int(self._head(name)["ContentLength"])

    def get_modified_time(self, name: str) -> datetime:
        written: datetime = self._head(name)["LastModified"]
        return written

    def _head(self, name: str) -> Any:
        with self._asking():
            if not self.exists(name):
                raise FileNotFoundError(name)
            return self._client.head_object(
                Bucket=self.bucket_name, Key=self._normalize_name(clean_name(name))
            )

    def url(
        self, name: str, parameters: Any = None, expire: int | None = None, http_method: str | None = None
    ) -> str:
        """A signed link, good for as long as the settings say or for less."""
        seconds = min(expire or self.querystring_expire, self.querystring_expire)
        with self._asking():
            return str(super().url(name, parameters, seconds, http_method))


class StoredFile(File):
    """An object that was opened. What is large stays in the bucket until it is read, piece by piece or anyhow."""

    def __init__(self, storage: PrivateBucketStorage, name: str) -> None:
        super().__init__(None, name)
        self._storage = storage
        self._fetch()

    def _fetch(self) -> None:
        self._closed = False
        self._body, self._length = self._storage.fetch(str(self.name))
        self._file: IO[bytes] | None = io.BytesIO(self._whole()) if self._length <= WHOLE else None

    @property
    def file(self) -> IO[bytes]:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115
            for piece in self._drawn(WHOLE // 8):
                self._file.write(piece)
            self._file.seek(0)
        return self._file

    @file.setter
    def file(self, value: IO[bytes] | None) -> None:
        self._file = value

    def _whole(self) -> bytes:
        end = time.monotonic() + READ_SECONDS
        read = bytearray()
        for piece in self._drawn(PIECE):
            read += piece
            if time.monotonic() > end:
                with self._storage._asking():
                    raise ReadTimeoutError(endpoint_url=self._storage.bucket_name)
        return bytes(read)

    def _drawn(self, size: int) -> Iterator[bytes]:
        try:
            # What follows may be told to a reader and belongs to no attempt any more: the guard hears of it here.
            with self._storage._asking():
                try:
                    yield from iter(lambda: self._body.read(size), b"")
                except (BotoCoreError, HTTPError):
                    self._storage._guard.failed()
                    raise
        finally:
            self._body.close()

    def pieces(self, size: int) -> Iterator[bytes]:
        """Everything, in pieces that need be kept nowhere. Once only, and instead of reading."""
        if self._file is None:
            yield from self._drawn(size)
        else:
            yield from iter(lambda: self.file.read(size), b"")

    @property
    def size(self) -> int:
        return int(self._length)

    @property
    def closed(self) -> bool:
        return self._closed

    def open(self, mode: str | None = None, *args: Any, **kwargs: Any) -> StoredFile:
        if self._closed:
            self._fetch()
        else:
            self.file.seek(0)
        return self

    def close(self) -> None:
        self._closed = True
        self._body.close()
        if self._file is not None:
            self._file.close()


class _Unclosed:
    """s3transfer closes what it has uploaded, which is its owner's affair."""

    def __init__(self, content: Any) -> None:
        self.read = ReadBytesWrapper(content).read
        self.seek, self.tell = content.seek, content.tell

    def seekable(self) -> bool:
        return True


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _after_fork() -> None:
    """Two processes must not speak on one connection, nor wait for a lock that nobody holds any more."""
    for storage in list(_storages):
        storage._begin()


os.register_at_fork(after_in_child=_after_fork)
