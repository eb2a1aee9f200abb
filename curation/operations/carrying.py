"""The job behind blocks: what was laid is carried to everything undecided, what was lifted is given back.

Rows of Enforcement say what is to be done; each step is one transaction that holds its row (others skip it), and may
be killed and done again. A pass is the last one when it begins after everything has ended that began before the act
was committed: what could not see the block, such as an ingest under way, may store a candidate behind the pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from curation.matching import Match, Matcher, Worded
from curation.models import Act, Candidate, Enforcement, Hit, State, Verb
from curation.operations import suspects
from curation.operations.blocking import hit_of, reach, reach_of, take_out
from curation.operations.errors import Busy
from curation.operations.record import Record, back_to_pending, lock_candidates, lock_channels, one_transaction
from curation.precedence import strongest
from curation.verdicts import Judge, Verdict
from regions.models import Block, BlockExemption, BlockListExemption, Channel, Market

MOST_ROWS, MOST_SECONDS = 100, 60.0
MOST_LOOKED_AT, FEW = 20_000, 5  # as many blocks of one act are carried each by itself
OLDEST = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
MINE = "SELECT pg_current_xact_id()::text::bigint"


class Continued(Record):
    """An act of earlier, to which the system adds decisions."""

    def __init__(self, act: Act, *, now: datetime) -> None:
        self.by, self.now, self.rows, self.act, self.decisions = None, now, {}, act, []


def carry_blocks(*, now: datetime, clock: Callable[[], float] = monotonic, seconds: float = MOST_SECONDS) -> int:
    """Carries what waits, the oldest first, as far as the seconds reach; returns how many candidates were decided.
    One whose channels are busy keeps none of the others waiting."""
    decided, ends = 0, clock() + seconds
    for pk in leads():
        with suppress(Busy):
            while clock() < ends and (moved := carry_on(pk, now)) is not None:
                decided += moved
    return decided


TOGETHER = ("act", "verb", "market", "block_list", "block__market", "block__channel")


def leads() -> list[int]:
    """What waits, oldest first; of many blocks of one act and scope the first stands for all."""
    groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for pk, *told in Enforcement.objects.waiting().values_list("pk", *TOGETHER)[:MOST_LOOKED_AT]:
        groups[tuple(told)].append(pk)
    told_of = (pks if len(pks) <= FEW else pks[:1] for pks in groups.values())
    return sorted(pk for pks in told_of for pk in pks)[:MOST_ROWS]


def mates_of(row: Enforcement) -> QuerySet[Enforcement] | None:
    """Those that are carried in one walk with this one, itself included; None where it goes alone."""
    if row.block is None or row.market_id:
        return None
    same = Enforcement.objects.waiting().filter(
        act=row.act, verb=row.verb, market=None, block__market=row.block.market_id, block__channel=row.block.channel_id
    )
    return same if same[: FEW + 1].count() > FEW else None


def carry_on(pk: int, now: datetime) -> int | None:
    """One step of one enforcement: how many candidates it decided; None where there is nothing to do by now."""
    with one_transaction():
        oldest = _number(OLDEST)  # asked before this transaction gets an id of its own
        waiting = Enforcement.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
        row = waiting.select_related("act", "block", "block_list", "market").filter(pk=pk, carried_at=None).first()
        if row is None:
            return None
        if row.horizon is None:
            Enforcement.objects.filter(pk=pk).update(horizon=_number(MINE), place={"last": None})
            return 0
        if row.place is None and oldest <= row.horizon:
            return None
        row.place = row.place or {"last": None}
        if row.place["last"] is None:
            row.place["last"] = oldest > row.horizon
        mates = mates_of(row)
        step = Carrying(row, now, mates) if row.verb == Verb.BLOCK else GivingBack(row, now, mates)
        if step.through():
            row.carried_at = now if row.place["last"] else None
            row.place = None
            if mates is not None and row.carried_at:
                mates.update(carried_at=now)
        row.save()
    return len(step.record.decisions)


def _number(query: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return int(cursor.fetchone()[0])


def blocks_of(row: Enforcement, mates: QuerySet[Enforcement] | None = None) -> QuerySet[Block]:
    if mates is not None:
        return Block.objects.filter(pk__in=mates.order_by().values("block"))
    if row.block_list:
        return Block.objects.filter(block_list=row.block_list)
    return Block.objects.filter(pk__in=[row.block_id])


class Carrying:
    """Some more undecided candidates that a new block may match. The row's `place`: the block, and how far it came."""

    def __init__(self, row: Enforcement, now: datetime, mates: QuerySet[Enforcement] | None = None) -> None:
        self.row, self.now, self.mates = row, now, mates
        self.record = Continued(row.act, now=now)

    def through(self) -> bool:
        """Takes one step; whether it was the last of the pass."""
        if self.mates is not None:
            return self._through_all()
        block = self._blocks().filter(pk__gte=self.row.place.get("block", 0)).first()
        if block is None:
            return True
        at = self.row.place.get("at") if self.row.place.get("block") == block.pk else None
        channels = sorted(reach_of(block, self.row.market))
        found, place = suspects.next_ones(block, channels, suspects.Place(**at) if at else None)
        self._enforce({block.pk: block}, found, Matcher([block]).matches)
        told = {"block": block.pk, "at": vars(place)} if place else {"block": block.pk + 1}
        self.row.place = {"last": self.row.place["last"]} | told
        return False

    def _through_all(self) -> bool:
        """The same for many blocks of one scope: one walk through what is undecided, against the markets' lists."""
        at = self.row.place.get("at")
        block: Any = self.row.block
        channels = sorted(reach(block.channel_id, block.market_id))
        found, place = suspects.next_of_all(channels, suspects.Place(**at) if at else None)
        matchers = {market.pk: Matcher.of(market) for market in Market.objects.filter(channel__in=channels).distinct()}
        markets = dict(Channel.objects.filter(pk__in=channels).values_list("pk", "market"))
        ours = self._blocks().in_bulk()

        def matches(tweet: Worded, channel: int, now: datetime) -> list[Match]:
            return [one for one in matchers[markets[channel]].matches(tweet, channel, now) if one.block_id in ours]

        self._enforce(ours, found, matches)
        self.row.place = {"last": self.row.place["last"]} | ({"at": vars(place)} if place else {})
        return place is None

    def _blocks(self) -> QuerySet[Block]:
        """Those that hold still."""
        every = blocks_of(self.row, self.mates)
        return every.filter(lifted_at=None).exclude(ends_at__lte=self.now).order_by("pk")

    def _enforce(
        self, blocks: Mapping[int, Block], ids: list[int], matches: Callable[[Worded, int, datetime], list[Match]]
    ) -> None:
        suspected = Candidate.objects.filter(pk__in=ids).select_related("tweet__author").defer("tweet__raw")
        matched = [row for row in suspected if matches(row.tweet, row.channel_id, self.now)]
        if not matched:
            return
        lock_channels(row.channel_id for row in matched)
        marks = Hit.objects.filter(block__in=blocks, candidate__in=matched)
        marked = set(marks.values_list("candidate_id", flat=True))
        hits = []
        for row in lock_candidates(row.pk for row in matched).values():
            found = matches(row.tweet, row.channel_id, self.now)
            if row.state not in suspects.STATES or not found:
                continue
            hits += [hit_of(row, match, self.now) for match in found]
            if worst := strongest(one for one in found if one.effect == Block.Effect.BLOCK):
                take_out(self.record, row, worst.reason)
            elif row.pk not in marked and not self._seen(row):
                self.record.change(row, Verb.HOLD, reason=found[0].reason, held=True)
        Hit.objects.bulk_create(hits, ignore_conflicts=True)
        self.record.close()

    def _seen(self, row: Candidate) -> bool:
        """Whether it is marked, or was approved after the block was laid: approving clears the mark."""
        return row.held or (row.approved_at is not None and row.approved_at >= self.row.at)


