"""Publishing: from what is approved to the bytes that phones read. And the consumers' keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from django.db import connection, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from curation import events, shared_clock
from curation import operations as curation
from curation.models import Tweet, Wording
from curation.models.candidates import digest
from feeds import closure, files, standing, verifying
from feeds.catalogue import catalogue
from feeds.edition import Edition
from feeds.models import Closure, Consumer, Feed, Mode, Rendering, Snapshot
from feeds.problems import AT_THE_EDGE, body_of
from feeds.rendering import Document, Entry, documents, moment
from feeds.syndicating import Syndicator
from regions.models import Change, Channel, Market, User
from regions.signals import channel_changed

log = structlog.get_logger(__name__)
syndicator = Syndicator()
NOTIFICATION = "channel_changed"
REMEMBERED = timedelta(hours=24)
MARKETS_OF = f"""
SELECT market_id, pg_notify('{NOTIFICATION}', market_id::text)
FROM (SELECT DISTINCT market_id FROM regions_channel WHERE id = ANY(%s)) AS touched
"""  # noqa: S608  the name is ours


@dataclass(frozen=True)
class Publication:
    """A feed as it would be published now: the next snapshot, not saved, and its bodies by mode."""

    feed: Feed
    entries: list[Entry]
    bodies: dict[str, Document]
    snapshot: Snapshot
    last: Snapshot | None

    @property
    def is_new(self) -> bool:
        return self.last is None or self.last.checksum != self.snapshot.checksum

    def renderings(self) -> list[Rendering]:
        number, at = self.snapshot.number, self.snapshot.at
        return [
            Rendering(
                feed=self.feed, mode=mode, number=number, at=at, body=body.gzipped(number, at), body_hash=body.hash
            )
            for mode, body in self.bodies.items()
        ]

    def was_due(self, now: datetime) -> bool:
        """Whether time alone could have changed it."""
        return self.last is not None and bool(self.feed.next_change_at and self.feed.next_change_at <= now)

    def told(self, edition: Edition) -> dict[str, Any]:
        """What open browsers hear of it."""
        channel, number = edition.channels.get(self.feed.channel_id or 0), self.snapshot.number
        return {
            "category": channel.category.slug if channel else None,
            "snapshot": number if self.is_new else self.feed.number,
        }

    def next_change(self, moment: datetime | None) -> datetime | None:
        """`moment`, or when the oldest of its removed ones is forgotten."""
        forgotten = [_when(gone) + REMEMBERED for gone in self.snapshot.removed]
        return min((one for one in (moment, *forgotten) if one), default=None)


def publish(market_id: int, *, now: datetime | None = None) -> list[Snapshot]:
    """Publishes every feed of a market whose bytes changed; returns the new snapshots.

    One transaction; then the files. The feeds are locked before anything else is read: whatever was committed
    before (a block, say) holds in this publication, and an earlier reading cannot overtake a later one."""
    with transaction.atomic():
        feeds, channels, market = _locked(market_id)
        if closure.stands():
            return []
        now = now or timezone.now()
        edition = Edition(market, channels, feeds.values(), now)
        last = Snapshot.objects.newest_of(feeds.values())
        publications = [_publication(feed, edition, last.get(feed.pk)) for feed in feeds.values()]
        new = [one for one in publications if one.is_new]
        due = [one for one in publications if one.was_due(now) and one.feed.channel_id is None]
        if new:
            _store(new)
            transaction.on_commit(partial(files.write, market.code, [one.feed.pk for one in new]))
        _note_progress(publications, edition)
    if new or due:  # what time alone changed may show at desks and not in the feed: it runs thin, a hold ends
        events.tell("feed", market.code, *(one.told(edition) for one in new or due))
    return [one.snapshot for one in new]


def _locked(market_id: int) -> tuple[dict[int | None, Feed], list[Channel], Market]:
    """The market's feeds by channel (None: its own), locked and complete; then its channels as they are now."""
    while True:
        feeds = {feed.channel_id: feed for feed in Feed.objects.filter(market=market_id).locked()}
        channels = list(Channel.objects.filter(market=market_id).select_related("market", "category").order_by("pk"))
        missing = [pk for pk in (None, *(channel.pk for channel in channels)) if pk not in feeds]
        if not missing:
            return feeds, channels, channels[0].market if channels else Market.objects.get(pk=market_id)
        new = [Feed(market_id=market_id, channel_id=pk) for pk in missing]
        Feed.objects.bulk_create(new, ignore_conflicts=True)


