"""What an open desk is told of others: decisions, counts, arrivals."""

from typing import Any

from django.db import connection

from curation import operations
from curation.models import Candidate, Decision
from regions.models import Channel, User
from tests.cast import channel_of, make_candidate, make_tweet
from tests.curation.test_desk import DESK, HTMX, in_german, rows_of, text_of


def since(decision: int = 0, candidate: int = 0, **more: Any) -> dict[str, Any]:
    return {"decision": decision, "candidate": candidate} | more


def test_a_fresh_page_has_seen_everything(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    operations.decide("approve", candidate, by=anna, version=1)
    seen = {"decision": Decision.objects.get().pk, "candidate": candidate.pk}
    assert browse(anna).get(DESK).context["horizon"] == seen


def test_what_others_decided_comes_as_their_cards(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    old, new = make_candidate(de_politics), make_candidate(de_politics)
    operations.decide("approve", old, by=ben, version=1)
    seen = Decision.objects.get().pk
    operations.decide("block", new, by=ben, version=1)
    response = browse(in_german(anna)).get(DESK + "changes/", since(seen, new.pk), headers=HTMX)
    assert rows_of(response) == [new.pk]
    assert "Ben Buche hat gesperrt" in text_of(response)
    assert response.context["horizon"] == {"decision": Decision.objects.latest("id").pk, "candidate": new.pk}


def test_decisions_elsewhere_bring_no_cards_but_counts(
    browse: Any, anna: User, ben: User, de_politics: Channel
) -> None:
    sport = make_candidate(channel_of("de", "sport"))
    make_candidate(channel_of("de", "sport"))
    operations.decide("block", sport, by=ben, version=1)
    response = browse(anna).get(DESK + "changes/", since(0, sport.pk + 1), headers=HTMX)
    assert rows_of(response) == []
    assert response.context["here"].waiting == 1


def test_arrivals_wait_behind_a_number(browse: Any, anna: User, de_politics: Channel) -> None:
    seen = make_candidate(de_politics)
    for _ in range(3):
        make_candidate(de_politics)
    make_candidate(channel_of("de", "sport"))
    response = browse(in_german(anna)).get(DESK + "changes/", since(0, seen.pk), headers=HTMX)
    assert (response.context["arrived"], rows_of(response)) == (3, [])
    assert "3 neue" in text_of(response)


def test_arrivals_are_shown_best_first_and_only_once(browse: Any, anna: User, de_politics: Channel) -> None:
    seen = make_candidate(de_politics, rank=90)
    low, high = make_candidate(de_politics, rank=10), make_candidate(de_politics, rank=70)
    response = browse(anna).get(DESK + "arrivals/", since(0, seen.pk), headers=HTMX)
    assert rows_of(response) == [high.pk, low.pk]
    assert response.context["horizon"]["candidate"] == Candidate.objects.latest("id").pk


def test_arrivals_keep_to_the_search(browse: Any, anna: User, de_politics: Channel) -> None:
    found = make_candidate(de_politics, "Die Brücke ist offen")
    make_candidate(de_politics, "Etwas anderes")
    assert rows_of(browse(anna).get(DESK + "arrivals/", since(q="brucke"), headers=HTMX)) == [found.pk]


def test_nonsense_is_refused(browse: Any, anna: User, de_politics: Channel) -> None:
    assert browse(anna).get(DESK + "changes/", since("x"), headers=HTMX).status_code == 422  # type: ignore[arg-type]
    assert browse(anna).get(DESK + "arrivals/", headers=HTMX).url == DESK


def test_a_bulk_elsewhere_hides_nothing(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    early, late = make_candidate(de_politics), make_candidate(de_politics)
    sport = channel_of("de", "sport")
    operations.approve(early, by=ben, version=1)
    operations.decide_many("block", {make_candidate(sport).pk: 1 for _ in range(200)}, by=ben)
    operations.approve(late, by=ben, version=1)
    response = browse(anna).get(DESK + "changes/", since(0, late.pk), headers=HTMX)
    assert sorted(rows_of(response)) == [early.pk, late.pk]


def test_more_than_fits_is_asked_for_at_once(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics).pk for _ in range(205)]
    operations.decide_many("block", dict.fromkeys(rows[:200], 1), by=ben)
    operations.decide_many("block", dict.fromkeys(rows[200:], 1), by=ben)
    log = list(Decision.objects.order_by("id").values_list("id", flat=True))
    first = browse(anna).get(DESK + "changes/", since(0, rows[-1]), headers=HTMX)
    assert (sorted(rows_of(first)), first.context["horizon"]["decision"]) == (rows[:200], log[199])
    assert 'hx-trigger="ask, load"' in first.content.decode()
    second = browse(anna).get(DESK + "changes/", since(log[199], rows[-1]), headers=HTMX)
    assert (sorted(rows_of(second)), second.context["horizon"]["decision"]) == (rows[200:], log[-1])
    assert 'hx-trigger="ask"' in second.content.decode()


def test_what_waits_again_is_delivered(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    undone, reopened, blocked, new = (make_candidate(de_politics, "Die Brücke") for _ in range(4))
    act = operations.approve(undone, by=ben, version=1).act
    operations.decide_many("block", {reopened.pk: 1, blocked.pk: 1, new.pk: 1}, by=ben)
    seen = Decision.objects.latest("id").pk
    operations.undo(act, by=ben)
    operations.decide_many("reopen", {reopened.pk: 2, new.pk: 2}, by=ben)
    for words, back in (("", {undone.pk, reopened.pk}), ("brucke", {undone.pk, reopened.pk}), ("anders", set())):
        response = browse(anna).get(DESK + "changes/", since(seen, blocked.pk, q=words), headers=HTMX)
        assert {card.candidate.pk for card in response.context["rows"] if card.returned} == back
        assert response.content.decode().count("data-returned") == len(back)


def test_only_what_came_back_counts_as_returned(browse: Any, anna: User, ben: User, de_politics: Channel) -> None:
    Channel.objects.filter(pk=de_politics.pk).update(second_pair=True)
    candidate = make_candidate(de_politics)
    operations.approve(candidate, by=ben, version=1)
    response = browse(anna).get(DESK + "changes/", since(0, candidate.pk), headers=HTMX)
    assert [card.returned for card in response.context["rows"]] == [False]


def test_too_many_arrivals_come_in_parts(browse: Any, anna: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics).pk for _ in range(53)]
    response = browse(anna).get(DESK + "arrivals/", since(), headers=HTMX)
    assert sorted(rows_of(response)) == rows[:50]
    assert (response.context["horizon"]["candidate"], response.context["arrived"]) == (rows[49], 3)


def test_what_arrives_while_the_page_is_made_is_announced(browse: Any, anna: User, de_politics: Channel) -> None:
    made: list[Candidate] = []

    def meanwhile(execute: Any, sql: str, *rest: Any) -> Any:
        result = execute(sql, *rest)
        if '"rank" DESC' in sql and not made:
            made.append(make_candidate(de_politics, tweet=tweet))
        return result

    tweet = make_tweet()
    person = browse(anna)
    with connection.execute_wrapper(meanwhile):
        response = person.get(DESK)
    assert rows_of(response) == []
    assert response.context["horizon"]["candidate"] < made[0].pk


def test_rows_that_a_move_brought_are_called_gone_once_it_is_taken_back(
    browse: Any, anna: User, ben: User, de_politics: Channel
) -> None:
    candidate, stays = make_candidate(de_politics), make_candidate(channel_of("de", "sport"))
    act = operations.decide("move", candidate, by=ben, version=1, category="sport").act
    brought = Candidate.objects.get(channel=channel_of("de", "sport"), tweet=candidate.tweet)
    asked = since(0, brought.pk, open=f"{brought.pk},{stays.pk},x,²,{'9' * 30}")
    sport = "/desk/de/sport/changes/"
    assert browse(anna).get(sport, asked, headers=HTMX).context["gone"] == []
    assert act is not None
    operations.undo(act, by=ben)
    response = browse(anna).get(sport, asked, headers=HTMX)
    assert response.context["gone"] == [brought.pk]
    assert f'data-gone="{brought.pk}"' in response.content.decode()
    back = browse(anna).get(DESK + "changes/", since(0, candidate.pk), headers=HTMX)
    assert [(card.candidate.pk, card.returned) for card in back.context["rows"]] == [(candidate.pk, True)]


def test_a_boosted_link_gets_the_page_and_others_the_rows(browse: Any, anna: User, de_politics: Channel) -> None:
    make_candidate(de_politics)
    whole = browse(anna).get(DESK, headers=HTMX | {"HX-Boosted": "true"}).content.decode()
    part = browse(anna).get(DESK, headers=HTMX).content.decode()
    assert ('id="main"' in whole, 'id="main"' in part) == (True, False)
