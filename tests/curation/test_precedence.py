"""What counts more: every pair of the table, laid by real operations and shown by the real selection."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from django.utils import timezone

from curation import operations
from curation.cards import card
from curation.models import Candidate, Hit, State, Tweet
from curation.precedence import PRECEDENCE, Cause, as_table, cause_of_block, standing_block
from feeds.edition import Edition
from feeds.models import Feed
from regions.models import Block, Channel, Market, User
from tests.cast import channel_of, make_candidate, make_user

pytestmark = pytest.mark.django_db

DOCUMENT = Path(__file__).parents[2] / "docs/decisions.md"
BEGIN, END = "<!-- as_table() of curation/precedence.py -->\n", "<!-- end -->"
ORDER = (Cause.GONE, Cause.LEGAL_OR_GLOBAL, Cause.MARKET, Cause.CHANNEL, Cause.PIN, Cause.APPROVE)
FORBIDDING = ORDER[: ORDER.index(Cause.PIN)]
WORD = {Cause.LEGAL_OR_GLOBAL: "eins", Cause.MARKET: "zwei", Cause.CHANNEL: "drei"}


def cause_of(candidate: Candidate, now: datetime) -> Cause | None:
    """The strongest cause of all that stand for or against a candidate at `now`; None for one that nobody decided."""
    if not candidate.tweet.showable_in(candidate.channel.market.country):
        return Cause.GONE
    if block := standing_block(candidate, now):
        return cause_of_block(block)
    if candidate.state != State.APPROVED:
        return None
    ended = candidate.pinned_until is not None and candidate.pinned_until <= now
    return Cause.PIN if candidate.pinned and not ended else Cause.APPROVE


def shown(market: Market) -> list[tuple[int, int | None]]:
    """Candidate and slot of each entry of the politics feed, as the selection has it now."""
    channels = list(market.channel_set.select_related("market", "category"))
    edition = Edition(market, channels, Feed.objects.filter(market=market), timezone.now())
    return [(entry.candidate, entry.slot) for entry in edition.channel_entries(channel_of(market.code, "politics").pk)]


class Desk:
    """One post of DE politics, and the doors through which each cause comes."""

    def __init__(self, lead: User, chief: User, channel: Channel) -> None:
        self.lead, self.chief, self.channel = lead, chief, channel
        self.row = make_candidate(channel, "eins zwei drei")
        self.refused: list[str] = []

    def bring(self, cause: Cause) -> None:
        doors: dict[Cause, Callable[[], object]] = {
            Cause.GONE: lambda: operations.withdraw([self.row.tweet_id], cause="protected", now=timezone.now()),
            Cause.LEGAL_OR_GLOBAL: lambda: operations.lay_block("term", WORD[cause], by=self.chief),
            Cause.MARKET: lambda: operations.lay_block("term", WORD[cause], by=self.lead, market=self.channel.market),
            Cause.CHANNEL: lambda: operations.lay_block("term", WORD[cause], by=self.lead, channel=self.channel),
            Cause.PIN: lambda: self.decide("pin"),
            Cause.APPROVE: lambda: self.decide("approve"),
        }
        doors[cause]()
        operations.carry_blocks(now=timezone.now())

    def decide(self, verb: str) -> None:
        self.row.refresh_from_db()
        try:
            operations.decide(verb, self.row, by=self.lead, version=self.row.version)
        except operations.BlockStands as refusal:
            self.refused.append(refusal.problem()["block"]["scope"])
        except operations.NotAllowed:
            self.refused.append("not_allowed")

    def told(self) -> Cause | None:
        return cause_of(Candidate.objects.with_tweets().get(pk=self.row.pk), timezone.now())


@pytest.fixture
def desk(lena: User, chief: User, de_politics: Channel) -> Desk:
    return Desk(lena, chief, de_politics)


@pytest.mark.parametrize(("stronger", "weaker"), list(combinations(ORDER, 2)))
@pytest.mark.parametrize("stronger_first", [True, False])
def test_of_every_two_the_stronger_one_counts(
    stronger: Cause, weaker: Cause, stronger_first: bool, desk: Desk, de_politics: Channel
) -> None:
    for cause in (stronger, weaker) if stronger_first else (weaker, stronger):
        desk.bring(cause)
    assert desk.told() == stronger
    entries = shown(de_politics.market)
    if stronger in FORBIDDING:
        assert entries == []
    else:
        assert entries == [(desk.row.pk, 1)], "a pin holds its slot, approved before or after"


@pytest.mark.parametrize("cause", FORBIDDING)
def test_the_selection_asks_by_itself(cause: Cause, desk: Desk, de_politics: Channel) -> None:
    """Whatever a state says: what a block or X forbids is in no feed, even if no operation had come to it."""
    desk.bring(cause)
    now = timezone.now()
    Candidate.objects.filter(pk=desk.row.pk).update(state="approved", approved_at=now, slot=1)
    assert (shown(de_politics.market), desk.told()) == ([], cause)


@pytest.mark.parametrize(
    ("stronger", "weaker"), list(combinations((Cause.LEGAL_OR_GLOBAL, Cause.MARKET, Cause.CHANNEL), 2))
)
def test_approving_is_told_the_strongest_block(stronger: Cause, weaker: Cause, desk: Desk, chief: User) -> None:
    desk.bring(weaker)
    desk.bring(stronger)
    Candidate.objects.filter(pk=desk.row.pk).update(state="pending", blocked_by_lists=False)
    for verb in ("approve", "pin"):
        desk.decide(verb)
    scope = {Cause.LEGAL_OR_GLOBAL: "global", Cause.MARKET: "market"}[stronger]
    assert desk.refused == [scope, scope]


def test_a_legal_block_of_a_channel_counts_as_a_global_one(desk: Desk, lena: User, de_politics: Channel) -> None:
    operations.lay_block("term", "zwei", by=lena, market=de_politics.market)
    operations.lay_block("term", "drei", by=lena, channel=de_politics, reason="legal")
    assert desk.told() == Cause.LEGAL_OR_GLOBAL
    desk.decide("approve")
    assert desk.refused == ["channel"]


def test_the_card_names_the_strongest_block_first(desk: Desk, lena: User, de_politics: Channel) -> None:
    operations.lay_block("term", "drei", by=lena, channel=de_politics, effect="hold")
    for cause in (Cause.CHANNEL, Cause.MARKET):
        desk.bring(cause)
    row = Candidate.objects.with_tweets().get(pk=desk.row.pk)
    for block in Block.objects.all():
        Hit.objects.get_or_create(candidate=row, block=block)
    told = [(hit.block.scope, hit.block.effect) for hit, _words in card(row, lena).hit_words]
    assert told == [("market", "block"), ("channel", "block"), ("channel", "hold")]


def test_a_pin_stands_before_what_is_approved_later(desk: Desk, de_politics: Channel) -> None:
    desk.bring(Cause.PIN)
    later = make_candidate(de_politics, "Anderes", state="approved", approved_at=timezone.now())
    assert shown(de_politics.market) == [(desk.row.pk, 1), (later.pk, None)]


def test_nobody_decided_and_nothing_forbids(desk: Desk) -> None:
    assert desk.told() is None
    ended = timezone.now() - timedelta(minutes=1)
    Candidate.objects.filter(pk=desk.row.pk).update(state="approved", approved_at=ended, slot=1, pinned_until=ended)
    assert desk.told() == Cause.APPROVE


def test_withheld_here_is_gone_here_alone(desk: Desk, chief: User) -> None:
    Tweet.objects.filter(pk=desk.row.tweet_id).update(withheld_in=["DE"])
    abroad = make_candidate(channel_of("nl", "politics"), tweet=desk.row.tweet)
    operations.approve(abroad, by=make_user("nora", is_superuser=True), version=1)
    assert desk.told() == Cause.GONE
    assert cause_of(Candidate.objects.with_tweets().get(pk=abroad.pk), timezone.now()) == Cause.APPROVE


def test_the_table_is_in_this_order() -> None:
    assert ORDER == PRECEDENCE


def test_the_document_shows_the_table_of_the_code() -> None:
    """When it fails: put what it prints between the two marks."""
    told = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]
    assert told == as_table(), f"write into {DOCUMENT.name}:\n{as_table()}"
