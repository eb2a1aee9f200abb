"""What an open desk is told of others: decisions, counts, arrivals."""

from typing import Any

from curation import operations
from curation.models import Candidate, Decision
from regions.models import Channel, User
from tests.cast import channel_of, make_candidate
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
