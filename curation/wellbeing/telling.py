"""What is read, in words: the sentence that sums up, the markets' rows, the charts, the runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from curation.ingest.health import sentence
from curation.intake import grouped, when
from curation.ledger import budget
from curation.models import IngestRun, Pause
from curation.wellbeing import charts
from curation.wellbeing.charts import Chart
from curation.wellbeing.reads import DAY, HOUR, HOURS, Fed, Hours, Purse, first_hour
from regions.clocks import moment
from regions.models import Market

NEAR = 90  # per cent of the day's budget
Outcome = IngestRun.Outcome


@dataclass(frozen=True)
class Row:
    """A market in the table. `tone` is ok, warn or danger; `beside` the last reading, or who pays; `used` and `drawn`
    are per cent of the day's budget, charged and with what is held."""

    market: Market
    state: str
    tone: str
    beside: str
    spark: str
    spark_told: str
    charged: int
    limit: int
    used: int
    drawn: int
    bar: str
    month: str
    over_month: bool


@dataclass(frozen=True)
class Told:
    """A run as the page tells it; `why` is for everyone, `words` X's own, for leads."""

    run: IngestRun
    tone: str
    outcome: str
    brought: str
    why: str
    words: str


def day_reached(purse: Purse, now: datetime) -> datetime | None:
    """When the day's budget for reading is used up at the pace of the last days; None where it lasts."""
    told, pace = purse.ahead.balance, purse.ahead.pace
    if not pace:
        return None
    at = now + DAY * (max(0, told.day_limit - told.day_used - told.kept_today) / pace)
    return at if at < told.next_day else None


def month_reached(purse: Purse) -> datetime | None:
    told, ahead = purse.ahead.balance, purse.ahead
    if not ahead.over_month or not ahead.pace:
        return None
    return budget.midnight(told.day) + timedelta(days=max(0, told.month_limit - told.month_used) / ahead.pace)


