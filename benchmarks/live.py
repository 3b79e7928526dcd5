"""Live answers while a bar is dragged, as the page asks for them: time from sending a question to reading its answer.

The site runs as under `make run`; one drag of 200 steps, one question at a time. The first question of all loads the
network, the first about a picture decodes it.
"""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import urlencode

from benchmarks.way import EDGE, picture

STEPS = 200
# Django compares the cookie with the header, and both come from here.
TOKEN = "benchmark" * 3 + "token"
# The largest picture that the page sends, and one as a phone's messenger leaves it.
SIZES = ((1500, 1000), (800, 600))


class Student:
    """Somebody logged in, with one connection to the site."""

    def __init__(self, stack: Any) -> None:
        session = stack.python(
            "from importlib import import_module; from django.conf import settings;"
            "from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY;"
            "from accounts.models import User;"
            "user = User.objects.create_user('live@example.com', None);"
            "session = import_module(settings.SESSION_ENGINE).SessionStore();"
            "session[SESSION_KEY] = str(user.pk);"
            "session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1];"
            "session[HASH_SESSION_KEY] = user.get_session_auth_hash();"
            "session.save(); print(session.session_key)"
        ).split()[-1]
        self.link = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=60)
        self.headers = {
            "Accept": "application/json",
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
        }

    def post(self, path: str, body: bytes, kind: str) -> Any:
        self.link.request("POST", path, body, {**self.headers, "Content-Type": kind})
        answer = self.link.getresponse()
        said = json.loads(answer.read())
        if answer.status >= 400:
            raise RuntimeError(f"{path}: {answer.status} {said}")
        return said

    def draft(self, data: bytes) -> str:
        head = f'--{EDGE}\r\nContent-Disposition: form-data; name="image"; filename="p.jpg"\r\n\r\n'.encode()
        body = head + data + f"\r\n--{EDGE}--\r\n".encode()
        return str(self.post("/predict/draft/", body, f"multipart/form-data; boundary={EDGE}")["id"])

    def seconds(self, upload: str, step: int, box: list[float]) -> float:
        """How long an answer takes, with a bar that is somewhere else at every step; every fourth on the whole picture,
        the others on ``box``.
        """
        bars = [[round(0.6 * step / STEPS, 3), 0.2, 0.3, 0.5]]
        fields = {"draft": upload, "bars": json.dumps(bars), "crop": json.dumps(box), "n": step}
        if step % 4 == 0:
            fields["crop"] = "whole"
        start = time.perf_counter()
        answer = self.post("/predict/live/", urlencode(fields).encode(), "application/x-www-form-urlencoded")
        took = time.perf_counter() - start
        assert answer["n"] == step
        assert answer["covered"]
        return took


def measure() -> list[dict[str, Any]]:
    from tests.services import running_stack

    rows = []
    with running_stack() as stack:
        student = Student(stack)
        for width, height in SIZES:
            upload = student.draft(picture(width, height))
            box = [(width - height) / 2 / width, 0, height / width, 1]
            first = student.seconds(upload, 0, box)
            took = sorted(student.seconds(upload, step, box) for step in range(1, STEPS + 1))
            rows.append(
                {
                    "picture": f"{width} x {height}",
                    "first_ms": round(first * 1000),
                    "p50_ms": round(took[STEPS // 2] * 1000, 1),
                    "p95_ms": round(took[int(STEPS * 0.95)] * 1000, 1),
                    "slowest_ms": round(took[-1] * 1000, 1),
                }
            )
    return rows
