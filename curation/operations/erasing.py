"""Erases one author, on request: whatever can be read of them goes; ids, decisions and a tombstone stay."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from django.db.models import Count, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat
from django.utils.translation import gettext as _

from curation.models import Author, Candidate, Cursor, IngestRun, Quarantined, Tweet
from curation.operations.errors import NotAnId, SeveralAuthors, UnknownAuthor
from curation.operations.following import Followed, withdraw
from curation.operations.record import one_transaction
from curation.tombstones import bury
from regions.models import Block, Change, Channel, Source, SourceExemption, User
from regions.models.lists import ERASED
from regions.numbers import whole
from regions.operations import pause_source, rename_in_admin

log = structlog.get_logger(__name__)
BATCH = 500
LEFT_BLANK = "[erased]"
WORD = r"(^|[^A-Za-z0-9_])(%s)($|[^A-Za-z0-9_])"  # X's usernames are of these letters


@dataclass(frozen=True)
class Erasure:
    """What is known of an author, before or after. `live`: how many posts are approved, by channel. `names`: by which
    the account is or was known here.

    `sources` are the author's own, which are paused; `blocks` name the author and go on by id; `mentions` are
    queries and words of lists that hold the name: a person must look at those. `withdrawn` counts candidates."""

    x_id: int
    username: str = ""
    names: list[str] = field(default_factory=list)
    posts: int = 0
    live: dict[Channel, int] = field(default_factory=dict)
    sources: list[Source] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    mentions: list[Source | Block] = field(default_factory=list)
    withdrawn: int = 0


def preview_erasure(author: str | int) -> Erasure:
    """What erasing would take away. By X's id, also one never seen, or by the username of a known author.

    Raises UnknownAuthor, SeveralAuthors, NotAnId."""
    return _known(_found(author))


def erase_author(author: str | int, *, by: User | None, now: datetime) -> Erasure:
    """Erases an author, as in preview_erasure; gives what was erased. Safe to repeat, by id, if it was broken off.

    First the tombstone: from its commit on nothing of theirs is stored. Then the posts, live ones first, in batches;
    then the rest in one transaction."""
    x_id = _found(author)
    found = _known(x_id)
    with one_transaction():
        bury(x_id)
    withdrawn = sum(followed.withdrawn for followed in _withdrawn(x_id, now))
    with one_transaction():
        _forget(found, by, now)
    log.warning("author_erased", posts=found.posts, candidates=withdrawn)
    return Erasure(**vars(found) | {"withdrawn": withdrawn})


def _found(author: str | int) -> int:
    given = str(author).strip().lstrip("@")
    if given.isascii() and given.isdigit():
        if not (x_id := whole(given)):
            raise NotAnId(field="author")
        return x_id
    ids = list(Author.objects.filter(username__iexact=given).values_list("pk", flat=True)) if given else []
    if not ids:
        raise UnknownAuthor(field="author")
    if len(ids) > 1:
        told = _("Several accounts had this name: %(ids)s. Give the id.") % {"ids": ", ".join(map(str, ids))}
        raise SeveralAuthors(told, field="author")
    return ids[0]


def _known(x_id: int) -> Erasure:
    author = Author.objects.filter(pk=x_id).first()
    name = author.username if author else ""
    names = _names(x_id, name)
    by_id = Q(x_id=str(x_id)) | Q(value=str(x_id))
    noted = Q(value=str(x_id), note__startswith="@")  # by its number, with the name that it had then beside it
    sources = list(Source.ever.filter(by_id | _named(names), kind=Source.Kind.ACCOUNT).order_by("pk"))
    blocks = list(Block.objects.filter(_named(names) | noted, kind=Block.Kind.AUTHOR).order_by("pk"))
    approved = Candidate.objects.approved().filter(tweet__author=x_id).values_list("channel").annotate(n=Count("pk"))
    counts = dict(approved.order_by("channel"))
    channels = Channel.objects.select_related("market", "category").in_bulk(counts)
    return Erasure(
        x_id=x_id,
        username=name,
        names=names,
        posts=Tweet.objects.filter(author=x_id).count(),
        live={channels[pk]: count for pk, count in counts.items()},
        sources=sources,
        blocks=blocks,
        mentions=list(_mentions(names, sources, blocks)),
    )


def _names(x_id: int, username: str) -> list[str]:
    """The author's username, and those by which sources of the account were listed."""
    listed = Source.ever.filter(kind=Source.Kind.ACCOUNT, x_id=str(x_id)).values_list("value", flat=True)
    names = {username, *(value.strip().lstrip("@") for value in listed)}
    return sorted(name for name in names if name and not name.isdigit())


def _named(names: list[str]) -> Q:
    """Lists name an account with or without @, in any case."""
    return Q(value__iregex=rf"^\s*@?({_any_of(names)})\s*$") if names else Q(pk__in=[])


