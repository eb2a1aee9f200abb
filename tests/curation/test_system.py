"""What the system decides by itself."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from curation import operations
from curation.models import Author, Candidate, Decision, Hit, Tweet
from regions.models import Channel
from tests.cast import channel_of, make_block, make_candidate, make_tweet

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


def test_each_channel_has_its_own_limit_and_batches_their_own_size(de_politics: Channel) -> None:
    now, sport = timezone.now(), channel_of("de", "sport")
    Channel.objects.filter(pk=de_politics.pk).update(pending_hours=2)
    Channel.objects.filter(pk=sport.pk).update(pending_hours=6)
    then = now - timedelta(hours=3)
    old = [make_candidate(de_politics, pending_since=then - timedelta(minutes=n)) for n in range(3)]
    make_candidate(sport, pending_since=then)
    make_candidate(de_politics, pending_since=then, state="lapsed")
    found = Candidate.objects.older_than_their_channel_allows
    assert set(found(now, 9)) == set(old)
    assert len(found(now, 2)) == 2
    assert (operations.lapse_old(now=now), operations.lapse_old(now=now)) == (3, 0)


def test_an_edit_takes_what_is_live_back_to_pending(de_politics: Channel) -> None:
    live = make_candidate(de_politics, state="approved", slot=1)
    operations.edit([live.tweet_id], now=timezone.now())
    row = Candidate.objects.get(pk=live.pk)
    assert (row.state, row.slot, row.version) == ("pending", None, 2)


@pytest.mark.parametrize("state", ["blocked", "lapsed", "withdrawn"])
def test_an_edit_leaves_other_states_but_raises_the_version(state: str, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, tweet=tweet_for(state), state=state)
    operations.edit([candidate.tweet_id], now=timezone.now())
    row = Candidate.objects.get(pk=candidate.pk)
    assert (row.state, row.version) == (state, 2)


def tweet_for(state: str, text: str = "Die Brücke steht.") -> Tweet:
    """X does not show what is withdrawn."""
    return make_tweet(text, **({"gone_at": timezone.now(), "gone_cause": "deleted"} if state == "withdrawn" else {}))


def edited(channel: Channel, text: str, **fields: Any) -> Candidate:
    """A candidate of a tweet that read "Ein Gewinnspiel, angeblich." and reads otherwise now."""
    tweet = tweet_for(fields["state"], "Ein Gewinnspiel, angeblich.")
    candidate = make_candidate(channel, tweet=tweet, **fields)
    Tweet.objects.filter(pk=candidate.tweet_id).update(
        text=text, current_id=candidate.tweet.first_id + 1, lang="und", lang_guess="fi"
    )
    operations.edit([candidate.tweet_id], now=timezone.now())
    return Candidate.objects.get(pk=candidate.pk)


@pytest.mark.parametrize("state", ["pending", "approved", "blocked", "lapsed", "withdrawn"])
def test_search_finds_the_words_after_an_edit(state: str, de_politics: Channel) -> None:
    row = edited(de_politics, "Die Brücke &amp; der Rat.", state=state)
    found = [Candidate.objects.holding_words(words).filter(pk=row.pk).exists() for words in ("Brücke", "Gewinnspiel")]
    assert found == [True, False]
    assert "& der" in row.folded
    assert (row.author_id, row.lang) == (row.tweet.author_id, "fi")


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
def test_what_is_gone_is_withdrawn_everywhere_and_emptied(
    state: str, de_politics: Channel, nl_politics: Channel
) -> None:
    candidate = make_candidate(de_politics, state=state, alike=[7])
    hashed = candidate.tweet.text_hash
    there = make_candidate(nl_politics, tweet=candidate.tweet)
    followed = operations.withdraw([candidate.tweet_id], cause="deleted", now=timezone.now())
    rows = list(Candidate.objects.filter(pk__in=[candidate.pk, there.pk]))
    assert [(row.state, row.folded, row.alike) for row in rows] == [("withdrawn", "", [])] * 2
    assert set(Decision.objects.values_list("reason", "text_hash")) == {("deleted", hashed)}
    tweet = Tweet.objects.get()
    emptied = (tweet.text, tweet.author, tweet.wire, tweet.raw, tweet.metrics, tweet.previous_text)
    assert emptied == ("", None, {}, None, {}, "")
    assert (tweet.gone_cause, tweet.purged_at is None, followed.withdrawn) == ("deleted", False, 2)


def test_what_could_not_be_verified_keeps_its_text(de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, "Die Brücke steht.", state="approved")
    operations.withdraw([candidate.tweet_id], cause="unverified", now=timezone.now())
    tweet = Tweet.objects.get()
    assert (tweet.gone_cause, tweet.text, tweet.purged_at) == ("unverified", "Die Brücke steht.", None)
    assert Decision.objects.get().reason == "unverified"


BARS = [
    ({"withheld_in": ["DE"]}, {}, "withheld", {"de"}),
    ({"withheld_in": ["GR", "NL"]}, {}, "withheld", {"nl"}),
    ({"withheld_in": ["XX"]}, {}, "withheld", {"de", "nl"}),
    ({"withheld_in": ["XY"]}, {}, "withheld", {"de", "nl"}),
    ({}, {"withheld_in": ["DE"]}, "withheld", {"de"}),
    ({}, {"withheld_in": ["XY"]}, "withheld", {"de", "nl"}),
    ({}, {"protected": True}, "protected", {"de", "nl"}),
]


@pytest.mark.parametrize(("post", "author", "cause", "where"), BARS)
@pytest.mark.parametrize("state", ["pending", "approved", "blocked", "lapsed"])
def test_candidates_follow_what_X_bars_in_their_market_and_back(
    post: dict[str, Any], author: dict[str, Any], cause: str, where: set[str], state: str,
    de_politics: Channel, nl_politics: Channel,
) -> None:  # fmt: skip
    tweet = make_tweet()
    rows = [make_candidate(channel, tweet=tweet, state=state) for channel in (de_politics, nl_politics)]
    Tweet.objects.filter(pk=tweet.pk).update(**post)
    Author.objects.filter(pk=tweet.author_id).update(**(author or {"protected": False}))
    followed = operations.obey([tweet.pk], now=timezone.now())
    assert (followed.withdrawn, followed.restored) == (len(where), 0)
    assert operations.obey([tweet.pk], now=timezone.now()).withdrawn == 0
    assert states_of(rows) == {code: "withdrawn" if code in where else state for code in ("de", "nl")}
    assert set(Decision.objects.values_list("verb", "reason", "by")) == {("withdraw", cause, None)}
    Tweet.objects.update(withheld_in=[])
    Author.objects.update(withheld_in=[], protected=False)
    assert operations.obey([tweet.pk], now=timezone.now()).restored == len(where)
    back = "blocked" if state == "blocked" else "pending"
    assert states_of(rows) == {code: back if code in where else state for code in ("de", "nl")}
    assert operations.obey([tweet.pk], now=timezone.now()) == operations.Followed()


def states_of(rows: list[Candidate]) -> dict[str, str]:
    found = Candidate.objects.filter(pk__in=[row.pk for row in rows])
    return dict(found.values_list("channel__market__code", "state"))


def withdrawn_and_back(candidate: Candidate, **fields: Any) -> Candidate:
    """A candidate that X withheld for a while; `fields` are its tweet's when X shows it again."""
    Tweet.objects.filter(pk=candidate.tweet_id).update(withheld_in=["XX"])
    operations.obey([candidate.tweet_id], now=timezone.now())
    Tweet.objects.filter(pk=candidate.tweet_id).update(withheld_in=[], **fields)
    operations.obey([candidate.tweet_id], now=timezone.now())
    candidate.refresh_from_db()
    return candidate


