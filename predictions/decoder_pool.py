"""Runs `decoding` in processes of its own, so that a decoder's crash or hang costs one picture, not the site.

Both ends are here: `DecoderPool` for the web process, `serve` for the child (this module run with -m). They
talk through the child's standard input and output in frames: two lengths, a JSON header, bytes. Never pickle:
what a subverted child writes must not run in the parent.

A child has an address space of 2 GB where the platform can set that, sees none of the environment's secrets,
kills itself when a picture outlasts its time even if the parent is gone, and ends when the pipe from its
parent closes. This is no fancy: one wrong byte in a HEIC file's metadata makes pi-heif 1.4.0 crash.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import heapq
import itertools
import json
import logging
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import IO, Any, TypeVar

from predictions.decoding import Decoded, DecodeRejected

logger = logging.getLogger(__name__)
T = TypeVar("T")

CHILDREN = 2
PICTURE_SECONDS = 10.0
# How long a picture waits for a free child, and how long a child may take to start on a busy machine.
QUEUE_SECONDS = 20.0
START_SECONDS = 30.0
BULK_GIVES_WAY = 5.0
# A child is replaced after so many pictures, in case a codec leaks.
PICTURES_A_CHILD = 1000
ADDRESS_SPACE = 2 * 1024**3
MAX_FRAME = 32 * 1024 * 1024
DECODE = "predictions.decoding:decode"

FRAME = struct.Struct("!II")
ROOT = Path(__file__).resolve().parent.parent
# All that Python and its libraries may need from the environment; keys and passwords are not among it.
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")


class ChildLost(Exception):
    """The child ended, or said something that is no answer."""


class Slots:
    """So many at once; the others stand in line, and who leaves hands the place over to the first of them.

    A semaphore would let a request with 200 pictures take its place back before anybody who waits has woken up. Here
    a picture that came alone waits for no more than what is being read when it comes; one of many stands as if it
    had come BULK_GIVES_WAY seconds later, so that it is overtaken, but not for ever.
    """

    def __init__(self, places: int) -> None:
        self._lock = threading.Lock()
        self._free = places
        self._line: list[tuple[float, int, threading.Event]] = []
        self._tickets = itertools.count()

    def acquire(self, seconds: float, *, bulk: bool = False) -> bool:
        """Takes a place; False when none came free in time. Every place taken is to be released once."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            turn = time.monotonic() + (BULK_GIVES_WAY if bulk else 0)
            ticket = (turn, next(self._tickets), threading.Event())
            heapq.heappush(self._line, ticket)
        if ticket[2].wait(seconds):
            return True
        with self._lock:
            if ticket[2].is_set():
                # Handed over at the last moment.
                return True
            self._line.remove(ticket)
            heapq.heapify(self._line)
        return False

    def release(self) -> None:
        with self._lock:
            if self._line:
                heapq.heappop(self._line)[2].set()
            else:
                self._free += 1

    @property
    def waiting(self) -> int:
        return len(self._line)


class DecoderPool:
    """Up to `children` decoder processes, started when first needed, shared by the threads of one process."""

    def __init__(
        self,
        children: int = CHILDREN,
        seconds: float = PICTURE_SECONDS,
        queue_seconds: float = QUEUE_SECONDS,
    ) -> None:
        self.children = children
        self.seconds = seconds
        self.queue_seconds = queue_seconds
        self._reset()
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self.close)

    def decode(self, data: bytes, decode: str = DECODE, *, bulk: bool = False) -> Decoded:
        """What `decode` makes of the data in a child process; raises DecodeRejected and nothing else.

        ``bulk``: one of many pictures, which gives way to those that came alone.
        """
        if not self._slots.acquire(self.queue_seconds, bulk=bulk):
            raise DecodeRejected("decoder_busy")
        try:
            return self._decode(data, decode)
        finally:
            self._slots.release()

    def close(self) -> None:
        """Ends the idle children; the next picture starts a new one."""
        while child := self._take():
            self._end(child)

    def process_ids(self) -> list[int]:
        """The children of this moment."""
        return [child.process.pid for child in list(self._known)]

    def _decode(self, data: bytes, decode: str) -> Decoded:
        child = None
        usable = False
        try:
            child = self._take() or self._start()
            answer = child.decode(data, decode, self.seconds)
            usable = True
        except (ChildLost, OSError) as error:
            overtime = child is not None and child.overtime
            logger.warning("A picture lost its decoder (%s): %r", "overtime" if overtime else "crash", error)
            raise DecodeRejected("decoder_timeout" if overtime else "decoder_crashed") from error
        finally:
            if child and usable and not child.overtime and child.pictures < PICTURES_A_CHILD:
                with self._lock:
                    self._idle.append(child)
            elif child:
                self._end(child)
        if isinstance(answer, DecodeRejected):
            raise answer
        return answer

    def _start(self) -> _Child:
        child = _Child()
        with self._lock:
            self._known.add(child)
        return child

    def _take(self) -> _Child | None:
        """An idle child that still lives, the one used last: a second one rests unless it is needed."""
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None or child.process.poll() is None:
                return child
            self._end(child)

    def _end(self, child: _Child) -> None:
        with self._lock:
            self._known.discard(child)
        child.process.kill()
        child.process.wait()
        child.close_pipes()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._slots = Slots(self.children)
        self._idle: list[_Child] = []
        self._known: set[_Child] = set()

    def _forget(self) -> None:
        """After a fork: the children are the parent's, and only its closing of the pipes may end them."""
        for child in self._known:
            child.close_pipes()
        self._reset()


