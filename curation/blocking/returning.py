"""What lifting blocks would bring back, told before: nothing goes live by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from curation.matching import Matcher
from curation.models import Candidate, Hit
from regions.models import Block, Market

MOST_TOLD = 1000


@dataclass(frozen=True)
class Returning:
    """`back`: blocked by the lists alone, and by no other; they wait again. `stay`: another block forbids them."""

    back: int = 0
    stay: int = 0
    more: bool = False

    @property
    def told(self) -> int:
        """How many come back; one past MOST_TOLD where only so many were looked at."""
        return MOST_TOLD + 1 if self.more and self.back else self.back


def returning(blocks: Iterable[Block], now: datetime, market: Market | None = None) -> Returning:
    """What comes back when these blocks hold no more; in one market, where it is given. Looks at MOST_TOLD hits."""
    ids = {block.pk for block in blocks}
    blocked = {"candidate__state": "blocked", "candidate__blocked_by_lists": True}
    hits = Hit.objects.filter(block__in=ids, candidate__tweet__purged_at=None, **blocked)
    if market is not None:
        hits = hits.filter(candidate__channel__market=market)
    found = list(hits.order_by("-at").values_list("candidate", flat=True)[: MOST_TOLD + 1])
    rows = Candidate.objects.with_tweets().defer("tweet__raw").filter(pk__in=found[:MOST_TOLD])
    stay = sum(_forbidden(row, ids, now) for row in rows)
    return Returning(len(rows) - stay, stay, len(found) > MOST_TOLD)


def _forbidden(row: Candidate, besides: set[int], now: datetime) -> bool:
    matches = Matcher.of(row.channel.market).matches(row.tweet, row.channel_id, now)
    return any(one.effect == Block.Effect.BLOCK and one.block_id not in besides for one in matches)
