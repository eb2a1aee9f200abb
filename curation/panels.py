"""What the panels of the verbs show: in the row of one candidate, or in the bar for the selected ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from curation.blocking.reach import Reach, sum_of, would_hit
from curation.cards import Card
from curation.history.said import REASON_WORDS
from curation.matching import host_of, normalised
from curation.models import Candidate, Decision, Tweet, Verb
from curation.operations.blocking import RIGHTS, Entry
from curation.operations.naming import BadBlock, name_of
from curation.operations.wishes import LONGEST
from curation.queue import Place, counted
from curation.transitions import REASONS
from regions import clocks
from regions.models import Block, Channel, Market, User
from regions.permissions import may
from regions.words import isolated

TITLES = {
    Verb.BLOCK: gettext_lazy("Why block it?"),
    Verb.PIN: gettext_lazy("Pin at which slot?"),
    Verb.SCHEDULE: gettext_lazy("When is it shown?"),
    Verb.ANNOTATE: gettext_lazy("Your words beside the post"),
    Verb.MOVE: gettext_lazy("Move to which category?"),
    Verb.OFFER: gettext_lazy("Offer to which market?"),
    Verb.APPROVE: gettext_lazy("A similar one is live"),
}
PRESSES = {
    Verb.BLOCK: gettext_lazy("Block"),
    Verb.PIN: gettext_lazy("Pin"),
    Verb.SCHEDULE: gettext_lazy("Schedule"),
    Verb.ANNOTATE: gettext_lazy("Save"),
    Verb.OFFER: gettext_lazy("Offer"),
    Verb.APPROVE: gettext_lazy("Approve beside it"),
}
FIELDS: dict[str, tuple[str, ...]] = {
    Verb.BLOCK: ("reason", "also", "note"),
    Verb.PIN: ("slot", "until"),
    Verb.SCHEDULE: ("go_live_at", "expire_at"),
    Verb.ANNOTATE: ("context", "label"),
    Verb.MOVE: ("category",),
    Verb.OFFER: ("market", "note"),
    Verb.APPROVE: (),
}
FOR_MANY = (Verb.BLOCK, Verb.SCHEDULE, Verb.MOVE)
STAYING = (Verb.ANNOTATE, Verb.OFFER)  # after which the row waits as before
ADVERTISING = {"de": "Anzeige", "nl": "Advertentie", "el": "Διαφήμιση", "ro": "Publicitate", "hr": "Oglas"}
MOST_BOXES = 6  # of a kind: domains, hashtags
MOST_NAMED = 3
RECENT = 200
LABELS = 4
Typed = Mapping[str, Any]


@dataclass(frozen=True)
class Box:
    """Something of a post that can be blocked beside it: "kind::value" as the form sends it."""

    value: str
    words: str


@dataclass(frozen=True)
class Choice:
    """One of what a panel lets choose. `beside` stands with it in grey, `digit` is its key."""

    value: str
    words: Any
    beside: Any = ""
    digit: str = ""


@dataclass
class Panel:
    """The form of one verb. `typed` is what was sent and refused; `refusal` says why.

    `cards`: the one it stands in, or the selected ones, with the versions that were `seen`."""

    verb: str
    place: Place
    user: User
    cards: Sequence[Card]
    many: bool = False
    typed: Typed = field(default_factory=dict)
    refusal: Any = None
    seen: Mapping[int, int] = field(default_factory=dict)
    now: datetime = field(default_factory=timezone.now)

    @property
    def card(self) -> Card:
        return self.cards[0]

    @property
    def candidate(self) -> Candidate:
        return self.card.candidate

    @property
    def channel(self) -> Channel:
        return self.candidate.channel

    @property
    def market(self) -> Market:
        return self.place.market

    @property
    def ident(self) -> str:
        """What the ids of its fields end with."""
        return "many" if self.many else str(self.candidate.pk)

    @property
    def title(self) -> Any:
        return _("Why block them?") if self.many and self.verb == Verb.BLOCK else TITLES[Verb(self.verb)]

    @property
    def press(self) -> Any:
        """The words on its button; empty where each choice is one."""
        words = PRESSES.get(Verb(self.verb), "")
        return f"{words} ({len(self.cards)})" if words and self.many else words

    @property
    def stays(self) -> bool:
        return self.verb in STAYING

    @property
    def template(self) -> str:
        return f"curation/panel/{self.verb}.html"

    @property
    def wrong(self) -> str:
        """The field that was refused; empty for none in particular."""
        return str(self.refusal.field) if self.refusal else ""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that can say what is wrong with them; for any other the form says it."""
        return FIELDS[Verb(self.verb)]

    @property
    def longest(self) -> dict[str, int]:
        return LONGEST

    def said(self, name: str, stored: Any = "") -> Any:
        """What was typed, else what is stored."""
        return self.typed.get(name, "") if self.typed else stored

    # --- block ---

    @cached_property
    def reasons(self) -> list[Choice]:
        """Those that the channel offers, else all; "not chosen" is the key without a panel."""
        offered = self.channel.reasons if not self.many else []
        known = [reason for reason in REASONS[1:] if not offered or reason in offered] or REASONS[1:]
        return [Choice(reason, REASON_WORDS[reason], digit=str(n)) for n, reason in enumerate(known, 1)]

    @property
    def reason(self) -> str:
        return str(self.said("reason"))

    @property
    def note(self) -> str:
        return str(self.said("note"))

    @cached_property
    def boxes(self) -> list[Box]:
        """What of the post can be blocked beside it: its author, domains, hashtags. Of several all authors, and the
        domains and hashtags that more than one of them has."""
        if not self.many:
            return boxes_of(self.card.tweet)
        authors = [Box("author::", _("all authors"))] if any(card.tweet.author for card in self.cards) else []
        return authors + shared_boxes(card.tweet for card in self.cards)

    @property
    def ticked(self) -> list[str]:
        typed: Any = self.typed
        return list(typed.getlist("also")) if hasattr(typed, "getlist") else []

    @cached_property
    def scopes(self) -> list[Choice]:
        """How widely this person may block, nearest first."""
        code = self.market.code.upper()
        words = {
            "channel": _("each in its channel") if self.many else str(self.channel),
            "market": _("%(code)s, all categories") % {"code": code},
            "global": _("all markets"),
        }
        return [Choice(scope, words[scope]) for scope, right in RIGHTS.items() if may(self.user, right, self.market)]

    @property
    def scope(self) -> str:
        return str(self.said("scope", "channel"))

    @cached_property
    def reach(self) -> Reach | None:
        """What the ticked boxes would have hit; None where none is ticked."""
        ticked = self.ticked
        by_place: dict[Channel | None, list[Entry]] = defaultdict(list)
        for entry in self.entries(ticked):
            by_place[entry.channel].append(entry)
        if not by_place:
            return Reach(0, 0) if ticked else None
        return sum_of(would_hit(entries, self.now) for entries in by_place.values())

    def entries(self, ticked: Iterable[str]) -> list[Entry]:
        """The blocks that boxes stand for, without those that name nothing; of several each in its own channel."""
        market = self.market if self.scope == "market" else None
        found = []
        for one in ticked:
            kind, _scope, value = [*one.split(":", 2), "", ""][:3]
            for card in self.cards:
                try:
                    name = name_of(kind, value, author=card.tweet.author, field="also")
                except BadBlock:
                    continue
                channel = card.candidate.channel if self.scope == "channel" else None
                found.append(Entry(name, channel, market))
        return list(dict.fromkeys(found))

    # --- pin ---

    @cached_property
    def slots(self) -> list[dict[str, Any]]:
        """Each slot with who holds it; `own` for the candidate's, `chosen` for the one that is ticked."""
        pinned = Candidate.objects.with_tweets().filter(channel=self.channel, slot__isnull=False)
        holders = {row.slot: row for row in pinned if row.pinned_at(self.now)}
        free = next((slot for slot in self.card.slots if slot not in holders), None)
        chosen = str(self.said("slot", self.candidate.slot or free or ""))
        return [
            {
                "slot": slot,
                "holder": holders.get(slot) if holders.get(slot) != self.candidate else None,
                "own": holders.get(slot) == self.candidate,
                "chosen": str(slot) == chosen,
            }
            for slot in self.card.slots
        ]

    # --- times ---

    @cached_property
    def zone(self) -> ZoneInfo:
        """The clock in which times are typed: the market's, whatever clock this person reads."""
        return ZoneInfo(self.market.time_zone)

    @property
    def zone_named(self) -> str:
        names = clocks.zone_names(self.market, self.now.year).values()
        return f"{self.market.time_zone.replace('_', ' ')} ({'/'.join(names)})"

    def clock(self, at: datetime | None) -> str:
        """A time as a browser's field holds it; empty for none."""
        return at.astimezone(self.zone).strftime("%Y-%m-%dT%H:%M") if at else ""

    @property
    def go_live_at(self) -> str:
        return str(self.said("go_live_at", "" if self.many else self.clock(self.candidate.go_live_at)))

    @property
    def expire_at(self) -> str:
        return str(self.said("expire_at", "" if self.many else self.clock(self.candidate.expire_at)))

    @property
    def until(self) -> str:
        return str(self.said("until", self.clock(self.candidate.pinned_until)))

    @property
    def earliest(self) -> str:
        return self.clock(self.now)

    @property
    def starts(self) -> list[Choice]:
        """Usual times to begin."""
        return [
            Choice(self.clock(self.now + timedelta(hours=1)), _("in 1 h")),
            Choice(self.clock(self.now + timedelta(hours=3)), _("in 3 h")),
            Choice(self.clock(self._at(7, days=1)), _("tomorrow 7:00")),
        ]

    @property
    def ends(self) -> list[Choice]:
        """Usual times to end."""
        tonight = self._at(22)
        told = [
            Choice(self.clock(self.now + timedelta(hours=3)), _("3 h from now")),
            Choice(self.clock(tonight), _("tonight 22:00")),
            Choice(self.clock(self._at(22, days=1)), _("tomorrow 22:00")),
        ]
        return [one for one in told if one.value != self.clock(tonight) or tonight > self.now]

    def _at(self, hour: int, days: int = 0) -> datetime:
        here = self.now.astimezone(self.zone)
        return (here + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)

    # --- words ---

    @property
    def context(self) -> str:
        return str(self.said("context", self.candidate.context))

    @property
    def label(self) -> str:
        return str(self.said("label", self.candidate.label))

    @cached_property
    def labels(self) -> list[str]:
        """The channel's usual ones, most used first; the market's word for advertising at least."""
        newest = Candidate.objects.approved().filter(channel=self.channel).order_by("-approved_at")[:RECENT]
        used = Counter(label for label in newest.values_list("label", flat=True) if label)
        usual = [label for label, _n in used.most_common(LABELS)]
        own = ADVERTISING.get(self.market.language, "Advertisement")
        return usual if own in usual else [own, *usual][:LABELS]

    # --- elsewhere ---

    @cached_property
    def categories(self) -> list[Choice]:
        """The market's other categories, with how many wait there, by the digits that lead to them."""
        waiting = counted(self.place.channels)
        here = set() if self.many else {self.candidate.channel_id}
        return [
            Choice(one.category.slug, one.category.name, waiting[one.pk], str(n) if n < 10 else "")
            for n, one in enumerate(self.place.channels, 1)
            if one.pk not in here
        ]

    @cached_property
    def markets(self) -> list[Choice]:
        """Where it may be offered: every other market; `beside` says where it was sent already."""
        sent = Decision.objects.filter(candidate=self.candidate, verb=Verb.OFFER)
        gone = {(after.get("to") or {}).get("market") for after in sent.values_list("after", flat=True)}
        others = Market.objects.active().filter(channel__active=True).exclude(pk=self.market.pk).distinct()
        return [
            Choice(one.code, one.name, _("sent already") if one.code in gone else "", str(n) if n < 10 else "")
            for n, one in enumerate(others, 1)
        ]

    @property
    def chosen_market(self) -> str:
        return str(self.said("market", self.markets[0].value if self.markets else ""))

    # --- beside a similar one ---

    @cached_property
    def live_one(self) -> Candidate | None:
        """The similar one that is live, which approving alone would wait behind."""
        founder = self.candidate.group_id or self.candidate.pk
        group = Candidate.objects.approved().with_tweets().filter(group=founder)
        leader = Candidate.objects.approved().with_tweets().filter(pk=founder)
        return next((row for row in (*leader, *group) if row.may_show(self.now)), None)

    # --- several ---

    @cached_property
    def whose(self) -> str:
        """Of whom the selected posts are: "Rathaus 2, Stadtblatt 1 and 3 others"."""
        authors = [card.tweet.author for card in self.cards]
        names = Counter(isolated(author.name) if author else _("Removed post") for author in authors)
        told = ", ".join(f"{name} {n}" if n > 1 else name for name, n in names.most_common(MOST_NAMED))
        rest = len(names) - MOST_NAMED
        return _("%(names)s and %(n)d others") % {"names": told, "n": rest} if rest > 0 else told


