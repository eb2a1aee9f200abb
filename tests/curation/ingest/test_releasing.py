"""Out of quarantine again: what was kept is enough to make the post that X sent, and of no one else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from curation import operations
from curation.ingest.storing.releasing import NotReleasable, StillRefused, refusal_of, release
from curation.models import Author, Candidate, IngestRun, Quarantined, Tweet
from curation.x.simulator import Simulator
from curation.x.wire import id_at
from regions.models import Change, Channel, Source, User
from tests.cast import make_author, make_block, make_tweet

pytestmark = pytest.mark.django_db
SourceOf = Callable[..., Source]
SEARCH = Source.Kind.SEARCH
QUERY = "Brücke lang:de"
WRITER = {"id": "5001", "username": "rathaus_lindmark", "name": "Rathaus Lindmark"}
STRANGER = {"id": "6001", "username": "fremd", "name": "Fremd"}
PICTURE = {"media_key": "3_77", "type": "photo", "url": "https://p.example/1.jpg", "width": 4, "height": 3}
OTHER_PICTURE = PICTURE | {"media_key": "3_78"}
AHEAD = timedelta(minutes=20)


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def payload_at(moment: datetime, **fields: Any) -> dict[str, Any]:
    told = {"id": str(id_at(moment)), "text": "Die Brücke ist offen.", "author_id": "5001", "lang": "de"}
    return told | {"attachments": {"media_keys": ["3_77"]}} | fields


def kept(source: Source, payload: Any, at: datetime, **fields: Any) -> Quarantined:
    run = IngestRun.objects.create(source=source, market=source.channels()[0].market, started_at=at)
    told = {"reason": "text is missing", "beside": {"users": [WRITER], "media": [PICTURE]}}
    return Quarantined.objects.create(run=run, payload=payload, at=at, **told | fields)


def test_what_came_beside_is_kept_with_it_and_nobody_elses(
    x: Simulator, source_of: SourceOf, read: Callable[..., IngestRun], now: datetime
) -> None:
    """Of a post from the future nothing is stored, until its time has come."""
    includes = {"users": [WRITER, STRANGER], "media": [PICTURE, OTHER_PICTURE], "tweets": [], "places": "x"}
    ahead = payload_at(now + AHEAD)
    x.fail("/2/tweets/search/recent", status=200, body={"data": [ahead], "includes": includes, "meta": {}})
    read(source_of(SEARCH, QUERY))
    row = Quarantined.objects.get()
    assert (row.payload, row.beside) == (ahead, {"users": [WRITER], "media": [PICTURE]})


def test_what_a_repost_repeats_keeps_its_own_author(
    x: Simulator, source_of: SourceOf, read: Callable[..., IngestRun], now: datetime
) -> None:
    original = payload_at(now - 2 * AHEAD, author_id="6001", text=None)
    repost = payload_at(now - AHEAD, referenced_tweets=[{"type": "retweeted", "id": original["id"]}])
    includes = {"users": [WRITER, STRANGER], "media": [PICTURE], "tweets": [original]}
    x.fail("/2/tweets/search/recent", status=200, body={"data": [repost], "includes": includes, "meta": {}})
    read(source_of(SEARCH, QUERY))
    row = Quarantined.objects.get()
    assert (row.payload, row.beside) == (original, {"users": [STRANGER], "media": [PICTURE]})


def test_a_released_post_is_as_its_source_would_have_brought_it(
    x: Simulator, source_of: SourceOf, read: Callable[..., IngestRun], lena: User, now: datetime
) -> None:
    includes = {"users": [WRITER], "media": [PICTURE]}
    ahead, source = payload_at(now + AHEAD), source_of(SEARCH, QUERY)
    x.fail("/2/tweets/search/recent", status=200, body={"data": [ahead], "includes": includes, "meta": {}})
    run = read(source)
    row = Quarantined.objects.get()
    later = now + 2 * AHEAD
    released = release(row, by=lena, now=later)
    candidate = Candidate.objects.select_related("tweet__author").get()
    tweet = candidate.tweet
    assert (released.candidates, released.blocked) == (1, 0)
    assert (candidate.state, candidate.source, candidate.arrived_at) == ("pending", source, later)
    assert tweet.author is not None
    assert (tweet.text, tweet.author.username) == ("Die Brücke ist offen.", "rathaus_lindmark")
    assert [medium["url"] for medium in tweet.wire["media"]] == ["https://p.example/1.jpg"]
    assert (tweet.checked_at, tweet.fetched_at, tweet.author.fetched_at) == (row.at, row.at, row.at)
    assert (Quarantined.objects.count(), run.market) == (0, source.channels()[0].market)
    change = Change.objects.get(noun="quarantined")
    assert (change.verb, change.by, change.market, change.before, change.after) == (
        "release", lena, run.market, {"reason": "its id is from the future"}, {"candidates": 1, "blocked": 0},
    )  # fmt: skip


def test_blocks_take_it_as_any_arrival(source_of: SourceOf, lena: User, now: datetime) -> None:
    make_block("brücke")
    released = release(kept(source_of(SEARCH, QUERY), payload_at(now - AHEAD), now), by=lena, now=now)
    assert (released.candidates, released.blocked, Candidate.objects.get().state) == (1, 1, "blocked")


@pytest.mark.parametrize("payload", [{"text": None}, {"id": "x"}, {"created_at": "soon"}])
def test_what_is_still_not_understood_stays(
    source_of: SourceOf, lena: User, now: datetime, payload: dict[str, Any]
) -> None:
    row = kept(source_of(SEARCH, QUERY), payload_at(now - AHEAD, **payload), now)
    with pytest.raises(StillRefused) as refused:
        release(row, by=lena, now=now)
    assert str(refused.value.detail).startswith("It is still refused: ")
    assert (Quarantined.objects.get(), Tweet.objects.count(), Change.objects.filter(noun="quarantined").count()) == (
        row, 0, 0,
    )  # fmt: skip


REFUSING = """
CREATE FUNCTION refuse_bridge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
IF NEW.text LIKE '%Brücke%' THEN RAISE EXCEPTION 'refused' USING ERRCODE = '23514'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON curation_tweet FOR EACH ROW EXECUTE FUNCTION refuse_bridge()"""


def test_what_the_database_still_refuses_stays(source_of: SourceOf, lena: User, now: datetime) -> None:
    """Undone with the test's transaction."""
    row = kept(source_of(SEARCH, QUERY), payload_at(now - AHEAD), now)
    with connection.cursor() as cursor:
        cursor.execute(REFUSING)
    assert refusal_of(row, lena, now) is None
    with pytest.raises(StillRefused) as refused:
        release(row, by=lena, now=now)
    assert refused.value.detail == "It is still refused: our database refuses it (IntegrityError)."
    assert (Quarantined.objects.get(), Tweet.objects.count(), Author.objects.count()) == (row, 0, 0)


