"""The blocks of a market as its page shows them: its own, its channels' and the global ones, a page at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from curation.history.said import REASON_WORDS
from curation.operations.blocking import RIGHTS
from curation.queue import MOST_COUNTED, capped
from regions.models import Block, BlockExemption, BlockList, BlockListExemption, Change, Market, User
from regions.permissions import may
from regions.problems import BadCursor

PAGE, MOST_LISTS, CHANGES = 50, 200, 20
DAYS, SOON = 7, timedelta(hours=48)
MOST_HITS = 2000  # the newest of a block that are looked at, be they of this market or not
BESIDE = ("created_by", "channel__category", "channel__market", "market", "block_list")
KINDS = (Block.Kind.AUTHOR, Block.Kind.TERM, Block.Kind.DOMAIN, Block.Kind.HASHTAG, Block.Kind.TWEET)
TABS: dict[str, str | Promise] = {
    "": _("All"), "author": _("Author"), "term": _("Term"), "list": _("List"), "domain": _("Domain"),
    "hashtag": _("Hashtag"), "tweet": _("Post"), "soon": _("Ends soon"),
}  # fmt: skip
HIT_COUNTS = """
SELECT 'block', wanted.id, (SELECT count(*) FROM (SELECT 1 FROM (
        SELECT candidate_id FROM curation_hit WHERE block_id = wanted.id AND at >= %(since)s
        ORDER BY at DESC LIMIT %(walked)s
    ) AS near JOIN curation_candidate AS candidate ON candidate.id = near.candidate_id
    WHERE candidate.channel_id = ANY(%(channels)s) LIMIT %(most)s) AS counted)
FROM unnest(%(blocks)s::bigint[]) AS wanted(id)
UNION ALL
SELECT 'list', wanted.id, (SELECT count(*) FROM (SELECT 1 FROM regions_block AS block CROSS JOIN LATERAL (
        SELECT candidate_id FROM curation_hit WHERE block_id = block.id AND at >= %(since)s LIMIT %(walked)s
    ) AS near JOIN curation_candidate AS candidate ON candidate.id = near.candidate_id
    WHERE block.block_list_id = wanted.id AND block.lifted_at IS NULL AND candidate.channel_id = ANY(%(channels)s)
    LIMIT %(most)s) AS counted)
FROM unnest(%(lists)s::bigint[]) AS wanted(id)
"""
LIST_FACTS = """
SELECT wanted.id, count(entry.id), min(entry.effect), max(entry.effect), min(entry.reason), max(entry.reason),
    min(entry.kind), max(entry.kind)
