"""nginx over FEED_ROOT while five publications a second run, for minutes: none torn, none older, one body an ETag.

Beside whoever commits, another thread mends the edge as the publisher does, so that two writers meet at each file.
SOAK_EDGE_SECONDS changes the time; SOAK=long takes ten minutes, SOAK=short one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from django.db import connection

from curation.models import Candidate
from feeds.operations import mend_edge, open_consumer, publish
from regions.models import Channel
from tests.cast import channel_of, make_candidate
from tests.edge.conftest import edge, feed_root, feeds_folder, nginx_here, politics  # noqa: F401  fixtures
from tests.edge.nginx import Edge
from tests.edge.reading import Reader, disagreeing
from tests.soak.sizes import sized

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
SECONDS = float(sized("SOAK_EDGE_SECONDS", short=60, whole=180, long=600))
A_SECOND = 5
FEEDS = "/api/v1/feeds"


def test_readers_see_whole_feeds_that_only_go_forward(
    politics: Channel,  # noqa: F811
    edge: Edge,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    key = open_consumer("Widget", by=None).key
    places = ("de/politics/", f"de/politics/?key={key}", "de/", f"de/?key={key}", "nl/")
    readers = [Reader(edge, f"{FEEDS}/{place}", pause=0.03) for place in (*places, *places[:3])]
    with ExitStack() as stack:
        stack.enter_context(mending())
        for one in readers:
            stack.enter_context(one)
        published = publications([politics, channel_of("nl", "sport")])
    with capsys.disabled():
        asked, known = sum(one.answers for one in readers), sum(one.known for one in readers)
        print(f"\n{published} publications in {SECONDS:.0f} s; {asked} answers, {known} of them 304")
    assert [one.wrong for one in readers] == [[]] * len(readers)
    assert disagreeing(readers) == []
    assert published > 0.8 * A_SECOND * SECONDS
    assert all(len(one.bodies) > published / 8 for one in readers), "they saw it happen"


def publications(channels: list[Channel]) -> int:
    """Posts come and go, and words change; returns how many snapshots were made."""
    began, made, turn = time.monotonic(), 0, 0
    while time.monotonic() < began + SECONDS:
        channel, turn = channels[turn % len(channels)], turn + 1
        newest = Candidate.objects.filter(channel=channel, state="approved").latest("approved_at", "pk")
        Candidate.objects.filter(pk=newest.pk).update(context="Zeile " * (turn % 11) + str(turn))
        if turn % 20 < 2:
            make_candidate(channel, f"Nachricht {turn} aus Lindmark", state="approved")
        made += bool(publish(channel.market_id))
        time.sleep(max(0.0, began + turn / A_SECOND - time.monotonic()))
    return made


@contextmanager
def mending() -> Iterator[None]:
    stop = threading.Event()

    def mend() -> None:
        while not stop.wait(0.2):
            mend_edge()
        connection.close()

    thread = threading.Thread(target=mend)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
