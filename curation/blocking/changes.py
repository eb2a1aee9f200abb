"""The log of a market's blocks, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from curation.history.said import REASON_WORDS
from regions.models import Block, Change


@dataclass(frozen=True)
class Told:
    """One change as leads read it; `by` is empty for the system."""

    sentence: str
    by: str
    at: datetime


def told_of(changes: Iterable[Change]) -> list[Told]:
    rows = list(changes)
    named = {one.pk: one.named for one in Block.objects.filter(pk__in=[c.noun_id for c in rows if c.noun == "block"])}
    return [Told(sentence_of(one, named), one.by.shown_name if one.by else "", one.at) for one in rows]


def sentence_of(change: Change, named: dict[int, str]) -> str:
    """What happened to which block or list."""
    before, after = change.before, change.after
    count = int(after.get("count") or 0)
    told = {
        "name": named.get(change.noun_id) or after.get("name") or before.get("value") or _("a list"),
        "reason": after.get("reason") or before.get("reason") or "",
        "n": count,
        "what": "; ".join(_differences(before, after)),
    }
    sentences = {
        "add": _("%(name)s listed"),
        "bring": ngettext("%(n)d block brought", "%(n)d blocks brought", count),
        "lift": _("%(name)s lifted"),
        "lay_again": _("%(name)s listed again"),
        "change": _("%(name)s changed: %(what)s"),
        "exempt": _("Exempted from %(name)s: %(reason)s"),
        "end_exemption": _("%(name)s holds again"),
    }
    return sentences.get(change.verb, change.verb) % told


def _differences(before: dict[str, str], after: dict[str, str]) -> Iterable[str]:
    words: dict[str, dict[str, Any]] = {"effect": dict(Block.Effect.choices), "reason": REASON_WORDS}
    for name, was in before.items():
        is_now = after.get(name, "")
        if was != is_now:
            known = words.get(name, {})
            yield f"{known.get(was, was) or '–'} → {known.get(is_now, is_now) or '–'}"
