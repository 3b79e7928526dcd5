"""A Redis cache that fails open: without Redis every key is missing, and no request waits for it twice."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PAUSE = 2.0  # seconds for which a silent Redis is not asked again
Result = TypeVar("Result")


class FailOpenRedisCache(RedisCache):
    """Django's Redis cache, except that an outage means "not there" and "not stored"."""

    _silent_until = 0.0

    def _try(self, operation: Callable[[], Result], otherwise: Result) -> Result:
        cls = type(self)
        if time.monotonic() < cls._silent_until:
            return otherwise
        try:
            return operation()
        except (RedisError, OSError) as error:
            cls._silent_until = time.monotonic() + PAUSE
            logger.warning("The cache does not answer, going on without it: %s", type(error).__name__)
            return otherwise

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._try(functools.partial(super().get, key, default, version), default)

    def add(self, key: Any, value: Any, timeout: Any = 300, version: int | None = None) -> bool:
        return self._try(functools.partial(super().add, key, value, timeout, version), True)

    def set(self, key: Any, value: Any, timeout: Any = 300, version: int | None = None) -> None:
        self._try(functools.partial(super().set, key, value, timeout, version), None)

    def touch(self, key: Any, timeout: Any = 300, version: int | None = None) -> bool:
        return self._try(functools.partial(super().touch, key, timeout, version), False)

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._try(functools.partial(super().delete, key, version), False)

    def has_key(self, key: Any, version: int | None = None) -> bool:
        return self._try(functools.partial(super().has_key, key, version), False)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        return self._try(functools.partial(super().incr, key, delta, version), delta)

    def get_many(self, keys: Any, version: int | None = None) -> dict[Any, Any]:
        return self._try(functools.partial(super().get_many, keys, version), {})

    def set_many(self, data: Any, timeout: Any = 300, version: int | None = None) -> list[Any]:
        return self._try(functools.partial(super().set_many, data, timeout, version), list(data))

    def delete_many(self, keys: Any, version: int | None = None) -> None:
        self._try(functools.partial(super().delete_many, keys, version), None)

    def clear(self) -> None:
        self._try(super().clear, None)
