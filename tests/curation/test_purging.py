"""Keep the reason, purge the text: what no market needs any more is emptied, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from curation import operations
from curation.models import Author, Candidate, Decision, Hit, IngestRun, Quarantined, Tweet
from curation.operations import purging
from regions.models import Channel, Market, User
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
FULL = {
    "raw": {"text": "roh"},
    "metrics": {"likes": 7},
    "previous_text": "Vorher.",
    "lang_guess": "de",
}


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def aged(channel: Channel, days: float, state: str = "blocked", **fields: Any) -> Candidate:
    """A candidate of a full tweet that X gave so many days ago."""
    then = timezone.now() - days * DAY
    tweet = make_tweet(fetched_at=then, created_at=then, **FULL)
    fields = {"approved_at": then} | fields if state == "approved" else fields
    return make_candidate(channel, tweet=tweet, state=state, alike=[1, 2], **fields)


def is_empty(candidate: Candidate) -> bool:
    tweet = Tweet.objects.get(pk=candidate.tweet_id)
    return tweet.purged_at is not None


@pytest.mark.parametrize("state", ["blocked", "lapsed", "withdrawn"])
def test_what_is_decided_loses_its_words_when_the_term_is_over(
    state: str, de_politics: Channel, now: datetime, anna: User
) -> None:
    candidate = aged(de_politics, 31, "pending")
    block = make_block("Brücke")
    Hit.objects.create(candidate=candidate, block=block, start=1, end=7)
    operations.block(candidate, by=anna, version=1, reason="spam", now=now - 2 * DAY)
    Candidate.objects.filter(pk=candidate.pk).update(state=state)
    assert operations.purge_old(now=now) == 1
    assert operations.purge_old(now=now) == 0
    tweet, row = Tweet.objects.get(), Candidate.objects.get()
    words = (tweet.text, tweet.author, tweet.wire, tweet.raw, tweet.previous_text, tweet.metrics, tweet.lang_guess)
    assert words == ("", None, {}, None, "", {}, "")
    assert (row.folded, row.alike, row.state, row.version) == ("", [], state, 2)
    assert (candidate.author_id, candidate.lang, row.author_id, row.lang) == (candidate.tweet.author_id, "de", None, "")
    assert (tweet.gone_at, tweet.gone_cause, tweet.current_id) == (None, "", candidate.tweet.current_id)
    assert (Decision.objects.get().reason, Decision.objects.get().text_hash) == ("spam", candidate.tweet.text_hash)
    assert list(Hit.objects.values_list("block", "start", "end")) == [(block.pk, 1, 7)]


@pytest.mark.parametrize(("days", "over"), [(29.9, False), (30.1, True)])
def test_the_term_is_the_markets(days: float, over: bool, de_politics: Channel, now: datetime) -> None:
    candidate = aged(de_politics, days)
    operations.purge_old(now=now)
    assert is_empty(candidate) is over


def test_all_its_markets_terms_must_be_over(de_politics: Channel, nl_politics: Channel, now: datetime) -> None:
    Market.objects.filter(code="nl").update(retention_days=60)
    candidate = aged(de_politics, 31)
    make_candidate(nl_politics, tweet=candidate.tweet, state="lapsed")
    assert operations.purge_old(now=now) == 0
    assert Tweet.objects.get().kept_until == now + 7 * DAY
    Tweet.objects.update(fetched_at=now - 61 * DAY)
    assert operations.purge_old(now=now + 6 * DAY) == 0
    assert operations.purge_old(now=now + 8 * DAY) == 1


def test_a_shorter_term_of_any_market_counts(now: datetime) -> None:
    Market.objects.filter(code="ro").update(retention_days=5)
    there, elsewhere = aged(channel_of("ro", "sport"), 6), aged(channel_of("de", "sport"), 6)
    operations.purge_old(now=now)
    assert (is_empty(there), is_empty(elsewhere)) == (True, False)


IN_USE = [
    ("pending", {}),
    ("approved", {"slot": 1}),
    ("approved", {"go_live_at": 2 * DAY}),
    ("approved", {"approved_at": -timedelta(hours=1)}),
    ("approved", {"go_live_at": -timedelta(hours=1), "expire_at": timedelta(hours=1)}),
]
OVER = [
    ("approved", {}),
    ("approved", {"approved_at": -timedelta(hours=1), "expire_at": -timedelta(minutes=1)}),
    ("approved", {"slot": 1, "pinned_until": -timedelta(hours=1)}),
]


def at(now: datetime, fields: dict[str, Any]) -> dict[str, Any]:
    return {name: now + value if isinstance(value, timedelta) else value for name, value in fields.items()}


@pytest.mark.parametrize(("state", "fields"), IN_USE)
def test_what_waits_or_may_be_live_stays(
    state: str, fields: dict[str, Any], de_politics: Channel, nl_politics: Channel, now: datetime
) -> None:
    candidate = aged(de_politics, 90, state, **at(now, fields))
    make_candidate(nl_politics, tweet=candidate.tweet, state="blocked")
    assert operations.purge_old(now=now) == 0
    tweet = Tweet.objects.get()
    assert (tweet.text, tweet.kept_until) == (candidate.tweet.text, now + DAY)


@pytest.mark.parametrize(("state", "fields"), OVER)
def test_what_was_live_goes(state: str, fields: dict[str, Any], de_politics: Channel, now: datetime) -> None:
    candidate = aged(de_politics, 90, state, **at(now, fields))
    assert operations.purge_old(now=now) == 1
    assert is_empty(candidate)


def test_what_a_feed_still_shows_stays(de_politics: Channel, now: datetime) -> None:
    shown, not_shown = aged(de_politics, 90, "approved"), aged(de_politics, 90, "approved")
    assert operations.purge_old(now=now, spare=lambda: {shown.tweet_id}) == 1
    assert (is_empty(shown), is_empty(not_shown)) == (False, True)
    assert operations.purge_old(now=now + 2 * DAY) == 1


def test_what_a_feed_comes_to_show_while_others_are_emptied_stays(
    de_politics: Channel, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Feeds are asked anew for each batch: a turn may take minutes."""
    monkeypatch.setattr("curation.operations.purging.BATCH", 1)
    first, second = aged(de_politics, 91, "approved"), aged(de_politics, 90, "approved")
    assert operations.purge_old(now=now, spare=lambda: {second.tweet_id} if is_empty(first) else set()) == 1
    assert (is_empty(first), is_empty(second)) == (True, False)


