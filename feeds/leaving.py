"""What settings would take off the phones, out of the queue and out of the store, before they are saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from curation import shortening
from curation.models import Candidate
from feeds.edition import Edition
from feeds.models import Feed
from regions.models import Channel, Market
from regions.tunable import grouped

Place = Market | Channel


@dataclass(frozen=True)
class Leaving:
    """In posts. Of `live` ones `phones` leave the feed, `queue` leave the queue, `texts` are deleted; `ruled`: sources
    that went live with nobody looking, and no longer do."""

    live: int = 0
    phones: int = 0
    queue: int = 0
    texts: int = 0
    ruled: int = 0

    def counts(self) -> dict[str, int]:
        return {"phones": self.phones, "queue": self.queue, "texts": self.texts}

    def sentences(self) -> Iterator[str]:
        """One for each thing that happens; none where nothing does."""
        if self.phones:
            told = ngettext(
                "%(n)s of %(live)s live posts leaves the phones at once.",
                "%(n)s of %(live)s live posts leave the phones at once.",
                self.phones,
            )
            yield told % {"n": grouped(self.phones), "live": grouped(self.live)}
        if self.queue:
            told = ngettext(
                "%(n)s waiting post leaves the queue within minutes.",
                "%(n)s waiting posts leave the queue within minutes.",
                self.queue,
            )
            yield told % {"n": grouped(self.queue)}
        if self.texts:
            told = ngettext(
                "The text of %(n)s post is deleted for good, within hours or days.",
                "The texts of %(n)s posts are deleted for good, within hours or days.",
                self.texts,
            )
            yield told % {"n": grouped(self.texts)}
        if self.ruled:
            told = ngettext(
                "%(n)s source approves by itself: its posts wait for two people from now on.",
                "%(n)s sources approve by themselves: their posts wait for two people from now on.",
                self.ruled,
            )
            yield told % {"n": grouped(self.ruled)}

    def button(self) -> str:
        """What the button says of the gravest."""
        if self.phones:
            return _("Save and take %(n)s off") % {"n": grouped(self.phones)}
        if self.texts:
            return ngettext("Save and delete %(n)s text", "Save and delete %(n)s texts", self.texts) % {
                "n": grouped(self.texts)
            }
        return _("Save and let %(n)s lapse") % {"n": grouped(self.queue)} if self.queue else ""


def leaving(before: Place, after: Place, now: datetime) -> Leaving:
    """What happens when a place is set as `after`, a copy of it that is not saved."""
    live, left = shown(before, now), shown(after, now)
    gone = {"live": len(live), "phones": len(live - left)}
    if isinstance(before, Market) and isinstance(after, Market):
        shorter = after.retention_days < before.retention_days
        return Leaving(**gone, texts=shortening.emptied(before, after.retention_days, now) if shorter else 0)
    if isinstance(before, Channel) and isinstance(after, Channel):
        shorter, seconded = after.pending_hours < before.pending_hours, after.second_pair and not before.second_pair
        queue = shortening.lapsing(after, now) if shorter else 0
        return Leaving(**gone, queue=queue, ruled=shortening.by_themselves(before) if seconded else 0)
    raise TypeError(f"not of one kind: {before!r}, {after!r}")


def shown(place: Place, now: datetime) -> set[int]:
    """The posts that a place's own feed shows with its settings as they are on this instance."""
    if isinstance(place, Channel):
        own = Edition(place.market, [place], Feed.objects.filter(channel=place).select_related("held_at"), now)
        return {entry.tweet.pk for entry in own.channel_entries(place.pk)}
    channels = list(place.channel_set.select_related("market", "category").order_by("pk"))
    whole = Edition(place, channels, Feed.objects.filter(market=place).select_related("held_at"), now)
    return {entry.tweet.pk for entry in whole.market_entries()}


def closing(place: Place, now: datetime) -> str:
    """What ends where a market, or a category of one, is switched off."""
    channels = [place] if isinstance(place, Channel) else list(place.channel_set.active())
    live = len(shown(place, now))
    waiting = Candidate.objects.pending().filter(channel__in=channels).count()
    name = place.category.name if isinstance(place, Channel) else place.name
    where = f"{place.market.code.upper()} {name}" if isinstance(place, Channel) else name
    told = _("%(name)s closes at once: %(live)s live, %(pending)s pending.")
    return told % {"name": where, "live": grouped(live), "pending": grouped(waiting)}
