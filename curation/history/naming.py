"""Blocks and what they did, by names that people know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from curation.models import Author, Decision, Verb
from regions.models import Block
from regions.numbers import BIGGEST
from regions.words import in_quotes


def usernames(blocks: Iterable[Block]) -> dict[str, str]:
    """The usernames of the authors that blocks name by X's number, by that number: one query, none without any."""
    values = {block.value for block in blocks if block.kind == Block.Kind.AUTHOR and block.value.isdecimal()}
    numbers = [number for value in values if (number := int(value)) <= BIGGEST]
    found = Author.objects.filter(pk__in=numbers).exclude(username="") if numbers else []
    return {str(author.pk): author.username for author in found}


def block_words(block: Block, names: Mapping[str, str]) -> str:
    """A block by its kind and value, and its list where it stands in one. `names`: of `usernames`."""
    led = f" · {block.block_list}" if block.block_list else ""
    known = names.get(block.value) if block.kind == Block.Kind.AUTHOR else None
    return f"{block.get_kind_display()} {in_quotes(f'@{known}' if known else block.value)}{led}"


def through(decision: Decision) -> str:
    """Whose act the system followed, in words; empty for what a person or the system alone decided."""
    if decision.by_id or not decision.act.by:
        return ""
    who = {"who": decision.act.by.shown_name}
    laid = decision.verb == Verb.BLOCK or (decision.verb == Verb.HOLD and decision.after["held"])
    return _("by a block of %(who)s") % who if laid else _("as %(who)s lifted a block") % who
