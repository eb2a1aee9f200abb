"""X's answers that come late: what was asked before a post went says nothing of it, and locks keep their order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.ingest.polling.poll import poll
from curation.ingest.rechecking import waiting
from curation.ingest.rechecking.rechecks import recheck
from curation.models import Author, Candidate, Tweet
from curation.operations.record import lock_channels, one_transaction
from curation.x.client import Door, Page
from curation.x.simulator import Simulator
from regions.models import Channel, Source
from tests.canned import Canned
from tests.cast import make_author, make_candidate, make_tweet
from tests.curation.ingest.test_crossing import Meanwhile, waits_for_a_lock

TIMELINE = "/2/users/5001/tweets"


@pytest.fixture
def kept(x: Simulator, de_politics: Channel) -> Candidate:
    """A post of stadtblatt at X, live in DE politics."""
    account = x.world.account("stadtblatt")
    assert account is not None
    number = int(x.post("stadtblatt", "Der Rat tagt.", at=timezone.now() - timedelta(minutes=20)))
    tweet = make_tweet("Der Rat tagt.", first_id=number, author=make_author("stadtblatt", x_id=account.id))
    return make_candidate(de_politics, tweet=tweet, state="approved")


class Late(Door):
    """A door behind which something happens once X has answered about a timeline."""

    def __init__(self, x: Simulator, happens: Callable[[], Any]) -> None:
        super().__init__(x.base_url, x.token, read_seconds=2)
        self.happens = happens

    def timeline(self, *given: Any, **named: Any) -> Page:
        page = super().timeline(*given, **named)
        self.happens()
        return page


@pytest.mark.django_db
def test_a_page_from_before_a_post_went_brings_nothing_back(
    x: Simulator, ask: Door, kept: Candidate, source_of: Callable[..., Source], read: Callable[..., Any]
) -> None:
    source = source_of(Source.Kind.ACCOUNT, "stadtblatt")

    def deleted() -> None:
        x.delete(kept.tweet.first_id)
        recheck([kept.tweet_id], ask=ask)

    run = poll(source.pk, now=timezone.now(), ask=Late(x, deleted))
    assert run is not None
    assert (run.outcome, run.known) == ("read", 1)
    told = Candidate.objects.values_list("state", "tweet__text", "tweet__gone_cause")
    assert list(told) == [("withdrawn", "", "deleted")]


@pytest.mark.django_db
def test_a_post_went_before_X_answered_not_before_it_was_asked(x: Simulator, ask: Door, kept: Candidate) -> None:
    """A recheck may take a minute; a page that was asked for meanwhile is older than the answer all the same."""
    answered: list[datetime] = []

    class Slow(Door):
        def tweets(self, ids: Any) -> Page:
            page = ask.tweets(ids)
            answered.append(timezone.now())
            return page

    x.delete(kept.tweet.first_id)
    run = recheck([kept.tweet_id], ask=Slow(x.base_url, x.token))
    gone_at = Tweet.objects.get().gone_at
    assert run is not None
    assert gone_at is not None
    assert (gone_at >= answered[0] - timedelta(milliseconds=5), gone_at > run.started_at) == (True, True)


@pytest.mark.django_db
@pytest.mark.parametrize("problem", ["https://api.x.com/2/problems/operational-trouble", "about:blank", None])
def test_a_problem_of_an_unknown_type_withdraws_nothing(
    problem: str | None, odd: Canned, odd_source: Source, read_odd: Callable[[], Any], de_politics: Channel
) -> None:
    author = Author.objects.filter(pk=5001).first() or make_author("stadtblatt", x_id=5001)
    candidate = make_candidate(de_politics, tweet=make_tweet(author=author), state="approved")
    Source.objects.filter(pk=odd_source.pk).update(x_id="5001")
    odd.tell(TIMELINE, {"errors": [{"parameter": "id", "resource_id": "5001", "title": "Forbidden", "type": problem}]})
    run = read_odd()
    candidate.refresh_from_db()
    odd_source.refresh_from_db()
    assert (run.outcome, run.withdrawn, candidate.state, odd_source.paused_at) == ("failed", 0, "approved", None)


@pytest.mark.django_db
def test_what_was_never_offered_keeps_no_other_from_being_asked_about(
    de_politics: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST", 1)
    now = timezone.now()
    hours = [timedelta(hours=n) for n in (9, 8)]
    for ago, offered in zip(hours, (False, True), strict=True):
        tweet = make_tweet(gone_at=now - ago, gone_cause="deleted", checked_at=now - ago)
        if offered:
            make_candidate(de_politics, tweet=tweet, state="withdrawn")
    assert waiting.gone_lately(now) == {de_politics.market_id: [tweet.pk]}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_all_channels_of_what_is_back_are_locked_first(
    x: Simulator, ask: Door, kept: Candidate, nl_politics: Channel
) -> None:
    """Also the one where it stays withdrawn: its candidate's group is looked for anew."""
    make_candidate(nl_politics, tweet=kept.tweet)
    operations.withdraw([kept.tweet_id], cause="suspended", now=timezone.now())
    x.withhold(kept.tweet.first_id, [nl_politics.market.country])
    with one_transaction():
        lock_channels([nl_politics.pk])
        checking = Meanwhile(lambda: recheck([kept.tweet_id], ask=ask))
        waits_for_a_lock()
    assert checking.end().restored == 1
    states = dict(Candidate.objects.values_list("channel", "state"))
    assert states == {kept.channel_id: "pending", nl_politics.pk: "withdrawn"}
