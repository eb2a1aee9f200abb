"""To another category, to another market, and back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from curation import operations
from curation.history.lines import lines_of
from curation.history.reading import Run
from curation.ingest import links
from curation.ingest.storing import candidates as arriving
from curation.models import Candidate, Decision, Hit, Offer, State, Tweet
from regions.models import Block, Channel, Market, Source, User
from regions.problems import Refusal
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet

pytestmark = pytest.mark.django_db


def again(candidate: Candidate) -> Candidate:
    return Candidate.objects.get(pk=candidate.pk)


def there(candidate: Candidate, channel: Channel) -> Candidate:
    return Candidate.objects.get(channel=channel, tweet=candidate.tweet_id)


@pytest.fixture
def sport() -> Channel:
    return channel_of("de", "sport")


@pytest.mark.parametrize("state", ["pending", "approved"])
def test_a_move_blocks_here_and_waits_there(state: str, anna: User, de_politics: Channel, sport: Channel) -> None:
    pinned = {"slot": 1} if state == "approved" else {}
    candidate = make_candidate(de_politics, "Lindmark gewinnt das Spiel", state=state, **pinned)
    done = operations.move(candidate, by=anna, version=1, category="sport", note="a game")
    here, new = again(candidate), there(candidate, sport)
    assert (here.state, here.version, here.slot, here.approved_at) == ("blocked", 2, None, None)
    assert (done.decision.verb, done.decision.reason, done.decision.act.note.words) == ("move", "moved", "a game")
    assert (new.state, new.version, new.brought_by, new.source) == ("pending", 1, done.act, None)
    assert (new.folded[:8], new.rank > 0, new.alike != []) == ("lindmark", True, True)
    assert [decision.candidate_id for decision in done.act.decision_set.all()] == [candidate.pk]


@pytest.mark.parametrize("state", State.values)
def test_what_is_there_already_in_any_state_is_a_conflict(
    state: str, anna: User, de_politics: Channel, sport: Channel
) -> None:
    candidate = make_candidate(de_politics)
    make_candidate(sport, tweet=candidate.tweet, state=state)
    with pytest.raises(operations.AlreadyThere) as refused:
        operations.move(candidate, by=anna, version=1, category="sport")
    assert (refused.value.status, refused.value.code, refused.value.field) == (409, "already_there", "category")
    assert (again(candidate).state, Decision.objects.count()) == ("pending", 0)


def test_its_own_category_has_it_already(anna: User, de_politics: Channel) -> None:
    with pytest.raises(operations.AlreadyThere):
        operations.move(make_candidate(de_politics), by=anna, version=1, category="politics")


@pytest.mark.parametrize("category", [None, "", "weather", "x" * 500])
def test_a_category_that_the_market_has_not(category: str | None, anna: User, de_politics: Channel) -> None:
    with pytest.raises(operations.NoSuchCategory) as refused:
        operations.move(make_candidate(de_politics), by=anna, version=1, category=category)
    assert refused.value.field == "category"


def test_a_channel_that_is_closed_takes_nothing(anna: User, de_politics: Channel, sport: Channel) -> None:
    Channel.objects.filter(pk=sport.pk).update(active=False)
    with pytest.raises(operations.NoSuchCategory):
        operations.move(make_candidate(de_politics), by=anna, version=1, category="sport")


def test_nothing_moves_into_a_block(anna: User, de_politics: Channel, sport: Channel) -> None:
    candidate = make_candidate(de_politics, "Wetten auf das Spiel")
    block = make_block("wetten", channel=sport)
    with pytest.raises(operations.BlockStands) as refused:
        operations.move(candidate, by=anna, version=1, category="sport")
    assert (refused.value.field, again(candidate).version) == ("category", 1)
    Block.objects.filter(pk=block.pk).update(effect=Block.Effect.HOLD)
    block.refresh_from_db()
    block.save()
    operations.move(candidate, by=anna, version=1, category="sport")
    assert (there(candidate, sport).held, Hit.objects.get().block) == (True, block)


def test_bulk_moves_answer_each_for_itself(anna: User, bram: User, de_politics: Channel, sport: Channel) -> None:
    tweet = make_tweet("Ein Beitrag in zwei Kanälen")
    one, twin = (make_candidate(channel_of("de", slug), tweet=tweet) for slug in ("politics", "economy"))
    two, known = make_candidate(de_politics, "Etwas ganz anderes"), make_candidate(de_politics)
    make_candidate(sport, tweet=known.tweet)
    foreign = make_candidate(channel_of("nl", "politics"))
    seen = dict.fromkeys([one.pk, twin.pk, two.pk, known.pk, foreign.pk], 1)
    many = operations.decide_many("move", seen, by=anna, category="sport")
    assert [result.status for result in many.results] == [201, 409, 201, 409, 404]
    assert set(Candidate.objects.filter(brought_by=many.act).values_list("tweet", flat=True)) == {
        tweet.pk,
        two.tweet_id,
    }


def test_a_moved_one_joins_its_group_there(anna: User, de_politics: Channel, sport: Channel) -> None:
    words = "Lindmark gewinnt das Spiel gegen Osterfelde mit drei zu null Toren"
    first = make_candidate(de_politics, words)
    second = make_candidate(de_politics, words + "!")
    operations.move(first, by=anna, version=1, category="sport")
    operations.move(second, by=anna, version=1, category="sport")
    assert there(second, sport).group == there(first, sport)
    assert sorted([there(first, sport).hidden, there(second, sport).hidden]) == [False, True]


def test_undo_of_a_move_takes_the_row_away_and_gives_the_slot_back(
    anna: User, de_politics: Channel, sport: Channel
) -> None:
    candidate = make_candidate(de_politics)
    operations.pin(candidate, by=anna, version=1, slot=2)
    before = again(candidate).standing()
    moved = operations.move(candidate, by=anna, version=2, category="sport")
    operations.undo(moved.act, by=anna)
    assert (again(candidate).standing(), again(candidate).version) == (before, 4)
    assert not Candidate.objects.filter(channel=sport).exists()
    operations.move(candidate, by=anna, version=4, category="sport")


def test_undo_of_a_move_leaves_a_group_that_goes_on(anna: User, de_politics: Channel, sport: Channel) -> None:
    words = "Lindmark gewinnt das Spiel gegen Osterfelde mit drei zu null Toren"
    first, second = make_candidate(de_politics, words), make_candidate(de_politics, words + "!")
    moved = operations.move(first, by=anna, version=1, category="sport")
    operations.move(second, by=anna, version=1, category="sport")
    operations.undo(moved.act, by=anna)
    left = Candidate.objects.get(channel=sport)
    assert (left.tweet, left.group, left.hidden) == (second.tweet, None, False)


def test_what_was_decided_there_since_is_refused_alone(
    anna: User, ben: User, de_politics: Channel, sport: Channel
) -> None:
    one, two = make_candidate(de_politics, "Eines"), make_candidate(de_politics, "Und ein anderes")
    many = operations.decide_many("move", {one.pk: 1, two.pk: 1}, by=anna, category="sport")
    assert many.act is not None
    operations.approve(there(one, sport), by=ben, version=1)
    undone = operations.undo(many.act, by=anna)
    assert [result.status for result in undone.results] == [409, 201]
    assert undone.results[0].problem is not None
    assert (undone.results[0].problem["code"], undone.results[0].problem["by"]) == ("stale_version", "Ben Buche")
    assert [(again(row).state) for row in (one, two, there(one, sport))] == ["blocked", "pending", "approved"]
    assert not Candidate.objects.filter(channel=sport, tweet=two.tweet_id).exists()


def test_a_move_taken_back_is_not_done_again_by_undo(anna: User, de_politics: Channel, sport: Channel) -> None:
    moved = operations.move(make_candidate(de_politics), by=anna, version=1, category="sport")
    undone = operations.undo(moved.act, by=anna)
    assert undone.act is not None
    with pytest.raises(operations.NotUndoable):
        operations.undo(undone.act, by=anna)


@pytest.mark.parametrize("state", ["pending", "approved", "blocked", "lapsed"])
def test_an_offer_changes_nothing_here_and_waits_there(
    state: str, anna: User, de_politics: Channel, nl_politics: Channel
) -> None:
    candidate = make_candidate(de_politics, state=state)
    before = candidate.standing()
    done = operations.offer(candidate, by=anna, version=1, market="nl", note="for you?")
    new, told = there(candidate, nl_politics), Offer.objects.get()
    assert (again(candidate).standing(), again(candidate).version) == (before, 2)
    assert (new.state, new.version, new.brought_by, done.decision.verb) == ("pending", 1, done.act, "offer")
    assert (told.candidate, told.origin, told.origin_market.code, told.by, told.note) == (
        new, candidate, "de", anna, "for you?",
    )  # fmt: skip


def test_an_offer_goes_to_the_first_channel_where_the_category_is_missing(
    anna: User, de_politics: Channel, nl_politics: Channel
) -> None:
    Channel.objects.filter(pk=nl_politics.pk).update(active=False)
    candidate = make_candidate(de_politics)
    operations.offer(candidate, by=anna, version=1, market="nl")
    first = Channel.objects.active().filter(market__code="nl")[0]
    assert there(candidate, first).state == "pending"


def test_the_sender_is_told_the_same_whatever_stands_there(
    anna: User, bram: User, de_politics: Channel, nl_politics: Channel
) -> None:
    known, new = make_candidate(de_politics), make_candidate(de_politics)
    row = make_candidate(nl_politics, tweet=known.tweet, state="blocked")
    answers = [operations.offer(one, by=anna, version=1, market="nl") for one in (known, new)]
    assert [(a.decision.verb, a.decision.version, a.decision.reason) for a in answers] == [("offer", 2, "")] * 2
    assert (again(row).state, again(row).version, Offer.objects.filter(candidate=row).exists()) == ("blocked", 1, False)
    operations.block(there(new, nl_politics), by=bram, version=1)
    for answer in answers:
        assert [result.status for result in operations.undo(answer.act, by=anna).results] == [201]
    assert there(new, nl_politics).state == "blocked"
    assert there(known, nl_politics).pk == row.pk


def test_the_lists_there_are_obeyed(anna: User, de_politics: Channel, nl_politics: Channel) -> None:
    candidate = make_candidate(de_politics, "Gewinnspiel in Lindmark")
    make_block("gewinnspiel", market=nl_politics.market)
    operations.offer(candidate, by=anna, version=1, market="nl")
    new = there(candidate, nl_politics)
    assert (new.state, new.blocked_by_lists, Hit.objects.get().candidate) == ("blocked", True, new)


def test_undo_of_an_offer_takes_it_away_while_nobody_decided(
    anna: User, de_politics: Channel, nl_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    done = operations.offer(candidate, by=anna, version=1, market="nl")
    operations.undo(done.act, by=anna)
    assert (Candidate.objects.filter(channel=nl_politics).count(), Offer.objects.count()) == (0, 0)
    assert (again(candidate).state, again(candidate).version) == ("pending", 3)


@pytest.mark.parametrize("market", [None, "", "de", "xx", "NL", "x" * 99])
def test_a_market_that_is_no_other_market(market: str | None, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    with pytest.raises(operations.NoSuchMarket) as refused:
        operations.offer(candidate, by=anna, version=1, market=market)
    assert (refused.value.field, refused.value.status, again(candidate).version) == ("market", 422, 1)


def test_a_closed_market_is_no_market(anna: User, de_politics: Channel) -> None:
    Market.objects.filter(code="nl").update(active=False)
    with pytest.raises(operations.NoSuchMarket):
        operations.offer(make_candidate(de_politics), by=anna, version=1, market="nl")


def test_who_gets_an_offer_needs_no_right_of_the_sender(
    anna: User, vera: User, bram: User, de_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    for person, code in ((vera, "permission_denied"), (bram, "not_found")):
        with pytest.raises(Refusal) as refused:
            operations.offer(candidate, by=person, version=1, market="nl")
        assert refused.value.code == code


@pytest.mark.parametrize("gone", ["gone_at", "purged_at"])
def test_what_x_shows_no_more_goes_nowhere(gone: str, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    Tweet.objects.filter(pk=candidate.tweet_id).update(text="", author=None, **{gone: timezone.now()})
    for verb, wish in (("offer", {"market": "nl"}), ("move", {"category": "sport"})):
        with pytest.raises(operations.NotAllowed):
            operations.decide(verb, candidate, by=anna, version=1, **wish)
    assert Candidate.objects.count() == 1


def test_what_x_withholds_there_is_sent_and_does_not_arrive(
    anna: User, de_politics: Channel, nl_politics: Channel
) -> None:
    tweet = make_tweet("Nur hier zu sehen", author=make_author(), withheld_in=["NL"])
    done = operations.offer(make_candidate(de_politics, tweet=tweet), by=anna, version=1, market="nl")
    assert (done.decision.verb, Candidate.objects.filter(channel=nl_politics).count()) == ("offer", 0)


@pytest.mark.parametrize("verb", ["move", "offer"])
def test_the_same_key_brings_one(verb: str, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    where = {"category": "sport"} if verb == "move" else {"market": "nl"}
    first, second = (operations.decide(verb, candidate, by=anna, version=1, key="k", **where) for _ in "ab")
    assert (first.act, second.repeated, Candidate.objects.count()) == (second.act, True, 2)
    with pytest.raises(operations.KeyReused):
        operations.decide(verb, candidate, by=anna, version=1, key="k", **dict.fromkeys(where, "gr"))


def test_an_act_of_yesterday_brings_nothing_back(anna: User, de_politics: Channel) -> None:
    done = operations.move(make_candidate(de_politics), by=anna, version=1, category="sport")
    with pytest.raises(operations.NotUndoable):
        operations.undo(done.act, by=anna, now=timezone.now() + timedelta(hours=25))
    assert Candidate.objects.count() == 2


@pytest.mark.parametrize("by_link", [False, True])
def test_what_comes_another_way_too_stays_when_the_offer_is_taken_back(
    by_link: bool, anna: User, bram: User, de_politics: Channel, nl_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    act = operations.offer(candidate, by=anna, version=1, market="nl").act
    source = Source.objects.create(kind="account", value="rathaus", channel=nl_politics)
    if by_link:
        links.add(f"https://x.com/i/status/{candidate.tweet.current_id}", nl_politics, by=bram, now=timezone.now())
    else:
        arriving.offer([candidate.tweet_id], source, [nl_politics], timezone.now())
    operations.undo(act, by=anna)
    new = there(candidate, nl_politics)
    assert (new.version, new.brought_by, new.source) == (1, None, None if by_link else source)


def test_what_two_markets_offered_stays_while_one_offer_stands(
    anna: User, eleni: User, de_politics: Channel, nl_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    greek = make_candidate(channel_of("gr", "politics"), tweet=candidate.tweet)
    act = operations.offer(candidate, by=anna, version=1, market="nl").act
    operations.offer(greek, by=eleni, version=1, market="nl")
    operations.undo(act, by=anna)
    assert there(candidate, nl_politics).state == "pending"


def test_the_log_keeps_where_a_post_was_sent(anna: User, de_politics: Channel, nl_politics: Channel) -> None:
    """Whatever stands there, before or after: so the sender learns nothing of it."""
    first, second = make_candidate(de_politics), make_candidate(de_politics)
    make_candidate(nl_politics, tweet=first.tweet)
    offers = [operations.offer(row, by=anna, version=1, market="nl") for row in (first, second)]
    moved = operations.move(make_candidate(de_politics), by=anna, version=1, category="sport")
    told = [one.decision.after["to"] for one in (*offers, moved)]
    assert told == [{"market": "nl"}, {"market": "nl"}, {"category": "sport"}]
    operations.undo(offers[1].act, by=anna)
    runs = [Run(one.act.pk, one.decision.at, [(one.decision.pk, "offer")], 1) for one in offers]
    lines = lines_of(runs, anna, timezone.now())
    assert [line.details for line in lines] == [["to NL"], ["to NL"]]
