"""What would a source bring? X is asked for its last day, on the market's account; nothing is stored but the run.

Somebody waits: a few seconds, and few pages, whose price is told before. What comes is held against what is known."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from curation.ingest import pauses
from curation.ingest.links import PATIENCE, IngestPaused, quick_door, refusal_of
from curation.ingest.polling.probing import covered
from curation.ingest.polling.reading import LIST_PAGE, Reader, Reading
from curation.ingest.polling.runs import say
from curation.ingest.rechecking.rechecks import outcome_of
from curation.ingest.storing.candidates import history_of, is_ours
from curation.ledger import budget
from curation.ledger.metered import FULL, Metered
from curation.models import Candidate, Cursor, IngestRun, Pause, State, Tweet
from curation.ranking import POINTS_A_HALF_LIFE, parts, rank
from curation.shared_clock import clock_from
from curation.x.client import Door, Page
from curation.x.outcomes import Failure, Gone, NotPermitted, QueryRefused, Unreachable
from curation.x.wire import Person, Post, id_at
from regions.clocks import zone_of
from regions.models import Channel, Market, Source, User
from regions.problems import Refusal

SPAN = timedelta(hours=24)
MOST = 200  # posts that one try reads
SHOWN = 5
WEEK = 7


class RefusedByX(Refusal):
    """X does not take the query, or lets us read nothing of it. `words`: X's own."""

    code = "refused_by_x"

    def __init__(self, words: str) -> None:
        super().__init__(_("X refuses this: %(words)s") % {"words": words}, field="value", words=words)


class GoneAtX(Refusal):
    """`cause`: deleted, protected or suspended."""

    code = "source_gone"

    def __init__(self, kind: str, gone: Gone) -> None:
        told = {
            "deleted": _("There is no such account at X."),
            "protected": _("This account shows its posts to its followers alone."),
            "suspended": _("This account is suspended at X."),
        }
        if kind == Source.Kind.LIST:
            told |= {"deleted": _("There is no such list at X."), "protected": _("This list is private.")}
        super().__init__(told.get(gone.cause, told["deleted"]), field="value", cause=gone.cause)


@dataclass(frozen=True)
class Price:
    """What a try costs at most, and what the market has left. `pause`: why X cannot be asked now."""

    posts: int
    balance: budget.Balance
    pause: Pause | None = None

    @property
    def dollars(self) -> Decimal:
        return budget.cost(self.posts)

    @property
    def highest(self) -> Decimal:
        """Should X charge the authors that it sends along."""
        return self.dollars * budget.DEAREST

    @property
    def affordable(self) -> bool:
        """Whether there is as much as the smallest page takes."""
        return self.balance.left_for_ingest >= pauses.WORTH_READING and not self.pause


@dataclass(frozen=True)
class Sample:
    """One post that would come in, with the score that it would have in the queue now."""

    name: str
    text: str
    at: datetime
    points: int
    known: bool


@dataclass(frozen=True)
class Tried:
    """What the last `hours` would have brought. `whole`: these are all; else X gave as many as were asked for.
    `expected`: how many of `posts` would be approved, None where the channels' past tells nothing. `by_itself`: how
    many of these with nobody looking, None where no rule asks for that."""

    posts: int
    hours: float
    whole: bool
    known: int
    charged: int
    read: int
    aside: int
    expected: float | None = None
    sample: Sequence[Sample] = field(default_factory=tuple)
    name: str = ""
    by_itself: int | None = None

    @property
    def a_day(self) -> int:
        return round(self.posts * 24 / self.hours)

    @property
    def a_week_costs(self) -> Decimal:
        """In dollars, as the ledger counts."""
        return budget.cost(self.a_day * WEEK)

    @property
    def highest_a_week(self) -> Decimal:
        return self.a_week_costs * budget.DEAREST

    @property
    def approvals(self) -> int | None:
        """Of a day, whole ones."""
        return None if self.expected is None else round(self.expected * 24 / self.hours)

    @property
    def by_itself_a_day(self) -> int | None:
        return None if self.by_itself is None else round(self.by_itself * 24 / self.hours)

    @property
    def per_hundred(self) -> int | None:
        return None if self.expected is None or not self.posts else round(100 * self.expected / self.posts)


