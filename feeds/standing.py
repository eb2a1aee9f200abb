"""Since when each post of a snapshot has stood in its feed without a break: the next snapshot takes it over for what
stays, and begins anew for what comes or comes back."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import F, Func, JSONField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from curation.models import Candidate, Decision
from feeds.models import Snapshot
from feeds.rendering import Entry


def stored(entries: Iterable[Entry], last: Snapshot | None, now: datetime) -> list[dict[str, Any]]:
    """Entries as the snapshot after `last` keeps them."""
    since = since_of(last)
    rows = [entry.stored() for entry in entries]
    return [row | {"since": since.get(row["id"], now).isoformat()} for row in rows]


def since_of(snapshot: Snapshot | None) -> dict[str, datetime]:
    """By X's id of each post that it shows."""
    rows = snapshot.entries if snapshot else []
    found = {row["id"]: datetime.fromisoformat(row["since"]) for row in rows if "since" in row}
    untold = {row["candidate"]: row["id"] for row in rows if "since" not in row}
    if snapshot and untold:
        found |= {untold[pk]: at for pk, at in as_far_as_known(snapshot, untold).items()}
    return found


def as_far_as_known(snapshot: Snapshot, candidates: Iterable[int]) -> dict[int, datetime]:
    """By candidate, for snapshots from before this was kept in them: the first that showed it since it was approved the
    last time. That it was displaced meanwhile is not seen."""
    named = Func(Value("candidate"), OuterRef("pk"), function="jsonb_build_object", output_field=JSONField())
    entry = Func(named, function="jsonb_build_array", output_field=JSONField())
    became = Decision.objects.filter(candidate=OuterRef("pk"), after__state="approved").exclude(
        before__state="approved"
    )
    last = Subquery(became.order_by("-version").values("at")[:1])
    shown = Snapshot.objects.filter(feed=snapshot.feed_id, at__gte=OuterRef("became"), entries__contains=entry)
    rows = Candidate.objects.filter(pk__in=candidates).annotate(became=Coalesce(last, F("approved_at")))
    firsts = rows.annotate(first=Subquery(shown.order_by("at").values("at")[:1])).values_list("pk", "first")
    return {pk: first or snapshot.at for pk, first in firsts}
