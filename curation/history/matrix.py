"""One post across one's markets: a row for each market, a column for each category, a cell for each candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext as _

from curation.cards import Card, adders
from curation.history.lines import Line, dated, logged, removed, told
from curation.history.naming import block_words, through, usernames
from curation.history.said import SAID, because
from curation.models import Candidate, Decision, Hit, Offer, State, Tweet, Verb
from regions.clocks import moment
from regions.models import Category, Channel, Market, User

SIGNS = {
    State.APPROVED: ("check", "ok"),
    State.BLOCKED: ("stop", "danger"),
    State.WITHDRAWN: ("stop", "danger"),
    State.LAPSED: ("clock", ""),
}
TOLD = {State.PENDING: ("held", "confirmed_by_id"), State.APPROVED: ("go_live_at", "expire_at")}
MOST_LINES = 500


@dataclass(frozen=True)
class Cell:
    """A candidate as one cell tells it: state with its sign and tone, then lines, who decided what it tells, and
    what was done `last`."""

    candidate: Candidate
    state: str
    sign: str
    tone: str
    lines: list[str] = field(default_factory=list)
    decided: Decision | None = None
    last: Decision | None = None

    @property
    def later(self) -> str:
        """What was done since, in words: it changed nothing that the cell tells."""
        if self.last is None or self.last == self.decided:
            return ""
        who = self.last.by.shown_name if self.last.by else _("The system")
        return _("last: %(did)s by %(who)s") % {"did": SAID.get(Verb(self.last.verb), self.last.verb), "who": who}


@dataclass(frozen=True)
class Row:
    """A market with its wall clock and a cell for each category; None where the post was never there.

    The clock is naive, so that no page turns it to the reader's."""

    market: Market
    clock: datetime
    cells: list[Cell | None]

    @property
    def here(self) -> bool:
        return any(self.cells)


@dataclass
class Arrival:
    """How a post came to a channel: who or what brought it, with the words of an offer."""

    candidate: Candidate
    by: User | None
    words: str
    note: str = ""
    begins: date | None = None
    decision: None = None

    @property
    def at(self) -> datetime:
        return self.candidate.arrived_at


@dataclass(frozen=True)
class Dossier:
    """All of one post that a person may see."""

    tweet: Tweet
    card: Card
    categories: Sequence[Category]
    rows: list[Row]
    lines: list[Line | Arrival]
    cut: bool

    @property
    def removed(self) -> Any:
        return removed(self.tweet)

    @property
    def markets(self) -> list[Market]:
        """Those of one's markets that the post came to."""
        return [row.market for row in self.rows if row.here]


def candidates_of(number: int, user: User) -> list[Candidate]:
    """The candidates of a post, by its first or its current id, in one's markets. Raises Http404 without any."""
    named = Tweet.objects.filter(Q(first_id=number) | Q(current_id=number))
    rows = Candidate.objects.with_tweets().select_related("confirmed_by").defer("folded")
    found = rows.filter(tweet__in=named.values("pk"), channel__market__in=Market.objects.visible_to(user))
    if not (made := list(found.order_by("channel__market__position", "channel__position", "pk"))):
        raise Http404
    return made


def dossier(number: int, user: User, now: datetime) -> Dossier:
    """To be called within the reader's clock. Raises Http404 where the post is in none of one's markets."""
    candidates = candidates_of(number, user)
    markets = list(Market.objects.visible_to(user))
    channels = Channel.objects.filter(market__in=markets).select_related("category")
    shown = channels.filter(Q(active=True) | Q(pk__in=[row.channel_id for row in candidates]))
    categories = sorted({channel.category for channel in shown}, key=lambda one: (one.position, one.slug))
    decisions = list(logged().filter(candidate__in=candidates).order_by("-at", "-id")[: MOST_LINES + 1])
    cells = cells_of(candidates, decisions, now)
    rows = [
        Row(market, wall_clock(market, now), [cells.get((market.pk, one.pk)) for one in categories])
        for market in markets
    ]
    lines = told([Line(decision) for decision in decisions[:MOST_LINES]], user, now)
    both: list[Line | Arrival] = [*lines, *arrivals_of(candidates)]
    both.sort(key=lambda one: one.at, reverse=True)
    dated(both)
    leading = Card(candidates[0], may_decide=False)
    return Dossier(candidates[0].tweet, leading, categories, rows, both, len(decisions) > MOST_LINES)


def wall_clock(market: Market, now: datetime) -> datetime:
    return now.astimezone(ZoneInfo(market.time_zone)).replace(tzinfo=None)


