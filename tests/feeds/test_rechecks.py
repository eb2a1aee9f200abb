"""What X says of posts that are live leaves the feeds that it must, and no other, with the recheck that saw it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from curation import operations as curation
from curation.config.celery import app
from curation.ingest.rechecking.rechecks import recheck
from curation.ledger import budget
from curation.models import Candidate, Charge, IngestRun, Tweet
from curation.x.client import Door
from curation.x.simulator import Simulator
from feeds import operations, verifying
from feeds.models import Feed, Snapshot
from feeds.operations import publish
from feeds.tasks import purge_old, recheck_live
from regions.models import Channel, Market, User
from tests.cast import channel_of, make_author, make_candidate, make_tweet
from tests.feeds.conftest import at_the_edge, committed, ids, live

PLACES = [("de", "politics"), ("de", None), ("nl", "politics"), ("nl", None)]
TEXTS = ["Editiert.", "Gelöscht.", "Geschützt.", "Gesperrt.", "In DE zurückgehalten.", "Bleibt."]
Posted = dict[str, Tweet]


@pytest.fixture
def x() -> Iterator[Simulator]:
    with Simulator(rate=0, catalogue=0) as simulator:
        yield simulator


@pytest.fixture
def ask(x: Simulator) -> Door:
    return Door(x.base_url, x.token, read_seconds=2)


@pytest.fixture
def posted(x: Simulator) -> Callable[[], Posted]:
    """Six posts of six accounts, each live in DE and NL; they were checked an hour ago."""

    def make() -> Posted:
        found = {}
        for n, text in enumerate(TEXTS):
            name = f"blatt_{n}"
            account = x.account(name, name=name, category="politics", language="de")
            number = int(x.post(name, text, at=timezone.now() - timedelta(minutes=20)))
            fields = {"first_id": number, "author": make_author(name, x_id=account.id)}
            found[text] = make_tweet(text, checked_at=timezone.now() - timedelta(hours=1), **fields)
            for market in ("de", "nl"):
                live(channel_of(market, "politics"), tweet=found[text])
        for market in Market.objects.filter(code__in=("de", "nl")):
            publish(market.pk)
        return found

    return make


def texts_at(place: tuple[str, str | None], mode: str = "full") -> set[str]:
    """What the file of a feed shows."""
    return {entry["text"] for entry in at_the_edge(*place, mode=mode)["entries"]}


def in_snapshot(place: tuple[str, str | None]) -> set[int]:
    market, category = place
    feed = Feed.objects.get(market__code=market, channel__category__slug=category)
    return {entry["tweet"] for entry in Snapshot.objects.newest_of([feed])[feed.pk].entries}


def befall(x: Simulator, posts: Posted) -> None:
    """Each of the five has happen to it what its text says."""
    number = {text: tweet.first_id for text, tweet in posts.items()}
    x.edit(number["Editiert."], "Anders.")
    x.delete(number["Gelöscht."])
    x.protect("blatt_2")
    x.suspend("blatt_3")
    x.withhold(number["In DE zurückgehalten."], ["DE"])


@committed
def test_each_leaves_exactly_the_feeds_that_it_must(x: Simulator, ask: Door, posted: Callable[[], Posted]) -> None:
    posts = posted()
    assert [texts_at(place) for place in PLACES] == [set(TEXTS)] * 4
    befall(x, posts)
    run = recheck([tweet.pk for tweet in posts.values()], ask=ask)
    assert run is not None
    assert (run.outcome, run.edited, run.withdrawn, run.missing) == ("read", 1, 7, 0)
    assert [texts_at(place) for place in PLACES[:2]] == [{"Bleibt."}] * 2
    assert [texts_at(place) for place in PLACES[2:]] == [{"Bleibt.", "In DE zurückgehalten."}] * 2
    stays = {posts[text].pk for text in ("Bleibt.", "In DE zurückgehalten.")}
    assert [in_snapshot(place) for place in PLACES] == [{posts["Bleibt."].pk}] * 2 + [stays] * 2
    for place in PLACES:
        gone = {entry["id"] for entry in at_the_edge(*place)["removed"]}
        assert gone == {str(posts[text].first_id) for text in TEXTS} - set(ids(at_the_edge(*place)))
    edited = Candidate.objects.select_related("tweet").filter(tweet=posts["Editiert."])
    told = {(row.state, row.tweet.text, row.tweet.previous_text) for row in edited}
    assert told == {("pending", "Anders.", "Editiert.")}


@committed
def test_what_X_shows_again_waits_for_an_editor(
    x: Simulator, ask: Door, posted: Callable[[], Posted], anna: User
) -> None:
    posts = posted()
    befall(x, posts)
    everything = [tweet.pk for tweet in posts.values()]
    recheck(everything, ask=ask)
    x.protect("blatt_2", on=False)
    x.suspend("blatt_3", on=False)
    x.withhold(posts["In DE zurückgehalten."].first_id, [])
    run = recheck(everything, ask=ask)
    assert run is not None
    assert (run.restored, run.withdrawn) == (5, 0)
    back = Candidate.objects.filter(channel__market__code="de", state="pending").values_list("tweet__text", flat=True)
    assert set(back) == {"Anders.", "Geschützt.", "Gesperrt.", "In DE zurückgehalten."}
    assert texts_at(("de", "politics")) == {"Bleibt."}
    row = Candidate.objects.get(channel__market__code="de", tweet=posts["Gesperrt."])
    curation.approve(row, by=anna, version=row.version)
    assert texts_at(("de", None)) == {"Bleibt.", "Gesperrt."}


@committed
def test_a_held_feed_lets_go_of_them_too(x: Simulator, ask: Door, posted: Callable[[], Posted]) -> None:
    posts = posted()
    feed = Feed.objects.get(market__code="de", channel__category__slug="politics")
    snapshot = Snapshot.objects.newest_of([feed])[feed.pk]
    Feed.objects.filter(pk=feed.pk).update(hold="snapshot", held_at=snapshot, held_reason="Probe")
    befall(x, posts)
    recheck(list(verifying.shown()), ask=ask)
    assert texts_at(("de", "politics")) == {"Bleibt."}


@committed
def test_beat_rings_for_what_is_live_and_the_worker_asks(
    x: Simulator, posted: Callable[[], Posted], settings: Any
) -> None:
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    app.conf.task_always_eager = True
    try:
        befall(x, posted())
        recheck_live()
        assert texts_at(("de", "politics")) == {"Bleibt."}
        run = IngestRun.objects.get()
        assert (run.kind, run.market, run.read) == ("recheck", Market.objects.get(code="de"), 6)
        recheck_live()
        assert IngestRun.objects.count() == 1
    finally:
        app.conf.task_always_eager = False


# What is due


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def checked(candidate: Candidate, ago: timedelta) -> int:
    Tweet.objects.filter(pk=candidate.tweet_id).update(checked_at=timezone.now() - ago)
    return candidate.tweet_id


M = timedelta(minutes=1)


@pytest.mark.django_db
def test_what_is_live_is_due_after_ten_minutes_longest_first(politics: Channel, de: Market, now: datetime) -> None:
    ages = [checked(live(politics), minutes * M) for minutes in (11, 9, 13)]
    publish(de.pk)
    checked(make_candidate(politics), 60 * M)
    assert verifying.due(now) == {de.pk: [ages[2], ages[0]]}
    Tweet.objects.update(gone_at=now, gone_cause="deleted")
    assert verifying.due(now) == {}


@pytest.mark.django_db
def test_everything_live_is_asked_about_at_least_every_quarter_of_an_hour(
    politics: Channel, de: Market, now: datetime, settings: Any
) -> None:
    """An hour of beat's minutes; X answers nothing for four of them, just when all of it is due."""
    assert settings.CELERY_BEAT_SCHEDULE["recheck live"]["schedule"].run_every == M
    Channel.objects.filter(pk=politics.pk).update(feed_length=50)
    clock = [now]
    with Simulator(rate=0, catalogue=0, clock=lambda: clock[0].timestamp()) as x:
        ask = Door(x.base_url, x.token, read_seconds=2, clock=lambda: clock[0].timestamp())
        account = x.account("blatt", category="politics", language="de")
        author = make_author("blatt", x_id=account.id)
        numbers = [int(x.post("blatt", f"Nummer {n}.", at=now - 30 * M)) for n in range(40)]
        for n, number in enumerate(numbers):
            seen = {"author": author, "checked_at": now - (n % 10) * M}
            live(politics, tweet=make_tweet(first_id=number, **seen), go_live_at=now + 25 * M if n > 35 else None)
        ages = []
        for minute in range(60):
            clock[0] = now + minute * M
            if minute == 20:
                Tweet.objects.update(checked_at=clock[0] - verifying.CHECKED_EVERY)
                x.fail("/2/tweets", status=503, times=None)
            if minute == 24:
                x.mend()
            publish(de.pk, now=clock[0])
            for ids in verifying.due(clock[0]).values():
                recheck(ids, now=clock[0], since=clock[0] - verifying.CHECKED_EVERY, ask=ask)
            shown = Tweet.objects.filter(pk__in=verifying.shown())
            ages.append((shown.count(), max(clock[0] - tweet.checked_at for tweet in shown)))
    assert [count for count, _age in ages] == [36] * 25 + [40] * 35
    oldest = max(age for _count, age in ages)
    assert oldest == verifying.CHECKED_EVERY + 3 * M < verifying.EVERY_LIVE_ONE


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "due"), [(59, True), (61, False), (-1, False)])
def test_what_goes_live_within_the_hour_is_due_too(
    minutes: int, due: bool, politics: Channel, de: Market, now: datetime
) -> None:
    tweet = checked(live(politics, go_live_at=now + minutes * M), 20 * M)
    assert verifying.due(now) == ({de.pk: [tweet]} if due else {})


