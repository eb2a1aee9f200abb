"""The editorial API: each door works, and refuses the wrong market, nobody, and bad input."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from curation import operations
from curation.ledger.budget import day_of
from curation.models import BudgetDay, Candidate, Pause
from curation.x.simulator import Simulator
from regions.models import Channel, User
from tests.cast import make_block, make_candidate
from tests.curation import test_desk_links as at_x

pytestmark = pytest.mark.django_db
x, number = at_x.x, at_x.number


def decisions_url(candidate: Candidate) -> str:
    return reverse("api-candidate-decisions", args=[candidate.pk])


def test_the_list_shows_the_best_first_and_pages_without_loss(api: Any, anna: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics, f"Meldung Nummer {rank}", rank=rank % 7) for rank in range(120)]
    seen: list[int] = []
    cursor = ""
    for _ in range(3):
        page = api(anna).get("/api/v1/candidates/", {"market": "de", "category": "politics", "cursor": cursor}).json()
        seen += [row["id"] for row in page["results"]]
        cursor = page["next"]
    expected = sorted(rows, key=lambda row: (-row.rank, -row.pk))
    assert (seen, cursor) == ([row.pk for row in expected], "")


def test_a_row_carries_what_the_contract_says(api: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, "Ein Satz &amp; noch einer", state="approved", slot=2)
    row = api(anna).get(f"/api/v1/candidates/{candidate.pk}/").json()
    assert row["tweet"]["id"] == str(candidate.tweet.current_id)
    assert row["tweet"]["text"] == "Ein Satz &amp; noch einer"
    assert (row["pin"], row["market"], row["category"]) == ({"slot": 2, "until": None}, "de", "politics")
    assert (row["version"], row["state"], row["decisions"], row["warnings"]) == (1, "approved", [], [])


def test_search_folds(api: Any, anna: User, de_politics: Channel) -> None:
    hit = make_candidate(de_politics, "Großer Ärger um die Brücke")
    make_candidate(de_politics, "Nichts dergleichen")
    found = api(anna).get("/api/v1/candidates/", {"market": "de", "q": "BRUCKE arger"}).json()
    assert [row["id"] for row in found["results"]] == [hit.pk]


def test_a_decision_answers_201_and_its_repeat_the_same(api: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    sent = {"verb": "approve", "version": 1, "context": "Heute wird gewählt."}
    answers = [
        api(anna).post(decisions_url(candidate), sent, format="json", headers={"Idempotency-Key": "k"}) for _ in "ab"
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    first, second = (answer.json() for answer in answers)
    assert first["decision"] == second["decision"]
    assert (first["decision"]["by"], first["decision"]["version"]) == ("Anna Amsel", 2)
    assert (first["candidate"]["state"], first["candidate"]["context"]) == ("approved", "Heute wird gewählt.")


def test_a_stale_version_tells_who_was_faster(api: Any, anna: User, ben: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    api(anna).post(decisions_url(candidate), {"verb": "approve", "version": 1}, format="json")
    answer = api(ben).post(decisions_url(candidate), {"verb": "block", "version": 1}, format="json")
    problem = json.loads(answer.content)
    assert (answer.status_code, answer.headers["Content-Type"]) == (409, "application/problem+json")
    assert (problem["code"], problem["by"], problem["verb"]) == ("stale_version", "Anna Amsel", "approve")
    assert (problem["candidate"]["version"], problem["candidate"]["state"]) == (2, "approved")


def test_nobody_was_faster_than_oneself(api: Any, anna: User, de_politics: Channel) -> None:
    """A second window of one's own, or an answer that was lost."""
    candidate = make_candidate(de_politics)
    at = datetime(2026, 11, 22, 18, 4, 5, tzinfo=UTC)
    operations.decide("approve", candidate, by=anna, version=1, now=at)
    answer = api(anna).post(decisions_url(candidate), {"verb": "block", "version": 1}, format="json")
    assert json.loads(answer.content)["detail"] == "You decided on it already (approved, 19:04:05)."


@pytest.mark.parametrize(("own", "shown"), [("", "19:04:05"), ("America/New_York", "13:04:05")])
def test_when_someone_was_faster_is_told_by_the_readers_clock(
    api: Any, anna: User, ben: User, de_politics: Channel, own: str, shown: str
) -> None:
    """Their own, else the market's; never the server's."""
    User.objects.filter(pk=ben.pk).update(time_zone=own)
    candidate = make_candidate(de_politics)
    at = datetime(2026, 11, 22, 18, 4, 5, tzinfo=UTC)
    operations.decide("approve", candidate, by=anna, version=1, now=at)
    sent = {"verb": "block", "version": 1}
    answer = api(User.objects.get(pk=ben.pk)).post(decisions_url(candidate), sent, format="json")
    assert json.loads(answer.content)["detail"] == f"Anna Amsel was faster (approved, {shown})."


