"""The same request twice is done once, whatever the verb; another one under the same key is refused."""

import json
import threading
from typing import Any

import pytest
from django.db import connection, transaction

from curation import operations
from curation.models import Act, Candidate, Decision, IdempotencyKey
from curation.operations import keys
from curation.transitions import EDITORS_VERBS
from regions.models import Channel, Role, User
from regions.problems import Refusal
from tests.cast import channel_of, make_candidate, make_user

URL = "/api/v1/candidates/{}/decisions/"
SENT: dict[str, dict[str, Any]] = {
    "block": {"reason": "spam", "also": [{"kind": "author", "scope": "channel"}]},
    "move": {"category": "sport"},
    "annotate": {"context": "Heute"},
    "offer": {"market": "nl", "note": "for you?"},
    "schedule": {"go_live_at": "2031-05-01T12:00"},
}
OTHER: dict[str, dict[str, Any]] = {
    "approve": {"expire_at": "2031-05-01T12:00"},
    "pin": {"slot": 2},
    "unpin": {"note": "so"},
    "block": {"also": [{"kind": "author", "scope": "market"}]},
    "reopen": {"version": 2},
    "move": {"category": "economy"},
    "annotate": {"context": ""},
    "offer": {"market": "gr"},
    "schedule": {"go_live_at": "2031-05-01T12:00Z"},
}


def fresh(verb: str, channel: Channel) -> Candidate:
    state: dict[str, Any] = {"unpin": {"state": "approved", "slot": 1}, "reopen": {"state": "blocked"}}.get(verb, {})
    return make_candidate(channel, **state)


@pytest.mark.django_db
@pytest.mark.parametrize("verb", EDITORS_VERBS)
def test_each_verb_twice_is_done_once(verb: str, api: Any, anna: User, de_politics: Channel) -> None:
    candidate = fresh(verb, de_politics)
    sent = {"verb": verb, "version": 1} | SENT.get(verb, {})

    def ask(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = api(anna).post(URL.format(candidate.pk), body, format="json", headers={"Idempotency-Key": "k"})
        return answer.status_code, json.loads(answer.content)

    first, second = ask(sent), ask(sent)
    assert (first[0], second[0], second[1]) == (201, 201, first[1])
    rows = Candidate.objects.count()
    status, problem = ask(sent | OTHER[verb])
    assert (status, problem["code"]) == (422, "key_reused")
    assert (Act.objects.count(), Decision.objects.count(), Candidate.objects.count()) == (1, 1, rows)


@pytest.mark.django_db
def test_the_repeat_shows_the_candidate_as_it_stands_now(api: Any, anna: User, ben: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    sent, key = {"verb": "annotate", "version": 1, "label": "Anzeige"}, {"Idempotency-Key": "k"}
    first = api(anna).post(URL.format(candidate.pk), sent, format="json", headers=key).json()
    operations.move(candidate, by=ben, version=2, category="sport")
    second = api(anna).post(URL.format(candidate.pk), sent, format="json", headers=key).json()
    assert second["decision"] == first["decision"]
    assert (second["candidate"]["state"], second["candidate"]["version"]) == ("blocked", 3)


@pytest.mark.django_db
def test_a_bulk_keeps_each_refusal(api: Any, anna: User, de_politics: Channel) -> None:
    one, known = make_candidate(de_politics), make_candidate(de_politics)
    make_candidate(channel_of("de", "sport"), tweet=known.tweet)
    sent = {"verb": "move", "category": "sport", "candidates": [{"id": row.pk, "version": 1} for row in (one, known)]}
    first, second = (
        api(anna).post("/api/v1/decisions/", sent, format="json", headers={"Idempotency-Key": "b"}).json() for _ in "ab"
    )
    assert [result["status"] for result in first["results"]] == [201, 409]
    assert first == second
    assert Candidate.objects.filter(channel__category__slug="sport").count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("verb", "wish"), [("move", {"category": "x"}), ("offer", {"market": "x"}), ("schedule", {"slot": 1})]
)
def test_only_what_succeeded_is_kept(verb: str, wish: dict[str, Any], anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    with pytest.raises(Refusal):
        operations.decide(verb, candidate, by=anna, version=1, key="k", **wish)
    assert not IdempotencyKey.objects.exists()
    assert operations.approve(candidate, by=anna, version=1, key="k").decision.version == 2


@pytest.mark.django_db
def test_undo_takes_keys_too(api: Any, anna: User, de_politics: Channel) -> None:
    moved = operations.move(make_candidate(de_politics), by=anna, version=1, category="sport")
    url, key = f"/api/v1/acts/{moved.act.pk}/undo/", {"Idempotency-Key": "u"}
    first, second = (api(anna).post(url, headers=key) for _ in "ab")
    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert api(anna).post(url, headers={"Idempotency-Key": "v"}).status_code == 409


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_twin_at_the_same_time_waits_for_the_first() -> None:
    anna = make_user("anna", {"de": Role.EDITOR})
    candidate = make_candidate(channel_of("de", "politics"))
    answers: list[operations.Outcome] = []
    wish: dict[str, Any] = {"category": "sport"}
    asks = keys.fingerprint("move", {candidate.pk: 1}, wish)

    def twin() -> None:
        answers.append(operations.decide("move", candidate, by=anna, version=1, key="k", **wish))
        connection.close()

    thread = threading.Thread(target=twin)
    with transaction.atomic():
        first = operations.decide("move", candidate, by=anna, version=1, key="k", **wish)
        assert IdempotencyKey.objects.get().body_hash == asks
        thread.start()
        thread.join(0.7)
        assert thread.is_alive()  # it waits
    thread.join(20)
    assert [(answer.act, answer.decision, answer.repeated) for answer in answers] == [(first.act, first.decision, True)]
    assert (Decision.objects.count(), Candidate.objects.count()) == (1, 2)
