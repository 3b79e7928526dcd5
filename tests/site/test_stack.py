"""The whole site as processes, on the parts of a laptop and on those of production."""

from __future__ import annotations

import http.client
import json
import socket

import pytest

from tests import services
from tests.networks import make_artifact


@pytest.fixture
def networks(tmp_path):
    """The folder of one small network, which loads at once."""
    make_artifact(tmp_path / "networks", "tiny", version="7")
    return str(tmp_path / "networks")


def test_on_sqlite_and_a_folder(live_stack, networks):
    stack = live_stack(ML_ARTIFACTS_DIR=networks)
    body = json.loads(stack.body("/readyz"))
    assert body["status"] == "ok"
    assert body["models"] == {"tiny": "tiny-7"}
    assert stack.status("/") == 200


def test_on_postgresql_and_redis_with_outages(live_stack, networks, own_postgres, own_redis):
    database = own_postgres.new_database()
    stack = live_stack(
        database=database, broker=own_redis.url, CACHE_URL=own_redis.url, ML_ARTIFACTS_DIR=networks
    )
    assert stack.status("/readyz") == 200

    own_redis.stop()
    assert stack.status("/readyz") == 503
    assert json.loads(stack.body("/readyz"))["broker"] != "ok"
    assert stack.status("/accounts/login/") == 200
    own_redis.start()
    stack.wait_ready(30)

    own_postgres.stop()
    assert stack.status("/readyz") == 503
    assert stack.status("/healthz") == 200
    assert stack.status("/accounts/signup/") in (200, 503)
    own_postgres.start()
    stack.wait_ready(10)


@pytest.fixture(scope="module")
def site():
    with services.running_stack(workers=0, ready=False) as stack:
        yield stack


def answer(
    stack: services.LiveStack, headers: list[str], body: bytes, path: str = "/api/v1/predictions/"
) -> http.client.HTTPResponse:
    with socket.create_connection(("127.0.0.1", stack.port), timeout=30) as link:
        head = [
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "Connection: close",
            *headers,
            "",
            "",
        ]
        link.sendall("\r\n".join(head).encode() + body)
        response = http.client.HTTPResponse(link)
        response.begin()
        response.text = response.read().decode()  # type: ignore[attr-defined]
        return response


def test_a_chunked_body_reaches_the_site(site):
    body = b'5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n'
    response = answer(site, ["Content-Type: application/json", "Transfer-Encoding: chunked"], body)
    assert response.status == 401
    assert json.loads(response.text)["error"]["code"] == "not_authenticated"


def test_a_body_above_250_mb_is_read_to_its_end_and_answered_413(site):
    size = 250 * 1024 * 1024 + 1
    response = answer(site, [f"Content-Length: {size}", "Content-Type: text/plain"], b"x" * size)
    assert response.status == 413
    assert json.loads(response.text)["error"]["code"] == "too_large"


def test_elsewhere_far_less_is_taken(site):
    size = 3 * 1024 * 1024
    headers = [f"Content-Length: {size}", "Content-Type: text/plain", "Accept: text/html"]
    response = answer(site, headers, b"x" * size, "/accounts/login/")
    assert response.status == 413
    assert "2.5 MB" in response.text


def test_a_chunked_body_above_250_mb_is_answered_413(site):
    piece = 50 * 1024 * 1024
    body = (f"{piece:x}\r\n".encode() + b"x" * piece + b"\r\n") * 6 + b"0\r\n\r\n"
    response = answer(site, ["Transfer-Encoding: chunked", "Content-Type: text/plain"], body)
    assert response.status == 413


def test_static_files_may_be_kept_for_ever(site):
    page = site.body("/accounts/login/")
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    link = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
    link.request("GET", address)
    response = link.getresponse()
    assert response.status == 200
    assert "immutable" in (response.getheader("Cache-Control") or "")
    link.close()
