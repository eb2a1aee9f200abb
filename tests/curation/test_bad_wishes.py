"""Bad input at the API: whatever a verb is asked, the answer is 422 with the field and a sentence; nothing changes."""

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from curation.models import Act, Candidate, Decision
from curation.transitions import CARRIES, EDITORS_VERBS
from regions.models import Channel, User
from tests.cast import channel_of, make_candidate

pytestmark = pytest.mark.django_db

GOOD: dict[str, Any] = {
    "reason": "spam",
    "slot": 1,
    "until": "2031-05-01T12:00",
    "swap": True,
    "go_live_at": "2031-05-01T12:00",
    "expire_at": "2031-05-02T12:00",
    "context": "Heute",
    "label": "Anzeige",
    "with_similar": True,
    "category": "sport",
    "market": "gr",
    "also": [{"kind": "author", "scope": "channel"}],
}
NEEDED: dict[str, dict[str, Any]] = {
    "annotate": {"context": "Heute"},
    "move": {"category": "sport"},
    "offer": {"market": "gr"},
    "schedule": {"expire_at": "2031-05-03T12:00"},
}
BAD: dict[str, list[tuple[Any, str]]] = {
    "slot": [
        (0, "no_such_slot"),
        (-1, "no_such_slot"),
        (4, "no_such_slot"),
        (10**30, "no_such_slot"),
        ("first", "invalid"),
        (1.5, "invalid"),
        (True, "invalid"),
    ],
    "until": [("2001-01-01T00:00Z", "bad_window"), ("soon", "invalid"), ("2026-03-29", "bad_window")],
    "go_live_at": [
        ("1900-01-01T00:00", "bad_window"),
        ("2020-01-01T10:00", "bad_window"),
        ("9999-12-31T23:59:59-12:00", "bad_window"),
        ("0001-01-01T00:00", "bad_window"),
        ("2027-03-28T02:30", "bad_window"),
        ("2026-13-01T00:00", "invalid"),
        (5, "invalid"),
    ],
    "expire_at": [
        ("2020-01-01T00:00", "bad_window"),
        ("9999-12-31T23:59:59", "bad_window"),
        ("2027-03-28T02:00", "bad_window"),
        ("never", "invalid"),
    ],
    "context": [
        ("x" * 201, "bad_words"),
        ("two\nlines", "bad_words"),
        ("tab\there", "bad_words"),
        ("c1 \x85 control", "bad_words"),
        ("line\u2028separator", "bad_words"),
        ("turned \u202e around", "bad_words"),
        ("isolated \u2066 here", "bad_words"),
        ("nul \x00", "invalid"),
        ("half \ud800", "invalid"),
        (["a list"], "invalid"),
    ],
    "label": [("x" * 41, "bad_words"), ("par\u2029agraph", "bad_words")],
    "note": [("x" * 501, "bad_words"), ("bell \x07", "bad_words")],
    "reason": [("mood", "not_allowed"), ("moved", "not_allowed"), ("", "invalid")],
    "category": [("weather", "no_such_category"), ("", "no_such_category"), (None, "no_such_category")],
    "market": [("de", "no_such_market"), ("xx", "no_such_market"), ("", "no_such_market"), (None, "no_such_market")],
    "also": [
        ([{"kind": "term", "value": "", "scope": "channel"}], "bad_block"),
        ([{"kind": "author", "scope": "channel"}] * 21, "not_allowed"),
    ],
    "swap": [("perhaps", "invalid")],
    "with_similar": [({}, "invalid")],
}
NESTED: list[Any] = [
    [{"kind": "tweet", "value": "1", "scope": "channel"}],
    [{"kind": "term", "value": "x", "scope": "world"}],
    [{"kind": "term", "value": "x" * 201, "scope": "channel"}],
    [{"kind": "term", "value": "x", "scope": "channel", "more": 1}],
    ["spam"],
    "spam",
]
CARRIED = [(verb, name, *bad) for verb in EDITORS_VERBS for name in (*CARRIES[verb], "note") for bad in BAD[name]]
NOT_CARRIED = [(verb, name) for verb in EDITORS_VERBS for name in GOOD if name not in CARRIES[verb]]
SENT = dict[str, Any]


def ask(api: Any, by: User, candidate: Candidate, verb: str, sent: SENT) -> tuple[int, SENT]:
    url = f"/api/v1/candidates/{candidate.pk}/decisions/"
    body = json.dumps({"verb": verb, "version": 1} | sent)
    answer = api(by).post(url, body, content_type="application/json", headers={"Accept-Language": "de"})
    return answer.status_code, json.loads(answer.content)


def fresh(verb: str, channel: Channel) -> Candidate:
    return make_candidate(channel, **({"state": "approved", "slot": 1} if verb == "unpin" else {}))


def test_good_wishes_are_good(api: Any, chief: User, de_politics: Channel) -> None:
    """So that the tables below fail for their one reason."""
    for verb in EDITORS_VERBS:
        for name in CARRIES[verb]:
            if name in ("until", "swap") and verb == "approve":
                continue
            candidate = fresh(verb, de_politics)
            status, answer = ask(api, chief, candidate, verb, NEEDED.get(verb, {}) | {name: GOOD[name]})
            assert status == 201, (verb, name, answer)
            Candidate.objects.filter(slot__isnull=False).update(slot=None, pinned_until=None)