@pytest.mark.django_db
def test_the_first_market_that_shows_it_pays(politics: Channel, de: Market, now: datetime) -> None:
    both, alone = live(politics), live(channel_of("nl", "sport"))
    live(channel_of("nl", "politics"), tweet=both.tweet)
    nl = Market.objects.get(code="nl")
    for market in (nl, de):
        publish(market.pk)
    for row in (both, alone):
        checked(row, 20 * M)
    assert verifying.due(now) == {de.pk: [both.tweet_id], nl.pk: [alone.tweet_id]}


@pytest.mark.django_db
def test_where_the_first_market_cannot_pay_the_next_one_does(politics: Channel, de: Market, now: datetime) -> None:
    rows = [live(politics) for _ in range(3)]
    for row in rows[:2]:
        live(channel_of("nl", "politics"), tweet=row.tweet)
    nl = Market.objects.get(code="nl")
    for market in (nl, de):
        publish(market.pk)
    both, other, alone = (checked(row, minutes * M) for row, minutes in zip(rows, (20, 19, 18), strict=True))
    Market.objects.filter(pk=de.pk).update(posts_a_day=1, recheck_reserve=1)
    assert verifying.due(now) == {de.pk: [both, alone], nl.pk: [other]}
    Market.objects.filter(pk=de.pk).update(posts_a_day=0, recheck_reserve=0)
    assert verifying.due(now) == {de.pk: [alone], nl.pk: [both, other]}
    today = Tweet.objects.get(pk=both).current_id
    Charge.objects.create(day=budget.day_of(now), kind="post", x_id=today, market=nl)
    assert verifying.due(now) == {de.pk: [both, alone], nl.pk: [other]}


