"""What the feeds of a market show at one moment: read under the feeds' lock, ordered by `feeds.selection`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from curation.matching import Matcher
from curation.models import Candidate, State, Tweet, Wording
from curation.models.candidates import CandidateQuerySet
from feeds.models import Feed, Snapshot
from feeds.rendering import Entry
from feeds.selection import ChannelRules, Row, Shown, channel_feed, market_feed, next_change, without_fallback
from regions.models import Channel, Market

SPARE, DEEPEST = 2, 4000
OFF = (State.BLOCKED, State.WITHDRAWN)

UNREAD = ("folded", "rank_parts", "tweet__raw", "tweet__metrics", "tweet__previous_text")

# The newest approved ones of each channel, its pins, its newest scheduled ones and the next to come: each part
# by its own partial index, so that it costs the same at any number of candidates. An array, since of a subquery
# PostgreSQL expects so many rows that it would read the whole table.
NEAR = """curation_candidate.id = ANY (ARRAY(
SELECT near.id FROM unnest(%s::bigint[], %s::int[]) AS wanted(channel, depth)
CROSS JOIN LATERAL (
    (SELECT id FROM curation_candidate WHERE channel_id = channel AND state = 'approved'
     ORDER BY approved_at DESC LIMIT depth)
    UNION (SELECT id FROM curation_candidate WHERE channel_id = channel AND slot IS NOT NULL)
    UNION (SELECT id FROM curation_candidate WHERE channel_id = channel AND state = 'approved'
           AND go_live_at <= %s ORDER BY go_live_at DESC LIMIT depth)
    UNION (SELECT id FROM curation_candidate WHERE channel_id = channel AND state = 'approved'
           AND go_live_at > %s ORDER BY go_live_at LIMIT 1)
) AS near))"""


class Post(NamedTuple):
    """What a candidate says: the tweet as its approval found it, and the editors' words."""

    tweet: Tweet
    context: str
    label: str


class Left(NamedTuple):
    """An entry of a snapshot today: its candidate, if there is one, and why it may not be shown, if so."""

    entry: dict[str, Any]
    candidate: Candidate | None
    lost: str


class Fill(NamedTuple):
    """How full a channel's feed is: `live` entries, of which `fresh` would stand there without the fallback; at least
    `least` are wanted. One that is held has no fallback."""

    live: int
    fresh: int
    least: int
    keeps_older: bool
    held: bool

    @property
    def thin(self) -> bool:
        return self.fresh < self.least

    @property
    def older(self) -> int:
        """How many stand there only since the feed is thin."""
        return self.live - self.fresh if self.keeps_older else 0

    @property
    def hidden(self) -> bool:
        """Whether nothing stands there since the feed is thin."""
        return self.thin and not self.keeps_older and not self.held


