"""When X is not asked: a market's budget is used up, or X turns all of us away (401, 402, its monthly cap).

A pause of everyone lets one pass of all workers through every quarter of an hour, to see whether it is over. Each pause
has one line in the log when it begins, `ingest_paused`, and one when it ends, `ingest_resumed`. Who is let through and
then does not ask X (its window is closed, its market has no budget) gives the turn back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q, QuerySet

from curation.ingest.chances import closed_for, closed_windows, next_chance
from curation.ledger import budget
from curation.ledger.metered import LEAST
from curation.models import Cursor, Pause, Purpose
from curation.x.outcomes import BadToken, BudgetSpent, Failure, MonthlyCapReached, OutOfCredits, WindowClosed
from regions.models import Channel, Market, Source, SourceExemption, User
from regions.operations import log_change

log = structlog.get_logger(__name__)
PROBE = timedelta(minutes=15)
FOR_EVERYONE: dict[type[Failure], str] = {
    BadToken: Pause.Cause.TOKEN,
    OutOfCredits: Pause.Cause.CREDITS,
    MonthlyCapReached: Pause.Cause.CAP,
}
WORTH_READING = max(LEAST.values())  # posts


def admit(market: Market | None, now: datetime, purpose: str = Purpose.INGEST) -> Pause | None:
    """None when X may be asked; else the pause that forbids it. Rechecks have a budget of their own.

    In a pause of everyone exactly one of all who ask is let through every quarter of an hour."""
    if market is not None and purpose == Purpose.INGEST:
        own = Pause.objects.filter(market=market, ended_at=None, until__gt=now).order_by("-until").first()
        if own:
            return own
    return _turned_away(now) if of_everyone() else None


def of_everyone() -> Pause | None:
    """The pause that stands over everyone, if any; of several the one that ends last."""
    return Pause.objects.filter(market=None, ended_at=None).order_by("-until").first()


def barred(source: Source, now: datetime) -> datetime | None:
    """While everyone is turned away: until when this source's own window is closed, so that it leaves the turn to
    others. Where none of them can be asked either, the turn waits until one can."""
    if of_everyone() is None:
        return None
    until = closed_for(source, closed_windows(now))
    if until:
        wait_for_chance(now, but=source)
    return until


def wait_for_chance(now: datetime, but: Source | None = None) -> datetime | None:
    """Puts the next turn off until some source can be asked, and says when that is; None where no source is read."""
    chance = next_chance(now, but)
    if chance and chance > now:
        Pause.objects.filter(market=None, ended_at=None, until__lte=now).update(until=chance)
    return chance


def take_note(
    failure: Failure | None, market: Market | None, *, began: datetime, now: datetime, answered: bool = False
) -> None:
    """What asking X at `began` on a market's account showed: a pause begins, or one of everyone ends. `answered`: X
    gave something before the failure."""
    cause = FOR_EVERYONE.get(type(failure)) if failure else None
    if failure and cause:
        _end(Pause.objects.filter(market=None, since__lt=began).exclude(cause=cause), now)
        _pause(None, cause, failure.message, began + PROBE, now)
        return
    if isinstance(failure, BudgetSpent) and market is not None:
        _out_of_budget(failure, market, now)
    if failure is None or answered:
        _end(Pause.objects.filter(market=None, since__lt=began), now)
    elif isinstance(failure, BudgetSpent | WindowClosed):
        _give_back(began + PROBE, now)


def _out_of_budget(failure: BudgetSpent, market: Market, now: datetime) -> None:
    if not failure.passing and not _worth_reading(market, now):
        _pause(market, failure.cause, failure.message, failure.until, now)


def _give_back(taken: datetime, now: datetime) -> None:
    """Whoever took this turn did not ask X: it is the next one's, as are those who were refused meanwhile."""
    with transaction.atomic():
        if Pause.objects.filter(market=None, ended_at=None, until=taken).update(until=now):
            _due_at(Cursor.objects.filter(due_at=taken), now)
    wait_for_chance(now)


def begun_by(moment: datetime, now: datetime) -> int:
    """How many pauses of everyone began after the moment, in a future that is none of ours: each began by now, and the
    next who asks is let through."""
    begun = list(Pause.objects.filter(market=None, ended_at=None, since__gt=moment))
    for pause in begun:
        with transaction.atomic():
            if Pause.objects.filter(pk=pause.pk, until=pause.until).update(since=now, until=min(pause.until, now)):
                _due_at(Cursor.objects.filter(due_at=pause.until), now)
    return len(begun)


def resume(now: datetime) -> None:
    """Ends what is over: a day or a month turned, or a lead raised a budget. Sources are due at once."""
    for pause in Pause.objects.filter(ended_at=None).exclude(market=None).select_related("market"):
        if pause.market and (pause.until <= now or _worth_reading(pause.market, now)):
            _end(Pause.objects.filter(pk=pause.pk), now)


