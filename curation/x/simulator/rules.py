"""The rules of the filtered stream: added, tried out, deleted, listed, in X's own answer shapes.

Bad syntax anywhere in an order creates none of its rules; a duplicate value only leaves itself out.
Which statuses X gives with these is not documented: 201 when something was created, else 200.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from curation.x.simulator.accounts import digest
from curation.x.simulator.asking import Request
from curation.x.simulator.dialects import TWEET
from curation.x.simulator.fields import Json
from curation.x.simulator.posts import iso
from curation.x.simulator.problems import Refused, blank
from curation.x.simulator.queries import BadQuery, Query, parse_rule
from curation.x.simulator.state import State

MOST = 1000
LONGEST = 1024


@dataclass(frozen=True)
class Rule:
    id: int
    value: str
    tag: str | None
    query: Query

    def body(self) -> Json:
        return {"id": str(self.id), "value": self.value} | self.label()

    def label(self) -> Json:
        return {} if self.tag is None else {"tag": self.tag}


class Rules:
    """The app's rules in the order they came. Callers hold the world's lock."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.rules = {number: Rule(number, value, tag, parse_rule(value)) for number, value, tag in state.rules()}

    def __iter__(self) -> Iterator[Rule]:
        return iter(list(self.rules.values()))

    def __len__(self) -> int:
        return len(self.rules)

    def with_value(self, value: str) -> Rule | None:
        return next((rule for rule in self.rules.values() if rule.value == value), None)

    def add(self, rule: Rule) -> None:
        self.rules[rule.id] = rule
        self.state.keep_rule(rule.id, rule.value, rule.tag)

    def delete(self, number: int) -> None:
        del self.rules[number]
        self.state.forget_rule(number)


def listed(request: Request) -> Json:
    """All rules, or those of `ids`. Every set fits one page: X allows a thousand of both."""
    wanted = {int(number) for number in request.values("ids")}
    found = [rule.body() for rule in request.rules if not wanted or rule.id in wanted]
    shown = found[: request.number("max_results", MOST)]
    counted = {"result_count": len(shown)} if shown else {}
    return ({"data": shown} if shown else {}) | {"meta": {"sent": _sent(request)} | counted}


def changed(request: Request) -> Json:
    """POST {"add": [{"value", "tag"}]} or {"delete": {"ids" or "values"}}."""
    order, dry = request.sent, request.text("dry_run") == "true"
    if request.text("delete_all") == "true":
        order = {"delete": {"ids": [str(rule.id) for rule in request.rules]}}
    if isinstance(order, dict) and isinstance(order.get("add"), list) and order["add"]:
        return _added(request, order["add"], dry)
    if isinstance(order, dict) and isinstance(order.get("delete"), dict):
        return _deleted(request, order["delete"], dry)
    raise _wrong("Request body must contain either `add` or `delete`, not empty.")


def _added(request: Request, entries: list[Any], dry: bool) -> Json:
    made: dict[str, Rule] = {}
    twins: list[Json] = []
    bad: list[Json] = []
    for entry in entries:
        rule = _tried(request, entry)
        if isinstance(rule, dict):
            bad.append(rule)
        elif twin := request.rules.with_value(rule.value) or made.get(rule.value):
            twins.append(_duplicate(twin))
        else:
            made[rule.value] = rule
    if len(request.rules) + len(made) > MOST:
        raise Refused(422, _cap(len(request.rules)))
    created = [] if bad else list(made.values())
    if not dry:
        for rule in created:
            request.rules.add(rule)
    request.status = 201 if created else 200
    summary = {
        "created": len(created),
        "not_created": len(entries) - len(created),
        "valid": len(made),
        "invalid": len(bad) + len(twins),
    }
    return _answer(request, [rule.body() for rule in created], summary, bad + twins)


def _tried(request: Request, entry: Any) -> Rule | Json:
    """The rule, or X's problem with it."""
    value = entry.get("value") if isinstance(entry, dict) else None
    tag = entry.get("tag") if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value.strip() or not isinstance(tag, str | None):
        raise _wrong("$.add[0].value: is missing but it is required")
    if len(value) > LONGEST:
        return _invalid(value, f"Rule is too long: maximum length is {LONGEST} characters, was {len(value)}")
    try:
        query = parse_rule(value)
    except BadQuery as wrong:
        return _invalid(value, str(wrong))
    number = 10**18 + digest("rule", value, request.world.now(), len(request.rules)) % (8 * 10**18)
    return Rule(number, value, tag, query)


def _deleted(request: Request, order: dict[str, Any], dry: bool) -> Json:
    asked = [str(number) for number in order.get("ids") or []]
    twins = [request.rules.with_value(value) for value in order.get("values") or []]
    if not all(number.isdecimal() for number in asked) or not (asked or twins):
        raise _wrong("$.delete.ids: must be a list of rule ids")
    known = [int(number) for number in dict.fromkeys(asked) if int(number) in request.rules.rules]
    known += [twin.id for twin in twins if twin and twin.id not in known]
    missing = len(asked) + len(twins) - len(known)
    if not dry:
        for number in known:
            request.rules.delete(number)
    errors = [_wrong("Rule does not exist").body] * missing
    return _answer(request, [], {"deleted": len(known), "not_deleted": missing}, errors)  # type: ignore[arg-type]


def _answer(request: Request, data: list[Json], summary: dict[str, int], errors: list[Json]) -> Json:
    meta = {"sent": _sent(request), "summary": summary}
    return ({"data": data} if data else {}) | {"meta": meta} | ({"errors": errors} if errors else {})


def _sent(request: Request) -> str:
    return iso(request.world.now())


def _invalid(value: str, reason: str) -> Json:
    told = {"title": "UnprocessableEntity", "type": TWEET.problems + "invalid-rules"}
    return {"value": value, "details": [reason]} | told


def _duplicate(twin: Rule) -> Json:
    told = {"title": "DuplicateRule", "type": TWEET.problems + "duplicate-rules"}
    return {"value": twin.value, "id": str(twin.id)} | told


def _cap(have: int) -> Json:
    detail = f"You have exceeded the maximum number of rules: {MOST} are allowed, {have} are there."
    return blank(422, "RulesCapExceeded") | {"detail": detail, "type": TWEET.problems + "rule-cap"}


def _wrong(message: str) -> Refused:
    detail = "One or more parameters to your request was invalid."
    problem = {"title": "Invalid Request", "detail": detail, "type": TWEET.problems + "invalid-request"}
    return Refused(400, {"errors": [{"parameters": {}, "message": message}]} | problem)
