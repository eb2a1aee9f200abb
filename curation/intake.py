"""What people are told of reading X: why nothing new comes, what the budget has left, which sources fail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.formats import date_format, number_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from curation.ingest.health import Health, health_of
from curation.ledger import budget
from curation.models import Pause
from regions.clocks import moment
from regions.models import Market, Source, User
from regions.permissions import may

HOUR, QUARTER = 3600, 15
MANY_FAILURES = 3


@dataclass(frozen=True)
class Notice:
    """Why nothing new comes: a sentence for everyone. Where X turns us away, leads read why in their language, since
    when, and X's own words; `endable`: who may have X tried again at once. `key` changes when the sentence does."""

    key: str
    sentence: str
    why: str = ""
    words: str = ""
    since: datetime | None = None
    endable: bool = False


def notices(user: User, markets: Sequence[Market], now: datetime) -> list[Notice]:
    """The pauses over some markets, that of everything first. Times are those of the active zone."""
    open_ones = Pause.objects.filter(Q(market=None) | Q(market__in=markets, until__gt=now), ended_at=None)
    leads = any(may(user, "settings.edit", market) for market in markets)
    found = list(open_ones.select_related("market").order_by("market__position", "until", "pk"))
    everyone = [pause for pause in found if pause.market_id is None][-1:]
    chief = bool(user.is_superuser)
    return [
        notice_of(pause, now, leads=leads, chief=chief)
        for pause in (*everyone, *(one for one in found if one.market_id))
    ]


def notice_of(pause: Pause, now: datetime, *, leads: bool, chief: bool) -> Notice:
    """Of a budget that is used up the sentence says all."""
    span = span_of(pause.until, now)
    key, sentence = f"{pause.pk}:{span}", sentence_of(pause, span, now)
    if not leads or pause.market_id:
        return Notice(key, sentence)
    return Notice(key, sentence, str(pause.get_cause_display()), pause.words, pause.since, endable=chief)


def sentence_of(pause: Pause, span: str, now: datetime) -> str:
    """As in: No new posts for Germany: today's 20,000 posts are used up. Reading goes on at 01:00 (in 3 h)."""
    told = {"time": when(pause.until, now), "span": span}
    if pause.market is None:
        return _("No new posts at present: X does not let us read. It is tried again at %(time)s (%(span)s).") % told
    told["market"] = pause.market.name
    if pause.cause == Pause.Cause.MONTH:
        told["n"] = grouped(pause.market.posts_a_month)
        sentence = _("No new posts for %(market)s: this month's %(n)s posts are used up.")
    else:
        told["n"] = grouped(pause.market.posts_a_day)
        sentence = _("No new posts for %(market)s: today's %(n)s posts are used up.")
    goes_on = _("Reading goes on at %(time)s (%(span)s).")
    return f"{sentence} {goes_on}" % told


def when(at: datetime, now: datetime) -> str:
    """The time of day, with the day where that is not today's or the next night's."""
    far = (at - now).total_seconds() > 24 * HOUR
    return moment(at) if far else date_format(localtime(at), "H:i")


def span_of(until: datetime, now: datetime) -> str:
    """How long from now, in few steps, so that the sentence rarely changes: "in 3 h", "in 45 min", "soon"."""
    seconds = (until - now).total_seconds()
    if seconds >= 48 * HOUR:
        days = round(seconds / 24 / HOUR)
        return ngettext("in %(n)d day", "in %(n)d days", days) % {"n": days}
    if seconds >= HOUR:
        return _("in %(n)d h") % {"n": round(seconds / HOUR)}
    quarters = round(seconds / 60 / QUARTER)
    return _("in %(n)d min") % {"n": quarters * QUARTER} if quarters > 0 else _("soon")


def grouped(number: int) -> str:
    """A count as the reader's language groups it: 14,203 or 14.203."""
    return str(number_format(number, use_l10n=True, force_grouping=True))


def fingerprint(told: Iterable[Notice]) -> str:
    """What a page knows of notices, to be told again only when they changed."""
    return "|".join(notice.key for notice in told)


def budgets_of(user: User, markets: Iterable[Market], now: datetime) -> dict[int, budget.Balance]:
    """Of the markets that a person leads what is used and left, by the market's id."""
    return {market.pk: budget.balance(market, now) for market in markets if may(user, "settings.edit", market)}


def troubles_of(user: User, markets: Iterable[Market], now: datetime) -> dict[int, list[tuple[Source, Health]]]:
    """Of the markets that a person leads the sources that are paused, and those that fail again and again. Those of
    erased accounts are paused for good: nobody can mend that."""
    led = [market.pk for market in markets if may(user, "settings.edit", market)]
    own = Source.objects.without_erased().filter(Q(market__in=led) | Q(channel__market__in=led))
    paused = Q(paused_at__isnull=False) & (Q(paused_until=None) | Q(paused_until__gt=now))
    wrong = list(
        own.filter(paused | Q(cursor__failures__gte=MANY_FAILURES)).select_related("market", "channel__market")
    )
    found: dict[int, list[tuple[Source, Health]]] = {pk: [] for pk in led}
    healths = health_of(wrong, now) if wrong else {}
    for source in sorted(wrong, key=lambda source: source.pk):
        market = source.channel.market_id if source.channel else source.market_id
        found[market or 0].append((source, healths[source.pk]))
    return found


def reading_of(user: User, markets: Sequence[Market], now: datetime) -> dict[str, Any]:
    """What a page says of pauses."""
    told = notices(user, markets, now)
    return {"notices": told, "told_of": fingerprint(told)}
