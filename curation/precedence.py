"""What counts more where several things speak for or against a post at once. One table, strongest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from curation.matching import Matcher
from curation.models import Candidate
from regions.models import Block

LEGAL = "legal"


class Cause(TextChoices):
    """Why a post may not stand in a feed, or why it does. Their order is the precedence, strongest first."""

    GONE = "gone", _("gone or withheld")
    LEGAL_OR_GLOBAL = "legal_or_global", _("legal or global block")
    MARKET = "market", _("market block")
    CHANNEL = "channel", _("channel block")
    PIN = "pin", _("pin")
    APPROVE = "approve", _("approve")


PRECEDENCE = tuple(Cause)
EFFECTS = {
    Cause.GONE: "in no feed of the market, whatever was decided; withdrawn",
    Cause.LEGAL_OR_GLOBAL: "in no feed that the block reaches; a block with the reason legal counts as a global one",
    Cause.MARKET: "in no feed of the market",
    Cause.CHANNEL: "not in the feed of the channel",
    Cause.PIN: "in the feed at its slot, before what is approved",
    Cause.APPROVE: "in the feed, by the time it went live",
}


class Scoped(Protocol):
    """A block or a match."""

    @property
    def scope(self) -> str: ...
    @property
    def reason(self) -> str: ...


One = TypeVar("One", bound=Scoped)


def cause_of_block(block: Scoped) -> Cause:
    if block.reason == LEGAL or block.scope == "global":
        return Cause.LEGAL_OR_GLOBAL
    return Cause.MARKET if block.scope == "market" else Cause.CHANNEL


def strongest(blocks: Iterable[One]) -> One | None:
    """The one that is told of several; of equally strong ones the first."""
    return min(blocks, key=lambda block: PRECEDENCE.index(cause_of_block(block)), default=None)


def standing_block(candidate: Candidate, now: datetime) -> Block | None:
    """The strongest block that forbids a candidate at `now`, with who laid it; None where none does."""
    found = Matcher.of(candidate.channel.market).matches(candidate.tweet, candidate.channel_id, now)
    match = strongest(one for one in found if one.effect == Block.Effect.BLOCK)
    if match is None:
        return None
    return Block.objects.select_related("created_by", "market", "channel__category").get(pk=match.block_id)


def as_table() -> str:
    """The precedence for people, in Markdown. docs/decisions.md."""
    rows = [f"| {place} | {cause.label} | {EFFECTS[cause]} |\n" for place, cause in enumerate(PRECEDENCE, start=1)]
    return "| | cause | what it does |\n| --- | --- | --- |\n" + "".join(rows)
