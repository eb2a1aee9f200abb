"""What stands beside the list of blocks: a new one, one of them, a list, or what lifting brings back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from curation.blocking.entries import OFFERED
from curation.blocking.lists import BESIDE
from curation.blocking.reach import Trial, taken_by
from curation.blocking.returning import Returning, returning
from curation.history.said import REASON_WORDS
from curation.matching import Matcher
from curation.operations.blocking import RIGHTS
from regions.models import Block, BlockExemption, BlockList, BlockListExemption, Market, User
from regions.permissions import may
from regions.problems import Refusal

MOST_SHOWN = 50


@dataclass
class Panel:
    """What stands beside the list: `sort` is new, block, lift, list, lift_list or new_list. `beside`: what to know of
    the block that was tried; `fit`: the tab and the search that the picked ones are all of."""

    home: Market
    user: User
    now: datetime
    sort: str = "new"
    noun: Any = None
    typed: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None
    trial: Trial | None = None
    tried: str = ""
    beside: Sequence[str] = ()
    picked: Sequence[Block] = ()
    fit: Mapping[str, str] = field(default_factory=dict)

    @property
    def wrong(self) -> str:
        return self.refusal.field if self.refusal else ""

    @property
    def template(self) -> str:
        return f"curation/blocks/_{self.sort}.html"

    @cached_property
    def scopes(self) -> list[tuple[str, str]]:
        """Where this person may block, the market first."""
        channels = self.home.channel_set.filter(active=True).select_related("category")
        code = self.home.code.upper()
        told = [(one.category.slug, f"{code} {one.category.name}") for one in channels]
        if may(self.user, RIGHTS["market"], self.home):
            told.insert(0, ("market", _("%(code)s, all categories") % {"code": code}))
        if may(self.user, RIGHTS["global"], self.home):
            told.append(("global", _("all markets")))
        return told

    @property
    def kinds(self) -> list[tuple[str, Any]]:
        return [(kind.value, kind.label) for kind in Block.Kind]

    @property
    def reasons(self) -> list[tuple[str, Any]]:
        return [(reason, REASON_WORDS[reason]) for reason in OFFERED]

    def said(self, name: str, stored: str) -> str:
        return str(self.typed.get(name) or "") if name in self.typed else stored

    @property
    def kind(self) -> str:
        return self.said("kind", "term")

    @property
    def scope(self) -> str:
        return self.said("scope", self.scopes[0][0] if self.scopes else "")

    @property
    def value(self) -> str:
        return self.said("value", "")

    @property
    def effect(self) -> str:
        return self.said("effect", self.noun.effect if self.sort == "block" else "block")

    @property
    def reason(self) -> str:
        return self.said("reason", self.noun.reason if self.sort == "block" else "other")

    @property
    def note(self) -> str:
        return self.said("note", self.noun.note if self.sort == "block" else "")

    @property
    def ends(self) -> str:
        stored = self.noun.ends_at if self.sort == "block" else None
        zone = ZoneInfo(self.home.time_zone)
        return self.said("ends", stored.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if stored else "")

    @property
    def name(self) -> str:
        return self.said("name", self.noun.name)

    @property
    def purpose(self) -> str:
        return self.said("purpose", self.noun.purpose)

    @property
    def may_edit(self) -> bool:
        return self.noun is None or may(self.user, RIGHTS[self.noun.scope], self.home)

    @property
    def may_exempt(self) -> bool:
        return self.noun.scope == "global" and may(self.user, "block.edit_market", self.home)

    @cached_property
    def exemption(self) -> Any:
        if isinstance(self.noun, BlockList):
            return BlockListExemption.objects.filter(block_list=self.noun, market=self.home).first()
        return BlockExemption.objects.filter(block=self.noun, market=self.home).first()

    @cached_property
    def _all(self) -> list[Block]:
        """The block shown, or all that stand in the list shown."""
        if isinstance(self.noun, BlockList):
            return list(Block.objects.filter(block_list=self.noun, lifted_at=None).select_related(*BESIDE))
        return [self.noun]

    @cached_property
    def freed(self) -> Returning:
        """What exempting the market brings back in it."""
        return returning(self._all, self.now, self.home)

    @cached_property
    def going(self) -> int:
        """How many live posts of the market go at once when its exemption ends."""
        outright = [one for one in self._all if one.effect == Block.Effect.BLOCK]
        channels = self.home.channel_set.values_list("pk", flat=True)
        return len(taken_by(outright, Matcher(outright), channels, self.now)) if outright else 0

    @cached_property
    def back(self) -> Returning:
        """What lifting the picked ones, or the one shown, brings back."""
        return returning(self.picked or [self.noun], self.now)

    @property
    def shown(self) -> list[Any]:
        return list(self.trial.live[:MOST_SHOWN]) if self.trial else []

    @property
    def sample(self) -> list[Any]:
        return list(self.trial.hits[:MOST_SHOWN]) if self.trial else []

    @property
    def hundredths(self) -> int:
        return round(100 * self.trial.share) if self.trial else 0
