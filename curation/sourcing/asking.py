"""The form of one source, as a page sends it and shows it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from curation.sourcing.wishes import Wish
from regions.models import Source
from regions.numbers import whole

STEPS = (30, 60, 120, 240, 300, 600, 900, 1800, 3600, 7200, 21_600, 86_400)
LONGEST = 10_000  # characters of any field


@dataclass(frozen=True)
class Typed:
    """What stands in the fields, as it was typed. `seen`: the newest change that the person knew of; `told_beside`:
    what they were told of who reads the same."""

    kind: str = Source.Kind.ACCOUNT
    value: str = ""
    scope: str = "channel"
    category: str = ""
    name: str = ""
    trust: str = "50"
    least_seconds: str = "60"
    most_seconds: str = "1800"
    auto_approve: bool = False
    seen: str = ""
    told_beside: str = ""

    @classmethod
    def sent(cls, given: Mapping[str, str]) -> Typed:
        told = {name: given[name][:LONGEST] for name in cls.__dataclass_fields__ if name in given}
        return cls(**told | {"auto_approve": bool(given.get("auto_approve"))})  # type: ignore[arg-type]

    @classmethod
    def of(cls, source: Source, seen: int) -> Typed:
        category = source.channel.category if source.channel else source.category
        return cls(
            kind=source.kind,
            value=f"@{source.value.lstrip('@')}" if source.kind == Source.Kind.ACCOUNT else source.value,
            scope=source.scope,
            category=category.slug if category else "",
            name=source.name,
            trust=str(source.trust),
            least_seconds=str(source.least_seconds),
            most_seconds=str(source.most_seconds),
            auto_approve=source.auto_approve,
            seen=str(seen),
        )

    def wish(self) -> Wish:
        """What is no number is out of bounds."""
        return Wish(
            kind=self.kind,
            value=self.value,
            scope=self.scope,
            category=self.category,
            name=self.name,
            trust=number(self.trust),
            least_seconds=number(self.least_seconds),
            most_seconds=number(self.most_seconds),
            auto_approve=self.auto_approve,
        )

    @property
    def known(self) -> int | None:
        return whole(self.seen)

    @property
    def steps(self) -> dict[str, list[tuple[str, str]]]:
        """What the two times can be, with the one that stands."""
        return {name: spans(getattr(self, name)) for name in ("least_seconds", "most_seconds")}


def number(given: str) -> int:
    read = whole(given.strip(), 10**9 - 1)
    return -1 if read is None else read


def spans(own: str) -> list[tuple[str, str]]:
    """Seconds with their words."""
    known = {*STEPS, whole(own, 10**6) or STEPS[0]}
    return [(str(seconds), span(seconds)) for seconds in sorted(known)]


def span(seconds: int) -> str:
    told: dict[str, Any]
    for size, words in ((3600, _("%(n)s h")), (60, _("%(n)s min"))):
        if seconds >= size and seconds % size == 0:
            told = {"n": seconds // size}
            return words % told
    return _("%(n)s s") % {"n": seconds}
