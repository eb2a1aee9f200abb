"""Blocks to be in words: what one would do, where and until when, and what stands already that is like it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.utils.translation import gettext as _

from curation.matching import Matcher, normalised
from curation.operations.blocking import Entry
from regions.clocks import moment
from regions.models import Block, Channel, Market
from regions.words import in_quotes


@dataclass(frozen=True)
class Telling:
    """What is told of entries before they are laid, as somebody of a market reads it."""

    home: Market
    now: datetime

    @cached_property
    def channels(self) -> dict[int, Channel]:
        return {one.pk: one for one in self.home.channel_set.select_related("category", "market")}

    @cached_property
    def matcher(self) -> Matcher:
        return Matcher.of(self.home)

    def about(self, entry: Entry, *, beside: bool = True) -> str:
        """Effect, scope and end of an entry; `beside`: what stands already that names the same, and who is unknown."""
        ends = (
            _("until %(time)s") % {"time": moment(entry.ends_at, year=True)} if entry.ends_at else _("without an end")
        )
        told = [str(Block.Effect(entry.effect).label), self.place(entry.channel, entry.market), ends]
        return " · ".join([*told, *(self.beside(entry) if beside else ())])

    def beside(self, entry: Entry) -> list[str]:
        """What to know of an entry: blocks that name the same, however it is written; an account that nobody knows."""
        names = {normalised(entry.name.kind, one) for one in (entry.name.value, entry.name.note) if one}
        listed = self.matcher.listed[entry.name.kind]
        found = [block for name in sorted(names) for block in listed.get(name, ())]
        told = [self._stands(one) for one in found if not (one.ends_at and one.ends_at <= self.now)]
        return [*told, _("no post of this account was read so far")] if is_unknown(entry) else told

    def _stands(self, block: Block) -> str:
        channel = self.channels.get(block.channel_id or 0)
        where = self.place(channel, self.home if block.market_id else None)
        told = {"value": in_quotes(block.named), "place": where, "effect": block.get_effect_display()}
        return _("%(value)s stands already: %(place)s, %(effect)s") % told

    def place(self, channel: Channel | None, market: Market | None) -> str:
        """Where a block holds."""
        if channel is not None:
            return str(channel)
        return _("%(code)s, all categories") % {"code": market.code.upper()} if market else _("all markets")


def is_unknown(entry: Entry) -> bool:
    """Whether it names an account by a name that nobody is known by."""
    return entry.name.kind == Block.Kind.AUTHOR and not entry.name.note and not entry.name.value.isdigit()
