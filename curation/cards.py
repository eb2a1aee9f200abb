"""What a candidate's card shows beside its tweet, read for a whole page of cards in five queries."""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from curation.models import Candidate, Decision, Hit, IngestRun, Offer, State, Tweet, Verb
from curation.precedence import PRECEDENCE, cause_of_block
from curation.ranking import POINTS_A_HALF_LIFE
from curation.transitions import APPROVING, TRANSITIONS
from curation.wording import is_long
from curation.x.entities import plain_text
from regions import tunable
from regions.models import Market, User
from regions.permissions import may
from regions.problems import Refusal

PARTS = {"freshness": _("freshness")} | {name: words for name, (words, _help) in tunable.PARTS.items()}
GONE = {
    Tweet.Gone.DELETED: _("Deleted at X"),
    Tweet.Gone.PROTECTED: _("Its author shows posts to followers alone"),
    Tweet.Gone.SUSPENDED: _("Its author is suspended at X"),
    Tweet.Gone.ERASED: _("Its author asked to be erased"),
    Tweet.Gone.UNVERIFIED: _("X could not be asked for a day whether it still stands"),
}
DONE = {
    Verb.APPROVE: _("approved"),
    Verb.PIN: _("pinned"),
    Verb.UNPIN: _("unpinned"),
    Verb.BLOCK: _("blocked"),
    Verb.REOPEN: _("reopened"),
    Verb.MOVE: _("moved"),
    Verb.SCHEDULE: _("scheduled"),
    Verb.ANNOTATE: _("annotated"),
    Verb.OFFER: _("sent"),
}
DID = {
    Verb.APPROVE: pgettext_lazy("after a name", "approved"),
    Verb.PIN: pgettext_lazy("after a name", "pinned"),
    Verb.UNPIN: pgettext_lazy("after a name", "unpinned"),
    Verb.BLOCK: pgettext_lazy("after a name", "blocked"),
    Verb.REOPEN: pgettext_lazy("after a name", "reopened"),
    Verb.MOVE: pgettext_lazy("after a name", "moved"),
    Verb.SCHEDULE: pgettext_lazy("after a name", "scheduled"),
    Verb.ANNOTATE: pgettext_lazy("after a name", "annotated"),
    Verb.OFFER: pgettext_lazy("after a name", "sent"),
    Verb.LIFT: pgettext_lazy("after a name", "lifted a block"),
    Verb.LAPSE: pgettext_lazy("after a name", "let it lapse"),
    Verb.WITHDRAW: pgettext_lazy("after a name", "withdrew"),
    Verb.RESTORE: pgettext_lazy("after a name", "brought back"),
    Verb.EDIT: pgettext_lazy("after a name", "saw an edit"),
    Verb.UNDO: pgettext_lazy("after a name", "took back"),
}
HIGH = 40
BUTTONS = (Verb.APPROVE, Verb.PIN, Verb.BLOCK)
PANELS = (Verb.SCHEDULE, Verb.ANNOTATE, Verb.MOVE, Verb.BLOCK, Verb.PIN, Verb.APPROVE, Verb.OFFER)
UNREAD = (Verb.BLOCK, Verb.ANNOTATE)  # what can be said of a post that nobody can read any more