@pytest.mark.django_db
def test_a_held_snapshot_is_live(politics: Channel, de: Market, now: datetime) -> None:
    row = live(politics)
    publish(de.pk)
    for snapshot in Snapshot.objects.filter(feed__market=de, feed__number=1):
        Feed.objects.filter(pk=snapshot.feed_id).update(hold="snapshot", held_at=snapshot, held_reason="Probe")
    Candidate.objects.update(state="pending", approved_at=None)
    publish(de.pk)
    checked(row, 20 * M)
    assert verifying.due(now) == {de.pk: [row.tweet_id]}


# What could not be verified


SHORTLY = timedelta(minutes=15, seconds=5)


@committed
def test_what_nobody_verified_for_a_day_leaves_the_feeds(politics: Channel, de: Market) -> None:
    late, fresh = live(politics, "Lange her."), live(politics, "Eben geprüft.")
    publish(de.pk)
    checked(late, timedelta(hours=24))
    checked(fresh, timedelta(hours=23))
    soon = timezone.now() + SHORTLY
    assert (operations.withdraw_unverified(now=soon), operations.withdraw_unverified(now=soon)) == (1, 0)
    assert texts_at(("de", "politics")) == texts_at(("de", None)) == {"Eben geprüft."}
    late.refresh_from_db()
    assert (late.state, Tweet.objects.get(pk=late.tweet_id).text) == ("withdrawn", "Lange her.")


