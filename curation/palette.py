"""What the palette finds: acts for the current row, places, authors, posts, filters, pages, as far as one may see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import Truncator, capfirst
from django.utils.translation import get_language_info, gettext_lazy
from django.utils.translation import gettext as _

from curation.folding import fold, squeezed
from curation.keyboard import ACTS, bindings, shown
from curation.models import Author, Candidate
from curation.models.candidates import CandidateQuerySet
from curation.narrowing import ALL, LABELS, language_of
from curation.queue import CountedMarket, Place
from curation.x.entities import plain_text
from regions.models import Channel, Market, User
from regions.permissions import may

ROW_ACTS = ("approve", "pin", "block", "block_reason", "schedule", "context", "move", "open", "select")
PAGE_ACTS = ("undo", "history", "help")
COLUMNS = {"live": gettext_lazy("Live"), "phone": gettext_lazy("Phone")}
LANGUAGES = ("de", "en", "nl", "el", "ro", "hr", "tr", "fr", "it", "es", "pl", "ru", "uk", "ar", "bg", "hu", "sr")
LATELY, LIVE = timedelta(days=14), timedelta(hours=48)  # how far back authors' posts count, open and approved
MOST, LOOKED_AT, NAMES = 6, 200, 50
SHORTEST = 3  # letters from which on a word may go on


@dataclass(frozen=True)
class Option:
    """One line. It leads to `url`, or does what the script is told by `act` (of the desk's keys), `row` (jump to a
    candidate's row, if it is there) or `language`, or sends a `theme`; `needs_row` where the act is for the current
    row."""

    label: str
    url: str = ""
    hint: str = ""
    code: str = ""
    count: int | None = None
    key: str = ""
    act: str = ""
    needs_row: bool = False
    row: int = 0
    language: str = ""
    theme: str = ""
    by: Author | None = None


@dataclass(frozen=True)
class Group:
    name: str
    label: str | Promise
    options: Sequence[Option] = field(default_factory=tuple)


@dataclass(frozen=True)
class Asking:
    """Who asks for what, where: `place` is None off the desk; `markets` are one's own, with their counts."""

    user: User
    q: str
    markets: Sequence[CountedMarket]
    place: Place | None
    now: datetime

    @property
    def words(self) -> list[str]:
        return squeezed(self.q).lstrip("@").split()

    @property
    def channels(self) -> list[int]:
        return [part.noun.pk for market in self.markets for part in market.channels]

    def meets(self, *texts: Any) -> bool:
        """Whether each word asked for begins one of the texts' words; no words meet everything."""
        known = [word for text in texts for word in re.split(r"[\s_@-]+", fold(str(text)))]
        return all(any(word.startswith(asked) for word in known) for asked in self.words)


def groups(asking: Asking) -> list[Group]:
    """Those that found something, in the order of the page. Without words: what one needs most.

    Places stand before acts: Enter in haste leads somewhere, it decides nothing."""
    made: list[tuple[str, str | Promise, Callable[[Asking], Iterable[Option]], bool]] = [
        ("places", gettext_lazy("Go to"), places, True),
        ("acts", gettext_lazy("This post"), acts, True),
        ("narrow", gettext_lazy("Show only"), filters, False),
        ("authors", gettext_lazy("Authors"), authors, False),
        ("posts", gettext_lazy("Open posts"), posts, False),
        ("pages", gettext_lazy("Pages and settings"), pages, True),
    ]
    asked = bool(asking.words)
    found = [Group(name, label, list(find(asking))) for name, label, find, always in made if asked or always]
    return [group for group in found if group.options]


def acts(asking: Asking) -> Iterable[Option]:
    """The desk's own, with their keys; the page leaves out those that it cannot do."""
    if asking.place is None or not may(asking.user, "candidate.decide", asking.place.market):
        return
    keys = bindings(asking.user)
    for act in (*ROW_ACTS, *PAGE_ACTS):
        if asking.meets(ACTS[act].label):
            key = shown(keys[act]) if act in keys else ""
            yield Option(capfirst(str(ACTS[act].label)), act=act, key=key, needs_row=act in ROW_ACTS)


def places(asking: Asking) -> Iterable[Option]:
    """Channels and markets, and the columns beside the queue.

    Without words the current market's channels, and the other markets as a whole."""
    here = asking.place.market if asking.place else None
    several = len(asking.markets) > 1
    if asking.place and asking.words:
        for act, label in COLUMNS.items():
            if asking.meets(label):
                yield Option(str(label), hint=name_of(asking.place), act=act)
    for counted in sorted(asking.markets, key=lambda one: one.noun != here):
        market = counted.noun
        named = (market.code, *market.names.values())
        whole = bool(asking.words) or (several and market != here)
        if whole and asking.meets(*named, _("All categories")):
            url = reverse("market-desk", args=[market.code])
            yield Option(market.name, url, hint=_("All categories"), code=market.code, count=counted.waiting)
        for part in counted.channels:
            category = part.noun.category
            if (asking.words or market == here or not several) and asking.meets(*named, *category.names.values()):
                url = reverse("desk", args=[market.code, category.slug])
                yield Option(category.name, url, hint=market.name, code=market.code, count=part.waiting)


def filters(asking: Asking) -> Iterable[Option]:
    """The queue's tabs, and languages by their names."""
    if asking.place is None:
        return
    desk = desk_of(asking.place)
    for mark, label in LABELS.items():
        if mark != ALL and asking.meets(label):
            yield Option(str(label), f"{desk}?show={mark}", hint=name_of(asking.place))
    for code in LANGUAGES:
        if asking.meets(language_of(code)):
            yield Option(language_of(code), f"{desk}?lang={code}", hint=name_of(asking.place))


def authors(asking: Asking) -> list[Option]:
    """Of open or live posts in one's channels: found by @name, or by name among what waits. They lead to the queue
    of that author, of the market one is in where that has some."""
    found = {author.pk: author for author in (*named_so(asking), *writing_so(asking))}
    rows = (
        Candidate.objects.filter(channel__in=asking.channels, tweet__author__in=found)
        .filter(tweet__created_at__gte=asking.now - LATELY)
        .filter(Q(state="pending") | Q(state="approved", approved_at__gte=asking.now - LIVE))
        .order_by()
        .values_list("tweet__author", "channel__market")
        .annotate(open=Count("pk", filter=Q(state="pending", hidden=False)))
    )
    here = asking.place.market.pk if asking.place else 0
    codes = {counted.noun.pk: counted.noun.code for counted in asking.markets}
    best: dict[int, tuple[bool, int, int]] = {}
    for author, market, waiting in rows:
        best[author] = max(best.get(author, (False, -1, 0)), (market == here and waiting > 0, waiting, market))
    ordered = sorted(best, key=lambda pk: (best[pk], found[pk].followers), reverse=True)[:MOST]
    return [author_option(found[pk], codes[best[pk][2]], best[pk][1]) for pk in ordered]


def author_option(author: Author, code: str, waiting: int) -> Option:
    url = f"{reverse('market-desk', args=[code])}?author={author.pk}"
    return Option(author.name or str(author), url, hint=str(author), code=code, count=waiting, by=author)


def named_so(asking: Asking) -> Iterable[Author]:
    """Whose @name begins so."""
    name = asking.q.strip().lstrip("@")
    if len(name) < 2 or " " in name:
        return []
    return Author.objects.filter(username__istartswith=name)[:NAMES]


def writing_so(asking: Asking) -> Iterable[Author]:
    """Those of open posts whose names begin so."""
    rows = beginning(asking, asking.channels).select_related("tweet__author")[:LOOKED_AT]
    people = {row.tweet.author for row in rows if row.tweet.author}
    return [author for author in people if asking.meets(author.name, author.username)]


def posts(asking: Asking) -> list[Option]:
    """Open ones that hold the words, those of the place first, the best first of those looked at."""
    wide = set(asking.channels)
    near = [channel.pk for channel in asking.place.shown] if asking.place else []
    found: list[Candidate] = []
    for channels in (near, sorted(wide - set(near))):
        if channels and len(found) < MOST:
            rows = beginning(asking, channels)[:LOOKED_AT]
            found += sorted(rows, key=lambda row: (-row.rank, -row.pk))[: MOST - len(found)]
    return [post_option(row) for row in found if row.tweet.author]


def post_option(row: Candidate) -> Option:
    author: Any = row.tweet.author
    words = Truncator(" ".join(plain_text(row.tweet.text).split())).chars(110)
    hint = f"{author.name} · {row.channel.category.name}"
    url = reverse("post-log", args=[row.tweet.current_id])
    return Option(words, url, hint=hint, code=row.channel.market.code, row=row.pk, by=author)


def beginning(asking: Asking, channels: Sequence[int]) -> CandidateQuerySet:
    """Open posts that lead their group and hold the words; the last of them may go on."""
    words = re.findall(r"\w+", " ".join(asking.words))
    if not words:
        return Candidate.objects.none()
    last = f"{words[-1]}:*" if len(words[-1]) >= SHORTEST else words[-1]
    asked = SearchQuery(" & ".join([*words[:-1], last]), config="simple", search_type="raw")
    rows = (
        Candidate.objects.filter(channel__in=channels)
        .pending()
        .leading()
        .with_tweets()
        .defer("tweet__raw", "tweet__wire")
    )
    return rows.alias(search=SearchVector("folded", config="simple")).filter(search=asked)


def pages(asking: Asking) -> Iterable[Option]:
    """The house's pages that one may open, and the languages."""
    home = asking.place.market if asking.place else next((one.noun for one in asking.markets), None)
    for label, name, right, more in PAGES:
        if right and not (home and may(asking.user, right, home)):
            continue
        if asking.meets(label, *more):
            told = capfirst(str(label))
            yield Option(told, reverse(name, args=[home.code] if right and home else []), hint=hint_of(right, home))
    if asking.words:
        yield from themes(asking)
        for code, _name in settings.LANGUAGES:
            name = str(get_language_info(code)["name_local"])
            if asking.meets(_("Language"), name, language_of(code)):
                yield Option(capfirst(name), hint=_("Language"), language=code)


def themes(asking: Asking) -> Iterable[Option]:
    """The colours of the house, of which one is chosen for good."""
    for theme in User.Theme:
        if asking.meets(_("Theme"), theme.label):
            yield Option(capfirst(str(theme.label)), hint=_("Theme"), theme=theme)


def hint_of(right: str, home: Market | None) -> str:
    return home.name if right and home else ""


Page = tuple[str | Promise, str, str, tuple[str | Promise, ...]]
PAGES: list[Page] = [  # label, route, the right in the market it is of ("" for none), other words for it
    (gettext_lazy("Home"), "home", "", (gettext_lazy("Markets"),)),
    (gettext_lazy("My decisions"), "my-log", "", (gettext_lazy("Log"),)),
    (gettext_lazy("Log"), "market-log", "log.read", (gettext_lazy("Decisions"),)),
    (gettext_lazy("Feed"), "market-feed", "desk.read", (gettext_lazy("Time machine"), gettext_lazy("Freeze"))),
    (gettext_lazy("Health"), "market-health", "desk.read", (gettext_lazy("Budget"), gettext_lazy("Quarantine"))),
    (gettext_lazy("Sources"), "sources", "source.edit", (gettext_lazy("Lists"), gettext_lazy("Queries"))),
    (gettext_lazy("Blocks"), "blocks", "desk.read", (gettext_lazy("Lists"), gettext_lazy("Term"))),
    (gettext_lazy("People"), "people", "people.edit", (gettext_lazy("Invite somebody"), gettext_lazy("Role"))),
    (gettext_lazy("Settings"), "market-settings", "settings.edit", (gettext_lazy("Budget"), gettext_lazy("Slots"))),
    (gettext_lazy("Add by link"), "link", "candidate.add", ()),
    (gettext_lazy("Erase an author"), "erase", "author.erase", ()),
    (
        gettext_lazy("Profile"),
        "profile",
        "",
        (gettext_lazy("Keys"), gettext_lazy("Theme"), gettext_lazy("Language"), gettext_lazy("Settings")),
    ),
    (gettext_lazy("Passkeys"), "mfa_list_webauthn", "", (gettext_lazy("Second step"),)),
    (gettext_lazy("Log out"), "account_logout", "", ()),
]


def desk_of(place: Place) -> str:
    code = place.market.code
    return reverse("desk", args=[code, place.category]) if place.channel else reverse("market-desk", args=[code])


def name_of(place: Place) -> str:
    channel: Channel | None = place.channel
    return channel.category.name if channel else place.market.name