def _publication(feed: Feed, edition: Edition, last: Snapshot | None) -> Publication:
    market, channel = edition.market, edition.channels.get(feed.channel_id or 0)
    entries = edition.channel_entries(channel.pk) if channel else edition.market_entries()
    removed = _removed(last, {str(entry.tweet.current_id) for entry in entries}, edition.now)
    bodies = documents(market.code, channel.category.slug if channel else None, market.language, entries, removed)
    snapshot = Snapshot(
        feed=feed,
        number=feed.number + 1,
        at=edition.now,
        revision=channel.revision if channel else edition.revision,
        entries=[],  # of a new one only: _store
        removed=removed,
        checksum=digest("".join(bodies[mode].hash for mode in Mode.values)),
    )
    return Publication(feed, entries, bodies, snapshot, last)


def _removed(last: Snapshot | None, ids: set[str], now: datetime) -> list[dict[str, str]]:
    """What this feed published and took out in the last 24 h, newest first, without what is back."""
    if last is None:
        return []
    left = [{"id": entry["id"], "at": moment(now)} for entry in last.entries]
    earlier = [gone for gone in last.removed if _when(gone) + REMEMBERED > now]
    found = {gone["id"]: gone for gone in reversed(left + earlier) if gone["id"] not in ids}
    # written alike, whether new or out of PostgreSQL, which orders keys: else the next publication would be another
    return [{"id": gone["id"], "at": gone["at"]} for gone in reversed(found.values())]


def _when(gone: dict[str, str]) -> datetime:
    at = parse_datetime(gone["at"])
    if at is None:
        raise ValueError(f"no moment: {gone['at']}")
    return at


def _store(new: list[Publication]) -> None:
    _keep_words(new)
    for one in new:
        one.snapshot.entries = standing.stored(one.entries, one.last, one.snapshot.at)
    Snapshot.objects.bulk_create([one.snapshot for one in new])
    Rendering.objects.bulk_create(
        [rendering for one in new for rendering in one.renderings()],
        update_conflicts=True,
        unique_fields=["feed", "mode"],
        update_fields=["number", "at", "body", "body_hash"],
    )


def _keep_words(new: list[Publication]) -> None:
    """The editors' words that no earlier snapshot of these feeds held."""
    words = {word for one in new for entry in one.entries for word in (entry.context, entry.label)}
    known = {entry[kind] for one in new if one.last for entry in one.last.entries for kind in ("context", "label")}
    for word in words:
        if word and digest(word) not in known:
            Wording.objects.keep(word)


def _note_progress(publications: list[Publication], edition: Edition) -> None:
    """How far each feed has come: its number, the revision it shows, and when to look again."""
    soonest, behind = edition.next_change(), []
    for one in publications:
        feed, number = one.feed, one.snapshot.number if one.is_new else one.feed.number
        reached: tuple[Any, ...] = (number, one.snapshot.revision, one.next_change(soonest))
        if reached != (feed.number, feed.revision, feed.next_change_at):
            feed.number, feed.revision, feed.next_change_at = reached
            behind.append(feed)
    if behind:
        Feed.objects.bulk_update(behind, ["number", "revision", "next_change_at"])


# --- after a commit that touched a channel ----------------------------------------------------------------------
@dataclass(frozen=True)
class PublishAfterCommit:
    """Hook of a transaction. What fails here is logged; the publisher mends it."""

    market_id: int

    def __call__(self) -> None:
        try:
            publish(self.market_id)
        except Exception:
            log.exception("publication_failed", market=self.market_id)
            if not connection.in_atomic_block and not connection.is_usable():
                connection.close()  # so that the rest of the request gets a new one


