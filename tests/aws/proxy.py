"""S3 as strict and as unreliable as the real one: a loopback server that checks each request and hands it on to moto.

It refuses what `tests.aws.signatures` refuses and, without the permission to list, says 403 of a missing object, as
AWS does. It can answer badly, late or not at all, counts what it is asked, and never looks at the real clock but
through ``ahead``.
"""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from tests.aws.server import CREDENTIALS, REGION
from tests.aws.signatures import Key, Refused, Request, Verifier, check_bucket_rules, denied

logger = logging.getLogger(__name__)

Kind = Literal["error", "reset", "hang", "hang within", "lost", "cut", "trickle"]
NOT_HANDED_ON = (
    "authorization",
    "connection",
    "content-length",
    "expect",
    "host",
    "transfer-encoding",
    "x-amz-content-sha256",
    "x-amz-decoded-content-length",
    "x-amz-security-token",
    "x-amz-trailer",
)
# By this moto finds the service.
TO_MOTO = (
    "AWS4-HMAC-SHA256 Credential=proxy/20260101/eu-west-1/s3/aws4_request, SignedHeaders=host, Signature=0"
)
# Nobody waits longer for what never comes; tests let go before.
LONGEST = 60.0


def slow_down() -> Refused:
    return Refused(503, "SlowDown", "Please reduce your request rate.")


@dataclass
class Fault:
    """What happens to requests instead of an answer.

    ``error``: S3 says ``says``. ``reset``: the connection breaks before the body is read. ``hang``: nothing comes any
    more, after the request. ``hang within``: the same in the middle of its body. ``lost``: it is carried out, but the
    connection breaks before the answer. ``cut``: the answer's body breaks off in the middle. ``trickle``: the second
    half of it comes only when the fault is over.
    """

    kind: Kind
    says: Callable[[], Refused] = slow_down
    only: Callable[[Request], bool] = lambda request: True
    left: int | None = None

    def meets(self, request: Request) -> bool:
        if self.left == 0 or not self.only(request):
            return False
        if self.left is not None:
            self.left -= 1
        return True


class S3Proxy:
    """The server, its memory and its moods. ``url`` is what AWS_S3_ENDPOINT_URL is set to."""

    def __init__(self, moto: str, certificate: Path | None = None) -> None:
        self.moto = urlsplit(moto).netloc
        self.scheme = "https" if certificate else "http"
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        if certificate:
            self._server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server.tls.load_cert_chain(certificate)
        self.url = f"{self.scheme}://127.0.0.1:{self._server.server_address[1]}"
        self.reset()

    def reset(self) -> None:
        """As at the start: the tests' key, the right time, everything well, nothing seen."""
        self.heal()
        self.requests: list[Request] = []
        self.answers: list[int] = []
        self.keys = {CREDENTIALS["AWS_ACCESS_KEY_ID"]: Key(CREDENTIALS["AWS_SECRET_ACCESS_KEY"])}
        self.ahead = timedelta(0)
        self.region = REGION
        # Whether asking for a missing object says so, which takes s3:ListBucket on the whole bucket.
        self.tells_missing = False
        # Whether anything may be done; False is a role without a policy.
        self.allows: Callable[[Request], bool] = lambda request: True

    def fail(
        self,
        kind: Kind,
        times: int | None = None,
        only: Callable[[Request], bool] = lambda request: True,
        says: Callable[[], Refused] = slow_down,
    ) -> Fault:
        """From now on, ``times`` times or until ``heal``."""
        fault = Fault(kind, says, only, times)
        with self._lock:
            self._faults.append(fault)
        return fault

    def heal(self) -> None:
        """Ends every fault and lets go of those who wait."""
        with self._lock:
            self._faults: list[Fault] = []
        self._over.set()
        self._over = threading.Event()

    def count(self, method: str = "", key: str = "") -> int:
        """How many requests came, of a method, and for objects whose name begins with ``key``."""
        return sum(method in ("", r.method) and r.key.startswith(key) for r in self.requests)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def fault(self, request: Request) -> Fault | None:
        with self._lock:
            return next((fault for fault in self._faults if fault.meets(request)), None)

    def wait(self) -> None:
        self._over.wait(LONGEST)

    def verify(self, request: Request) -> None:
        Verifier(self.keys, self.region, self.scheme, self.now).check(request)
        if not self.allows(request):
            raise denied()
        check_bucket_rules(request)

    def hand_on(self, request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        """moto's answer."""
        headers = {name: text for name, text in request.headers.items() if name not in NOT_HANDED_ON}
        if headers.get("content-encoding") == "aws-chunked":
            del headers["content-encoding"]
        headers["authorization"] = TO_MOTO
        pairs = urlsplit(request.target).query.split("&")
        query = "&".join(pair for pair in pairs if pair and not pair.startswith("X-Amz-"))
        link = http.client.HTTPConnection(self.moto, timeout=LONGEST)
        try:
            link.request(request.method, f"{request.path}?{query}", request.body or None, headers)
            answer = link.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            link.close()

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self.heal()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    proxy: S3Proxy
    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[Any, Any]:
        accepted, address = super().get_request()
        if self.tls:
            # The handshake is the connection's own thread's affair.
            accepted = self.tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        return accepted, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("A connection broke.", exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer go out together.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def handle_expect_100(self) -> bool:
        """Before the body comes, of which its sender would else wait a second."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def do_any(self) -> None:
        proxy = self.server.proxy
        headers = {name.lower(): text for name, text in self.headers.items()}
        request = Request(self.command, self.path, headers)
        proxy.requests.append(request)
        fault = proxy.fault(request)
        kind = fault.kind if fault else None
        if kind == "reset":
            return self._break()
        if kind == "hang within":
            self.rfile.read(int(headers.get("content-length", "0")) // 2)
            return self._hang()
        request.body = self._body(headers)
        if kind == "hang":
            return self._hang()
        try:
            if fault and kind == "error":
                raise fault.says()
            proxy.verify(request)
            status, given, body = proxy.hand_on(request)
            if status == 404 and request.key and not proxy.tells_missing and b"NoSuchBucket" not in body:
                raise denied()
        except Refused as refusal:
            status, body = refusal.status, refusal.body
            given = [("Content-Type", "application/xml"), *refusal.headers.items()]
        proxy.answers.append(status)
        if kind == "lost":
            return self._break()
        return self._answer(status, given, body, kind)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length") or 0))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, status: int, given: list[tuple[str, str]], body: bytes, kind: Kind | None) -> None:
        if self.command == "HEAD":
            body = b""
        self.send_response_only(status)
        length = str(len(body))
        for name, text in given:
            if name.lower() == "content-length" and self.command == "HEAD" and status < 300:
                length = text
            elif name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, text)
        self.send_header("Content-Length", length)
        self.end_headers()
        if kind in ("cut", "trickle"):
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            if kind == "cut":
                return self._break()
            self.server.proxy.wait()
            body = body[len(body) // 2 :]
        self.wfile.write(body)
        return self.wfile.flush()

    def _hang(self) -> None:
        self.server.proxy.wait()
        self._break()

    def _break(self) -> None:
        """As a machine does that dies: no farewell."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def log_message(self, *details: Any) -> None:
        """Nothing."""


@contextmanager
def running_proxy(moto: str, certificate: Path | None = None) -> Iterator[S3Proxy]:
    """A proxy before the moto server at this address; with a certificate (and key, in one PEM file) by https."""
    proxy = S3Proxy(moto, certificate)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
