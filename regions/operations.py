"""Plain acts on lists and people. Each leaves a Change: who, what, before and after."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from regions.models import Category, Change, Channel, Market, Membership, Role, Source, User
from regions.signals import channel_changed


def log_change(
    noun: models.Model,
    verb: str,
    *,
    by: User | None,
    market: Market | None,
    before: Any = None,
    after: Any = None,
) -> Change:
    """One line of the lists' log, in the caller's transaction."""
    name = noun._meta.model_name or ""
    return Change.objects.create(
        by=by, market=market, noun=name, noun_id=noun.pk, verb=verb, before=before or {}, after=after or {}
    )


def rename_in_admin(rows: Iterable[models.Model], name: str) -> None:
    """What the admin's own log calls these rows from now on: it keeps what they were called when they were edited."""
    for row in rows:
        kind = ContentType.objects.get_for_model(row)
        LogEntry.objects.filter(content_type=kind, object_id=str(row.pk)).update(object_repr=name)


@transaction.atomic
def touch(channel_ids: Iterable[int], settings: Iterable[str] = ()) -> None:
    """Raises the revision of channels whose feed changes for another reason than a decision, and says so.

    `settings`: names of those that were changed."""
    ids = sorted(set(channel_ids))
    if ids:
        list(Channel.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk"))
        Channel.objects.filter(pk__in=ids).update(revision=models.F("revision") + 1)
        channel_changed.send(sender=Channel, channels=ids, settings=frozenset(settings))


@transaction.atomic
def save_change(
    noun: models.Model, before: dict[str, Any], *, by: User | None, market: Market | None, channels: Iterable[int] = ()
) -> None:
    """Saves what someone changed on a market, category, channel or source; `before` holds the changed fields.

    The channels whose feeds it shapes are touched, so that they are published anew."""
    noun.save()
    after = {name: str(getattr(noun, name)) for name in before}
    told = {name: str(value) for name, value in before.items()}
    log_change(noun, "change", by=by, market=market, before=told, after=after)
    touch(channels, before)


@transaction.atomic
def give_role(user: User, market: Market, role: Role, *, by: User | None) -> Membership:
    """Makes someone viewer, editor or lead of a market, whatever they were before; it is theirs by hand then."""
    held = Membership.objects.select_for_update().filter(user=user, market=market).first()
    if held is not None and held.role == role and not held.from_group:
        return held
    before = {"role": held.role} if held else {}
    given = {"role": role, "from_group": False, "by_hand": ""}
    membership, _made = Membership.objects.update_or_create(user=user, market=market, defaults=given)
    log_change(membership, "give_role", by=by, market=market, before=before, after={"role": role, "user": user.pk})
    return membership


@transaction.atomic
def take_role(membership: Membership, *, by: User | None) -> None:
    """Ends someone's membership; it works at their next request."""
    before = {"role": membership.role, "user": membership.user_id}
    log_change(membership, "take_role", by=by, market=membership.market, before=before)
    membership.delete()


@transaction.atomic
def add_source(
    kind: str,
    value: str,
    *,
    by: User | None,
    channel: Channel | None = None,
    market: Market | None = None,
    category: Category | None = None,
    **settings: Any,
) -> Source:
    """Lists a source of a channel, a market, or all; one that is listed already stays as it is."""
    source, made = Source.objects.get_or_create(
        kind=kind,
        value=value,
        channel=channel,
        market=market,
        defaults={"category": category, "created_by": by} | settings,
    )
    if made:
        payer = channel.market if channel else market
        log_change(source, "add", by=by, market=payer, after={"kind": kind, "value": value})
    return source


@transaction.atomic
def pause_source(source: Source, reason: str, *, by: User | None, now: Any, until: Any = None) -> None:
    """Stops reading a source, until a time where given; `reason` is what its lead reads."""
    Source.ever.filter(pk=source.pk).update(paused_at=now, paused_until=until, paused_reason=reason)
    market = source.channel.market if source.channel else source.market
    log_change(source, "pause", by=by, market=market, after={"reason": reason})
