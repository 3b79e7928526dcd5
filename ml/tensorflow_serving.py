"""An engine that asks TensorFlow Serving over its REST interface, so that this process needs no TensorFlow.

Protocol: TensorFlow's "RESTful API" page (tensorflow.org/tfx/serving/api_rest): model status, model metadata and
predict in the columnar form, binary values as ``{"b64": ...}``. The server offers what ``ml.saved_model`` wrote;
its signature that bears the artifact's version is asked, so a server with another version refuses.
"""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
from numpy.typing import NDArray

from ml.artifact import ArtifactError, Card
from ml.engines import FEATURES, LOGITS, EngineAwayError, EngineError, Outputs

PREDICT_SECONDS = 15.0
"""A batch of 32 of the largest network takes a second; a server that needs this long will not come back in time."""
STATUS_SECONDS = 1.0

# What a proxy or a server that is busy, starting or going away says.
AWAY = (429, 502, 503, 504)


class Link:
    """One kept-alive connection. Nothing is asked twice, but one that the server closed meanwhile is opened again."""

    def __init__(self, address: str, seconds: float) -> None:
        parts = urlsplit(address)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self.name = parts.netloc
        self._base = parts.path.rstrip("/")
        self._connection = kind(parts.hostname or "", parts.port, timeout=seconds)

    def call(self, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Status and JSON of GET ``path``, or of POST when there is a body. Raises EngineAwayError."""
        used = self._connection.sock is not None
        try:
            try:
                status, raw = self._exchange(path, body)
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                if not used:
                    raise
                self._connection.close()
                status, raw = self._exchange(path, body)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise EngineAwayError(
                f"TensorFlow Serving at {self.name} does not answer ({type(error).__name__})."
            ) from error
        if status in AWAY:
            raise EngineAwayError(f"TensorFlow Serving at {self.name} is not ready (HTTP status {status}).")
        try:
            return status, json.loads(raw)
        except ValueError:
            return status, None

    def _exchange(self, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request("GET" if body is None else "POST", self._base + path, body, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def close(self) -> None:
        self._connection.close()


def find(link: Link, card: Card) -> str:
    """Path of the newest version on the server that is the artifact of ``card``, such as ``/v1/models/vgg/versions/3``.

    Raises ArtifactError where the server offers the network not at all or in other versions, and EngineAwayError.
    """
    root = f"/v1/models/{quote(card.name, safe='')}"
    status, answer = link.call(root)
    if status == http.client.NOT_FOUND:
        raise ArtifactError(f"TensorFlow Serving at {link.name} offers no network {card.name}.")
    try:
        rows = answer["model_version_status"]
        ready = [int(row["version"]) for row in rows if row["state"] == "AVAILABLE"]
    except (KeyError, TypeError, ValueError):
        raise EngineAwayError(
            f"What answers at {link.name} is not TensorFlow Serving (HTTP status {status})."
        ) from None
    if not ready:
        raise EngineAwayError(f"TensorFlow Serving at {link.name} has not loaded {card.name} yet.")
    for number in sorted(ready, reverse=True):
        path = f"{root}/versions/{number}"
        if card.version in _signatures(link, path):
            return path
    raise ArtifactError(
        f"TensorFlow Serving at {link.name} offers {card.name} in another version than {card.version}: "
        f"give it what python -m ml.saved_model {card.name} writes."
    )


def _signatures(link: Link, path: str) -> dict[str, Any]:
    _, answer = link.call(f"{path}/metadata")
    try:
        return dict(answer["metadata"]["signature_def"]["signature_def"])
    except (KeyError, TypeError, ValueError):
        return {}


def check(card: Card, address: str) -> None:
    """Whether the server at ``address`` can answer for ``card`` now. Raises ArtifactError or EngineAwayError if not."""
    link = Link(address, STATUS_SECONDS)
    try:
        find(link, card)
    finally:
        link.close()


class TensorFlowServingEngine:
    """The network of ``card`` on the server at ``address``.

    Raises ArtifactError when the server does not offer the card's version, EngineAwayError when there is none.
    """

    name = "tensorflow_serving"
    precision = "float32"

    def __init__(self, card: Card, *, address: str) -> None:
        self._card = card
        self._link = Link(address, PREDICT_SECONDS)
        self._path: str | None = find(self._link, card)

    def run(self, pictures: NDArray[np.float32]) -> Outputs:
        if self._path is None:
            self._path = find(self._link, self._card)
        rows = np.ascontiguousarray(pictures, "<f4")
        values = [{"b64": base64.b64encode(row.tobytes()).decode()} for row in rows]
        request = {"signature_name": self._card.version, "inputs": {"pictures": values}}
        status, answer = self._link.call(f"{self._path}:predict", json.dumps(request).encode())
        if status != http.client.OK:
            # Not the pictures' fault where the server has changed versions: that raises ArtifactError here.
            self._path = None
            self._path = find(self._link, self._card)
            if status == http.client.NOT_FOUND:
                raise EngineAwayError(
                    f"TensorFlow Serving at {self._link.name} has moved {self._card.version}."
                )
            reason = str(answer.get("error", "") if isinstance(answer, dict) else "")[:200]
            raise EngineError(
                f"TensorFlow Serving at {self._link.name} refused {len(rows)} pictures (HTTP status {status}): {reason}"
            )
        outputs = answer.get("outputs") if isinstance(answer, dict) else None
        logits = _array(outputs, LOGITS, len(rows))
        if logits is None or logits.shape[1] != len(self._card.labels):
            raise EngineError(
                f"TensorFlow Serving at {self._link.name} answered something else than logits of {self._card.name}."
            )
        return Outputs(logits, _array(outputs, FEATURES, len(rows)))


def _array(outputs: Any, name: str, count: int) -> NDArray[np.float32] | None:
    try:
        values = np.asarray(outputs[name], np.float32)
    except (KeyError, TypeError, ValueError):
        return None
    return values if values.ndim == 2 and len(values) == count else None
