"""What the feeds of a market show at one moment: read under the feeds' lock, ordered by `feeds.selection`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from curation.matching import Matcher
from curation.models import Candidate, State, Tweet, Wording
from feeds.models import Feed, Snapshot
from feeds.rendering import Entry
from feeds.selection import ChannelRules, Row, Shown, channel_feed, market_feed, next_change
from regions.models import Channel, Market

SPARE, DEEPEST = 2, 4000
OFF = (State.BLOCKED, State.WITHDRAWN)

# The newest approved ones of each channel, its pins, its newest scheduled ones and the next to come: each part
# by its own partial index, so that it costs the same at any number of candidates.
NEAR = """
SELECT c.id, c.channel_id, c.tweet_id, coalesce(c.group_id, c.id), c.approved_at, c.go_live_at, c.expire_at,
       c.slot, c.pinned_until, c.with_similar, c.context, c.label
FROM unnest(%(channels)s, %(depths)s) AS wanted(channel, depth)
CROSS JOIN LATERAL (
    (SELECT id FROM curation_candidate WHERE channel_id = channel AND state = 'approved'
     ORDER BY approved_at DESC LIMIT depth)
    UNION (SELECT id FROM curation_candidate WHERE channel_id = channel AND slot IS NOT NULL)
    UNION (SELECT id FROM curation_candidate WHERE channel_id = channel AND state = 'approved'
           AND go_live_at <= %(now)s ORDER BY go_live_at DESC LIMIT depth)
    UNION (SELECT id FROM curation_candidate WHERE channel_id = channel AND state = 'approved'
           AND go_live_at > %(now)s ORDER BY go_live_at LIMIT 1)
) AS near JOIN curation_candidate AS c USING (id)
"""


class Edition:
    """One market at `now`. Blocks, withdrawals and what X withholds are looked at here, not trusted to states."""

    def __init__(self, market: Market, channels: list[Channel], feeds: Iterable[Feed], now: datetime) -> None:
        self.market, self.now = market, now
        self.channels = {channel.pk: channel for channel in channels}
        self.rules = {channel.pk: rules_of(channel) for channel in channels}
        self.held = {feed.channel_id: feed for feed in feeds if feed.held(now)}
        self.open = [pk for pk, channel in self.channels.items() if channel.active and pk not in self.held]
        self.matcher = Matcher([])
        self.tweets: dict[int, Tweet] = {}
        self.words: dict[int, tuple[str, str]] = {}
        self.rows: dict[int, list[Row]] = {}
        self.barred: set[int] = set()
        self.shown = self._read() if market.active else {}

    def channel_entries(self, channel_id: int) -> list[Entry]:
        return [self._entry(shown) for shown in self.shown.get(channel_id, [])]

    def market_entries(self) -> list[Entry]:
        if hold := self.held.get(None):
            return [self._entry(shown) for shown in self._held(hold)]
        channels = ((self.rules[pk], shown) for pk, shown in self.shown.items())
        return [self._entry(shown) for shown in market_feed(self.market.feed_length, channels)]

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
        held = {pk: self._held(feed) for pk, feed in self.held.items() if pk and self.channels[pk].active}
        return shown | held

    def _fetch(self, depths: dict[int, int]) -> None:
        wanted: dict[str, Any] = {"channels": list(depths), "depths": list(depths.values()), "now": self.now}
        self.rows |= {pk: [] for pk in depths}
        if not depths:
            return
        with connection.cursor() as cursor:
            cursor.execute(NEAR, wanted)
            for pk, channel, tweet, group, approved, begins, expires, slot, until, similar, *words in cursor:
                row = Row(pk, channel, tweet, group, approved, begins, expires, slot, until, similar)
                self.rows[channel].append(row)
                self.words[pk] = (words[0], words[1])

    def _select(self, channel_id: int) -> list[Shown]:
        rows = (row for row in self.rows[channel_id] if row.id not in self.barred)
        return channel_feed(self.rules[channel_id], rows, self.now)

    def _is_short(self, channel_id: int, shown: list[Shown], depth: int) -> bool:
        """Whether rows that were not read could fill places that stayed empty."""
        rules, rows = self.rules[channel_id], self.rows[channel_id]
        if len(rows) < depth or depth >= DEEPEST:
            return False
        if min(row.live_at for row in rows) + rules.lasts > self.now:
            return len(shown) < rules.length
        return rules.keeps_older and len(shown) < min(rules.minimum, rules.length)

    def _bar(self, shown: Iterable[Shown]) -> bool:
        """Bars those that may not stand in a feed; whether there were any."""
        entries = list(shown)
        self._load(entry.row.tweet for entry in entries)
        found = {entry.row.id for entry in entries if not self._may_show(entry.row.tweet, entry.row.channel)}
        self.barred |= found
        return bool(found)

    def _load(self, tweet_ids: Iterable[int]) -> None:
        missing = set(tweet_ids) - self.tweets.keys()
        if missing:
            found = Tweet.objects.select_related("author").defer("raw", "metrics", "previous_text")
            self.tweets |= {tweet.pk: tweet for tweet in found.filter(pk__in=missing)}

    def _may_show(self, tweet_id: int, channel_id: int) -> bool:
        tweet = self.tweets[tweet_id]
        return tweet.showable_in(self.market.country) and not self.matcher.blocks(tweet, channel_id, self.now)

    def _held(self, feed: Feed) -> list[Shown]:
        """The entries of the snapshot a feed is held at that may still be shown, unchanged since; none when blank."""
        if feed.hold != Feed.Hold.SNAPSHOT or feed.held_at is None:
            return []
        rows, stored = [], {entry["candidate"]: entry for entry in feed.held_at.entries}
        candidates = Candidate.objects.exclude(state__in=OFF).in_bulk(stored)
        self._load(candidate.tweet_id for candidate in candidates.values())
        words = Wording.objects.read({entry[word] for entry in stored.values() for word in ("context", "label")})
        for pk, entry in stored.items():
            if pk in candidates and self._is_unchanged(candidates[pk], entry):
                rows.append(self._keep(candidates[pk], entry, words, feed.held_at))
        return rows

    def _is_unchanged(self, candidate: Candidate, entry: dict[str, Any]) -> bool:
        tweet = self.tweets[candidate.tweet_id]
        same = str(tweet.current_id) == entry["id"] and tweet.text_hash == entry["text_hash"]
        return same and self._may_show(tweet.pk, candidate.channel_id)

    def _keep(self, candidate: Candidate, entry: dict[str, Any], words: dict[str, str], snapshot: Snapshot) -> Shown:
        self.words[candidate.pk] = (words.get(entry["context"], ""), words.get(entry["label"], ""))
        row = Row(
            candidate.pk, candidate.channel_id, candidate.tweet_id, candidate.pk,
            candidate.approved_at or snapshot.at, candidate.go_live_at,
        )  # fmt: skip
        return Shown(row, entry["slot"])

    def _entry(self, shown: Shown) -> Entry:
        row = shown.row
        context, label = self.words[row.id]
        category = self.channels[row.channel].category.slug
        return Entry(row.id, row.channel, category, self.tweets[row.tweet], shown.slot, context, label, row.expire_at)


def rules_of(channel: Channel) -> ChannelRules:
    return ChannelRules(
        id=channel.pk,
        position=channel.position,
        length=channel.feed_length,
        lasts=timedelta(hours=channel.live_hours),
        minimum=channel.minimum_fill,
        keeps_older=channel.fallback == Channel.Fallback.KEEP_OLDER,
    )
