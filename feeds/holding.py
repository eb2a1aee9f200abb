"""Holding feeds: freeze, restore, blank, and release. Who, why and until when stand beside each held feed.

A market is held with all its channels; one that is held for itself already stays so, inside its market too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.models.candidates import digest
from curation.operations.record import one_transaction
from feeds import closure
from feeds.models import Feed, Snapshot
from regions.models import Channel, Market, User
from regions.operations import log_change, touch
from regions.problems import Refusal
from regions.words import invisible, unusable

CURRENT, BLANK = "current", "blank"
LONGEST_REASON = 200
FREE: dict[str, Any] = {
    "hold": Feed.Hold.NONE,
    "held_at": None,
    "held_by": None,
    "held_since": None,
    "held_until": None,
    "held_reason": "",
    "with_market": False,
}


class NothingPublished(Refusal):
    code = "nothing_published"
    detail = gettext_lazy("Nothing was published here yet. It can only be held blank.")


class NoSuchSnapshot(Refusal):
    code = "no_such_snapshot"
    detail = gettext_lazy("This feed has no such snapshot.")


class LostSince(Refusal):
    code = "lost_since"
    detail = gettext_lazy(
        "This is from before the database was restored: what was blocked after it is not known any more."
    )


class BadHold(Refusal):
    code = "bad_hold"
    detail = gettext_lazy("This feed cannot be held so.")


class NotHeld(Refusal):
    status = HTTPStatus.CONFLICT
    code = "not_held"
    detail = gettext_lazy("This feed is not held.")


class HeldMeanwhile(Refusal):
    """Somebody else held or released it since the page was shown."""

    status = HTTPStatus.CONFLICT
    code = "held_meanwhile"
    detail = gettext_lazy("Somebody held or released this feed meanwhile.")


@dataclass(frozen=True)
class Order:
    """What a hold says of itself: since `now`, until a time or its release."""

    reason: str
    by: User
    until: datetime | None
    now: datetime

    def fields(self, at: Snapshot | None, *, with_market: bool) -> dict[str, Any]:
        """At a snapshot, or blank without one."""
        return {
            "hold": Feed.Hold.SNAPSHOT if at else Feed.Hold.BLANK,
            "held_at": at,
            "held_by": self.by,
            "held_since": self.now,
            "held_until": self.until,
            "held_reason": self.reason,
            "with_market": with_market,
        }


def restorable(found: Snapshot) -> bool:
    """Whether what was blocked since is known: not of what was shown before the database was restored."""
    since = closure.ended()
    return since is None or found.at > since


def hold(
    market: Market,
    channel: Channel | None,
    at: int | str,
    *,
    reason: str,
    by: User,
    until: datetime | None = None,
    seen: str | None = None,
    now: datetime | None = None,
) -> list[Feed]:
    """Holds a channel's feed, or without a channel the market's with those of its channels; gives the held ones.

    `at`: CURRENT freezes what is shown, the number of a snapshot of this feed restores it, BLANK shows nothing. A
    market's snapshot brings each channel back to what it showed at that moment. A hold takes the place of the one
    before; `seen`, by `seen_of`, is the one that somebody knew of. Raises NothingPublished, NoSuchSnapshot, LostSince,
    BadHold, HeldMeanwhile; then nothing was changed."""
    order = Order(checked_reason(reason), by, until, now or timezone.now())
    if until is not None and until <= order.now:
        raise BadHold(_("That time is past."), field="until")
    with one_transaction():
        feeds = locked(market, channel)
        if isinstance(at, int) and not restorable(snapshot_of(feeds[0], at)):
            raise LostSince(field="snapshot")
        _check_seen(feeds, seen, order.now)
        before = {feed.pk: told(feed) for feed in feeds}
        held = lay(feeds, at, order)
        for feed in held:
            feed.save(update_fields=list(FREE))
            _log(feed, "hold", by, before=before[feed.pk], after=told(feed))
        touch(channels_of(feeds, market))
    return held


def release(
    market: Market, channel: Channel | None, *, by: User, seen: str | None = None, now: datetime | None = None
) -> list[Feed]:
    """Lets a feed show the present again; a market's lets those go that were held with it. Gives the released ones.

    Raises NotHeld, HeldMeanwhile."""
    now = now or timezone.now()
    with one_transaction():
        feeds = locked(market, channel)
        if not feeds[0].held(now):
            raise NotHeld
        _check_seen(feeds, seen, now)
        before = {feed.pk: told(feed) for feed in feeds}
        freed = free(feeds)
        for feed in freed:
            feed.save(update_fields=list(FREE))
            _log(feed, "release", by, before=before[feed.pk], after={})
        touch(channels_of(feeds, market))
    return freed


def lay(feeds: Sequence[Feed], at: int | str, order: Order) -> list[Feed]:
    """Puts a hold into the first feed and, behind a market's, into those of its channels that are not held for
    themselves; gives the held ones, not saved. Raises NothingPublished, NoSuchSnapshot."""
    first = feeds[0]
    chosen = None if at == BLANK else snapshot_of(first, at)
    held = [_filled(first, order.fields(chosen, with_market=False))]
    for feed in feeds[1:]:
        if not feed.held(order.now) or feed.with_market:
            then = None if chosen is None else newest(feed, at, chosen)
            held.append(_filled(feed, order.fields(then, with_market=True)))
    return held


def free(feeds: Sequence[Feed]) -> list[Feed]:
    """Takes the hold out of the first feed and of those that are held with it; gives them, not saved."""
    freed = [feeds[0], *(feed for feed in feeds[1:] if feed.hold and feed.with_market)]
    return [_filled(feed, FREE) for feed in freed]


def seen_of(feeds: Iterable[Feed], now: datetime) -> str:
    """How feeds are held, as a form keeps it, so that nobody's hold gives way unseen."""
    marks = [(feed.channel_id, feed.hold, feed.held_since, feed.held_until) for feed in feeds if feed.held(now)]
    return digest(repr(sorted(marks, key=lambda mark: mark[0] or 0)))


