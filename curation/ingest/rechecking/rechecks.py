"""Asks X again about posts that we have: gone, edited, withheld, or there again. X's answer and what the system
decides of it are one transaction a batch, so that a post is off the feeds with the recheck that saw it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from django.db import DataError, IntegrityError

from curation import operations, shared_clock
from curation.ingest import pauses
from curation.ingest.polling.reading import BATCH, batches
from curation.ingest.polling.runs import Crowded, say
from curation.ingest.storing.aside import Aside, put_aside, rows_of
from curation.ingest.storing.groups import regroup
from curation.ingest.storing.refreshing import refresh_ranks
from curation.ingest.storing.store import settle
from curation.ingest.storing.tweets import store_people, store_tweets
from curation.ledger.metered import Metered
from curation.models import IngestRun, Purpose, Quarantined, Tweet
from curation.operations.record import one_transaction
from curation.shared_clock import clock_from
from curation.tombstones import erased
from curation.x.client import Page, door
from curation.x.outcomes import (
    BudgetSpent,
    Failure,
    NotPermitted,
    QueryRefused,
    Unreachable,
    WindowClosed,
    cause_of,
)
from curation.x.wire import Includes, Person, Post, Unreadable, read_id, read_post
from regions.models import Market

log = structlog.get_logger(__name__)
PATIENCE = 40.0  # seconds; one batch more may take a minute, and a task has 90
LONGEST = timedelta(minutes=5)
Outcome, Kind = IngestRun.Outcome, IngestRun.Kind
ENDED_BY_TIME = (Kind.RECHECK, Kind.LINK, Kind.COMPLIANCE)


class Asks(Protocol):
    """The part of the door that rechecks need."""

    def tweets(self, ids: list[int]) -> Page: ...


@dataclass
class Answer:
    """What X says of posts that it was asked about. What is neither in `posts` nor in `gone` was not verified.

    `gone`: causes by the id that was asked; `aside`: reasons and payloads of what cannot be read; `failure`: what
    kept X from answering in full."""

    posts: dict[int, Post] = field(default_factory=dict)
    people: dict[int, Person] = field(default_factory=dict)
    gone: dict[int, str] = field(default_factory=dict)
    aside: list[Aside] = field(default_factory=list)
    failure: Failure | None = None


def recheck(
    tweet_ids: Iterable[int],
    *,
    market: Market | None = None,
    purpose: str = Purpose.RECHECK,
    now: datetime | None = None,
    since: datetime | None = None,
    ask: Asks | None = None,
) -> IngestRun | None:
    """Asks X about tweets, by their rows' ids, and follows what it says. `market` pays; `since` leaves out those
    that were checked after that moment, so that a repeated message costs nothing. None where nothing is left to ask,
    or ingest pauses. Never raises for what X does."""
    now, began = now or shared_clock.now(), time.monotonic()
    batches_due = due_batches(tweet_ids, since)
    if not batches_due or pauses.admit(market, now, purpose):
        return None
    close_killed(now)
    run = IngestRun.objects.create(kind=Kind.RECHECK, market=market, started_at=now)
    ask = ask or (Metered(door(), market, purpose, now=clock_from(now)) if market else door())
    failure = Recheck(run, ask, now, began).whole(batches_due)
    pauses.take_note(failure, market, began=now, now=run.ended_at or now)
    say(run)
    return run


def close_killed(now: datetime) -> None:
    """Ends the rechecks, links by hand and turns of batch compliance that a kill left open: none runs that long."""
    left = IngestRun.objects.filter(kind__in=ENDED_BY_TIME, outcome="running", started_at__lt=now - LONGEST)
    left.update(outcome=Outcome.FAILED, error="The worker was stopped.", ended_at=now)


def due_batches(tweet_ids: Iterable[int], since: datetime | None) -> list[dict[int, int]]:
    """Tweets' rows by their current ids, a hundred at a time, those checked longest ago first."""
    there = Tweet.objects.filter(pk__in=list(tweet_ids)).exclude(gone_cause=Tweet.Gone.ERASED)
    if since:
        there = there.filter(checked_at__lte=since)
    rows = list(there.order_by("checked_at", "pk").values_list("current_id", "pk"))
    return [dict(rows[at : at + BATCH]) for at in range(0, len(rows), BATCH)]


