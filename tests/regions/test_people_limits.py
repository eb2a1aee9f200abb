"""Attempts are counted in Redis for all processes, and sign-up is closed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from django.conf import settings as given
from django.core.cache import cache, caches
from django.test import Client
from pytest_django import Settings

from curation.config.caching import RedisOrMemory
from regions.models import User

pytestmark = pytest.mark.django_db
LOG_IN = "/accounts/login/"


@pytest.fixture(autouse=True)
def nobody_tried_before() -> Iterator[None]:
    cache.clear()
    yield
    RedisOrMemory.away_until = 0.0
    cache.clear()


def another_process() -> RedisOrMemory:
    told = dict(given.CACHES["default"])
    told.pop("BACKEND")
    return RedisOrMemory(told.pop("LOCATION"), told)


def attempts(count: int, client: Client | None = None) -> list[int]:
    client = client or Client()
    return [client.post(LOG_IN, {"login": "anna", "password": f"guess {n}"}).status_code for n in range(count)]


def test_attempts_are_counted_in_redis(anna: User) -> None:
    attempts(2)
    server = redis.Redis.from_url(given.REDIS_URL)
    keys = [key.decode() for key in server.scan_iter(match="tickerdesk:*login*")]
    assert len(keys) >= 2
    names = [key.removeprefix("tickerdesk:1:") for key in keys]
    assert max(len(another_process().get(name)) for name in names) == 2
    assert all(server.ttl(key) > 0 for key in keys)


def test_too_many_are_refused_whoever_answers(anna: User) -> None:
    assert attempts(8)[-1] == 200
    caches.close_all()
    answers = attempts(30)
    assert 429 in answers
    assert Client().post(LOG_IN, {"login": "anna", "password": "anna"}).status_code == 429


def test_clearing_leaves_what_is_not_the_caches(db: None) -> None:
    server = redis.Redis.from_url(given.REDIS_URL)
    server.rpush("celery-of-somebody", "a job")
    cache.set("mine", [1.5])
    assert another_process().get("mine") == [1.5]
    cache.clear()
    assert (cache.get("mine"), server.llen("celery-of-somebody")) == (None, 1)
    server.delete("celery-of-somebody")


def test_without_redis_people_log_in_and_are_counted_all_the_same(anna: User, settings: Settings) -> None:
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    began = time.monotonic()
    client = Client()
    assert client.post(LOG_IN, {"login": "anna", "password": "anna"}).status_code == 302
    assert client.get("/desk/de/").status_code == 200
    assert time.monotonic() - began < 8
    assert 429 in attempts(40)


def test_nobody_signs_up_uninvited(browse: Any) -> None:
    sent = {"username": "nora", "password1": "a-long-word-of-hers", "password2": "a-long-word-of-hers"}
    page = Client().get("/accounts/signup/")
    assert (page.status_code, "<input" in page.content.decode().split("tongues")[0]) == (200, False)
    Client().post("/accounts/signup/", sent)
    assert User.objects.count() == 0
