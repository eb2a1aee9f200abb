"""On the feed: approve, pin, unpin, schedule, annotate; slots and the second pair of eyes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from curation.models import Candidate, State, Verb
from curation.operations.errors import NoSuchSlot, NotAllowed, SecondPairNeeded, SlotsFull, SlotTaken
from curation.operations.record import Record, unpinned
from curation.operations.wishes import Wish


def approve(record: Record, candidate: Candidate, wish: Wish) -> None:
    if wish.slot is None and (wish.until or wish.swap):
        raise NotAllowed(_("Name the slot too, or pin."), field="until" if wish.until else "swap")
    _approve_at(record, candidate, wish, Verb.APPROVE, pins=wish.slot is not None)


def pin(record: Record, candidate: Candidate, wish: Wish) -> None:
    _approve_at(record, candidate, wish, Verb.PIN, pins=True)


def unpin(record: Record, candidate: Candidate, wish: Wish) -> None:
    record.change(candidate, Verb.UNPIN, **unpinned())


def schedule(record: Record, candidate: Candidate, wish: Wish) -> None:
    """Approves what is pending, and sets the window as given: without an end there is none."""
    waits = needs_second_pair(record, candidate)
    window = {"go_live_at": wish.go_live_at, "expire_at": wish.expire_at}
    record.change(candidate, Verb.SCHEDULE, **approved(record, candidate, wish, {}, waits=waits) | window)


def annotate(record: Record, candidate: Candidate, wish: Wish) -> None:
    """Sets the words that are given, and leaves everything else."""
    given: dict[str, Any] = {"context": wish.context, "label": wish.label}
    record.change(candidate, Verb.ANNOTATE, **{name: words for name, words in given.items() if words is not None})


def _approve_at(record: Record, candidate: Candidate, wish: Wish, verb: str, *, pins: bool) -> None:
    """Everything that can be refused is asked before anything is changed: a refusal displaces nobody."""
    waits = needs_second_pair(record, candidate)
    if wish.slot is not None:
        check_slot(candidate, wish.slot)
    place = placed(record, candidate, wish) if pins and not waits else {}
    if pins and waits:
        record.remarks[candidate.pk] = _("It waits for a second approval; who gives it chooses the slot.")
    record.change(candidate, verb, **approved(record, candidate, wish, place, waits=waits))


def needs_second_pair(record: Record, candidate: Candidate) -> bool:
    """Whether someone else has to approve too. Raises where the same person tries twice."""
    if not candidate.channel.second_pair or candidate.state == State.APPROVED:
        return False
    if candidate.confirmed_by_id and record.by and candidate.confirmed_by_id == record.by.pk:
        raise SecondPairNeeded
    return candidate.confirmed_by_id is None


def approved(record: Record, candidate: Candidate, wish: Wish, place: dict[str, Any], *, waits: bool) -> dict[str, Any]:
    """The fields of a candidate that is approved now, or waits for the second pair of eyes."""
    given = {name: getattr(wish, name) for name in ("go_live_at", "expire_at", "context", "label")}
    fields = {name: value for name, value in given.items() if value is not None} | {"held": False}
    if wish.with_similar:
        fields["with_similar"] = True
    if waits:
        first = {"state": State.PENDING, "confirmed_by_id": record.by.pk if record.by else None}
        return fields | first | ({"pending_since": record.now} if candidate.state != State.PENDING else {})
    since = candidate.approved_at if candidate.state == State.APPROVED else record.now
    return fields | place | {"state": State.APPROVED, "approved_at": since}


def check_slot(candidate: Candidate, slot: int) -> None:
    """Raises NoSuchSlot for one that the channel has not."""
    slots = candidate.channel.slots
    if not slots:
        raise NoSuchSlot(_("This channel has no slots."), field="slot")
    if not 1 <= slot <= slots:
        raise NoSuchSlot(_("This channel has slots 1 to %(n)d.") % {"n": slots}, field="slot")


def placed(record: Record, candidate: Candidate, wish: Wish) -> dict[str, Any]:
    """The slot to take, freed of whoever holds it: by swap, or because that pin has ended."""
    channel = candidate.channel
    pinned = Candidate.objects.with_tweets().filter(channel=channel, slot__isnull=False)
    holders = {row.slot: record.rows.get(row.pk, row) for row in pinned}
    taken = {slot for slot, row in holders.items() if row.pk != candidate.pk and not ended(row, wish.now)}
    free = next((slot for slot in range(1, channel.slots + 1) if slot not in taken), None)
    slot = wish.slot if wish.slot is not None else candidate.slot or free
    if slot is None:
        raise SlotsFull(slots=channel.slots)
    check_slot(candidate, slot)
    if slot in taken and not wish.swap:
        raise SlotTaken(field="slot", slot=slot, held_by=holders[slot].pk)
    holder = holders.get(slot)
    if holder is not None and holder.pk != candidate.pk:
        displace(record, holder, candidate)
    return {"slot": slot, "pinned_until": wish.until or lasting_until(candidate, wish.now)}


def lasting_until(row: Candidate, now: datetime) -> datetime | None:
    """Until when its own pin lasts; None for no end, and for an end that is past."""
    return None if ended(row, now) else row.pinned_until


def ended(row: Candidate, now: datetime) -> bool:
    return row.pinned_until is not None and row.pinned_until <= now


def displace(record: Record, holder: Candidate, newcomer: Candidate) -> None:
    """The holder takes the newcomer's slot if it has one, else none. Each keeps its own until."""
    if newcomer.slot is None or ended(holder, record.now) or ended(newcomer, record.now):
        record.change(holder, Verb.UNPIN, **unpinned())
        return
    Candidate.objects.filter(pk__in=(newcomer.pk, holder.pk)).update(**unpinned())
    record.change(holder, Verb.PIN, slot=newcomer.slot, pinned_until=holder.pinned_until)