def try_again(now: datetime) -> bool:
    """Someone renewed the token, or bought credits: the next who asks is let through at once, and when that succeeds
    everything goes on. Whether there was anything to end."""
    standing = list(Pause.objects.filter(market=None, ended_at=None))
    latest = max((pause.until for pause in standing), default=now)
    with transaction.atomic():
        Pause.objects.filter(pk__in=[pause.pk for pause in standing]).update(until=now)
        _due_at(Cursor.objects.filter(due_at__gt=now, due_at__lte=latest), now)
        for pause in Pause.objects.filter(ended_at=None, until__gt=now).exclude(market=None).select_related("market"):
            _due_at(_paid_by(pause.market).filter(due_at__lt=pause.until), pause.until)
    return bool(standing)


@transaction.atomic
def resume_source(source: Source, now: datetime, *, by: User | None = None) -> bool:
    """Reads a source again that was paused, by a lead or because X refused it. Whether there was anything to end: the
    pause of an erased account's never ends."""
    paused = Source.objects.without_erased().filter(pk=source.pk, paused_at__isnull=False)
    if not paused.update(paused_at=None, paused_until=None, paused_reason=""):
        return False
    _due_at(Cursor.objects.filter(pk=source.pk), now)
    market = source.channel.market if source.channel else source.market
    log_change(source, "resume", by=by, market=market, before={"reason": source.paused_reason})
    return True


def payer(source: Source) -> Market | None:
    """The market that pays: the source's own, else the first that it feeds. None when it feeds no channel."""
    first = source.channels().first()
    return first.market if first else None


def fed_by(sources: Iterable[Source]) -> dict[int, list[Channel]]:
    """The channels that each source feeds, the paying market's first, by its id. As `Source.channels` says, but in two
    statements for all."""
    found = list(sources)
    channels = list(Channel.objects.active().select_related("market", "category"))
    spared = set(SourceExemption.objects.filter(source__in=found).values_list("source_id", "market_id"))
    return {source.pk: [one for one in channels if feeds(source, one, spared)] for source in found}


def feeds(source: Source, channel: Channel, spared: set[tuple[int, int]]) -> bool:
    """Whether a source feeds a channel; `spared`: sources with the markets that are exempted from them, by ids."""
    if source.channel_id:
        return source.channel_id == channel.pk
    if source.market_id not in (None, channel.market_id) or source.category_id not in (None, channel.category_id):
        return False
    return source.market_id is not None or (source.pk, channel.market_id) not in spared


def _turned_away(now: datetime) -> Pause | None:
    """Whoever comes first after the quarter of an hour moves it ahead, and goes through."""
    with transaction.atomic():
        standing = list(Pause.objects.filter(market=None, ended_at=None).order_by("pk").select_for_update())
        early = [pause for pause in standing if pause.until > now]
        if early:
            return max(early, key=lambda pause: pause.until)
        Pause.objects.filter(pk__in=[pause.pk for pause in standing]).update(until=now + PROBE)
    return None


def _worth_reading(market: Market, now: datetime) -> bool:
    return budget.balance(market, now).left_for_ingest >= WORTH_READING


def _pause(market: Market | None, cause: str, words: str, until: datetime, now: datetime) -> None:
    """One of all who find it out makes the pause, says so, and puts off those who would only find the same."""
    told = {"words": words[:500], "since": now, "until": until}
    with transaction.atomic():
        _, made = Pause.objects.get_or_create(market=market, cause=cause, ended_at=None, defaults=told)
        if made:
            _due_at(_paid_by(market).filter(due_at__lt=until), until)
    if made:
        line = log.warning if market else log.error
        line("ingest_paused", market=code(market), cause=cause, words=words, until=until.isoformat())


def _end(pauses: QuerySet[Pause], now: datetime) -> None:
    """Whoever ends a pause first says so; what it put off is due."""
    for pause in pauses.filter(ended_at=None).select_related("market"):
        with transaction.atomic():
            mine = Pause.objects.filter(pk=pause.pk, ended_at=None).update(ended_at=now)
            if mine:
                _due_at(_paid_by(pause.market).filter(due_at__gt=now, due_at__lte=pause.until), now)
        if mine:
            log.warning("ingest_resumed", market=code(pause.market), cause=pause.cause, since=pause.since.isoformat())


def _paid_by(market: Market | None) -> QuerySet[Cursor]:
    """The cursors of a market's sources, or of all."""
    cursors = Cursor.objects.all()
    if market is None:
        return cursors
    everywhere = Source.objects.filter(market=None, channel=None)
    paid = [source.pk for source in everywhere if payer(source) == market]
    return cursors.filter(Q(source__market=market) | Q(source__channel__market=market) | Q(source__in=paid))


def _due_at(cursors: QuerySet[Cursor], at: datetime) -> None:
    """Those being read keep their lease: they find out by themselves."""
    free = cursors.filter(leased=False).order_by("pk").select_for_update(skip_locked=True, of=("self",))
    Cursor.objects.filter(pk__in=[cursor.pk for cursor in free]).update(due_at=at)


def code(market: Market | None) -> str:
    return market.code if market else "all"
