"""Pages may be posted to a number of times a minute, by each user on their own."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from accounts import throttle
from accounts.throttle import limit_rate
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@limit_rate("test", 2)
def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("done")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch, limits: None) -> list[float]:
    now = [6_000_050.0]
    monkeypatch.setattr(throttle.time, "time", lambda: now[0])
    return now


def send(user: Any, method: str = "POST", accept: str = "text/html") -> Any:
    request = RequestFactory(headers={"accept": accept}).generic(method, "/x/")
    request.user = user
    return view(request)


def test_the_third_in_a_minute_is_refused_and_told_when_to_come_back(clock: list[float]) -> None:
    user = make_user()
    assert [send(user).status_code for _ in range(3)] == [200, 200, 429]
    response = send(user)
    assert response["Retry-After"] == "10"
    assert "10 seconds" in response.content.decode()
    assert response["Content-Type"].startswith("text/html")
    clock[0] += 10
    assert send(user).status_code == 200


def test_scripts_read_json() -> None:
    user = make_user()
    send(user)
    send(user)
    response = send(user, accept="application/json")
    assert response.status_code == 429
    assert b'"code": "throttled"' in response.content


def test_users_are_counted_apart_and_looking_is_free() -> None:
    user = make_user()
    assert [send(user, "GET").status_code for _ in range(5)] == [200] * 5
    assert [send(user).status_code for _ in range(3)] == [200, 200, 429]
    assert send(make_user()).status_code == 200
    assert send(user, "GET").status_code == 200


def test_load_tests_are_not_limited(settings: Any) -> None:
    settings.RATE_LIMITS = False
    user = make_user()
    assert [send(user).status_code for _ in range(5)] == [200] * 5


def test_a_cache_that_is_away_or_emptied_limits_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    user = make_user()

    def emptied(self: Any, key: str) -> int:
        raise ValueError(key)

    for answer in (lambda self, key: 1, emptied):
        monkeypatch.setattr(LocMemCache, "incr", answer)
        assert [send(user).status_code for _ in range(4)] == [200] * 4


def test_reading_counts_where_it_is_said_to() -> None:
    user = make_user()
    reading = limit_rate("reading", 1, methods=("GET", "HEAD"))(lambda request: HttpResponse("read"))

    def read(method: str) -> int:
        request = RequestFactory().generic(method, "/x/")
        request.user = user
        return reading(request).status_code

    assert [read("GET"), read("HEAD"), read("POST")] == [200, 429, 200]
