"""Tells open browsers what changed, through Redis. A lost message costs nothing: pages ask again by revision.

Messages, one JSON object each: {"event", "market", ...}
  channel   a decision changed a channel: category, revision
  arrivals  candidates came in: category
  feed      a feed was published: category (null: the market's), snapshot
  presence  who ({id, name, initials}) looks at which candidate, 0 for none any more"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import redis
import structlog
from django.conf import settings
from django.db import transaction

from regions.models import Channel
from regions.signals import channel_changed

TOPIC = "tickerdesk:events"
PATIENCE = 0.3  # seconds an editor's request may wait for Redis
REST = 5.0  # seconds without trying, after Redis did not answer
log = structlog.get_logger(__name__)


class Doorbell:
    """Redis, which may be away: then nothing is said for REST seconds, and nobody waits."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        self.resting_until = 0.0

    def ring(self, messages: list[str]) -> None:
        if time.monotonic() < self.resting_until:
            return
        try:
            with self.client.pipeline(transaction=False) as pipe:
                for message in messages:
                    pipe.publish(TOPIC, message)
                pipe.execute()
        except redis.RedisError as error:
            self.resting_until = time.monotonic() + REST
            log.warning("browsers_not_told", error=type(error).__name__)


@lru_cache(maxsize=1)
def doorbell() -> Doorbell:
    return Doorbell(settings.REDIS_URL)


def tell(event: str, market: str, *told: dict[str, Any]) -> None:
    """Tells the open browsers of a market, by its code; one message for each of `told`."""
    doorbell().ring([json.dumps({"event": event, "market": market} | one) for one in told])


def arrived(channel_ids: Iterable[int]) -> None:
    """New candidates came into these channels; to be called in the transaction that stores them."""
    ids = sorted(set(channel_ids))
    if ids:
        transaction.on_commit(lambda: _tell_of_channels("arrivals", ids), robust=True)


def listen() -> None:
    """Connects to the house's one signal."""
    channel_changed.connect(_on_channel_changed, dispatch_uid="curation.events")


def _on_channel_changed(sender: Any, channels: list[int], **_kwargs: Any) -> None:
    transaction.on_commit(lambda: _tell_of_channels("channel", channels), robust=True)


def _tell_of_channels(event: str, ids: list[int]) -> None:
    rows = Channel.objects.filter(pk__in=ids).values_list("market__code", "category__slug", "revision")
    doorbell().ring(
        [
            json.dumps({"event": event, "market": market, "category": category, "revision": revision})
            for market, category, revision in rows
        ]
    )