def test_one_from_before_is_never_shown_without_what_belongs_to_it(
    source_of: SourceOf, lena: User, now: datetime
) -> None:
    row = kept(source_of(SEARCH, QUERY), payload_at(now - AHEAD), now, beside=None)
    with pytest.raises(NotReleasable) as refused:
        release(row, by=lena, now=now)
    assert str(refused.value.detail) == (
        "Its author and pictures were not kept then, and without them it is not X's post."
    )
    assert Quarantined.objects.get() == row


def test_whose_author_neither_page_nor_table_knows_waits_for_x(source_of: SourceOf, lena: User, now: datetime) -> None:
    row = kept(source_of(SEARCH, QUERY), payload_at(now - AHEAD), now, beside={"users": [STRANGER]})
    assert isinstance(refusal_of(row, lena, now), NotReleasable)
    make_author("rathaus_lindmark", x_id=5001)
    assert refusal_of(row, lena, now) is None


@pytest.mark.parametrize("kind", ["link", "recheck", "compliance", "stream"])
def test_what_no_source_brought_says_what_to_do(lena: User, de_politics: Channel, now: datetime, kind: str) -> None:
    run = IngestRun.objects.create(kind=kind, market=de_politics.market)
    row = Quarantined.objects.create(run=run, reason="text is missing", payload=payload_at(now), beside={})
    told = {str(refusal.detail) for refusal in [refusal_of(row, lena, now)] if refusal}
    assert len(told) == 1
    assert told != {"It came from no source."}


