"""Links by hand: someone pastes the address of a post, sees its price, and it becomes a candidate of their channel.

A person waits for X here: a few seconds a call, then it is given up. What is stored already costs nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from curation import events
from curation.ingest import pauses
from curation.ingest.polling.reading import Reading
from curation.ingest.rechecking.rechecks import asked_of, outcome_of
from curation.ingest.storing.aside import rows_of
from curation.ingest.storing.candidates import Arrivals, claim, offer
from curation.ingest.storing.store import settle, store
from curation.ledger import budget
from curation.ledger.metered import Metered
from curation.models import Author, Candidate, IngestRun, Pause, Quarantined, Tweet
from curation.operations.errors import Busy
from curation.operations.record import one_transaction
from curation.shared_clock import clock_from, epoch_seconds
from curation.tombstones import erased
from curation.x.client import Door
from curation.x.outcomes import BudgetSpent, Failure, Unreachable, WindowClosed, cause_of
from curation.x.windows import SharedWindows
from curation.x.wire import Includes, Post, Unreadable, people, read_id, read_post
from regions.clocks import moment, zone_of
from regions.models import Channel, User
from regions.problems import Refusal

log = structlog.get_logger(__name__)
HOSTS = {f"{part}{host}" for host in ("x.com", "twitter.com") for part in ("", "www.", "mobile.", "m.")}
PATH = re.compile(r"/(?:i/(?:web/)?|\w{1,50}/)status(?:es)?/([0-9]{1,19})(?:/.*)?", re.ASCII)
LONGEST = 500
PATIENCE = 4.0  # seconds after which no further call is begun; one takes six at most
READ_SECONDS, WHOLE_SECONDS = 3.0, 3.0


class NotAPost(Refusal):
    code = "not_a_post"
    detail = _("This is no link to a post at X. It looks like https://x.com/name/status/1234567890.")


class PostGone(Refusal):
    """X does not show it. `cause`: deleted, protected or suspended."""

    code = "post_gone"
    sentences = {
        Tweet.Gone.DELETED: _("This post does not exist at X, or was deleted there."),
        Tweet.Gone.PROTECTED: _("The author of this post shows it to followers alone."),
        Tweet.Gone.SUSPENDED: _("The author of this post is suspended at X."),
    }

    def __init__(self, cause: str) -> None:
        cause = cause or Tweet.Gone.DELETED
        super().__init__(self.sentences.get(Tweet.Gone(cause)), field="url", cause=str(cause))


class AuthorErased(Refusal):
    code = "author_erased"
    detail = _("The author of this post asked to be erased. Nothing of theirs is read again.")


class NotReadable(Refusal):
    code = "post_unreadable"
    detail = _("X's answer about this post could not be understood. It was set aside for the operators.")


class BudgetUsedUp(Refusal):
    """`until`: when reading goes on; `cause`: day or month."""

    status = HTTPStatus.CONFLICT
    code = "budget_spent"

    def __init__(self, spent: BudgetSpent) -> None:
        told = {"time": moment(spent.until)}
        sentence = _("The budget of this market is used up. Reading goes on at %(time)s.") % told
        super().__init__(sentence, until=spent.until.isoformat(), cause=spent.cause)


class IngestPaused(Refusal):
    """X turns all of us away. `until`: when it is tried again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "ingest_paused"
    detail = _("Nothing is read from X at present. The operators know of it.")


class XUnreachable(Refusal):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "x_unreachable"
    detail = _("X did not answer in time, or not well. Try again in a moment.")


class XBusy(Refusal):
    """`until`: when X answers again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "x_busy"

    def __init__(self, closed: WindowClosed) -> None:
        until = datetime.fromtimestamp(closed.reset_at, UTC)
        told = {"time": date_format(localtime(until), "H:i:s")}
        sentence = _("X allows no more requests at this moment. Try again at %(time)s.") % told
        super().__init__(sentence, until=until.isoformat())


@dataclass(frozen=True)
class Look:
    """What a link would bring and cost. `posts`: what X would charge, at least; nothing for what is here. `tweet`: what
    is known of it, perhaps that it is gone at X; `pause`: why X cannot be asked for it now."""

    post_id: int
    candidate: Candidate | None
    stored: bool
    posts: int
    balance: budget.Balance
    tweet: Tweet | None = None
    pause: Pause | None = None

    @property
    def price(self) -> Decimal:
        """In dollars."""
        return self.posts * self.balance.price

    @property
    def highest_price(self) -> Decimal:
        """In dollars, should X charge the author that it sends along."""
        return self.price * budget.DEAREST

    @property
    def left(self) -> int:
        """Posts that the market may still read today."""
        return self.balance.left_for_ingest

    @property
    def affordable(self) -> bool:
        return self.posts <= self.left


@dataclass(frozen=True)
class Added:
    """The candidate of a link; `made` is false where it was there already."""

    candidate: Candidate
    made: bool


def post_id_of(url: str) -> int:
    """The id in a post's address, of X or Twitter in any of their forms, or the bare id. Raises NotAPost."""
    given = url.strip()
    if len(given) > LONGEST:
        raise NotAPost(field="url")
    found = re.fullmatch(r"[0-9]{1,19}", given) or _in_address(given)
    try:
        return read_id(found[found.lastindex or 0] if found else None)
    except Unreadable:
        raise NotAPost(field="url") from None