def cells_of(
    candidates: Sequence[Candidate], decisions: Sequence[Decision], now: datetime
) -> dict[tuple[int, int], Cell]:
    """Cells by market and category."""
    decided: dict[int, list[Decision]] = {}
    for decision in sorted(decisions, key=lambda one: one.version, reverse=True):
        decided.setdefault(decision.candidate_id, []).append(decision)
    found = Hit.objects.filter(candidate__in=candidates).select_related("block__block_list").order_by("start", "pk")
    hits = list(found)
    names = usernames(hit.block for hit in hits)
    blocks: dict[int, list[str]] = {}
    for hit in hits:
        blocks.setdefault(hit.candidate_id, []).append(block_words(hit.block, names))
    return {
        (row.channel.market_id, row.channel.category_id): cell_of(
            row, decided.get(row.pk, []), blocks.get(row.pk, []), now
        )
        for row in candidates
    }


def cell_of(row: Candidate, decisions: Sequence[Decision], blocks: list[str], now: datetime) -> Cell:
    """`decisions`: the candidate's own, newest first."""
    sign, tone = SIGNS.get(State(row.state), ("", ""))
    state, decided = str(State(row.state).label), deciding(row, decisions, now)
    lines = blocks if row.held or row.blocked_by_lists else []
    if row.state == State.PENDING and row.held:
        sign, tone, state = "hold", "warn", _("held")
    elif row.state == State.PENDING and row.confirmed_by:
        sign, lines = "eye", [_("approved once by %(who)s") % {"who": row.confirmed_by.shown_name}, *lines]
    elif row.state == State.APPROVED:
        sign, tone, state, lines = approved(row, now)
    elif decided and decided.reason:
        lines = [because(decided.verb, decided.reason), *lines]
    if decided and (led := through(decided)):
        lines = [*lines, led]
    return Cell(row, state, sign, tone, lines, decided, decisions[0] if decisions else None)


def deciding(row: Candidate, decisions: Sequence[Decision], now: datetime) -> Decision | None:
    """The newest decision that changed what the cell tells, or that gave the reason anew."""
    shown = ("state", *TOLD.get(State(row.state), ()), *(("slot", "pinned_until") if row.pinned_at(now) else ()))
    for one in decisions:
        anew = one.verb == Verb.BLOCK and row.state == State.BLOCKED
        if anew or any((one.before.get(name) or None) != (one.after.get(name) or None) for name in shown):
            return one
    return None


def approved(row: Candidate, now: datetime) -> tuple[str, str, str, list[str]]:
    """Sign, tone, state and lines of an approved one: it may wait for its hour, or be over."""
    start = row.live_from()
    if row.expire_at and row.expire_at <= now:
        return "clock", "", _("ended"), [_("at %(time)s") % {"time": moment(row.expire_at)}]
    if start and start > now:
        return "clock", "", _("scheduled"), [_("from %(time)s") % {"time": moment(start)}]
    lines = [_("until %(time)s") % {"time": moment(row.expire_at)}] if row.expire_at else []
    lines += [_("pinned, slot %(slot)s") % {"slot": row.slot}] if row.pinned_at(now) else []
    lines += [_("with context")] if row.context else []
    lines += [row.label] if row.label else []
    return "check", "ok", str(State.APPROVED.label), lines


def arrivals_of(candidates: Sequence[Candidate]) -> list[Arrival]:
    """How the post came to each channel."""
    ids = [row.pk for row in candidates]
    offers = {
        one.candidate_id: one for one in Offer.objects.filter(candidate__in=ids).select_related("by", "origin_market")
    }
    by_hand = adders(row.pk for row in candidates if row.source_id is None)
    moved = {row.pk: row.brought_by for row in candidates if row.brought_by_id and row.pk not in offers}
    return [arrival(row, offers.get(row.pk), by_hand.get(row.pk), moved.get(row.pk)) for row in candidates]


def arrival(row: Candidate, offer: Offer | None, added_by: User | None, moved: Any) -> Arrival:
    if offer:
        words = _("offered by %(market)s") % {"market": offer.origin_market.code.upper()}
        return Arrival(row, offer.by, words, offer.note)
    if moved and moved.verb == Verb.MOVE:
        return Arrival(row, moved.by, _("moved here"))
    if row.source:
        return Arrival(row, None, _("found by %(source)s") % {"source": row.source})
    return Arrival(row, added_by, _("added by a link") if added_by else _("arrived"))
