"""The events process: server-sent events to open browsers, with one Redis subscription for all of them.

A page that cannot have it polls. Each stream looks at its reader's rights again every RECHECK seconds."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

import redis.asyncio
import structlog
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError, close_old_connections
from django.http import Http404, HttpRequest
from redis import RedisError

from curation.events import TOPIC
from regions.permissions import market_for

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

RECHECK = 10.0  # seconds; also the beat that keeps proxies from closing the stream
PATIENCE = 2.0  # seconds in which Redis confirms
BEAT = ": beat\n\n"
BACKLOG = 100  # messages a slow browser may be behind before it is told of a gap
log = structlog.get_logger(__name__)


class Hub:
    """Who listens to which market, and the subscription that feeds them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.readers: dict[str, set[asyncio.Queue[str]]] = defaultdict(set)
        self.task: asyncio.Task[None] | None = None
        self.hears = asyncio.Event()  # Redis has confirmed the subscription
        self.late = False  # whether something may have been missed when it confirms the next one

    def open(self, market: str) -> asyncio.Queue[str]:
        if self.task is None or self.task.done():
            self.task = asyncio.get_running_loop().create_task(self.run())
        queue: asyncio.Queue[str] = asyncio.Queue(BACKLOG)
        self.readers[market].add(queue)
        return queue

    def close(self, market: str, queue: asyncio.Queue[str]) -> None:
        self.readers[market].discard(queue)

    async def run(self) -> None:
        """Reads Redis for ever. After a break every page is told of the gap, and asks what it missed."""
        while True:
            try:
                async with (
                    redis.asyncio.Redis.from_url(self.url, socket_connect_timeout=2) as client,
                    client.pubsub() as pubsub,
                ):
                    await pubsub.subscribe(TOPIC)
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            self.hand_out(message["data"].decode())
                        elif message["type"] == "subscribe":
                            self.begin()
            except (RedisError, OSError) as error:
                log.warning("redis_lost", error=type(error).__name__)
            self.late = True
            self.hears.clear()
            await asyncio.sleep(1)

    def begin(self) -> None:
        if self.late:
            self.tell_of_gap()
        self.late = True
        self.hears.set()

    async def hearing(self) -> None:
        """Waits until what happens is heard, a moment at most; whoever did not wait long enough is told of a gap."""
        try:
            await asyncio.wait_for(self.hears.wait(), PATIENCE)
        except TimeoutError:
            self.late = True

    def hand_out(self, raw: str) -> None:
        told = json.loads(raw)
        event, market = told.pop("event"), told["market"]
        for queue in self.readers[market]:
            put(queue, frame(event, told))

    def tell_of_gap(self) -> None:
        for market, queues in self.readers.items():
            for queue in queues:
                put(queue, frame("gap", {"market": market}))


def put(queue: asyncio.Queue[str], message: str) -> None:
    """A reader too slow to keep up loses its backlog and is told of a gap instead."""
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
        message = frame("gap", {})
    queue.put_nowait(message)


def frame(event: str, told: dict[str, Any]) -> str:
    return f"event: {event}\ndata: {json.dumps(told)}\n\n"


hub = Hub(settings.REDIS_URL)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI: GET /events/?market=de with the console's session cookie."""
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["type"] != "http":
        return None
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    market = parse_qs(scope["query_string"].decode("latin-1")).get("market", [""])[0]
    allowed = origin_headers(headers.get("origin", ""))
    if scope["path"] == "/livez":
        return await answer(send, 200, [])
    if scope["path"].rstrip("/") != "/events" or scope["method"] != "GET" or allowed is None:
        return await answer(send, 404, [])
    if not await may_listen(headers.get("cookie", ""), market):
        return await answer(send, 403, allowed)
    return await stream(headers.get("cookie", ""), market, allowed, receive, send)


async def lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


def origin_headers(origin: str) -> list[tuple[bytes, bytes]] | None:
    """CORS for exactly the console's origins; None for a foreign one."""
    if not origin:
        return []
    if origin not in settings.CONSOLE_ORIGINS:
        return None
    return [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-allow-credentials", b"true"),
        (b"vary", b"Origin"),
    ]


async def answer(send: Send, status: int, headers: list[tuple[bytes, bytes]]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*headers, (b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def stream(cookie: str, market: str, allowed: list[tuple[bytes, bytes]], receive: Receive, send: Send) -> None:
    """Sends what happens until the browser leaves or its reader may not read any more."""
    queue = hub.open(market)
    gone = asyncio.ensure_future(left(receive))
    watched = asyncio.ensure_future(watch(cookie, market, queue))
    head = [
        (b"content-type", b"text/event-stream"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
    ]
    try:
        await send({"type": "http.response.start", "status": 200, "headers": [*head, *allowed]})
        await hub.hearing()  # so that nothing is missed between "open" and the first message
        await write(send, "retry: 2000\n\n" + frame("open", {"market": market}))
        while not gone.done() and not watched.done():
            await write(send, await next_message(queue))
        if watched.done() and not watched.result():
            await write(send, frame("closed", {"market": market}))
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except (OSError, RuntimeError):
        return  # the browser is away
    finally:
        gone.cancel()
        watched.cancel()
        hub.close(market, queue)


async def watch(cookie: str, market: str, queue: asyncio.Queue[str]) -> bool:
    """Looks again and again whether the reader may still read, beside what is sent: with a thousand open desks the
    looks take seconds, and news must not wait for them. Ends with False when the reader may not, and with True when
    nobody can tell, so that the browser comes back and asks; both wake the stream."""
    try:
        while True:
            await asyncio.sleep(RECHECK)
            if not await may_listen(cookie, market):
                return False
    except DatabaseError:
        return True
    finally:
        put(queue, BEAT)


async def next_message(queue: asyncio.Queue[str]) -> str:
    try:
        return await asyncio.wait_for(queue.get(), RECHECK)
    except TimeoutError:
        return BEAT


async def write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@sync_to_async
def may_listen(cookie: str, market: str) -> bool:
    """Whether the session of a cookie may read a market now."""
    close_old_connections()
    try:
        request = HttpRequest()
        morsel = SimpleCookie(cookie).get(settings.SESSION_COOKIE_NAME)
        store = import_module(settings.SESSION_ENGINE).SessionStore
        request.session = store(morsel.value if morsel else None)
        market_for(get_user(request), market)
    except Http404:
        return False
    finally:
        close_old_connections()
    return True
