"""Blocks as people and programs write them: fields of a form, of a sheet's row, of a body, made into entries."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.access import channel_of
from curation.blocking.telling import Telling
from curation.forms import moment
from curation.operations.blocking import NOT_OF_A_BLOCK, Entry, check_entry, may_lay
from curation.operations.laying import unlisted
from curation.operations.naming import DOMAIN, POST, PROFILE, Accounts, BadBlock, name_of
from curation.transitions import REASONS
from regions import sheets
from regions.clocks import instant
from regions.models import Block, BlockList, Market, User
from regions.problems import Refusal
from regions.views.bringing import Brought

COLUMNS = ("value", "kind", "effect", "scope", "reason", "note", "ends")
HELP = (
    ("value", gettext_lazy("An author's @name, a word, a domain or a #hashtag. Alone in a line, or a column.")),
    ("kind", gettext_lazy("author, term, domain, hashtag or tweet. Without it: as the value looks.")),
    ("effect", gettext_lazy("block or hold. Without it: block.")),
    ("scope", gettext_lazy("market, global, or a category such as politics. Without it: market.")),
    ("reason", gettext_lazy("off_topic, duplicate, spam, hate, false, legal, personal or other.")),
    ("note", gettext_lazy("A line for colleagues.")),
    ("ends", gettext_lazy("When it ends by itself, such as 2026-12-31 18:00 or 31.12.2026, by the market's clock.")),
)
OFFERED = tuple(reason for reason in REASONS if reason not in NOT_OF_A_BLOCK)
DEFAULT_SCOPE = "market"
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
WRITTEN = re.compile(r"(\d{1,2})[./-] ?(\d{1,2})[./-] ?(\d{4})\.?(?:,? +(\d{1,2})(:\d{2}(?::\d{2})?))?", re.ASCII)
LAST_MINUTE = "23:59"


def kind_of(value: str) -> str:
    """What kind a value looks like."""
    value = value.strip()
    if POST.match(value):
        return str(Block.Kind.TWEET)
    if value.startswith("@") or PROFILE.fullmatch(value):
        return str(Block.Kind.AUTHOR)
    if value.startswith(("#", "＃")):
        return str(Block.Kind.HASHTAG)
    bare = value.lower().removeprefix("https://").removeprefix("http://").partition("/")[0]
    return str(Block.Kind.DOMAIN if DOMAIN.fullmatch(bare) else Block.Kind.TERM)


def entry_of(
    told: Mapping[str, Any],
    home: Market,
    *,
    accounts: Accounts | None = None,
    block_list: BlockList | None = None,
) -> Entry:
    """An entry from what was written in a market: value, kind, effect, scope, reason, note, ends.

    Raises Refusals with the field; whether one may lay it is asked by `checked`."""
    value = str(told.get("value") or "")
    if not value.strip():
        raise BadBlock(_("Say what is to be blocked."), field="value")
    kind = str(told.get("kind") or "").strip().lower() or kind_of(value)
    name = name_of(kind, value, accounts=accounts)
    if block_list is not None:
        channel, market = block_list.channel, block_list.market
    else:
        scope = str(told.get("scope") or "").strip().lower() or DEFAULT_SCOPE
        channel, market = None, home if scope in (DEFAULT_SCOPE, home.code) else None
        if scope not in (DEFAULT_SCOPE, home.code, "global"):
            try:
                channel = channel_of(home, scope)
            except Refusal as refusal:
                raise Refusal(refusal.detail, field="scope") from None
    return Entry(
        name,
        channel,
        market,
        str(told.get("effect") or "").strip().lower() or str(Block.Effect.BLOCK),
        str(told.get("reason") or "").strip().lower() or "other",
        str(told.get("note") or "").strip(),
        ends_of(told.get("ends"), home),
        block_list,
    )


def ends_of(told: Any, home: Market) -> datetime | None:
    """When a block ends, by the market's clock where no zone is told; None for never. A day alone is meant to its end.
    Raises BadTime."""
    at = told if isinstance(told, datetime) else moment(as_iso(str(told or "").strip()), "ends")
    return instant(home, at, field="ends") if at else None


def as_iso(told: str) -> str:
    """A time as spreadsheets of our countries write it, the day first; anything else as it is."""
    if DAY.fullmatch(told):
        return f"{told}T{LAST_MINUTE}"
    found = WRITTEN.fullmatch(told)
    if found is None:
        return told
    day, month, year, hour, minutes = found.groups()
    time = f"{hour:0>2}{minutes}" if hour else LAST_MINUTE
    return f"{year}-{month:0>2}-{day:0>2}T{time}"


def checked(entry: Entry, by: User, now: datetime) -> Entry:
    """The entry, if one may lay it. Raises ScopeForbidden, NotAllowed, BadWords, BadWindow with the field."""
    may_lay(by, entry.channel, entry.market)
    try:
        check_entry(entry, now)
    except Refusal as refusal:
        refusal.field = {"ends_at": "ends"}.get(refusal.field, refusal.field)
        raise
    return entry


def fingerprint(entry: Entry) -> str:
    """What a dry run was of: any other block has to be tried anew."""
    told = (entry.name.kind, entry.name.value, entry.effect, entry.channel and entry.channel.pk, entry.market
            and entry.market.pk)  # fmt: skip
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def brought(
    rows: Sequence[sheets.Row], home: Market, by: User, now: datetime, block_list: BlockList | None = None
) -> list[Brought]:
    """What each row of a sheet is: a new block, one that stands already, or wrong."""
    names = [row.cells.get("value", "") for row in rows]
    accounts = Accounts(names)
    found: list[Brought] = []
    for row in rows:
        words = row.cells.get("value", "")
        try:
            entry = checked(entry_of(row.cells, home, accounts=accounts, block_list=block_list), by, now)
            found.append(Brought(row, f"{Block.Kind(entry.name.kind).label}: {words}", entry))
        except Refusal as refusal:
            found.append(Brought(row, words, refusal=str(refusal.detail)))
    fresh = {id(entry) for entry in unlisted([one.entry for one in found if one.entry])}
    telling = Telling(home, now)
    return [told_of(one, one.entry and id(one.entry) in fresh, telling) if one.entry else one for one in found]


def told_of(row: Brought, fresh: bool, telling: Telling) -> Brought:
    """A row with what it would be."""
    return replace(row, known=not fresh, about=telling.about(row.entry, beside=fresh))


def rows_of(blocks: Iterable[Block], home: Market) -> Iterable[tuple[Any, ...]]:
    """Blocks as rows of a sheet that `brought` reads again."""
    for block in blocks:
        scope = block.channel.category.slug if block.channel else block.scope
        value = block.named
        note = block.note.removeprefix(block.named).strip() if value.startswith("@") else block.note
        ends = block.ends_at.isoformat(timespec="minutes") if block.ends_at else ""
        yield value, block.kind, block.effect, scope, block.reason, note, ends
