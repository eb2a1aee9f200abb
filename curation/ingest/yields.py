"""What was decided on the posts that each source brought: what its yield is taken from.

A post counts once, for the source that brought it first, however often it is read again and by whom, and however many
channels it was offered to. What still waits, and what X withdrew, counts neither for a source nor against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from curation.models import Candidate, State

CHOSEN = Q(state=State.APPROVED)
SEEN = CHOSEN | Q(state=State.BLOCKED)
DECIDED = SEEN | Q(state=State.LAPSED)


@dataclass(frozen=True)
class Yield:
    """Posts that a source brought first and that were decided on: `approved` somewhere; else `blocked`; else `lapsed`,
    seen and not chosen in time."""

    approved: int = 0
    blocked: int = 0
    lapsed: int = 0

    @property
    def decided(self) -> int:
        return self.approved + self.blocked + self.lapsed

    @property
    def per_hundred(self) -> float | None:
        """Approved of a hundred that were decided on; None where none was."""
        return 100 * self.approved / self.decided if self.decided else None


def yields_of(sources: Iterable[int], since: datetime) -> dict[int, Yield]:
    """By the sources' ids, of what arrived after `since`; those that brought nothing decided are left out."""
    arrived = Candidate.objects.filter(DECIDED, source__in=sources, arrived_at__gt=since)
    counted = arrived.values("source").annotate(
        chosen=Count("tweet", distinct=True, filter=CHOSEN),
        seen=Count("tweet", distinct=True, filter=SEEN),
        decided=Count("tweet", distinct=True),
    )
    return {
        row["source"]: Yield(row["chosen"], row["seen"] - row["chosen"], row["decided"] - row["seen"])
        for row in counted
    }