class Edition:
    """One market at `now`. Blocks, withdrawals and what X withholds are looked at here, not trusted to states."""

    def __init__(self, market: Market, channels: list[Channel], feeds: Iterable[Feed], now: datetime) -> None:
        self.market, self.now = market, now
        self.channels = {channel.pk: channel for channel in channels}
        self.rules = {channel.pk: rules_of(channel) for channel in channels}
        known = {None, *self.channels}
        self.held = {feed.channel_id: feed for feed in feeds if feed.held(now) and feed.channel_id in known}
        self.open = [pk for pk, channel in self.channels.items() if channel.active and pk not in self.held]
        self.matcher = Matcher([])
        self.posts: dict[int, Post] = {}
        self.rows: dict[int, list[Row]] = {}
        self.barred: set[int] = set()
        self.shown = self._read() if market.active else {}

    @property
    def revision(self) -> int:
        """Of the market's own feed: the sum of its active channels' revisions."""
        return sum(one.revision for one in self.channels.values() if one.active) if self.market.active else 0

    def channel_entries(self, channel_id: int) -> list[Entry]:
        return [self._entry(shown, self.posts) for shown in self.shown.get(channel_id, [])]

    def fill_of(self, channel_id: int) -> Fill:
        rules, live = self.rules[channel_id], len(self.shown.get(channel_id, []))
        if channel_id in self.held:
            return Fill(live, live, rules.minimum, rules.keeps_older, held=True)
        rows = (row for row in self.rows.get(channel_id, []) if row.id not in self.barred)
        fresh = without_fallback(rules, rows, self.now)
        shown = [one for one in fresh if self._may_show(self.posts[one.row.id].tweet, channel_id)]
        return Fill(live, len(shown), rules.minimum, rules.keeps_older, held=False)

    def market_entries(self) -> list[Entry]:
        if hold := self.held.get(None):
            posts, kept = self._held(hold)
            return [self._entry(shown, posts) for shown in kept if self._stands_in_its_channel(shown.row)]
        channels = ((self.rules[pk], shown) for pk, shown in self.shown.items())
        return [self._entry(shown, self.posts) for shown in market_feed(self.market.feed_length, channels)]

    def _stands_in_its_channel(self, row: Row) -> bool:
        """False for what a channel that is held for itself, not with its market, does not show."""
        own = self.held.get(row.channel)
        if own is None or own.with_market:
            return True
        return row.tweet in {shown.row.tweet for shown in self.shown.get(row.channel, [])}

    def next_change(self) -> datetime | None:
        """The earliest moment at which time alone changes any of its feeds."""
        moments = [next_change(self.rules[pk], rows, self.now) for pk, rows in self.rows.items()]
        moments += [feed.held_until for feed in self.held.values()]
        if self.barred:
            moments.append(self.matcher.next_end(self.now))
        return min((moment for moment in moments if moment), default=None)

    def _read(self) -> dict[int, list[Shown]]:
        depths = {pk: SPARE * self.rules[pk].length for pk in self.open}
        self._fetch(depths)
        self.matcher = Matcher.of(self.market)  # after the candidates: no block that holds now is missed
        while True:
            shown = {pk: self._select(pk) for pk in self.open}
            if self._bar(entry for entries in shown.values() for entry in entries):
                continue
            short = {pk: depths[pk] * 8 for pk in self.open if self._is_short(pk, shown[pk], depths[pk])}
            if not short:
                break
            depths |= short
            self._fetch(short)
        for pk, feed in self.held.items():
            if pk and self.channels[pk].active:
                posts, shown[pk] = self._held(feed)
                self.posts |= posts
        return shown

    def _fetch(self, depths: dict[int, int]) -> None:
        """Candidates with their tweets and authors in one statement: no edit can come between state and text."""
        self.rows |= {pk: [] for pk in depths}
        if not depths:
            return
        near = RawSQL(NEAR, [list(depths), list(depths.values()), self.now, self.now], BooleanField())  # noqa: S611
        for candidate in with_posts().filter(near):
            self.rows[candidate.channel_id].append(row_of(candidate))
            self.posts[candidate.pk] = Post(candidate.tweet, candidate.context, candidate.label)

    def _select(self, channel_id: int) -> list[Shown]:
        rows = (row for row in self.rows[channel_id] if row.id not in self.barred)
        return channel_feed(self.rules[channel_id], rows, self.now)

    def _is_short(self, channel_id: int, shown: list[Shown], depth: int) -> bool:
        """Whether rows that were not read could fill places that stayed empty."""
        rules, end = self.rules[channel_id], self._end(channel_id, depth)
        if end is None or depth >= DEEPEST:
            return False
        if end + rules.lasts > self.now:
            return len(shown) < rules.length
        return rules.keeps_older and len(shown) < min(rules.minimum, rules.length)

    def _end(self, channel_id: int, depth: int) -> datetime | None:
        """No row that was not read went live later; None where all were read."""
        rows = self.rows[channel_id]
        approved = [row.approved_at for row in rows]
        begun = [row.go_live_at for row in rows if row.go_live_at and row.go_live_at <= self.now]
        ends = [sorted(part)[-depth] for part in (approved, begun) if len(part) >= depth]
        return max(ends, default=None)

    def _bar(self, shown: Iterable[Shown]) -> bool:
        """Bars those that may not stand in a feed; whether there were any."""
        rows = [entry.row for entry in shown]
        found = {row.id for row in rows if not self._may_show(self.posts[row.id].tweet, row.channel)}
        self.barred |= found
        return bool(found)

    def _may_show(self, tweet: Tweet, channel_id: int) -> bool:
        return tweet.showable_in(self.market.country) and not self.matcher.blocks(tweet, channel_id, self.now)

    def left_of(self, snapshot: Snapshot) -> list[Left]:
        """What a snapshot showed, in its order, each with the reason why it may not be shown so any more."""
        found = with_posts().in_bulk([entry["candidate"] for entry in snapshot.entries])
        pairs = [(entry, found.get(entry["candidate"])) for entry in snapshot.entries]
        return [Left(entry, candidate, self._lost(candidate, entry)) for entry, candidate in pairs]

    def _lost(self, candidate: Candidate | None, entry: dict[str, Any]) -> str:
        """Blocked, withdrawn, edited, withheld or purged since; empty for what still may be shown."""
        if candidate is None or candidate.tweet.purged_at is not None:
            return "purged"
        tweet = candidate.tweet
        if candidate.state in OFF:
            return str(candidate.state)
        if str(tweet.current_id) != entry["id"] or tweet.text_hash != entry["text_hash"]:
            return "edited"
        if not tweet.showable_in(self.market.country):
            return "withheld"
        return "blocked" if self.matcher.blocks(tweet, candidate.channel_id, self.now) else ""

    def _held(self, feed: Feed) -> tuple[dict[int, Post], list[Shown]]:
        """The entries of the snapshot a feed is held at that may still be shown, unchanged since; none when blank."""
        if feed.hold != Feed.Hold.SNAPSHOT or feed.held_at is None:
            return {}, []
        left = [one for one in self.left_of(feed.held_at) if one.entry["channel"] in self.channels and not one.lost]
        kept = [(one.candidate, one.entry) for one in left if one.candidate]
        words = Wording.objects.read({entry[word] for _row, entry in kept for word in ("context", "label")})
        posts = {one.pk: as_stored(one, entry, words) for one, entry in kept}
        return posts, [Shown(row_as_stored(one, feed.held_at), entry["slot"]) for one, entry in kept]

    def _entry(self, shown: Shown, posts: dict[int, Post]) -> Entry:
        row, post = shown.row, posts[shown.row.id]
        category = self.channels[row.channel].category.slug
        return Entry(row.id, row.channel, category, post.tweet, shown.slot, post.context, post.label, row.expire_at)


