"""What X says when it is asked again about posts that we have."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from curation import operations
from curation.ingest.rechecking import waiting
from curation.ingest.rechecking.rechecks import recheck
from curation.ingest.storing.groups import regroup
from curation.ledger import budget
from curation.ledger.metered import Metered
from curation.models import (
    Author,
    Candidate,
    Charge,
    Decision,
    ErasedAuthor,
    IngestRun,
    Pause,
    Purpose,
    Quarantined,
    State,
    Tweet,
)
from curation.tombstones import author_digest
from curation.x.client import Door, Page
from curation.x.simulator import Simulator
from regions.models import Channel, Market
from tests.cast import channel_of, make_author, make_candidate, make_tweet

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(hours=3)
Keep = Callable[..., Candidate]


@pytest.fixture
def keep(x: Simulator, de_politics: Channel) -> Keep:
    """A post of stadtblatt at X, and our candidate of it, checked three hours ago."""

    def make(
        text: str = "Der Rat tagt.", *, channel: Channel | None = None, by: str = "stadtblatt", **fields: Any
    ) -> Candidate:
        account = x.world.account(by)
        assert account is not None
        author = Author.objects.filter(pk=account.id).first() or make_author(by, x_id=account.id, name=account.name)
        first = int(x.post(by, text, at=timezone.now() - timedelta(minutes=20)))
        tweet = make_tweet(text, first_id=first, author=author, checked_at=timezone.now() - LONG_AGO)
        return make_candidate(channel or de_politics, tweet=tweet, **fields)

    return make


@pytest.fixture
def again(ask: Door) -> Callable[..., IngestRun]:
    """Rechecks all tweets, without a budget."""

    def run(ids: Iterable[int] | None = None, **options: Any) -> IngestRun:
        wanted = Tweet.objects.values_list("pk", flat=True) if ids is None else ids
        done = recheck(list(wanted), **{"ask": ask} | options)
        assert done is not None
        return done

    return run


Again = Callable[..., IngestRun]


def test_what_is_unchanged_was_checked(keep: Keep, again: Again) -> None:
    candidate = keep(state="approved")
    now = timezone.now()
    run = again(now=now)
    told = (run.kind, run.outcome, run.read, run.known, run.edited, run.withdrawn, run.missing, run.error)
    assert told == ("recheck", "read", 1, 1, 0, 0, 0, "")
    candidate.refresh_from_db()
    assert (candidate.state, candidate.version, Tweet.objects.get().checked_at) == ("approved", 1, now)


def test_an_edit_brings_the_newest_text_and_keeps_the_old_one(x: Simulator, keep: Keep, again: Again) -> None:
    candidate = keep("Um 14 Uhr.", state="approved", slot=1)
    x.edit(candidate.tweet.first_id, "Um 15 Uhr.")
    newest = x.edit(candidate.tweet.first_id, "Um 16 Uhr.")
    run = again()
    tweet = Tweet.objects.get()
    assert (tweet.text, tweet.previous_text, tweet.current_id) == ("Um 16 Uhr.", "Um 14 Uhr.", int(newest))
    candidate.refresh_from_db()
    assert (candidate.state, candidate.slot, candidate.version, run.edited) == ("pending", None, 2, 1)


def test_an_edit_whose_newest_version_cannot_be_had_is_not_shown(x: Simulator, keep: Keep, ask: Door) -> None:
    candidate = keep("Alt.", state="approved")
    newest = int(x.edit(candidate.tweet.first_id, "Neu."))

    class Stingy(Door):
        def tweets(self, ids: Any) -> Page:
            return Page() if newest in ids else ask.tweets(ids)

    recheck([candidate.tweet_id], ask=Stingy(x.base_url, x.token))
    candidate.refresh_from_db()
    assert (candidate.state, Decision.objects.get().reason, Tweet.objects.get().text) == (
        "withdrawn",
        "unverified",
        "Alt.",
    )
    recheck([candidate.tweet_id], ask=ask)
    candidate.refresh_from_db()
    tweet = Tweet.objects.get()
    assert (candidate.state, tweet.text, tweet.previous_text, tweet.gone_at) == ("pending", "Neu.", "Alt.", None)


def test_an_edited_post_looks_for_its_like_anew(x: Simulator, keep: Keep, again: Again) -> None:
    text = "Der Rat von Lindmark hat die neue Brücke über den Fluss beschlossen, gebaut wird ab Herbst."
    first, second = keep(text, by="rathaus"), keep("Etwas ganz anderes stand hier.")
    regroup({first.tweet_id})
    x.edit(second.tweet.first_id, text)
    again([second.tweet_id])
    second.refresh_from_db()
    assert (second.group_id, second.alike != [], second.folded.startswith("der rat")) == (first.pk, True, True)


GONE = [
    ("deleted", lambda x, post: x.delete(post)),
    ("protected", lambda x, post: x.protect("stadtblatt")),
    ("suspended", lambda x, post: x.suspend("stadtblatt")),
]


@pytest.mark.parametrize(("cause", "happens"), GONE)
def test_what_is_gone_is_withdrawn_and_emptied_at_once(
    cause: str, happens: Callable[..., None], x: Simulator, keep: Keep, again: Again, nl_politics: Channel
) -> None:
    candidate = keep(state="approved")
    there = make_candidate(nl_politics, tweet=candidate.tweet)
    stays = keep("Bleibt.", by="rathaus")
    happens(x, candidate.tweet.first_id)
    run = again()
    states = dict(Candidate.objects.values_list("pk", "state"))
    assert states == {candidate.pk: "withdrawn", there.pk: "withdrawn", stays.pk: "pending"}
    tweet = Tweet.objects.get(pk=candidate.tweet_id)
    assert (tweet.gone_cause, tweet.text, tweet.author, tweet.purged_at is None) == (cause, "", None, False)
    assert set(Decision.objects.values_list("verb", "reason", "by")) == {("withdraw", cause, None)}
    assert (run.read, run.withdrawn, run.missing) == (2, 2, 0)
    assert again().withdrawn == 0


def test_what_X_shows_again_comes_back_whole(x: Simulator, keep: Keep, again: Again) -> None:
    rows = [keep("Live.", state="approved"), keep("Blockiert.", state="blocked")]
    x.suspend("stadtblatt")
    assert again().withdrawn == 2
    x.suspend("stadtblatt", on=False)
    run = again()
    told = list(
        Candidate.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk").values_list("state", "tweet__text")
    )
    assert (told, run.restored) == ([("pending", "Live."), ("blocked", "Blockiert.")], 2)
    assert (
        list(Tweet.objects.values_list("gone_at", "purged_at", "author__username")) == [(None, None, "stadtblatt")] * 2
    )


@pytest.mark.parametrize(("codes", "where"), [(["DE"], {"de"}), (["XX"], {"de", "nl"}), (["FR"], set())])
@pytest.mark.parametrize("of", ["post", "author"])
def test_what_is_withheld_goes_in_those_markets_only_and_keeps_its_text(
    of: str, codes: list[str], where: set[str], x: Simulator, keep: Keep, again: Again, nl_politics: Channel
) -> None:
    candidate = keep("Umstritten.", state="approved")
    make_candidate(nl_politics, tweet=candidate.tweet, state="approved")
    x.withhold(candidate.tweet.first_id, codes) if of == "post" else x.withhold_user("stadtblatt", codes)
    x.world.posts[candidate.tweet.first_id].text = "This post is withheld."
    assert again().withdrawn == len(where)
    states = dict(Candidate.objects.values_list("channel__market__code", "state"))
    assert states == {code: "withdrawn" if code in where else "approved" for code in ("de", "nl")}
    assert Tweet.objects.get().text == "Umstritten."
    x.withhold(candidate.tweet.first_id, []) if of == "post" else x.withhold_user("stadtblatt", [])
    assert again().restored == len(where)


def test_an_author_who_protects_their_posts_takes_all_of_them_along(keep: Keep, ask: Door) -> None:
    asked, other = keep("Gefragt.", state="approved"), keep("Nicht gefragt.", state="approved")
    page = ask.tweets([asked.tweet.first_id])
    page.includes["users"][0]["protected"] = True
    run = recheck([asked.tweet_id], ask=Answers(page))
    assert run is not None
    told = set(Candidate.objects.values_list("state", "tweet__text"))
    assert (told, run.withdrawn) == ({("withdrawn", "Gefragt."), ("withdrawn", "Nicht gefragt.")}, 2)
    assert set(Decision.objects.values_list("candidate", "reason")) == {
        (asked.pk, "protected"),
        (other.pk, "protected"),
    }


def test_errors_about_what_a_post_includes_withdraw_nothing(x: Simulator, keep: Keep, again: Again) -> None:
    quoted = keep("Zitiert.", by="rathaus")
    number = x.post("stadtblatt", "Lest das.", quote=quoted.tweet.first_id)
    account = x.world.account("stadtblatt")
    assert account is not None
    tweet = make_tweet("Lest das.", first_id=int(number), author=make_author("stadtblatt", x_id=account.id))
    quoting = make_candidate(quoted.channel, tweet=tweet, state="approved")
    x.delete(quoted.tweet.first_id)
    run = again([tweet.pk])
    quoting.refresh_from_db()
    assert (quoting.state, run.withdrawn, run.read) == ("approved", 0, 1)


class Answers:
    """A door that gives one page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def tweets(self, ids: list[int]) -> Page:
        return self.page


