"""The whole way of a picture under `make run`'s own set-up (SQLite, files as broker), as a client sees it.

Time from sending the POST to reading `done`, polling every 5 ms; beside it the same pictures on the bare predictor.
"""

from __future__ import annotations

import http.client
import io
import json
import time
from pathlib import Path
from typing import Any

from PIL import Image

from ml import config
from ml.predictor import load_predictor

EDGE = "edge-of-the-form"
SAMPLE = Path(__file__).parent.parent / "static" / "samples"


def picture(width: int, height: int) -> bytes:
    """One of the project's samples as a JPEG of about 80 kB at 800 x 600."""
    with Image.open(sorted(SAMPLE.glob("*.jpg"))[0]) as opened:
        buffer = io.BytesIO()
        opened.convert("RGB").resize((width, height)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def form(data: bytes, count: int, *models: str) -> bytes:
    head = f'--{EDGE}\r\nContent-Disposition: form-data; name="image"; filename="p.jpg"\r\n\r\n'.encode()
    fields = [
        f'--{EDGE}\r\nContent-Disposition: form-data; name="model"\r\n\r\n{model}\r\n' for model in models
    ]
    return (head + data + b"\r\n") * count + ("".join(fields) + f"--{EDGE}--\r\n").encode()


class Client:
    def __init__(self, port: int, key: str) -> None:
        self.link = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.key = key

    @classmethod
    def of(cls, stack: Any) -> Client:
        """With a new account and its token."""
        key = stack.python(
            "from accounts.models import ApiToken, User;"
            "print(ApiToken.objects.issue(User.objects.create_user('bench@example.com', None), 'bench')[1])"
        ).split()[-1]
        return cls(stack.port, key)

    def call(self, path: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"Token {self.key}"}
        if body is not None:
            headers["Content-Type"] = f"multipart/form-data; boundary={EDGE}"
        self.link.request("GET" if body is None else "POST", path, body, headers)
        return json.loads(self.link.getresponse().read())

    def seconds(self, data: bytes, count: int, model: str) -> float:
        start = time.perf_counter()
        batch = self.call("/api/v1/predictions/", form(data, count, model))["batch"]
        while True:
            rows = self.call(f"/api/v1/predictions/?batch={batch}&page_size=200")["results"]
            if len(rows) == count and all(row["status"] in ("done", "failed") for row in rows):
                return time.perf_counter() - start
            time.sleep(0.005)


def measure() -> list[dict[str, Any]]:
    from tests.services import running_stack

    rows = []
    with running_stack() as stack:
        client = Client.of(stack)
        large = picture(800, 600)
        for name in config.artifact_names():
            client.seconds(large, 1, name)
            single = sorted(client.seconds(large, 1, name) for _ in range(25))
            thirty = min(client.seconds(large, 30, name) for _ in range(3))
            predictor = load_predictor(name)
            with Image.open(io.BytesIO(large)) as opened:
                image = opened.convert("RGB")
            start = time.perf_counter()
            predictor.predict([image] * 30)
            bare = time.perf_counter() - start
            rows.append(
                {
                    "network": name,
                    "picture_kb": round(len(large) / 1024),
                    "one_p50_ms": round(single[len(single) // 2] * 1000),
                    "one_p95_ms": round(single[int(len(single) * 0.95)] * 1000),
                    "thirty_s": round(thirty, 2),
                    "thirty_bare_predictor_s": round(bare, 2),
                }
            )
    return rows
