"""A small stand-in for TensorFlow Serving: its REST protocol on loopback, in front of real SavedModels.

Written after the protocol's documentation, not after the client. It can be told to fail, and it counts.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

ADDRESS = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+))?(?::(predict)|/(metadata))?")


class Refused(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class ServingServer(ThreadingHTTPServer):
    """Offers the networks below ``folder``, each in the highest number there (as by default) or in all of them."""

    daemon_threads = True

    def __init__(self, folder: Path, *, keep_all: bool = False, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.folder = folder
        self.keep_all = keep_all
        self.state = "AVAILABLE"
        self.broken: tuple[int, bytes] | None = None
        """What every prediction is answered with instead."""
        self.poison = b""
        """The bytes of a picture that no request may hold."""
        self.connections = 0
        self.asked: list[dict[str, Any]] = []
        """Every prediction's request."""
        self.open: list[Any] = []
        self._models: dict[Path, Any] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def versions(self, name: str) -> dict[int, Path]:
        root = self.folder / name
        found = {int(path.name): path for path in root.glob("*") if path.name.isdecimal()}
        if not found:
            raise Refused(404, f"Could not find any versions of model {name}")
        return found if self.keep_all else {max(found): found[max(found)]}

    def model(self, name: str, number: str | None) -> Any:
        import tensorflow as tf

        versions = self.versions(name)
        chosen = int(number) if number else max(versions)
        if chosen not in versions:
            raise Refused(404, f"Servable not found for request: Specific({name}, {chosen})")
        path = versions[chosen]
        if path not in self._models:
            self._models[path] = tf.saved_model.load(str(path))
        return self._models[path]

    def drop_connections(self) -> None:
        """Closes what clients hold open, as a server does with connections that were idle for long."""
        while self.open:
            with contextlib.suppress(OSError):
                self.open.pop().close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ServingServer

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.server.open.append(_Closer(self.connection))

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        self.answer(None)

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, body: bytes | None) -> None:
        try:
            status, raw = 200, json.dumps(self.result(body)).encode()
        except Refused as refused:
            status, raw = refused.status, json.dumps({"error": str(refused)}).encode()
        except Exception as error:
            status, raw = 400, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()
        if body is not None and self.server.broken:
            status, raw = self.server.broken
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def result(self, body: bytes | None) -> dict[str, Any]:
        found = ADDRESS.fullmatch(self.path)
        if not found:
            raise Refused(404, f"Malformed request: {self.command} {self.path}")
        name, number, predict, metadata = found.groups()
        if metadata:
            signatures = self.server.model(name, number).signatures
            return {"metadata": {"signature_def": {"signature_def": {key: {} for key in signatures}}}}
        if body is None:
            status = {"error_code": "OK", "error_message": ""}
            return {
                "model_version_status": [
                    {"version": str(each), "state": self.server.state, "status": status}
                    for each in sorted(self.server.versions(name), reverse=True)
                ]
            }
        assert predict
        return self.prediction(self.server.model(name, number), json.loads(body))

    def prediction(self, model: Any, request: dict[str, Any]) -> dict[str, Any]:
        self.server.asked.append(request)
        wanted = request.get("signature_name", "serving_default")
        if wanted not in model.signatures:
            raise Refused(400, f'Serving signature name: "{wanted}" not found in signature def')
        signature = model.signatures[wanted]
        rows = "instances" in request
        given = request["instances"] if rows else request["inputs"]
        specs = signature.structured_input_signature[1]
        if rows and isinstance(given[0], dict) and given[0].keys() != {"b64"}:
            given = {key: [row[key] for row in given] for key in given[0]}
        elif rows or not isinstance(given, dict):
            given = {next(iter(specs)): given}
        inputs = {key: tensor(given[key], spec) for key, spec in specs.items()}
        if self.server.poison and self.server.poison in [bytes(row) for row in inputs["pictures"].numpy()]:
            raise Refused(400, "Invalid picture")
        outputs = signature(**inputs)
        lists = {key: value.numpy().tolist() for key, value in outputs.items()}
        if not rows:
            return {"outputs": lists}
        return {
            "predictions": [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
        }


def tensor(values: Any, spec: Any) -> Any:
    import tensorflow as tf

    if spec.dtype == tf.string:
        return tf.constant([base64.b64decode(value["b64"], validate=True) for value in values])
    return tf.constant(np.asarray(values), spec.dtype)


class _Closer:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def close(self) -> None:
        import socket

        self._connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def running_server(folder: Path, **options: Any) -> Iterator[ServingServer]:
    """The stand-in in a thread of this process, gone afterwards with every connection."""
    server = ServingServer(folder, **options)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        server.drop_connections()
