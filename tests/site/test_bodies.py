"""Bodies are bounded before Django sees them, with and without a length, and chunked ones are not lost."""

from __future__ import annotations

import io
from typing import Any

from classifier_site.bodies import TOO_LARGE, BoundedBodies


class Endless(io.RawIOBase):
    """A client that goes on sending."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, size: int = -1) -> bytes:
        self.given += size
        return b"x" * size


def call(environ: dict[str, Any], limit: int = 100) -> dict[str, Any]:
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
