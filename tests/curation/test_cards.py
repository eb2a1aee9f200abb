"""The score that a card shows is what sorts the queue, and its parts add up to it; what is empty offers no buttons."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from curation.cards import Card, cards
from curation.models import Candidate, Tweet
from curation.operations.purging import EMPTIED
from curation.ranking import rank
from regions.models import Channel, User
from tests.cast import make_candidate
from tests.curation.test_desk import DESK

pytestmark = pytest.mark.django_db
PARTS = {"source": 10.4, "engagement": 6.4, "similar": -4.4}
NOW = timezone.now()


@pytest.fixture(autouse=True)
def now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def ranked(channel: Channel, hours: float, parts: dict[str, float]) -> Candidate:
    posted = NOW - timedelta(hours=hours)
    return make_candidate(channel, rank=rank(parts, posted, channel), rank_parts=parts)


def test_an_older_post_with_more_points_shows_less(de_politics: Channel, anna: User) -> None:
    """Two hours are a half-life, which is ten points."""
    fresh, old = ranked(de_politics, 1, {"source": 12.0}), ranked(de_politics, 12, {"source": 20.0, "author": 15.0})
    shown = {one.candidate.pk: one for one in cards([old, fresh], anna, de_politics.market)}
    assert (shown[fresh.pk].points, shown[old.pk].points) == (7, -25)
    assert [(str(name), points) for name, points in shown[old.pk].parts] == [
        ("source", 20), ("author", 15), ("freshness", -60)
    ]  # fmt: skip
    assert list(Candidate.objects.order_by("-rank")) == [fresh, old]


@pytest.mark.parametrize("hours", [0, 0.05, 0.31, 3.3, 100])
def test_the_parts_add_up_to_the_score(de_politics: Channel, hours: float) -> None:
    shown = Card(ranked(de_politics, hours, PARTS), may_decide=True)
    assert sum(points for _name, points in shown.parts) == shown.points == round(12.4 - 5 * hours)


def test_what_retention_emptied_can_be_blocked_and_no_more(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, "Fort damit.")
    for empty, offered in ((False, [True, True, True]), (True, [False, False, True])):
        if empty:
            Tweet.objects.update(purged_at=NOW, **EMPTIED)
        said = browse(anna).get(DESK).content.decode()
        assert f'data-candidate="{candidate.pk}"' in said
        assert [f'value="{verb}" aria-keyshortcuts' in said for verb in ("approve", "pin", "block")] == offered