ODD_ERRORS = [
    {"parameter": "ids", "type": "https://api.x.com/2/problems/operational-trouble", "title": "Trouble"},
    {"parameter": "ids", "type": "about:blank", "title": "Forbidden"},
    {"parameter": "ids", "title": "Not Found Error"},
    {"parameter": "author_id", "type": "https://api.x.com/2/problems/resource-not-found", "title": "Not Found Error"},
    {"parameter": "ids", "type": "x/resource-not-found", "title": "Not Found Error", "resource_id": "no number"},
    {},
]


@pytest.mark.parametrize("error", ODD_ERRORS)
def test_what_X_does_not_say_is_gone_was_only_not_verified(error: dict[str, Any], keep: Keep) -> None:
    candidate = keep(state="approved")
    before = candidate.tweet.checked_at
    about = {"resource_id": str(candidate.tweet.first_id)} | error
    run = recheck([candidate.tweet_id], ask=Answers(Page(errors=[about])))
    candidate.refresh_from_db()
    assert run is not None
    assert (candidate.state, run.missing, run.withdrawn, run.outcome) == ("approved", 1, 0, "read")
    assert Tweet.objects.get().checked_at == before


def test_payloads_that_cannot_be_read_are_set_aside(keep: Keep, ask: Door) -> None:
    good, bad = keep("Gut."), keep("Schlecht.")
    page = ask.tweets([good.tweet.first_id, bad.tweet.first_id])
    for payload in page.raw:
        if payload["id"] == str(bad.tweet.first_id):
            payload["text"] = 7
    run = recheck([good.tweet_id, bad.tweet_id], ask=Answers(page))
    assert run is not None
    assert (run.outcome, run.read, run.missing, Quarantined.objects.get().run) == ("read", 1, 1, run)


