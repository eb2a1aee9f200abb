"""A lead's rule approves by itself: the posts of a named account, and nothing else."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Candidate, Decision, IngestRun, Tweet
from curation.operations.ruling import reason_of
from curation.x.simulator import Simulator
from regions.models import Block, Channel, Source, User
from tests.cast import make_author, make_block, make_candidate, make_tweet
from tests.curation.ingest import conftest as ingest

pytestmark = pytest.mark.django_db
x, ask, source_of, read = ingest.x, ingest.ask, ingest.source_of, ingest.read
Wait = Callable[..., Candidate]


@pytest.fixture
def source(de_politics: Channel) -> Source:
    return Source.objects.create(kind=Source.Kind.ACCOUNT, value="@Rathaus", auto_approve=True, channel=de_politics)


@pytest.fixture
def wait(source: Source, de_politics: Channel) -> Wait:
    """A candidate that the source brought a minute ago."""
    author = make_author("rathaus")

    def make(text: str = "Der Rat tagt heute.", **fields: Any) -> Candidate:
        tweet = make_tweet(text, author=fields.pop("author", author))
        return make_candidate(de_politics, tweet=tweet, **{"source": source} | fields)

    return make


def ruled(source: Source, **fields: Any) -> int:
    return operations.approve_by_rule(source, now=timezone.now(), **fields)


def test_what_the_account_posts_is_approved_by_nobody_in_the_rules_name(source: Source, wait: Wait) -> None:
    candidate = wait()
    assert ruled(source) == 1
    candidate.refresh_from_db()
    decision = Decision.objects.get()
    assert (candidate.state, candidate.version) == ("approved", 2)
    assert (decision.verb, decision.by, decision.act.by, decision.reason) == ("approve", None, None, reason_of(source))
    assert decision.before["state"] == "pending" and decision.after["state"] == "approved"


def test_twice_is_once(source: Source, wait: Wait) -> None:
    wait()
    assert [ruled(source), ruled(source)] == [1, 0]
    assert Decision.objects.count() == 1


def test_what_an_editor_touched_is_the_editors(anna: User, source: Source, wait: Wait) -> None:
    candidate = wait()
    operations.annotate(candidate, by=anna, version=1, context="Wait for the second source.")
    assert ruled(source) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "blocked"},
        {"state": "lapsed"},
        {"held": True},
        {"hidden": True},
        {"arrived_at": timezone.now() - timedelta(hours=2)},
        {"version": 2},
        {"source": None},
    ],
)
def test_what_the_rule_leaves(fields: dict[str, Any], source: Source, wait: Wait) -> None:
    wait(**fields)
    assert ruled(source) == 0


def test_posts_of_others_that_it_repeats_are_left(source: Source, wait: Wait) -> None:
    wait(author=make_author("someone_else"))
    assert ruled(source) == 0
    Source.objects.filter(pk=source.pk).update(x_id="77")
    source.refresh_from_db()
    wait()
    wait(author=make_author("renamed", x_id=77))
    assert ruled(source) == 1


@pytest.mark.parametrize("kind", [Source.Kind.LIST, Source.Kind.SEARCH, Source.Kind.STREAM])
def test_only_named_accounts_have_such_a_rule(kind: str, source: Source, wait: Wait) -> None:
    wait()
    Source.objects.filter(pk=source.pk).update(kind=kind)
    source.refresh_from_db()
    assert ruled(source) == 0


def test_a_rule_switched_off_while_it_ran_approves_nothing(source: Source, wait: Wait) -> None:
    wait()
    Source.objects.filter(pk=source.pk).update(auto_approve=False)
    assert source.auto_approve
    assert ruled(source) == 0


def test_a_rule_is_no_second_pair_of_eyes(source: Source, wait: Wait, de_politics: Channel) -> None:
    candidate = wait()
    Channel.objects.filter(pk=de_politics.pk).update(second_pair=True)
    assert ruled(source) == 0
    candidate.refresh_from_db()
    assert (candidate.state, candidate.confirmed_by, candidate.version) == ("pending", None, 1)


@pytest.mark.parametrize("effect", Block.Effect.values)
def test_a_block_that_came_since_stands_first(effect: str, source: Source, wait: Wait) -> None:
    wait("Gewinnspiel im Rathaus")
    make_block("gewinnspiel", effect=effect)
    assert ruled(source) == 0


def test_what_x_withholds_is_left(source: Source, wait: Wait) -> None:
    Tweet.objects.filter(pk=wait().tweet_id).update(withheld_in=["DE"])
    assert ruled(source) == 0


def test_reading_an_account_approves_what_it_posts(
    x: Simulator, source_of: Callable[..., Source], read: Callable[..., IngestRun]
) -> None:
    source = source_of(Source.Kind.ACCOUNT, "rathaus", auto_approve=True)
    x.post("rathaus", text="Der Rat hat die neue Brücke beschlossen.")
    read(source)
    assert list(Candidate.objects.values_list("state", flat=True)) == ["approved"]
    assert Decision.objects.get().reason == reason_of(source)