def price_of(source: Source | None, home: Market, now: datetime) -> Price:
    """Told before anybody is asked: at most so many posts. An account's name costs two more, once."""
    unnamed = source is None or (source.kind == Source.Kind.ACCOUNT and not source.x_id)
    posts = MOST + (budget.USER_POSTS if unnamed else 0)
    return Price(posts, budget.balance(home, now), pauses.of_everyone())


class Skimming(Reader):
    """Reads a source's last day: few pages, and nothing that they left open, so that the price is bounded."""

    def result(self) -> Reading:
        if self.source.kind == Source.Kind.LIST:
            self._list()
        else:
            self._since()
        return self.reading

    def _walk(
        self, ask: Callable[..., Page], *, pages: int, floor: int = 0, **bounds: int | None
    ) -> tuple[bool, int | None]:
        size = LIST_PAGE if self.source.kind == Source.Kind.LIST else FULL
        return super()._walk(ask, pages=min(pages, MOST // size), floor=floor, **bounds)

    def _hurry(self) -> None:
        if time.monotonic() - self.began > PATIENCE and self.reading.read:
            raise Unreachable("X is slow, and a person waits.")


def try_source(
    source: Source,
    home: Market,
    channels: Sequence[Channel],
    *,
    by: User,
    now: datetime,
    per_hundred: float | None = None,
    ask: Door | None = None,
) -> Tried:
    """Asks X. `source` need not be stored; `channels`: those that it would feed; `per_hundred`: what was approved there
    of a hundred posts read.

    Raises RefusedByX, GoneAtX, and what a link by hand raises: BudgetUsedUp, IngestPaused, XBusy, XUnreachable."""
    pause = pauses.admit(None, now)
    if pause:
        raise IngestPaused(until=pause.until.isoformat(), cause=pause.cause)
    run = IngestRun.objects.create(kind=IngestRun.Kind.TRY, market=home, by=by, started_at=now)
    asking = Metered(ask or quick_door(), home, now=clock_from(now))
    reader = Skimming(Source(kind=source.kind, value=source.value, x_id=source.x_id),
                      Cursor(newest_id=id_at(now - SPAN)), asking, now)  # fmt: skip
    with _told(run, asking, reader, source.kind):
        reading = reader.result()
        if reading.failure and not reading.posts:
            raise reading.failure
    return Weighing(source, home, channels, reading, now).tried(asking.charged, per_hundred)


@contextmanager
def _told(run: IngestRun, asking: Metered, reader: Reader, kind: str) -> Iterator[None]:
    """Ends the run, however it goes; X's failures become refusals."""
    began = run.started_at
    run.outcome, run.error = IngestRun.Outcome.FAILED, "A fault on our side."
    try:
        yield
        run.outcome, run.error = IngestRun.Outcome.READ, str(reader.reading.failure or "")
        pauses.take_note(reader.reading.failure, run.market, began=began, now=asking.now(), answered=True)
    except Failure as failure:
        run.outcome, run.error = outcome_of(failure), str(failure)
        pauses.take_note(failure, run.market, began=began, now=asking.now())
        raise _refusal(failure, kind, run) from None
    finally:
        asking.tell(run)
        run.read, run.ended_at = reader.reading.read, asking.now()
        run.save()
        say(run)


def _refusal(failure: Failure, kind: str, run: IngestRun) -> Refusal:
    if isinstance(failure, Gone):
        return GoneAtX(kind, failure)
    if isinstance(failure, QueryRefused | NotPermitted):
        return RefusedByX(failure.message)
    zone = zone_of(run.by, run.market) if run.by else timezone.get_current_timezone()
    with timezone.override(zone):
        return refusal_of(failure)


@dataclass
class Weighing:
    """What was read, held against what is stored and decided."""

    source: Source
    home: Market
    channels: Sequence[Channel]
    reading: Reading
    now: datetime

    def tried(self, charged: int, per_hundred: float | None) -> Tried:
        posts = self._posts()
        told = self.reading
        whole = told.failure is None and told.gap_floor_id is None and not told.remark
        stored = Tweet.objects.filter(first_id__in=[post.first_id for post in posts])
        tweets = dict(stored.values_list("first_id", "pk"))
        ruled = self._ruled(posts, tweets)
        return Tried(
            posts=len(posts),
            hours=SPAN.total_seconds() / 3600 if whole or not posts else covered(posts[-1], self.now),
            whole=whole,
            known=len(tweets),
            charged=charged,
            read=told.read,
            aside=len(told.broken) + told.missing,
            expected=self._expected(posts, tweets, ruled, per_hundred),
            sample=self._sample(posts, tweets),
            name=self._name(),
            by_itself=len(ruled) if self.source.auto_approve else None,
        )

    def _posts(self) -> list[Post]:
        """Newest first. X begins a list at its top, whatever is known."""
        since = self.now - SPAN
        fitting = (post for post in self.reading.posts.values() if post.created_at >= since or self._by_time)
        return sorted(fitting, key=lambda post: -post.id)

    @property
    def _by_time(self) -> bool:
        """Whether X itself was asked for the span; a repost of today may offer an older post."""
        return self.source.kind != Source.Kind.LIST

    def _ruled(self, posts: Sequence[Post], tweets: dict[int, int]) -> set[int]:
        """Those that the source's own rule would approve where it brings them first, by their first ids: in some
        channel without a second pair of eyes. What a block is known to stop there is left out."""
        channels = {channel.pk for channel in self.channels if not channel.second_pair}
        if not self.source.auto_approve or not channels:
            return set()
        stopped: dict[int, set[int]] = defaultdict(set)
        rows = Candidate.objects.filter(Q(held=True) | Q(blocked_by_lists=True), tweet__in=tweets.values())
        for tweet, channel in rows.values_list("tweet", "channel"):
            stopped[tweet].add(channel)
        return {post.first_id for post in posts if channels - stopped[tweets.get(post.first_id, 0)]}

    def _expected(
        self, posts: Sequence[Post], tweets: dict[int, int], ruled: set[int], per_hundred: float | None
    ) -> float | None:
        """What the rule approves counts as approved, what was decided here as it was decided; the rest by what the
        channels approved so far."""
        rows = Candidate.objects.filter(tweet__in=tweets.values(), channel__in=self.channels)
        decided: dict[int, bool] = {}
        for tweet, state, by_lists in rows.values_list("tweet", "state", "blocked_by_lists"):
            if state == State.APPROVED or (state != State.PENDING and not by_lists):
                decided[tweet] = decided.get(tweet, False) or state == State.APPROVED
        sure = sum(post.first_id in ruled or decided.get(tweets.get(post.first_id, 0), False) for post in posts)
        open_ones = sum(post.first_id not in ruled and tweets.get(post.first_id) not in decided for post in posts)
        if per_hundred is None and open_ones:
            return None
        return sure + open_ones * (per_hundred or 0.0) / 100

    def _sample(self, posts: Sequence[Post], tweets: dict[int, int]) -> list[Sample]:
        """The best by the score that they would have in the first channel."""
        if not self.channels:
            return []
        channel = self.channels[0]
        history = history_of({post.author_id for post in posts}, [channel], self.now)
        scored = [(self._points(post, channel, history[channel.pk, post.author_id]), post) for post in posts]
        best = sorted(scored, key=lambda pair: (-pair[0], -pair[1].id))[:SHOWN]
        return [
            Sample(self._author(post), post.text, post.created_at, points, post.first_id in tweets)
            for points, post in best
        ]

    def _points(self, post: Post, channel: Channel, decided: tuple[int, int]) -> int:
        told: dict[str, Any] = {"trust": self.source.trust, "ours": is_ours(self.source, channel), "now": self.now}
        points = parts(Seen.of(post), channel, approved=decided[0], blocked=decided[1], **told)
        half_lives = self.now.timestamp() / (60 * max(1, channel.half_life_minutes))
        return round(rank(points, post.created_at, channel) - POINTS_A_HALF_LIFE * half_lives)

    def _author(self, post: Post) -> str:
        person = self.reading.people.get(post.author_id)
        return (person.name or f"@{person.username}") if person else str(post.author_id)

    def _name(self) -> str:
        """What an account calls itself."""
        person: Person | None = None
        if self.source.kind == Source.Kind.ACCOUNT:
            people = self.reading.people.values()
            wanted = self.source.value.lower()
            person = next((one for one in people if one.username.lower() == wanted), None)
        return person.name if person else ""


@dataclass(frozen=True)
class Seen:
    """A post as the rank looks at it; its language is X's word alone."""

    lang: str
    sensitive: bool
    metrics: dict[str, int]
    created_at: datetime
    lang_guess: str = ""

    @classmethod
    def of(cls, post: Post) -> Seen:
        return cls(post.lang, post.sensitive, post.metrics, post.created_at)
