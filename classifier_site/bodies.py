"""A WSGI layer that bounds request bodies, in size and in time, also those that do not say how long they are.

Django takes a body without Content-Length for an empty one. Here a chunked body is first read to a temporary
file, up to the limit of its address, and handed on with its length. A body above the limit is thrown away, within
bounds, so that the client has sent it all and reads the answer instead of a reset connection. Who stops sending
gives the thread back: gunicorn's threads would wait for ever.
"""

from __future__ import annotations

import contextlib
import io
import socket
import tempfile
from collections.abc import Callable, Iterable
from threading import Timer
from types import TracebackType
from typing import Any, Self

from django.conf import settings

TOO_LARGE = "convoscope.body_too_large"
TOO_SLOW = "convoscope.body_too_slow"
CHUNK = 64 * 1024
DISCARD_BYTES = 64 * 1024 * 1024  # beyond the limit
DISCARD_SECONDS = 20.0
IDLE_SECONDS = 60.0  # without a single byte
BODY_SECONDS = 600.0  # for all of it
IN_MEMORY = 2 * 1024 * 1024

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def body_limit(path: str) -> int:
    """How many bytes may be sent to this address."""
    limit: int = settings.BODY_LIMITS.get(path, settings.BODY_LIMIT)
    return limit


class Deadline:
    """Within it, a read from the client's socket fails after `idle` seconds of silence and ends after `total`."""

    def __init__(self, environ: dict[str, Any], total: float, idle: float = IDLE_SECONDS) -> None:
        self.socket: socket.socket | None = environ.get("gunicorn.socket")
        self.idle = idle
        self.passed = False
        self.timer = Timer(total, self._pass)
        self.timer.daemon = True
        self.before: float | None = None

    def __enter__(self) -> Self:
        if self.socket is not None:
            self.before = self.socket.gettimeout()
            self.socket.settimeout(self.idle)
            self.timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.timer.cancel()
        if self.socket is not None:
            with contextlib.suppress(OSError):  # the client may have gone
                self.socket.settimeout(self.before)

    def _pass(self) -> None:
        """Wakes the thread that reads: for it the client has ended, and an answer can still be written."""
        self.passed = True
        if self.socket is not None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RD)


class BoundedBodies:
    def __init__(self, application: Application, limit: int | None = None) -> None:
        self.application = application
        self.limit = limit

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        limit = body_limit(environ.get("PATH_INFO", "")) if self.limit is None else self.limit
        length = environ.get("CONTENT_LENGTH") or ""
        if length.isdecimal() and int(length):
            if int(length) <= limit:
                # Django reads it inside the application, and sees a client that stalls as one that went away.
                with Deadline(environ, BODY_SECONDS):
                    return self.application(environ, start_response)
            _discard(environ, limit + DISCARD_BYTES)
            _refuse(environ, TOO_LARGE)
        elif "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            _spool(environ, limit)
        return self.application(environ, start_response)


def _spool(environ: dict[str, Any], limit: int) -> None:
    source = environ["wsgi.input"]
    # Closed by whoever reads it: it lives as long as the request.
    spool = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    size = 0
    with Deadline(environ, BODY_SECONDS) as deadline:
        try:
            while size <= limit and (chunk := source.read(CHUNK)):
                size += len(chunk)
                spool.write(chunk)
        except (OSError, EOFError) as error:
            spool.close()
            if not (deadline.passed or isinstance(error, TimeoutError)):
                raise
            _refuse(environ, TOO_SLOW)
            return
    if deadline.passed or size > limit:
        spool.close()
        if not deadline.passed:
            _discard(environ, DISCARD_BYTES)
        _refuse(environ, TOO_SLOW if deadline.passed else TOO_LARGE)
        return
    spool.seek(0)
    environ["wsgi.input"] = spool
    environ["CONTENT_LENGTH"] = str(size)
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _refuse(environ: dict[str, Any], why: str) -> None:
    environ[why] = True
    environ["CONTENT_LENGTH"] = "0"
    environ["wsgi.input"] = io.BytesIO()
    environ.pop("HTTP_TRANSFER_ENCODING", None)


def _discard(environ: dict[str, Any], most: int) -> None:
    source = environ["wsgi.input"]
    with (
        Deadline(environ, DISCARD_SECONDS, DISCARD_SECONDS) as deadline,
        contextlib.suppress(OSError, EOFError),
    ):
        while most > 0 and not deadline.passed:
            chunk = source.read(min(CHUNK, most))
            if not chunk:
                return
            most -= len(chunk)
