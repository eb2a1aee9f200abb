"""Markets and categories as data: adding them, changing what they are called, switching them off and on again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models, transaction

from regions.models import Category, Channel, Market, User
from regions.operations import log_change, touch

Noun = TypeVar("Noun", Market, Category)


@transaction.atomic
def add_market(market: Market, categories: Iterable[Category], *, by: User) -> Market:
    """A new market with a channel for each category; its feeds are published with this commit."""
    market.save(force_insert=True)
    log_change(market, "add", by=by, market=market, after=told(market))
    _open_channels([(market, category) for category in categories], by)
    return market


@transaction.atomic
def add_category(category: Category, markets: Iterable[Market], *, by: User) -> Category:
    """A new category, with a channel in each of these markets."""
    category.save(force_insert=True)
    log_change(category, "add", by=by, market=None, after=told(category))
    _open_channels([(market, category) for market in markets], by)
    return category


@transaction.atomic
def change(noun: Noun, wanted: dict[str, Any], *, by: User) -> Noun:
    """Sets fields of a market or a category; the feeds that tell of them are published anew."""
    row = type(noun)._default_manager.select_for_update(no_key=True).get(pk=noun.pk)
    before = {name: getattr(row, name) for name, value in wanted.items() if getattr(row, name) != value}
    if before:
        for name in before:
            setattr(row, name, wanted[name])
        row.save(update_fields=list(before))
        after = {name: wanted[name] for name in before}
        log_change(row, "change", by=by, market=_market(row), before=before, after=after)
        _place(row, before)
        touch(row.channel_set.values_list("pk", flat=True), before)
    return row


@transaction.atomic
def set_categories(market: Market, categories: Iterable[Category], *, by: User) -> None:
    """The categories that a market has from now on: new ones get a channel, others are switched on or off."""
    _set_channels({(market.pk, category.pk): (market, category) for category in categories}, by, market=market)


@transaction.atomic
def set_markets(category: Category, markets: Iterable[Market], *, by: User) -> None:
    """The markets that have a category from now on."""
    _set_channels({(market.pk, category.pk): (market, category) for market in markets}, by, category=category)


@transaction.atomic
def switch(noun: Market | Channel, *, on: bool, by: User) -> None:
    """Off: desk, lists and feeds are gone for everyone; nothing is deleted. On: everything is as it was."""
    rows = type(noun)._default_manager.filter(pk=noun.pk, active=not on)
    if rows.update(active=on):
        channels = [noun.pk] if isinstance(noun, Channel) else noun.channel_set.values_list("pk", flat=True)
        log_change(noun, "switch_on" if on else "switch_off", by=by, market=_market(noun))
        touch(channels, ["active"])


def _set_channels(wanted: dict[tuple[int, int], tuple[Market, Category]], by: User, **where: Any) -> None:
    known = list(Channel.objects.filter(**where).select_related("market", "category").order_by("pk"))
    for channel in known:
        on = wanted.pop((channel.market_id, channel.category_id), None) is not None
        switch(channel, on=on, by=by)
    _open_channels(wanted.values(), by)


def _open_channels(places: Iterable[tuple[Market, Category]], by: User) -> None:
    """Each with the usual settings; in the order of its category. The feed is there when this is committed."""
    made = [Channel(market=market, category=category, position=category.position) for market, category in places]
    for channel in Channel.objects.bulk_create(made):
        log_change(channel, "add", by=by, market=channel.market, after={"category": channel.category.slug})
    touch([channel.pk for channel in made])


def _place(row: models.Model, before: dict[str, Any]) -> None:
    """A category's channels stand where it stands."""
    if isinstance(row, Category) and "position" in before:
        row.channel_set.update(position=row.position)


def _market(noun: models.Model) -> Market | None:
    return noun if isinstance(noun, Market) else getattr(noun, "market", None)


def told(noun: Market | Category) -> dict[str, Any]:
    """What a log keeps of a new market or category."""
    names = ("code", "country", "languages", "time_zone") if isinstance(noun, Market) else ("slug", "position")
    return {name: getattr(noun, name) for name in names} | {"names": noun.names}