def row_of(market: Market, hours: Hours, purse: Purse, pause: Pause | None, fed: Fed, now: datetime) -> Row:
    told, reached = purse.ahead.balance, month_reached(purse)
    state, tone = reading_of(purse, pause, fed, now)
    used = min(100, 100 * told.day_charged // told.day_limit) if told.day_limit else 100
    drawn = min(100, 100 * told.day_used // told.day_limit) if told.day_limit else 100
    month = _("%(used)s of %(most)s") % {"used": grouped(purse.ahead.month), "most": grouped(told.month_limit)}
    if reached:
        day = date_format(localtime(reached), "MONTH_DAY_FORMAT")
        month = _("%(most)s reached on %(day)s") % {"most": grouped(told.month_limit), "day": day}
    most = _("Posts read an hour, 24 h: at most %(n)s") % {"n": grouped(max(hours.read))}
    bar = "full" if used >= 100 else "near" if used >= NEAR else "spent"
    return Row(
        market, state, tone, beside(hours, fed), charts.spark(hours.read), most, told.day_charged, told.day_limit,
        used, drawn, bar, month, reached is not None,
    )  # fmt: skip


def reading_of(purse: Purse, pause: Pause | None, fed: Fed, now: datetime) -> tuple[str, str]:
    """How a market is read, in a few words, and their tone."""
    if pause:
        return _("paused until %(time)s") % {"time": when(pause.until, now)}, "danger"
    if fed.unread_since:
        return _("not read since %(time)s") % {"time": since(fed.unread_since, now)}, "danger"
    if reached := day_reached(purse, now):
        return _("pauses about %(time)s") % {"time": when(reached, now)}, "warn"
    if fed.bad:
        words = ngettext("%(bad)d of %(n)d fails", "%(bad)d of %(n)d fail", fed.bad)
        return words % {"bad": fed.bad, "n": fed.number}, "warn"
    return (pgettext("a market", "reading"), "ok") if fed.number else (_("no sources"), "warn")


def beside(hours: Hours, fed: Fed) -> str:
    """When a market was last read on its account; of global sources another may bear the account."""
    if hours.last:
        return _("last at %(time)s") % {"time": date_format(localtime(hours.last), "H:i")}
    return _("by global sources, which count where they are paid") if fed.of_all else ""


def since(at: datetime, now: datetime) -> str:
    """A time that is past: of the day, with the day where that is not the last one."""
    return moment(at) if now - at > DAY else date_format(localtime(at), "H:i")


def summed_up(
    markets: Sequence[Market],
    purses: dict[int, Purse],
    pauses: dict[int | None, Pause],
    sources: Mapping[int, Fed],
    now: datetime,
) -> str:
    """What matters most of reading X, in one or two sentences."""
    if None in pauses:
        return _("X does not let us read; it is tried again at %(time)s.") % {"time": when(pauses[None].until, now)}
    parts = [unread_of(markets, pauses, sources, now)]
    for market in markets:
        told = {"market": market.code.upper()}
        if pause := pauses.get(market.pk):
            words = _("%(market)s is paused until %(time)s: its budget is used up.")
            parts.append(words % (told | {"time": when(pause.until, now)}))
        elif reached := day_reached(purses[market.pk], now):
            words = _("%(market)s reaches its day's budget about %(time)s.")
            parts.append(words % (told | {"time": when(reached, now)}))
    parts += [failing_of(markets, sources), without_sources(markets, sources)]
    return " ".join(filter(None, parts)) or well_of(markets)


def well_of(markets: Sequence[Market]) -> str:
    if len(markets) == 1:
        return _("%(market)s is read, and its budget lasts.") % {"market": markets[0].code.upper()}
    return _("All markets are read, and every budget lasts.")


def failing_of(markets: Sequence[Market], sources: Mapping[int, Fed]) -> str:
    """Where sources fail, and how many of how many."""
    found = [(one.code.upper(), sources[one.pk]) for one in markets if sources[one.pk].bad]
    told = [_("%(market)s %(bad)d of %(n)d") % {"market": code, "bad": fed.bad, "n": fed.number} for code, fed in found]
    return _("Sources fail: %(markets)s.") % {"markets": ", ".join(told)} if told else ""


def without_sources(markets: Sequence[Market], sources: Mapping[int, Fed]) -> str:
    told = [one.code.upper() for one in markets if not sources[one.pk].number]
    return _("No sources: %(markets)s.") % {"markets": ", ".join(told)} if told else ""


def unread_of(
    markets: Sequence[Market], pauses: Mapping[int | None, Pause], sources: Mapping[int, Fed], now: datetime
) -> str:
    """Which markets nobody reads though they are to be read; a sign that worker or beat are away."""
    found = {one.code.upper(): sources[one.pk].unread_since for one in markets if one.pk not in pauses}
    told = [f"{code} ({since(at, now)})" for code, at in found.items() if at]
    words = _("Not read though it was time: %(markets)s. Look at worker and beat.")
    return words % {"markets": ", ".join(told)} if told else ""


def clock_names(times: Sequence[datetime]) -> list[str]:
    """Times of day in the active zone; where clocks are set back, two of the same name say which is which."""
    names = [date_format(localtime(at), "H:i") for at in times]
    zones = [localtime(at).tzname() for at in times]
    return [f"{name} {zone}" if names.count(name) > 1 else name for name, zone in zip(names, zones, strict=True)]


def read_an_hour(hours: Sequence[Hours], now: datetime) -> Chart:
    values = [sum(one.read[at] for one in hours) for at in range(HOURS)]
    failed = [any(one.failed[at] for one in hours) for at in range(HOURS)]
    first, top = first_hour(now), charts.top_of(max([*values, 4]))
    names = clock_names([first + at * HOUR for at in range(HOURS)])
    words = _("Posts read an hour in the last 24 hours, between %(least)s and %(most)s; reading failed in %(n)d hours.")
    told = words % {"least": grouped(min(values)), "most": grouped(max(values)), "n": sum(failed)}
    gone_wrong = _("reading failed")
    rows = [
        (name, f"{grouped(value)}, {gone_wrong}" if bad else grouped(value))
        for name, value, bad in zip(names, values, failed, strict=True)
    ]
    return Chart(
        _("Posts read an hour"), _("Red: hours in which a reading failed."), told, rows, (_("Hour"), _("Posts")),
        [grouped(round(top)), grouped(round(top / 2)), "0"], [*names[::6], _("now")],
        columns=charts.columns(values, failed, top),
    )  # fmt: skip


def month_of(market: Market, purse: Purse) -> Chart:
    """What was drawn of the month's budget, day by day, and where that leads; the budget is the limit."""
    told, ahead = purse.ahead.balance, purse.ahead
    length = told.day.day + told.days_left
    sums = [sum(purse.days[:n]) for n in range(len(purse.days) + 1)]
    top = charts.top_of(1.1 * max(told.month_limit, ahead.month, 4))
    points = [(100 * n / length, float(value)) for n, value in enumerate(sums)]
    curve, here = charts.line(points, top), points[-1]
    known = {"used": grouped(told.month_used), "end": grouped(ahead.month), "most": grouped(told.month_limit)}
    lead = _("%(used)s used; at the month's end about %(end)s of %(most)s.") % known
    name = _("Month's budget %(market)s") % {"market": market.code.upper()}
    day = told.day.replace
    rows = [(date_format(day(day=n), "MONTH_DAY_FORMAT"), grouped(value)) for n, value in enumerate(sums) if n]
    axis = [date_format(day(day=n), "MONTH_DAY_FORMAT") for n in (1, length // 2, length)]
    return Chart(
        name, lead, f"{name}: {lead}", rows, (_("Day"), _("Posts")),
        [grouped(round(top)), grouped(round(top / 2)), "0"], axis, curve=curve,
        area=f"{curve}L{here[0]:.1f} 100L0 100Z", guess=charts.line([here, (100, ahead.month)], top),
        limit=charts.height(told.month_limit, top),
    )  # fmt: skip


def told_of(run: IngestRun, *, lead: bool) -> Told:
    """A run in words. X's own, and what it says of the source, are for those who lead its market."""
    partly = run.outcome == Outcome.READ and run.quarantined
    tones = {Outcome.READ: "ok", Outcome.RUNNING: "ok", Outcome.FAILED: "danger", Outcome.REFUSED: "danger"}
    why = {
        Outcome.WAITING: _("X allows no more requests for now; it goes on at the same place."),
        Outcome.BUDGET: _("The budget did not reach; it goes on when there is some."),
        Outcome.REFUSED: _("X refuses it; it is not tried again by itself."),
        Outcome.FAILED: _("It is tried again by itself."),
    }.get(Outcome(run.outcome), "")
    if partly:
        why = _("What could not be understood lies in quarantine; the rest is there.")
    return Told(
        run,
        "warn" if partly else tones.get(Outcome(run.outcome), "warn"),
        _("partly read") if partly else str(run.get_outcome_display()),
        brought(run),
        why,
        sentence(run.error) if lead else "",
    )


def brought(run: IngestRun) -> str:
    """As in: 6 new, 31 known, 2 blocked."""
    told = (
        (run.fresh, pgettext("posts of a run", "%(n)s new")),
        (run.known, _("%(n)s known")), (run.edited, _("%(n)s edited")),
        (run.blocked, _("%(n)s blocked")), (run.withdrawn, _("%(n)s withdrawn")),
        (run.restored, _("%(n)s restored")), (run.missing, _("%(n)s missing")),
        (run.quarantined, _("%(n)s unreadable")),
    )  # fmt: skip
    found = [words % {"n": grouped(count)} for count, words in told if count]
    return ", ".join(found) or (_("nothing new") if run.read else _("nothing read"))
