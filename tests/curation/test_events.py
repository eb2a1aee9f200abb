"""Open browsers hear of decisions through the real events process, if they may."""

import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from curation import events, operations
from curation.config.demo.ports import free_port
from curation.events.serving import Hub
from regions.models import Channel, Membership, User
from tests.cast import make_candidate

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
ORIGIN = "http://localhost:8000"


def database_url() -> str:
    """The test database, for another process."""
    told = connection.settings_dict
    return f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"


@pytest.fixture
def events_url(transactional_db: None) -> Iterator[str]:
    """The events process as production runs it, on a free port."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "asgi",
        "--port",
        str(port),
        "--workers-kill-timeout",
        "2",
    ]
    environment = os.environ | {"DATABASE_URL": database_url(), "CONSOLE_URL": ORIGIN}
    process = subprocess.Popen([*command, "curation.config.asgi:application"], cwd=ROOT, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/livez")
        yield f"http://127.0.0.1:{port}/events/?market=de"
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str) -> None:
    for _ in range(150):
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


def listen(url: str, client: Client, origin: str = ORIGIN) -> HTTPResponse:
    cookie = f"sessionid={client.cookies['sessionid'].value}" if "sessionid" in client.cookies else ""
    request = urllib.request.Request(url, headers={"Cookie": cookie, "Origin": origin})
    stream: HTTPResponse = urllib.request.urlopen(request, timeout=15)
    assert next_event(stream)[0] == "open"
    return stream


def next_event(stream: HTTPResponse) -> tuple[str, dict[str, Any]]:
    """The next event of a stream, beats left out."""
    deadline = time.monotonic() + 30
    while (line := stream.readline().decode()) and time.monotonic() < deadline:
        if line.startswith("event: "):
            return line[7:].strip(), json.loads(stream.readline().decode()[6:])
    raise AssertionError("the stream ended")


def test_a_decision_reaches_those_who_may_read(events_url: str, browse: Any, anna: User, ben: User, bram: User) -> None:
    channel = Channel.objects.get(market__code="de", category__slug="politics")
    stream = listen(events_url, browse(ben))
    operations.approve(make_candidate(channel), by=anna, version=1)
    heard = [next_event(stream) for _ in range(3)]
    assert heard[0] == ("channel", {"market": "de", "category": "politics", "revision": 1})
    assert {(event, told["category"]) for event, told in heard[1:]} == {("feed", "politics"), ("feed", None)}
    for stranger in (browse(bram), browse()):
        with pytest.raises(urllib.error.HTTPError) as refused:
            listen(events_url, stranger)
        assert refused.value.code == 403


def test_another_origin_may_not_listen(events_url: str, browse: Any, ben: User) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        listen(events_url, browse(ben), origin="https://elsewhere.example")
    assert refused.value.code == 404


def test_a_removed_role_ends_the_stream_and_nothing_waits_for_the_look(events_url: str, browse: Any, ben: User) -> None:
    """Rights are looked at every ten seconds; here that look waits for a lock, and what happens is told meanwhile."""
    stream = listen(events_url, browse(ben))
    opened = time.monotonic()
    assert heard_until(opened + 9, stream) is None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE regions_membership")
        assert heard_until(opened + 12, stream) is None
        Membership.objects.filter(user=ben).delete()
    assert heard_until(opened + 20, stream) == "closed"


def heard_until(end: float, stream: HTTPResponse) -> str | None:
    """Tells and hears again and again, each within a second; the first event of another kind, if one comes."""
    while (began := time.monotonic()) < end:
        events.tell("arrivals", "de", {"category": "politics"})
        event, _told = next_event(stream)
        if event != "arrivals":
            return event
        assert time.monotonic() - began < 1
        time.sleep(0.05)
    return None


def test_a_decision_does_not_wait_for_redis_that_is_away(anna: User, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = Channel.objects.get(market__code="de", category__slug="politics")
    bell = events.Doorbell(f"redis://127.0.0.1:{free_port()}/0")
    monkeypatch.setattr(events, "doorbell", lambda: bell)
    started = time.monotonic()
    for _ in range(3):
        operations.approve(make_candidate(channel), by=anna, version=1)
    assert bell.resting_until > 0
    assert time.monotonic() - started < 2


def test_news_of_a_market_go_to_its_readers_alone() -> None:
    async def heard() -> list[int]:
        hub = Hub(f"redis://127.0.0.1:{free_port()}/0")
        readers = [hub.open("de"), hub.open("de"), hub.open("nl")]
        hub.hand_out(json.dumps({"event": "channel", "market": "de", "category": "politics"}))
        return [reader.qsize() for reader in readers]

    with ThreadPoolExecutor(1) as aside:  # browser tests leave a loop behind in the main thread
        assert aside.submit(lambda: asyncio.run(heard())).result() == [1, 1, 0]
