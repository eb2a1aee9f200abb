"""What leads do with sources. Each act leaves a Change; what a source brought stays, and so do its runs.

The rights are the caller's to check (`source_for`), but for those that a wish itself asks for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.ingest import pauses
from curation.ingest.health import Condition, health_of
from curation.models import Cursor
from curation.sourcing.values import folded
from curation.sourcing.wishes import FIELDS, Ground, Wish
from regions import operations
from regions.models import Change, Market, Source, SourceExemption, User
from regions.operations import log_change, save_change
from regions.permissions import may, require
from regions.problems import Refusal
from regions.words import unusable

LONGEST_REASON = 200


class ChangedMeanwhile(Refusal):
    """It is not any more as the person saw it."""

    status = HTTPStatus.CONFLICT
    code = "stale_version"
    detail = gettext_lazy("Somebody changed this source meanwhile. Nothing of yours was saved.")


class AccountErased(Refusal):
    """Its account was erased: it stays paused, without a name."""

    status = HTTPStatus.CONFLICT
    code = "account_erased"
    detail = gettext_lazy("The author was erased. Nothing of theirs is read any more.")


def source_for(user: User, home: Market, pk: int, *, change: bool = False, removed: bool = False) -> Source:
    """A source of a market's list; `removed`: one that was taken off it too. Http404 where it is in none of this
    market's; PermissionDenied where it is to be changed and holds for all markets."""
    require(user, "source.edit", home)
    listed = (Source.ever if removed else Source.objects).over_market(home)
    found = listed.select_related("market", "channel__market", "channel__category", "category")
    source = found.filter(pk=pk).first()
    if source is None:
        raise Http404
    if change and not may_change(user, source, home):
        raise PermissionDenied
    return source


def may_change(user: User, source: Source, home: Market) -> bool:
    """Who leads a market changes what is its own; what holds for all is the chief's."""
    return may(user, "source.edit_global" if source.scope == "global" else "source.edit", home)


def add(wish: Wish, home: Market, *, by: User) -> Source:
    """Lists a source. Raises what `Ground.understood` raises."""
    source = Ground(home, by).understood(wish)
    add_many([source], by=by)
    return source


def add_many(sources: Sequence[Source], *, by: User) -> int:
    """Lists sources that were understood, all or none; says how many."""
    for source in sources:
        source.created_by = by
    try:
        with transaction.atomic():
            made = Source.objects.bulk_create(sources)
            Change.objects.bulk_create(change for one in made for change in _changes_of(one, by))
    except IntegrityError as error:
        raise ChangedMeanwhile(_("Somebody listed one of these a moment ago. Check again.")) from error
    return len(made)


def _changes_of(made: Source, by: User) -> Iterator[Change]:
    """That it is listed; and why it is not read, where it comes so."""
    told: dict[str, Any] = {"by": by, "market": market_of(made), "noun": "source", "noun_id": made.pk}
    yield Change(**told, verb="add", after=told_of(made))
    if made.paused_at:
        yield Change(**told, verb="pause", after={"reason": made.paused_reason})


def told_of(source: Source) -> dict[str, object]:
    """What the log keeps of one that comes or goes; a rule that approves by itself is named."""
    told: dict[str, object] = {"kind": source.kind, "value": source.value}
    return told | ({"auto_approve": True} if source.auto_approve else {})


def change(source: Source, wish: Wish, home: Market, *, by: User, now: datetime, seen: int | None = None) -> Source:
    """Makes a source what the wish says. `seen`: the newest Change that the person knew of, so that nobody overwrites
    what they did not see. Raises what `Ground.understood` raises, ChangedMeanwhile, AccountErased."""
    with transaction.atomic():
        stored = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        refuse_erased(stored)
        if seen is not None and seen != newest_change(stored):
            raise ChangedMeanwhile
        wanted = Ground(home, by).understood(wish, stored)
        before = {name: getattr(stored, name) for name in FIELDS if getattr(stored, name) != getattr(wanted, name)}
        if not before:
            return stored
        for name in (*before, "x_id"):
            setattr(stored, name, getattr(wanted, name))
        save_change(stored, before, by=by, market=market_of(stored))
        if "value" in before:
            _begin_anew(stored, before["value"], by=by, now=now)
        elif "most_seconds" in before:
            soonest = now + timedelta(seconds=stored.most_seconds)
            Cursor.objects.free().filter(pk=stored.pk, due_at__gt=soonest).update(due_at=soonest)
    return stored