@committed
def test_what_just_came_live_after_a_long_wait_is_checked_first(politics: Channel, de: Market) -> None:
    publish(de.pk)
    checked(live(politics), timedelta(hours=30))
    publish(de.pk)
    assert (operations.withdraw_unverified(), len(verifying.due(timezone.now())[de.pk])) == (0, 1)


@committed
def test_one_that_cannot_be_withdrawn_does_not_end_the_publisher(
    politics: Channel, de: Market, monkeypatch: Any
) -> None:
    checked(live(politics), timedelta(hours=30))
    publish(de.pk)

    def busy(*_: Any, **__: Any) -> None:
        raise curation.Busy

    monkeypatch.setattr(curation, "withdraw", busy)
    assert operations.withdraw_unverified(now=timezone.now() + SHORTLY) == 1


@committed
def test_it_comes_back_when_X_answers_again(x: Simulator, ask: Door, posted: Callable[[], Posted]) -> None:
    posts = posted()
    Tweet.objects.update(checked_at=timezone.now() - timedelta(hours=25))
    assert operations.withdraw_unverified(now=timezone.now() + SHORTLY) == len(TEXTS)
    assert texts_at(("de", "politics")) == set()
    run = recheck([tweet.pk for tweet in posts.values()], now=timezone.now() + 2 * SHORTLY, ask=ask)
    assert run is not None
    assert run.restored == 2 * len(TEXTS)
    assert set(Candidate.objects.values_list("state", flat=True)) == {"pending"}


# Erased and old ones


@committed
def test_an_erased_author_is_off_all_feeds_at_once(posted: Callable[[], Posted]) -> None:
    posts = posted()
    author = posts["Bleibt."].author_id
    assert author is not None
    done = curation.erase_author(author, by=None, now=timezone.now())
    assert done.withdrawn == 2
    assert [texts_at(place) for place in PLACES] == [set(TEXTS) - {"Bleibt."}] * 4
    assert [posts["Bleibt."].pk in in_snapshot(place) for place in PLACES] == [False] * 4


@committed
def test_old_texts_go_but_not_those_that_a_feed_shows_or_is_held_at(politics: Channel, de: Market) -> None:
    old = timezone.now() - timedelta(days=90)
    live(politics, "Gezeigt.", approved_at=old)
    held, over = (live(politics, text, approved_at=old) for text in ("Gehalten.", "Vorbei."))
    Channel.objects.filter(pk=politics.pk).update(fallback="keep_older", minimum_fill=2)
    Candidate.objects.filter(pk=over.pk).update(expire_at=timezone.now())
    publish(de.pk)
    assert texts_at(("de", "politics")) == {"Gezeigt.", "Gehalten."}
    feed = Feed.objects.get(channel=politics)
    snapshot = Snapshot.objects.newest_of([feed])[feed.pk]
    Candidate.objects.filter(pk=held.pk).update(state="lapsed", approved_at=None)
    publish(de.pk)
    assert texts_at(("de", None)) == {"Gezeigt."}
    Feed.objects.filter(pk=feed.pk).update(hold="snapshot", held_at=snapshot, held_reason="Probe")
    Tweet.objects.update(fetched_at=old)
    purge_old()
    assert set(Tweet.objects.exclude(text="").values_list("text", flat=True)) == {"Gezeigt.", "Gehalten."}
    publish(de.pk)
    assert texts_at(("de", "politics")) == {"Gezeigt.", "Gehalten."}


@pytest.mark.django_db
def test_a_publisher_whose_clock_is_a_day_ahead_withdraws_nothing(politics: Channel, de: Market, now: datetime) -> None:
    candidate = make_candidate(politics, state="approved", approved_at=timezone.now() - timedelta(hours=1))
    publish(de.pk)
    Tweet.objects.update(checked_at=timezone.now() - timedelta(minutes=5))
    assert candidate.tweet_id in verifying.shown()
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        assert operations.withdraw_unverified() == 0
    assert Tweet.objects.get().gone_at is None
