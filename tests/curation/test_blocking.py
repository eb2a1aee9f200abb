"""Blocks by themselves: what they may name, who may lay them, what they do to posts at once and by the job."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Act, Candidate, Decision, Enforcement, Hit, State, Verb
from regions.models import Block, BlockExemption, BlockList, Change, Channel, Market, User
from regions.problems import Refusal
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet

pytestmark = pytest.mark.django_db


def standing(candidate: Candidate) -> tuple[str, bool, bool]:
    """State, whether by the lists alone, and whether it is held."""
    candidate.refresh_from_db()
    return candidate.state, candidate.blocked_by_lists, candidate.held


def refused(kind: str, value: str, by: User, **more: Any) -> tuple[str, int, str]:
    with pytest.raises(Refusal) as refusal:
        operations.lay_block(kind, value, by=by, **more)
    return refusal.value.code, refusal.value.status, refusal.value.field


BLOCKED, WAITING, LIVE = (State.BLOCKED, True, False), (State.PENDING, False, False), (State.APPROVED, False, False)


# --- what is live ------------------------------------------------------------------------------------------------


def test_live_and_scheduled_hits_are_blocked_in_the_same_act(chief: User, de_politics: Channel) -> None:
    live = make_candidate(de_politics, "Die Brücke steht", state="approved", slot=1)
    soon = timezone.now() + timedelta(days=9)
    later = make_candidate(channel_of("nl", "sport"), "De BRUCKE komt", state="approved", go_live_at=soon)
    other = make_candidate(de_politics, "Der Brückenbauer geht", state="approved")
    laid = operations.lay_block("term", "brücke", by=chief, reason="legal")
    assert laid.made and laid.act is not None
    assert [standing(one) for one in (live, later, other)] == [BLOCKED, BLOCKED, LIVE]
    decisions = list(laid.act.decision_set.order_by("candidate_id").values("candidate", "by", "verb", "reason"))
    assert decisions == [{"candidate": one.pk, "by": None, "verb": "block", "reason": "legal"} for one in (live, later)]
    assert list(Hit.objects.values_list("candidate", "block", "start", "end").order_by("candidate")) == [
        (live.pk, laid.block.pk, 4, 10),
        (later.pk, laid.block.pk, 3, 9),
    ]
    assert live.slot is None and live.version == 2


def test_only_the_channels_of_its_scope_are_reached(lena: User, de_politics: Channel) -> None:
    here = make_candidate(channel_of("de", "sport"), "Brücke", state="approved")
    there = make_candidate(channel_of("nl", "sport"), "Brücke", state="approved")
    operations.lay_block("term", "brücke", by=lena, market=de_politics.market)
    assert (standing(here), standing(there)) == (BLOCKED, LIVE)
    one, sibling = (make_candidate(channel_of("de", name), "Turm", state="approved") for name in ("politics", "sport"))
    operations.lay_block("term", "turm", by=lena, channel=de_politics)
    assert (standing(one), standing(sibling)) == (BLOCKED, LIVE)


def test_an_exempted_market_keeps_what_a_global_list_blocks(chief: User, de_politics: Channel) -> None:
    spam = BlockList.objects.create(name="spam")
    spam.exempt.add(Market.objects.get(code="nl"), through_defaults={"reason": "asked for"})
    here, there = (make_candidate(channel_of(code, "sport"), "Brücke", state="approved") for code in ("de", "nl"))
    waits = make_candidate(channel_of("nl", "sport"), "Brücke")
    operations.lay_block("term", "brücke", by=chief, block_list=spam)
    operations.carry_blocks(now=timezone.now())
    assert [standing(one) for one in (here, there, waits)] == [BLOCKED, LIVE, WAITING]


def test_every_reached_channel_is_published_anew_and_no_other(chief: User, lena: User, de_politics: Channel) -> None:
    before = dict(Channel.objects.values_list("pk", "revision"))
    operations.lay_block("term", "brücke", by=lena, market=de_politics.market)
    moved = {pk for pk, revision in Channel.objects.values_list("pk", "revision") if revision > before[pk]}
    assert moved == set(de_politics.market.channel_set.values_list("pk", flat=True))


def test_a_hold_removes_nothing_live_and_marks(lena: User, anna: User, de_politics: Channel) -> None:
    live = make_candidate(de_politics, "Brücke", state="approved")
    waits, lapsed = make_candidate(de_politics, "Brücke"), make_candidate(de_politics, "Brücke", state="lapsed")
    looked_at = make_candidate(de_politics, "Brücke")
    laid = operations.lay_block("term", "brücke", by=lena, market=de_politics.market, effect="hold")
    operations.approve(looked_at, by=anna, version=1)
    assert standing(live) == LIVE
    operations.carry_blocks(now=timezone.now())
    marked = [standing(one) for one in (live, waits, lapsed)]
    assert marked == [("approved", False, True), ("pending", False, True), ("lapsed", False, True)]
    assert laid.act is not None
    assert set(laid.act.decision_set.values_list("verb", "by")) == {("hold", None)}
    assert operations.approve(waits, by=anna, version=2).candidate.held is False
    Enforcement.objects.update(horizon=None, place=None)  # another pass
    operations.carry_blocks(now=timezone.now())
    assert standing(waits) == standing(looked_at) == LIVE, "the job marks nothing that somebody looked at"


# --- what waits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("term", "die  NEUE brucke"),
        ("author", "@Lindmark_Bote"),
        ("author", "4711"),
        ("hashtag", "#LINDMARK"),
        ("domain", "https://www.bote.example/x"),
        ("domain", "straße.example"),
        ("tweet", "https://x.com/i/status/77"),
    ],
)
@pytest.mark.parametrize("state", ["pending", "lapsed", "approved"])
def test_the_job_carries_a_block_of_every_kind(kind: str, value: str, state: str, chief: User) -> None:
    links = ("https://news.bote.example/1", "https://STRASSE.example/2")
    entities = {
        "hashtags": [{"start": 28, "end": 37, "tag": "Lindmark"}],
        "urls": [{"start": 0, "end": 1, "url": "u", "expanded_url": link, "display_url": "d"} for link in links],
    }
    author = make_author("Lindmark_Bote", x_id=4711)
    tweet = make_tweet("Die neue Brücke steht, sagt #Lindmark", author=author, first_id=77, wire={"entities": entities})
    old = timezone.now() - timedelta(days=40)
    told = {"approved_at": old} if state == "approved" else {}
    hit = make_candidate(channel_of("ro", "sport"), tweet=tweet, state=state, **told)
    spared = make_candidate(channel_of("ro", "sport"), "Die alte Brücke #Lindmarken bote.examples", state=state, **told)
    for _ in range(201 if state == "approved" else 0):
        make_candidate(channel_of("ro", "sport"), tweet=make_tweet("neu", author=author), state="approved")
    laid = operations.lay_block(kind, value, by=chief)
    before = standing(hit)
    operations.carry_blocks(now=timezone.now())
    assert standing(hit) == BLOCKED
    assert standing(spared) == (state, False, False)
    assert before[0] == (state if kind != "author" else before[0])
    assert Hit.objects.filter(candidate=hit, block=laid.block).count() == 1
    decision = Decision.objects.get(candidate=hit)
    assert (decision.act, decision.by, decision.verb) == (laid.act, None, "block")


def test_what_is_decided_stays_as_it_is(chief: User, anna: User, de_politics: Channel) -> None:
    declined = operations.block(make_candidate(de_politics, "Brücke"), by=anna, version=1).candidate
    gone = make_candidate(de_politics, "Brücke", state="withdrawn")
    operations.lay_block("term", "brücke", by=chief)
    operations.carry_blocks(now=timezone.now())
    assert [standing(one) for one in (declined, gone)] == [("blocked", False, False), ("withdrawn", False, False)]


def test_many_are_carried_in_steps_that_lose_nothing(chief: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.operations.suspects.SLICE", 7)
    monkeypatch.setattr("curation.operations.suspects.AT_ONCE", 3)
    tweets = [make_tweet("Brücke" if n % 2 else "Turm", created_at=timezone.now()) for n in range(20)]
    rows = [make_candidate(channel_of(code, "sport"), tweet=one) for code in ("de", "nl") for one in tweets]
    laid = operations.lay_block("term", "brücke", by=chief)
    for _ in range(2):  # time for three steps, too few for a whole pass: the second goes on where the first one was
        operations.carry_blocks(now=timezone.now(), clock=iter([0, 0, 0, 0, 99]).__next__, seconds=50)
    assert 0 < Candidate.objects.filter(state="blocked").count() < 20
    operations.carry_blocks(now=timezone.now())
    assert {one.pk for one in rows if standing(one) == BLOCKED} == {
        one.pk for one in rows if one.tweet.text == "Brücke"
    }
    assert laid.act is not None and laid.act.decision_set.count() == 20


def test_a_block_that_was_lifted_is_carried_no_further(chief: User, de_politics: Channel) -> None:
    waits = make_candidate(de_politics, "Brücke")
    operations.lift_block(operations.lay_block("term", "brücke", by=chief).block, by=chief)
    operations.carry_blocks(now=timezone.now())
    assert (standing(waits), waits.version) == (WAITING, 1)


# --- what may be named -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("term", "e"), ("term", " \u200b "), ("term", "..."), ("term", "https://"), ("term", "x" * 201),
        ("term", "a\nb"), ("author", "not a name"), ("author", ""), ("domain", "example"), ("domain", "1.2.3.4"),
        ("domain", "t.co"), ("domain", "a b.example"), ("hashtag", "#"), ("hashtag", "a-b"), ("hashtag", "2026"),
        ("tweet", "none"), ("colour", "red"),
    ],
)  # fmt: skip
def test_what_names_nothing_or_everything_is_refused(kind: str, value: str, chief: User) -> None:
    assert refused(kind, value, chief) == ("bad_block", 422, "value")
    assert not Block.objects.exists() and not Act.objects.exists()


@pytest.mark.parametrize("term", ["🚩", "VB", "č š"])
def test_short_terms_that_say_something_are_taken(term: str, chief: User) -> None:
    assert operations.lay_block("term", term, by=chief).block.value == term


def test_an_author_is_stored_by_the_id_that_names_do_not_change(chief: User) -> None:
    make_author("Lindmark_Bote", x_id=4711, name="Bote")
    known = operations.lay_block("author", "@lindmark_bote", by=chief, note="wrote to us").block
    assert (known.value, known.note) == ("4711", "@Lindmark_Bote wrote to us")
    assert operations.lay_block("author", "@Nobody_yet", by=chief).block.value == "nobody_yet"


def test_an_erased_author_stays_blocked_without_a_name(chief: User) -> None:
    make_author("Lindmark_Bote", x_id=4711)
    blocks = [operations.lay_block("author", "4711", by=chief, effect=effect).block for effect in ("hold", "block")]
    type(make_author()).objects.filter(pk=4711).update(username="bote_neu")
    operations.erase_author(4711, by=chief, now=timezone.now())
    found = Block.objects.filter(pk__in=[block.pk for block in blocks])
    assert set(found.values_list("value", "note", "lifted_at")) == {("4711", "[erased]", None)}


@pytest.mark.parametrize(
    ("wish", "refusal"),
    [
        ({"ends_at": timezone.now() - timedelta(seconds=1)}, ("bad_window", 422, "ends_at")),
        ({"effect": "bury"}, ("not_allowed", 422, "effect")),
        ({"reason": "moved"}, ("not_allowed", 422, "reason")),
        ({"note": "a\nb"}, ("bad_words", 422, "note")),
        ({"note": "n" * 501}, ("bad_words", 422, "note")),
    ],
)
def test_bad_settings_are_refused(wish: dict[str, Any], refusal: tuple[str, int, str], chief: User) -> None:
    assert refused("term", "brücke", chief, **wish) == refusal


def test_a_list_of_another_scope_is_refused(chief: User, de_politics: Channel) -> None:
    listed = BlockList.objects.create(name="ours", market=de_politics.market)
    assert refused("term", "brücke", chief, block_list=listed) == ("not_allowed", 422, "block_list")


# --- who may -----------------------------------------------------------------------------------------------------


def test_the_scope_asks_for_the_right(
    vera: User, anna: User, lena: User, eleni: User, chief: User, de_politics: Channel
) -> None:
    scopes: dict[str, dict[str, Any]] = {
        "channel": {"channel": de_politics},
        "market": {"market": de_politics.market},
        "global": {},
    }
    may = {}
    for who in (vera, anna, lena, eleni, chief):
        for scope, where in scopes.items():
            try:
                may[who.username, scope] = operations.lay_block("term", f"{who.username} {scope}", by=who, **where).made
            except operations.ScopeForbidden as refusal:
                assert (refusal.status, refusal.field) == (403, "scope")
    assert sorted(may) == [
        ("anna", "channel"), ("chief", "channel"), ("chief", "global"), ("chief", "market"),
        ("lena", "channel"), ("lena", "market"),
    ]  # fmt: skip


# --- what stands already -----------------------------------------------------------------------------------------


def test_a_block_that_stands_is_not_doubled(lena: User, de_politics: Channel) -> None:
    first = operations.lay_block("term", "Brücke", by=lena, market=de_politics.market)
    again = operations.lay_block("term", "  BRUCKE ", by=lena, market=de_politics.market, effect="hold")
    assert (again.made, again.act, again.block) == (False, None, first.block)
    assert Enforcement.objects.count() == Change.objects.filter(noun="block").count() == 1


@pytest.mark.parametrize(
    "less", [{"effect": "hold"}, {"ends_at": timezone.now() + timedelta(days=1)}, {"lifted_at": timezone.now()}]
)
def test_one_that_does_less_does_not_stand_for_it(less: dict[str, Any], lena: User, de_politics: Channel) -> None:
    make_block("brücke", market=de_politics.market, **less)
    assert operations.lay_block("term", "brücke", by=lena, market=de_politics.market).made


def test_the_log_of_lists_names_it(lena: User, de_politics: Channel) -> None:
    block = operations.lay_block("term", "brücke", by=lena, channel=de_politics, reason="spam").block
    change = Change.objects.get(noun="block", noun_id=block.pk)
    assert (change.by, change.market, change.verb) == (lena, de_politics.market, "add")
    assert change.after == {
        "kind": "term", "value": "brücke", "scope": "channel", "effect": "block", "reason": "spam"
    }  # fmt: skip
    assert BlockExemption.objects.count() == 0
    row = Enforcement.objects.get(block=block)
    assert (row.verb, row.act.by, row.act.verb, row.carried_at) == (Verb.BLOCK, lena, Verb.BLOCK, None)
