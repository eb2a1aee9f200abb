"""Out of quarantine again: what could not be understood or stored is tried once more, by the code that reads X."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from curation import events
from curation.ingest.polling.reading import Reader, Reading
from curation.ingest.storing.candidates import Arrivals, offer
from curation.ingest.storing.reasons import in_words
from curation.ingest.storing.store import settle, store
from curation.ingest.streaming.keeper import Mute
from curation.models import Author, Cursor, IngestRun, Quarantined, Tweet
from curation.operations.record import one_transaction
from curation.tombstones import erased
from curation.x.client import Page
from curation.x.wire import Post
from regions.models import Source, User
from regions.operations import log_change
from regions.permissions import may
from regions.problems import Refusal

Kind = IngestRun.Kind
OF_NO_SOURCE = {
    Kind.LINK: _("It was added by hand, and nobody noted for which channel. Add its link again at the desk."),
    Kind.RECHECK: _("It is of a post that is here already. The next recheck asks X for it again."),
    Kind.COMPLIANCE: _("It is no post but a line of X's list of what is gone. The next list tells it again."),
    Kind.STREAM: _("It came by the stream for none of our sources: there is no channel to offer it to."),
}


class NotReleasable(Refusal):
    """It can never be tried again; the sentence says why, and what brings the post all the same."""

    code = "not_releasable"
    detail = _("It is not in quarantine any more.")


class StillRefused(Refusal):
    """`reason` as quarantine words it."""

    code = "still_refused"

    def __init__(self, reason: str) -> None:
        super().__init__(gettext("It is still refused: %(reason)s.") % {"reason": in_words(reason)}, reason=reason)


@dataclass(frozen=True)
class Released:
    """How many candidates it made, and how many of them a block took; none where it was in all its channels."""

    candidates: int
    blocked: int


def release(row: Quarantined, *, by: User, now: datetime) -> Released:
    """Makes candidates of it, in the channels of its source. What X said of it is as old as the row: it counts as
    checked then, so that it is asked about anew. Raises NotReleasable, StillRefused, Busy; then nothing changed."""
    with one_transaction():
        reading, source = tried(row, by, now), source_of(row, by)
        post = next(iter(reading.posts.values()))
        if erased({post.author_id}):
            raise NotReleasable(_("Its author asked to be erased. Nothing of theirs is stored again."))
        if not Quarantined.objects.select_for_update().filter(pk=row.pk).exists():
            raise NotReleasable
        arrived = offered(reading, post, source, row.at, now)
        told = {"candidates": arrived.candidates, "blocked": arrived.blocked}
        log_change(row, "release", by=by, market=row.run.market, before={"reason": row.reason}, after=told)
        Quarantined.objects.filter(pk=row.pk).delete()
        events.arrived(arrived.channels)
        return Released(**told)


def refusal_of(row: Quarantined, by: User, now: datetime) -> Refusal | None:
    """Why it would not be released now, as far as that can be told without storing it."""
    try:
        tried(row, by, now)
    except Refusal as refusal:
        return refusal
    return None


def tried(row: Quarantined, by: User, now: datetime) -> Reading:
    """One post, read anew. X is not asked for anything."""
    source = source_of(row, by)
    reader = Reader(source, Cursor(), Mute(), now)
    reading = reader.delivered([Page(raw=[row.payload], includes=row.beside or {})])
    if reading.broken:
        raise StillRefused(reading.broken[0].reason)
    if not reading.posts:
        raise NotReleasable(
            _("X would have to be asked for more of it. If its source still shows it, it comes by itself.")
        )
    return reading


def source_of(row: Quarantined, by: User) -> Source:
    """Whose channels it would be offered to. Raises NotReleasable where a post cannot be made of what was kept."""
    run = row.run
    if run.source is None:
        raise NotReleasable(OF_NO_SOURCE.get(Kind(run.kind), _("It came from no source.")))
    if run.source.removed_at:
        raise NotReleasable(_("Its source was removed."))
    if run.source.scope == "global" and not may(by, "source.edit_global", run.market):
        raise NotReleasable(_("Its source feeds other markets too: a chief may release it."))
    if not run.source.channels().exists():
        raise NotReleasable(_("Its source feeds no channel at present."))
    if not isinstance(row.payload, dict):
        raise NotReleasable(_("It is no post, or too long to have been kept whole."))
    if row.beside is None:
        raise NotReleasable(_("Its author and pictures were not kept then, and without them it is not X's post."))
    return run.source


def offered(reading: Reading, post: Post, source: Source, at: datetime, now: datetime) -> Arrivals:
    """A post that is here stays as it is, and is offered; another is stored first."""
    channels = list(source.channels())
    known = Tweet.objects.filter(Q(first_id=post.first_id) | Q(current_id__in=post.edit_ids)).first()
    if known is None:
        return stored(reading, source, at, now)
    if known.gone_at or known.purged_at or known.author_id is None:
        raise NotReleasable(_("The post is here, and gone at X or emptied since."))
    arrived = offer([known.pk], source, channels, now)
    settle()
    return arrived


def stored(reading: Reading, source: Source, at: datetime, now: datetime) -> Arrivals:
    newer = Author.objects.filter(pk__in=reading.people, fetched_at__gt=at).values_list("pk", flat=True)
    for pk in newer:
        del reading.people[pk]
    new, arrived = store(reading, source, list(source.channels()), now)
    if reading.broken:
        raise StillRefused(reading.broken[0].reason)
    Tweet.objects.filter(pk__in=new.new).update(checked_at=at, fetched_at=at)
    Author.objects.filter(pk__in=reading.people).update(fetched_at=at)
    return arrived