class Recheck:
    """One run. No transaction is open while X is asked."""

    def __init__(self, run: IngestRun, ask: Asks, now: datetime, began: float) -> None:
        """`began`: the monotonic time that was when `now` was."""
        self.run, self.ask, self.now, self.began = run, ask, now, began
        self.spent: Failure | None = None

    def whole(self, due: list[dict[int, int]]) -> Failure | None:
        """Asks about tweets, by their current ids; returns what kept it from the rest, if anything did."""
        try:
            failure = self._through(due)
        except Failure as unanswered:
            failure = unanswered
        except operations.Busy:
            failure = Crowded()
        except Exception as fault:
            log.exception("recheck failed", run=self.run.pk)
            failure = Unreachable(f"A fault on our side: {type(fault).__name__}.")
        self._end(failure)
        return failure

    def _through(self, due: list[dict[int, int]]) -> Failure | None:
        for tweets in due:
            if time.monotonic() - self.began > PATIENCE:
                return Unreachable("X is slow: the rest follows.")
            answer = self._asked(tweets)
            self._store(tweets, answer)
            refresh_ranks([tweets[asked] for asked in answer.posts], self.now)
            if answer.failure and not isinstance(answer.failure, BudgetSpent):
                return answer.failure
            self.spent = self.spent or answer.failure
        return self.spent

    def _asked(self, tweets: dict[int, int]) -> Answer:
        """Where the budget ends, the others are as far from verified as before: they stay due."""
        answer = Answer()
        self._look_up(sorted(tweets), answer)
        if answer.failure and not isinstance(answer.failure, BudgetSpent) and not (answer.posts or answer.gone):
            raise answer.failure
        self._newest(answer)
        return answer

    def _look_up(self, ids: list[int], answer: Answer) -> None:
        """Fills the answer, with the failure that kept X from answering in full."""
        for batch in batches(ids):
            while batch:
                try:
                    page = self.ask.tweets(batch)
                except Failure as failure:
                    answer.failure = failure
                    return
                read_page(page, set(batch) - set(page.left_out), answer)
                batch = page.left_out

    def _newest(self, answer: Answer) -> None:
        """X answers an old id with its old text, which may not be shown: the newest takes its place. Where that
        cannot be had now, the post is withdrawn as not verified until it can."""
        newest = {post.newest_id: asked for asked, post in answer.posts.items() if post.newest_id != post.id}
        later = Answer()
        self._look_up(sorted(newest), later)
        answer.failure = later.failure or answer.failure
        for number, asked in newest.items():
            del answer.posts[asked]
            if number in later.posts:
                answer.posts[asked] = later.posts[number]
            else:
                answer.gone[asked] = later.gone.get(number, Tweet.Gone.UNVERIFIED)
        answer.people |= later.people
        answer.aside += later.aside

    def _store(self, tweets: dict[int, int], answer: Answer) -> None:
        """Everything together; when the database refuses a post, each by itself and that one set aside."""
        try:
            self._follow(tweets, answer.posts, answer.people, answer.gone)
        except (DataError, IntegrityError):
            self._follow(tweets, {}, {}, answer.gone)
            for asked, post in answer.posts.items():
                self._one(tweets, asked, post, answer)
        Quarantined.objects.bulk_create(rows_of(self.run, answer.aside, self.now))
        self.run.missing += len(tweets) - len(answer.posts) - len(answer.gone)

    def _one(self, tweets: dict[int, int], asked: int, post: Post, answer: Answer) -> None:
        people = {x_id: person for x_id, person in answer.people.items() if x_id == post.author_id}
        try:
            self._follow(tweets, {asked: post}, people, {})
        except (DataError, IntegrityError) as error:
            answer.aside.append(put_aside(f"the database refuses it: {type(error).__name__}", post.raw, post.page))

    @one_transaction()
    def _follow(
        self, tweets: dict[int, int], posts: dict[int, Post], people: dict[int, Person], gone: dict[int, str]
    ) -> None:
        """Authors, tweets, channels, candidates, in this order; what is gone and what is there at once."""
        spared = erased({post.author_id for post in posts.values()})
        posts = {asked: post for asked, post in posts.items() if post.author_id not in spared}
        wanted = {post.author_id for post in posts.values()}
        authors = store_people([person for x_id, person in people.items() if x_id in wanted], self.now)
        there = [tweets[asked] for asked in (*posts, *gone)]
        list(Tweet.objects.filter(pk__in=there).order_by("first_id").select_for_update(of=("self",)).only("pk"))
        stored = store_tweets(posts.values(), {}, self.now)
        stored.authors |= authors
        Tweet.objects.filter(pk__in=there).update(checked_at=self.now)
        lost = {tweets[asked]: cause for asked, cause in gone.items()}
        followed = operations.obey(
            stored.to_obey(), edited=stored.edited, back=stored.back, gone=lost, now=self._by_now()
        )
        if stored.edited or stored.back:
            regroup({*stored.edited, *stored.back})
        settle()
        self.run.read += len(posts) + len(gone)
        self.run.known += stored.known
        self.run.edited += len(stored.edited)
        self.run.withdrawn += followed.withdrawn
        self.run.restored += followed.restored

    def _end(self, failure: Failure | None) -> None:
        run = self.run
        run.outcome, run.error = outcome_of(failure), str(failure or "")
        if isinstance(self.ask, Metered):
            self.ask.tell(run)
        run.ended_at = self._by_now()
        run.save()

    def _by_now(self) -> datetime:
        """What is gone went before X's answer: who asked X earlier than that knows less."""
        return self.now + timedelta(seconds=time.monotonic() - self.began)


def outcome_of(failure: Failure | None) -> str:
    """What is said of a run."""
    if failure is None:
        return Outcome.READ
    if isinstance(failure, BudgetSpent):
        return Outcome.BUDGET
    if isinstance(failure, WindowClosed):
        return Outcome.WAITING
    return Outcome.REFUSED if isinstance(failure, QueryRefused | NotPermitted) else Outcome.FAILED


def read_page(page: Page, asked: set[int], answer: Answer) -> None:
    """Sorts a page into what is there, what is gone and what cannot be read."""
    includes = Includes(page.includes)
    answer.people |= includes.people
    for payload in page.raw:
        try:
            post = read_post(payload, includes)
        except Unreadable as wrong:
            answer.aside.append(put_aside(wrong.reason, payload, page.includes))
            continue
        if post.id in asked:
            answer.posts[post.id] = post
    for error in page.errors:
        number, cause = asked_of(error), cause_of(error)
        if number in asked and number not in answer.posts and cause:
            answer.gone[number] = cause


def asked_of(error: dict[str, Any]) -> int:
    """The post that an error is about; 0 where it is about what a post includes, or about nothing we know."""
    if error.get("parameter") not in ("ids", "id"):
        return 0
    try:
        return read_id(error.get("resource_id", error.get("value")))
    except Unreadable:
        return 0