def test_a_post_that_the_database_refuses_stops_no_other(keep: Keep, ask: Door) -> None:
    good, bad, gone = keep("Gut."), keep("Schlecht."), keep("Weg.")
    page = ask.tweets([good.tweet.first_id, bad.tweet.first_id])
    for payload in page.raw:
        if payload["id"] == str(bad.tweet.first_id):
            payload |= {"author_id": "77"}
    Tweet.objects.filter(pk=bad.tweet_id).update(gone_at=timezone.now(), gone_cause="deleted")
    error = {"parameter": "ids", "type": "x/resource-not-found", "resource_id": str(gone.tweet.first_id)}
    run = recheck([one.tweet_id for one in (good, bad, gone)], ask=Answers(Page(page.raw, page.includes, [error])))
    assert run is not None
    assert (run.read, run.withdrawn, Quarantined.objects.get().payload["id"]) == (2, 1, str(bad.tweet.first_id))
    checked = Tweet.objects.filter(checked_at__gte=run.started_at).values_list("pk", flat=True)
    assert set(checked) == {good.tweet_id, gone.tweet_id}


def test_erased_authors_stay_erased(x: Simulator, keep: Keep, again: Again) -> None:
    candidate = keep()
    author = candidate.tweet.author_id
    assert author is not None
    operations.withdraw([candidate.tweet_id], cause="deleted", now=timezone.now())
    ErasedAuthor.objects.create(digest=author_digest(author))
    again()
    assert (Tweet.objects.get().text, Candidate.objects.get().state) == ("", "withdrawn")
    Tweet.objects.update(gone_cause="erased")
    assert recheck([candidate.tweet_id], ask=Door("http://127.0.0.1:1", "")) is None


