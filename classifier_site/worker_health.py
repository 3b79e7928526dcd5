"""What a worker's machine answers to its load balancer: ``gunicorn classifier_site.worker_health:application``.

``GET /healthz`` says how the two workers of this machine are, by the signs of life that they leave on its disk, and
asks nothing else: while the database, Redis or the storage is away, replacing machines would help nobody. Django is
not set up here; the process stays small.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from classifier_site.environment import Environment
from predictions import signs

DATA_DIR = Environment().folder("DATA_DIR", "./var")

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    if environ.get("PATH_INFO") != "/healthz":
        return _answer(start_response, "404 Not Found", {"error": "There is only /healthz here."}, environ)
    if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
        return _answer(start_response, "405 Method Not Allowed", {"error": "Ask with GET."}, environ)
    found = {name: signs.read(DATA_DIR, name) for name in (signs.ANSWERING, signs.OTHER)}
    well = all(sign.says == signs.OK for sign in found.values())
    says = {
        "status": "ok" if well else "unavailable",
        **{name: sign.says for name, sign in found.items()},
        "draining": any(sign.draining for sign in found.values()),
    }
    return _answer(start_response, "200 OK" if well else "503 Service Unavailable", says, environ)


def _answer(
    start_response: StartResponse, status: str, says: dict[str, Any], environ: dict[str, Any]
) -> list[bytes]:
    body = json.dumps(says).encode()
    headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
    start_response(status, [*headers, ("Content-Length", str(len(body)))])
    return [] if environ.get("REQUEST_METHOD") == "HEAD" else [body]
