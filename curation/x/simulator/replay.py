"""Recorded exchanges served again: what was really answered, to whoever asks the same.

A request matches by method, path and what it asks for; fields, expansions and sizes do not matter.
Beyond a recording there is nothing: later pages are empty. Look-ups of posts and users that were
not recorded in that combination are put together from every recorded one.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from curation.x.simulator.dialects import TWEET
from curation.x.simulator.faults import Reply, content_type, encoded, kept_headers
from curation.x.simulator.problems import Asked, by_status

PAGING = ("pagination_token", "next_token")
BOUNDS = ("since_id", "until_id", "start_time", "end_time")
DETAILS = ("expansions", "max_results", "sort_order", "exclude", *PAGING, *BOUNDS)
LOOKUPS = {
    "/2/tweets": ("tweet", "ids", "id"),
    "/2/users": ("user", "ids", "id"),
    "/2/users/by": ("user", "usernames", "username"),
}
Key = tuple[str, str, tuple[tuple[str, str], ...]]
Parameters = dict[str, list[str]]


def key(method: str, path: str, parameters: Parameters) -> Key:
    """What makes two requests the same; ids and usernames in any order."""
    asked = (
        (name, ",".join(sorted(values[0].lower().split(","))))
        for name, values in parameters.items()
        if name not in DETAILS and not name.endswith(".fields")
    )
    return method, path.lower(), tuple(sorted(asked))


class Replay:
    """Every *.json of the folder that holds exchanges; several of one kind are served in turn."""

    def __init__(self, folder: Path) -> None:
        self.exchanges: defaultdict[Key, list[dict[str, Any]]] = defaultdict(list)
        self.posts: dict[str, dict[str, Any]] = {}
        self.users: dict[str, dict[str, Any]] = {}
        for exchange in exchanges(folder):
            request = exchange["request"]
            address = urlsplit(request["url"])
            self.exchanges[key(request["method"], address.path, parse_qs(address.query))].append(exchange)
            self._remember(exchange["body"])

    def _remember(self, body: Any) -> None:
        data = body.get("data", []) if isinstance(body, dict) else []
        for entry in data if isinstance(data, list) else [data]:
            if "text" in entry:
                self.posts[entry["id"]] = entry
            elif "username" in entry:
                self.users[entry["id"]] = self.users[entry["username"].lower()] = entry

    def answer(self, method: str, path: str, parameters: Parameters) -> Reply:
        """404 with a problem when nothing of the kind was recorded."""
        found = self.exchanges.get(key(method, path, parameters))
        if not found:
            return self._unrecorded(path, parameters)
        exchange = found.pop(0) if len(found) > 1 else found[0]
        headers = kept_headers(exchange["headers"] or {})
        return Reply(exchange["status"], encoded(bounded(exchange["body"], parameters)), headers)

    def _unrecorded(self, path: str, parameters: Parameters) -> Reply:
        if path in LOOKUPS and LOOKUPS[path][1] in parameters:
            return _json(200, self._gathered(path, parameters))
        problem = by_status(404) | {"detail": "No such exchange was recorded."}
        return _json(404, problem)

    def _gathered(self, path: str, parameters: Parameters) -> dict[str, Any]:
        kind, parameter, _ = LOOKUPS[path]
        known = self.posts if kind == "tweet" else self.users
        asked = parameters[parameter][0].split(",")
        data = [known[value.lower()] for value in asked if value.lower() in known]
        gone = [Asked(kind, parameter, value).missing(TWEET) for value in asked if value.lower() not in known]
        return ({"data": data} if data else {}) | ({"errors": gone} if gone else {})


def exchanges(folder: Path) -> Iterator[dict[str, Any]]:
    """Raises ValueError when the folder holds none."""
    files = sorted(folder.glob("*.json"))
    if not files:
        raise ValueError(f"no recordings in {folder}")
    for file in files:
        document = json.loads(file.read_text(encoding="utf-8"))
        yield from (entry for entry in document if isinstance(document, list) and "request" in entry)


def bounded(body: Any, parameters: Parameters) -> Any:
    """A recorded page within the bounds asked for: nothing behind its last page, nothing too old."""
    if not isinstance(body, dict) or "meta" not in body:
        return body
    if any(name in parameters for name in PAGING):
        return {"meta": {"result_count": 0}}
    low = int(parameters.get("since_id", ["0"])[0])
    high = int(parameters.get("until_id", [str(1 << 63)])[0])
    data = [entry for entry in body.get("data", []) if low < int(entry["id"]) < high]
    if len(data) == len(body.get("data", [])):
        return body
    return _shortened(body, data)


def _shortened(body: dict[str, Any], data: list[Any]) -> dict[str, Any]:
    if not data:
        return {"meta": {"result_count": 0}}
    ends = {"newest_id": data[0]["id"], "oldest_id": data[-1]["id"], "result_count": len(data)}
    return body | {"data": data, "meta": ends}


def _json(status: int, body: Any) -> Reply:
    return Reply(status, encoded(body), {"content-type": content_type(body)})