@dataclass
class Card:
    """A candidate as its row shows it. `key` makes a repeated press count once.

    `remark` is what came otherwise than asked; `returned`: it waits again and may stand on no row of the page;
    `following`: it leads its group now, where that is news to the page; `own_approval`: this person approved it, so
    another has to; `sent`: the codes of markets it was offered to; `referred`: the posts it answers or quotes that are
    stored; `panel`: the form that stands open."""

    candidate: Candidate
    may_decide: bool
    hits: list[Hit] = field(default_factory=list)
    similar: int = 0
    similar_live: bool = False
    last: Decision | None = None
    added_by: User | None = None
    refusal: Refusal | None = None
    remark: str = ""
    current: bool = False
    returned: bool = False
    following: bool = False
    own_approval: bool = False
    offer: Offer | None = None
    sent: list[str] = field(default_factory=list)
    referred: dict[str, Tweet] = field(default_factory=dict)
    panel: Any = None
    seen_at: datetime = field(default_factory=timezone.now)
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def tweet(self) -> Tweet:
        return self.candidate.tweet

    @property
    def decided(self) -> bool:
        return self.candidate.state != State.PENDING

    @property
    def verbs(self) -> list[str]:
        """Those that the current row offers: what its state allows. Nobody approves what retention emptied."""
        able = [verb for verb in BUTTONS if verb == Verb.BLOCK or not self.tweet.purged_at]
        able = [verb for verb in able if not (self.own_approval and verb in APPROVING)]
        return [verb for verb in able if self.candidate.state in TRANSITIONS[verb]]

    @property
    def panels(self) -> list[str]:
        """The verbs whose panel it offers, as it stands. Approving has one only where a similar one is live."""
        state, unread = self.candidate.state, bool(self.tweet.purged_at or self.tweet.gone_at)
        able = [verb for verb in PANELS if state in TRANSITIONS[verb] and not (unread and verb not in UNREAD)]
        if self.own_approval:
            able = [verb for verb in able if verb not in APPROVING]
        beside = self.similar_live and state == State.PENDING
        return [str(verb) for verb in able if verb != Verb.APPROVE or beside]

    @property
    def look(self) -> Hashable:
        """What tells how its row is drawn, beside the verbs and what is its own (`curation.templatetags.stencils`)."""
        tweet = self.tweet
        pictured = bool(tweet.author and tweet.author.avatar_url)
        words = bool(tweet.purged_at), is_long(tweet.text), self.speaks
        way = bool(self.via), self.known_way, bool(self.added_by or self.offer)
        stands = self.current, self.decided, self.returned, self.following, bool(self.panel)
        return stands, self.high, pictured, way, words

    @cached_property
    def speaks(self) -> bool:
        """Whether its language has a code that browsers know."""
        return len(self.tweet.lang) == 2

    @cached_property
    def via(self) -> str:
        """The source it came from; empty where it came otherwise."""
        return str(self.candidate.source or "")

    @property
    def known_way(self) -> bool:
        """Whether the source is called like the category, which need not be said twice."""
        source = self.candidate.source
        return source is not None and source.name == self.candidate.channel.category.name

    @property
    def offered_verbs(self) -> Hashable:
        """What tells how the verbs that it offers are drawn."""
        channel = self.candidate.channel_id
        return channel, self.may_decide, self.own_approval, tuple(self.verbs), tuple(self.panels)

    @property
    def part_names(self) -> Hashable:
        """What tells how the parts of its score are named."""
        return tuple(code for code, _points in self.points_of_parts)

    @property
    def reopens(self) -> bool:
        return self.decided and not self.tweet.purged_at and self.candidate.state in TRANSITIONS[Verb.REOPEN]

    @property
    def quoted(self) -> dict[str, Any]:
        """The post it quotes: id, and the post itself where it is stored and may be read. Empty for none."""
        return self._refers("quoted")

    @property
    def replied(self) -> dict[str, Any]:
        """The post it answers, as `quoted`; `name` of whom, empty where nobody knows."""
        found = self._refers("replied_to")
        if not found:
            return {}
        first: dict[str, Any] = next(iter((self.tweet.part("entities") or {}).get("mentions") or []), {})
        named = str(first.get("username") or "") if first.get("start") == 0 else ""
        return found | {"name": found["tweet"].author.username if found["tweet"] else named}

    def _refers(self, how: str) -> dict[str, Any]:
        number = next((ref.get("id") for ref in self.tweet.part("refs") or [] if ref.get("type") == how), None)
        if number is None or self.tweet.purged_at:
            return {}
        return {"id": number, "url": f"https://x.com/i/status/{number}", "tweet": self.referred.get(str(number))}

    @property
    def poll(self) -> list[dict[str, Any]]:
        """The options of its poll: label, votes, and their share in whole percent."""
        options = (self.tweet.part("poll") or {}).get("options") or []
        votes = sum(option.get("votes", 0) for option in options)
        return [option | {"share": round(100 * option.get("votes", 0) / votes) if votes else 0} for option in options]

    @property
    def slots(self) -> range:
        """The slots of its channel."""
        return range(1, self.candidate.channel.slots + 1)

    @property
    def did(self) -> Any:
        """The last decision's verb, as said of the one who decided."""
        return DID.get(Verb(self.last.verb), self.last.get_verb_display()) if self.last else ""

    @property
    def marks(self) -> list[tuple[int, int]]:
        """Spans of the text that blocks found."""
        return [(hit.start, hit.end) for hit in self.hits if hit.start is not None and hit.end is not None]

    @property
    def noted(self) -> bool:
        """Whether anything is to be noted below its words. Of most posts nothing is."""
        own, tweet = self.candidate, self.tweet
        of_others = self.refusal or self.remark or self.hits or self.offer or self.sent or self.similar
        of_it = own.held or own.confirmed_by_id or own.context or own.label or own.go_live_at or own.expire_at
        of_post = tweet.edited or tweet.sensitive or tweet.gone_at or self.withheld_in or self.similar_live
        return bool(of_others or of_it or of_post)

    @property
    def hit_words(self) -> list[tuple[Hit, str]]:
        """What each block found, the strongest block first: the words of the text, else what the block names."""
        ordered = sorted(self.hits, key=lambda hit: (hit.block.effect, PRECEDENCE.index(cause_of_block(hit.block))))
        found = [self.tweet.text[hit.start : hit.end] if hit.start is not None else "" for hit in ordered]
        return [(hit, plain_text(words) or hit.block.named) for hit, words in zip(ordered, found, strict=True)]

    @property
    def gone(self) -> Any:
        """Why the post is not at X any more, or not for us; empty while it is."""
        return GONE.get(Tweet.Gone(self.tweet.gone_cause or Tweet.Gone.DELETED)) if self.tweet.gone_at else ""

    @property
    def text_before(self) -> str:
        """The text before an edit, while the edit waits for a decision."""
        return "" if self.decided else self.tweet.previous_text

    @property
    def parts(self) -> list[tuple[Any, int]]:
        """What the score is made of, largest first: name and points. They add up to it."""
        return [(PARTS.get(code, code), points) for code, points in self.points_of_parts]

    @cached_property
    def points_of_parts(self) -> list[tuple[str, int]]:
        """The same by the codes of the parts."""
        told = [(code, points_of(part)) for code, part in self.candidate.rank_parts.items()]
        told.append(("freshness", self.points - sum(points for _code, points in told)))
        return sorted(((code, points) for code, points in told if points), key=lambda pair: -pair[1])

    @cached_property
    def high(self) -> bool:
        return self.points >= HIGH

    @cached_property
    def points(self) -> int:
        """The rank, by which the queue is sorted, counted from what a post of this moment without points has: so each
        half-life of age costs as many points as it does there."""
        half_lives = self.seen_at.timestamp() / (60 * max(1, self.candidate.channel.half_life_minutes))
        return round(self.candidate.rank - POINTS_A_HALF_LIFE * half_lives)

    @cached_property
    def media(self) -> list[dict[str, Any]]:
        """Pictures, each with the address of what can be shown."""
        found = self.tweet.part("media") or []
        return [
            medium | {"shown": medium.get("preview_url") or medium["url"]}
            for medium in found
            if medium.get("preview_url") or medium.get("url")
        ]

    @property
    def gallery(self) -> bool:
        """Whether all its pictures are worth showing: several, or one that is described."""
        return len(self.media) > 1 or bool(self.media and self.media[0].get("alt"))

    @property
    def accompanied(self) -> bool:
        """Whether more than words belong to it: what it answers or quotes, its poll, its pictures."""
        return bool(self.gallery or self.replied or self.quoted or self.poll)

    @property
    def withheld_in(self) -> list[str]:
        return sorted({*self.tweet.withheld_in, *(self.tweet.author.withheld_in if self.tweet.author else [])})


