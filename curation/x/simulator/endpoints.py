"""The endpoints: address, rate limit, parameters taken, and the answer. Numbers per app and 15 minutes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curation.x.simulator import compliance, lookups, rules, streams, timelines, usage
from curation.x.simulator.asking import Request
from curation.x.simulator.dialects import STREAM, TWEET, Dialect
from curation.x.simulator.parameters import (
    Accepts,
    among,
    boolean,
    identifier,
    number,
    several,
    text,
    time,
    username,
)

POST_FIELDS = ("tweet.fields", "user.fields", "media.fields", "poll.fields", "place.fields")
USER_FIELDS = ("user.fields", "tweet.fields")
BOUNDS = {"since_id": identifier, "until_id": identifier, "start_time": time, "end_time": time}


@dataclass(frozen=True)
class Endpoint:
    """`path` in X's notation, with {id} and {username}."""

    path: str
    limit: int
    accepts: Accepts
    answer: Callable[[Request], Any]
    method: str = "GET"
    dialect: Dialect | None = None

    @property
    def window(self) -> str:
        return f"{self.method} {self.path}"

    def match(self, method: str, path: str) -> dict[str, str] | None:
        if method != self.method:
            return None
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path), path)
        return found.groupdict() if found else None


def _posts(**own: Any) -> Accepts:
    required = tuple(name for name in ("ids", "query") if name in own)
    return Accepts(own, POST_FIELDS, "posts", required)


def _users(**own: Any) -> Accepts:
    required = tuple(name for name in ("ids", "usernames") if name in own)
    return Accepts(own, USER_FIELDS, "users", required)


IDS = several(1, 100, identifier)
RULES = "/2/tweets/search/stream/rules"
RULES_LISTED = {"ids": several(1, 1000, identifier), "max_results": number(1, 1000), "pagination_token": text}
JOBS = "/2/compliance/jobs"
JOB_FIELDS = ("compliance_job.fields",)
JOBS_LISTED = {
    "type": among(list(compliance.TYPES), many=False),
    "status": among(list(compliance.STATUSES), many=False),
}
EXCLUDE = among(["replies", "retweets"])

ENDPOINTS = (
    Endpoint(
        "/2/tweets/search/recent",
        450,
        _posts(
            query=text,
            max_results=number(10, 100),
            next_token=text,
            pagination_token=text,
            sort_order=among(["recency", "relevancy"], many=False),
            **BOUNDS,
        ),
        timelines.search,
    ),
    Endpoint("/2/tweets", 3500, _posts(ids=IDS), lookups.posts),
    Endpoint("/2/tweets/{id}", 450, _posts(id=identifier), lookups.post),
    Endpoint("/2/users", 300, _users(ids=IDS), lookups.users),
    Endpoint("/2/users/by", 300, _users(usernames=several(1, 100, username)), lookups.usernames),
    Endpoint("/2/users/by/username/{username}", 300, _users(username=username), lookups.username),
    Endpoint("/2/users/{id}", 300, _users(id=identifier), lookups.user),
    Endpoint(
        "/2/users/{id}/tweets",
        10_000,
        _posts(id=identifier, max_results=number(5, 100), pagination_token=text, exclude=EXCLUDE, **BOUNDS),
        timelines.user,
    ),
    Endpoint(
        "/2/lists/{id}/tweets",
        900,
        _posts(id=identifier, max_results=number(1, 100), pagination_token=text),
        timelines.xlist,
    ),
    Endpoint(
        "/2/lists/{id}",
        75,
        Accepts({"id": identifier}, ("list.fields", "user.fields"), "lists"),
        lookups.xlist,
    ),
    Endpoint("/2/usage/tweets", 50, Accepts({"days": number(1, 90)}, ("usage.fields",)), usage.posts),
    Endpoint(
        "/2/tweets/search/stream",
        50,
        _posts(backfill_minutes=number(0, 5), start_time=time, end_time=time),
        streams.connect,
        dialect=STREAM,
    ),
    Endpoint(RULES, 450, Accepts(RULES_LISTED), rules.listed, dialect=TWEET),
    Endpoint(
        RULES,
        100,
        Accepts({"dry_run": boolean, "delete_all": boolean}),
        rules.changed,
        method="POST",
        dialect=TWEET,
    ),
    Endpoint(JOBS, 150, Accepts({}, JOB_FIELDS), compliance.created, method="POST"),
    Endpoint(JOBS, 150, Accepts(JOBS_LISTED, JOB_FIELDS, required=("type",)), compliance.listed),
    Endpoint(JOBS + "/{id}", 150, Accepts({"id": identifier}, JOB_FIELDS), compliance.one),
)


def endpoint_of(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The endpoint of an address and what the address names."""
    for endpoint in ENDPOINTS:
        named = endpoint.match(method, path)
        if named is not None:
            return endpoint, named
    return None
