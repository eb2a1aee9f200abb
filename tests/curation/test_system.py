"""What the system decides by itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Candidate, Decision, Hit, Tweet
from regions.models import Channel
from tests.cast import make_block, make_candidate

pytestmark = pytest.mark.django_db


def test_only_what_waited_too_long_lapses(de_politics: Channel) -> None:
    now = timezone.now()
    old = make_candidate(de_politics, pending_since=now - timedelta(hours=de_politics.pending_hours, seconds=1))
    young = make_candidate(de_politics, pending_since=now - timedelta(hours=de_politics.pending_hours - 1))
    assert operations.lapse_old(now=now) == 1
    assert operations.lapse_old(now=now) == 0
    assert [Candidate.objects.get(pk=row.pk).state for row in (old, young)] == ["lapsed", "pending"]
    decision = Decision.objects.get()
    assert (decision.verb, decision.by, decision.candidate_id) == ("lapse", None, old.pk)


def test_an_edit_takes_what_is_live_back_to_pending(de_politics: Channel) -> None:
    live = make_candidate(de_politics, state="approved", slot=1)
    operations.edit([live.tweet_id], now=timezone.now())
    row = Candidate.objects.get(pk=live.pk)
    assert (row.state, row.slot, row.version) == ("pending", None, 2)


@pytest.mark.parametrize("state", ["blocked", "lapsed", "withdrawn"])
def test_an_edit_leaves_other_states_but_raises_the_version(state: str, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, state=state)
    operations.edit([candidate.tweet_id], now=timezone.now())
    row = Candidate.objects.get(pk=candidate.pk)
    assert (row.state, row.version) == (state, 2)


def edited(channel: Channel, text: str, **fields: Any) -> Candidate:
    """A candidate of a tweet that read "Ein Gewinnspiel, angeblich." and reads otherwise now."""
    candidate = make_candidate(channel, "Ein Gewinnspiel, angeblich.", **fields)
    Tweet.objects.filter(pk=candidate.tweet_id).update(text=text, current_id=candidate.tweet.first_id + 1)
    operations.edit([candidate.tweet_id], now=timezone.now())
    return Candidate.objects.get(pk=candidate.pk)


@pytest.mark.parametrize("state", ["pending", "approved", "blocked", "lapsed", "withdrawn"])
def test_search_finds_the_words_after_an_edit(state: str, de_politics: Channel) -> None:
    row = edited(de_politics, "Die Brücke &amp; der Rat.", state=state)
    found = [Candidate.objects.holding_words(words).filter(pk=row.pk).exists() for words in ("Brücke", "Gewinnspiel")]
    assert found == [True, False]
    assert "& der" in row.folded


@pytest.mark.parametrize("state", ["pending", "approved"])
def test_an_edit_that_the_lists_block_is_blocked(state: str, de_politics: Channel, nl_politics: Channel) -> None:
    block = make_block("Wucher", market=de_politics.market)
    slot = 1 if state == "approved" else None
    row = edited(de_politics, "Das ist Wucher.", state=state, slot=slot)
    told = (row.state, row.blocked_by_lists, row.held, row.slot, row.approved_at, row.version)
    assert told == ("blocked", True, False, None, None, 2)
    assert [(hit.block_id, hit.start, hit.end) for hit in row.hit_set.all()] == [(block.pk, 8, 14)]
    assert edited(nl_politics, "Das ist Wucher.", state=state).state == "pending"


def test_an_edit_that_the_lists_hold_waits_and_is_held(de_politics: Channel) -> None:
    make_block("Wucher", effect="hold")
    row = edited(de_politics, "Das ist Wucher.", state="approved")
    assert (row.state, row.blocked_by_lists, row.held, row.hit_set.count()) == ("pending", False, True, 1)


def test_what_an_edit_took_out_is_no_hit_any_more(de_politics: Channel) -> None:
    old, moved = make_block("angeblich", effect="hold"), make_block("Gewinnspiel", effect="hold")
    candidate = make_candidate(de_politics, "Ein Gewinnspiel, angeblich.", held=True)
    for block, start, end in ((old, 17, 26), (moved, 4, 15)):
        Hit.objects.create(candidate=candidate, block=block, start=start, end=end)
    Tweet.objects.filter(pk=candidate.tweet_id).update(text="Das Gewinnspiel.", current_id=candidate.tweet.first_id + 1)
    operations.edit([candidate.tweet_id], now=timezone.now())
    assert list(Hit.objects.values_list("block", "start", "end")) == [(moved.pk, 4, 15)]
    moved.delete()
    operations.edit([candidate.tweet_id], now=timezone.now())
    candidate.refresh_from_db()
    assert (candidate.held, Hit.objects.count()) == (False, 0)


@pytest.mark.parametrize("state", ["blocked", "lapsed", "withdrawn"])
def test_an_edit_makes_the_lists_decide_nothing_that_was_decided(state: str, de_politics: Channel) -> None:
    make_block("Wucher")
    row = edited(de_politics, "Das ist Wucher.", state=state)
    assert (row.state, row.blocked_by_lists, row.hit_set.count()) == (state, False, 1)


@pytest.mark.parametrize("state", ["pending", "approved", "blocked", "lapsed"])
def test_what_is_gone_is_withdrawn_everywhere(state: str, de_politics: Channel, nl_politics: Channel) -> None:
    candidate = make_candidate(de_politics, state=state)
    there = make_candidate(nl_politics, tweet=candidate.tweet)
    operations.withdraw([candidate.tweet_id], cause="deleted", now=timezone.now())
    assert {row.state for row in Candidate.objects.filter(pk__in=[candidate.pk, there.pk])} == {"withdrawn"}
    assert set(Decision.objects.values_list("reason", flat=True)) == {"deleted"}