def points_of(part: Any) -> int:
    """A part's points, whole: the rank's parts are numbers."""
    return round(part) if isinstance(part, int | float) else 0


def cards(rows: Sequence[Candidate], user: User, market: Market) -> list[Card]:
    """The cards of candidates of one market, in their order."""
    decides = may(user, "candidate.decide", market)
    now = timezone.now()
    made = {row.pk: Card(row, decides, seen_at=now) for row in rows}
    for pk in Candidate.objects.live_beside(rows, now):
        made[pk].similar_live = True
    for hit in (
        Hit.objects.filter(candidate__in=made)
        .select_related("block")
        .prefetch_related("block__block_list", "block__market", "block__created_by")
        .order_by("start", "id")
    ):
        made[hit.candidate_id].hits.append(hit)
    for pk, waiting in behind(rows).items():
        made[pk].similar = waiting
    for decision in last_decisions(row.pk for row in rows if row.version > 1):
        made[decision.candidate_id].last = decision
    for pk, offer in offers_of(rows).items():
        made[pk].offer = offer
    for pk, codes in sent_to(rows).items():
        made[pk].sent = codes
    stored = referred_by(rows)
    for made_card in made.values():
        made_card.referred = stored
        second = made_card.candidate.channel.second_pair and made_card.candidate.state == State.PENDING
        made_card.own_approval = second and made_card.candidate.confirmed_by_id == user.pk
    for added, by in adders(row.pk for row in rows if row.source_id is None).items():
        made[added].added_by = by
    return list(made.values())


