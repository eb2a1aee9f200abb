"""The table of transitions: as people read it, and cell by cell with the real operations and everybody's rights."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from curation import operations
from curation.models import Candidate, Decision, State
from curation.operations.record import Record
from curation.transitions import BY_RULE, CARRIES, EDITORS_VERBS, TRANSITIONS, as_table
from regions.models import Channel, Source, User
from regions.problems import Refusal
from tests.cast import channel_of, make_author, make_candidate, make_tweet, make_user

DOCUMENT = Path(__file__).parents[2] / "docs/decisions.md"
BEGIN, END = "<!-- as_table() of curation/transitions.py -->\n", "<!-- end -->"


def test_the_document_shows_the_table_of_the_code() -> None:
    """When it fails: put what it prints between the two marks."""
    told = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0]
    assert told == as_table(), f"write into {DOCUMENT.name}:\n{as_table()}"


def test_the_table_names_every_cell_of_the_code() -> None:
    _head, _line, *rows = as_table().splitlines()
    cells = {row.split(" | ")[0].strip("| "): row.strip("| ").split(" | ")[1:] for row in rows}
    assert cells["approve"] == ["approved or pending", "-", "-", "approved or pending", "-"]
    assert cells["restore (system)"] == ["-", "-", "-", "-", "pending or blocked"]
    assert cells["approve (system)"] == ["approved", "-", "-", "-", "-"]
    assert len(rows) == len(TRANSITIONS) + len(BY_RULE)
    assert all(len(row) == len(State.values) for row in cells.values())


def test_every_verb_of_editors_says_what_it_carries() -> None:
    assert set(CARRIES) == set(EDITORS_VERBS)


# What is expected of each cell, written down once more by hand: (state, pinned) -> state afterwards; "-" is refused.
# p pending, a approved, P pinned, b blocked, l lapsed, w withdrawn.
CELLS = {
    "approve": "p>a a>- P>- b>- l>a w>-",
    "pin": "p>P a>P P>P b>- l>P w>-",
    "unpin": "p>- a>- P>a b>- l>- w>-",
    "block": "p>b a>b P>b b>- l>b w>-",
    "reopen": "p>- a>p P>p b>p l>p w>-",
    "move": "p>b a>b P>b b>- l>- w>-",
    "schedule": "p>a a>a P>P b>- l>- w>-",
    "annotate": "p>p a>a P>P b>- l>- w>-",
    "offer": "p>p a>a P>P b>b l>l w>w",
}
STANDING: dict[str, dict[str, Any]] = {
    "p": {"state": State.PENDING},
    "a": {"state": State.APPROVED},
    "P": {"state": State.APPROVED, "slot": 2},
    "b": {"state": State.BLOCKED},
    "l": {"state": State.LAPSED},
    "w": {"state": State.WITHDRAWN},
}
WISHES: dict[str, dict[str, Any]] = {
    "annotate": {"context": "Heute entscheidet der Rat."},
    "move": {"category": "sport"},
    "offer": {"market": "gr"},
    "schedule": {"expire_at": datetime(2031, 5, 1, 12, tzinfo=UTC)},
}
PEOPLE = {  # who: (in DE, in NL); "may", "may not" (403), "nothing" (404)
    "guest": ("nothing", "nothing"),
    "vera": ("may not", "nothing"),
    "anna": ("may", "nothing"),
    "lena": ("may", "nothing"),
    "bram": ("nothing", "may"),
    "chief": ("may", "may"),
}


def letter(candidate: Candidate) -> str:
    row = Candidate.objects.get(pk=candidate.pk)
    return "P" if row.slot else row.state[0]


@pytest.fixture
def people(guest: User, vera: User, anna: User, lena: User, bram: User, chief: User) -> dict[str, User]:
    return {"guest": guest, "vera": vera, "anna": anna, "lena": lena, "bram": bram, "chief": chief}


def outcome(verb: str, candidate: Candidate, by: User) -> str:
    """What comes of it: the code of the refusal, or the state afterwards."""
    try:
        operations.decide(verb, candidate, by=by, version=1, **WISHES.get(verb, {}))
    except Refusal as refusal:
        return refusal.code
    return letter(candidate)


@pytest.mark.django_db
@pytest.mark.parametrize("verb", EDITORS_VERBS)
def test_each_cell_for_everybody_in_their_own_market_and_in_another(verb: str, people: dict[str, User]) -> None:
    cells = dict(cell.split(">") for cell in CELLS[verb].split())
    assert set(cells) == set(STANDING)
    told, expected = {}, {}
    for before, after in cells.items():
        for name, rights in PEOPLE.items():
            for market, right in zip(("de", "nl"), rights, strict=True):
                candidate = make_candidate(channel_of(market, "politics"), **STANDING[before])
                place = (before, name, market)
                told[place] = outcome(verb, candidate, people[name])
                denied = {"nothing": "not_found", "may not": "permission_denied"}
                expected[place] = denied.get(right) or ("not_allowed" if after == "-" else after)
                moved = Candidate.objects.get(pk=candidate.pk).version == 2
                assert moved == (told[place] in STANDING), place
                Candidate.objects.filter(slot__isnull=False).update(slot=None)
    assert told == expected


@pytest.mark.django_db
@pytest.mark.parametrize("verb", EDITORS_VERBS)
def test_the_code_s_table_is_the_one_above(verb: str) -> None:
    """Pending after an approval stands for the second pair of eyes; whether something is pinned is no state."""
    cells = dict(cell.split(">") for cell in CELLS[verb].split() if cell[0] != "P")
    by_hand = {STANDING[before]["state"]: STANDING[after]["state"] for before, after in cells.items() if after != "-"}
    if verb == "unpin":
        by_hand = {State.APPROVED: State.APPROVED}
    assert by_hand == {before: after[0] for before, after in TRANSITIONS[verb].items()}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verb", "before"), [("approve", "p"), ("approve", "l"), ("pin", "p"), ("pin", "l"), ("schedule", "p")]
)
def test_where_two_must_agree_the_first_leaves_it_pending(
    verb: str, before: str, anna: User, ben: User, de_politics: Channel
) -> None:
    Channel.objects.filter(pk=de_politics.pk).update(second_pair=True)
    candidate, wish = make_candidate(de_politics, **STANDING[before]), WISHES.get(verb, {})
    operations.decide(verb, candidate, by=anna, version=1, **wish)
    first = Candidate.objects.get(pk=candidate.pk)
    assert (letter(candidate), first.confirmed_by) == ("p", anna)
    with pytest.raises(operations.SecondPairNeeded):
        operations.decide(verb, candidate, by=anna, version=2, **wish)
    operations.decide(verb, candidate, by=ben, version=2, **wish)
    assert letter(candidate) == ("P" if verb == "pin" else "a")


@pytest.mark.django_db
@pytest.mark.parametrize("verb", [verb for verb in TRANSITIONS if verb not in EDITORS_VERBS] + ["undo", "praise", ""])
def test_verbs_of_the_system_are_nobodys_to_ask_for(verb: str, chief: User, de_politics: Channel) -> None:
    with pytest.raises(operations.NotAllowed) as refused:
        operations.decide(verb, make_candidate(de_politics), by=chief, version=1)
    assert (refused.value.field, Decision.objects.count()) == ("verb", 0)


@pytest.mark.django_db
@pytest.mark.parametrize("state", State.values)
def test_what_the_rule_may_approve(state: str, de_politics: Channel) -> None:
    source = Source.objects.create(kind="account", value="rathaus", auto_approve=True, channel=de_politics)
    tweet = make_tweet(author=make_author("rathaus"))
    candidate = make_candidate(de_politics, tweet=tweet, source=source, state=state)
    operations.approve_by_rule(source, now=timezone.now())
    expected = BY_RULE["approve"].get(state, (state,))[0]
    assert Candidate.objects.get(pk=candidate.pk).state == expected
    assert Candidate.objects.get(pk=candidate.pk).version == (2 if state in BY_RULE["approve"] else 1)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [State.APPROVED, State.BLOCKED, State.LAPSED])
def test_undo_leads_back_from_each_verb(state: str, anna: User, de_politics: Channel) -> None:
    verb = {"approved": "block", "blocked": "reopen", "lapsed": "approve"}[state]
    candidate = make_candidate(de_politics, state=state)
    before = candidate.standing()
    done = operations.decide(verb, candidate, by=anna, version=1)
    operations.undo(done.act, by=anna)
    row = Candidate.objects.get(pk=candidate.pk)
    assert (row.standing(), row.version) == (before, 3)


@pytest.mark.django_db
def test_who_belongs_to_no_market_learns_nothing_of_any() -> None:
    stranger = make_user("stranger")
    candidate = make_candidate(channel_of("ro", "economy"))
    missing = Candidate(pk=candidate.pk + 1000)
    assert [outcome("approve", one, stranger) for one in (candidate, missing)] == ["not_found"] * 2


@pytest.mark.parametrize(
    ("verb", "state", "after"),
    [("lapse", "a", "lapsed"), ("lift", "p", "pending"), ("withdraw", "p", "blocked"), ("approve", "l", "approved")],
)
def test_the_system_too_takes_no_step_that_no_table_has(
    de_politics: Channel, verb: str, state: str, after: str
) -> None:
    """What a job asks for is written through Record; editors' verbs are refused before."""
    candidate = make_candidate(de_politics, **STANDING[state])
    with pytest.raises(RuntimeError, match=f"no table of transitions has {verb}"), transaction.atomic():
        Record(verb, by=None, now=timezone.now()).change(candidate, verb, state=after)
    stands = Candidate.objects.get(pk=candidate.pk)
    assert (stands.state, stands.version) == (STANDING[state]["state"], 1)
