"""Jobs: safe to run twice, and to run late."""

from datetime import timedelta

import pytest
from django.utils import timezone

from curation.models import Candidate, IdempotencyKey, State
from curation.tasks import forget_old_keys, lapse_old_candidates, poll_source
from regions.models import Channel, User
from tests.cast import make_candidate

pytestmark = pytest.mark.django_db


def test_old_keys_are_forgotten_and_others_kept(anna: User) -> None:
    now = timezone.now()
    for days in (6, 8):
        IdempotencyKey.objects.create(user=anna, key=str(days), body_hash="", created_at=now - timedelta(days=days))
    forget_old_keys()
    forget_old_keys()
    assert [key.key for key in IdempotencyKey.objects.all()] == ["6"]


def test_old_candidates_lapse(de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, pending_since=timezone.now() - timedelta(days=30))
    lapse_old_candidates()
    lapse_old_candidates()
    found = Candidate.objects.get(pk=candidate.pk)
    assert (found.state, found.version) == (State.LAPSED, 2)


def test_a_source_that_is_gone_is_no_error() -> None:
    poll_source(source_id=4711)
