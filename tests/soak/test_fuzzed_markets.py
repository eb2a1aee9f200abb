"""An editor and a lead of one market find nothing of the others, whatever they ask for: the same 404."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Act, Candidate, Tweet
from feeds.operations import publish
from regions.models import Invitation, Market, Membership, Role, Source, User
from tests.cast import channel_of, make_block, make_candidate, make_user
from tests.soak.sizes import sized
from tests.soak.strangers import Stranger
from tests.states import digest

pytestmark = pytest.mark.django_db
MANY, FEW = sized("SOAK_REQUESTS", short=2_000, whole=10_000, long=50_000), 600


@pytest.fixture
def full(anna: User, lena: User) -> list[int]:
    """Rows of every kind in DE and NL; their ids."""
    for code in ("de", "nl"):
        channel = channel_of(code, "politics")
        rows = [make_candidate(channel) for _ in range(4)]
        by = make_user(f"lead-{code}", {code: Role.LEAD})
        operations.approve(rows[0], by=by, version=1)
        operations.block(rows[1], by=by, version=1)
        make_block("wort", market=channel.market)
        Source.objects.create(kind="account", value="rathaus", channel=channel)
        ends = timezone.now() + timedelta(days=7)
        Invitation.objects.create(market=channel.market, role=Role.VIEWER, created_by=by, digest=code, ends_at=ends)
        publish(channel.market_id)
    nouns = (Candidate, Act, Membership, Source, Invitation, Market)
    ids = {pk for noun in nouns for pk in noun.objects.values_list("pk", flat=True)}
    return sorted(ids | set(Tweet.objects.values_list("current_id", flat=True)))


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.soak)])
def test_nothing_of_another_market_is_read_or_changed(count: int, full: list[int], eleni: User) -> None:
    editor = make_user("maria", {"gr": Role.EDITOR})
    for number, own in enumerate(Membership.objects.filter(market__code="gr"), 10**9):
        Membership.objects.filter(pk=own.pk).update(id=number)  # not asked for by an id that others' rows have
    before = digest()
    asked, wrong = 0, []
    for seed, user in enumerate((eleni, editor)):
        stranger = Stranger(user, random.Random(seed), full)
        asked += stranger.tries(count // 2)
        wrong += stranger.wrong
    assert Counter(wrong) == {}
    assert asked == count
    assert digest() == before
