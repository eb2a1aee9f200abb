"""Blocks end: what nothing else blocks waits again, and nothing goes live by it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from curation import operations, tasks
from curation.models import Act, Candidate, Enforcement, Hit, Verb
from regions.models import Block, BlockList, Change, Channel, Market, User
from regions.problems import Refusal
from tests.cast import channel_of, make_block, make_candidate

pytestmark = pytest.mark.django_db
NOW = timezone.now


def states(*rows: Candidate) -> list[str]:
    found = Candidate.objects.in_bulk([row.pk for row in rows])
    return [found[row.pk].state for row in rows]


def carry() -> None:
    operations.carry_blocks(now=NOW())


def blocked_by(by: User, *rows: Candidate, value: str = "brücke") -> Block:
    """A global block that has come to every row."""
    block = operations.lay_block("term", value, by=by).block
    carry()
    assert set(states(*rows)) == {"blocked"}
    return block


def test_what_the_lists_alone_had_blocked_waits_again(chief: User, anna: User, de_politics: Channel) -> None:
    live, waits = make_candidate(de_politics, "Brücke", state="approved", slot=1), make_candidate(de_politics, "Brücke")
    declined = operations.block(make_candidate(de_politics, "Brücke"), by=anna, version=1).candidate
    block = blocked_by(chief, live, waits)
    act = operations.lift_block(block, by=chief)
    assert states(live, waits) == ["blocked", "blocked"], "the job gives back"
    carry()
    assert states(live, waits, declined) == ["pending", "pending", "blocked"]
    live.refresh_from_db()
    assert (live.slot, live.approved_at, live.blocked_by_lists) == (None, None, False)
    assert sorted(act.decision_set.values_list("candidate", "verb", "by")) == sorted(
        [(live.pk, "lift", None), (waits.pk, "lift", None)]
    )
    assert (act.verb, act.by) == (Verb.LIFT, chief)
    block.refresh_from_db()
    assert (block.lifted_by, block.lifted_at) == (chief, act.at)
    assert not Hit.objects.exists()


def test_what_another_block_forbids_stays_and_follows_that_one(chief: User, lena: User, de_politics: Channel) -> None:
    row = make_candidate(de_politics, "Brücke und Turm")
    first = blocked_by(chief, row)
    second = operations.lay_block("term", "turm", by=lena, market=de_politics.market).block
    carry()
    operations.lift_block(first, by=chief)
    carry()
    assert states(row) == ["blocked"]
    assert list(Hit.objects.values_list("block", flat=True)) == [second.pk], "the job of the next lift finds it"
    operations.lift_block(second, by=lena)
    carry()
    assert states(row) == ["pending"]


def test_what_only_it_held_is_held_no_more(chief: User, de_politics: Channel) -> None:
    one, both = make_candidate(de_politics, "Brücke"), make_candidate(de_politics, "Brücke und Turm")
    live = make_candidate(de_politics, "Brücke", state="approved")
    hold = operations.lay_block("term", "brücke", by=chief, effect="hold").block
    operations.lay_block("term", "turm", by=chief, effect="hold")
    carry()
    operations.lift_block(hold, by=chief)
    carry()
    held = [Candidate.objects.get(pk=row.pk).held for row in (one, both, live)]
    assert (held, states(one, both, live)) == ([False, True, False], ["pending", "pending", "approved"])


def test_a_post_without_its_text_stays_blocked(chief: User, de_politics: Channel) -> None:
    row = make_candidate(de_politics, "Brücke")
    block = blocked_by(chief, row)
    operations.withdraw([], cause="deleted", now=NOW())
    type(row.tweet).objects.filter(pk=row.tweet_id).update(purged_at=NOW(), text="", author=None, raw=None)
    operations.lift_block(block, by=chief)
    carry()
    assert states(row) == ["blocked"]


def test_lifting_asks_for_the_right_and_only_once(anna: User, lena: User, de_politics: Channel) -> None:
    block = make_block("brücke", market=de_politics.market)
    with pytest.raises(operations.ScopeForbidden):
        operations.lift_block(block, by=anna)
    operations.lift_block(block, by=lena)
    with pytest.raises(operations.AlreadyLifted) as refusal:
        operations.lift_block(block, by=lena)
    assert refusal.value.status == 409
    assert list(Change.objects.filter(noun="block").values_list("verb", "by")) == [("lift", lena.pk)]


def test_a_block_that_ends_by_itself_gives_back(chief: User, de_politics: Channel) -> None:
    waits = make_candidate(de_politics, "Brücke")
    ends = NOW() + timedelta(hours=2)
    block = operations.lay_block("term", "brücke", by=chief, ends_at=ends).block
    carry()
    assert states(waits) == ["blocked"]
    assert operations.end_blocks(now=ends - timedelta(seconds=1)) == 0
    assert operations.end_blocks(now=ends) == 1
    operations.carry_blocks(now=ends)
    assert states(waits) == ["pending"]
    block.refresh_from_db()
    assert (block.lifted_at, block.lifted_by) == (ends, None)
    act = Act.objects.get(verb=Verb.LIFT)
    assert (act.by, [one.candidate_id for one in act.decision_set.all()]) == (None, [waits.pk])
    assert operations.end_blocks(now=ends) == 0


def test_the_job_ends_what_is_over_and_carries_it(de_politics: Channel) -> None:
    row = make_candidate(de_politics, "Brücke", state="blocked", blocked_by_lists=True)
    over = make_block("brücke", ends_at=NOW() - timedelta(minutes=1))
    Hit.objects.create(candidate=row, block=over)
    tasks.carry_blocks()
    over.refresh_from_db()
    assert (states(row), over.lifted_at is None) == (["pending"], False)


def test_undoing_a_lift_lays_the_block_again(chief: User, anna: User, de_politics: Channel) -> None:
    row, other = make_candidate(de_politics, "Brücke"), make_candidate(de_politics, "Brücke")
    block = blocked_by(chief, row, other)
    act = operations.lift_block(block, by=chief)
    carry()
    operations.approve(row, by=anna, version=3)
    operations.undo(act, by=chief)
    assert states(row, other) == ["blocked", "pending"], "what went live meanwhile is blocked at once"
    carry()
    assert states(row, other) == ["blocked", "blocked"]
    block.refresh_from_db()
    assert (block.lifted_at, block.lifted_by) == (None, None)


# --- exemptions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_list", [False, True])
def test_an_exempted_market_gets_back_and_takes_over_again(
    as_list: bool, chief: User, lena: User, anna: User, de_politics: Channel
) -> None:
    market = de_politics.market
    here, there = (make_candidate(channel_of(code, "politics"), "Brücke") for code in ("de", "nl"))
    held = make_candidate(de_politics, "Turm")
    listed = BlockList.objects.create(name="spam") if as_list else None
    block = operations.lay_block("term", "brücke", by=chief, block_list=listed).block
    operations.lay_block("term", "turm", by=chief, block_list=listed, effect="hold")
    carry()
    entry = listed or block
    act = operations.exempt(entry, market, reason="A name here", by=lena)
    carry()
    assert states(here, there) == ["pending", "blocked"]
    assert Candidate.objects.get(pk=held.pk).held is (not as_list)
    assert (act.verb, act.by, act.decision_set.count()) == (Verb.LIFT, lena, 2 if as_list else 1)
    operations.approve(here, by=anna, version=3)
    back = operations.end_exemption(entry, market, by=lena)
    assert states(here, there) == ["blocked", "blocked"], "live hits at once"
    assert list(back.decision_set.values_list("candidate", "by")) == [(here.pk, None)]
    carry()
    assert Candidate.objects.get(pk=held.pk).held is True
    told = Change.objects.filter(market=market, noun="blocklist" if as_list else "block").order_by("pk")
    assert [change.verb for change in told] == ["exempt", "end_exemption"]


def test_an_exemption_can_be_undone_and_its_end_too(chief: User, lena: User, de_politics: Channel) -> None:
    market = de_politics.market
    row = make_candidate(de_politics, "Brücke")
    block = blocked_by(chief, row)
    first = operations.exempt(block, market, reason="A name here", by=lena)
    carry()
    assert states(row) == ["pending"]
    operations.undo(first, by=lena)
    carry()
    assert (states(row), block.exempt.count()) == (["blocked"], 0)
    operations.exempt(block, market, reason="A name here", by=lena)
    ended = operations.end_exemption(block, market, by=lena)
    operations.undo(ended, by=lena)
    carry()
    assert (states(row), block.blockexemption_set.get().reason) == (["pending"], "A name here")


def test_what_cannot_be_exempted(chief: User, anna: User, lena: User, eleni: User, de_politics: Channel) -> None:
    market, block = de_politics.market, make_block("brücke")
    ours = make_block("turm", market=market)
    for by in (anna, eleni):
        with pytest.raises(operations.ScopeForbidden):
            operations.exempt(block, market, reason="why", by=by)
    with pytest.raises(operations.NotAllowed):
        operations.exempt(ours, market, reason="why", by=lena)
    for reason in ("", "  ", "a\nb", "r" * 201):
        with pytest.raises(operations.BadWords) as refusal:
            operations.exempt(block, market, reason=reason, by=lena)
        assert refusal.value.field == "reason"
    with pytest.raises(operations.NotExempt):
        operations.end_exemption(block, market, by=lena)
    operations.exempt(block, market, reason="why", by=lena)
    with pytest.raises(operations.AlreadyExempt):
        operations.exempt(block, market, reason="why", by=lena)
    operations.exempt(block, Market.objects.get(code="gr"), reason="why", by=eleni)
    assert Enforcement.objects.filter(verb=Verb.LIFT, block=block).count() == 2


def test_undo_leaves_a_block_that_somebody_laid_again_since(anna: User, lena: User, de_politics: Channel) -> None:
    laid = operations.lay_block("term", "Türme", by=anna, channel=de_politics)
    lifted = operations.lift_block(laid.block, by=lena)
    operations.undo(lifted, by=lena)
    assert laid.act is not None
    acts = Act.objects.count()
    with pytest.raises(operations.NotUndoable):
        operations.undo(laid.act, by=anna)
    assert (Block.objects.get().lifted_at, Act.objects.count()) == (None, acts)


def test_what_was_taken_back_is_not_taken_back_again(anna: User, de_politics: Channel) -> None:
    """And leaves no empty act."""
    laid = operations.lay_block("term", "Türme", by=anna, channel=de_politics)
    row = make_candidate(de_politics)
    both = operations.block(row, by=anna, version=1, also=[{"kind": "term", "value": "Brücke", "scope": "channel"}]).act
    for act in filter(None, (laid.act, both)):
        operations.undo(act, by=anna)
        acts = Act.objects.count()
        with pytest.raises(Refusal):
            operations.undo(act, by=anna)
        assert Act.objects.count() == acts
