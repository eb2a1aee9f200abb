"""The log of a market's lists, people and settings, in sentences: what no decision tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.blocking import changes as of_blocks
from curation.sourcing.listing import ToldChange
from regions import telling, telling_of_places
from regions.models import Change, Market, Source

PAGE = 50
KINDS: dict[str, tuple[Any, tuple[str, ...]]] = {
    "sources": (gettext_lazy("Sources"), ("source",)),
    "blocks": (gettext_lazy("Blocks"), ("block", "blocklist")),
    "people": (gettext_lazy("People"), ("membership", "invitation")),
    "settings": (gettext_lazy("Settings"), telling_of_places.NOUNS),
    "others": (gettext_lazy("Feeds and quarantine"), ("feed", "quarantined")),
}
"""What may be asked for alone: its name, and the nouns of its changes."""
GLOBAL = ("source", "block", "blocklist", "category")
"""What holds here too where it belongs to no market."""
OTHERS = {
    ("feed", "hold"): gettext_lazy("Feed %(feed)s held: %(reason)s"),
    ("feed", "release"): gettext_lazy("Feed %(feed)s released"),
    ("quarantined", "drop"): gettext_lazy("A post in quarantine dropped: %(reason)s"),
    ("quarantined", "release"): gettext_lazy("A post released from quarantine: %(reason)s"),
}


@dataclass
class Line:
    """One change as leads read it. `begins`: the day that begins with it."""

    change: Change
    sentence: str
    by: str
    begins: date | None = None

    @property
    def at(self) -> datetime:
        return self.change.at


@dataclass(frozen=True)
class Page:
    """Lines, newest first, and the id to go on before; None after the last."""

    lines: Sequence[Line]
    next: int | None


def read(market: Market, kind: str = "", before: int | None = None) -> Page:
    """A page of a market's changes, of one of KINDS or of all; those of lists for all markets among them."""
    rows = Change.objects.filter(Q(market=market) | Q(market=None, noun__in=GLOBAL)).select_related("by")
    if kind in KINDS:
        rows = rows.filter(noun__in=KINDS[kind][1])
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-pk")[: PAGE + 1])
    shown = found[:PAGE]
    return Page(dated(lines_of(shown)), shown[-1].pk if len(found) > PAGE else None)


def lines_of(changes: Sequence[Change]) -> list[Line]:
    """Each told by the room that knows its noun."""
    said: dict[int, str] = {}
    for kind, tell in TELLERS.items():
        own = [one for one in changes if one.noun in KINDS[kind][1]]
        said |= {one.pk: words for one, words in zip(own, tell(own), strict=True)}
    return [Line(one, said.get(one.pk, one.verb), telling.by_of(one)) for one in changes]


def dated(lines: list[Line]) -> list[Line]:
    day: date | None = None
    for line in lines:
        here = timezone.localtime(line.at).date()
        line.begins, day = (here if here != day else None), here
    return lines


def _sentences(told: Iterable[Any]) -> list[str]:
    return [one.sentence for one in told]


def _of_sources(changes: Sequence[Change]) -> list[str]:
    named = Source.ever.in_bulk({one.noun_id for one in changes})
    told = [ToldChange(one, str(named.get(one.noun_id, _("a source")))) for one in changes]
    return [" · ".join([f"{one.what}: {one.verb}", *one.details]) for one in told]


def _of_others(changes: Sequence[Change]) -> list[str]:
    return [_of_other(one) for one in changes]


def _of_other(change: Change) -> str:
    kept = {"feed": "", "reason": ""} | change.before | change.after
    told = str(OTHERS.get((change.noun, change.verb), f"{change.noun}: {change.verb}"))
    return told % kept if "%(" in told else told


TELLERS: dict[str, Callable[[Sequence[Change]], list[str]]] = {
    "sources": _of_sources,
    "blocks": lambda rows: _sentences(of_blocks.told_of(rows)),
    "people": lambda rows: _sentences(telling.told_of(rows)),
    "settings": lambda rows: _sentences(telling_of_places.told_of(rows)),
    "others": _of_others,
}
