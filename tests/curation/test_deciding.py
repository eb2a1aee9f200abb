"""The editors' verbs: what each does, and what is refused."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from curation import operations
from curation.models import Act, Candidate, Decision, State, Tweet
from curation.operations.record import Record
from regions.models import Block, Channel, User
from regions.problems import Refusal
from tests.cast import make_block, make_candidate

pytestmark = pytest.mark.django_db


def again(candidate: Candidate) -> Candidate:
    return Candidate.objects.get(pk=candidate.pk)


def test_approve_writes_state_version_act_decision_and_revision(anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    done = operations.approve(candidate, by=anna, version=1)
    row = again(candidate)
    assert (row.state, row.version, row.approved_at is not None) == (State.APPROVED, 2, True)
    assert (done.decision.verb, done.decision.version, done.decision.by) == ("approve", 2, anna)
    assert done.decision.before["state"] == "pending" and done.decision.after["state"] == "approved"
    assert done.decision.text_hash == candidate.tweet.text_hash
    assert Channel.objects.get(pk=de_politics.pk).revision == 1


def test_a_stale_version_is_refused_and_told_by_whom(anna: User, ben: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.approve(candidate, by=anna, version=1)
    with pytest.raises(operations.StaleVersion) as refused:
        operations.block(candidate, by=ben, version=1, reason="spam")
    assert refused.value.more["by"] == "Anna Amsel"
    assert refused.value.more["verb"] == "approve"
    assert refused.value.candidate.version == 2
    assert (again(candidate).state, Decision.objects.count(), Act.objects.count()) == (State.APPROVED, 1, 1)


def test_a_missing_version_is_refused(anna: User, de_politics: Channel) -> None:
    with pytest.raises(operations.VersionRequired):
        operations.approve(make_candidate(de_politics), by=anna, version=None)


ALLOWED = {
    "approve": {State.PENDING, State.LAPSED},
    "pin": {State.PENDING, State.LAPSED, State.APPROVED},
    "unpin": set(),
    "block": {State.PENDING, State.LAPSED, State.APPROVED},
    "reopen": {State.APPROVED, State.BLOCKED, State.LAPSED},
}


@pytest.mark.parametrize("state", State.values)
@pytest.mark.parametrize("verb", ALLOWED)
def test_each_cell_of_the_table(verb: str, state: str, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, state=state)
    if state in ALLOWED[verb]:
        operations.decide(verb, candidate, by=anna, version=1)
        assert again(candidate).version == 2
    else:
        with pytest.raises(operations.NotAllowed):
            operations.decide(verb, candidate, by=anna, version=1)
        assert (again(candidate).state, again(candidate).version) == (state, 1)


def test_pin_takes_the_first_free_slot_and_approves(anna: User, de_politics: Channel) -> None:
    first, second = make_candidate(de_politics), make_candidate(de_politics)
    operations.pin(first, by=anna, version=1)
    operations.pin(second, by=anna, version=1)
    assert [(row.state, row.slot) for row in (again(first), again(second))] == [
        ("approved", 1),
        ("approved", 2),
    ]


def test_a_taken_slot_is_refused_unless_swapped(anna: User, de_politics: Channel) -> None:
    holder, newcomer = make_candidate(de_politics), make_candidate(de_politics)
    operations.pin(holder, by=anna, version=1, slot=1)
    with pytest.raises(operations.SlotTaken):
        operations.pin(newcomer, by=anna, version=1, slot=1)
    done = operations.pin(newcomer, by=anna, version=1, slot=1, swap=True)
    assert (again(newcomer).slot, again(holder).slot, again(holder).state) == (1, None, "approved")
    assert {d.verb for d in done.act.decision_set.all()} == {"pin", "unpin"}


def test_two_pins_swap_their_slots(anna: User, de_politics: Channel) -> None:
    one, two = make_candidate(de_politics), make_candidate(de_politics)
    operations.pin(one, by=anna, version=1, slot=1)
    operations.pin(two, by=anna, version=1, slot=2)
    operations.pin(two, by=anna, version=2, slot=1, swap=True)
    assert (again(one).slot, again(two).slot) == (2, 1)


def test_a_full_channel_says_so(anna: User, de_politics: Channel) -> None:
    for _ in range(de_politics.slots):
        operations.pin(make_candidate(de_politics), by=anna, version=1)
    with pytest.raises(operations.SlotsFull):
        operations.pin(make_candidate(de_politics), by=anna, version=1)


def test_a_pin_that_ended_gives_its_slot(anna: User, de_politics: Channel) -> None:
    past = timezone.now() - timedelta(minutes=1)
    old = make_candidate(de_politics, state="approved", slot=1, pinned_until=past)
    newcomer = make_candidate(de_politics)
    operations.pin(newcomer, by=anna, version=1, slot=1)
    assert (again(newcomer).slot, again(old).slot, again(old).version) == (1, None, 2)


@pytest.mark.parametrize("slot", [0, 4, 99])
def test_a_slot_the_channel_has_not(slot: int, anna: User, de_politics: Channel) -> None:
    with pytest.raises(operations.NoSuchSlot) as refused:
        operations.pin(make_candidate(de_politics), by=anna, version=1, slot=slot)
    assert refused.value.field == "slot"


def test_block_takes_the_slot_and_keeps_the_reason(anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.pin(candidate, by=anna, version=1)
    done = operations.block(candidate, by=anna, version=2, reason="spam", note="third today")
    assert (again(candidate).state, again(candidate).slot) == ("blocked", None)
    assert (done.decision.reason, done.act.note.words) == ("spam", "third today")


def test_windows_and_words_are_checked(anna: User, de_politics: Channel) -> None:
    candidate, now = make_candidate(de_politics), timezone.now()
    for wish, field in (
        ({"expire_at": now - timedelta(hours=1)}, "expire_at"),
        ({"go_live_at": now + timedelta(hours=2), "expire_at": now + timedelta(hours=1)}, "expire_at"),
        ({"until": now - timedelta(hours=1)}, "until"),
        ({"context": "x" * 201}, "context"),
        ({"label": "Anzeige\x00"}, "label"),
        ({"reason": "because"}, "reason"),
    ):
        with pytest.raises(Refusal) as refused:
            operations.decide("pin", candidate, by=anna, version=1, **wish)
        assert refused.value.field == field
    assert again(candidate).version == 1


def test_a_block_stands_in_the_way_and_one_that_holds_does_not(anna: User, de_politics: Channel) -> None:
    blocked = make_candidate(de_politics, "Gewinnspiel: jetzt klicken")
    held = make_candidate(de_politics, "Böller am Rathaus", held=True)
    make_block("gewinnspiel")
    make_block("böller", effect=Block.Effect.HOLD)
    with pytest.raises(operations.BlockStands):
        operations.approve(blocked, by=anna, version=1)
    operations.approve(held, by=anna, version=1)
    assert (again(blocked).state, again(held).state, again(held).held) == ("pending", "approved", False)


def test_second_pair_of_eyes(anna: User, ben: User, de_politics: Channel) -> None:
    Channel.objects.filter(pk=de_politics.pk).update(second_pair=True)
    candidate = make_candidate(de_politics)
    operations.approve(candidate, by=anna, version=1)
    assert (again(candidate).state, again(candidate).confirmed_by) == ("pending", anna)
    with pytest.raises(operations.SecondPairNeeded):
        operations.approve(candidate, by=anna, version=2)
    operations.approve(candidate, by=ben, version=2)
    assert again(candidate).state == "approved"


def test_the_same_key_decides_once(anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    first = operations.approve(candidate, by=anna, version=1, key="k-1")
    second = operations.approve(candidate, by=anna, version=1, key="k-1")
    assert (second.act, second.decision, second.repeated) == (first.act, first.decision, True)
    assert Decision.objects.count() == 1
    with pytest.raises(operations.KeyReused):
        operations.block(candidate, by=anna, version=2, key="k-1")


def test_a_refused_request_does_not_use_up_its_key(anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    with pytest.raises(operations.StaleVersion):
        operations.approve(candidate, by=anna, version=7, key="k-2")
    assert operations.approve(candidate, by=anna, version=1, key="k-2").candidate.state == "approved"


def test_bulk_answers_each_for_itself(
    anna: User, bram: User, vera: User, de_politics: Channel, nl_politics: Channel
) -> None:
    one, two, foreign = make_candidate(de_politics), make_candidate(de_politics), make_candidate(nl_politics)
    many = operations.decide_many("approve", {one.pk: 1, two.pk: 5, foreign.pk: 1, 0: 1}, by=anna, key="b")
    assert [result.status for result in many.results] == [201, 409, 404, 404]
    assert [again(row).state for row in (one, two, foreign)] == ["approved", "pending", "pending"]
    repeated = operations.decide_many("approve", {one.pk: 1, two.pk: 5, foreign.pk: 1, 0: 1}, by=anna, key="b")
    assert [result.status for result in repeated.results] == [200, 409, 404, 404]
    assert repeated.act == many.act
    assert [r.status for r in operations.decide_many("block", {one.pk: 2}, by=vera).results] == [403]


def test_more_than_200_at_once_are_refused(anna: User) -> None:
    with pytest.raises(operations.TooMany):
        operations.decide_many("approve", dict.fromkeys(range(1, 202), 1), by=anna)


def test_the_log_cannot_be_changed(anna: User, de_politics: Channel) -> None:
    from django.db import InternalError, transaction

    done = operations.approve(make_candidate(de_politics), by=anna, version=1)
    for row in (done.decision, done.act):
        with pytest.raises(InternalError), transaction.atomic():
            type(row).objects.filter(pk=row.pk).update(verb="block")
        with pytest.raises(InternalError), transaction.atomic():
            type(row).objects.filter(pk=row.pk)._raw_delete(using="default")


def test_the_first_of_two_pairs_of_eyes_displaces_nobody(anna: User, ben: User, de_politics: Channel) -> None:
    holder = make_candidate(de_politics, state="approved", slot=1)
    Channel.objects.filter(pk=de_politics.pk).update(second_pair=True)
    candidate = make_candidate(de_politics)
    operations.approve(candidate, by=anna, version=1, slot=1, swap=True)
    with pytest.raises(operations.SecondPairNeeded):
        operations.approve(candidate, by=anna, version=2, slot=1, swap=True)
    assert (again(holder).slot, again(holder).version, again(candidate).slot) == (1, 1, None)
    operations.approve(candidate, by=ben, version=2, slot=1, swap=True)
    assert (again(holder).slot, again(candidate).slot, again(candidate).state) == (None, 1, "approved")


def test_each_keeps_its_own_until_when_pins_swap(anna: User, de_politics: Channel) -> None:
    at_six, at_nine = (timezone.now() + timedelta(hours=hours) for hours in (6, 9))
    one, two = make_candidate(de_politics), make_candidate(de_politics)
    operations.pin(one, by=anna, version=1, slot=1, until=at_six)
    operations.pin(two, by=anna, version=1, slot=2, until=at_nine)
    operations.pin(two, by=anna, version=2, slot=1, swap=True)
    assert [(again(row).slot, again(row).pinned_until) for row in (one, two)] == [(2, at_six), (1, at_nine)]


def test_a_new_pin_never_begins_with_an_end_that_is_past(anna: User, de_politics: Channel) -> None:
    past = timezone.now() - timedelta(minutes=1)
    holder = make_candidate(de_politics, state="approved", slot=1)
    old = make_candidate(de_politics, state="approved", slot=2, pinned_until=past)
    operations.pin(old, by=anna, version=1, slot=1, swap=True)
    assert (again(old).slot, again(old).pinned_until) == (1, None)
    assert (again(holder).slot, again(holder).pinned_until) == (None, None)
    ended = make_candidate(de_politics, state="approved", slot=3, pinned_until=past)
    operations.pin(ended, by=anna, version=1)
    assert again(ended).pinned_until is None


def test_nothing_is_approved_into_a_window_that_is_over(anna: User, de_politics: Channel) -> None:
    past = timezone.now() - timedelta(minutes=1)
    live = make_candidate(de_politics, state="approved", expire_at=past)
    with pytest.raises(operations.BadWindow):
        operations.pin(live, by=anna, version=1)
    operations.reopen(live, by=anna, version=1)
    assert again(live).expire_at is None
    operations.approve(live, by=anna, version=2)


def test_a_replay_shows_nothing_of_a_market_one_left(anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.decide_many("approve", {candidate.pk: 1}, by=anna, key="k")
    anna.membership_set.all().delete()
    left = User.objects.get(pk=anna.pk)
    (result,) = operations.decide_many("approve", {candidate.pk: 1}, by=left, key="k").results
    assert (result.status, result.candidate) == (404, None)


@pytest.mark.parametrize(("verb", "state"), [("approve", "lapsed"), ("pin", "lapsed"), ("reopen", "blocked")])
def test_nobody_decides_what_retention_emptied(verb: str, state: str, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, state=state)
    Tweet.objects.filter(pk=candidate.tweet_id).update(text="", author=None, purged_at=timezone.now())
    with pytest.raises(operations.NotAllowed) as refused:
        operations.decide(verb, candidate, by=anna, version=1)
    assert "no longer kept" in str(refused.value.detail)
    assert (again(candidate).state, Decision.objects.count()) == (state, 0)


def test_a_slot_asked_for_by_the_first_pair_of_eyes_is_answered_with_a_remark(anna: User, de_politics: Channel) -> None:
    Channel.objects.filter(pk=de_politics.pk).update(second_pair=True)
    rows = [make_candidate(de_politics), make_candidate(de_politics)]
    pinned, repeated = (operations.pin(rows[0], by=anna, version=1, slot=2, key="k") for _ in range(2))
    approved = operations.approve(rows[1], by=anna, version=1)
    said = "It waits for a second approval; who gives it chooses the slot."
    assert (pinned.remark, approved.remark, again(rows[0]).slot) == (said, "", None)
    assert (repeated.repeated, repeated.remark) == (True, said)


def test_what_changed_without_the_lock_is_noticed(anna: User, de_politics: Channel) -> None:
    """The UPDATE itself compares the version: who forgets the lock changes nothing."""
    candidate = make_candidate(de_politics)
    Candidate.objects.filter(pk=candidate.pk).update(version=2)
    with pytest.raises(RuntimeError, match="lock"), transaction.atomic():
        Record("block", by=anna, now=timezone.now()).change(candidate, "block", reason="spam", state=State.BLOCKED)
    assert (again(candidate).state, again(candidate).version) == (State.PENDING, 2)
