"""The process that reads the stream, run in a thread of the test, with short times and an end that can be asked for."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

from django.db import connections
from django.utils import timezone

from curation.ingest.polling.poll import poll
from curation.ingest.streaming.allotments import Allotments
from curation.ingest.streaming.streamer import Streamer
from curation.models import Candidate, Cursor
from curation.x.client import Door
from curation.x.simulator import Simulator
from curation.x.stream import Times
from regions.models import Source

SHORT = Times(
    silence=0.6,
    gather=0.02,
    sync=0.05,
    review=0.3,
    heartbeat=0.1,
    late=0.3,
    ahead=0.05,
    standby=0.05,
    tcp_step=0.01,
    tcp_most=0.05,
    http_first=0.05,
    http_most=0.2,
    limited_first=0.1,
    limited_most=0.2,
    barred=0.5,
    window=3.0,
)


def eventually(true: Callable[[], Any], seconds: float = 8.0) -> Any:
    """Waits until it is true; its last value."""
    end = time.monotonic() + seconds
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


class End:
    """Asked for by the test instead of a signal."""

    def __init__(self) -> None:
        self.event = threading.Event()

    @property
    def asked(self) -> bool:
        return self.event.is_set()

    def wait(self, seconds: float) -> None:
        self.event.wait(max(0.0, seconds))


class Listening:
    """`with Listening(x): ...`; `error` is what its thread died of."""

    def __init__(self, x: Simulator, *, allotments: Allotments | None = None, token: str = "", **times: Any) -> None:
        self.end = End()
        self.error: Exception | None = None
        token = token or x.token
        self.streamer = Streamer(
            Door(x.base_url, token, read_seconds=2),
            x.base_url,
            token,
            stop=self.end,
            times=replace(SHORT, **times),
            allotments=allotments,
        )
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        try:
            self.streamer.run()
        except Exception as error:
            self.error = error
        finally:
            connections.close_all()

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.end.event.set()
        self.thread.join(15)
        assert not self.thread.is_alive()
        assert self.error is None, self.error

    @property
    def connected(self) -> bool:
        return self.streamer.connected


@contextmanager
def hearing(x: Simulator, **options: Any) -> Iterator[Listening]:
    """Yields when the stream is connected."""
    with Listening(x, **options) as listening:
        assert eventually(lambda: listening.connected), listening.error
        yield listening


def stored(source: Source | None = None) -> set[str]:
    """The ids of the posts that are candidates, of one source or of all."""
    found = Candidate.objects.filter(source=source) if source else Candidate.objects.all()
    return {str(number) for number in found.values_list("tweet__current_id", flat=True)}


def catch_up(x: Simulator, ask: Door, *sources: Source) -> None:
    """Searches until no gap is open."""
    for _ in range(10):
        for source in sources:
            now = timezone.now()
            Cursor.objects.filter(pk=source.pk).update(due_at=now)
            poll(source.pk, now=now, ask=ask)
        if not Cursor.objects.exclude(gap_floor_id=None).exists():
            return
    raise AssertionError(list(Cursor.objects.values()))