def test_a_pin_that_ended_is_none(api: Any, anna: User, de_politics: Channel) -> None:
    now = timezone.now()
    until = {1: now + timedelta(hours=1), 2: now - timedelta(seconds=1), 3: None}
    rows = [make_candidate(de_politics, state="approved", slot=slot, pinned_until=end) for slot, end in until.items()]
    pins = [api(anna).get(f"/api/v1/candidates/{row.pk}/").json()["pin"] for row in rows]
    assert [pin and pin["slot"] for pin in pins] == [1, None, 3]


ENDLESS = base64.urlsafe_b64encode(b'["best", 1, Infinity]').decode()
BAD_BODIES = [
    ({"verb": "approve"}, 422, "version_required"),
    ({"verb": "approve", "version": "one"}, 422, "invalid"),
    ({"verb": "approve", "version": 1, "slott": 1}, 422, "invalid"),
    ({"verb": "approve", "version": 1, "expire_at": "tomorrow"}, 422, "invalid"),
    ({"verb": "approve", "version": 1, "slot": 9}, 422, "no_such_slot"),
    ({"verb": "praise", "version": 1}, 422, "not_allowed"),
    ({"verb": ["approve"], "version": 1}, 422, "invalid"),
    ({"version": 1}, 422, "invalid"),
    ([], 422, "invalid"),
    ({"verb": "unpin", "version": 1}, 422, "not_allowed"),
    ({"verb": "approve", "version": 99}, 409, "stale_version"),
    ({"verb": "block", "version": 1, "reason": "mood"}, 422, "not_allowed"),
]


@pytest.mark.parametrize(("sent", "status", "code"), BAD_BODIES)
def test_bad_bodies_get_their_problem(
    sent: Any, status: int, code: str, api: Any, anna: User, de_politics: Channel
) -> None:
    candidate = make_candidate(de_politics)
    answer = api(anna).post(decisions_url(candidate), sent, format="json")
    problem = json.loads(answer.content)
    assert (answer.status_code, problem["code"], problem["status"]) == (status, code, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert Candidate.objects.get(pk=candidate.pk).version == 1


def test_broken_json_and_wrong_media_type(api: Any, anna: User, de_politics: Channel) -> None:
    url = decisions_url(make_candidate(de_politics))
    broken = api(anna).post(url, "{", content_type="application/json")
    assert (broken.status_code, json.loads(broken.content)["code"]) == (400, "parse_error")
    form = api(anna).post(url, "verb=approve", content_type="application/x-www-form-urlencoded")
    assert (form.status_code, json.loads(form.content)["code"]) == (415, "unsupported_media_type")


def test_a_block_stands_in_the_way(api: Any, anna: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics, "Jetzt Gewinnspiel")
    make_block("gewinnspiel")
    answer = api(anna).post(decisions_url(candidate), {"verb": "approve", "version": 1}, format="json")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (422, "block_stands")


def test_other_markets_do_not_exist(api: Any, bram: User, guest: User, de_politics: Channel, anna: User) -> None:
    candidate = make_candidate(de_politics)
    done = api(anna).post(decisions_url(candidate), {"verb": "approve", "version": 1}, format="json").json()
    for user in (bram, guest):
        answers = [
            api(user).get("/api/v1/candidates/", {"market": "de"}),
            api(user).get(f"/api/v1/candidates/{candidate.pk}/"),
            api(user).post(decisions_url(candidate), {"verb": "block", "version": 2}, format="json"),
            api(user).post(reverse("api-undo", args=[done["decision"]["act"]])),
            api(user).get("/api/v1/decisions/", {"market": "de"}),
        ]
        assert [answer.status_code for answer in answers] == [404] * 5
    assert Candidate.objects.get(pk=candidate.pk).version == 2


def test_a_viewer_reads_and_may_not_decide(api: Any, vera: User, de_politics: Channel) -> None:
    candidate = make_candidate(de_politics)
    assert api(vera).get(f"/api/v1/candidates/{candidate.pk}/").status_code == 200
    answer = api(vera).post(decisions_url(candidate), {"verb": "approve", "version": 1}, format="json")
    assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "permission_denied")


def test_nobody_gets_401_with_a_problem(api: Any, de_politics: Channel) -> None:
    answer = api().get("/api/v1/candidates/", {"market": "de"})
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Token")
    assert json.loads(answer.content)["code"] == "not_authenticated"