OUTCOMES = [
    ({"status": 429, "recording": None}, "waiting"),
    ({"status": 503}, "failed"),
    ({"status": 401}, "failed"),
    ({"status": 402}, "failed"),
    ({"status": 403}, "refused"),
    ({"cut": True}, "failed"),
    ({"status": 200, "body": "x"}, "failed"),
]


@pytest.mark.parametrize(("order", "outcome"), OUTCOMES)
def test_failures_are_outcomes_and_change_nothing(
    order: dict[str, Any], outcome: str, x: Simulator, keep: Keep, again: Again
) -> None:
    candidate = keep(state="approved")
    x.fail("/2/tweets", **{name: value for name, value in order.items() if value is not None})
    run = again()
    candidate.refresh_from_db()
    assert (run.outcome, run.error != "", run.ended_at is None) == (outcome, True, False)
    assert (candidate.state, candidate.version) == ("approved", 1)


def test_a_bad_token_pauses_everyone_and_rechecks_with_them(x: Simulator, keep: Keep, again: Again) -> None:
    keep()
    x.fail("/2/tweets", status=401)
    again()
    assert Pause.objects.get(ended_at=None).cause == "token"
    assert recheck([Tweet.objects.get().pk], ask=Door(x.base_url, x.token)) is None


def test_a_batch_holds_a_hundred_and_what_was_checked_since_is_left_out(x: Simulator, ask: Door) -> None:
    now = timezone.now()
    author = make_author()
    for n in range(130):
        make_tweet(f"Nummer {n}.", author=author, checked_at=now - timedelta(minutes=n))
    sizes = []

    class Counting(Door):
        def tweets(self, ids: Any) -> Page:
            sizes.append(len(ids))
            return Page()

    door = Counting(x.base_url, x.token)
    ids = list(Tweet.objects.values_list("pk", flat=True))
    run = recheck(ids, since=now - timedelta(minutes=10), ask=door, now=now)
    assert run is not None
    assert (sizes, run.missing) == ([100, 20], 120)
    assert recheck(ids, since=now - timedelta(hours=9), ask=door) is None
    assert recheck([], ask=door) is None


def test_what_a_killed_worker_left_open_is_ended(keep: Keep, again: Again) -> None:
    keep()
    now = timezone.now()
    minutes_old = {"recheck": 6, "link": 6, "compliance": 6, "poll": 6, "stream": 6}
    for kind, minutes in minutes_old.items():
        IngestRun.objects.create(kind=kind, started_at=now - timedelta(minutes=minutes))
    young = IngestRun.objects.create(kind="recheck", started_at=now - timedelta(minutes=4))
    again(now=now)
    left = IngestRun.objects.filter(outcome="running")
    assert sorted(left.values_list("kind", flat=True)) == ["poll", "recheck", "stream"]
    assert left.get(kind="recheck") == young