def test_what_comes_back_waits_in_no_slot_and_without_a_window(de_politics: Channel) -> None:
    now = timezone.now()
    fields = {"slot": 1, "expire_at": now + timedelta(hours=1), "pending_since": now - timedelta(days=9)}
    row = withdrawn_and_back(make_candidate(de_politics, state="approved", **fields))
    assert (row.state, row.slot, row.expire_at, row.approved_at, row.version) == ("pending", None, None, None, 3)
    assert row.pending_since > now


def test_the_lists_are_asked_of_what_comes_back(de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    block, doubt = make_block("Wucher"), make_block("heute", effect="hold")
    row = withdrawn_and_back(candidate, text="Wucher, heute.")
    assert (row.state, row.blocked_by_lists, row.held) == ("blocked", True, True)
    assert set(row.hit_set.values_list("block", flat=True)) == {block.pk, doubt.pk}
    assert row.folded.startswith("wucher, heute.")


def test_what_only_a_list_had_blocked_waits_when_the_block_is_gone(de_politics: Channel) -> None:
    row = withdrawn_and_back(make_candidate(de_politics, state="blocked", blocked_by_lists=True))
    assert (row.state, row.blocked_by_lists) == ("pending", False)


def test_what_retention_emptied_is_left_alone(de_politics: Channel) -> None:
    tweet = make_tweet("")
    Tweet.objects.update(author=None, withheld_in=["DE"], purged_at=timezone.now())
    make_candidate(de_politics, tweet=tweet, state="blocked")
    assert operations.obey([tweet.pk], now=timezone.now()) == operations.Followed()


def test_an_edit_and_a_withdrawal_at_once_are_two_decisions(de_politics: Channel, nl_politics: Channel) -> None:
    tweet = make_tweet()
    rows = [make_candidate(channel, tweet=tweet, state="approved") for channel in (de_politics, nl_politics)]
    Tweet.objects.update(withheld_in=["DE"], text="Anders.", current_id=tweet.first_id + 1)
    followed = operations.obey([], edited=[tweet.pk], now=timezone.now())
    assert (followed.edited, followed.withdrawn, states_of(rows)) == (2, 1, {"de": "withdrawn", "nl": "pending"})
    told = list(Decision.objects.order_by("candidate", "version").values_list("verb", "version"))
    assert told == [("edit", 2), ("withdraw", 3), ("edit", 2)]