def _in_address(given: str) -> re.Match[str] | None:
    try:
        parts = urlsplit(given if "//" in given else f"https://{given}")
        known = parts.scheme in ("http", "https") and parts.hostname in HOSTS
    except ValueError:
        return None
    return PATH.fullmatch(parts.path) if known else None


def look(url: str, channel: Channel, now: datetime) -> Look:
    """What is known of a link before X is asked. Raises NotAPost, AuthorErased."""
    number = post_id_of(url)
    tweet = _stored(number)
    if tweet and tweet.gone_cause == Tweet.Gone.ERASED:
        raise AuthorErased(field="url")
    candidate = Candidate.objects.with_tweets().filter(channel=channel, tweet=tweet).first() if tweet else None
    here = bool(candidate or (tweet and _whole(tweet)))
    posts = 0 if here else len(budget.uncharged([number], now))
    pause = None if here else pauses.of_everyone()
    return Look(number, candidate, here, posts, budget.balance(channel.market, now), tweet, pause)


def add(url: str, channel: Channel, *, by: User, now: datetime, ask: Door | None = None) -> Added:
    """Makes a link a candidate of a channel, as any arrival: the lists may block it. The channel's market pays.

    Raises what `look` raises, PostGone, NotReadable, BudgetUsedUp, IngestPaused, XUnreachable, XBusy, and Busy."""
    seen = look(url, channel, now)
    if seen.candidate and (there := _kept(seen.candidate)):
        return Added(there, made=False)
    return Adding(seen.post_id, channel, by, now, ask).whole()


def _kept(candidate: Candidate) -> Candidate | None:
    """It stays, whoever brought it before and takes that back; None where that was done a moment ago."""
    with one_transaction():
        claim([candidate.tweet_id], None, [candidate.channel])
        return Candidate.objects.with_tweets().filter(pk=candidate.pk).first()


def _stored(number: int) -> Tweet | None:
    return Tweet.objects.select_related("author").filter(Q(first_id=number) | Q(current_id=number)).first()


def _whole(tweet: Tweet) -> bool:
    """Whether it can be offered as it is stored."""
    return not (tweet.gone_at or tweet.purged_at or tweet.author is None)


def quick_door() -> Door:
    """A door for a person who waits."""
    key = (settings.X_API_BASE_URL, settings.X_BEARER_TOKEN)
    return Door(
        *key, read_seconds=READ_SECONDS, whole_seconds=WHOLE_SECONDS, windows=SharedWindows(), clock=epoch_seconds
    )


