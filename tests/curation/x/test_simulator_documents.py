"""Answers hold against X's own OpenAPI documents, in both dialects, for every endpoint."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema  # type: ignore[import-untyped]
import pytest

from curation.x.simulator import Simulator
from curation.x.simulator.dialects import renamed
from curation.x.simulator.endpoints import ENDPOINTS, Endpoint

FILES = {"tweet": "openapi-2.159-tweet-dialect.json", "post": "openapi-2.167-post-dialect.json"}
FORMATS = jsonschema.FormatChecker(formats=())
# The live API sends the numbers of usage as strings; 2.159 still calls them integers (X_API, section 2).
STREAM = "/2/tweets/search/stream"
USAGE_NUMBERS = ("cap_reset_day", "project_cap", "project_usage", "usage", "usage_result_count", "project_id")


@FORMATS.checks("date-time", raises=ValueError)
def is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


@FORMATS.checks("uri", raises=ValueError)
def is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


@FORMATS.checks("int32")
def is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


def plain_schema(node: Any) -> Any:
    """OpenAPI 3.0 as JSON Schema: `nullable` becomes a second type."""
    if isinstance(node, list):
        return [plain_schema(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    found = {key: plain_schema(value) for key, value in node.items() if key != "nullable"}
    return {"anyOf": [found, {"type": "null"}]} if node.get("nullable") is True else found


class Document:
    """One OpenAPI document: what it allows to ask, and what it says of an answer."""

    def __init__(self, file: Path) -> None:
        self.whole = json.loads(file.read_text())
        self.components = plain_schema(self.whole["components"])

    def operation(self, path: str, method: str = "get") -> dict[str, Any]:
        found: dict[str, Any] = self.whole["paths"][path][method]
        return found

    def parameters(self, path: str, method: str = "get") -> list[dict[str, Any]]:
        entries = self.operation(path, method)["parameters"]
        return [self.components["parameters"][e["$ref"].split("/")[-1]] if "$ref" in e else e for e in entries]

    def choices(self, path: str) -> dict[str, list[str]]:
        """Every parameter of an endpoint that takes a list of words."""
        found = [(entry["name"], entry["schema"].get("items", {})) for entry in self.parameters(path)]
        return {name: items["enum"] for name, items in found if "enum" in items}

    def check(self, path: str, body: dict[str, Any], method: str = "get") -> None:
        schema = self.operation(path, method)["responses"]["200"]["content"]["application/json"]["schema"]
        self.hold(schema, body)
        for problem in body.get("errors", []):
            mapped = self.components["schemas"]["Problem"]["discriminator"]["mapping"]
            self.hold({"$ref": mapped[problem["type"]]}, problem)

    def hold(self, schema: dict[str, Any], value: Any) -> None:
        whole = schema if "$ref" not in schema else {"allOf": [schema]}
        validator = jsonschema.Draft7Validator(whole | {"components": self.components}, format_checker=FORMATS)
        validator.validate(value)

    def known(self, kind: str) -> set[str]:
        return set(self.components["schemas"][kind]["properties"])


@pytest.fixture(scope="session")
def documents(shared: Path) -> dict[str, Document]:
    found = {name: Document(shared / file) for name, file in FILES.items()}
    usage = found["tweet"].components["schemas"]
    for kind in ("Usage", "ClientAppUsage", "UsageFields"):
        loosen(usage[kind])
    return found


def loosen(schema: dict[str, Any]) -> None:
    for name, entry in schema["properties"].items():
        if name in USAGE_NUMBERS and entry.get("type") == "integer":
            entry["type"] = ["integer", "string"]
        if name == "daily_project_usage":
            loosen(entry)


@pytest.fixture
def full(x: Simulator) -> dict[str, str]:
    """A world with a post of every kind; the ids by what they are."""
    plain = x.post("hafenblatt", "Rat & Stadt <live> #Nordau $ABC @sv_nordau @niemand99 https://nordau.example/a/b")
    first = x.post("stadt_nordau", "Sitzung um 14 Uhr")
    made = {
        "plain": plain,
        "media": x.post("sv_nordau", "Ein Bild", media=["stadium"], alt="Das Stadion"),
        "poll": x.post("lia_buehne", "Und?", poll=["Ja", "Nein"]),
        "long": x.post("hafenblatt", "Lange Geschichte aus Nordau. " * 30 + "#Ende"),
        "quote": x.post("boerse_nord", "Lesenswert", quote=plain),
        "reply": x.post("boerse_nord", "@hafenblatt Danke", reply_to=plain),
        "retweet": x.retweet("sv_nordau", plain),
        "edited": x.edit(first, "Sitzung um 15 Uhr"),
        "old": first,
        "gone": x.post("sv_nordau", "Weg"),
        "video": x.post("sv_nordau", "Ein Film", media=["stage"], sensitive=True),
    }
    made["orphan"] = x.post("hafenblatt", "Dazu", quote=made["gone"])
    x.delete(made["gone"])
    x.withhold(made["media"], ["DE"])
    x.withhold(made["poll"], ["XY"])
    x.withhold_user("lia_buehne", ["GR"])
    x.world.posts[int(made["video"])].media[0].type = "video"
    x.account("verschlossen", protected=True)
    x.account("gesperrt", suspended=True)
    made["protected"] = x.post("verschlossen", "Nur für Freunde")
    made["suspended"] = x.post("gesperrt", "Fort")
    made["meets_suspended"] = x.post("hafenblatt", "Was sagt @gesperrt dazu?", quote=made["suspended"])
    return made


def asked(path: str, ids: dict[str, str], user_id: Callable[[str], str]) -> tuple[str, dict[str, str]]:
    """The address and own parameters that show most of the world."""
    accounts = ["hafenblatt", "lia_buehne", "verschlossen", "gesperrt"]
    own = {
        "/2/tweets": {"ids": ",".join([*ids.values(), "99"])},
        "/2/tweets/search/recent": {"query": "from:hafenblatt OR from:sv_nordau OR from:boerse_nord"},
        "/2/users": {"ids": ",".join([*map(user_id, accounts), "99"])},
        "/2/users/by": {"usernames": ",".join([*accounts, "niemand99"])},
        "/2/usage/tweets": {"days": "3"},
    }
    values = {"id": ids["quote"], "username": "hafenblatt"}
    if path.startswith("/2/users"):
        values["id"] = user_id("hafenblatt")
    if path.startswith("/2/lists"):
        values["id"] = "1500000000000000000"
    return path.format(**values), own.get(path, {})


@pytest.mark.parametrize("dialect", FILES)
@pytest.mark.parametrize(
    "path", [one.path for one in ENDPOINTS if one.dialect is None and "compliance" not in one.path]
)
def test_answer_holds(path: str, dialect: str, documents: Any, full: dict[str, str], ask: Any) -> None:
    document = documents[dialect]
    everything = {name: ",".join(dict.fromkeys(words)) for name, words in document.choices(path).items()}
    address, own = asked(path, full, ask.user_id)
    body = ask.json(address, **own, **everything)
    document.check(path, body)
    assert body["data"]
    foreign = {"tweet": ("_post", "repost"), "post": ("_tweet", "retweet_count")}[dialect]
    names = {name for name in keys(body) if any(part in name for part in foreign)}
    assert names - {"media_source_tweet_id"} == set()


@pytest.mark.parametrize("dialect", FILES)
def test_stream_and_rules_hold(dialect: str, documents: Any, full: dict[str, str], x: Simulator, ask: Any) -> None:
    document = documents[dialect]
    order = {"add": [{"value": "from:hafenblatt", "tag": "DE politics"}, {"value": "from:sv_nordau"}]}
    made = ask.post(STREAM + "/rules", order).json()
    twice = ask.post(STREAM + "/rules", {"add": [*order["add"], {"value": "from:a OR list:5"}]}).json()
    deleted = ask.post(STREAM + "/rules", {"delete": {"ids": [ask.rule("cat"), "77"]}}).json()
    for body in (made, twice, deleted):
        # The newer document knows no problems of rules, and other addresses for the rest.
        document.check(STREAM + "/rules", body if dialect == "tweet" else body | {"errors": []}, "post")
    document.check(STREAM + "/rules", ask.json(STREAM + "/rules"))
    fields = {name: ",".join(words) for name, words in document.choices(STREAM).items()}
    with ask.stream(**fields) as stream:
        x.retweet("sv_nordau", full["long"])
        x.post("hafenblatt", "Rat & Stadt #Nordau @sv_nordau", media=["plenary"], alt="Saal", quote=full["plain"])
        x.post("sv_nordau", "Wer gewinnt?", poll=["Wir", "Ihr"], reply_to=full["plain"])
        lines = [stream.post() for _ in range(3)]
    for line in lines:
        # 2.167 describes the line in the other dialect than the one that it lets ask in.
        document.check(STREAM, line if dialect == "tweet" else renamed(line))
    assert [len(line["matching_rules"]) for line in lines] == [1, 1, 1]
    assert {name for line in lines for name in line["includes"]} == {"users", "tweets", "media", "polls"}


@pytest.mark.parametrize("dialect", FILES)
def test_compliance_jobs_hold(dialect: str, documents: Any, x: Simulator, ask: Any) -> None:
    document = documents[dialect]
    jobs = "/2/compliance/jobs"
    made = ask.post(jobs, {"type": "tweets", "name": "nightly"}).json()
    document.check(jobs, made, "post")
    one = ask.json(f"{jobs}/{made['data']['id']}", **{"compliance_job.fields": ",".join(made["data"])})
    assert one == made
    document.check(jobs + "/{id}", one)
    document.check(jobs, ask.json(jobs, type="tweets"))
    document.check(jobs, ask.json(jobs, type="users"))


def keys(node: Any) -> set[str]:
    if isinstance(node, dict):
        return set(node) | {name for value in node.values() for name in keys(value)}
    return {name for entry in node for name in keys(entry)} if isinstance(node, list) else set()


@pytest.mark.parametrize("dialect", FILES)
def test_bare_and_empty_answers_hold(dialect: str, documents: Any, full: dict[str, str], ask: Any) -> None:
    mark = {"tweet": {"tweet.fields": "id"}, "post": {"post.fields": "id"}}[dialect]
    document = documents[dialect]
    history = {"tweet": "edit_history_tweet_ids", "post": "edit_history_post_ids"}[dialect]
    for path in ("/2/tweets/{id}", "/2/users/{id}/tweets", "/2/lists/{id}/tweets"):
        body = ask.json(asked(path, full, ask.user_id)[0], **mark)
        document.check(path, body)
        one = body["data"] if path == "/2/tweets/{id}" else body["data"][0]
        assert set(one) == {"id", "text", history}
    empty = ask.json("/2/tweets/search/recent", query="nirgendwo", **mark)
    assert empty == {"meta": {"result_count": 0}}
    for path, address in (
        ("/2/tweets/{id}", f"/2/tweets/{full['gone']}"),
        ("/2/tweets/{id}", f"/2/tweets/{full['protected']}"),
        ("/2/tweets/{id}", f"/2/tweets/{full['suspended']}"),
        ("/2/users/{id}/tweets", f"/2/users/{ask.user_id('verschlossen')}/tweets"),
        ("/2/users/{id}/tweets", f"/2/users/{ask.user_id('gesperrt')}/tweets"),
        ("/2/lists/{id}/tweets", "/2/lists/77/tweets"),
        ("/2/lists/{id}", "/2/lists/77"),
    ):
        body = ask.json(address, **({} if path == "/2/lists/{id}" and dialect == "tweet" else mark_for(path, mark)))
        assert set(body) == {"errors"}
        if not (path == "/2/lists/{id}" and dialect == "post"):
            document.check(path, body)


def mark_for(path: str, mark: dict[str, str]) -> dict[str, str]:
    return {} if path == "/2/lists/{id}" else mark


@pytest.mark.parametrize("dialect", FILES)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda endpoint: endpoint.window)
def test_every_documented_parameter_is_taken(endpoint: Endpoint, dialect: str, documents: Any) -> None:
    from curation.x.simulator.dialects import POST, TWEET

    named = {entry["name"] for entry in documents[dialect].parameters(endpoint.path, endpoint.method.lower())}
    taken = endpoint.accepts.checks(endpoint.dialect or {"tweet": TWEET, "post": POST}[dialect])
    # Which fields a new job shows could not be asked before 2.167.
    newer = {"compliance_job.fields"} if (endpoint.method, dialect) == ("POST", "tweet") else set()
    assert set(taken) - newer == named
