"""What the system decides by itself."""

from datetime import timedelta

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Candidate, Decision
from regions.models import Channel
from tests.cast import make_candidate

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


@pytest.mark.parametrize("state", ["pending", "approved", "blocked", "lapsed"])
def test_what_is_gone_is_withdrawn_everywhere(state: str, de_politics: Channel, nl_politics: Channel) -> None:
    candidate = make_candidate(de_politics, state=state)
    there = make_candidate(nl_politics, tweet=candidate.tweet)
    operations.withdraw([candidate.tweet_id], cause="deleted", now=timezone.now())
    assert {row.state for row in Candidate.objects.filter(pk__in=[candidate.pk, there.pk])} == {"withdrawn"}
    assert set(Decision.objects.values_list("reason", flat=True)) == {"deleted"}
