"""What the feeds tell on the Health page: how soon approvals are live, and how well what is live is watched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from math import ceil

from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from curation.wellbeing import charts
from curation.wellbeing.charts import Chart
from curation.wellbeing.rooms import Figure, Part
from curation.wellbeing.telling import clock_names, since
from feeds import vitals
from feeds.live import LATE
from feeds.models import Feed
from feeds.verifying import EVERY_LIVE_ONE
from feeds.vitals import STEP, Way
from regions.models import Market

STEPS = 48  # half hours
LONGEST_UNCHECKED = int(EVERY_LIVE_ONE.total_seconds())
SILENT = timedelta(minutes=3)  # after which a publisher that notes something every minute is away


def told_of(markets: Sequence[Market], now: datetime) -> Part:
    ages, lately = vitals.oldest_unchecked(markets, now), vitals.way_lately(markets, now)
    alarms = alarms_of(markets, ages, lately, now)
    return Part(
        alarms=alarms,
        well="" if alarms or vitals.noted_at() is None else _("All feeds are fresh."),
        figures=[way_figure(lately.get(None)), check_figure(max(ages.values(), default=0))],
        charts=[ways_chart(vitals.ways_of(markets, now), now), checks_chart(vitals.checks_of(markets, now), now)],
    )


# --- sentences ----------------------------------------------------------------------------------------------------
def alarms_of(
    markets: Sequence[Market], ages: Mapping[int, int], lately: Mapping[int | None, Way], now: datetime
) -> list[str]:
    """Which limits are broken now, and in which markets; what keeps a feed from being fresh."""
    late = {pk: since_of(times, now) for pk, times in vitals.waiting(markets, now).items()}
    slow = {pk: seconds(way.most) for pk, way in lately.items() if pk and way.most > LATE}
    old = {pk: minutes(age) for pk, age in ages.items() if age > LONGEST_UNCHECKED}
    told = (
        (_("Approved and not live yet: %(markets)s."), late),
        (_("Approvals took longer than %(way)s to the feed in the last hour: %(markets)s."), slow),
        (_("Live posts were not checked at X for more than %(check)s: %(markets)s."), old),
        (_("On hold: %(markets)s."), held(markets, now)),
    )
    limits = {"way": seconds(LATE), "check": minutes(LONGEST_UNCHECKED)}
    found = [words % (limits | {"markets": named(markets, which)}) for words, which in told if which]
    return [*filter(None, [silence(now)]), *found]


def silence(now: datetime) -> str:
    """Whether the publisher, which does without Redis and Celery, is away."""
    last = vitals.noted_at()
    if last is None or now - last <= SILENT:
        return ""
    return _("The publisher has noted nothing since %(time)s: is it running?") % {"time": since(last, now)}


def named(markets: Iterable[Market], told: Mapping[int, str]) -> str:
    """As in: DE (22 min), NL (31 min)."""
    return ", ".join(f"{one.code.upper()} ({told[one.pk]})" for one in markets if one.pk in told)


def since_of(times: Sequence[datetime], now: datetime) -> str:
    told = {"n": len(times), "time": date_format(localtime(min(times)), "H:i:s")}
    return _("%(n)d since %(time)s") % told


def held(markets: Sequence[Market], now: datetime) -> dict[int, str]:
    """By market, which of its feeds are on hold: the whole market, or categories."""
    found: dict[int, list[str]] = {}
    feeds = Feed.objects.filter(market__in=markets).exclude(hold="").select_related("channel__category")
    for feed in feeds.order_by("channel__position"):
        if feed.held(now) and not feed.with_market:
            name = feed.channel.category.name if feed.channel else _("the whole market")
            found.setdefault(feed.market_id, []).append(name)
    return {pk: ", ".join(names) for pk, names in found.items()}


def seconds(value: float) -> str:
    return _("%(n)s s") % {"n": number_format(value, 1 if value < 10 else 0, use_l10n=True)}


def minutes(value: float) -> str:
    """Begun ones count: what is over a limit of minutes is told as more than it."""
    return _("%(n)s min") % {"n": number_format(ceil(value / 60), use_l10n=True)}


# --- figures ------------------------------------------------------------------------------------------------------
def way_figure(way: Way | None) -> Figure:
    name = _("Approval to feed, 95 of 100, last hour")
    if way is None:
        return Figure(name, "–", _("none approved"))
    return Figure(name, seconds(way.most), _("at most %(n)s") % {"n": seconds(LATE)}, way.most > LATE)


def check_figure(age: int) -> Figure:
    limit = _("at most %(n)s") % {"n": minutes(LONGEST_UNCHECKED)}
    return Figure(_("Oldest unchecked live post"), minutes(age), limit, age > LONGEST_UNCHECKED)


# --- charts -------------------------------------------------------------------------------------------------------
def ways_chart(found: Mapping[datetime, Way], now: datetime) -> Chart:
    steps, limit = steps_of(now), seconds(LATE)
    top = charts.top_of(max([1.5 * LATE, *(way.most for way in found.values())]))
    told = _("Nothing was approved in the last 24 hours.")
    if found:
        worst = max(way.most for way in found.values())
        broken = sum(1 for way in found.values() if way.most > LATE)
        told = _(
            "In each half hour of the last 24 hours it took %(worst)s at most until 95 of 100 approvals were live; "
            "half hours in which the limit of %(limit)s was broken: %(n)d."
        ) % {"worst": seconds(worst), "limit": limit, "n": broken}
    rows = [(name, in_words(found[at])) for at, name in named_steps(steps) if at in found]
    return Chart(
        _("From approval to the feed"),
        _("At most %(n)s are allowed; thick: 95 of 100, thin: half of them.") % {"n": limit},
        told, rows, (_("Half hour"), _("95 of 100 within")), scale(top, seconds), axis(steps),
        curve=charts.broken_line([found[at].most if at in found else None for at in steps], top),
        soft=charts.broken_line([found[at].half if at in found else None for at in steps], top),
        limit=charts.height(LATE, top),
    )  # fmt: skip


def in_words(way: Way) -> str:
    return _("%(most)s, half of them within %(half)s") % {"most": seconds(way.most), "half": seconds(way.half)}


def checks_chart(found: Mapping[datetime, int], now: datetime) -> Chart:
    steps, limit = steps_of(now), minutes(LONGEST_UNCHECKED)
    top = 60 * charts.top_of(max([1.3 * LONGEST_UNCHECKED, *found.values()]) / 60)
    told = _("Nothing was noted in the last 24 hours.")
    if found:
        broken = sum(1 for age in found.values() if age > LONGEST_UNCHECKED)
        told = _(
            "In the last 24 hours it took %(worst)s at most until every live post was checked again; "
            "half hours in which the limit of %(limit)s was broken: %(n)d."
        ) % {"worst": minutes(max(found.values())), "limit": limit, "n": broken}
    return Chart(
        _("Oldest unchecked live post"),
        _("Every %(n)s at the latest X is asked whether it still stands.") % {"n": limit},
        told, [(name, minutes(found[at])) for at, name in named_steps(steps) if at in found],
        (_("Half hour"), _("Unchecked for")), scale(top, minutes), axis(steps),
        curve=charts.broken_line([found.get(at) for at in steps], top), limit=charts.height(LONGEST_UNCHECKED, top),
    )  # fmt: skip


def steps_of(now: datetime) -> list[datetime]:
    first = vitals.first_step(now)
    return [first + n * STEP for n in range(STEPS)]


def named_steps(steps: Sequence[datetime]) -> list[tuple[datetime, str]]:
    return list(zip(steps, clock_names(steps), strict=True))


def axis(steps: Sequence[datetime]) -> list[str]:
    return [*(date_format(localtime(at), "H:i") for at in steps[:: STEPS // 4]), _("now")]


def scale(top: float, told: Callable[[float], str]) -> list[str]:
    return [told(top), told(top / 2), "0"]
