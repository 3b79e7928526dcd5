"""Bodies are bounded before Django sees them, with and without a length, and chunked ones are not lost."""

from __future__ import annotations

import io
import socket
from typing import Any

import pytest

from classifier_site import bodies
from classifier_site.bodies import TOO_LARGE, TOO_SLOW, BoundedBodies, body_limit


class Endless(io.RawIOBase):
    """A client that goes on sending."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        self.given += size
        return b"x" * size


def call(environ: dict[str, Any], limit: int | None = 100) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def application(environ, start_response):
        seen.update(environ)
        seen["body"] = environ["wsgi.input"].read()
        return []

    BoundedBodies(application, limit)(environ, None)
    return seen


def test_an_ordinary_body_passes_untouched():
    body = io.BytesIO(b"hello")
    seen = call({"CONTENT_LENGTH": "5", "wsgi.input": body})
    assert seen["body"] == b"hello"
    assert TOO_LARGE not in seen


def test_a_chunked_body_arrives_with_its_length():
    seen = call({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"x" * 100)})
    assert seen["CONTENT_LENGTH"] == "100"
    assert seen["body"] == b"x" * 100


def test_a_chunked_body_above_the_limit_is_refused():
    seen = call({"HTTP_TRANSFER_ENCODING": "Chunked", "wsgi.input": io.BytesIO(b"x" * 101)})
    assert seen[TOO_LARGE] is True
    assert seen["body"] == b""


def test_a_declared_length_above_the_limit_is_read_and_thrown_away():
    source = io.BytesIO(b"x" * 500)
    seen = call({"CONTENT_LENGTH": "500", "wsgi.input": source})
    assert seen[TOO_LARGE] is True
    assert seen["CONTENT_LENGTH"] == "0"
    assert source.read() == b""


def test_what_is_thrown_away_is_bounded(monkeypatch):
    monkeypatch.setattr("classifier_site.bodies.DISCARD_BYTES", 1000)
    source = Endless()
    call({"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": source})
    assert source.given <= 65536 + 1000
    source = Endless()
    call({"CONTENT_LENGTH": str(10**12), "wsgi.input": source})
    assert source.given <= 1100


def test_a_length_that_is_no_number_is_left_to_the_server():
    seen = call({"CONTENT_LENGTH": "abc", "wsgi.input": io.BytesIO()})
    assert TOO_LARGE not in seen


@pytest.mark.parametrize(
    ("path", "megabytes"),
    [
        ("/api/v1/predictions/", 250),
        ("/predict/", 250),
        ("/predict/draft/", 12),
        ("/learn/own-classes/pictures/", 250),
        ("/learn/own-classes/try/", 110),
        ("/learn/own-classes/", 2.5),
        ("/account/", 2.5),
        ("/api/v1/token/", 2.5),
        ("/predict/draft/x", 2.5),
        ("", 2.5),
    ],
)
def test_much_is_taken_only_where_pictures_arrive(path, megabytes):
    limit = int(megabytes * 1024 * 1024)
    assert body_limit(path) == limit
    for size, refused in ((limit, False), (limit + 1, True)):
        seen = call({"PATH_INFO": path, "CONTENT_LENGTH": str(size), "wsgi.input": io.BytesIO()}, None)
        assert seen.get(TOO_LARGE, False) is refused


def test_a_chunked_body_has_the_limit_of_its_address():
    source = io.BytesIO(b"x" * (2560 * 1024 + 1))
    seen = call({"PATH_INFO": "/account/", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": source}, None)
    assert seen[TOO_LARGE] is True


class Stalling(io.RawIOBase):
    """A client that has sent some bytes and then nothing, read as gunicorn reads it."""

    def __init__(self, sent: bytes) -> None:
        self.socket, self.client = socket.socketpair()
        self.client.sendall(sent)

    def read(self, size: int = -1) -> bytes:
        return self.socket.recv(size)

    def close(self) -> None:
        self.socket.close()
        self.client.close()


@pytest.mark.parametrize("patience", ["IDLE_SECONDS", "BODY_SECONDS"])
def test_a_chunked_body_that_stalls_is_given_up(monkeypatch, patience):
    if patience == "IDLE_SECONDS":
        monkeypatch.setattr(bodies.Deadline.__init__, "__defaults__", (0.01,))
    else:
        monkeypatch.setattr(bodies, patience, 0.01)
    source = Stalling(b"hello")
    try:
        environ = {
            "HTTP_TRANSFER_ENCODING": "chunked",
            "wsgi.input": source,
            "gunicorn.socket": source.socket,
        }
        seen = call(environ)
        assert seen[TOO_SLOW] is True
        assert seen["body"] == b""
        assert source.socket.gettimeout() is None
        source.socket.sendall(b"408")  # an answer can still be sent
        assert source.client.recv(3) == b"408"
    finally:
        source.close()


def test_a_declared_body_that_stalls_ends_inside_the_application(monkeypatch):
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.01)
    source = Stalling(b"hello")
    try:
        environ = {"CONTENT_LENGTH": "50", "wsgi.input": source, "gunicorn.socket": source.socket}

        def application(environ, start_response):
            return [source.read(50), source.read(45)]

        assert BoundedBodies(application, 100)(environ, None) == [b"hello", b""]
    finally:
        source.close()


def test_throwing_away_ends_as_well(monkeypatch):
    monkeypatch.setattr(bodies, "DISCARD_SECONDS", 0.01)
    source = Stalling(b"hello")
    try:
        seen = call({"CONTENT_LENGTH": "500", "wsgi.input": source, "gunicorn.socket": source.socket})
        assert seen[TOO_LARGE] is True
    finally:
        source.close()