def _begin_anew(source: Source, value_before: str, *, by: User, now: datetime) -> None:
    """It reads something else from now on. Whoever reads the old is turned away; what X refused of that is over."""
    told = {"due_at": now, "leased": False, "failures": 0}
    if source.kind in (Source.Kind.ACCOUNT, Source.Kind.LIST) and folded(source.kind, value_before) != folded(
        source.kind, source.value
    ):
        told |= {"newest_id": None, "gap_floor_id": None, "gap_until_id": None}
    if health_of([source], now)[source.pk].condition == Condition.REFUSED:
        pauses.resume_source(source, now, by=by)
    Cursor.objects.filter(pk=source.pk).update(**told)


@transaction.atomic
def remove(source: Source, *, by: User, now: datetime) -> None:
    """Takes a source off the list: it is read no more. Its candidates still say what brought them."""
    gone = Source.objects.filter(pk=source.pk).update(removed_at=now)
    if gone:
        Cursor.objects.filter(pk=source.pk).delete()
        log_change(source, "remove", by=by, market=market_of(source), before=told_of(source))


def restore(source: Source, home: Market, *, by: User) -> None:
    """Puts a removed source back as it was; it is read from its beginning. Raises AlreadyListed, ChangedMeanwhile,
    AccountErased."""
    if source.removed_at is None:
        return
    refuse_erased(source)
    Ground(home, by).refuse_if_fed(source)
    try:
        with transaction.atomic():
            if Source.ever.filter(pk=source.pk, removed_at__isnull=False).update(removed_at=None):
                log_change(source, "restore", by=by, market=market_of(source), after=told_of(source))
    except IntegrityError as error:
        raise ChangedMeanwhile(_("Somebody listed one of these a moment ago. Check again.")) from error


def pause(source: Source, reason: str, *, by: User, now: datetime) -> None:
    """Stops reading it until somebody resumes it. Raises AccountErased."""
    refuse_erased(source)
    operations.pause_source(source, reason_in(reason), by=by, now=now)


def resume(source: Source, *, by: User, now: datetime) -> bool:
    """Reads it again, also where X refused it. Whether it was paused. Raises AccountErased."""
    refuse_erased(source)
    return pauses.resume_source(source, now, by=by)


@transaction.atomic
def exempt(source: Source, home: Market, reason: str, *, by: User) -> None:
    """A market does not take over a global source."""
    if source.scope != "global":
        raise Refusal(_("Only what holds for all markets can be left out here."))
    told = {"reason": reason_in(reason), "created_by": by}
    _one, made = SourceExemption.objects.get_or_create(source=source, market=home, defaults=told)
    if made:
        log_change(source, "exempt", by=by, market=home, after={"reason": told["reason"]})


@transaction.atomic
def end_exemption(source: Source, home: Market, *, by: User) -> None:
    """The market takes it over again."""
    found = SourceExemption.objects.filter(source=source, market=home).first()
    if found:
        log_change(source, "end_exemption", by=by, market=home, before={"reason": found.reason})
        found.delete()


def refuse_erased(source: Source) -> None:
    if source.erased:
        raise AccountErased


def newest_change(source: Source) -> int:
    """The id of its newest Change; 0 where nobody changed it."""
    found = Change.objects.filter(noun="source", noun_id=source.pk).order_by("-pk").values_list("pk", flat=True)
    return found.first() or 0


def market_of(source: Source) -> Market | None:
    return source.channel.market if source.channel else source.market


def reason_in(reason: str) -> str:
    """As it is stored. Raises Refusal."""
    words = " ".join(reason.split())
    if not words or len(words) > LONGEST_REASON or unusable(words):
        told = _("Say why, in one line of at most %(n)d characters.") % {"n": LONGEST_REASON}
        raise Refusal(told, field="reason")
    return words
