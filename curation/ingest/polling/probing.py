"""What would this query, account or list bring? X is asked and paid, nothing is stored but the charge."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from curation.ingest.polling.reading import Reader, Reading
from curation.ledger import budget
from curation.ledger.metered import Metered
from curation.models import Cursor, Tweet
from curation.x.wire import Post, id_at
from regions.models import Source

SHOWN = 5
AUTHORS = 3  # times the price, if X charges the authors it sends along: nobody knows


@dataclass(frozen=True)
class Probe:
    """`posts` were found in the last `hours`; `whole` when these are all. `charged` is what asking cost, in posts."""

    hours: float
    posts: int
    known: int
    whole: bool
    charged: int
    languages: dict[str, int] = field(default_factory=dict)
    aside: int = 0
    newest: list[tuple[str, str]] = field(default_factory=list)

    @property
    def a_day(self) -> int:
        return round(self.posts * 24 / self.hours)

    @property
    def a_day_costs(self) -> tuple[Decimal, Decimal]:
        """Dollars, at least and at most."""
        least = budget.cost(self.a_day)
        return least, least * AUTHORS


def probe(kind: str, value: str, *, hours: int, ask: Metered, now: datetime) -> Probe:
    """Reads as a source would that was read `hours` ago for the last time. Raises Failure."""
    since = now - timedelta(hours=hours)
    told = Reader(Source(kind=kind, value=value), Cursor(newest_id=id_at(since)), ask, now).result()
    if told.failure and not told.posts:
        raise told.failure
    fitting = (post for post in told.posts.values() if kind != Source.Kind.LIST or post.created_at >= since)
    posts = sorted(fitting, key=lambda post: -post.id)  # X begins a list at its top, whatever is known
    whole = told.failure is None and told.gap_floor_id is None and not told.remark
    return Probe(
        hours=hours if whole or not posts else covered(posts[-1], now),
        posts=len(posts),
        known=Tweet.objects.filter(first_id__in=[post.first_id for post in posts]).count(),
        whole=whole,
        charged=ask.charged,
        languages=dict(Counter(post.lang or "und" for post in posts).most_common()),
        aside=len(told.broken) + told.missing,
        newest=[(name_of(post, told), post.text) for post in posts[:SHOWN]],
    )


def covered(oldest: Post, now: datetime) -> float:
    """Hours back to the oldest post that was read; a minute at least."""
    return max(1 / 60, (now - oldest.created_at).total_seconds() / 3600)


def name_of(post: Post, told: Reading) -> str:
    person = told.people.get(post.author_id)
    return f"@{person.username}" if person else str(post.author_id)
