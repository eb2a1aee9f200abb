"""Batch compliance jobs, from the order to the lines of their result."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from curation.x.simulator import Simulator

JOBS = "/2/compliance/jobs"
START = 1_790_000_000.0


class Clock:
    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def x(texts: Path, clock: Clock) -> Iterator[Simulator]:
    with Simulator(texts=texts, rate=0, catalogue=0, clock=clock, compliance_seconds=30) as simulator:
        yield simulator


def put(job: dict[str, Any], text: str) -> int:
    return requests.put(job["upload_url"], data=text, headers={"content-type": "text/plain"}, timeout=5).status_code


def lines(job: dict[str, Any]) -> list[dict[str, Any]]:
    answer = requests.get(job["download_url"], timeout=5)
    assert answer.status_code == 200
    return [json.loads(line) for line in answer.text.splitlines()]


def test_job_from_order_to_result(x: Simulator, ask: Any, clock: Clock) -> None:
    for name in ("offen", "zu", "fort"):
        x.account(name)
    there, gone, closed, out = (x.post(name, "Text") for name in ("offen", "offen", "zu", "fort"))
    made = ask.post(JOBS, {"type": "tweets", "name": "nightly"})
    job = made.json()["data"]
    assert (made.status_code, made.headers["x-rate-limit-limit"]) == (200, "150")
    assert (job["status"], job["name"], job["created_at"]) == ("created", "nightly", "2026-09-21T14:13:20.000Z")
    assert (job["upload_expires_at"], job["download_expires_at"]) == (
        "2026-09-21T14:28:20.000Z",
        "2026-09-28T14:13:20.000Z",
    )
    assert requests.get(job["download_url"], timeout=5).status_code == 404
    assert put(job, "\n".join([there, gone, closed, out, "77"])) == 200
    assert ask.json(f"{JOBS}/{job['id']}")["data"]["status"] == "in_progress"
    assert requests.get(job["download_url"], timeout=5).status_code == 404
    x.delete(gone)
    x.protect("zu")
    x.suspend("fort")
    clock.seconds += 30
    assert ask.json(f"{JOBS}/{job['id']}")["data"] == job | {"status": "complete"}
    assert [(line["id"], line["action"], line["reason"]) for line in lines(job)] == [
        (gone, "delete", "deleted"),
        (closed, "delete", "protected"),
        (out, "delete", "suspended"),
        ("77", "delete", "deleted"),
    ]


def test_job_of_users(x: Simulator, ask: Any, clock: Clock) -> None:
    x.protect("sv_nordau")
    job = ask.post(JOBS, {"type": "users"}).json()["data"]
    assert put(job, f"{ask.user_id('hafenblatt')}\n{ask.user_id('sv_nordau')}\n77\n") == 200
    clock.seconds += 30
    told = [{"id": ask.user_id("sv_nordau"), "action": "delete", "reason": "protected"}]
    assert lines(job) == [*told, {"id": "77", "action": "delete", "reason": "deleted"}]


def test_jobs_are_listed_by_type_and_status(x: Simulator, ask: Any, clock: Clock) -> None:
    posts, users, later = (ask.post(JOBS, {"type": kind}).json()["data"] for kind in ("tweets", "users", "tweets"))
    put(later, "77")
    clock.seconds += 30

    def listed(**parameters: str) -> list[str]:
        return [job["id"] for job in ask.json(JOBS, **parameters).get("data", [])]

    assert listed(type="tweets") == [later["id"], posts["id"]]
    assert listed(type="tweets", status="complete") == [later["id"]]
    assert (listed(type="users"), listed(type="users", status="failed")) == ([users["id"]], [])
    assert ask.get(JOBS).status_code == 400


def test_upload_ends_after_a_quarter_of_an_hour(x: Simulator, ask: Any, clock: Clock) -> None:
    job = ask.post(JOBS, {"type": "tweets"}).json()["data"]
    clock.seconds += 900
    assert put(job, "77") == 403
    assert ask.json(f"{JOBS}/{job['id']}")["data"]["status"] == "expired"


def test_only_ids_are_taken_and_only_once(x: Simulator, ask: Any) -> None:
    job = ask.post(JOBS, {"type": "tweets"}).json()["data"]
    assert [put(job, text) for text in ("12,13", "12\n13\n", "14")] == [400, 200, 403]


@pytest.mark.parametrize("order", [None, {}, {"type": "lists"}, {"type": "tweets", "name": "a" * 65}])
def test_nonsense_orders_are_refused(order: Any, x: Simulator, ask: Any) -> None:
    assert ask.post(JOBS, order).status_code == 400


def test_unknown_job(x: Simulator, ask: Any) -> None:
    assert ask.json(f"{JOBS}/77")["errors"][0]["title"] == "Not Found Error"
    assert requests.get(f"{x.base_url}/compliance/77/delivery", timeout=5).status_code == 404


def test_job_has_the_fields_of_the_recorded_ones(recorded: Path, x: Simulator, ask: Any) -> None:
    real = json.loads((recorded / "client_create_and_get_compliance_job_and_jobs.json").read_text())
    mine = [ask.post(JOBS, {"type": "tweets"}).json()]
    mine += [ask.json(f"{JOBS}/{mine[0]['data']['id']}"), ask.json(JOBS, type="tweets")]
    for exchange, body in zip(real, mine, strict=True):
        theirs, ours = exchange["body"]["data"], body["data"]
        assert set(ours[0] if isinstance(ours, list) else ours) == set(
            theirs[0] if isinstance(theirs, list) else theirs
        )
