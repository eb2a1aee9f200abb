"""What many blocks together would have hit, before a sheet of them is laid: one pass over the last days for all."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic

from django.db import OperationalError

from curation.blocking.entries import fingerprint
from curation.blocking.reach import DAYS, FEWEST, WIDE, Found, given_up, in_time, taken_by
from curation.matching import Matcher, words_of
from curation.models import State, Tweet
from curation.operations.blocking import Entry, reach
from regions.models import Block, BlockListExemption, Channel, Market

MOST_SWEPT = 20_000  # candidates of each state, shared by the channels
MOST_SECONDS, AT_ONCE = 5, 500
NEWEST = """
WITH week AS MATERIALIZED (
    SELECT near.* FROM unnest(%s::bigint[]) AS wanted(channel) CROSS JOIN unnest(%s::text[]) AS states(state)
    CROSS JOIN LATERAL (
        SELECT id, tweet_id, channel_id, curation_candidate.state, posted_at FROM curation_candidate
        WHERE channel_id = wanted.channel AND curation_candidate.state = states.state AND posted_at >= %s
        ORDER BY posted_at DESC, id DESC LIMIT %s
    ) AS near
)
SELECT tweet_id, channel_id, (SELECT max(n) FROM (SELECT count(*) AS n FROM week GROUP BY channel_id, state) AS each)
FROM week ORDER BY posted_at DESC, id DESC
"""


@dataclass
class Sweep:
    """What was looked through. `hit`: candidates that any of the blocks would have hit; `by`: how many each would, by
    its place among the entries; `read`: how many were looked at, by channel. `cut`: there are more than those; `late`:
    none could be looked at in time."""

    hit: int = 0
    by: Counter[int] = field(default_factory=Counter)
    read: Counter[int] = field(default_factory=Counter)
    cut: bool = False
    late: bool = False


@dataclass(frozen=True)
class Wide:
    """An entry that would have hit a quarter of what was read in its channels, or more."""

    entry: Entry
    hit: int
    share: float

    @property
    def hundredths(self) -> int:
        return round(100 * self.share)


@dataclass(frozen=True)
class Together:
    """What entries would do if they were laid now. `taken`: what outright ones take out at once, `live` those of them
    that are on phones now; `wide`: the widest first."""

    entries: Sequence[Entry]
    sweep: Sweep
    taken: Sequence[Found]
    live: Sequence[Found]
    wide: Sequence[Wide]

    @property
    def read(self) -> int:
        return self.sweep.read.total()

    @property
    def tried(self) -> str:
        """The mark of this dry run: what was tried, and how much it would take out."""
        return f"{mark_of(self.entries)}.{len(self.taken)}"


@dataclass(frozen=True)
class Ground:
    """What of the blocks holds in the channels of one market."""

    blocks: Sequence[Block]
    matcher: Matcher
    channels: Sequence[int]


def try_together(entries: Sequence[Entry], now: datetime) -> Together:
    """What all entries together would have hit in the last DAYS, and what they take out at once. Reads at most
    MOST_SWEPT candidates of each state, for MOST_SECONDS."""
    grounds = _grounds(entries)
    taken = _taken(grounds, now)
    sweep = _swept(grounds, now)
    live = [one for one in taken if one.live(now)]
    return Together(entries, sweep, taken, live, _wide(entries, grounds, sweep))


def still_as(tried: str, entries: Sequence[Entry], now: datetime) -> bool:
    """Whether a dry run was of these entries, and they would take out no more now than it told."""
    mark, _dot, told = tried.partition(".")
    if mark != mark_of(entries) or not (told.isascii() and told.isdigit()):
        return False
    return len(_taken(_grounds(entries), now)) <= int(told[:9])


def mark_of(entries: Iterable[Entry]) -> str:
    return hashlib.sha256("".join(fingerprint(one) for one in entries).encode()).hexdigest()[:16]


def _grounds(entries: Sequence[Entry]) -> list[Ground]:
    """The blocks to be, by the markets where they hold; each has the place of its entry for an id."""
    scopes: dict[tuple[int | None, int | None, int | None], list[Block]] = defaultdict(list)
    for n, one in enumerate(entries):
        block = Block(pk=n, kind=one.name.kind, value=one.name.value, effect=one.effect, channel=one.channel,
                      market=one.market)  # fmt: skip
        scopes[block.channel_id, block.market_id, one.block_list.pk if one.block_list else None].append(block)
    free: dict[int, set[int]] = defaultdict(set)
    for exempted, where in BlockListExemption.objects.values_list("block_list", "market"):
        free[exempted].add(where)
    reached: dict[int, set[int]] = defaultdict(set)
    holding: dict[int, list[Block]] = defaultdict(list)
    market_of = dict(Channel.objects.values_list("pk", "market"))
    for (channel, home, listed), blocks in scopes.items():
        near = {pk for pk in reach(channel, home) if not listed or market_of[pk] not in free[listed]}
        for market in {market_of[pk] for pk in near}:
            holding[market] += blocks
            reached[market] |= {pk for pk in near if market_of[pk] == market}
    return [Ground(blocks, Matcher(blocks), sorted(reached[market])) for market, blocks in sorted(holding.items())]


def _taken(grounds: Iterable[Ground], now: datetime) -> list[Found]:
    """What outright blocks would take out at once."""
    found: list[Found] = []
    for ground in grounds:
        outright = [block for block in ground.blocks if block.effect == Block.Effect.BLOCK]
        if outright:
            found += taken_by(outright, Matcher(outright), ground.channels, now)
    return found


def _swept(grounds: Sequence[Ground], now: datetime) -> Sweep:
    """One pass over the newest candidates, until all were looked at or the time is over."""
    matchers = {channel: ground.matcher for ground in grounds for channel in ground.channels}
    sweep, until = Sweep(), monotonic() + MOST_SECONDS
    most = MOST_SWEPT // max(1, len(matchers))
    asked = [sorted(matchers), [str(state) for state in State.values], now - timedelta(days=DAYS), most]
    try:
        with in_time(MOST_SECONDS) as cursor:
            cursor.execute(NEWEST, asked)
            rows = cursor.fetchall()
            sweep.cut = bool(rows) and rows[0][2] == most
            for first in range(0, len(rows), AT_ONCE):
                if monotonic() > until:
                    sweep.cut = True
                    break
                _look([row[:2] for row in rows[first : first + AT_ONCE]], matchers, sweep, now)
    except OperationalError as error:
        given_up(error)
        sweep.cut, sweep.late = True, not sweep.read
    return sweep


def _look(rows: Sequence[tuple[int, int]], matchers: dict[int, Matcher], sweep: Sweep, now: datetime) -> None:
    """Adds some candidates, as tweet and channel, to what was looked through."""
    tweets = Tweet.objects.select_related("author").defer("raw", "previous_text").in_bulk({row[0] for row in rows})
    words = {pk: words_of(tweet.text) for pk, tweet in tweets.items()}
    for pk, channel in rows:
        sweep.read[channel] += 1
        if matches := matchers[channel].matches(tweets[pk], channel, now, words[pk]):
            sweep.hit += 1
            sweep.by.update(one.block_id for one in matches)


def _wide(entries: Sequence[Entry], grounds: Iterable[Ground], sweep: Sweep) -> list[Wide]:
    """The entries that are to be warned of, the widest first."""
    read_of: dict[tuple[Channel | None, Market | None], int] = {}
    for scope in {(one.channel, one.market) for one in entries}:
        near = reach(scope[0].pk if scope[0] else None, scope[1].pk if scope[1] else None)
        read_of[scope] = sum(sweep.read[pk] for ground in grounds for pk in ground.channels if pk in near)
    found = []
    for n, hit in sweep.by.items():
        read = read_of[entries[n].channel, entries[n].market]
        if read >= FEWEST and hit / read >= WIDE:
            found.append(Wide(entries[n], hit, hit / read))
    return sorted(found, key=lambda one: -one.share)
