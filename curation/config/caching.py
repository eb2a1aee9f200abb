"""The cache: what rate limits count. Redis is a doorbell here too: without it people log in all the same."""

from __future__ import annotations

import json
import time
from typing import Any

import structlog
from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis import RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

SECONDS = 1  # how long Redis may take
AWAY = 5  # seconds for which it is not asked again
log = structlog.get_logger(__name__)


class Json:
    """What stands in Redis. Not pickle, which runs what it reads."""

    def dumps(self, told: Any) -> bytes:
        return json.dumps(told).encode()

    def loads(self, raw: bytes) -> Any:
        return json.loads(raw)


class RedisOrMemory(RedisCache):
    """Redis, and while it is away the memory of this process: limits then count in each process by itself, so as many
    times what they allow gets through as there are processes."""

    away_until = 0.0  # of every thread's

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        plain = {name: told for name, told in params.items() if name != "OPTIONS"}
        self.memory = LocMemCache("redis-is-away", plain)
        patience = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "retry": Retry(NoBackoff(), 0)}
        super().__init__(server, params | {"OPTIONS": {"serializer": Json()} | patience})

    def either(self, name: str, *told: Any, **more: Any) -> Any:
        if time.monotonic() >= RedisOrMemory.away_until:
            try:
                return getattr(super(), name)(*told, **more)
            except (RedisError, OSError) as error:
                RedisOrMemory.away_until = time.monotonic() + AWAY
                log.warning("cache_without_redis", error=type(error).__name__)
        return getattr(self.memory, name)(*told, **more)

    def add(self, *told: Any, **more: Any) -> Any:
        return self.either("add", *told, **more)

    def get(self, *told: Any, **more: Any) -> Any:
        return self.either("get", *told, **more)

    def set(self, *told: Any, **more: Any) -> Any:
        return self.either("set", *told, **more)

    def touch(self, *told: Any, **more: Any) -> Any:
        return self.either("touch", *told, **more)

    def delete(self, *told: Any, **more: Any) -> Any:
        return self.either("delete", *told, **more)

    def get_many(self, *told: Any, **more: Any) -> Any:
        return self.either("get_many", *told, **more)

    def set_many(self, *told: Any, **more: Any) -> Any:
        return self.either("set_many", *told, **more)

    def delete_many(self, *told: Any, **more: Any) -> Any:
        return self.either("delete_many", *told, **more)

    def has_key(self, *told: Any, **more: Any) -> Any:
        return self.either("has_key", *told, **more)

    def incr(self, *told: Any, **more: Any) -> Any:
        return self.either("incr", *told, **more)

    def clear(self) -> None:
        """Only what is the cache's: Django would empty the whole database, with the jobs' queue in it."""
        self.memory.clear()
        try:
            client = self._cache.get_client(None, write=True)
            for key in client.scan_iter(match=f"{self.key_prefix}:*"):
                client.unlink(key)
        except (RedisError, OSError) as error:
            log.warning("cache_without_redis", error=type(error).__name__)