def behind(rows: Sequence[Candidate]) -> dict[int, int]:
    """How many of its group wait behind each candidate, whoever of the group founded it."""
    founders = {row.pk: row.group_id or row.pk for row in rows}
    members = Candidate.objects.pending().filter(hidden=True).annotate(founder=Coalesce("group_id", "id"))
    waiting = members.filter(Q(group__in=founders.values()) | Q(pk__in=founders.values()))
    counted = dict(waiting.values_list("founder").annotate(n=Count("id")))
    own = {row.pk for row in rows if row.hidden and row.state == State.PENDING}
    return {pk: counted.get(founder, 0) - (pk in own) for pk, founder in founders.items()}


def offers_of(rows: Iterable[Candidate]) -> dict[int, Offer]:
    """The offers that brought candidates, by candidate."""
    wanted = [row.pk for row in rows if row.brought_by_id]
    offers = Offer.objects.filter(candidate__in=wanted).select_related("origin_market", "by") if wanted else ()
    return {offer.candidate_id: offer for offer in offers}


def sent_to(rows: Iterable[Candidate]) -> dict[int, list[str]]:
    """The markets that candidates were offered to, each as "NL", by candidate."""
    wanted = [row.pk for row in rows if row.version > 1]  # an offer is a decision
    offers = Offer.objects.filter(origin__in=wanted).order_by("pk") if wanted else Offer.objects.none()
    told: dict[int, list[str]] = {}
    for origin, code in offers.values_list("origin", "candidate__channel__market__code"):
        told.setdefault(origin, []).append(code.upper())
    return told


def referred_by(rows: Iterable[Candidate]) -> dict[str, Tweet]:
    """The posts that these answer or quote, by id, as far as they are stored and can be read."""
    refs = (ref for row in rows for ref in row.tweet.part("refs") or [])
    ids = {int(ref["id"]) for ref in refs if ref.get("type") in ("quoted", "replied_to")}
    if not ids:
        return {}
    found = Tweet.objects.select_related("author").filter(Q(current_id__in=ids) | Q(first_id__in=ids))
    readable = [tweet for tweet in found.filter(gone_at=None, purged_at=None) if tweet.author]
    return {str(number): tweet for tweet in readable for number in (tweet.first_id, tweet.current_id)}


def adders(ids: Iterable[int]) -> dict[int, User | None]:
    """Who added candidates by a link, by candidate."""
    wanted = list(ids)
    runs = IngestRun.objects.filter(added__in=wanted).prefetch_related("by") if wanted else ()
    return {run.added_id: run.by for run in runs if run.added_id}


def last_decisions(ids: Iterable[int]) -> Iterable[Decision]:
    """The newest decision of each candidate."""
    wanted = list(ids)
    if not wanted:
        return ()
    return (
        Decision.objects.filter(candidate__in=wanted)
        .select_related("by")
        .order_by("candidate", "-version")
        .distinct("candidate")
    )


def card(candidate: Candidate, user: User, refusal: Refusal | None = None) -> Card:
    """One card, with the refusal that its last press met."""
    made = cards([candidate], user, candidate.channel.market)[0]
    made.refusal = refusal
    return made