def _check_seen(feeds: Iterable[Feed], seen: str | None, now: datetime) -> None:
    if seen is not None and seen != seen_of(feeds, now):
        raise HeldMeanwhile


def locked(market: Market, channel: Channel | None) -> list[Feed]:
    """The feed, and for a market those of its channels behind it; locked as a publication locks them."""
    found = Feed.objects.filter(market=market).select_related("market", "channel__category")
    Feed.objects.bulk_create([Feed(market=market, channel=channel)], ignore_conflicts=True)  # where none was made yet
    rows = {feed.channel_id: feed for feed in found.select_for_update(of=("self",)).order_by("pk")}
    first = rows[channel.pk if channel else None]
    others = [] if channel else [feed for pk, feed in rows.items() if pk is not None]
    return [first, *others]


def snapshot_of(feed: Feed, at: int | str) -> Snapshot:
    found = Snapshot.objects.filter(feed=feed.pk, number=feed.number if at == CURRENT else at).first()
    if found is None:
        raise NothingPublished(field="snapshot") if at == CURRENT else NoSuchSnapshot(field="snapshot")
    return found


def newest(feed: Feed, at: int | str, chosen: Snapshot) -> Snapshot | None:
    """What a channel shows now, or showed when its market showed the chosen snapshot; None: nothing yet."""
    if at == CURRENT:
        return feed.snapshot_set.filter(number=feed.number).first()
    return feed.snapshot_set.shown_at(chosen.at)


def channels_of(feeds: Iterable[Feed], market: Market) -> list[int]:
    """The channels whose revisions tell that these feeds changed."""
    named = [feed.channel_id for feed in feeds if feed.channel_id]
    return named or list(market.channel_set.values_list("pk", flat=True))


def checked_reason(reason: str) -> str:
    reason = reason.strip()
    if invisible(reason):
        raise BadHold(_("Say why: everyone of the market will read it."), field="reason")
    if len(reason) > LONGEST_REASON:
        raise BadHold(_("At most %(n)d characters in one line.") % {"n": LONGEST_REASON}, field="reason")
    if unusable(reason):
        raise BadHold(_("One line, without characters that cannot be seen."), field="reason")
    return reason


def told(feed: Feed) -> dict[str, Any]:
    """A hold as the lists' log keeps it."""
    if not feed.hold:
        return {}
    return {
        "hold": feed.hold,
        "snapshot": feed.held_at.number if feed.held_at else None,
        "reason": feed.held_reason,
        "until": feed.held_until.isoformat() if feed.held_until else None,
    }


def _filled(feed: Feed, fields: dict[str, Any]) -> Feed:
    for name, value in fields.items():
        setattr(feed, name, value)
    return feed


def _log(feed: Feed, verb: str, by: User, *, before: dict[str, Any], after: dict[str, Any]) -> None:
    where = {"feed": feed.path}
    log_change(feed, verb, by=by, market=feed.market, before=before and where | before, after=where | after)