def listen() -> None:
    """Publishes after every act on a channel."""
    channel_changed.connect(_on_change, dispatch_uid="feeds.publish")


def _on_change(channels: list[int], **_: Any) -> None:
    """Rings for the publisher within the transaction, and publishes once after it."""
    with connection.cursor() as cursor:
        cursor.execute(MARKETS_OF, [list(channels)])
        markets = [market_id for market_id, _rung in cursor]
    for market_id in markets:
        if not _is_planned(market_id):
            transaction.on_commit(PublishAfterCommit(market_id), robust=True)


def _is_planned(market_id: int) -> bool:
    """Whether this transaction publishes the market already. A hook that is still there outlives every open
    savepoint that this change could be rolled back with."""
    hook = PublishAfterCommit(market_id)
    return any(planned == hook for _sids, planned, *_ in connection.run_on_commit)


# --- consumers --------------------------------------------------------------------------------------------------
def open_consumer(name: str, mode: str = Mode.FULL, *, by: User | None) -> Consumer:
    """A new consumer with its key, which the edge serves from the commit on."""
    with transaction.atomic():
        consumer = Consumer.objects.create(name=name, mode=mode)
        _record(consumer, "open", by, after={"name": name, "mode": mode})
        transaction.on_commit(link_consumers, robust=True)
    return consumer


def revoke(consumer: Consumer, *, by: User | None, now: datetime | None = None) -> None:
    """The key answers 403 from the commit on, at the edge too."""
    with transaction.atomic():
        revoked = Consumer.objects.active().filter(pk=consumer.pk).update(revoked_at=now or timezone.now())
        if revoked:
            _record(consumer, "revoke", by, before={"name": consumer.name, "mode": consumer.mode})
            transaction.on_commit(link_consumers, robust=True)
    consumer.refresh_from_db()


def link_consumers() -> None:
    """New keys wait as long as publishing is closed; revoked ones never do."""
    if closure.stands():
        files.unlink_consumers()
    else:
        files.link_consumers()


def _record(consumer: Consumer, verb: str, by: User | None, **states: dict[str, str]) -> None:
    Change.objects.create(noun="consumer", noun_id=consumer.pk, verb=verb, by=by, **states)


# --- what X could not tell of ------------------------------------------------------------------------------------
def withdraw_unverified(*, now: datetime | None = None) -> int:
    """Withdraws what is shown and was not verified for 24 h; returns how many posts. Needs PostgreSQL alone."""
    now = now or shared_clock.now()
    late = verifying.unverified(now)
    try:
        if late:
            curation.withdraw(late, cause=Tweet.Gone.UNVERIFIED, now=now)
            log.warning("withdrawn_unverified", tweets=late)
    except Exception:
        if not connection.is_usable():
            raise
        log.exception("unverified_stand", tweets=late)  # tried again within a minute
    return len(late)


# --- what the publisher does at every turn -----------------------------------------------------------------------
def catch_up(*, now: datetime | None = None) -> int:
    """Publishes every market that is behind; returns how many. A market that fails keeps no other waiting."""
    if closure.stands():
        return 0
    due = sorted(Feed.objects.due_markets(now or timezone.now()))
    for market_id in due:
        try:
            publish(market_id, now=now)
        except Exception:
            if not connection.is_usable():
                raise
            log.exception("publication_failed", market=market_id)
    return len(due)


def mend_edge() -> int:
    """Makes files and links agree with the database; returns how many files it wrote or removed."""
    if markets := files.ahead():
        log.error("edge_ahead", markets=sorted(markets))
        closure.close(Closure.Why.EDGE_AHEAD, now=timezone.now())
    if closure.stands():
        return files.unlink_consumers()
    changed = files.mend()
    files.link_consumers()
    return changed + files.write_common(_common) + syndicator.turn()


def _common() -> dict[Path, str]:
    """What the edge serves beside the feeds, by file."""
    folder = files.root() / "problems"
    problems = {folder / f"{int(one.status)}.json.gz": body_of(one) for one in AT_THE_EDGE}
    return {files.root() / Mode.IDS / files.NAME: catalogue()} | problems