class GivingBack:
    """Some more candidates that a block matched which holds no more: those that nothing else blocks wait again."""

    def __init__(self, row: Enforcement, now: datetime, mates: QuerySet[Enforcement] | None = None) -> None:
        self.row, self.now, self.mates = row, now, mates
        self.record = Continued(row.act, now=now)

    def through(self) -> bool:
        if self._holds_again():
            return True
        hits = Hit.objects.filter(block__in=self._over()).order_by("pk")
        if self.row.market:
            hits = hits.filter(candidate__channel__market=self.row.market)
        some = list(hits.values_list("pk", "candidate_id")[: suspects.AT_ONCE])
        if not some:
            return True
        self._give_back({candidate for _pk, candidate in some})
        return False

    def _over(self) -> QuerySet[Block]:
        """The blocks that hold no more."""
        found = blocks_of(self.row, self.mates)
        return found.filter(lifted_at__isnull=False) if self.mates is not None else found

    def _holds_again(self) -> bool:
        """Whether it was laid anew, or the exemption ended, since."""
        block, market = self.row.block, self.row.market
        if self.mates is not None:
            return False
        if market is None:
            return block is not None and block.lifted_at is None
        if block is not None:
            return not BlockExemption.objects.filter(block=block, market=market).exists()
        return not BlockListExemption.objects.filter(block_list=self.row.block_list, market=market).exists()

    def _give_back(self, ids: Iterable[int]) -> None:
        told = set(ids)
        channels = lock_channels(Candidate.objects.filter(pk__in=told).values_list("channel_id", flat=True))
        judge = Judge(channels.values())
        hits = []
        for row in lock_candidates(told).values():
            verdict = judge.on(row.tweet, row.channel, self.now)
            hits += verdict.hits(row.pk, self.now)
            self._decide(row, verdict)
        Hit.objects.filter(candidate__in=told, block__in=self._over()).delete()
        Hit.objects.bulk_create(hits, ignore_conflicts=True)
        if self.record.decisions:
            self.record.close()

    def _decide(self, row: Candidate, verdict: Verdict) -> None:
        """Nothing changes where another block stands, or where retention emptied the post."""
        if row.tweet.purged_at:
            return
        if row.state == State.BLOCKED and row.blocked_by_lists and not verdict.blocked:
            self.record.change(row, Verb.LIFT, **back_to_pending(self.now) | {"held": verdict.held})
        elif row.held and not verdict.held and row.state in suspects.STATES:
            self.record.change(row, Verb.HOLD, held=False)
