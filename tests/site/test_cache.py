"""Without Redis the cache is empty, and a request hardly notices."""

from __future__ import annotations

import signal
import time

import pytest
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from classifier_site.cache import FailOpenRedisCache

OPTIONS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2, "retry": Retry(NoBackoff(), 0)}


@pytest.fixture
def cache(own_redis, monkeypatch):
    monkeypatch.setattr(FailOpenRedisCache, "_silent_until", 0.0)
    return FailOpenRedisCache(own_redis.url, {"OPTIONS": OPTIONS})


def use_everything(cache):
    """Every operation that throttles, rate limits and pages use."""
    cache.set("a", 1)
    cache.set_many({"b": 2})
    cache.get_many(["a", "b"])
    cache.touch("a")
    cache.delete("a")
    cache.delete_many(["b"])
    cache.clear()
    cache.get_or_set("c", 3)


def test_it_caches(cache):
    assert cache.add("a", 1) is True
    assert cache.add("a", 2) is False
    assert cache.get("a") == 1
    assert cache.incr("a") == 2
    assert cache.has_key("a") is True
    use_everything(cache)


@pytest.mark.parametrize("outage", ["stopped", "frozen"])
def test_an_outage_means_not_there_and_costs_at_most_0_3_s(cache, own_redis, outage, monkeypatch):
    cache.set("a", 1)
    if outage == "stopped":
        own_redis.stop(signal.SIGKILL)
    else:
        own_redis.freeze()

    def seconds() -> float:
        monkeypatch.setattr(FailOpenRedisCache, "_silent_until", 0.0)
        started = time.monotonic()
        assert cache.get("a", "default") == "default"
        assert cache.add("a", 1) is True
        assert cache.incr("a") == 1
        assert cache.has_key("a") is False
        use_everything(cache)
        return time.monotonic() - started

    # Of this time 0.2 s are spent waiting; the machine may be busy with other tests for the rest of it, but not always.
    assert any(seconds() < 0.3 for _try in range(3))


def test_it_is_used_again_when_redis_is_back(cache, own_redis, monkeypatch):
    own_redis.stop()
    assert cache.get("a") is None
    own_redis.start()
    monkeypatch.setattr(FailOpenRedisCache, "_silent_until", 0.0)  # the pause is over
    cache.set("a", 1)
    assert cache.get("a") == 1


def test_nothing_set_means_a_cache_in_the_process():
    assert settings.CACHES["default"]["BACKEND"].endswith("LocMemCache")