@dataclass
class Adding:
    """One link, and the run that tells of it. No transaction is open while X is asked."""

    number: int
    channel: Channel
    by: User
    now: datetime
    ask: Door | None = None
    reading: Reading = field(default_factory=Reading)
    began: float = field(default_factory=time.monotonic)

    def whole(self) -> Added:
        return self._from_here() or self._from_x()

    def _from_x(self) -> Added:
        pause = pauses.admit(None, self.now)
        if pause:
            raise IngestPaused(until=pause.until.isoformat(), cause=pause.cause)
        market = self.channel.market
        run = IngestRun.objects.create(kind=IngestRun.Kind.LINK, market=market, by=self.by, started_at=self.now)
        asking = Metered(self.ask or quick_door(), market, now=clock_from(self.now))
        with self._told(run, asking):
            LinkReading(asking, self.reading, self.began).read(self.number)
            return self._store(run)

    @contextmanager
    def _told(self, run: IngestRun, asking: Metered) -> Iterator[None]:
        """Ends the run, however it goes; X's failures become refusals."""
        run.outcome, run.error = IngestRun.Outcome.FAILED, "A fault on our side."
        try:
            yield
            pauses.take_note(None, run.market, began=self.now, now=self.now)
        except Failure as failure:
            run.outcome, run.error = outcome_of(failure), str(failure)
            pauses.take_note(failure, run.market, began=self.now, now=self.now)
            with timezone.override(zone_of(self.by, self.channel.market)):
                refusal = refusal_of(failure)
            raise refusal from None
        except Busy as busy:
            run.error = busy.code
            raise
        except Refusal as refusal:
            run.outcome, run.error, run.missing = IngestRun.Outcome.READ, refusal.code, 1
            raise
        finally:
            asking.tell(run)
            self._end(run)

    def _end(self, run: IngestRun) -> None:
        run.read, run.quarantined = self.reading.read, len(self.reading.broken)
        run.ended_at = self._ended()
        run.save()
        Quarantined.objects.bulk_create(rows_of(run, self.reading.broken, self.now))
        log.info(
            "link_read", market=self.channel.market.code, outcome=run.outcome, error=run.error, charged=run.charged
        )

    def _ended(self) -> datetime:
        return self.now + timedelta(seconds=time.monotonic() - self.began)

    @one_transaction()
    def _store(self, run: IngestRun) -> Added:
        if erased({post.author_id for post in self.reading.posts.values()}):
            raise AuthorErased(field="url")
        stored, arrived = store(self.reading, None, [self.channel], self.now)
        run.fresh, run.known, run.edited = stored.fresh, stored.known, len(stored.edited)
        return self._offered(run, list(stored.tweets.values()), arrived)

    @one_transaction()
    def _from_here(self) -> Added | None:
        """What is stored becomes a candidate without a question to X; None where X must be asked. No erasure begins
        before the commit, and the tweet stays as it is."""
        tweet = _stored(self.number)
        if tweet is None or tweet.author_id is None:
            return None
        if erased({tweet.author_id}):
            raise AuthorErased(field="url")
        tweet = Tweet.objects.select_related("author").select_for_update(of=("self",)).get(pk=tweet.pk)
        if not _whole(tweet):
            return None
        arrived = offer([tweet.pk], None, [self.channel], self.now)
        settle()
        run = IngestRun(kind=IngestRun.Kind.LINK, market=self.channel.market, by=self.by, started_at=self.now, known=1)
        added = self._offered(run, [tweet.pk], arrived)
        run.ended_at = self._ended()
        run.save()
        return added

    def _offered(self, run: IngestRun, tweets: list[int], arrived: Arrivals) -> Added:
        candidate = Candidate.objects.with_tweets().filter(channel=self.channel, tweet__in=tweets).first()
        if candidate is None:
            raise NotReadable(field="url")
        run.outcome, run.error = IngestRun.Outcome.READ, ""
        run.candidates, run.blocked, run.held = arrived.candidates, arrived.blocked, arrived.held
        run.added = candidate if arrived.candidates else None
        events.arrived(arrived.channels)
        return Added(candidate, made=bool(arrived.candidates))


class LinkReading:
    """One post by its id, in its newest version and with its author; of a repost the original."""

    def __init__(self, ask: Metered, reading: Reading, began: float) -> None:
        self.ask, self.reading, self.began = ask, reading, began
        self.includes = Includes({})

    def read(self, number: int) -> None:
        """Fills the reading. Raises Failure, PostGone, NotReadable."""
        post = self._post(number)
        if post.retweeted_id is not None:
            post = self._included(post.retweeted_id) or self._post(post.retweeted_id)
        if post.newest_id != post.id:
            post = self._post(post.newest_id)
        self._author(post)
        self.reading.posts = {post.first_id: post}

    def _post(self, number: int) -> Post:
        self._hurry()
        page = self.ask.tweets([number])
        self.reading.read += len(page.raw)
        if not page.raw:
            raise PostGone(next((cause_of(error) for error in page.errors if asked_of(error) == number), ""))
        self.includes = Includes(page.includes)
        self.reading.people |= self.includes.people
        return self._read(page.raw[0], number)

    def _included(self, number: int) -> Post | None:
        """The original of a repost where X's answer brings it along."""
        payload = self.includes.posts.get(str(number))
        return self._read(payload, number) if payload else None

    def _read(self, payload: Any, number: int) -> Post:
        try:
            post = read_post(payload, self.includes)
            if post.id != number:
                raise Unreadable("X answers with another post")
        except Unreadable as wrong:
            self.reading.set_aside(wrong.reason, payload, self.includes.given)
            raise NotReadable(field="url") from None
        return post

    def _author(self, post: Post) -> None:
        """Asks for the account where neither X's page nor our table has it."""
        if post.author_id in self.reading.people or Author.objects.filter(pk=post.author_id).exists():
            return
        self._hurry()
        self.reading.people |= people(self.ask.users(ids=[post.author_id]).raw)
        if post.author_id not in self.reading.people:
            self.reading.set_aside("its author is not known", post.raw, post.page)
            raise NotReadable(field="url")

    def _hurry(self) -> None:
        if time.monotonic() - self.began > PATIENCE:
            raise Unreachable("X is slow, and a person waits.")


def refusal_of(failure: Failure) -> Refusal:
    """X's failure as the person who waits is told."""
    if isinstance(failure, BudgetSpent):
        return BudgetUsedUp(failure)
    if isinstance(failure, WindowClosed):
        return XBusy(failure)
    if type(failure) in pauses.FOR_EVERYONE:
        return IngestPaused(cause=pauses.FOR_EVERYONE[type(failure)])
    return XUnreachable()
