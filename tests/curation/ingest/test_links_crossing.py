"""A link of a stored post, while that post is withdrawn or its author erased: nothing of it stays."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.utils import timezone

from curation import operations
from curation.ingest.links import Added, Adding, AuthorErased, PostGone, add
from curation.models import Candidate, IngestRun, Tweet
from curation.tombstones import bury
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Channel, User
from tests.cast import make_author, make_tweet
from tests.curation.ingest.test_crossing import Meanwhile, waits_for_a_lock

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
X_ID = 4_711_000_000_000


@pytest.fixture
def tweet() -> Tweet:
    """A stored post that X does not know."""
    return make_tweet("Aus dem Norden.", author=make_author("Stadtblatt_Nord", x_id=X_ID))


@pytest.fixture
def pasted(tweet: Tweet, ask: Door, anna: User, de_politics: Channel) -> Adding:
    return Adding(tweet.first_id, de_politics, anna, timezone.now(), ask)


def test_no_link_passes_a_tombstone(tweet: Tweet, ask: Door, anna: User, de_politics: Channel) -> None:
    """An erasure that has begun, and has not come to this post yet."""
    with transaction.atomic():
        bury(X_ID)
    with pytest.raises(AuthorErased):
        add(str(tweet.first_id), de_politics, by=anna, now=timezone.now(), ask=ask)
    assert (Candidate.objects.count(), IngestRun.objects.count()) == (0, 0)


def test_a_post_that_goes_meanwhile_is_asked_for_at_X(x: Simulator, tweet: Tweet, pasted: Adding) -> None:
    with transaction.atomic():
        operations.withdraw([tweet.pk], cause=Tweet.Gone.DELETED, now=timezone.now())
        adding = Meanwhile(pasted.whole)
        waits_for_a_lock()
    assert (type(adding.end()), Candidate.objects.count()) == (PostGone, 0)


class Slow(Adding):
    """Waits before its commit until it may go on."""

    offered = threading.Event()
    go_on = threading.Event()

    def _offered(self, *told: object) -> Added:
        added = super()._offered(*told)  # type: ignore[arg-type]
        self.offered.set()
        self.go_on.wait(10)
        return added


@pytest.fixture
def slow(pasted: Adding) -> Iterator[Slow]:
    Slow.offered.clear()
    Slow.go_on.clear()
    yield Slow(pasted.number, pasted.channel, pasted.by, pasted.now, pasted.ask)
    Slow.go_on.set()


def test_an_erasure_waits_for_a_link_and_takes_its_candidate(slow: Slow) -> None:
    adding = Meanwhile(slow.whole)
    assert slow.offered.wait(10)
    erasing = Meanwhile(lambda: operations.erase_author(X_ID, by=None, now=timezone.now()))
    waits_for_a_lock()
    slow.go_on.set()
    assert (type(adding.end()), erasing.end().withdrawn) == (Added, 1)
    told = Candidate.objects.values_list("state", "folded", "tweet__text", "tweet__gone_cause")
    assert list(told) == [("withdrawn", "", "", "erased")]
