"""A WSGI layer that bounds request bodies, also those that do not say how long they are.

Django takes a body without Content-Length for an empty one. Here a chunked body is first read to a temporary
file, up to the limit, and handed on with its length. A body above the limit is thrown away, within bounds, so
that the client has sent it all and reads the answer instead of a reset connection.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

TOO_LARGE = "convoscope.body_too_large"
CHUNK = 64 * 1024
DISCARD_BYTES = 64 * 1024 * 1024  # beyond the limit
DISCARD_SECONDS = 20.0
IN_MEMORY = 2 * 1024 * 1024

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class BoundedBodies:
    def __init__(self, application: Application, limit: int | None = None) -> None:
        self.application = application
        self.limit = settings.BODY_LIMIT if limit is None else limit

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isdecimal():
            if int(length) > self.limit:
                _discard(environ["wsgi.input"], self.limit + DISCARD_BYTES)
                _refuse(environ)
        elif "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            self._spool(environ)
        return self.application(environ, start_response)

    def _spool(self, environ: dict[str, Any]) -> None:
        source = environ["wsgi.input"]
        # Closed by whoever reads it: it lives as long as the request.
        spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        size = 0
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > self.limit:
                spool.close()
                _discard(source, DISCARD_BYTES)
                _refuse(environ)
                return
            spool.write(chunk)
        spool.seek(0)
        environ["wsgi.input"] = spool
        environ["CONTENT_LENGTH"] = str(size)
        environ.pop("HTTP_TRANSFER_ENCODING", None)


def _refuse(environ: dict[str, Any]) -> None:
    environ[TOO_LARGE] = True
    environ["CONTENT_LENGTH"] = "0"
    environ["wsgi.input"] = io.BytesIO()


def _discard(source: Any, most: int) -> None:
    end = time.monotonic() + DISCARD_SECONDS
    while most > 0 and time.monotonic() < end:
        chunk = source.read(min(CHUNK, most))
        if not chunk:
            return
        most -= len(chunk)
