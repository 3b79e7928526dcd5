"""Students of the laboratory for its benchmark: they ask for figures as its pages do, and change the networks."""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from benchmarks import workshop
from benchmarks.live import TOKEN

VGG, WIDE = NETWORKS = ("vgg", "wideresnet")
EXPLANATIONS = "/learn/laboratory/explanations/"
BARS = [[0.35, 0.2, 0.3, 0.5]]
# Of jobs.js: seconds until it asks for the first time how a figure stands, the factor from time to time, the longest.
FIRST, SLOWER, SLOWEST = 0.12, 1.35, 0.6
GIVE_UP_SECONDS = 60.0
# The servers close what was silent for two seconds.
STALE_SECONDS = 1.0
# Strips of maps that the X-ray's first view shows at most of a network.
STRIPS = 15

PEOPLE = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from accounts.models import ApiToken, User
for i in range({count}):
    user = User.objects.create_user(f"student{{i}}@example.com", None)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    print("one", ApiToken.objects.issue(user, "bench")[1], session.session_key)
"""


class FigureError(Exception):
    """A figure that was not computed."""


@dataclass(frozen=True)
class Ask:
    """One explanation about the picture ``on``."""

    on: str
    network: str
    kind: str
    parameters: dict[str, Any] = field(default_factory=dict)

    def body(self) -> bytes:
        return urlencode(
            {
                "on": self.on,
                "bars": json.dumps(BARS),
                "network": self.network,
                "kind": self.kind,
                "parameters": json.dumps(self.parameters),
            }
        ).encode()


def both(on: str, kind: str, **parameters: Any) -> list[Ask]:
    """Both networks, as the pages show them side by side."""
    return [Ask(on, network, kind, parameters) for network in NETWORKS]


class Person(workshop.Student):
    """Somebody with a browser and, for sending pictures, a token; each of the two has a connection of its own."""

    def __init__(self, port: int, key: str, session: str) -> None:
        super().__init__(port, key)
        self.pages = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {
            "Accept": "application/json",
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
        }
        self.used = 0.0

    def pictures(self, images: Sequence[bytes]) -> list[str]:
        """Sends pictures and waits for the answers; how the laboratory calls each."""
        self.link.close()
        sent = self.ask(list(images), list(NETWORKS))
        if sent.faults():
            raise RuntimeError("a picture of a student was not answered")
        by_name = {row["filename"]: row["id"] for row in sent.rows}
        return [by_name[name] for name in sent.names]

    def fetch(self, path: str, body: bytes | None = None) -> bytes:
        if time.monotonic() - self.used > STALE_SECONDS:
            self.pages.close()
        headers = dict(self.headers)
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.pages.request("GET" if body is None else "POST", path, body, headers)
        answer = self.pages.getresponse()
        content = answer.read()
        self.used = time.monotonic()
        if answer.status >= 400:
            raise FigureError(f"{path}: {answer.status} {content[:300]!r}")
        return content

    def shown(self, asks: Sequence[Ask]) -> float:
        """Seconds from the first POST until all is there with the files of the first view. Raises FigureError."""
        begin = time.perf_counter()
        there = [json.loads(self.fetch(EXPLANATIONS, ask.body())) for ask in asks]
        wait = FIRST
        while waiting := [i for i, one in enumerate(there) if one["status"] in ("queued", "running")]:
            if time.perf_counter() - begin > GIVE_UP_SECONDS:
                raise FigureError(f"{asks[waiting[0]]} was not computed in {GIVE_UP_SECONDS:.0f} s")
            time.sleep(wait)
            wait = min(wait * SLOWER, SLOWEST)
            for i in waiting:
                there[i] = json.loads(self.fetch(f"{EXPLANATIONS}{there[i]['id']}/"))
        for one in there:
            if one["status"] != "done":
                raise FigureError(f"{one['kind']} of {one['network']}: {one['error']}")
            for name in first_view(one["files"]):
                self.fetch(one["base"] + name)
        return time.perf_counter() - begin


def first_view(files: Sequence[str]) -> list[str]:
    """What a figure reads of an answer before anybody has chosen a layer."""
    if "meta.json" not in files:
        return list(files)
    return ["meta.json", *[name for name in files if name.startswith("strips/")][:STRIPS]]


class Surgeon:
    """Changes of the trained networks that nobody has asked for before."""

    def __init__(self, seed: int) -> None:
        from ml.explain.structure import structure

        self.draw = random.Random(seed)
        self.layers = {name: structure(name) for name in NETWORKS}

    def edit(self, on: str) -> Ask:
        """Another kernel somewhere in the VGG."""
        layers = self.layers[VGG]
        layer = layers.layer(self.draw.choice([*layers.convolutions]))
        kernel = [round(self.draw.gauss(0, 0.1), 4) for _ in range(layer.kernel**2)]
        edit = {
            "layer": layer.name,
            "out": self.draw.randrange(layer.shape[0]),
            "in": self.draw.randrange(layers.layer(layer.inputs[0]).shape[0]),
            "kernel": kernel,
        }
        return Ask(on, VGG, "surgery", {"edits": [edit]})

    def mute(self, on: str) -> Ask:
        """Three channels somewhere in the Wide ResNet."""
        layer = self.draw.choice([one for one in self.layers[WIDE].layers if one.kind == "relu"])
        channels = sorted(self.draw.sample(range(layer.shape[0]), 3))
        return Ask(on, WIDE, "surgery", {"mutes": {layer.name: channels}})


def people(stack: Any, count: int) -> list[Person]:
    said = stack.python(PEOPLE.format(count=count))
    keys = [line.split()[1:] for line in said.splitlines() if line.startswith("one ")]
    return [Person(stack.port, key, session) for key, session in keys]