FROM unnest(%s::bigint[]) AS wanted(id) LEFT JOIN LATERAL (
    SELECT id, effect, reason, kind FROM regions_block WHERE block_list_id = wanted.id AND lifted_at IS NULL
    ORDER BY block_list_id, id LIMIT %s
) AS entry ON true GROUP BY wanted.id
"""


@dataclass
class Line:
    """One row of the page: a block, or a list of them as one."""

    noun: Block | BlockList
    hits: int = 0
    share: int = 0  # of the most hit on the page, in hundredths
    exemption: Any = None
    may_edit: bool = False
    size: int = 0
    effects: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    by: User | None = None
    at: datetime | None = None

    @property
    def is_list(self) -> bool:
        return isinstance(self.noun, BlockList)

    @property
    def inherited(self) -> bool:
        return self.noun.scope == "global"

    @property
    def effect(self) -> str:
        """block or hold; empty for a list of both, or of nothing."""
        return self.effects[0] if len(self.effects) == 1 else ""

    @property
    def reason(self) -> Any:
        return REASON_WORDS.get(self.reasons[0], self.reasons[0]) if len(self.reasons) == 1 else ""

    @property
    def ends_soon(self) -> bool:
        return bool(getattr(self, "soon", False))


@dataclass(frozen=True)
class Listing:
    """What of a market's blocks is asked for. `show` is a key of TABS, `q` words in values and notes; `block_list`
    shows what stands in one list, `every` what stands in any of them too, each for itself."""

    home: Market
    user: User
    now: datetime
    show: str = ""
    q: str = ""
    cursor: str = ""
    block_list: BlockList | None = None
    every: bool = False

    @cached_property
    def channels(self) -> list[int]:
        return list(self.home.channel_set.values_list("pk", flat=True))

    @property
    def scopes(self) -> list[Q]:
        """The market's own scopes; each is the beginning of an index."""
        return [Q(market=self.home.pk, channel=None), *(Q(market=None, channel=pk) for pk in self.channels)]

    def standing(self) -> QuerySet[Block]:
        """What stands, as far as it is asked for: outside of lists, but for what is searched or ends soon."""
        rows = Block.objects.filter(lifted_at=None)
        if self.block_list is not None:
            rows = rows.filter(block_list=self.block_list)
        elif not self.every and not self.q and self.show != "soon":
            rows = rows.filter(block_list=None)
        if self.show in KINDS:
            rows = rows.filter(kind=self.show)
        if self.show == "soon":
            rows = rows.filter(ends_at__gt=self.now, ends_at__lte=self.now + SOON)
        if self.q:
            bare = self.q.strip().lstrip("@#")
            rows = rows.filter(Q(value__icontains=bare) | Q(note__icontains=self.q.strip()))
        return rows

    # --- the page ---

    @cached_property
    def page(self) -> tuple[list[Line], str]:
        """The lines of this page, and the cursor of the next one. Raises BadCursor."""
        rows, following = self.found
        return self._dressed(rows), following

    @cached_property
    def found(self) -> tuple[list[Block | BlockList], str]:
        """The same as rows: the market's own before the global ones, lists before blocks, the newest first."""
        part, after = self._after()
        if self.show == "list":
            return [*self._lists(own=True), *self._lists(own=False)], ""
        found: list[Block | BlockList] = []
        if part == "o":
            found += self._lists(own=True) if not after else []
            rows = self._own(after)
            if len(rows) > PAGE:
                return [*found, *rows[:PAGE]], f"o{rows[PAGE - 1].pk}"
            found += rows
            after = 0
        if self.block_list is None:
            found += self._lists(own=False) if not after else []
            rows = self._global(after)
            if len(rows) > PAGE:
                return [*found, *rows[:PAGE]], f"g{rows[PAGE - 1].pk}"
            found += rows
        return found, ""

    def _after(self) -> tuple[str, int]:
        if not self.cursor:
            return "o", 0
        read = re.fullmatch(r"([og])(\d{1,18})", self.cursor, re.ASCII)
        if read is None:
            raise BadCursor(field="cursor")
        return read[1], int(read[2])

    def _own(self, after: int) -> list[Block]:
        rows = self.standing().filter(pk__lt=after) if after else self.standing()
        if self.block_list is not None:
            return self._read(rows.order_by("-block_list_id", "-pk").values("pk")[: PAGE + 1])
        firsts = [rows.filter(scope).order_by("-market_id", "-channel_id", "-pk").values("pk") for scope in self.scopes]
        return self._read(firsts[0][: PAGE + 1].union(*(first[: PAGE + 1] for first in firsts[1:]), all=True))

    def _global(self, after: int) -> list[Block]:
        rows = self.standing().filter(market=None, channel=None)
        rows = rows.filter(pk__lt=after) if after else rows
        return self._read(rows.order_by("-market_id", "-channel_id", "-pk").values("pk")[: PAGE + 1])

    def _read(self, found: QuerySet[Any]) -> list[Block]:
        """The newest of these, by their ids alone: joined to them, PostgreSQL might read every block."""
        ids = sorted((row["pk"] for row in found), reverse=True)[: PAGE + 1]
        return list(Block.objects.filter(pk__in=ids).select_related(*BESIDE).order_by("-pk"))

    def _lists(self, *, own: bool) -> list[BlockList]:
        if self.every or self.block_list is not None or self.show not in ("", "list"):
            return []
        here = Q(market=self.home) | Q(channel__in=self.channels)
        rows = BlockList.objects.filter(here if own else Q(market=None, channel=None))
        if self.q:
            rows = rows.filter(Q(name__icontains=self.q.strip()) | Q(purpose__icontains=self.q.strip()))
        return list(rows.select_related("channel__category", "market").order_by("name")[:MOST_LISTS])

    def _dressed(self, found: Iterable[Block | BlockList]) -> list[Line]:
        """The lines with what only this market knows of them: a fixed number of queries, however many they are."""
        lines = [self._line(one) for one in found]
        blocks = [line.noun.pk for line in lines if not line.is_list]
        lists = [line.noun.pk for line in lines if line.is_list]
        exempt = {("block", one.block_id): one for one in self._exemptions(BlockExemption, block__in=blocks)}
        exempt |= {("list", one.block_list_id): one for one in self._exemptions(
            BlockListExemption, block_list__in=lists)}  # fmt: skip
        facts, hits = list_facts(lists), hit_counts(blocks, lists, self.channels, self.now)
        makers = made_by(lists)
        for line in lines:
            key = ("list" if line.is_list else "block", line.noun.pk)
            line.exemption, line.hits = exempt.get(key), hits.get(key, 0)
            if line.is_list:
                line.size, line.effects, line.reasons, line.kinds = facts[line.noun.pk]
                if made := makers.get(line.noun.pk):
                    line.by, line.at = made.by, made.at
        most = max([line.hits for line in lines], default=0)
        for line in lines:
            line.share = round(100 * line.hits / most) if most else 0
        return lines

    def _line(self, noun: Block | BlockList) -> Line:
        line = Line(noun, may_edit=may(self.user, RIGHTS[noun.scope], self.home))
        if isinstance(noun, Block):
            line.effects, line.reasons, line.kinds = (noun.effect,), (noun.reason,), (noun.kind,)
            line.by, line.at = noun.created_by, noun.created_at
        return line

    def _exemptions(self, model: Any, **of: Any) -> Iterable[Any]:
        return model.objects.filter(market=self.home, **of).select_related("created_by")

    # --- around it ---

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many each tab would show, counted up to MOST_COUNTED; one query."""
        every = Q(market=self.home.pk) | Q(channel__in=self.channels) | Q(market=None, channel=None)
        loose = Block.objects.filter(every, lifted_at=None, block_list=None).order_by()
        soon = Block.objects.filter(every, lifted_at=None, ends_at__gt=self.now, ends_at__lte=self.now + SOON)
        rows: dict[str, Any] = {kind.value: loose.filter(kind=kind) for kind in KINDS}
        rows |= {"soon": soon.order_by(), "list": BlockList.objects.filter(every).order_by()}
        told: dict[str, Any] = {f"in_{name}": capped(some) for name, some in rows.items()}
        found = Market.objects.filter(pk=self.home.pk).values_list(*told.values()).get()
        counts = dict(zip(rows, found, strict=True))
        everything = sum(counts[name] for name in (*KINDS, "list"))
        return {"": min(everything, MOST_COUNTED + 1)} | counts

    def changes(self) -> list[Change]:
        """The newest changes of the market's blocks, and of global ones in it."""
        rows = Change.objects.filter(market=self.home, noun__in=("block", "blocklist")).select_related("by")
        return list(rows.order_by("-at")[:CHANGES])