class _Child:
    """The parent's view of one decoder process; one thread at a time uses it."""

    def __init__(self) -> None:
        self.pictures = 0
        self.overtime = False
        self._ready = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "predictions.decoder_pool"],
            cwd=ROOT,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        for pipe in (self.process.stdin, self.process.stdout):
            _widen(pipe)

    def decode(self, data: bytes, decode: str, seconds: float) -> Decoded | DecodeRejected:
        if not self._ready:
            self._within(START_SECONDS, self._receive)
            self._ready = True
        self.pictures += 1
        header, body = self._within(seconds, lambda: self._ask({"decode": decode, "seconds": seconds}, data))
        try:
            if "code" in header:
                return DecodeRejected(str(header["code"]), str(header["kind"]))
            extension, *sizes = header["decoded"]
            if extension not in ("png", "jpg") or not body or min(sizes) < 1:
                raise ValueError("no sound answer")
            width, height, source_width, source_height = map(int, sizes)
            grey = bytes.fromhex(header["grey"])
            return Decoded(body, extension, width, height, source_width, source_height, grey)
        except (ValueError, TypeError, KeyError) as error:
            raise ChildLost("unreadable answer") from error

    def close_pipes(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()

    def _ask(self, header: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdin
        _send(self.process.stdin.fileno(), header, body)
        return self._receive()

    def _receive(self) -> tuple[dict[str, Any], bytes]:
        assert self.process.stdout
        frame = _receive(self.process.stdout.fileno())
        if frame is None:
            raise ChildLost("the process ended")
        return frame

    def _within(self, seconds: float, action: Callable[[], T]) -> T:
        """Kills the child at the limit, which ends the pipes and with them whatever waits for them."""
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            return action()
        finally:
            timer.cancel()
            timer.join()

    def _expire(self) -> None:
        self.overtime = True
        self.process.kill()


def _widen(pipe: IO[bytes] | None) -> None:
    """Gives a pipe a megabyte where Linux allows it, which spares a large picture most of its waiting."""
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)  # type: ignore[arg-type]


def _send(pipe: int, header: dict[str, Any], body: bytes) -> None:
    text = json.dumps(header).encode()
    for part in (FRAME.pack(len(text), len(body)) + text, body):
        view = memoryview(part)
        while view:
            view = view[os.write(pipe, view) :]


def _receive(pipe: int) -> tuple[dict[str, Any], bytes] | None:
    """The next frame, None at the end of the stream, ChildLost for anything that is no frame."""
    lengths = _read(pipe, FRAME.size)
    if not lengths:
        return None
    try:
        text, body = FRAME.unpack(lengths)
        if text + body > MAX_FRAME:
            raise ChildLost("a frame too long")
        header = json.loads(_read(pipe, text))
        data = _read(pipe, body)
    except (struct.error, ValueError) as error:
        raise ChildLost("no frame") from error
    if not isinstance(header, dict) or len(data) != body:
        raise ChildLost("half a frame")
    return header, data


def _read(pipe: int, length: int) -> bytes:
    parts = []
    while length and (part := os.read(pipe, min(length, 1 << 20))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def serve() -> None:
    """The child: one picture after another until the parent closes the pipe."""
    requests, replies = os.dup(0), os.dup(1)
    # What a library prints must not become part of an answer.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    # Ctrl-C and a group's SIGTERM are for the parent, which finishes its requests first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _prepare_codecs()
    _limit_resources()
    _send(replies, {"ready": True}, b"")
    while frame := _receive(requests):
        header, data = frame
        # The parent kills first; this is for the case that it no longer can.
        signal.setitimer(signal.ITIMER_REAL, header["seconds"] + 1)
        module, _, name = header["decode"].partition(":")
        answer: dict[str, Any]
        try:
            body, *extension_and_sizes, grey = getattr(import_module(module), name)(data)
            answer = {"decoded": extension_and_sizes, "grey": grey.hex()}
        except DecodeRejected as rejected:
            body, answer = b"", {"code": rejected.code, "kind": rejected.kind}
        signal.setitimer(signal.ITIMER_REAL, 0)
        _send(replies, answer, body)


def _prepare_codecs() -> None:
    """Loads before the limits what would otherwise be loaded with the first picture of its kind."""
    import pi_heif
    from PIL import AvifImagePlugin

    pi_heif.options.DECODE_THREADS = 2
    AvifImagePlugin.DEFAULT_MAX_THREADS = 2


def _limit_resources() -> None:
    import resource

    limits = (
        (resource.RLIMIT_AS, ADDRESS_SPACE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    )
    for kind, limit in limits:
        # macOS refuses some of these, a host may have set lower ones.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    serve()