def test_every_bad_value_is_told_by_its_field(api: Any, anna: User, de_politics: Channel) -> None:
    candidates = {verb: fresh(verb, de_politics) for verb in EDITORS_VERBS}
    told, expected = {}, {}
    for verb, name, value, code in CARRIED:
        status, problem = ask(api, anna, candidates[verb], verb, NEEDED.get(verb, {}) | {name: value})
        place = (verb, name, repr(value)[:40])
        told[place] = (status, problem["code"], problem.get("field"), bool(problem["detail"]))
        expected[place] = (422, code, name, True)
    assert told == expected
    assert (Act.objects.count(), Decision.objects.count()) == (0, 0)


def test_what_a_verb_does_not_take_is_refused(api: Any, chief: User, de_politics: Channel) -> None:
    candidates = {verb: fresh(verb, de_politics) for verb in EDITORS_VERBS}
    told = {}
    for verb, name in NOT_CARRIED:
        status, problem = ask(api, chief, candidates[verb], verb, NEEDED.get(verb, {}) | {name: GOOD[name]})
        told[verb, name] = (status, problem["code"], problem.get("field"))
    assert told == {(verb, name): (422, "not_allowed", name) for verb, name in NOT_CARRIED}
    assert Act.objects.count() == 0


@pytest.mark.parametrize("also", NESTED)
def test_the_shape_of_also(also: Any, api: Any, chief: User, de_politics: Channel) -> None:
    status, problem = ask(api, chief, make_candidate(de_politics), "block", {"also": also})
    assert (status, problem["code"], problem["field"].split(".")[0]) == (422, "invalid", "also")


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"go_live_at": "2031-05-02T12:00", "expire_at": "2031-05-02T12:00"}, "expire_at"),
        ({"go_live_at": "2031-05-02T12:00", "expire_at": "2031-05-01T12:00Z"}, "expire_at"),
        ({"go_live_at": "2031-10-26T02:30", "expire_at": "2031-10-26T00:29Z"}, "expire_at"),
    ],
)
@pytest.mark.parametrize("verb", ["approve", "pin", "schedule"])
def test_a_window_that_ends_before_it_begins(
    verb: str, wish: SENT, field: str, api: Any, anna: User, de_politics: Channel
) -> None:
    status, problem = ask(api, anna, make_candidate(de_politics), verb, wish)
    assert (status, problem["code"], problem["field"]) == (422, "bad_window", field)


def test_the_sentence_is_in_the_reader_s_language(api: Any, anna: User, de_politics: Channel) -> None:
    anna.language = "de"
    anna.save()
    _status, problem = ask(api, anna, make_candidate(de_politics), "pin", {"slot": 9})
    assert problem["detail"] == "Dieser Kanal hat die Plätze 1 bis 3."


