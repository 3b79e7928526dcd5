"""People and programs at work while something is done to the site, behind a load balancer."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests import pictures
from tests.deploy.installed import Answer, Instance, form
from tests.services import wait_until


@dataclass
class Balancer:
    """Sends requests to its instances in turn. One that is taken out gets no new ones and finishes those it has."""

    instances: list[Instance] = field(default_factory=list)
    lock: threading.Condition = field(default_factory=threading.Condition)
    open: Counter[int] = field(default_factory=Counter)
    turn: int = 0

    def add(self, instance: Instance) -> None:
        instance.wait_for("/healthz")
        with self.lock:
            self.instances.append(instance)

    def take_out(self, instance: Instance, seconds: float = 30.0) -> None:
        with self.lock:
            self.instances.remove(instance)
            assert self.lock.wait_for(lambda: not self.open[instance.port], seconds), "requests never ended"

    @contextmanager
    def chosen(self) -> Iterator[Instance]:
        with self.lock:
            self.turn += 1
            instance = self.instances[self.turn % len(self.instances)]
            self.open[instance.port] += 1
        try:
            yield instance
        finally:
            with self.lock:
                self.open[instance.port] -= 1
                self.lock.notify_all()


@dataclass
class Load:
    """Threads that upload, look, list and delete, each for an account of its own, until they are told to stop."""

    balancer: Balancer
    accounts: list[tuple[str, str]]
    failures: list[str] = field(default_factory=list)
    answered: Counter[int] = field(default_factory=Counter)
    sent: dict[str, str] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for number, (token, cookie) in enumerate(self.accounts):
            thread = threading.Thread(target=self._work, args=(number, token, cookie), daemon=True)
            thread.start()
            self.threads.append(thread)

    def stop(self) -> None:
        self.stopping.set()
        for thread in self.threads:
            thread.join(40)

    def wait_for(self, instance: Instance, requests: int, seconds: float = 40.0) -> None:
        """Until so many more requests were answered there."""
        goal = self.answered[instance.port] + requests
        wait_until(
            lambda: self.answered[instance.port] >= goal or self.failures,
            seconds,
            f"{requests} requests on port {instance.port}",
        )

    def _work(self, number: int, token: str, cookie: str) -> None:
        key = {"Authorization": f"Token {token}"}
        session = {"Cookie": cookie}
        try:
            while not self.stopping.is_set():
                body, kind = form(pictures.jpeg(), model="tiny")
                made = self._ask("POST", "/api/v1/predictions/", 202, body, Content_Type=kind, **key)
                [entry] = made.json()["results"]
                self.sent[entry["id"]] = token
                self._ask("GET", "/api/v1/predictions/", 200, **key)
                self._ask("GET", "/history/", 200, **session)
                self._ask("GET", "/predict/", 200, **session)
                while not self.stopping.wait(0.2):
                    found = self._ask("GET", f"/api/v1/predictions/{entry['id']}/", 200, **key).json()
                    if found["status"] in ("done", "failed", "cancelled"):
                        break
                self._ask("GET", f"/predictions/{entry['id']}/", 200, **session)
                if len(self.sent) % 3 == number % 3:
                    self._ask("DELETE", f"/api/v1/predictions/{entry['id']}/", 204, **key)
                    del self.sent[entry["id"]]
        except Exception as error:
            self.failures.append(f"{type(error).__name__}: {error}")

    def _ask(
        self, method: str, path: str, expected: int, body: bytes | None = None, **headers: str
    ) -> Answer:
        with self.balancer.chosen() as instance:
            answer = instance.ask(path, method, body, **headers)
            if answer.status != expected:
                raise AssertionError(
                    f"{method} {path} on {instance.folder}: {answer.status} {answer.body[:300]!r}"
                )
            self.answered[instance.port] += 1
            return answer
