"""Two hundred forced disconnects of all kinds: no gap after catch-up, never more connects than X allows."""

import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from curation.ingest.polling import leases
from curation.models import Candidate, Cursor, IngestRun
from curation.x.client import Door
from curation.x.simulator import Simulator
from curation.x.wire import instant_of_id
from regions.models import Channel, Source
from tests.curation.ingest.listening import Listening, catch_up, eventually, stored

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
BREAKS = ("close", "reset", "cut", "disconnect", "silence")
BESIDE = ("garbage", "unknown", "again", "duplicates", "disorder", "bare_rules")
DISCONNECTS = 200
WINDOW = 15.0  # seconds, for X's fifteen minutes


def most_in_a_window(times: list[float], seconds: float) -> int:
    """The most connects that lie within so many seconds of each other."""
    return max(sum(begun <= one < begun + seconds for one in times) for begun in times)


def test_two_hundred_disconnects(de_politics: Channel, capsys: Any) -> None:
    chance = random.Random(11)
    with Simulator(rate=0, catalogue=0, keep_alive=0.1, window_seconds=WINDOW) as x:
        for name in ("rathaus", "stadtblatt"):
            x.account(name, category="politics", language="de")
        made = Source.objects.create
        sources = [made(kind="stream", value=f"from:{one}", channel=de_politics) for one in ("rathaus", "stadtblatt")]
        leases.add_missing_cursors()
        counted = counting(x)
        began = time.monotonic()
        with Listening(x, window=WINDOW, silence=0.4, review=5.0) as listening:
            forced = 0
            assert eventually(lambda: listening.connected)
            while forced < DISCONNECTS:
                for _ in range(chance.randrange(3)):
                    x.break_stream(chance.choice(BESIDE))
                post(x, chance)
                before = ended()
                if not x.break_stream(chance.choice(BREAKS)):
                    time.sleep(0.05)  # it ended by itself a moment ago
                    continue
                forced += 1
                post(x, chance)
                assert eventually(lambda before=before: ended() > before, 10), forced
                x.mend()
                post(x, chance)
                assert eventually(lambda: listening.connected, 3 * WINDOW), forced
        door = Door(x.base_url, x.token)
        catch_up(x, door, *sources)
        truth = {number for numbers in x.truth().values() for number in numbers}
        refused = IngestRun.objects.filter(source=None, outcome="waiting").count()
        most = most_in_a_window(counted, WINDOW)
    with capsys.disabled():
        seconds = time.monotonic() - began
        print(f"\n{ended()} disconnects, {len(truth)} posts, at most {most} connects a window, {seconds:.0f} s")
    missed = {number: str(instant_of_id(int(number))) for number in truth - stored()}
    runs = list(IngestRun.objects.filter(source=None).order_by("pk").values_list("started_at", "ended_at", "error"))
    near = [
        (
            number,
            at,
            [f"{a} {b} {c}" for a, b, c in runs if b and abs((b - instant_of_id(int(number))).total_seconds()) < 2],
        )
        for number, at in missed.items()
    ]
    assert not missed, near
    assert (stored(), Candidate.objects.count()) == (truth, len(truth))
    assert (ended() >= DISCONNECTS, most <= 45, refused) == (True, True, 0)
    assert not Cursor.objects.exclude(gap_floor_id=None).exists()


def counting(x: Simulator) -> list[float]:
    """When the simulator counted a connect to the stream; filled as it runs."""
    counted: list[float] = []
    take: Callable[[str, int], Any] = x.windows.take

    def taken(key: str, limit: int) -> Any:
        if key == "GET /2/tweets/search/stream":
            counted.append(time.monotonic())
        return take(key, limit)

    x.windows.take = taken  # type: ignore[method-assign]
    return counted


def post(x: Simulator, chance: random.Random) -> None:
    for n in range(chance.randrange(1, 4)):
        x.post(chance.choice(("rathaus", "stadtblatt")), f"Nummer {n} von heute.")


def ended() -> int:
    return IngestRun.objects.filter(source=None).exclude(outcome="running").count()
