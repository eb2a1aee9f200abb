"""What someone wants listed, understood against what a market has: where it may stand, whether it is there already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from http import HTTPStatus

from django.core.exceptions import PermissionDenied
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from curation.ingest.pauses import feeds
from curation.sourcing.values import folded, normalised
from regions.models import Category, Channel, Market, Source, SourceExemption, User
from regions.permissions import may
from regions.problems import Refusal
from regions.words import in_quotes, unusable

SCOPES = ("channel", "market", "global")
SHORTEST, LONGEST = 10, 86_400  # seconds between readings
LONGEST_NAME = 100


class AlreadyListed(Refusal):
    """`source`: the id of the one that reads it already."""

    status = HTTPStatus.CONFLICT
    code = "already_listed"


class Wrong:
    """Refusals of single fields, so that all are told at once."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []

    @contextmanager
    def told(self) -> Iterator[None]:
        """What is refused within is kept, and what follows goes on."""
        try:
            yield
        except Refusal as refusal:
            self.refusals.append(refusal)

    def at(self, *fields: str) -> bool:
        return any(refusal.field in fields for refusal in self.refusals)

    def end(self) -> None:
        """Raises the first, which holds all as `errors` where there are several."""
        if not self.refusals:
            return
        errors: dict[str, list[str]] = defaultdict(list)
        for refusal in self.refusals:
            errors[refusal.field].append(str(refusal.detail))
        first = self.refusals[0]
        if len(errors) > 1:
            first.more["errors"] = dict(errors)
        raise first


@dataclass(frozen=True)
class Wish:
    """A source as someone asks for it. `category`: its channel's slug, or what a wider scope is kept to."""

    kind: str
    value: str
    scope: str
    category: str = ""
    name: str = ""
    trust: int = 50
    least_seconds: int = 60
    most_seconds: int = 1800
    auto_approve: bool = False


FIELDS = (
    "value", "name", "market", "channel", "category", "trust", "least_seconds", "most_seconds", "auto_approve",
)  # fmt: skip