def with_posts() -> CandidateQuerySet:
    """Candidates with all that a feed shows of them, read at one moment."""
    return Candidate.objects.select_related("tweet__author").defer(*UNREAD)


def row_of(candidate: Candidate) -> Row:
    """An approved candidate, as the selection looks at it."""
    if candidate.approved_at is None:
        raise ValueError(f"not approved: {candidate}")
    return Row(
        candidate.pk, candidate.channel_id, candidate.tweet_id, candidate.group_id or candidate.pk,
        candidate.approved_at, candidate.go_live_at, candidate.expire_at,
        candidate.slot, candidate.pinned_until, candidate.with_similar,
    )  # fmt: skip


def row_as_stored(candidate: Candidate, snapshot: Snapshot) -> Row:
    """A candidate of a held snapshot: in no group, with no end."""
    approved_at = candidate.approved_at or snapshot.at
    return Row(candidate.pk, candidate.channel_id, candidate.tweet_id, candidate.pk, approved_at, candidate.go_live_at)


def as_stored(candidate: Candidate, entry: dict[str, Any], words: dict[str, str]) -> Post:
    """With the words of a held snapshot; erased ones are missing."""
    return Post(candidate.tweet, words.get(entry["context"], ""), words.get(entry["label"], ""))


def rules_of(channel: Channel) -> ChannelRules:
    return ChannelRules(
        id=channel.pk,
        position=channel.position,
        length=channel.feed_length,
        lasts=timedelta(hours=channel.live_hours),
        minimum=channel.minimum_fill,
        keeps_older=channel.fallback == Channel.Fallback.KEEP_OLDER,
    )
