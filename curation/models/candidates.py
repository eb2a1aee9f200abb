"""Candidates: a tweet offered to a channel, with a state and a version."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from curation.folding import fold
from regions.models import Block, Channel, Market, Source, User

STANDING = (
    "state",
    "slot",
    "pinned_until",
    "go_live_at",
    "expire_at",
    "context",
    "label",
    "confirmed_by_id",
    "approved_at",
    "pending_since",
    "held",
    "with_similar",
    "blocked_by_lists",
)
WORDS = ("context", "label")
TIMES = ("pinned_until", "go_live_at", "expire_at", "approved_at", "pending_since")
MARKED = {
    "held": Q(held=True),
    "offered": Q(offered=True),
    "edited": Q(edited=True),
    "sensitive": Q(sensitive=True),
    "second": Q(confirmed_by__isnull=False),
}  # what the queue can be narrowed to; each has an index of those that wait and lead

CHANNEL = "inchannel"  # with the channel's number a word beside those of the text
TEXT = models.TextField()
SEARCHED = SearchVector(
    Concat(Value(CHANNEL, TEXT), Cast("channel", TEXT), Value(" ", TEXT), "folded"), config="simple"
)


def asked_for(words: str) -> SearchQuery:
    return SearchQuery(fold(words), config="simple", search_type="websearch")


def digest(words: str) -> str:
    """How log and snapshots name an editor's words: SHA-256, hex; empty for none."""
    return hashlib.sha256(words.encode()).hexdigest() if words else ""


class State(models.TextChoices):
    PENDING = "pending", _("pending")
    APPROVED = "approved", _("approved")
    BLOCKED = "blocked", _("blocked")
    LAPSED = "lapsed", _("lapsed")
    WITHDRAWN = "withdrawn", _("withdrawn")


# Of each channel by its index, however many wait: limits that differ from row to row would have all of them read.
LAPSING = """curation_candidate.id = ANY (ARRAY(
SELECT old.id FROM regions_channel AS place CROSS JOIN LATERAL (
    SELECT id FROM curation_candidate
    WHERE channel_id = place.id AND state = 'pending' AND pending_since < %s - place.pending_hours * interval '1 hour'
    ORDER BY pending_since LIMIT %s
) AS old LIMIT %s))"""


class CandidateQuerySet(models.QuerySet["Candidate"]):
    """Reads. Conditions on the state are literals, since partial indexes need them so."""

    def pending(self) -> CandidateQuerySet:
        return self.filter(state="pending")

    def approved(self) -> CandidateQuerySet:
        return self.filter(state="approved")

    def in_state(self, state: str) -> CandidateQuerySet:
        return self.pending() if state == State.PENDING else self.filter(state=state)

    def in_channel(self, channel: Channel) -> CandidateQuerySet:
        return self.filter(channel=channel)

    def leading(self) -> CandidateQuerySet:
        """Without those that wait behind a similar one."""
        return self.filter(hidden=False)

    def marked(self, mark: str) -> CandidateQuerySet:
        """Those with a mark of MARKED."""
        return self.filter(MARKED[mark])

    def written_by(self, author: int) -> CandidateQuerySet:
        """Of the author with this id at X."""
        return self.filter(author_id=author)

    def in_language(self, code: str) -> CandidateQuerySet:
        """As X says it; where X knows none, as it was guessed."""
        return self.filter(lang=code)

    def with_tweets(self) -> CandidateQuerySet:
        return self.select_related("tweet__author", "channel__market", "channel__category", "source")

    def with_posts(self) -> CandidateQuerySet:
        """The same for who knows their channels already, and reads nothing of a post that no card shows."""
        return self.select_related("tweet__author", "source").defer("tweet__raw")

    def told_briefly(self) -> CandidateQuerySet:
        """With what a line says of them: who wrote what. All else is read where somebody asks for it."""
        told = ("tweet__text", "tweet__wire", "tweet__author__name", "tweet__author__username")
        return self.select_related("tweet__author").only(*told)

    def holding_words(self, words: str, channel: int | None = None) -> CandidateQuerySet:
        """Full-text search, as people type it ("exact words", -without); folded as the texts are. `channel`: which one
        these are of, so that the index alone leaves out what others hold."""
        found = self.alias(search=SEARCHED).filter(search=asked_for(words))
        return found.filter(search=SearchQuery(f"{CHANNEL}{channel}", config="simple")) if channel else found

    def telling(self, words: str) -> CandidateQuerySet:
        """The same row by row, without the index: of rows that are few already."""
        return self.alias(told=SearchVector("folded", config="simple")).filter(told=asked_for(words))

    def live_beside(self, rows: Iterable[Candidate], now: datetime) -> set[int]:
        """Those of the rows that a similar one keeps from the feed: it was approved first, and is live at `now`.

        The same rule as the feed's, but for its length; rows that may stand beside similar ones are left out."""
        asked = [row for row in rows if not row.with_similar]
        groups = {row.group_id or row.pk for row in asked}
        told = ("group", "channel", "slot", *TIMES)
        live = self.approved().filter(Q(group__in=groups) | Q(pk__in=groups)).only(*told).prefetch_related("channel")
        shown: dict[int, list[Candidate]] = {}
        for one in live if groups else ():
            if one.may_show(now):
                shown.setdefault(one.group_id or one.pk, []).append(one)
        return {row.pk for row in asked if any(row.waits_behind(one) for one in shown.get(row.group_id or row.pk, ()))}

    def best_first(self) -> CandidateQuerySet:
        return self.order_by("-rank", "-id")

    def newest_first(self) -> CandidateQuerySet:
        return self.order_by("-posted_at", "-id")

    def older_than_their_channel_allows(self, now: datetime, most: int) -> CandidateQuerySet:
        """At most so many of those that wait too long."""
        return self.pending().filter(RawSQL(LAPSING, [now, most, most], models.BooleanField()))  # noqa: S611