def _mentions(names: list[str], sources: list[Source], blocks: list[Block]) -> Iterator[Source | Block]:
    """Queries, rules and words that hold the name: no machine can tell what is meant."""
    if not names:
        return
    word = WORD % _any_of(names)
    held = Q(value__iregex=word)
    yield from Source.objects.filter(held | Q(name__iregex=word)).exclude(pk__in=[one.pk for one in sources])
    yield from Block.objects.filter(held | Q(note__iregex=word)).exclude(pk__in=[one.pk for one in blocks])


def _any_of(names: list[str]) -> str:
    return "|".join(map(re.escape, names))


def _withdrawn(x_id: int, now: datetime) -> Iterator[Followed]:
    """Emptied tweets have no author, so every turn takes the next ones."""
    for theirs in (Tweet.objects.filter(author=x_id, candidate__state="approved"), Tweet.objects.filter(author=x_id)):
        while ids := list(theirs.distinct().values_list("pk", flat=True)[:BATCH]):
            yield withdraw(ids, cause=Tweet.Gone.ERASED, now=now)


def _forget(found: Erasure, by: User | None, now: datetime) -> None:
    list(Author.objects.filter(pk=found.x_id).select_for_update())
    Author.objects.filter(pk=found.x_id).delete()
    _quarantined(found).delete()
    for source in found.sources:
        _close(source, found, by, now)
    for block in found.blocks:
        _rename(block, found)
    _blank(_other_lines(found), [*found.names, str(found.x_id)])
    _blank(Change.objects.filter(noun="block", noun_id__in=[one.pk for one in found.blocks]), found.names)
    rename_in_admin([*found.sources, *found.blocks], LEFT_BLANK)
    told = {"posts": found.posts, "sources": [one.pk for one in found.sources]}
    Change.objects.create(by=by, at=now, noun="author", noun_id=0, verb="erase", after=told)


def _quarantined(found: Erasure) -> QuerySet[Quarantined]:
    """Payloads that hold the id or the name anywhere: rather one too many."""
    as_text = Concat(Cast("payload", TextField()), Value(" ", TextField()), Cast("beside", TextField()))
    word = WORD % _any_of([str(found.x_id), *found.names])
    return Quarantined.objects.alias(as_text=as_text).filter(as_text__iregex=word)


def _close(source: Source, found: Erasure, by: User | None, now: datetime) -> None:
    """Paused for good, without name and number; what its runs, its log and exemptions said of the account goes.

    Its cursor goes first: who reads it just now has lost the lease, and stores neither number nor cause."""
    Cursor.objects.filter(source=source).delete()
    words = [*found.names, str(found.x_id), *filter(None, [source.name])]
    IngestRun.objects.filter(source=source, error__iregex=WORD % _any_of(words)).update(error=LEFT_BLANK)
    _blank(Change.objects.filter(noun="source", noun_id=source.pk), words, wholly=("name", "value"))
    for exemption in SourceExemption.objects.filter(source=source):
        exemption.reason = without(words, exemption.reason)[:200]
        exemption.save(update_fields=["reason"])
    source.value, source.name, source.x_id, source.auto_approve = f"{ERASED}{source.pk}", "", "", False
    source.save(update_fields=["value", "name", "x_id", "auto_approve"])
    pause_source(source, _("The author was erased. Nothing of theirs is read any more."), by=by, now=now)


def _rename(block: Block, found: Erasure) -> None:
    """It goes on by X's id; where one by id stands already in the same place, that one does, and this is lifted."""
    twins = Block.objects.filter(
        kind=block.kind, value=str(found.x_id), market=block.market_id, channel=block.channel_id,
        block_list=block.block_list_id, effect=block.effect, ends_at=block.ends_at, lifted_at=None,
    )  # fmt: skip
    if block.lifted_at is None and twins.exclude(pk=block.pk).exists():
        block.lifted_at = block.updated_at
    note = re.sub(r"^@\w+", LEFT_BLANK, block.note)
    block.value, block.note = str(found.x_id), without(found.names, note)
    block.save()


def _other_lines(found: Erasure) -> QuerySet[Change]:
    """Lines of sources that read the account once, and read another now."""
    account = rf"^\s*@?({_any_of([*found.names, str(found.x_id)])})\s*$"
    held = Q(before__value__iregex=account) | Q(after__value__iregex=account)
    return Change.objects.filter(held, noun="source")


def _blank(changes: QuerySet[Change], words: list[str], wholly: Iterable[str] = ()) -> None:
    """What the lists' log holds of the name, or the number. `wholly`: fields of which nothing is left."""
    for change in changes:
        for state in (change.before, change.after):
            state |= without_in(words, state) | {name: LEFT_BLANK for name in wholly if state.get(name)}
        change.save(update_fields=["before", "after"])


def without_in(names: list[str], state: dict[str, Any]) -> dict[str, Any]:
    return {key: without(names, value) if isinstance(value, str) else value for key, value in state.items()}


def without(names: list[str], words: str) -> str:
    """The words with the names blanked, whole words in any case."""
    pattern = rf"(?<![A-Za-z0-9_])@?({_any_of(names)})(?![A-Za-z0-9_])"
    return re.sub(pattern, LEFT_BLANK, words, flags=re.IGNORECASE) if names else words