def test_unknown_candidate_category_cursor_and_state(api: Any, anna: User) -> None:
    told = [
        (api(anna).get("/api/v1/candidates/999999/"), 404, "not_found"),
        (api(anna).get("/api/v1/candidates/", {"market": "de", "category": "x"}), 422, "not_allowed"),
        (api(anna).get("/api/v1/candidates/", {"market": "de", "cursor": "zz"}), 422, "bad_cursor"),
        (api(anna).get("/api/v1/candidates/", {"market": "de", "state": "gone"}), 422, "invalid"),
        (api(anna).get("/api/v1/candidates/"), 422, "invalid"),
        (api(anna).get("/api/v1/candidates/", {"market": "de", "cursor": ENDLESS}), 422, "bad_cursor"),
        (api(anna).get("/api/v1/decisions/", {"market": "de", "since": "9" * 5000}), 422, "not_allowed"),
        (api(anna).get("/api/v1/nothing/"), 404, "not_found"),
        (api(anna).get("/api/v1/decisions/", {"market": "de", "since": "x"}), 422, "not_allowed"),
    ]
    assert [(answer.status_code, json.loads(answer.content)["code"]) for answer, _s, _c in told] == [
        (status, code) for _answer, status, code in told
    ]


def test_bulk_and_undo(api: Any, anna: User, de_politics: Channel) -> None:
    one, two = make_candidate(de_politics), make_candidate(de_politics)
    sent = {"verb": "approve", "candidates": [{"id": one.pk, "version": 1}, {"id": two.pk, "version": 4}]}
    many = api(anna).post("/api/v1/decisions/", sent, format="json")
    assert many.status_code == 200
    results = many.json()["results"]
    assert [result["status"] for result in results] == [201, 409]
    assert (results[0]["candidate"]["state"], results[1]["problem"]["code"]) == ("approved", "stale_version")
    undone = api(anna).post(reverse("api-undo", args=[many.json()["act"]]))
    assert (undone.status_code, undone.json()["results"][0]["candidate"]["state"]) == (201, "pending")
    again = api(anna).post(reverse("api-undo", args=[many.json()["act"]]))
    assert again.status_code == 409


def test_the_log_continues_where_one_stopped(api: Any, anna: User, de_politics: Channel) -> None:
    rows = [make_candidate(de_politics) for _ in range(3)]
    for row in rows:
        api(anna).post(decisions_url(row), {"verb": "approve", "version": 1}, format="json")
    first = api(anna).get("/api/v1/decisions/", {"market": "de"}).json()["results"]
    rest = api(anna).get("/api/v1/decisions/", {"market": "de", "since": first[0]["id"]}).json()["results"]
    assert [line["candidate"] for line in first] == [row.pk for row in rows]
    assert rest == first[1:]


def test_the_schema_names_every_address(api: Any) -> None:
    paths = api().get("/api/v1/schema/", {"format": "json"}).json()["paths"]
    assert {
        "/api/v1/candidates/",
        "/api/v1/candidates/{id}/",
        "/api/v1/candidates/{id}/decisions/",
        "/api/v1/decisions/",
        "/api/v1/acts/{id}/undo/",
    } <= {path.replace("{pk}", "{id}") for path in paths}


def test_a_link_becomes_a_candidate(api: Any, anna: User, number: str) -> None:
    sent = {"market": "de", "category": "politics", "url": f"https://x.com/rathaus/status/{number}"}
    first, again = (api(anna).post("/api/v1/candidates/", sent, format="json") for _ in "ab")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (first.json()["tweet"]["id"], first.json()["state"], first.json()["category"]) == (
        number,
        "pending",
        "politics",
    )


def test_links_have_their_problems(
    api: Any, anna: User, vera: User, bram: User, x: Simulator, number: str, de_politics: Channel
) -> None:
    def answer(user: User | None, **fields: Any) -> tuple[int, str]:
        sent = {"market": "de", "category": "politics", "url": number} | fields
        got = api(user).post("/api/v1/candidates/", sent, format="json")
        return got.status_code, json.loads(got.content)["code"]

    assert answer(anna, url="hello") == (422, "not_a_post")
    assert answer(anna, url="") == (422, "invalid")
    assert answer(anna, extra=1) == (422, "invalid")
    assert answer(anna, category="weather") == (422, "not_allowed")
    assert answer(anna, market="nl") == (404, "not_found")
    assert answer(vera) == (403, "permission_denied")
    assert answer(bram) == (404, "not_found")
    assert answer(None) == (401, "not_authenticated")
    x.fail(status=503, times=1)
    assert answer(anna) == (503, "x_unreachable")
    x.fail(status=402, times=1)
    assert answer(anna) == (503, "ingest_paused")
    assert answer(anna) == (503, "ingest_paused")
    Pause.objects.all().delete()
    x.delete(number)
    assert answer(anna) == (422, "post_gone")
    BudgetDay.objects.update_or_create(market=de_politics.market, day=day_of(timezone.now()), defaults={"used": 18_000})
    assert answer(anna) == (409, "budget_spent")
    assert not Candidate.objects.exists()


def test_the_schema_knows_links(api: Any) -> None:
    paths = api().get("/api/v1/schema/", {"format": "json"}).json()["paths"]
    told = paths["/api/v1/candidates/"]["post"]
    assert {"200", "201", "403", "404", "409", "422", "503"} == set(told["responses"])
    assert told["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/LinkBody")
