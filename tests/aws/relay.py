"""A way to moto's SQS that can be closed or fall silent, and notes which actions are asked for."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

ACTION = re.compile(rb"x-amz-target: *AmazonSQS\.(\w+)", re.IGNORECASE)


class Relay:
    """``url`` is what AWS_ENDPOINT_URL_SQS is set to."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self._links: list[socket.socket] = []
        self._silent = threading.Event()
        self.actions: set[str] = set()
        self._server = self._listen(0)
        self._port = self._server.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def _listen(self, port: int) -> socket.socket:
        server = socket.create_server(("127.0.0.1", port), backlog=64)
        threading.Thread(target=self._accept, args=(server,), daemon=True).start()
        return server

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                near, _address = server.accept()
            except OSError:
                return
            self._links.append(near)
            if self._silent.is_set():
                continue  # it is let in, and nothing is ever said
            far = socket.create_connection(self._target)
            self._links.append(far)
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                if self._silent.is_set():
                    return
                self.actions |= {name.decode() for name in ACTION.findall(data)}
                other.sendall(data)
        for link in (one, other):
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def hush(self) -> None:
        """A black hole: connections open, and nothing is answered, on those that are open neither."""
        self._silent.set()

    def close(self) -> None:
        """Nobody is let in, and whoever is inside is thrown out."""
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._drop()

    def open(self) -> None:
        """As at the start, after ``close`` or ``hush``."""
        if self._silent.is_set():
            self._silent.clear()
            self._drop()
        else:
            self._server = self._listen(self._port)

    def _drop(self) -> None:
        links, self._links = self._links, []
        for link in links:
            with suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)
            link.close()


@contextmanager
def running_relay(target: str) -> Iterator[Relay]:
    relay = Relay(target)
    try:
        yield relay
    finally:
        relay.close()