class Ground:
    """A market with what its list holds, read once for however many wishes."""

    def __init__(self, home: Market, by: User) -> None:
        self.home, self.by = home, by

    @cached_property
    def channels(self) -> dict[str, Channel]:
        """The market's, by category."""
        own = self.home.channel_set.filter(active=True).select_related("market", "category")
        return {channel.category.slug: channel for channel in own}

    @cached_property
    def categories(self) -> dict[str, Category]:
        return {category.slug: category for category in Category.objects.all()}

    @cached_property
    def offered(self) -> dict[str, Category]:
        """The categories that a source of this market can feed."""
        return {slug: channel.category for slug, channel in self.channels.items()}

    @cached_property
    def elsewhere(self) -> dict[str, Category]:
        """Those of other markets alone: for who may list what holds for all."""
        others = {channel.category.slug: channel.category for channel in self.everyones}
        return {slug: one for slug, one in others.items() if slug not in self.offered} if self.everywhere else {}

    @cached_property
    def everywhere(self) -> bool:
        """Whether the person may list what holds for all markets."""
        return may(self.by, "source.edit_global", self.home)

    @cached_property
    def listed(self) -> list[Source]:
        found = Source.objects.over_market(self.home)
        return list(found.select_related("market", "channel__market", "channel__category", "category", "created_by"))

    @cached_property
    def everyones(self) -> list[Channel]:
        """The channels of all markets, as payers come: the first market pays."""
        return list(Channel.objects.active().select_related("market", "category"))

    @cached_property
    def exemptions(self) -> list[SourceExemption]:
        """Of all markets from the sources listed here."""
        found = SourceExemption.objects.filter(source__in=self.listed)
        return list(found.select_related("created_by"))

    @cached_property
    def spared(self) -> set[tuple[int, int]]:
        return {(one.source_id, one.market_id) for one in self.exemptions}

    def reached(self, source: Source) -> list[Channel]:
        """The channels that a source feeds, or would, the paying market's first."""
        return [channel for channel in self.everyones if feeds(source, channel, self.spared)]

    @cached_property
    def _by_value(self) -> dict[tuple[str, str], list[Source]]:
        found: dict[tuple[str, str], list[Source]] = defaultdict(list)
        for source in self.listed:
            found[source.kind, folded(source.kind, source.value)].append(source)
        return found

    def alike(self, source: Source) -> list[Source]:
        """Others that read the same."""
        found = self._by_value.get((source.kind, folded(source.kind, source.value)), [])
        return [one for one in found if one.pk != source.pk]

    def beside(self, source: Source) -> str:
        """Where others read the same, in a sentence; empty where none does. They feed other channels too: what feeds
        all of its own is refused."""
        places = list(dict.fromkeys(place_of(one) for one in self.alike(source)))
        return _("%(where)s reads it already.") % {"where": ", ".join(places)} if places else ""

    def understood(self, wish: Wish, known: Source | None = None) -> Source:
        """The source that the wish would make, or make of a `known` one; nothing is stored.

        Raises BadSource, BadQuery, Refusal with its field (`errors` where several are wrong), AlreadyListed, and
        PermissionDenied."""
        source = Source(pk=known.pk, x_id=known.x_id, created_at=known.created_at) if known else Source()
        wrong = Wrong()
        with wrong.told():
            source.kind = known.kind if known else kind(wish.kind)
            source.value = normalised(source.kind, wish.value)
        if known and folded(source.kind, known.value) != folded(source.kind, source.value):
            source.x_id = ""
        with wrong.told():
            self._place(source, wish)
        self._settings(source, wish, wrong)
        wrong.end()
        self.refuse_if_fed(source)
        if source.scope == "global" and not self.everywhere:
            raise PermissionDenied
        return source

    def _settings(self, source: Source, wish: Wish, wrong: Wrong) -> None:
        with wrong.told():
            source.name = name_in(wish.name)
        with wrong.told():
            source.trust = bounded(wish.trust, 0, 100, "trust")
        for field in ("least_seconds", "most_seconds"):
            with wrong.told():
                setattr(source, field, bounded(getattr(wish, field), SHORTEST, LONGEST, field))
        if source.most_seconds < source.least_seconds and not wrong.at("least_seconds", "most_seconds"):
            wrong.refusals.append(Refusal(_("The longest time is shorter than the shortest."), field="most_seconds"))
        with wrong.told():
            source.auto_approve = self._rule(source, wish) if not wrong.at("name", "kind") else False

    def _place(self, source: Source, wish: Wish) -> None:
        if wish.scope not in SCOPES:
            raise Refusal(_("It holds for a channel, a market or all: channel, market, global."), field="scope")
        category = self.categories.get(wish.category)
        if wish.category and category is None:
            raise Refusal(_("There is no such category."), field="category")
        if wish.scope == "channel":
            channel = self.channels.get(wish.category)
            if channel is None:
                raise Refusal(_("Say which category: one that this market has."), field="category")
            source.channel = channel
            return
        source.category = category
        if wish.scope == "market":
            source.market = self.home

    def _rule(self, source: Source, wish: Wish) -> bool:
        """A rule that approves by itself is for named official accounts alone."""
        if wish.auto_approve and source.kind != Source.Kind.ACCOUNT:
            raise Refusal(_("Only a single account can be approved by itself."), field="auto_approve")
        if wish.auto_approve and not source.name:
            raise Refusal(_("Say whose account it is before it is approved by itself."), field="name")
        return wish.auto_approve

    def refuse_if_fed(self, source: Source) -> None:
        """Where another feeds every channel that this one would. Raises AlreadyListed."""
        alike = self.alike(source)
        if not alike:
            return
        wanted = {channel.pk for channel in self.reached(source)}
        for one in alike:
            same = (one.market_id, one.channel_id) == (source.market_id, source.channel_id)
            if same or wanted <= {channel.pk for channel in self.reached(one)}:
                told = {"what": in_quotes(str(one)), "where": place_of(one)}
                raise AlreadyListed(_("%(what)s stands in the list already: %(where)s.") % told, field="value",
                                    source=one.pk)  # fmt: skip


def kind(given: str) -> str:
    if given not in Source.Kind.values:
        raise Refusal(_("A source is an account, a list, a search or a stream rule: account, list, search, stream."),
                      field="kind")  # fmt: skip
    return given


def name_in(given: str) -> str:
    words = " ".join(given.split())
    if len(words) > LONGEST_NAME or unusable(words):
        raise Refusal(_("A name is one line of at most %(n)d characters.") % {"n": LONGEST_NAME}, field="name")
    return words


def bounded(number: int, least: int, most: int, field: str) -> int:
    if not least <= number <= most:
        raise Refusal(_("From %(least)d to %(most)d.") % {"least": least, "most": most}, field=field)
    return number


ALL_MARKETS = gettext_lazy("Global")
KINDS: dict[str, str | Promise] = {
    Source.Kind.ACCOUNT: pgettext_lazy("kind of source", "Account"),
    Source.Kind.LIST: pgettext_lazy("kind of source", "List"),
    Source.Kind.SEARCH: pgettext_lazy("kind of source", "Search"),
    Source.Kind.STREAM: pgettext_lazy("kind of source", "Stream rule"),
}


def place_of(source: Source) -> str:
    """Where it stands, in words: "DE Politics", "DE", "Global", with the category that it is kept to."""
    if source.channel:
        return str(source.channel)
    where = source.market.code.upper() if source.market else str(ALL_MARKETS)
    return f"{where} · {source.category.name}" if source.category else where
