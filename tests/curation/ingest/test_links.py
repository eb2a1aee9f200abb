"""Links by hand: what is understood, what it costs, what becomes of it, and each way it can fail."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.ingest import links
from curation.ingest.links import Added, NotAPost, add, look, post_id_of
from curation.ledger.budget import day_of
from curation.models import BudgetDay, Candidate, Charge, ErasedAuthor, IngestRun, Pause, Quarantined, State, Tweet
from curation.tombstones import author_digest
from curation.x.client import Door
from curation.x.simulator import Simulator
from regions.models import Channel, Market, User
from regions.problems import Refusal
from tests.cast import channel_of, make_block, make_candidate, make_tweet

pytestmark = pytest.mark.django_db
Add = Callable[..., Added]
LINK = "https://x.com/i/status/{}"


@pytest.fixture
def paste(ask: Door, anna: User, de_politics: Channel) -> Add:
    """Adds a post by its id to DE politics, as Anna."""

    def now(number: str | int, channel: Channel = de_politics, **fields: Any) -> Added:
        return add(LINK.format(number), channel, **{"by": anna, "now": timezone.now(), "ask": ask} | fields)

    return now


def spend(market: Market, posts: int) -> None:
    BudgetDay.objects.create(market=market, day=day_of(timezone.now()), used=posts)


def run_of() -> IngestRun:
    return IngestRun.objects.get()


@pytest.mark.parametrize(
    "url",
    [
        "1234567890123456789",
        "  1234567890123456789\n",
        "https://x.com/stadtblatt/status/1234567890123456789",
        "http://twitter.com/stadtblatt/status/1234567890123456789/photo/1",
        "https://mobile.twitter.com/stadtblatt/statuses/1234567890123456789?s=20&t=abc",
        "https://www.x.com/i/web/status/1234567890123456789#m",
        "x.com/i/status/1234567890123456789",
        "HTTPS://X.COM/Stadt_Blatt/status/1234567890123456789/",
    ],
)
def test_every_form_of_a_link_is_understood(url: str) -> None:
    assert post_id_of(url) == 1234567890123456789


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hello",
        "https://x.com/stadtblatt",
        "https://x.com/stadtblatt/status/",
        "https://x.com/stadtblatt/status/12a",
        "https://x.com.evil.example/a/status/12",
        "https://x.com@evil.example/a/status/12",
        "https://evil.example/x.com/a/status/12",
        "ftp://x.com/a/status/12",
        "javascript://x.com/a/status/12",
        "https://[x.com/a/status/12",
        "99999999999999999999",
        "9999999999999999999",
        "٣٣٣",
        "0",
        "-12",
        "https://x.com/a/status/12" + "?" + "s" * 500,
        "https://x.com/ä/status/12",
    ],
)
def test_what_is_no_link_to_a_post_is_refused(url: str) -> None:
    with pytest.raises(NotAPost):
        post_id_of(url)


def test_a_link_becomes_a_candidate_and_costs_one_post(
    x: Simulator, paste: Add, anna: User, de_politics: Channel
) -> None:
    number = x.post("rathaus", "Der Rat von Lindmark tagt.", lang="de")
    assert look(LINK.format(number), de_politics, timezone.now()).posts == 1
    added = paste(number)
    assert (added.made, added.candidate.state, added.candidate.tweet.current_id) == (True, State.PENDING, int(number))
    assert (added.candidate.channel, added.candidate.source) == (de_politics, None)
    run = run_of()
    assert (run.kind, run.outcome, run.by, run.added) == ("link", "read", anna, added.candidate)
    assert (run.read, run.fresh, run.candidates, run.charged) == (1, 1, 1, 1)
    assert (BudgetDay.objects.get().used, Charge.objects.get().market) == (1, de_politics.market)


def test_a_second_time_it_is_shown_instead(x: Simulator, paste: Add, de_politics: Channel) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    first = paste(number)
    seen = look(LINK.format(number), de_politics, timezone.now())
    assert (seen.candidate, seen.posts, seen.price) == (first.candidate, 0, 0)
    again = paste(number)
    assert (again.candidate, again.made) == (first.candidate, False)
    assert IngestRun.objects.count() == 1


def test_what_is_stored_costs_nothing_and_asks_nothing(x: Simulator, paste: Add, de_politics: Channel) -> None:
    tweet = make_tweet()
    x.fail(status=500)
    seen = look(str(tweet.current_id), de_politics, timezone.now())
    assert (seen.stored, seen.posts) == (True, 0)
    added = paste(tweet.current_id)
    assert (added.made, added.candidate.tweet) == (True, tweet)
    run = run_of()
    assert (run.outcome, run.known, run.charged, run.added) == ("read", 1, 0, added.candidate)
    assert not BudgetDay.objects.exists()


def test_what_x_charged_today_already_costs_nothing(x: Simulator, paste: Add, de_politics: Channel) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    Charge.objects.create(day=day_of(timezone.now()), kind="post", x_id=int(number), market=de_politics.market)
    seen = look(number, de_politics, timezone.now())
    assert (seen.stored, seen.posts) == (False, 0)
    assert (paste(number).made, run_of().charged) == (True, 0)


def test_the_same_post_goes_to_two_channels(x: Simulator, paste: Add) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    first, second = paste(number), paste(number, channel_of("de", "sport"))
    assert first.candidate.tweet == second.candidate.tweet
    assert (second.made, second.candidate.channel.category.slug) == (True, "sport")


def test_a_block_stands_as_for_arrivals(x: Simulator, paste: Add) -> None:
    make_block("gewinnspiel")
    added = paste(x.post("rathaus", "Jetzt beim Gewinnspiel mitmachen"))
    assert (added.made, added.candidate.state, added.candidate.blocked_by_lists) == (True, State.BLOCKED, True)
    with pytest.raises(operations.BlockStands):
        operations.reopen(added.candidate, by=added.candidate.links.get().by, version=1)


def test_an_old_version_brings_the_newest(x: Simulator, paste: Add) -> None:
    old = x.post("rathaus", "Beginn um 9 Uhr")
    new = x.edit(old, "Beginn um 10 Uhr")
    tweet = paste(old).candidate.tweet
    assert (tweet.first_id, tweet.current_id, tweet.text) == (int(old), int(new), "Beginn um 10 Uhr")


def test_a_repost_brings_the_original(x: Simulator, paste: Add) -> None:
    original = x.post("rathaus", "Der Rat tagt.")
    assert paste(x.retweet("stadtblatt", original)).candidate.tweet.current_id == int(original)
    assert run_of().charged == 1


def gone(x: Simulator, number: str, cause: str) -> None:
    {
        "deleted": lambda: x.delete(number),
        "protected": lambda: x.protect("rathaus"),
        "suspended": lambda: x.suspend("rathaus"),
    }[cause]()


@pytest.mark.parametrize("cause", ["deleted", "protected", "suspended"])
def test_what_x_does_not_show_is_refused_by_its_cause(x: Simulator, paste: Add, cause: str) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    gone(x, number, cause)
    with pytest.raises(links.PostGone) as refused:
        paste(number)
    assert refused.value.more == {"cause": cause}
    run = run_of()
    assert (run.outcome, run.error, run.missing, run.charged) == ("read", "post_gone", 1, 0)
    assert not Tweet.objects.exists()


def test_what_was_gone_and_is_there_again_comes_back(x: Simulator, paste: Add, de_politics: Channel) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    kept = paste(number, channel_of("de", "sport")).candidate
    operations.withdraw([kept.tweet_id], cause="protected", now=timezone.now())
    assert paste(number).candidate.tweet.text == "Der Rat tagt."
    kept.refresh_from_db()
    assert kept.state == State.PENDING


def test_what_nobody_could_verify_is_asked_for_again(x: Simulator, paste: Add) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    kept = paste(number, channel_of("de", "sport")).candidate
    operations.withdraw([kept.tweet_id], cause="unverified", now=timezone.now())
    assert paste(number).candidate.tweet.gone_at is None
    assert IngestRun.objects.count() == 2


def test_an_erased_author_stays_erased(x: Simulator, paste: Add) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    ErasedAuthor.objects.create(digest=author_digest(x.account("rathaus").id))
    with pytest.raises(links.AuthorErased):
        paste(number)
    assert not Tweet.objects.exists()


def test_a_post_of_an_erased_author_is_known_without_asking(de_politics: Channel) -> None:
    tweet = make_tweet(gone_at=timezone.now(), gone_cause=Tweet.Gone.ERASED)
    with pytest.raises(links.AuthorErased):
        look(str(tweet.current_id), de_politics, timezone.now())


def test_a_budget_that_is_used_up_is_told_with_its_end(x: Simulator, paste: Add, de_politics: Channel) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    market = de_politics.market
    spend(market, market.posts_a_day - market.recheck_reserve)
    seen = look(number, de_politics, timezone.now())
    assert (seen.left, seen.affordable) == (0, False)
    with pytest.raises(links.BudgetUsedUp) as refused:
        paste(number)
    midnight = datetime.combine(day_of(timezone.now()) + timedelta(days=1), datetime.min.time(), UTC)
    assert refused.value.more == {"until": midnight.isoformat(), "cause": "day"}
    assert (run_of().outcome, Candidate.objects.count(), x.meter.reads) == ("budget", 0, {})


def test_while_x_turns_us_away_nothing_is_asked(x: Simulator, paste: Add) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    until = timezone.now() + timedelta(minutes=5)
    Pause.objects.create(cause=Pause.Cause.TOKEN, words="no", until=until)
    with pytest.raises(links.IngestPaused) as refused:
        paste(number)
    assert refused.value.more == {"until": until.isoformat(), "cause": "token"}
    assert not IngestRun.objects.exists()


FAULTS = [
    ({"status": 401}, links.IngestPaused, "failed"),
    ({"status": 402}, links.IngestPaused, "failed"),
    ({"status": 503}, links.XUnreachable, "failed"),
    ({"status": 200, "body": "<html>"}, links.XUnreachable, "failed"),
    ({"status": 429}, links.XBusy, "waiting"),
    ({"status": 403}, links.XUnreachable, "refused"),
    ({"slow": 3}, links.XUnreachable, "failed"),
    ({"cut": True}, links.XUnreachable, "failed"),
]


@pytest.mark.parametrize(("order", "refusal", "outcome"), FAULTS, ids=lambda one: str(one))
def test_each_fault_of_x_has_its_refusal(
    x: Simulator, paste: Add, order: dict[str, Any], refusal: type[Refusal], outcome: str
) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    x.fail(times=1, **order)
    with pytest.raises(refusal):
        paste(number)
    run = run_of()
    assert (run.outcome, bool(run.error), run.ended_at is not None) == (outcome, True, True)
    assert not Candidate.objects.exists()


def test_x_turning_us_away_pauses_everything(x: Simulator, paste: Add) -> None:
    x.fail(status=401)
    with pytest.raises(links.IngestPaused):
        paste(x.post("rathaus", "Der Rat tagt."))
    assert Pause.objects.get().cause == "token"


def test_an_answer_that_cannot_be_read_is_set_aside(x: Simulator, paste: Add) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    x.fail(status=200, body={"data": [{"id": number, "author_id": "1"}]})
    with pytest.raises(links.NotReadable):
        paste(number)
    assert (Quarantined.objects.get().reason, run_of().quarantined) == ("text is missing", 1)


def test_another_post_in_the_answer_is_not_taken(x: Simulator, paste: Add) -> None:
    number = x.post("rathaus", "Der Rat tagt.")
    people = [{"id": "1", "name": "Wer", "username": "wer"}]
    other = {"id": "77", "text": "anderes", "author_id": "1", "created_at": "2026-11-22T08:00:00.000Z"}
    x.fail(status=200, body={"data": [other], "includes": {"users": people}})
    with pytest.raises(links.NotReadable):
        paste(number)
    assert (Tweet.objects.count(), Quarantined.objects.get().reason) == (0, "X answers with another post")


def test_a_link_moves_the_queue_like_an_arrival(
    x: Simulator, paste: Add, anna: User, ben: User, browse: Any, de_politics: Channel
) -> None:
    newest = make_candidate(de_politics)
    paste(x.post("rathaus", "Der Rat tagt."))
    seen = {"decision": 0, "candidate": newest.pk}
    assert "1 new" in browse(ben).get("/desk/de/politics/changes/", seen).content.decode()