def limited(market: Market, posts: int, reserve: int = 0) -> Market:
    Market.objects.filter(pk=market.pk).update(posts_a_day=posts, posts_a_month=posts, recheck_reserve=reserve)
    return Market.objects.get(pk=market.pk)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_market_pays_once_a_day_and_from_the_reserve(keep: Keep, ask: Door, de_politics: Channel) -> None:
    market = limited(de_politics.market, 100, reserve=100)
    candidate = keep()
    for expected in (1, 0):
        metered = Metered(ask, market, Purpose.RECHECK)
        run = recheck([candidate.tweet_id], market=market, purpose=Purpose.RECHECK, ask=metered)
        assert run is not None
        assert (run.outcome, run.charged, run.market) == ("read", expected, market)
    told = budget.balance(market, timezone.now())
    assert (told.day_used, told.day_rechecks) == (1, 1)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_without_budget_what_was_paid_today_is_asked_all_the_same(
    x: Simulator, keep: Keep, ask: Door, de_politics: Channel
) -> None:
    market = limited(de_politics.market, 0)
    paid, dear = keep("Bezahlt.", state="approved"), keep("Nicht bezahlt.", state="approved")
    Charge.objects.create(day=budget.day_of(timezone.now()), kind="post", x_id=paid.tweet.first_id, market=market)
    for row in (paid, dear):
        x.delete(row.tweet.first_id)
    run = recheck([paid.tweet_id, dear.tweet_id], market=market, ask=Metered(ask, market, Purpose.RECHECK))
    assert run is not None
    assert run.outcome == "budget"
    assert dict(Candidate.objects.values_list("pk", "state")) == {paid.pk: "withdrawn", dear.pk: "approved"}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_where_the_budget_does_not_reach_the_rest_stays_due(keep: Keep, ask: Door, de_politics: Channel) -> None:
    market, before = limited(de_politics.market, 1), timezone.now() - timedelta(hours=2)
    rows = [keep("Eins.", state="approved"), keep("Zwei.", state="approved")]
    Tweet.objects.update(checked_at=before)
    ids = [row.tweet_id for row in rows]
    run = recheck(ids, market=market, ask=Metered(ask, market, Purpose.RECHECK))
    assert run is not None
    assert (run.outcome, run.read, run.charged, run.withdrawn) == ("budget", 1, 1, 0)
    assert [row.checked_at == before for row in Tweet.objects.order_by("current_id")] == [False, True]
    Market.objects.update(posts_a_day=2, posts_a_month=2)
    run = recheck(ids, market=market, since=before, ask=Metered(ask, market, Purpose.RECHECK))
    assert run is not None
    assert (run.outcome, run.read, run.charged) == ("read", 1, 1)


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_no_transaction_is_open_while_X_is_asked(x: Simulator, keep: Keep) -> None:
    candidate, seen = keep(), []

    class Watching(Door):
        def tweets(self, ids: Any) -> Page:
            seen.append(connection.in_atomic_block)
            return super().tweets(ids)

    recheck([candidate.tweet_id], ask=Watching(x.base_url, x.token))
    assert seen == [False]


def test_the_rank_of_what_waits_follows_the_figures(x: Simulator, keep: Keep, ask: Door) -> None:
    waits, decided = keep("Wartet."), keep("Entschieden.", state="approved")
    for row in (waits, decided):
        Candidate.objects.filter(pk=row.pk).update(rank_parts={"source": 4.0, "engagement": 0.5}, rank=1.0)
    page = ask.tweets([row.tweet.first_id for row in (waits, decided)])
    for payload in page.raw:
        payload["public_metrics"] = {"like_count": 9_000, "retweet_count": 900}
    recheck([waits.tweet_id, decided.tweet_id], ask=Answers(page))
    waits.refresh_from_db()
    decided.refresh_from_db()
    assert (waits.rank_parts["source"], waits.rank_parts["engagement"] > 15, waits.version) == (4.0, True, 1)
    assert waits.rank > 1000
    assert (decided.rank, decided.rank_parts["engagement"]) == (1.0, 0.5)


# Which ones are due