class Candidate(models.Model):
    """A tweet offered to one channel. Changed by curation.operations alone, version by version."""

    channel = models.ForeignKey(Channel, models.PROTECT, db_index=False)  # each_state_by_time begins with it
    tweet = models.ForeignKey("curation.Tweet", models.PROTECT, db_index=False)  # one_candidate_per_channel serves
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    version = models.PositiveIntegerField(default=1, validators=[MinValueValidator(1)])
    source = models.ForeignKey(Source, models.SET_NULL, null=True, blank=True)
    group = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="similar", db_index=False
    )  # similar_ones serves
    hidden = models.BooleanField(default=False)
    alike = ArrayField(models.BigIntegerField(), default=list, blank=True)
    rank = models.FloatField(default=0)
    rank_parts = models.JSONField(default=dict)
    folded = models.TextField(blank=True)
    posted_at = models.DateTimeField()
    arrived_at = models.DateTimeField(default=timezone.now)
    pending_since = models.DateTimeField(default=timezone.now)
    held = models.BooleanField(default=False)
    # As the tweet and the offer say it: repeated here for the indexes of what waits. `lang` is the guess where X knows
    # none; both are empty when the tweet is.
    author_id = models.BigIntegerField(null=True, blank=True)
    lang = models.CharField(max_length=8, blank=True, db_default="")
    offered = models.BooleanField(default=False, db_default=False)
    edited = models.BooleanField(default=False, db_default=False)
    sensitive = models.BooleanField(default=False, db_default=False)
    confirmed_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )  # confirmed_ones serves
    approved_at = models.DateTimeField(null=True, blank=True)
    slot = models.PositiveSmallIntegerField(null=True, blank=True)
    pinned_until = models.DateTimeField(null=True, blank=True)
    go_live_at = models.DateTimeField(null=True, blank=True)
    expire_at = models.DateTimeField(null=True, blank=True)
    context = models.CharField(max_length=200, blank=True)
    label = models.CharField(max_length=40, blank=True)
    with_similar = models.BooleanField(default=False)
    blocked_by_lists = models.BooleanField(default=False)
    brought_by = models.ForeignKey(
        "curation.Act", models.SET_NULL, null=True, blank=True, related_name="brought", db_index=False
    )  # the move or offer that made it; brought_by_an_act serves

    objects = CandidateQuerySet.as_manager()
    similar_live = False  # set by who asked CandidateQuerySet.live_beside

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tweet", "channel"], name="one_candidate_per_channel"),
            models.UniqueConstraint(
                fields=["channel", "slot"], condition=Q(slot__isnull=False), name="one_candidate_per_slot"
            ),
            models.CheckConstraint(condition=Q(state__in=State.values), name="candidate_state_is_known"),
            models.CheckConstraint(condition=Q(version__gte=1), name="candidate_versions_begin_at_one"),
            models.CheckConstraint(
                condition=Q(slot=None) | Q(state="approved", slot__gte=1), name="candidate_pinned_is_approved"
            ),
            models.CheckConstraint(
                condition=Q(pinned_until=None) | Q(slot__isnull=False), name="candidate_pinned_until_has_slot"
            ),
            models.CheckConstraint(
                condition=Q(expire_at=None) | Q(go_live_at=None) | Q(expire_at__gt=F("go_live_at")),
                name="candidate_window_is_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | Q(approved_at__isnull=False),
                name="candidate_approved_has_time",
            ),
            models.CheckConstraint(condition=~Q(group=F("id")), name="candidate_leads_itself_silently"),
        ]
        indexes = [
            models.Index(
                F("channel"),
                F("rank").desc(),
                F("id").desc(),
                condition=Q(state="pending"),
                include=["hidden"],
                name="queue_by_rank",
            ),
            *(
                models.Index(
                    F("channel"), F(told), F("rank").desc(), F("id").desc(), condition=Q(state="pending"), name=name
                )
                for told, name in (("author_id", "queue_of_an_author"), ("lang", "queue_in_a_language"))
            ),
            models.Index(F("channel"), F("approved_at").desc(), condition=Q(state="approved"), name="live_by_time"),
            models.Index(
                F("channel"),
                F("go_live_at").desc(),
                condition=Q(state="approved", go_live_at__isnull=False),
                name="scheduled_by_time",
            ),
            models.Index(
                F("channel"), F("pending_since"), condition=Q(state="pending"), name="pending_by_age_in_channel"
            ),
            models.Index(F("channel"), F("state"), F("posted_at").desc(), F("id").desc(), name="each_state_by_time"),
            models.Index(F("group"), condition=Q(group__isnull=False), name="similar_ones"),
            models.Index(F("confirmed_by"), condition=Q(confirmed_by__isnull=False), name="confirmed_ones"),
            models.Index(F("brought_by"), condition=Q(brought_by__isnull=False), name="brought_by_an_act"),
            # New keys go into it at once: looked for by the thousand, each would walk the whole list of waiting ones.
            GinIndex(
                fields=["alike"], fastupdate=False, condition=Q(state__in=["pending", "approved"]), name="alike_ones"
            ),
            GinIndex(SEARCHED, condition=Q(state="pending"), name="queue_search"),
            *(
                models.Index(
                    F("channel"),
                    F("rank").desc(),
                    F("id").desc(),
                    condition=Q(state="pending", hidden=False) & mark,
                    name=f"queue_{name}",
                )
                for name, mark in MARKED.items()
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id}/{self.tweet_id} {self.state} v{self.version}"

    def standing(self) -> dict[str, Any]:
        """The fields that verbs change, as the log holds them: words by their digest, times as ISO 8601."""
        told = {name: getattr(self, name) for name in STANDING}
        told |= {name: digest(told[name]) for name in WORDS}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}

    @property
    def pinned(self) -> bool:
        """Whether it has a slot, be its time there over or not."""
        return self.slot is not None

    def pinned_at(self, now: datetime) -> bool:
        """Whether it holds its slot at a time: from then on that the pin ends it counts as not pinned."""
        return self.pinned and not (self.pinned_until and self.pinned_until <= now)

    def warnings(self) -> list[str]:
        """Codes of what an editor should look at: held, sensitive, withheld, edited, gone, similar_live.

        The last one only where `similar_live` was set, from CandidateQuerySet.live_beside."""
        tweet = self.tweet
        told = {
            "held": self.held,
            "sensitive": tweet.sensitive,
            "withheld": tweet.withheld_from(self.channel.market.country),
            "edited": tweet.edited,
            "gone": tweet.gone_at is not None,
            "similar_live": self.similar_live,
        }
        return [code for code, true in told.items() if true]

    def live_from(self) -> datetime | None:
        """When it goes or went live, for an approved one."""
        return max(filter(None, (self.approved_at, self.go_live_at)), default=None)

    def may_show(self, now: datetime) -> bool:
        """Whether an approved one is within its window, and not live for longer than its channel allows."""
        since = self.live_from()
        lasts = since is not None and since + timedelta(hours=self.channel.live_hours) > now
        return self.in_window(now) and (self.pinned_at(now) or lasts)

    def waits_behind(self, live: Candidate) -> bool:
        """Whether a live one of its group keeps it from the feed."""
        if self.approved_at is None or live.approved_at is None:
            return self.pk != live.pk
        return (live.approved_at, live.pk) < (self.approved_at, self.pk)

    def in_window(self, now: datetime) -> bool:
        return not (self.go_live_at and self.go_live_at > now) and not (self.expire_at and self.expire_at <= now)


class Hit(models.Model):
    """A candidate that a block matches. The span is in code points of the tweet's text, null outside the text."""

    candidate = models.ForeignKey(Candidate, models.CASCADE, db_index=False)  # one_hit_per_block begins with it
    block = models.ForeignKey(Block, models.CASCADE, db_index=False)  # hits_of_a_block begins with it
    start = models.PositiveIntegerField(null=True)
    end = models.PositiveIntegerField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["candidate", "block"], name="one_hit_per_block")]
        indexes = [models.Index(fields=["block", "-at"], name="hits_of_a_block")]

    def __str__(self) -> str:
        return f"{self.candidate_id} by {self.block_id}"


class Offer(models.Model):
    """A candidate that one market offered to another."""

    candidate = models.OneToOneField(Candidate, models.CASCADE)
    origin = models.ForeignKey(Candidate, models.SET_NULL, null=True, related_name="offers_sent")
    origin_market = models.ForeignKey(Market, models.CASCADE)
    by = models.ForeignKey(User, models.SET_NULL, null=True)
    note = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.origin_market_id} offers {self.candidate_id}"
