"""One act being done: the locks it holds, the changes it makes, the decisions it leaves.

Lock order everywhere: channels by id, then candidates by id. Who holds a channel's row may change its candidates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import OperationalError, connection, transaction

from curation.grouping import settle
from curation.locks import LOG_LOCK
from curation.models import Act, Candidate, Decision, Note, Wording
from curation.models.candidates import WORDS
from curation.operations.errors import Busy
from curation.transitions import leads
from regions.models import Channel, User
from regions.signals import channel_changed

WAITED_TOO_LONG = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
LOCKED_LOG = """
SELECT pg_advisory_xact_lock(%s, %s),
    ARRAY(SELECT DISTINCT group_id FROM curation_candidate WHERE group_id = ANY(%s::bigint[]))
"""


@contextmanager
def one_transaction() -> Iterator[None]:
    """A transaction whose waiting for locks ends in Busy instead of an error of the database."""
    try:
        with transaction.atomic():
            yield
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") in WAITED_TOO_LONG:
            raise Busy from error
        raise


def places_of(ids: Iterable[int]) -> set[int]:
    """The channels of candidates."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT channel_id FROM curation_candidate WHERE id = ANY(%s)", [list(ids)])
        return {channel_id for (channel_id,) in cursor}


def lock_channels(ids: Iterable[int]) -> dict[int, Channel]:
    """Channels by id, locked in the order of their ids. Rows that only point at a channel need not wait."""
    found = Channel.objects.select_for_update(of=("self",), no_key=True).select_related("market", "category")
    return {channel.pk: channel for channel in found.filter(pk__in=set(ids)).order_by("pk")}


def lock_candidates(ids: Iterable[int], channels: dict[int, Channel] | None = None) -> dict[int, Candidate]:
    """Candidates by id with their tweets, locked in the order of their ids. Their channels must be locked; given
    them, they are not read again.

    Rows that only point at one need not wait: arrivals that are similar to it."""
    found = Candidate.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=set(ids)).order_by("pk")
    if channels is None:
        return {candidate.pk: candidate for candidate in found.with_tweets()}
    rows = {candidate.pk: candidate for candidate in found.select_related("tweet__author", "source")}
    for candidate in rows.values():
        candidate.channel = channels[candidate.channel_id]
    return rows


class Record:
    """The act and its decisions, written as they are made. Used within `one_transaction`."""

    def __init__(
        self,
        verb: str,
        *,
        by: User | None,
        now: datetime,
        note: str = "",
        undoes: Act | None = None,
        rows: dict[int, Candidate] | None = None,
    ) -> None:
        self.by, self.now, self.note, self.rows = by, now, note, rows or {}
        self.act = Act.objects.create(verb=verb, by=by, at=now, undoes=undoes)
        self.decisions: list[Decision] = []
        self.remarks: dict[int, str] = {}  # by candidate, on what came otherwise than asked
        self.sent: list[tuple[Candidate, Channel]] = []  # to other channels, see curation.operations.moving
        if note:
            Note.objects.create(act=self.act, words=note)

    def change(
        self, candidate: Candidate, verb: str, *, reason: str = "", to: dict[str, str] | None = None, **fields: Any
    ) -> Decision:
        """One decision: the candidate's fields, its version and the log, in step. `to`: where it was sent.

        The version is compared in the same UPDATE; the channel's lock makes a difference impossible here."""
        before, seen = candidate.standing(), candidate.version
        for name, value in fields.items():
            setattr(candidate, name, value)
        if not leads(verb, before["state"], candidate.state, by_system=self.by is None):
            raise RuntimeError(f"no table of transitions has {verb} from {before['state']} to {candidate.state}")
        changed = Candidate.objects.filter(pk=candidate.pk, version=seen).update(version=seen + 1, **fields)
        if changed != 1:
            raise RuntimeError(f"candidate {candidate.pk} changed without its channel's lock")
        candidate.version = seen + 1
        for name in WORDS:
            if fields.get(name):
                Wording.objects.keep(fields[name])
        decision = Decision(
            act=self.act,
            candidate=candidate,
            channel_id=candidate.channel_id,
            market_id=candidate.channel.market_id,
            verb=verb,
            by=self.by,
            at=self.now,
            reason=reason,
            version=candidate.version,
            current_id=candidate.tweet.current_id,
            text_hash=candidate.tweet.text_hash,
            before=before,
            after=candidate.standing() | ({"to": to} if to else {}),
        )
        self.decisions.append(decision)
        return decision

    def close(self) -> None:
        """Writes the decisions, raises the channels' revisions and says so; the last step before the commit."""
        close_all([self])


def close_all(records: Iterable[Record]) -> None:
    """Closes the acts of one transaction together.

    From here on nobody else writes to these markets' logs: their ids become visible in their order, so that who
    reads on from the last id seen misses none. Of similar ones the right one is shown from then on."""
    decisions = [decision for record in records for decision in record.decisions]
    moved = [one.candidate for one in decisions if one.before["state"] != one.after["state"]]
    groups = {row.group_id for row in moved if row.group_id}
    founders = [row.pk for row in moved if row.group_id is None]
    for market_id in sorted({decision.market_id for decision in decisions}):
        groups |= lock_log(market_id, founders)
        founders = []
    settle(groups)
    Decision.objects.bulk_create(decisions)
    channels = sorted({decision.channel_id for decision in decisions})
    if channels:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE regions_channel SET revision = revision + 1 WHERE id = ANY(%s)", [channels])
        channel_changed.send(sender=Channel, channels=channels)


def lock_log(market_id: int, founders: Sequence[int] = ()) -> set[int]:
    """Holds a market's log until the commit. Gives, of these candidates, those that others are similar to: found on
    the way, since hardly one is."""
    with connection.cursor() as cursor:
        cursor.execute(LOCKED_LOG if founders else "SELECT pg_advisory_xact_lock(%s, %s)",
                       [LOG_LOCK, market_id, *([list(founders)] if founders else [])])  # fmt: skip
        return set(cursor.fetchone()[1]) if founders else set()


def last_decision(candidate: Candidate) -> Decision | None:
    """With who decided, whose act it was, and its market."""
    rows = Decision.objects.filter(candidate=candidate).select_related("by", "act__by", "market")
    return rows.order_by("-version").first()


def unpinned() -> dict[str, Any]:
    """Fields of a candidate that holds no slot."""
    return {"slot": None, "pinned_until": None}


def back_to_pending(now: datetime) -> dict[str, Any]:
    """Fields of a candidate that waits for a decision again."""
    return unpinned() | {
        "go_live_at": None,
        "expire_at": None,
        "with_similar": False,
        "state": "pending",
        "pending_since": now,
        "approved_at": None,
        "confirmed_by_id": None,
        "blocked_by_lists": False,
    }