def waits(channel: Channel, posted: timedelta, checked: timedelta, now: datetime, **fields: Any) -> Tweet:
    tweet = make_tweet(created_at=now - posted, checked_at=now - checked)
    make_candidate(channel, tweet=tweet, **fields)
    return tweet


H, M = timedelta(hours=1), timedelta(minutes=1)
AGES = [
    (H, 31 * M, True),
    (H, 29 * M, False),
    (3 * H, 31 * M, False),
    (3 * H, 121 * M, True),
    (13 * H, 121 * M, False),
    (13 * H, 6 * H + M, True),
]


@pytest.mark.parametrize(("posted", "checked", "due"), AGES)
def test_younger_ones_are_asked_about_more_often(
    posted: timedelta, checked: timedelta, due: bool, de_politics: Channel
) -> None:
    now = timezone.now()
    tweet = waits(de_politics, posted, checked, now)
    expected = [waiting.Round(de_politics.market_id, "ingest", [tweet.pk], now - 30 * M)]
    assert waiting.rounds(now) == (expected if due else [])


@pytest.mark.parametrize("state", ["approved", "blocked", "lapsed", "withdrawn"])
def test_what_does_not_wait_is_not_due(state: str, de_politics: Channel) -> None:
    now = timezone.now()
    waits(de_politics, H, 9 * H, now, state=state)
    assert waiting.rounds(now) == []


def test_the_first_market_pays_for_what_waits_in_several(de_politics: Channel, nl_politics: Channel) -> None:
    now = timezone.now()
    tweet = waits(nl_politics, H, 9 * H, now)
    make_candidate(de_politics, tweet=tweet)
    assert [(one.market_id, one.tweet_ids) for one in waiting.rounds(now)] == [(de_politics.market_id, [tweet.pk])]


def test_what_is_paid_comes_first_and_of_the_rest_a_tenth_of_the_day(de_politics: Channel) -> None:
    now = timezone.now()
    limited(de_politics.market, 20)
    tweets = [waits(de_politics, H, (9 + n) * H, now) for n in range(4)]
    Charge.objects.create(day=budget.day_of(now), kind="post", x_id=tweets[0].current_id, market=de_politics.market)
    assert [one.tweet_ids for one in waiting.rounds(now)] == [[tweets[0].pk, tweets[3].pk, tweets[2].pk]]
    IngestRun.objects.create(kind="recheck", market=de_politics.market, charged=1, started_at=now)
    assert [one.tweet_ids for one in waiting.rounds(now)] == [[tweets[0].pk, tweets[3].pk]]


def gone(channel: Channel, cause: str, when: timedelta, checked: timedelta, now: datetime) -> Tweet:
    tweet = make_tweet(gone_at=now - when, gone_cause=cause, checked_at=now - checked)
    make_candidate(channel, tweet=tweet, state=State.WITHDRAWN)
    return tweet


GONE_AGAIN = [
    ("deleted", H, 7 * H, True),
    ("suspended", 6 * 24 * H, 7 * H, True),
    ("suspended", 8 * 24 * H, 7 * H, False),
    ("protected", H, 5 * H, False),
    ("unverified", H, 11 * M, True),
    ("unverified", H, 9 * M, False),
    ("erased", H, 9 * H, False),
]


@pytest.mark.parametrize(("cause", "when", "checked", "due"), GONE_AGAIN)
def test_what_was_gone_lately_is_asked_about_again(
    cause: str, when: timedelta, checked: timedelta, due: bool, de_politics: Channel
) -> None:
    now = timezone.now()
    tweet = gone(de_politics, cause, when, checked, now)
    assert waiting.gone_lately(now) == ({de_politics.market_id: [tweet.pk]} if due else {})


def test_another_markets_channels_are_asked_on_their_own_account(de_politics: Channel) -> None:
    now = timezone.now()
    here, there = waits(de_politics, H, 9 * H, now), waits(channel_of("gr", "sport"), H, 9 * H, now)
    found = {one.market_id: one.tweet_ids for one in waiting.rounds(now)}
    assert found == {de_politics.market_id: [here.pk], channel_of("gr", "sport").market_id: [there.pk]}
