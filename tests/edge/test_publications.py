"""What editors and chiefs do, as the edge serves it: from files alone, whole and at once."""

from __future__ import annotations

import time

from curation import operations
from curation.config.demo.program import eventually
from curation.models import Candidate
from feeds.models import Consumer
from feeds.operations import open_consumer, publish, revoke
from regions.models import Channel, User
from tests.edge.asking import ask
from tests.edge.nginx import Edge
from tests.edge.reading import Reader, disagreeing
from tests.feeds.conftest import committed

FEED, MARKET = "/api/v1/feeds/de/politics/", "/api/v1/feeds/de/"
PUBLICATIONS = 40


@committed
def test_a_key_works_from_its_commit_to_its_end(politics: Channel, edge: Edge) -> None:
    consumer = open_consumer("Widget", by=None)
    path = f"{FEED}?key={consumer.key}"
    assert "Die Brücke steht" in ask(edge, path).text
    revoke(consumer, by=None)
    revoked = time.monotonic()
    assert eventually(lambda: ask(edge, path).status == 403, 1)
    assert time.monotonic() - revoked < 1
    assert ask(edge, FEED).status == 200


@committed
def test_what_is_blocked_is_off_the_served_files_at_once(politics: Channel, edge: Edge, lena: User) -> None:
    key = open_consumer("Widget", by=None).key
    candidate = Candidate.objects.get(channel=politics)
    post = str(candidate.tweet.current_id)
    paths = [f"{place}{query}" for place in (FEED, MARKET) for query in ("", f"?key={key}")]
    assert all(f'"id":"{post}","url"' in ask(edge, path).text for path in paths)
    operations.block(candidate, by=lena, version=1)
    blocked = time.monotonic()
    assert eventually(lambda: not any(f'"id":"{post}","url"' in ask(edge, path).text for path in paths), 5)
    assert time.monotonic() - blocked < 5
    assert all(f'"removed":[{{"id":"{post}"' in ask(edge, path).text for path in paths)


@committed
def test_readers_see_whole_feeds_that_only_go_forward(politics: Channel, edge: Edge) -> None:
    """Ten minutes of it: tests/soak/test_edge.py."""
    key = open_consumer("Widget", by=None).key
    candidate = Candidate.objects.get(channel=politics)
    readers = [Reader(edge, path, pause=0.005) for path in (FEED, f"{FEED}?key={key}", MARKET, MARKET)]
    for one in readers:
        one.__enter__()
    for n in range(PUBLICATIONS):
        Candidate.objects.filter(pk=candidate.pk).update(context="Zeile " * (n % 7) + str(n))
        publish(politics.market_id)
    for one in readers:
        one.__exit__()
    assert [one.wrong for one in readers] == [[]] * 4
    assert disagreeing(readers) == []
    assert all(len(one.bodies) > PUBLICATIONS / 4 and one.known > 3 for one in readers), "they saw it happen"
    assert Consumer.objects.active().count() == 1