def test_a_post_that_came_meanwhile_stays_as_it_is(source_of: SourceOf, lena: User, now: datetime) -> None:
    payload = payload_at(now - AHEAD)
    tweet = make_tweet("Neuer Text.", first_id=int(payload["id"]), checked_at=now)
    released = release(kept(source_of(SEARCH, QUERY), payload, now - AHEAD), by=lena, now=now)
    assert (released.candidates, Tweet.objects.get().text, Candidate.objects.get().tweet) == (1, "Neuer Text.", tweet)


def test_a_post_that_is_gone_meanwhile_does_not_come_back(source_of: SourceOf, lena: User, now: datetime) -> None:
    payload = payload_at(now - AHEAD)
    make_tweet(first_id=int(payload["id"]), gone_at=now, gone_cause="deleted")
    with pytest.raises(NotReleasable):
        release(kept(source_of(SEARCH, QUERY), payload, now - AHEAD), by=lena, now=now)
    assert (Candidate.objects.count(), Quarantined.objects.count()) == (0, 1)


def test_an_older_name_takes_no_newer_ones_place(source_of: SourceOf, lena: User, now: datetime) -> None:
    make_author("rathaus_lindmark_neu", x_id=5001, fetched_at=now)
    release(kept(source_of(SEARCH, QUERY), payload_at(now - AHEAD), now - AHEAD), by=lena, now=now)
    assert Author.objects.get().username == "rathaus_lindmark_neu"


def test_an_erased_author_stays_erased(source_of: SourceOf, lena: User, now: datetime) -> None:
    make_author("rathaus_lindmark", x_id=5001)
    source = source_of(SEARCH, QUERY)
    operations.erase_author(5001, by=lena, now=now)
    row = kept(source, payload_at(now - AHEAD), now)
    with pytest.raises(NotReleasable) as refused:
        release(row, by=lena, now=now)
    assert "asked to be erased" in str(refused.value.detail)
    assert (Tweet.objects.count(), Author.objects.count()) == (0, 0)


def test_an_erasure_finds_the_author_beside_a_payload(source_of: SourceOf, lena: User, now: datetime) -> None:
    source = source_of(SEARCH, QUERY)
    kept(source, payload_at(now - AHEAD, author_id=None), now)
    other = kept(source, payload_at(now, author_id=None), now, beside={"users": [STRANGER]})
    make_author("rathaus_lindmark", x_id=5001)
    operations.erase_author(5001, by=lena, now=now)
    assert Quarantined.objects.get() == other


def test_what_feeds_other_markets_too_is_for_chiefs(
    source_of: SourceOf, lena: User, chief: User, now: datetime
) -> None:
    row = kept(source_of(SEARCH, QUERY, scope=None), payload_at(now - AHEAD), now)
    with pytest.raises(NotReleasable) as refused:
        release(row, by=lena, now=now)
    assert str(refused.value.detail) == "Its source feeds other markets too: a chief may release it."
    assert (Candidate.objects.count(), Quarantined.objects.get()) == (0, row)
    assert release(row, by=chief, now=now).candidates == Channel.objects.active().count()


def test_it_is_released_once(source_of: SourceOf, lena: User, now: datetime) -> None:
    row = kept(source_of(SEARCH, QUERY), payload_at(now - AHEAD), now)
    release(row, by=lena, now=now)
    with pytest.raises(NotReleasable) as refused:
        release(Quarantined(pk=row.pk, run=row.run, payload=row.payload, beside=row.beside, at=now), by=lena, now=now)
    assert str(refused.value.detail) == "It is not in quarantine any more."
