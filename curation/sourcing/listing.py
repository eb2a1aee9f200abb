"""The list of a market's sources: where each stands, what it costs and brings, how it fares, which to drop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from curation.folding import fold
from curation.ingest.health import MONTH, Condition, Health, health_of
from curation.ledger import budget
from curation.sourcing.keeping import may_change
from curation.sourcing.wishes import KINDS, Ground, place_of
from regions.models import Change, Channel, Market, Source, SourceExemption, User

PAGE = 100
QUIET, RECENTLY = timedelta(days=14), timedelta(days=1)
LOW_YIELD, DECIDED_ENOUGH = 2.0, 50  # approved of a hundred; posts decided on in 30 days, so that it says something
RUN_ENOUGH = timedelta(days=7)  # since it was first read
FULL_BAR = 50  # approved of a hundred that fill the bar
NEAR = 10
MOST_SUGGESTED = 5
TROUBLED = (Condition.REFUSED, Condition.PAUSED, Condition.FAILING, Condition.SILENT)
SIGNS: dict[Condition, tuple[str | Promise, str]] = {
    Condition.REFUSED: (gettext_lazy("refused by X"), "danger"),
    Condition.PAUSED: (gettext_lazy("paused"), "warn"),
    Condition.NEW: (gettext_lazy("not read yet"), "muted"),
    Condition.FAILING: (gettext_lazy("fails"), "danger"),
    Condition.OUT_OF_BUDGET: (gettext_lazy("no budget"), "warn"),
    Condition.WAITING: (gettext_lazy("waits"), "warn"),
    Condition.SILENT: (gettext_lazy("silent"), "warn"),
    Condition.WELL: (gettext_lazy("reads"), "ok"),
    Condition.OFF: (gettext_lazy("switched off"), "muted"),
}
WORDS_OF_CHANGES = {
    "add": gettext_lazy("listed"),
    "change": gettext_lazy("changed"),
    "pause": gettext_lazy("paused"),
    "resume": gettext_lazy("resumed"),
    "remove": gettext_lazy("removed"),
    "restore": gettext_lazy("put back"),
    "exempt": gettext_lazy("left out for this market"),
    "end_exemption": gettext_lazy("taken over again"),
}
SHOWN_CHANGES = 20


@dataclass(frozen=True)
class Row:
    """One source in a market's list. `paid_by`: the market that pays, None where it feeds no channel; `feeds`: the
    channels of this market that it feeds; `exemption`: why this market does not take it over."""

    source: Source
    health: Health
    home: Market
    feeds: Sequence[Channel]
    paid_by: Market | None
    exemption: SourceExemption | None
    changeable: bool

    @property
    def kind(self) -> str | Promise:
        return KINDS[self.source.kind]

    @property
    def origin(self) -> str:
        return place_of(self.source)

    @property
    def inherited(self) -> bool:
        return self.source.scope == "global"

    @property
    def sign(self) -> str | Promise:
        return _("left out here") if self.exemption else SIGNS[self.health.condition][0]

    @property
    def tone(self) -> str:
        return "muted" if self.exemption or self.source.erased else SIGNS[self.health.condition][1]

    @property
    def told(self) -> str:
        """Why, where the sign does not say it all."""
        if self.exemption:
            return self.exemption.reason
        return "" if self.health.condition in (Condition.WELL, Condition.NEW) else self.health.words

    @property
    def paused(self) -> bool:
        return self.health.condition in (Condition.PAUSED, Condition.REFUSED)

    @property
    def troubled(self) -> bool:
        return not self.exemption and not self.source.erased and self.health.condition in TROUBLED

    @property
    def cost(self) -> Decimal:
        """Of seven days, in dollars: what X charged."""
        return budget.cost(self.health.week.charged)

    @property
    def highest_cost(self) -> Decimal:
        """With what is held, and should X charge authors too."""
        return budget.cost(self.health.week.charged + self.health.week.held) * budget.DEAREST

    @property
    def per_hundred(self) -> int | None:
        return None if self.health.approved is None else round(self.health.approved)

    @property
    def bar(self) -> int:
        """How far the bar is filled, of a hundred."""
        return min(100, round((self.health.approved or 0) * 100 / FULL_BAR))

    @property
    def poor(self) -> bool:
        return (self.health.approved or 0) < NEAR

    @property
    def streamed(self) -> bool:
        """Whether the stream brings it, so that nobody plans a reading."""
        return self.source.kind == Source.Kind.STREAM and self.health.next is None and not self.paused


@dataclass(frozen=True)
class Tab:
    show: str
    label: str
    count: int


@dataclass(frozen=True)
class Suggestion:
    """A source that is hardly worth its place, and why."""

    row: Row
    sentence: str


class Listing:
    """A market's list at one moment. As many statements for many sources as for one."""

    def __init__(self, home: Market, by: User, now: datetime) -> None:
        self.home, self.by, self.now = home, by, now
        self.ground = Ground(home, by)

    @cached_property
    def rows(self) -> list[Row]:
        """The channels' first, then the market's, then what holds for all."""
        sources = self.ground.listed
        healths = health_of(sources, self.now)
        exempt = {one.source_id: one for one in self.ground.exemptions if one.market_id == self.home.pk}
        rows = [self._row(one, healths[one.pk], exempt.get(one.pk)) for one in sources]
        places = {channel.pk: place for place, channel in enumerate(self.ground.channels.values())}
        return sorted(rows, key=lambda row: (*_order(row.source, places), fold(str(row.source)), row.source.pk))

    def _row(self, source: Source, health: Health, exemption: SourceExemption | None) -> Row:
        reached = self.ground.reached(source)
        own = [channel for channel in reached if channel.market_id == self.home.pk]
        paid_by = reached[0].market if reached else None
        return Row(source, health, self.home, own, paid_by, exemption, may_change(self.by, source, self.home))

    def row_of(self, source: Source) -> Row:
        return next(row for row in self.rows if row.source.pk == source.pk)

    @property
    def tabs(self) -> list[Tab]:
        """By origin; categories without a source of their own are left out."""
        found = [Tab("", _("All"), len(self.rows))]
        found += [Tab(f"in-{slug}", channel.category.name, len(self.shown(f"in-{slug}")))
                  for slug, channel in self.ground.channels.items()]  # fmt: skip
        found += [
            Tab("market", self.home.code.upper(), len(self.shown("market"))),
            Tab("global", _("Global"), len(self.shown("global"))),
            Tab("troubled", _("Troubled"), len(self.shown("troubled"))),
        ]
        return [tab for tab in found if tab.count or not tab.show.startswith("in-")]

    def shown(self, show: str = "", q: str = "") -> list[Row]:
        """Those of a tab whose name, value or place holds the words."""
        words = fold(q).split()
        found = [row for row in self.rows if _of_tab(row, show)]
        return [row for row in found if all(word in _searched(row) for word in words)] if words else found

    def own_first(self, source: Source) -> list[Channel]:
        """The channels that a source feeds, or would, those of this market first."""
        return sorted(self.ground.reached(source), key=lambda channel: channel.market_id != self.home.pk)

    def per_hundred(self, channels: Sequence[Channel]) -> float | None:
        """What was approved of a hundred posts that the sources of some channels brought in 30 days and that were
        decided on; None without any."""
        wanted = {channel.pk for channel in channels}
        own = [row.health.yielded for row in self.rows if wanted & {channel.pk for channel in row.feeds}]
        decided = sum(one.decided for one in own)
        return 100 * sum(one.approved for one in own) / decided if decided else None

    @cached_property
    def suggestions(self) -> list[Suggestion]:
        """What could go, the dearest first."""
        found = [(row, self._why_drop(row)) for row in self.rows if row.changeable]
        told = [Suggestion(row, sentence) for row, sentence in found if sentence]
        return sorted(told, key=lambda one: -one.row.cost)[:MOST_SUGGESTED]

    def _why_drop(self, row: Row) -> str:
        health = row.health
        if health.condition == Condition.REFUSED and row.source.kind in (Source.Kind.ACCOUNT, Source.Kind.LIST):
            return _("X shows nothing of it any more.")
        if health.condition in (Condition.PAUSED, Condition.REFUSED, Condition.OFF, Condition.OUT_OF_BUDGET):
            return ""
        return self._nothing_new(row) or self._hardly_approved(row)

    def _nothing_new(self, row: Row) -> str:
        """Counted while it is read: a source that nobody asked is not silent."""
        last, since = row.health.last, row.health.fresh_at or row.health.since
        if last is None or since is None or self.now - last > RECENTLY:
            return ""
        since = max(since, row.source.created_at)
        if last - since <= QUIET:
            return ""
        days = (self.now - since).days
        told = ngettext("Nothing new came for %(n)d day.", "Nothing new came for %(n)d days.", days)
        return told % {"n": days}

    def _hardly_approved(self, row: Row) -> str:
        """Of what was decided on alone, and only where others' posts were approved: where nobody decides, nothing is
        known. What it read before its query was changed says nothing of it now."""
        told, since = row.health.yielded, row.health.since
        if since is None or self.now - since < RUN_ENOUGH or row.source.pk in self._reading_anew:
            return ""
        poor = told.decided >= DECIDED_ENOUGH and (told.per_hundred or 0) < LOW_YIELD
        if not poor or not self.per_hundred(row.feeds):
            return ""
        words = _(
            "%(n)d posts that it brought in %(days)d days were decided on: %(approved)d approved, %(blocked)d blocked,"
            " %(lapsed)d not chosen in time."
        )
        counts = {"approved": told.approved, "blocked": told.blocked, "lapsed": told.lapsed}
        return words % (counts | {"n": told.decided, "days": min(MONTH, self.now - since).days})

    @cached_property
    def _reading_anew(self) -> set[int]:
        """Those whose account, list or query was changed within 30 days."""
        found = Change.objects.filter(noun="source", verb="change", at__gt=self.now - MONTH, before__has_key="value")
        return set(found.filter(noun_id__in=[row.source.pk for row in self.rows]).values_list("noun_id", flat=True))

    @cached_property
    def changes(self) -> list[ToldChange]:
        """The last ones, newest first, of what holds for all too."""
        rows = Change.objects.filter(noun="source", market=self.home) | Change.objects.filter(
            noun="source", market=None
        )
        found = list(rows.select_related("by").order_by("-at", "-pk")[:SHOWN_CHANGES])
        named = Source.ever.in_bulk({change.noun_id for change in found})
        told = [ToldChange(change, str(named.get(change.noun_id, ""))) for change in found]
        met: set[int] = set()
        for one in told:
            source = named.get(one.change.noun_id)
            newest = one.change.noun_id not in met
            met.add(one.change.noun_id)
            back = source and newest and source.removed_at and not source.erased
            if source and back and may_change(self.by, source, self.home):
                one.restored = source.pk
        return told