def hit_counts(
    blocks: Sequence[int], lists: Sequence[int], channels: Sequence[int], now: datetime
) -> dict[tuple[str, int], int]:
    """Hits of the last DAYS in some channels, counted up to MOST_COUNTED; by "block" or "list" and id."""
    if not blocks and not lists:
        return {}
    asked: dict[str, Any] = {"since": now - timedelta(days=DAYS), "walked": MOST_HITS, "most": MOST_COUNTED + 1,
             "channels": list(channels), "blocks": list(blocks), "lists": list(lists)}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(HIT_COUNTS, asked)
        return {(kind, pk): count for kind, pk, count in cursor.fetchall()}


def list_facts(ids: Sequence[int]) -> dict[int, tuple[int, tuple[str, ...], tuple[str, ...], tuple[str, ...]]]:
    """Of lists how many blocks stand in them, counted up to MOST_COUNTED, and their effects, reasons and kinds."""
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(LIST_FACTS, [list(ids), MOST_COUNTED + 1])
        return {pk: (count, one_or_two(*told[:2]), one_or_two(*told[2:4]), one_or_two(*told[4:]))
                for pk, count, *told in cursor.fetchall()}  # fmt: skip


def one_or_two(least: str | None, most: str | None) -> tuple[str, ...]:
    return tuple(sorted({one for one in (least, most) if one}))


def made_by(ids: Sequence[int]) -> dict[int, Change]:
    """The first change of each list: who made it, and when."""
    if not ids:
        return {}
    rows = Change.objects.filter(noun="blocklist", noun_id__in=ids, verb="add").select_related("by").order_by("-pk")
    return {one.noun_id: one for one in rows}
