"""Wall-clock times: what people of a market type, as instants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.timezone import localdate, localtime, override
from django.utils.translation import gettext as _

from regions.models import Market, User
from regions.problems import Refusal


class BadTime(Refusal):
    """A wall-clock time that no clock of the market ever shows, or that no calendar holds."""

    code = "bad_window"


def zone_of(user: User, market: Market | None) -> ZoneInfo:
    """Where times are shown to someone: their own zone, else the market's."""
    return ZoneInfo(user.time_zone or (market.time_zone if market else "UTC"))


def moment(at: datetime, *, year: bool = False, seconds: bool = False) -> str:
    """A day and a time of day as the reader's language writes them, in the active zone: 20 november, 13:00. The year
    where it is asked for, or not this one."""
    here = localtime(at)
    year = year or here.year != localdate().year
    day = date_format(here, "DATE_FORMAT" if year else "MONTH_DAY_FORMAT")
    return f"{day}, {date_format(here, 'H:i:s' if seconds else 'H:i')}"


def clock_time(at: datetime) -> str:
    """The time of day, with the day where it is not today's."""
    here = localtime(at)
    return date_format(here, "H:i") if here.date() == localdate() else moment(at)


def market_time(at: datetime, market: Market, *, brief: bool = False) -> str:
    """What was typed by a market's clocks, as they show it; with their zone's name where it says more. `brief`: without
    the day where it is today's."""
    named = zone_name(at, market)
    with override(ZoneInfo(market.time_zone)):
        told = clock_time(at) if brief else moment(at)
    return f"{told} {named}" if named else told


def zone_name(at: datetime, market: Market) -> str:
    """The zone of a market's clocks at a moment, in short. Empty where the reader's own show the same time, unless
    they show it twice that day."""
    here = at.astimezone(ZoneInfo(market.time_zone))
    same = here.utcoffset() == localtime(at).utcoffset()
    return "" if same and not comes_twice(at, market) else f"{here:%Z}"


def zone_names(market: Market, year: int) -> dict[int, str]:
    """What it is called in a year's winter and summer, by the minutes that it is ahead of UTC."""
    told = [datetime(year, month, 1, tzinfo=ZoneInfo(market.time_zone)) for month in (1, 7)]
    return {int((at.utcoffset() or timedelta()).total_seconds() / 60): f"{at:%Z}" for at in told}


def comes_twice(at: datetime, market: Market) -> bool:
    """Whether a market's clocks show the time of this moment at another one too, as they are set back."""
    here = at.astimezone(ZoneInfo(market.time_zone))
    return here.replace(fold=0).utcoffset() != here.replace(fold=1).utcoffset()


def instant(market: Market, told: datetime, *, field: str = "") -> datetime:
    """The moment in UTC at which a market's clocks show a time; a time with a zone is that moment.

    Where clocks are set back an hour comes twice: the first is meant. Raises BadTime for a time that they skip when
    they are set forward, and for one at the edge of the calendar."""
    zone = ZoneInfo(market.time_zone)
    try:
        if told.tzinfo is not None:
            return told.astimezone(UTC)
        meant = told.replace(tzinfo=zone, fold=0).astimezone(UTC)
        shown = meant.astimezone(zone).replace(tzinfo=None)
    except (OverflowError, ValueError):
        raise BadTime(_("There is no such time."), field=field) from None
    if shown != told.replace(fold=0):
        told_back = {"time": f"{told:%H:%M}", "zone": market.time_zone}
        raise BadTime(
            _("%(time)s is skipped that day: the clocks of %(zone)s are set forward.") % told_back, field=field
        )
    return meant
