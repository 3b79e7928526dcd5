"""Decoders that misbehave, run in the decoder process by the tests of `predictions.images`."""

import os
import signal
import sys
import time

from predictions.decoding import Decoded


def crash(data: bytes) -> Decoded:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError("unreachable")


def hang(data: bytes) -> Decoded:
    while True:
        time.sleep(60)


def fail(data: bytes) -> Decoded:
    raise SystemExit("an error no decoder should let out")


def eat_memory(data: bytes) -> Decoded:
    hoard = bytearray(8 * 1024**3)
    return Decoded(bytes(hoard[:1]), "png", 1, 1, 1, 1)


def lie(data: bytes) -> Decoded:
    return Decoded(b"<script>", "html", 1, 1, 1, 1)


def chatter(data: bytes) -> Decoded:
    """Prints in the middle of the work, as some libraries do."""
    print("warning: something about your file")
    os.write(1, b"\0\0\0\0\0\0\0\0")
    return Decoded(data, "png", 1, 1, 1, 1)


def tell_surroundings(data: bytes) -> Decoded:
    """What the process can see: whether Django is loaded, and its environment."""
    seen = f"django={'django' in sys.modules} environment={' '.join(sorted(os.environ))}"
    return Decoded(seen.encode(), "png", 1, 1, 1, 1)


def wait_for_file(data: bytes) -> Decoded:
    """Marks its start beside the named file and ends when that file exists."""
    path = data.decode()
    os.close(os.open(f"{path}.{os.getpid()}", os.O_CREAT | os.O_WRONLY))
    while not os.path.exists(path):
        time.sleep(0.005)
    return Decoded(b"done", "png", 1, 1, 1, 1)
