"""Refusals, partial errors, rate windows, and faults to order."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from curation.x.simulator import Simulator

NO_HOST = "https://api.twitter.com/2/problems/"
SEARCH = "/2/tweets/search/recent"
REFUSED = [
    ("/2/tweets", {}, "ids", "The `ids` query parameter can not be empty"),
    ("/2/tweets", {"ids": "abc"}, "ids", "The `ids` query parameter value [abc] is not valid"),
    (
        "/2/tweets",
        {"ids": "1", "tweet.fields": "id,nonsense"},
        "tweet.fields",
        "value [nonsense] is not one of [article,",
    ),
    (
        "/2/tweets",
        {"ids": "1", "post.fields": "note_tweet"},
        "post.fields",
        "value [note_tweet] is not one of",
    ),
    (
        "/2/tweets",
        {"ids": "1", "tweet.fields": "id", "post.fields": "id"},
        "post.fields",
        "[post.fields] is not one of",
    ),
    (
        "/2/tweets",
        {"ids": "1", "expansions": "referenced_posts", "tweet.fields": "id"},
        "expansions",
        "[referenced_posts]",
    ),
    ("/2/tweets", {"ids": "1", "colour": "red"}, "colour", "The query parameter [colour] is not one of"),
    (
        "/2/tweets",
        {"ids": ["1", "2"]},
        "ids",
        "Duplicate parameters are not allowed: the `ids` query parameter",
    ),
    ("/2/users/1/tweets", {"max_results": "4"}, "max_results", "value [4] is not between 5 and 100"),
    ("/2/lists/1/tweets", {"max_results": "101"}, "max_results", "value [101] is not between 1 and 100"),
    ("/2/lists/1/tweets", {"since_id": "5"}, "since_id", "The query parameter [since_id] is not one of"),
    (SEARCH, {"query": "a", "max_results": "9"}, "max_results", "value [9] is not between 10 and 100"),
    (SEARCH, {}, "query", "The `query` query parameter can not be empty"),
    (SEARCH, {"query": "a" * 513}, "query", "at most 512 characters"),
    (SEARCH, {"query": "a", "start_time": "gestern"}, "start_time", "is not a valid RFC3339 date-time"),
    (SEARCH, {"query": "a", "next_token": "unsinn"}, "next_token", "value [unsinn] is not valid"),
    (SEARCH, {"query": "a", "sort_order": "age"}, "sort_order", "is not one of [recency,relevancy]"),
    ("/2/users/1/tweets", {"exclude": "pictures"}, "exclude", "is not one of [replies,retweets]"),
    ("/2/users/by", {"usernames": "hafen-blatt"}, "usernames", "does not match ^[A-Za-z0-9_]{1,15}$"),
    ("/2/usage/tweets", {"days": "91"}, "days", "is not between 1 and 90"),
]


@pytest.mark.parametrize(("path", "parameters", "wrong", "message"), REFUSED)
def test_wrong_parameters_are_named(path: str, parameters: dict[str, Any], wrong: str, message: str, ask: Any) -> None:
    answer = ask.get(path, **parameters)
    body = answer.json()
    assert answer.status_code == 400
    assert (body["title"], body["detail"]) == (
        "Invalid Request",
        "One or more parameters to your request was invalid.",
    )
    assert body["type"].rsplit("/", 1)[1] == "invalid-request"
    found = [error for error in body["errors"] if wrong in error["parameters"]]
    assert any(message in error["message"] for error in found), body


def test_hundred_ids_and_no_more(ask: Any) -> None:
    assert ask.get("/2/tweets", ids=",".join(map(str, range(1, 101)))).status_code == 200
    answer = ask.get("/2/tweets", ids=",".join(map(str, range(1, 102))))
    assert answer.status_code == 400
    assert "list [101] is not between 1 and 100" in answer.json()["errors"][0]["message"]


def test_refusals_look_like_the_recorded_ones(recorded: Path, ask: Any) -> None:
    for name, answer in {
        "400_bad_tweet_fields": ask.get("/2/tweets", ids="1", tweet__fields="tweet.fields=attachments"),
        "400_duplicate_param": ask.get("/2/tweets/:id", id="1247616214769086465"),
    }.items():
        real = json.loads((recorded / f"errors/{name}.json").read_text())["body"]
        body = answer.json()
        assert answer.status_code == 400
        assert {key: body[key] for key in ("title", "detail", "type")} == {
            key: real[key] for key in ("title", "detail", "type")
        }
        start = [error["message"].split(" is not one of")[0] for error in real["errors"]]
        assert [error["message"].split(" is not one of")[0] for error in body["errors"]] == start


@pytest.mark.parametrize("header", [None, "Bearer wrong", "simulator"])
def test_without_the_token_nothing_is_told(header: str | None, x: Simulator) -> None:
    headers = {"authorization": header} if header else {}
    answer = requests.get(x.base_url + "/2/users/1", headers=headers, timeout=5)
    assert answer.status_code == 401
    assert answer.json() == {
        "title": "Unauthorized",
        "detail": "Unauthorized",
        "type": "about:blank",
        "status": 401,
    }
    assert not [name for name in answer.headers if name.startswith("x-rate-limit")]


def test_unknown_address_is_html(ask: Any) -> None:
    answer = ask.get("/2/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_partial_errors_of_posts(x: Simulator, ask: Any) -> None:
    for name in ("offen", "zu", "fort"):
        x.account(name)
    there, gone, closed, out = (x.post(name, "Text") for name in ("offen", "offen", "zu", "fort"))
    x.delete(gone)
    x.protect("zu")
    x.suspend("fort")
    body = ask.json("/2/tweets", ids=f"{there},{gone},{closed},{out},77")
    assert [post["id"] for post in body["data"]] == [there]
    errors = {error["resource_id"]: error for error in body["errors"]}
    assert errors[gone] == {
        "value": gone, "detail": f"Could not find tweet with ids: [{gone}].", "title": "Not Found Error",
        "resource_type": "tweet", "parameter": "ids", "resource_id": gone, "type": NO_HOST + "resource-not-found",
    }  # fmt: skip
    assert errors["77"]["title"] == "Not Found Error"
    assert (errors[out]["title"], errors[out]["type"]) == ("Forbidden", NO_HOST + "resource-not-found")
    assert errors[closed]["type"] == NO_HOST + "not-authorized-for-resource"
    x.protect("zu", False)
    x.suspend("fort", False)
    assert len(ask.json("/2/tweets", ids=f"{closed},{out}")["data"]) == 2


def test_partial_errors_of_accounts(x: Simulator, ask: Any) -> None:
    x.suspend("lia_buehne")
    x.protect("sv_nordau")
    body = ask.json("/2/users/by", usernames="HAFENBLATT,lia_buehne,sv_nordau,niemand", user__fields="protected")
    assert [(user["username"], user["protected"]) for user in body["data"]] == [
        ("hafenblatt", False),
        ("sv_nordau", True),
    ]
    assert [(error["title"], error["parameter"], error["value"]) for error in body["errors"]] == [
        ("Forbidden", "usernames", "lia_buehne"),
        ("Not Found Error", "usernames", "niemand"),
    ]
    closed = ask.json(f"/2/users/{ask.user_id('sv_nordau')}/tweets")
    assert closed["errors"][0]["type"] == NO_HOST + "not-authorized-for-resource"


def test_post_dialect_names_problems_its_own_way(x: Simulator, ask: Any) -> None:
    error = ask.json("/2/tweets", ids="77", post__fields="text")["errors"][0]
    assert error["type"] == "https://api.x.com/2/problems/resource-not-found"
    assert error["resource_type"] == "post"


def test_window_runs_out_and_opens_again(texts: Path, ask_of: Any) -> None:
    now = [1_790_000_000.0]
    with Simulator(texts=texts, rate=0, catalogue=0, limit_scale=0.01, window_seconds=60, clock=lambda: now[0]) as x:
        ask = ask_of(x)
        told = [ask.get("/2/users", ids="1") for _ in range(4)]
        assert [answer.status_code for answer in told] == [200, 200, 200, 429]
        assert [answer.headers["x-rate-limit-remaining"] for answer in told] == ["2", "1", "0", "0"]
        assert told[3].headers["x-rate-limit-limit"] == "3"
        assert told[3].headers["x-rate-limit-reset"] == "1790000060"
        assert told[3].json()["title"] == "Too Many Requests"
        assert ask.get("/2/users/by", usernames="hafenblatt").status_code == 200
        now[0] += 60
        assert ask.get("/2/users", ids="1").status_code == 200


LIMITS = [
    ("/2/tweets", {"ids": "1"}, "3500"),
    ("/2/users/1/tweets", {}, "10000"),
    (SEARCH, {"query": "a"}, "450"),
    ("/2/lists/1/tweets", {}, "900"),
    ("/2/users/by", {"usernames": "a"}, "300"),
    ("/2/usage/tweets", {}, "50"),
]


@pytest.mark.parametrize(("path", "own", "limit"), LIMITS)
def test_limits_are_those_of_x(path: str, own: dict[str, str], limit: str, ask: Any) -> None:
    assert ask.get(path, **own).headers["x-rate-limit-limit"] == limit


@pytest.mark.parametrize("status", [401, 402, 403, 429, 500, 503])
def test_ordered_status_comes_once(status: int, x: Simulator, ask: Any) -> None:
    x.fail("/2/users/by", status=status)
    assert ask.get("/2/users", ids="1").status_code == 200
    answer = ask.get("/2/users/by", usernames="hafenblatt")
    assert (answer.status_code, "title" in answer.json()) == (status, True)
    assert ("x-rate-limit-reset" in answer.headers) is (status == 429)
    assert ask.get("/2/users/by", usernames="hafenblatt").status_code == 200


def test_ordered_body_and_headers(x: Simulator, ask: Any) -> None:
    x.fail(status=503, body="<html>Over capacity</html>", headers={"retry-after": "7"}, times=2)
    for _ in range(2):
        answer = ask.get("/2/users", ids="1")
        assert (answer.status_code, answer.text) == (503, "<html>Over capacity</html>")
        assert (answer.headers["retry-after"], answer.headers["content-type"]) == (
            "7",
            "text/html; charset=utf-8",
        )
    x.fail(status=500, body="", times=None)
    assert [ask.get("/2/users", ids="1").content for _ in range(3)] == [b""] * 3
    x.mend()
    assert ask.get("/2/users", ids="1").status_code == 200


def test_slow_and_cut_answers(x: Simulator, ask: Any) -> None:
    x.fail(slow=0.3)
    started = time.monotonic()
    assert ask.get("/2/users", ids="1").status_code == 200
    assert time.monotonic() - started >= 0.3
    x.fail(cut=True)
    with pytest.raises(requests.exceptions.RequestException):
        ask.get("/2/users", ids="1")
    assert ask.get("/2/users", ids="1").status_code == 200


def test_faults_and_acts_can_be_ordered_over_http(x: Simulator, ask: Any) -> None:
    def order(path: str, **body: Any) -> requests.Response:
        return requests.post(f"{x.base_url}/simulator/{path}", json=body, timeout=5)

    assert order("faults", path_prefix="/2/users", status=503).status_code == 201
    assert ask.get("/2/users", ids="1").status_code == 503
    number = order("post", author_username="hafenblatt", text="Von Hand").json()["id"]
    assert ask.json(f"/2/tweets/{number}")["data"]["text"] == "Von Hand"
    assert order("delete", id=number).status_code == 200
    assert "data" not in ask.json(f"/2/tweets/{number}")
    assert order("faults", colour="red").status_code == 400
    assert order("post", author_username="niemand", text="").status_code == 400
    plain = requests.post(f"{x.base_url}/simulator/faults", data='{"status": 500}', timeout=5)
    assert (plain.status_code, x.faults.orders) == (415, [])


def test_health_needs_no_token(x: Simulator) -> None:
    answer = requests.get(f"{x.base_url}/simulator/health", timeout=5)
    assert answer.json() == {"status": "ok", "posts": 0, "accounts": 6}
