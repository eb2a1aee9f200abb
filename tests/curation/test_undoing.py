"""Undo: whole acts, by their author or a lead, for a day."""

from datetime import timedelta

import pytest
from django.http import Http404
from django.utils import timezone

from curation import operations
from curation.access import act_for
from curation.models import Candidate
from regions.models import Block, Channel, Role, User
from regions.problems import Refusal
from tests.cast import make_block, make_candidate, make_user

pytestmark = pytest.mark.django_db


def again(candidate: Candidate) -> Candidate:
    return Candidate.objects.get(pk=candidate.pk)


def test_undo_gives_back_state_slot_window_and_words(anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    until = timezone.now() + timedelta(hours=1)
    operations.pin(candidate, by=anna, version=1, slot=2, until=until, context="Heute Wahl", label="Anzeige")
    before = again(candidate)
    blocked = operations.block(candidate, by=anna, version=2)
    operations.undo(blocked.act, by=anna)
    row = again(candidate)
    assert row.standing() == before.standing()
    assert (row.version, row.context, row.slot) == (4, "Heute Wahl", 2)


def test_undo_of_a_swap_gives_both_slots_back(anna: User, de_politics: Channel) -> None:
    one, two = make_candidate(de_politics), make_candidate(de_politics)
    operations.pin(one, by=anna, version=1, slot=1)
    operations.pin(two, by=anna, version=1, slot=2)
    swapped = operations.pin(two, by=anna, version=2, slot=1, swap=True)
    operations.undo(swapped.act, by=anna)
    assert (again(one).slot, again(two).slot) == (1, 2)


def test_a_slot_retaken_meanwhile_is_not_taken_back(anna: User, ben: User, de_politics: Channel) -> None:
    first, second = make_candidate(de_politics), make_candidate(de_politics)
    operations.pin(first, by=anna, version=1, slot=1)
    blocked = operations.block(first, by=anna, version=2)
    operations.pin(second, by=ben, version=1, slot=1)
    (result,) = operations.undo(blocked.act, by=anna, key="k").results
    assert (again(first).state, again(first).slot, again(second).slot) == ("approved", None, 1)
    assert result.remark == "Its slot was taken meanwhile; it is back unpinned."
    (repeated,) = operations.undo(blocked.act, by=anna, key="k").results
    assert (repeated.status, repeated.remark) == (200, result.remark)


def test_a_candidate_decided_since_is_refused_alone(anna: User, ben: User, de_politics: Channel) -> None:
    one, two = make_candidate(de_politics), make_candidate(de_politics)
    many = operations.decide_many("approve", {one.pk: 1, two.pk: 1}, by=anna)
    operations.block(two, by=ben, version=2)
    assert many.act is not None
    undone = operations.undo(many.act, by=anna)
    assert [result.status for result in undone.results] == [201, 409]
    assert (again(one).state, again(two).state) == ("pending", "blocked")


def test_twice_is_refused_and_a_key_repeats_the_answer(anna: User, de_politics: Channel) -> None:
    done = operations.approve(make_candidate(de_politics), by=anna, version=1)
    undone = operations.undo(done.act, by=anna, key="u")
    assert operations.undo(done.act, by=anna, key="u").act == undone.act
    with pytest.raises(operations.StaleVersion):
        operations.undo(done.act, by=anna)


def test_undo_of_undo_does_it_again(anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    done = operations.approve(candidate, by=anna, version=1)
    undone = operations.undo(done.act, by=anna)
    assert undone.act is not None
    operations.undo(undone.act, by=anna)
    assert (again(candidate).state, again(candidate).version) == ("approved", 4)


def test_others_cannot_but_a_lead_can(anna: User, ben: User, lena: User, bram: User, de_politics: Channel) -> None:
    done = operations.approve(make_candidate(de_politics), by=anna, version=1)
    for stranger, code in ((ben, "permission_denied"), (bram, "not_found")):
        with pytest.raises(Refusal) as refused:
            operations.undo(done.act, by=stranger)
        assert refused.value.code == code
    assert operations.undo(done.act, by=lena).results[0].status == 201


def test_not_after_a_day_and_never_the_systems(anna: User, lena: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    done = operations.approve(candidate, by=anna, version=1)
    with pytest.raises(operations.NotUndoable):
        operations.undo(done.act, by=anna, now=timezone.now() + timedelta(hours=25))
    operations.withdraw([candidate.tweet_id], cause="deleted", now=timezone.now())
    act = candidate.decision_set.order_by("-version")[0].act
    with pytest.raises(operations.NotUndoable):
        operations.undo(act, by=lena)


def test_an_act_over_two_markets_is_known_to_both(
    lena: User, de_politics: Channel, nl_politics: Channel, eleni: User
) -> None:
    clara = make_user("clara", {"de": Role.EDITOR, "nl": Role.EDITOR})
    rows = [make_candidate(nl_politics), make_candidate(de_politics)]
    many = operations.decide_many("approve", {row.pk: 1 for row in rows}, by=clara)
    assert many.act is not None
    act = act_for(lena, many.act.pk, "candidate.decide")
    told = [(result.id, result.status) for result in operations.undo(act, by=lena).results]
    assert told == [(rows[1].pk, 201)], "of the other market not even a number"
    with pytest.raises(Http404):
        act_for(eleni, many.act.pk)


@pytest.mark.parametrize(("verb", "state"), [("block", "approved"), ("block", "pending"), ("reopen", "approved")])
def test_nothing_comes_back_into_a_block_that_was_laid_since(
    verb: str, state: str, anna: User, de_politics: Channel
) -> None:
    candidate = make_candidate(de_politics, "Gewinnspiel in Lindmark", state=state)
    done = operations.decide(verb, candidate, by=anna, version=1)
    make_block("gewinnspiel", market=de_politics.market)
    with pytest.raises(operations.BlockStands):
        operations.undo(done.act, by=anna)
    assert (again(candidate).state, again(candidate).version) == ({"block": "blocked", "reopen": "pending"}[verb], 2)


def test_the_act_s_own_block_goes_with_it(anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, "Gewinnspiel in Lindmark", state="approved")
    also = [{"kind": "term", "value": "gewinnspiel", "scope": "channel"}]
    done = operations.block(candidate, by=anna, version=1, also=also)
    operations.undo(done.act, by=anna)
    assert (again(candidate).state, Block.objects.filter(lifted_at=None).exists()) == ("approved", False)


def test_a_block_alone_is_taken_back_by_its_author_or_a_lead(
    anna: User, ben: User, bram: User, lena: User, de_politics: Channel
) -> None:
    laid = operations.lay_block("term", "gewinnspiel", by=anna, channel=de_politics)
    assert laid.act is not None
    for stranger in (ben, bram):
        with pytest.raises(Refusal) as refused:
            operations.undo(laid.act, by=stranger)
        assert refused.value.code == "permission_denied"
    with pytest.raises(Http404):
        act_for(bram, laid.act.pk)
    assert act_for(lena, laid.act.pk, "candidate.decide") == laid.act
    assert Block.objects.filter(lifted_at=None).exists()
    assert operations.undo(laid.act, by=lena).results == []
    assert not Block.objects.filter(lifted_at=None).exists()


def test_undo_of_a_full_channels_swap_of_a_schedule_and_of_words(anna: User, de_politics: Channel) -> None:
    pins = [make_candidate(de_politics, state="approved", slot=slot) for slot in (1, 2, 3)]
    newcomer = make_candidate(de_politics)
    operations.annotate(newcomer, by=anna, version=1, context="Vorher")
    before = [again(row).standing() for row in (*pins, newcomer)]
    tomorrow = timezone.now() + timedelta(days=1)
    for verb, version, wish in (
        ("pin", 2, {"slot": 2, "swap": True}),
        ("schedule", 4, {"go_live_at": tomorrow}),
        ("annotate", 6, {"context": "Nachher", "label": "Anzeige"}),
    ):
        done = operations.decide(verb, newcomer, by=anna, version=version, **wish)
        assert [again(row).standing() for row in (*pins, newcomer)] != before
        operations.undo(done.act, by=anna)
        assert [again(row).standing() for row in (*pins, newcomer)] == before