def test_a_place_needs_a_slot(api: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    for wish, field in (({"swap": True}, "swap"), ({"until": "2031-05-01T12:00"}, "until")):
        status, problem = ask(api, anna, candidate, "approve", wish)
        assert (status, problem["code"], problem["field"]) == (422, "not_allowed", field)


def test_an_annotation_says_something(api: Any, anna: User, de_politics: Channel) -> None:
    status, problem = ask(api, anna, make_candidate(de_politics), "annotate", {})
    assert (status, problem["code"], problem["field"]) == (422, "bad_words", "context")


def test_a_schedule_without_times_puts_nothing_live(api: Any, anna: User, de_politics: Channel) -> None:
    """A program that lost a field; of what is approved it takes the window away."""
    candidate = make_candidate(de_politics)
    status, problem = ask(api, anna, candidate, "schedule", {})
    assert (status, problem["code"], problem["field"]) == (422, "bad_window", "go_live_at")
    status, answer = ask(api, anna, make_candidate(de_politics, state="approved"), "schedule", {})
    assert (status, answer["candidate"]["state"]) == (201, "approved")


@pytest.mark.parametrize("words", ["👩‍👩‍👧‍👦 Familie", "Οι δρόμοι, ţară, Čačak", "❤️ und 🏴󠁧󠁢󠁷󠁬󠁳󠁿", ""])
def test_words_of_people_pass_unchanged(words: str, api: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    status, answer = ask(api, anna, candidate, "annotate", {"context": words})
    assert (status, answer["candidate"]["context"]) == (201, words)


def test_bulk_answers_each_for_itself(api: Any, chief: User, de_politics: Channel, nl_politics: Channel) -> None:
    """The same wall clock in two markets: an hour that both skip, and one that only Greece skips."""
    rows = [make_candidate(channel) for channel in (de_politics, channel_of("gr", "politics"))]
    sent = {"verb": "schedule", "candidates": [{"id": row.pk, "version": 1} for row in rows]}
    many = api(chief).post("/api/v1/decisions/", sent | {"go_live_at": "2027-03-28T03:30"}, format="json").json()
    assert [(one["status"], one.get("problem", {}).get("field")) for one in many["results"]] == [
        (201, None),
        (422, "go_live_at"),
    ]
    refused = api(chief).post("/api/v1/decisions/", sent | {"slot": 1}, format="json")
    assert (refused.status_code, json.loads(refused.content)["field"]) == (422, "slot")
    assert api(chief).post("/api/v1/decisions/", sent | {"label": "x"}, format="json").status_code == 422


def test_huge_ids_and_versions(api: Any, anna: User, de_politics: Channel) -> None:
    row = make_candidate(de_politics)
    for one, status in (({"id": 10**30, "version": 1}, 404), ({"id": row.pk, "version": 10**30}, 409)):
        sent = {"verb": "approve", "candidates": [one]}
        assert api(anna).post("/api/v1/decisions/", sent, format="json").json()["results"][0]["status"] == status


# --- times that are right ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("market", "told", "meant"),
    [
        ("de", "2027-01-10T08:00", "2027-01-10T07:00:00+00:00"),
        ("de", "2027-07-10T08:00", "2027-07-10T06:00:00+00:00"),
        ("ro", "2027-07-10T08:00", "2027-07-10T05:00:00+00:00"),
        ("de", "2027-10-31T02:30", "2027-10-31T00:30:00+00:00"),
        ("gr", "2027-10-31T03:30", "2027-10-31T00:30:00+00:00"),
        ("gr", "2027-10-31T03:30+02:00", "2027-10-31T01:30:00+00:00"),
        ("de", "2027-07-10T08:00Z", "2027-07-10T08:00:00+00:00"),
    ],
)
def test_times_are_the_market_s_wall_clock(market: str, told: str, meant: str, api: Any, chief: User) -> None:
    candidate = make_candidate(channel_of(market, "politics"))
    status, _answer = ask(api, chief, candidate, "schedule", {"go_live_at": told})
    row = Candidate.objects.get(pk=candidate.pk)
    assert (status, row.go_live_at, row.expire_at) == (201, datetime.fromisoformat(meant), None)


def test_schedule_sets_the_window_as_given(api: Any, anna: User, de_politics: Channel) -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    candidate = make_candidate(de_politics, state="approved", expire_at=tomorrow, context="Heute")
    wall = (tomorrow + timedelta(hours=1)).astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
    before = Candidate.objects.get(pk=candidate.pk).approved_at
    status, _answer = ask(api, anna, candidate, "schedule", {"go_live_at": wall.isoformat()})
    row = Candidate.objects.get(pk=candidate.pk)
    assert (status, row.go_live_at, row.expire_at) == (201, tomorrow + timedelta(hours=1), None)
    assert (row.state, row.approved_at, row.context) == ("approved", before, "Heute")


@pytest.mark.parametrize("verb", ["schedule", "approve"])
def test_no_start_is_given_that_is_past(verb: str, api: Any, anna: User, de_politics: Channel) -> None:
    """It would go live at once, though whoever typed 7:00 meant tomorrow's. A minute that goes on counts as now."""
    for ago, status in ((timedelta(hours=3), 422), (timedelta(minutes=2), 422), (timedelta(seconds=50), 201)):
        candidate = make_candidate(de_politics)
        begins = (timezone.now() - ago).isoformat()
        told, answer = ask(api, anna, candidate, verb, {"go_live_at": begins})
        assert (told, Candidate.objects.get(pk=candidate.pk).state) == (
            status,
            "approved" if status == 201 else "pending",
        ), (ago, answer)


def test_a_start_that_stands_already_may_be_past(api: Any, anna: User, de_politics: Channel) -> None:
    """Whoever changes when a live post ends sends its start along, without its seconds."""
    began = timezone.now() - timedelta(hours=3)
    candidate = make_candidate(de_politics, state="approved", go_live_at=began)
    told = {"go_live_at": began.replace(second=0, microsecond=0).isoformat()}
    ends = {"expire_at": (timezone.now() + timedelta(hours=1)).isoformat()}
    status, _answer = ask(api, anna, candidate, "schedule", told | ends)
    assert (status, Candidate.objects.get(pk=candidate.pk).expire_at is None) == (201, False)


def test_annotate_changes_what_is_given_alone(api: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, state="approved", slot=2, context="Heute", label="Anzeige")
    before = candidate.standing()
    _status, answer = ask(api, anna, candidate, "annotate", {"context": ""})
    after = Candidate.objects.get(pk=candidate.pk)
    assert (after.context, after.label, after.version) == ("", "Anzeige", 2)
    assert after.standing() == before | {"context": ""}
    assert answer["decision"]["verb"] == "annotate"


@pytest.mark.parametrize("noun", ["candidates", "decisions"])
def test_a_market_that_no_database_could_know_is_not_found(noun: str, api: Any, anna: User) -> None:
    answer = api(anna).get(f"/api/v1/{noun}/", {"market": "de\0"})
    assert (answer.status_code, json.loads(answer.content)["code"]) == (404, "not_found")