def changes_since(source: Source, seen: int) -> list[ToldChange]:
    """What was done to a source after the change that someone knew of, oldest first."""
    rows = Change.objects.filter(noun="source", noun_id=source.pk, pk__gt=seen)
    return [ToldChange(change, str(source)) for change in rows.select_related("by").order_by("pk")[:SHOWN_CHANGES]]


@dataclass
class ToldChange:
    """One line of the lists' log; `what`: the source's name; `restored`: the id of a removed one that the reader may
    put back here."""

    change: Change
    what: str
    restored: int = 0

    @property
    def verb(self) -> Any:
        return WORDS_OF_CHANGES.get(self.change.verb, self.change.verb)

    @property
    def details(self) -> list[str]:
        """What was there before and what is now, field by field; else the reason."""
        before, after = self.change.before, self.change.after
        if self.change.verb == "change":
            return [f"{named(name)}: {valued(before[name])} → {valued(after.get(name))}" for name in before]
        ruled = [named("auto_approve")] if after.get("auto_approve") else []
        reason = {**before, **after}.get("reason")
        return ruled + ([str(reason)] if reason else [])


def named(field: str) -> str:
    """A field as the form calls it."""
    known = {one.name: one for one in Source._meta.fields}
    return str(known[field].verbose_name) if field in known else field


def valued(told: Any) -> str:
    """What a Change kept of a value, in words."""
    words = {"True": _("yes"), "False": _("no"), "None": "–", "": "–"}
    return words.get(str(told), str(told))


def _order(source: Source, places: dict[int, int]) -> tuple[int, int]:
    if source.channel_id:
        return 0, places.get(source.channel_id, len(places))
    return (1 if source.market_id else 2), 0


def _of_tab(row: Row, show: str) -> bool:
    if show == "troubled":
        return row.troubled
    if show in ("market", "global"):
        return row.source.scope == show
    if show.startswith("in-"):
        return row.source.channel is not None and row.source.channel.category.slug == show[3:]
    return True


def _searched(row: Row) -> str:
    source = row.source
    called = str(source) if source.erased else f"{source.name} @{source.value}"
    return fold(f"{called} {row.kind} {row.origin}")