def shared_boxes(tweets: Iterable[Tweet]) -> list[Box]:
    """The domains and hashtags of several posts that at least two of them have, commonest first, with how many."""
    counts = Counter(box for tweet in tweets for box in boxes_of(tweet) if not box.value.startswith("author:"))
    return [Box(box.value, f"{box.words} ({n})") for box, n in counts.most_common(MOST_BOXES) if n > 1]


def boxes_of(tweet: Tweet) -> list[Box]:
    """What of a post can be blocked, each once."""
    found = [Box("author::", f"@{tweet.author.username}")] if tweet.author else []
    entities = tweet.part("entities") or {}
    addresses = [url.get("expanded_url") or url.get("url") or "" for url in entities.get("urls") or []]
    hosts = [normalised(Block.Kind.DOMAIN, host_of(address)) for address in addresses]
    tags = [str(tag.get("tag") or "") for tag in entities.get("hashtags") or []]
    for kind, values, sign in ((Block.Kind.DOMAIN, hosts, ""), (Block.Kind.HASHTAG, tags, "#")):
        usable = [value for value in dict.fromkeys(values) if names(kind, value)]
        found += [Box(f"{kind}::{value}", sign + value) for value in usable[:MOST_BOXES]]
    return found


def names(kind: str, value: str) -> bool:
    """Whether a block could name this."""
    try:
        name_of(kind, value)
    except BadBlock:
        return False
    return True
