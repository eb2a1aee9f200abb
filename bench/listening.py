"""Open desks, as light as they can be: streams of server-sent events over sockets, and when each event came."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import Any
from urllib.parse import urlsplit

import redis

from curation.events import TOPIC

LAST_WAIT = 10.0  # seconds for what is still on its way
Change = tuple[str, int]  # category, revision


@dataclass
class Heard:
    """When each desk heard of each change, by the machine's monotonic clock; `gaps`: how often desks were told that
    they missed something; `rung`: when Redis told of a change."""

    at: dict[Change, list[float]] = field(default_factory=dict)
    gaps: int = 0
    closed: int = 0
    rung: dict[Change, float] = field(default_factory=dict)


def listen(url: str, bell: str, cookies: Sequence[str], ready: Event, stop: Event, answers: Any) -> None:
    """What the process of all desks does: opens them, says that it is ready, and listens until it shall stop."""
    answers.put(asyncio.run(_listened(url, bell, cookies, ready, stop)))


async def _listened(url: str, bell: str, cookies: Sequence[str], ready: Event, stop: Event) -> Heard:
    heard, open_ones = Heard(), Counter[str]()
    desks = [asyncio.create_task(_desk(url, cookie, heard, open_ones)) for cookie in cookies]
    ear = asyncio.create_task(_ear(bell, heard))
    while open_ones["open"] < len(cookies):
        await asyncio.sleep(0.05)
    ready.set()
    while not stop.is_set():
        await asyncio.sleep(0.1)
    until = time.monotonic() + LAST_WAIT
    while time.monotonic() < until and any(len(times) < len(cookies) for times in heard.at.values()):
        await asyncio.sleep(0.1)
    for task in (*desks, ear):
        task.cancel()
    await asyncio.gather(*desks, ear, return_exceptions=True)
    return heard


async def _desk(url: str, cookie: str, heard: Heard, open_ones: Counter[str]) -> None:
    to = urlsplit(url)
    reader, writer = await asyncio.open_connection(to.hostname, to.port)
    asked = f"GET {to.path}?{to.query} HTTP/1.1\r\nHost: {to.netloc}\r\nCookie: sessionid={cookie}\r\n\r\n"
    writer.write(asked.encode())
    left = b""
    try:
        while chunk := await reader.read(65536):
            now = time.monotonic()
            *whole, left = (left + chunk).split(b"\n\n")
            for message in whole:
                _note(message, now, heard, open_ones)
        heard.closed += 1
    finally:
        writer.close()


def _note(message: bytes, now: float, heard: Heard, open_ones: Counter[str]) -> None:
    """One message, perhaps with the head of the answer or of a chunk before it."""
    if b"event: channel" in message:
        told = json.loads(message[message.index(b"data: ") + 6 :])
        heard.at.setdefault((told["category"], told["revision"]), []).append(now)
    elif b"event: open" in message:
        open_ones["open"] += 1
    elif b"event: gap" in message:
        heard.gaps += 1


async def _ear(bell: str, heard: Heard) -> None:
    """Beside the desks: what Redis tells."""
    async with redis.asyncio.Redis.from_url(bell) as client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
        await pubsub.subscribe(TOPIC)
        async for message in pubsub.listen():
            now, told = time.monotonic(), json.loads(message["data"])
            if told["event"] == "channel":
                heard.rung[told["category"], told["revision"]] = now