def test_what_can_still_be_undone_stays(de_politics: Channel, now: datetime, anna: User) -> None:
    candidate = aged(de_politics, 90, "pending")
    outcome = operations.block(candidate, by=anna, version=1, now=now - timedelta(hours=23))
    assert operations.purge_old(now=now) == 0
    operations.undo(outcome.act, by=anna, now=now)
    assert Candidate.objects.get().state == "pending"
    assert Tweet.objects.get().text == candidate.tweet.text


def test_a_tweet_that_no_channel_has_goes_too(now: datetime) -> None:
    make_tweet(fetched_at=now - 31 * DAY)
    assert operations.purge_old(now=now) == 1


def test_what_could_not_be_verified_goes_in_its_time(de_politics: Channel, now: datetime) -> None:
    candidate = aged(de_politics, 31, "approved", approved_at=now)
    operations.withdraw([candidate.tweet_id], cause="unverified", now=now - 2 * DAY)
    assert operations.purge_old(now=now) == 1
    assert is_empty(candidate)


def test_authors_go_with_the_last_of_their_tweets(de_politics: Channel, now: datetime) -> None:
    one, other, new = (make_author(fetched_at=now - age * DAY) for age in (40, 40, 1))
    for author, days in ((one, 31), (other, 31), (other, 3)):
        tweet = make_tweet(author=author, fetched_at=now - days * DAY)
        make_candidate(de_politics, tweet=tweet, state="blocked")
    operations.purge_old(now=now)
    assert set(Author.objects.all()) == {other, new}


def test_every_author_is_walked_over(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    statement = purging.AUTHORS_WITHOUT_TWEETS.replace("LIMIT 5000", "LIMIT 2")
    monkeypatch.setattr(purging, "AUTHORS_WITHOUT_TWEETS", statement)
    for _ in range(5):
        make_author(fetched_at=now - 9 * DAY)
    operations.purge_old(now=now)
    assert Author.objects.count() == 0


def test_payloads_set_aside_go_after_the_shortest_term(now: datetime) -> None:
    run = IngestRun.objects.create()
    for days in (31, 29):
        Quarantined.objects.create(run=run, reason="unlesbar", payload={"text": "Geheim."}, at=now - days * DAY)
    operations.purge_old(now=now)
    assert [row.at for row in Quarantined.objects.all()] == [now - 29 * DAY]


def test_it_goes_on_in_batches(de_politics: Channel, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "BATCH", 2)
    rows = [aged(de_politics, 40 + n) for n in range(5)] + [aged(de_politics, 50, "pending")]
    assert operations.purge_old(now=now) == 5
    assert [is_empty(row) for row in rows] == [True] * 5 + [False]


def test_what_stays_is_not_looked_at_every_time(de_politics: Channel, now: datetime) -> None:
    for _ in range(3):
        aged(de_politics, 40, "pending")
    operations.purge_old(now=now)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        operations.purge_old(now=now)
    assert not [
        query
        for query in asked
        if "FOR UPDATE OF" in query["sql"] and "curation_tweet" in query["sql"].split("FROM")[1][:20]
    ]
    assert operations.purge_old(now=now + 2 * DAY) == 0
