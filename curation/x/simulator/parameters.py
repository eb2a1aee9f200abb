"""Checking a request's parameters as X checks them: every fault named, all of them at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from curation.x.simulator.dialects import Dialect
from curation.x.simulator.problems import Complaint

Check = Callable[[str, str], list[Complaint]]
ID = re.compile(r"[0-9]{1,19}")
USERNAME = re.compile(r"[A-Za-z0-9_]{1,15}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def _value(name: str, value: str, rest: str, whole: str | None = None) -> list[Complaint]:
    message = f"The `{name}` query parameter value [{value}] {rest}"
    return [Complaint(name, [whole if whole is not None else value], message)]


def identifier(name: str, value: str) -> list[Complaint]:
    return [] if ID.fullmatch(value) else _value(name, value, "is not valid")


def username(name: str, value: str) -> list[Complaint]:
    return [] if USERNAME.fullmatch(value) else _value(name, value, f"does not match ^{USERNAME.pattern}$")


def text(name: str, value: str) -> list[Complaint]:
    return [] if value else [Complaint(name, [value], f"The `{name}` query parameter can not be empty")]


def time(name: str, value: str) -> list[Complaint]:
    try:
        moment(value)
    except ValueError:
        return _value(name, value, "is not a valid RFC3339 date-time")
    return []


def moment(value: str) -> int:
    """RFC 3339 in UTC, with Z, to Unix milliseconds."""
    if not TIME.fullmatch(value):
        raise ValueError(value)
    return int(datetime.fromisoformat(value).astimezone(UTC).timestamp() * 1000)


def boolean(name: str, value: str) -> list[Complaint]:
    return [] if value in ("true", "false") else _value(name, value, "is not a boolean")


def number(low: int, high: int) -> Check:
    def check(name: str, value: str) -> list[Complaint]:
        if re.fullmatch(r"-?\d{1,9}", value) and low <= int(value) <= high:
            return []
        return _value(name, value, f"is not between {low} and {high}")

    return check


def several(low: int, high: int, each: Check) -> Check:
    """A comma-separated list of `low` to `high` values."""

    def check(name: str, value: str) -> list[Complaint]:
        values = value.split(",")
        if not value:
            return [Complaint(name, [], f"The `{name}` query parameter can not be empty")]
        if not low <= len(values) <= high:
            message = f"The number of values in the `{name}` query parameter list [{len(values)}] "
            return [Complaint(name, [value], message + f"is not between {low} and {high}")]
        return [complaint for one in values for complaint in each(name, one)]

    return check


def among(allowed: list[str], many: bool = True) -> Check:
    def check(name: str, value: str) -> list[Complaint]:
        values = value.split(",") if many else [value]
        wrong = [word for word in values if word not in allowed]
        rest = f"is not one of [{','.join(allowed)}]"
        return [complaint for word in wrong for complaint in _value(name, word, rest, value)]

    return check


@dataclass(frozen=True)
class Accepts:
    """The parameters of an endpoint: its own, the *.fields it takes, and which of them must be there."""

    own: Mapping[str, Check] = field(default_factory=dict)
    fields: tuple[str, ...] = ()
    expansions: str = ""
    required: tuple[str, ...] = ()

    def checks(self, dialect: Dialect) -> dict[str, Check]:
        checks = dict(self.own)
        for name in self.fields:
            actual = dialect.post_fields if name == "tweet.fields" else name
            checks[actual] = among(dialect.fields[actual])
        if self.expansions:
            posts = self.expansions == "posts"
            allowed = dialect.post_expansions if posts else dialect.user_expansions
            checks["expansions"] = among(["owner_id"] if self.expansions == "lists" else allowed)
        return checks

    def complaints(self, given: Mapping[str, list[str]], dialect: Dialect) -> list[Complaint]:
        """`given`: every parameter with all its values, those of the path among them."""
        checks = self.checks(dialect)
        found = [
            Complaint(name, [], f"The `{name}` query parameter can not be empty")
            for name in self.required
            if name not in given
        ]
        for name, values in given.items():
            found += self._one(name, values, checks)
        return found

    def _one(self, name: str, values: list[str], checks: dict[str, Check]) -> list[Complaint]:
        if name not in checks:
            known = ",".join(sorted(checks))
            return [Complaint(name, values, f"The query parameter [{name}] is not one of [{known}]")]
        found = [
            Complaint(name, values, complaint.message) if len(values) > 1 else complaint
            for value in values
            for complaint in checks[name](name, value)
        ]
        if len(values) > 1:
            twice = f"Duplicate parameters are not allowed: the `{name}` query parameter"
            found.append(Complaint(name, values, twice))
        return found
