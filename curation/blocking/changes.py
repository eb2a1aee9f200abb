"""The log of a market's blocks, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from curation.history.said import REASON_WORDS
from curation.models import Act, Enforcement, Verb
from curation.operations.undoing import UNDOABLE_FOR
from regions.clocks import moment
from regions.models import Block, BlockList, Change


@dataclass(frozen=True)
class Told:
    """One change as leads read it; `by` is empty for the system, `undo` the address that takes many back."""

    sentence: str
    by: str
    at: datetime
    undo: str = ""


def told_of(changes: Iterable[Change]) -> list[Told]:
    rows = list(changes)
    blocks = Block.objects.filter(pk__in=[one.noun_id for one in rows if one.noun == "block"])
    lists = BlockList.objects.filter(pk__in=[one.noun_id for one in rows if one.noun == "blocklist"])
    named = {("block", one.pk): one.named for one in blocks} | {("blocklist", one.pk): one.name for one in lists}
    undoable = undoable_of(rows)
    return [
        Told(sentence_of(one, named), one.by.shown_name if one.by else "", one.at, undoable.get(one.pk, ""))
        for one in rows
    ]


def undoable_of(changes: Iterable[Change]) -> dict[int, str]:
    """Where what was brought at once is taken back, while something of it stands and its time is not over."""
    acts = {one.pk: one.after["act"] for one in changes if one.after.get("act")}
    if not acts:
        return {}
    young = Act.objects.filter(pk__in=acts.values(), at__gt=timezone.now() - UNDOABLE_FOR)
    stands = Enforcement.objects.filter(act=OuterRef("pk"), verb=Verb.BLOCK, block__lifted_at=None)
    standing = set(young.filter(Exists(stands)).values_list("pk", flat=True))
    return {pk: reverse("undo-act", args=[act]) for pk, act in acts.items() if act in standing}


def sentence_of(change: Change, named: dict[tuple[str, int], str]) -> str:
    """What happened to which block or list."""
    before, after = change.before, change.after
    count = int(after.get("count") or 0)
    told = {
        "name": named.get((change.noun, change.noun_id)) or after.get("name") or before.get("value") or _("a list"),
        "reason": after.get("reason") or before.get("reason") or "",
        "n": count,
        "what": "; ".join(_differences(before, after)),
        "before": before.get("name", ""),
        "time": _moment(after.get("ends_at")),
    }
    sentences = {
        "add": _("%(name)s listed"),
        "bring": ngettext("%(n)d block brought", "%(n)d blocks brought", count),
        "lift": _("%(name)s lifted"),
        "lay_again": _("%(name)s listed again"),
        "change": _("%(name)s changed: %(what)s"),
        "exempt": _("Exempted from %(name)s: %(reason)s"),
        "rename": _("%(name)s has another purpose")
        if before.get("name") == after.get("name")
        else _("%(name)s renamed, formerly %(before)s"),
        "end": _("All of %(name)s ends on %(time)s") if after.get("ends_at") else _("All of %(name)s ends never"),
        "end_exemption": _("%(name)s holds again"),
    }
    return sentences.get(change.verb, change.verb) % told


def _moment(told: str | None) -> str:
    at = parse_datetime(told) if told else None
    return moment(at, year=True) if at else ""


def _differences(before: dict[str, str], after: dict[str, str]) -> Iterable[str]:
    words: dict[str, dict[str, Any]] = {"effect": dict(Block.Effect.choices), "reason": REASON_WORDS}
    for name, was in before.items():
        is_now = after.get(name, "")
        if was != is_now:
            known = words.get(name, {})
            yield f"{known.get(was, was) or '–'} → {known.get(is_now, is_now) or '–'}"
