"""A lead's rule that approves by itself: what a named account posts, as its source brings it.

The rule is a source's `auto_approve`. It reads what nobody decided on yet and nothing holds, blocks or hides; where a
channel asks for a second pair of eyes it does nothing, since it has none."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from curation.matching import Matcher
from curation.models import Candidate, State, Verb
from curation.models.candidates import CandidateQuerySet
from curation.operations.record import Record, lock_candidates, lock_channels, one_transaction
from curation.transitions import BY_RULE
from regions.models import Channel, Source

LATELY = timedelta(hours=1)  # so that a pass finds what a killed one left, and a new rule finds no old queue
BATCH = 200


def approve_by_rule(source: Source, *, now: datetime) -> int:
    """Approves what a source brought within the last hour, if its rule says so; returns how many. Idempotent.

    In transactions of its own, after those that stored. Each decision's reason names the rule: "source:" and the
    source's id."""
    approved, last = 0, 0
    while rows := list(_waiting(source, now, last).values_list("pk", "channel_id")[:BATCH]):
        with one_transaction():
            approved += _approved(source, rows, now)
        last = rows[-1][0]
    return approved


def reason_of(source: Source) -> str:
    """How the log names a rule."""
    return f"source:{source.pk}"


def _waiting(source: Source, now: datetime, last: int) -> CandidateQuerySet:
    """In the order of their ids, after one."""
    own = Q(tweet__author__username__iexact=source.value.strip().lstrip("@"))
    if source.x_id:
        own = Q(tweet__author=int(source.x_id))
    rows = Candidate.objects.pending().leading().filter(own, source=source, version=1, held=False, pk__gt=last)
    rows = rows.filter(arrived_at__gt=now - LATELY, channel__second_pair=False, channel__in=source.channels())
    ruled = source.auto_approve and source.kind == Source.Kind.ACCOUNT
    return rows.order_by("pk") if ruled else rows.none()


def _approved(source: Source, rows: list[tuple[int, int]], now: datetime) -> int:
    """The rule, the channels and the candidates are asked again under their locks."""
    channels = lock_channels(channel for _pk, channel in rows)
    candidates = lock_candidates(pk for pk, _channel in rows)
    if not Source.objects.running().filter(pk=source.pk, auto_approve=True).exists():
        return 0
    record: Record | None = None
    for candidate in candidates.values():
        candidate.channel = channels[candidate.channel_id]
        if _may_approve(candidate, now):
            record = record or Record(Verb.APPROVE, by=None, now=now)
            record.change(candidate, Verb.APPROVE, reason=reason_of(source), state=State.APPROVED, approved_at=now)
    if record is None:
        return 0
    record.close()
    return len(record.decisions)


def _may_approve(candidate: Candidate, now: datetime) -> bool:
    """A list that only holds asks for an editor's look too, also before its job came by."""
    channel: Channel = candidate.channel
    if candidate.state not in BY_RULE[Verb.APPROVE] or candidate.version > 1 or channel.second_pair:
        return False
    if candidate.held or candidate.hidden or not candidate.tweet.showable_in(channel.market.country):
        return False
    return not Matcher.of(channel.market).matches(candidate.tweet, channel.pk, now)
