"""Every verb from the desk, as a plain form: its fields, the market's clock, and what is refused."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from curation.models import Candidate, Decision
from curation.transitions import EDITORS_VERBS
from regions.models import Block, Channel, User
from tests.cast import channel_of, make_candidate
from tests.curation.test_desk import DESK, HTMX, text_of
from tests.curation.test_desk_decisions import door

pytestmark = pytest.mark.django_db

SENT: dict[str, dict[str, Any]] = {
    "approve": {"context": "Heute Wahl", "expire_at": "2031-07-01T12:00", "with_similar": "on"},
    "pin": {"slot": "3", "until": "2031-07-01T12:00"},
    "unpin": {},
    "block": {"reason": "spam", "note": "third today", "also": ["author:channel:", "term:channel:Gewinnspiel"]},
    "reopen": {},
    "move": {"category": "sport"},
    "schedule": {"go_live_at": "2031-07-01T12:00", "expire_at": ""},
    "annotate": {"label": " Anzeige ", "context": ""},
    "offer": {"market": "nl", "note": "for you?"},
}
SUMMER = datetime.fromisoformat("2031-07-01T10:00:00+00:00")  # noon in Berlin
BECOMES: dict[str, dict[str, Any]] = {
    "approve": {"state": "approved", "context": "Heute Wahl", "expire_at": SUMMER, "with_similar": True},
    "pin": {"state": "approved", "slot": 3, "pinned_until": SUMMER},
    "unpin": {"state": "approved", "slot": None},
    "block": {"state": "blocked"},
    "reopen": {"state": "pending"},
    "move": {"state": "blocked"},
    "schedule": {"state": "approved", "go_live_at": SUMMER, "expire_at": None},
    "annotate": {"state": "pending", "label": "Anzeige", "context": ""},
    "offer": {"state": "pending"},
}


def fresh(verb: str, channel: Channel) -> Candidate:
    state: dict[str, Any] = {"unpin": {"state": "approved", "slot": 1}, "reopen": {"state": "blocked"}}.get(verb, {})
    return make_candidate(channel, **state)


@pytest.mark.parametrize("verb", EDITORS_VERBS)
def test_every_verb_works_as_a_plain_form(verb: str, browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = fresh(verb, de_politics)
    anna.time_zone = "America/New_York"  # where she sits; the market's clock is meant
    anna.save()
    response = browse(anna).post(door(candidate), {"verb": verb, "version": 1, "key": "k"} | SENT[verb])
    assert (response.status_code, response.url) == (302, DESK)
    row = Candidate.objects.get(pk=candidate.pk)
    assert {name: getattr(row, name) for name in BECOMES[verb]} == BECOMES[verb]
    decision = Decision.objects.get(candidate=row)
    assert (decision.verb, decision.version) == (verb, 2)
    assert getattr(getattr(decision.act, "note", None), "words", "") == SENT[verb].get("note", "")


def test_also_lays_the_blocks(browse: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    browse(anna).post(door(candidate), {"verb": "block", "version": 1} | SENT["block"])
    author = candidate.tweet.author
    assert author is not None
    assert set(Block.objects.values_list("kind", "value", "channel", "reason")) == {
        ("author", str(author.x_id), de_politics.pk, "spam"),
        ("term", "Gewinnspiel", de_politics.pk, "spam"),
    }


def test_a_move_and_an_offer_arrive(browse: Any, anna: User, de_politics: Channel, nl_politics: Channel) -> None:
    for verb, there in (("move", channel_of("de", "sport")), ("offer", nl_politics)):
        candidate = make_candidate(de_politics)
        browse(anna).post(door(candidate), {"verb": verb, "version": 1} | SENT[verb])
        assert Candidate.objects.get(channel=there).tweet == candidate.tweet


BAD = [
    ("schedule", {"go_live_at": "soon"}),
    ("schedule", {"go_live_at": "2027-03-28T02:30"}),
    ("schedule", {"expire_at": "2001-01-01T00:00"}),
    ("pin", {"slot": "99"}),
    ("pin", {"slot": "x"}),
    ("pin", {"until": "1.1.2031"}),
    ("annotate", {"context": "x" * 201}),
    ("annotate", {"label": "nul \x00"}),
    ("move", {"category": "weather"}),
    ("move", {}),
    ("offer", {"market": "de"}),
    ("block", {"reason": "moved"}),
    ("block", {"also": "spam"}),
    ("block", {"slot": "1"}),
    ("approve", {"market": "nl"}),
]


@pytest.mark.parametrize(("verb", "sent"), BAD)
def test_bad_fields_are_refused_with_a_sentence(
    verb: str, sent: dict[str, Any], browse: Any, anna: User, de_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    person = browse(anna)
    plain = person.post(door(candidate), {"verb": verb, "version": 1} | sent)
    (told,) = get_messages(plain.wsgi_request)
    assert (plain.status_code, plain.url, told.level_tag) == (302, DESK, "error")
    headers = HTMX | {"HX-Target": f"row-{candidate.pk}"}
    loud = person.post(door(candidate), {"verb": verb, "version": 1} | sent, headers=headers)
    assert loud.status_code == 422
    assert str(told).split("%")[0] in text_of(loud)
    assert (Candidate.objects.get(pk=candidate.pk).version, Decision.objects.count()) == (1, 0)


def test_many_are_moved_and_annotated_by_one_form(browse: Any, anna: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics, text) for text in ("Eines", "Ein ganz anderes")]
    picked = [f"{row.pk}:1" for row in rows]
    browse(anna).post("/desk/de/decisions/", {"verb": "annotate", "candidate": picked, "label": "Anzeige"})
    assert set(Candidate.objects.values_list("label", "version")) == {("Anzeige", 2)}
    picked = [f"{row.pk}:2" for row in rows]
    browse(anna).post("/desk/de/decisions/", {"verb": "move", "candidate": picked, "category": "sport"})
    assert Candidate.objects.filter(channel=channel_of("de", "sport"), state="pending").count() == 2


def test_a_slot_takes_one_alone(browse: Any, anna: User, de_politics: Channel) -> None:
    sent = {"verb": "pin", "candidate": f"{make_candidate(de_politics).pk}:1", "slot": "1"}
    response = browse(anna).post("/desk/de/decisions/", sent, headers=HTMX)
    assert (response.status_code, Decision.objects.count()) == (422, 0)


def test_a_similar_one_that_is_live_is_told(browse: Any, api: Any, anna: User, de_politics: Channel) -> None:
    """Approving the second of a group is done, and it waits unshown; card and API say why."""
    first = make_candidate(de_politics, "Stau auf der Brücke", state="approved")
    second = make_candidate(de_politics, "Stau auf der Brücke!", group=first)
    sent = {"verb": "approve", "version": 1}
    answer = api(anna).post(f"/api/v1/candidates/{second.pk}/decisions/", sent, format="json")
    assert (answer.status_code, answer.json()["candidate"]["warnings"]) == (201, ["similar_live"])
    listed = api(anna).get("/api/v1/candidates/", {"market": "de", "state": "approved"}).json()["results"]
    assert {row["id"]: row["warnings"] for row in listed} == {first.pk: [], second.pk: ["similar_live"]}
    headers = HTMX | {"HX-Target": f"row-{second.pk}"}
    card = browse(anna).post(door(second), {"verb": "annotate", "version": 2, "label": "x"}, headers=headers)
    assert "A similar one is live" in text_of(card)


@pytest.mark.parametrize(
    "fields",
    [
        {"expire_at": timezone.now() - timedelta(minutes=1)},
        {"go_live_at": timezone.now() + timedelta(hours=1)},
        {"approved_at": timezone.now() - timedelta(days=3)},
        {"state": "blocked", "approved_at": None},
    ],
)
def test_what_is_not_live_hinders_nobody(fields: dict[str, Any], api: Any, anna: User, de_politics: Channel) -> None:
    first = make_candidate(de_politics, "Stau auf der Brücke", **{"state": "approved"} | fields)
    second = make_candidate(de_politics, "Stau auf der Brücke!", group=first, state="approved")
    assert api(anna).get(f"/api/v1/candidates/{second.pk}/").json()["warnings"] == []
    beside = make_candidate(de_politics, "Stau auf der Brücke.", group=first, state="approved", with_similar=True)
    assert api(anna).get(f"/api/v1/candidates/{beside.pk}/").json()["warnings"] == []


def test_where_an_offered_one_comes_from(api: Any, anna: User, bram: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    sent = {"verb": "offer", "version": 1, "market": "nl", "note": "for you?"}
    assert api(anna).post(f"/api/v1/candidates/{candidate.pk}/decisions/", sent, format="json").status_code == 201
    there = Candidate.objects.get(channel__market__code="nl")
    told = api(bram).get(f"/api/v1/candidates/{there.pk}/").json()["offered"]
    assert (told["market"], told["by"], told["note"]) == ("de", "Anna Amsel", "for you?")
    assert api(anna).get(f"/api/v1/candidates/{candidate.pk}/").json()["offered"] is None
