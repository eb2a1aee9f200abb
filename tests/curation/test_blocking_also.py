"""Blocks that a verb lays beside it: one act with the candidate's decision, and one undo for both."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Act, Candidate, Hit, State
from regions.models import Block, Channel, User
from regions.problems import Refusal
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet

pytestmark = pytest.mark.django_db


def also(kind: str, value: str = "", scope: str = "channel") -> list[dict[str, str]]:
    return [{"kind": kind, "scope": scope} | ({"value": value} if value else {})]


def states(*rows: Candidate) -> list[str]:
    found = Candidate.objects.in_bulk([row.pk for row in rows])
    return [found[row.pk].state for row in rows]


def by_one_author(channel: Channel, count: int, **fields: Any) -> list[Candidate]:
    author = make_author("Lindmark_Bote", x_id=4711)
    return [make_candidate(channel, tweet=make_tweet(f"Nr. {n}", author=author), **fields) for n in range(count)]


def test_the_author_is_blocked_with_the_post(anna: User, de_politics: Channel) -> None:
    seen, waits, live = by_one_author(de_politics, 3)
    live = operations.approve(live, by=anna, version=1).candidate
    outcome = operations.block(seen, by=anna, version=1, reason="spam", also=also("author"))
    block = Block.objects.get()
    assert (block.kind, block.value, block.note, block.reason) == ("author", "4711", "@Lindmark_Bote", "spam")
    assert (block.channel, block.market, block.created_by) == (de_politics, None, anna)
    assert states(seen, waits, live) == ["blocked", "pending", "blocked"]
    operations.carry_blocks(now=timezone.now())
    assert states(seen, waits, live) == ["blocked", "blocked", "blocked"]
    log = list(outcome.act.decision_set.order_by("id").values_list("candidate", "by", "after__blocked_by_lists"))
    assert log == [(seen.pk, anna.pk, False), (live.pk, None, True), (waits.pk, None, True)]


def test_a_scope_reaches_other_channels(lena: User, chief: User, de_politics: Channel) -> None:
    sport, abroad = (make_candidate(channel_of(code, "sport"), "Brücke", state="approved") for code in ("de", "nl"))
    operations.block(make_candidate(de_politics), by=lena, version=1, also=also("term", "brücke", "market"))
    assert states(sport, abroad) == ["blocked", "approved"]
    operations.block(make_candidate(de_politics), by=chief, version=1, also=also("term", "brücke", "global"))
    assert states(sport, abroad) == ["blocked", "blocked"]


@pytest.mark.parametrize(
    ("who", "allowed"),
    [("anna", {"channel"}), ("lena", {"channel", "market"}), ("chief", {"channel", "market", "global"})],
)
def test_the_scope_asks_for_the_right(
    who: str, allowed: set[str], anna: User, lena: User, chief: User, de_politics: Channel
) -> None:
    by = {"anna": anna, "lena": lena, "chief": chief}[who]
    for scope in ("channel", "market", "global"):
        row = make_candidate(de_politics)
        if scope in allowed:
            operations.block(row, by=by, version=1, also=also("term", f"wort {scope}", scope))
            continue
        with pytest.raises(operations.ScopeForbidden) as refusal:
            operations.block(row, by=by, version=1, also=also("term", f"wort {scope}", scope))
        assert (refusal.value.status, refusal.value.field) == (403, "also")
        assert states(row) == ["pending"]
    assert {block.scope for block in Block.objects.all()} == allowed


@pytest.mark.parametrize(
    "bad",
    [
        also("term", "e"), also("term", "\u200b\u200b"), also("domain", "lindmark"), also("hashtag", "#?"),
        also("tweet", "77"), also("colour", "red"), also("term"), also("term", "brücke", "world"),
        also("author", "no name"), also("term", "x" * 201),
    ],
)  # fmt: skip
def test_what_cannot_be_blocked_is_refused_and_nothing_is_done(
    bad: list[dict[str, str]], chief: User, de_politics: Channel
) -> None:
    row = make_candidate(de_politics)
    with pytest.raises(Refusal) as refusal:
        operations.block(row, by=chief, version=1, also=bad)
    assert (refusal.value.status, refusal.value.field) == (422, "also")
    assert str(refusal.value.detail).endswith(".")
    assert states(row) == ["pending"] and not Block.objects.exists() and not Act.objects.exists()


def test_a_bulk_lays_one_block_for_all_that_ask_for_the_same(anna: User, de_politics: Channel) -> None:
    rows = [*by_one_author(de_politics, 3), make_candidate(de_politics), make_candidate(channel_of("de", "sport"))]
    live = make_candidate(de_politics, tweet=make_tweet(author=rows[0].tweet.author), state="approved")
    many = operations.decide_many(
        "block", {row.pk: 1 for row in rows}, by=anna, also=[*also("author"), *also("term", "Nr.")]
    )
    assert [result.status for result in many.results] == [201] * 5
    laid = sorted(Block.objects.values_list("kind", "value", "channel__category__slug"))
    authors = [str(row.tweet.author.x_id) for row in rows[3:]]
    assert laid == sorted(
        [("author", "4711", "politics"), ("author", authors[0], "politics"), ("author", authors[1], "sport"),
         ("term", "Nr.", "politics"), ("term", "Nr.", "sport")]
    )  # fmt: skip
    assert states(*rows, live) == ["blocked"] * 6
    assert Act.objects.count() == 1


def test_one_that_is_refused_lays_nothing(anna: User, de_politics: Channel) -> None:
    stale, fresh = make_candidate(de_politics), make_candidate(de_politics)
    many = operations.decide_many("block", {stale.pk: 7, fresh.pk: 1}, by=anna, also=also("author"))
    assert [result.status for result in many.results] == [409, 201]
    assert [block.value for block in Block.objects.all()] == [str(fresh.tweet.author.x_id)]


def test_a_block_that_stands_already_is_used_and_told(anna: User, de_politics: Channel) -> None:
    stood = make_block("Türme", channel=de_politics)
    row = make_candidate(de_politics)
    many = operations.decide_many("block", {row.pk: 1}, by=anna, also=also("term", "TURME"))
    assert many.results[0].remark == "Blocked already: Türme."
    assert list(Block.objects.all()) == [stood]
    assert many.act is not None
    operations.undo(many.act, by=anna)
    assert Block.objects.get().lifted_at is None, "undo lifts only what the act laid"


def test_it_is_told_what_went_off_the_feeds(chief: User, api: Any, de_politics: Channel) -> None:
    """How many live posts, and in which channels; a repeat by its key tells the same."""
    seen = make_candidate(de_politics)
    for channel, count in ((de_politics, 2), (channel_of("de", "sport"), 1), (channel_of("nl", "sport"), 1)):
        for _n in range(count):
            make_candidate(channel, "Die Brücke", state="approved")
    make_candidate(de_politics, "Die Brücke")
    sent = {"verb": "block", "version": 1, "also": also("term", "brücke", "global")}
    remarks = [
        api(chief).post(
            f"/api/v1/candidates/{seen.pk}/decisions/", sent, format="json",
            headers={"Idempotency-Key": "k", "Accept-Language": "en"},
        ).json()["remark"]
        for _ in "ab"
    ]  # fmt: skip
    assert remarks == ["It took 4 live posts out: Politics 2, Sport 1, NL Sport 1."] * 2


def test_a_bulk_tells_it_once_beside_what_stood_already(anna: User, de_politics: Channel) -> None:
    make_block("Türme", channel=de_politics)
    one, two, three = by_one_author(de_politics, 3)
    live = make_candidate(de_politics, tweet=make_tweet("Brücke", author=one.tweet.author), state="approved")
    many = operations.decide_many(
        "block", {one.pk: 1, two.pk: 1}, by=anna,
        also=[*also("term", "Türme"), *also("author"), *also("term", "Brücke")],
    )  # fmt: skip
    stood = "Blocked already: Türme."
    assert [result.remark for result in many.results] == [f"{stood} It took 1 live post out: Politics 1.", stood]
    assert states(live, three) == ["blocked", "pending"]


def test_the_desk_tells_it_with_and_without_script(anna: User, browse: Any, de_politics: Channel) -> None:
    told = "It took 1 live post out: Politics 1."
    for headers in ({"HX-Request": "true"}, {}):
        seen = make_candidate(de_politics)
        make_candidate(de_politics, tweet=make_tweet(author=seen.tweet.author), state="approved")
        sent = {"verb": "block", "version": 1, "also": "author:channel:"}
        address = f"/desk/de/politics/candidates/{seen.pk}/"
        answer = browse(anna).post(address, sent, headers=headers, follow=True).content.decode()
        assert told in answer


def test_undo_takes_back_the_whole_act(anna: User, de_politics: Channel) -> None:
    seen, waits, live, pinned = by_one_author(de_politics, 4)
    operations.approve(live, by=anna, version=1, context="Dazu")
    operations.pin(pinned, by=anna, version=1, slot=2)
    act = operations.block(seen, by=anna, version=1, also=also("author")).act
    operations.carry_blocks(now=timezone.now())
    arrived = by_hand_of_ingest(de_politics, seen)
    operations.undo(act, by=anna)
    assert states(seen, waits, live, pinned, arrived) == ["pending", "blocked", "approved", "approved", "blocked"]
    operations.carry_blocks(now=timezone.now())
    assert states(seen, waits, live, pinned, arrived) == ["pending", "pending", "approved", "approved", "pending"]
    pinned.refresh_from_db()
    live.refresh_from_db()
    assert (pinned.slot, live.context) == (2, "Dazu")
    block = Block.objects.get()
    assert (block.lifted_by, block.lifted_at is None) == (anna, False)
    assert not Hit.objects.exists()


def by_hand_of_ingest(channel: Channel, like: Candidate) -> Candidate:
    """A later post of the same author, as ingest stores what the lists block: no decision, a hit."""
    tweet = make_tweet("Danach", author=like.tweet.author)
    row = make_candidate(channel, tweet=tweet, state=State.BLOCKED, blocked_by_lists=True)
    Hit.objects.create(candidate=row, block=Block.objects.get())
    return row


def test_undo_leaves_alone_what_was_decided_since(anna: User, ben: User, de_politics: Channel) -> None:
    seen, live, waits = by_one_author(de_politics, 3)
    operations.approve(live, by=anna, version=1)
    act = operations.block(seen, by=anna, version=1, also=also("author")).act
    operations.carry_blocks(now=timezone.now())
    Block.objects.update(lifted_at=timezone.now())
    operations.reopen(live, by=ben, version=3)
    operations.reopen(waits, by=ben, version=2)
    operations.block(waits, by=ben, version=3)
    Block.objects.update(lifted_at=None)
    many = operations.undo(act, by=anna)
    assert {result.id: result.status for result in many.results} == {seen.pk: 201, live.pk: 409}
    operations.carry_blocks(now=timezone.now())
    assert states(seen, live, waits) == ["pending", "pending", "blocked"]


def test_nothing_goes_live_by_undo_that_another_block_forbids(anna: User, chief: User, de_politics: Channel) -> None:
    seen, live, waits = by_one_author(de_politics, 3)
    operations.approve(live, by=anna, version=1)
    act = operations.block(seen, by=anna, version=1, also=also("author")).act
    operations.carry_blocks(now=timezone.now())
    operations.lay_block("author", "4711", by=chief)
    many = operations.undo(act, by=anna)
    assert {result.id: result.status for result in many.results} == {seen.pk: 422, live.pk: 422}
    assert {result.problem["code"] for result in many.results if result.problem} == {"block_stands"}
    operations.carry_blocks(now=timezone.now())
    assert states(seen, live, waits) == ["blocked"] * 3
    assert list(Block.objects.filter(lifted_at=None).values_list("channel", flat=True)) == [None]


def test_a_lead_needs_the_rights_of_the_act(lena: User, chief: User, de_politics: Channel) -> None:
    act = operations.block(make_candidate(de_politics), by=chief, version=1, also=also("author", scope="global")).act
    with pytest.raises(operations.BlockStands):
        operations.undo(act, by=lena)
    assert Block.objects.get().lifted_at is None
    operations.undo(act, by=chief)
    assert Block.objects.get().lifted_at is not None


def test_the_refusal_names_the_block_its_scope_and_who(anna: User, lena: User, de_politics: Channel) -> None:
    row = by_one_author(de_politics, 1)[0]
    operations.lay_block("author", "Lindmark_Bote", by=lena, market=de_politics.market, reason="legal")
    for verb in ("approve", "pin"):
        with pytest.raises(operations.BlockStands) as refusal:
            operations.decide(verb, row, by=anna, version=1)
        told = refusal.value.problem()
        assert told["detail"] == "author @Lindmark_Bote is blocked in this market by lena. A lead can lift the block."
        assert told["block"]["scope"] == "market" and told["block"]["reason"] == "legal" and told["by"] == "lena"


@pytest.mark.parametrize("first_undone", [0, 1], ids=["the first goes first", "the second goes first"])
def test_an_author_whom_two_blocked_is_blocked_until_both_took_it_back(
    anna: User, ben: User, de_politics: Channel, first_undone: int
) -> None:
    one, two, live = by_one_author(de_politics, 3)
    live = operations.approve(live, by=anna, version=1).candidate
    acts = [
        (operations.block(one, by=anna, version=1, also=also("author")).act, anna),
        (operations.block(two, by=ben, version=1, also=also("author")).act, ben),
    ]
    operations.carry_blocks(now=timezone.now())
    (act, by), (other, other_by) = acts[first_undone], acts[1 - first_undone]
    many = operations.undo(act, by=by)
    assert {result.refusal.code for result in many.results if result.refusal} == {"block_stands"}
    assert len(many.results) == len([result for result in many.results if result.refusal])
    assert (Block.objects.get().lifted_at, states(one, two, live)) == (None, ["blocked"] * 3)
    operations.undo(other, by=other_by)
    assert Block.objects.get().lifted_at is not None
    operations.carry_blocks(now=timezone.now())
    operations.carry_blocks(now=timezone.now())
    stands = {0: ["blocked", "pending", "pending"], 1: ["pending", "blocked", "approved"]}[first_undone]
    assert states(one, two, live) == stands
    operations.undo(act, by=by)  # what was refused is asked for once more
    assert states(one, two)[first_undone] == "pending"


def test_a_wish_that_was_taken_back_and_then_not_holds_again(anna: User, ben: User, de_politics: Channel) -> None:
    one, two = by_one_author(de_politics, 2)
    first = operations.block(one, by=anna, version=1, also=also("author")).act
    second = operations.block(two, by=ben, version=1, also=also("author")).act
    withdrawn = operations.undo(first, by=anna).act
    assert withdrawn is not None
    with pytest.raises(Refusal):
        operations.undo(withdrawn, by=anna)  # it changed nothing that could be done again
    operations.undo(second, by=ben)
    assert Block.objects.get().lifted_at is not None


def test_undo_can_itself_be_taken_back_and_that_again(anna: User, de_politics: Channel) -> None:
    """The block is laid again, and finds its own post live; then the post is blocked as it was, by the same act."""
    (live,) = by_one_author(de_politics, 1)
    live = operations.approve(live, by=anna, version=1).candidate
    act = operations.block(live, by=anna, version=2, reason="spam", also=also("author")).act
    told = []
    for _turn in range(3):
        done = operations.undo(act, by=anna)
        assert done.act is not None
        row, act = Candidate.objects.get(), done.act
        told.append((row.state, row.blocked_by_lists, row.approved_at == live.approved_at))
        told.append(Block.objects.get().lifted_at is None)
    approved, blocked = ("approved", False, True), ("blocked", False, False)
    assert told == [approved, False, blocked, True, approved, False]
    assert [one.version for one in Candidate.objects.get().decision_set.order_by("pk")] == [2, 3, 4, 5, 6, 7]


def test_undo_told_again_tells_the_same(anna: User, de_politics: Channel) -> None:
    """The job blocked others by the author's block, and gives them back: neither is told of the undo."""
    seen, _waits = by_one_author(de_politics, 2)
    act = operations.block(seen, by=anna, version=1, reason="spam", also=also("author")).act
    operations.carry_blocks(now=timezone.now())
    told, again = (operations.undo(act, by=anna, key="u") for _ in range(2))
    assert told.act == again.act
    assert [one.id for one in told.results] == [one.id for one in again.results] == [seen.pk]
