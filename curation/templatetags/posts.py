"""How posts and times read on the desk."""

import json
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from curation.cards import Card
from curation.intake import grouped, when
from curation.ledger.prices import told_price
from curation.models import Tweet
from curation.wording import brief, is_long, shown_text
from curation.x.entities import plain_text
from regions import clocks
from regions.models import Market
from regions.words import contained

register = template.Library()
DOLLARS = {"en": "${}", "nl": "$\u00a0{}"}  # Unicode's CLDR; all others set the sign behind
MINUTE, HOUR, DAY = 60, 3600, 86400
AGES = [
    (DAY, gettext_noop("%(n)d d")),
    (HOUR, gettext_noop("%(n)d h")),
    (MINUTE, gettext_noop("%(n)d min")),
    (1, gettext_noop("%(n)d s")),
]


@register.simple_tag
def words(card: Card) -> SafeString:
    """The post's text with its links, the words that a block found, and what an edit changed."""
    tweet = card.candidate.tweet
    return shown_text(tweet.text, tweet.part("entities"), card.marks, card.text_before, tweet.part("links_before", {}))


@register.filter
def runs_long(tweet: Tweet) -> bool:
    """Whether its text scrolls in its row, so that the buttons stay in sight."""
    return is_long(tweet.text)


@register.filter
def in_brief(tweet: Tweet) -> str:
    """The text for a line or two beside something else: links as X shows them, no gaps."""
    return contained(brief(tweet.text, tweet.part("entities")))


@register.filter
def plain(text: str) -> str:
    """The text as its author wrote it: what X escapes is undone. The template escapes it again, once."""
    return plain_text(text)


register.filter(grouped)


@register.filter
def dollars(amount: Decimal) -> str:
    """An amount of dollars as the reader's language writes it."""
    figure = number_format(told_price(amount), use_l10n=True, force_grouping=True)
    return DOLLARS.get((get_language() or "en")[:2], "{}\u00a0$").format(figure)


@register.simple_tag
def posted(at: datetime) -> SafeString:
    """How long ago, and to the second in what one reads by pointing at it."""
    here = localtime(at)
    exact = f"{short_day(here.date(), get_language())} {here:%H:%M:%S}"
    return format_html('<time datetime="{}" title="{}" data-age>{}</time>', here.isoformat(), exact, age(at))


@lru_cache(maxsize=512)
def short_day(day: date, _language: str | None) -> str:
    """In digits, as the active language, which is this one, writes them."""
    return date_format(day, "SHORT_DATE_FORMAT")


@register.filter
def at_time(at: datetime) -> str:
    """The time of day, with the day where it is far."""
    return when(at, timezone.now())


@register.filter
def clock_time(at: datetime) -> str:
    """The time of day, with the day where it is not today's."""
    return clocks.clock_time(at)


@register.filter
def moment(at: datetime | None, detail: str = "") -> str:
    """A day and a time of day as the reader's language writes them; `detail`: with the "year" or the "seconds"."""
    return clocks.moment(at, year=detail == "year", seconds=detail == "seconds") if at else ""


@register.filter
def market_time(at: datetime, market: Market) -> str:
    """What was typed by a market's clocks, as they show it; with their zone where it says more."""
    return clocks.market_time(at, market)


@register.filter
def market_clock(at: datetime, market: Market) -> str:
    """The same, without the day where it is today's."""
    return clocks.market_time(at, market, brief=True)


@register.filter
def in_words(typed: str, market: Market) -> str:
    """A time as a browser's field holds it, with its weekday, and the zone where it says more, as static/curation/desk/
    clock.js says it; empty for none and for what is no time."""
    try:
        at = datetime.fromisoformat(typed)
    except ValueError:
        return ""
    form = "MONTH_DAY_FORMAT" if at.year == timezone.now().year else "DATE_FORMAT"
    told = f"{date_format(at, 'l')}, {date_format(at, form)}, {at:%H:%M}"
    try:
        meant = clocks.instant(market, at)
    except clocks.BadTime:
        return told
    told = " ".join(filter(None, (told, clocks.zone_name(meant, market))))
    return f"{told} · {first_of_two()}" if clocks.comes_twice(meant, market) else told


@register.filter
def zone_names(market: Market) -> str:
    """For the script: by the minutes that the market's zone is ahead of UTC."""
    return json.dumps(clocks.zone_names(market, timezone.now().year))


@register.simple_tag
def first_of_two() -> str:
    """Of an hour that comes twice, as clocks are set back."""
    return _("comes twice that day: the first is meant")


@register.filter
def ahead(at: datetime) -> str:
    """How long until then, in minutes or hours: "in 4 min", "now"."""
    minutes = round((at - timezone.now()).total_seconds() / MINUTE)
    if minutes < 1:
        return _("now")
    return _("in %(n)d min") % {"n": minutes} if minutes < 90 else _("in %(n)d h") % {"n": round(minutes / 60)}


@register.filter
def age(at: datetime | None) -> str:
    """How long ago, in one unit: "40 s", "8 min", "3 h", "2 d"."""
    if at is None:
        return ""
    seconds = max(0, int((timezone.now() - at).total_seconds()))
    unit, words = next((one for one in AGES if seconds >= one[0]), AGES[-1])
    return _(words) % {"n": seconds // unit}


@register.simple_tag
def age_words() -> list[tuple[str, str]]:
    """How the script goes on saying ages: from how many seconds on it counts in which unit, largest first."""
    return [(str(unit), _(words)) for unit, words in AGES]
