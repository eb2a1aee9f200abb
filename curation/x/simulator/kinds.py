"""Faults by name: whole answers in place of the usual one, and ways in which an answer arrives badly."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from curation.x.simulator.dialects import TWEET
from curation.x.simulator.problems import HTML_404, by_status

MEGABYTE = 1_000_000
HUGE = 50 * MEGABYTE
BOMB = 120 * MEGABYTE
ELSEWHERE = "https://elsewhere.example/2/tweets"
USAGE_CAP = {
    "account_id": 1000000000000000001,
    "product_name": "standard-basic",
    "title": "UsageCapExceeded",
    "period": "Monthly",
    "scope": "Product",
    "detail": "Usage cap exceeded: Monthly product cap",
    "type": TWEET.problems + "usage-capped",
}
CONFLICT = {"title": "ConnectionException", "connection_issue": "RuleConfigurationIssue"}
OVER = "<html><head><title>502</title></head><body><h1>Over capacity</h1></body></html>\n"


def window(reset: float, remaining: int = 0) -> dict[str, str]:
    """The headers of a rate window that opens at `reset` (Unix seconds)."""
    told = {"x-rate-limit-limit": "900", "x-rate-limit-remaining": str(remaining)}
    return told | {"x-rate-limit-reset": str(int(reset))}


@cache
def huge() -> bytes:
    """Fifty million bytes of good JSON."""
    start, end = b'{"meta":{"result_count":0},"padding":"', b'"}'
    return start + b"x" * (HUGE - len(start) - len(end)) + end


@cache
def bomb() -> bytes:
    """A short gzip that unpacks to 120 million bytes of good JSON."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    start, end = b'{"meta":{"result_count":0},"padding":"', b'"}'
    block = b"x" * MEGABYTE
    middle = b"".join(packer.compress(block) for _ in range(BOMB // MEGABYTE))
    return packer.compress(start) + middle + packer.compress(end) + packer.flush()


# Each gives the status, the body and the headers, for a window that opens at `reset`.
Made = tuple[int, Any, dict[str, str]]
REPLACING: dict[str, Callable[[float], Made]] = {
    "unauthorized": lambda reset: (401, by_status(401), {}),
    "credits": lambda reset: (402, by_status(402), {}),
    "forbidden": lambda reset: (403, by_status(403), {}),
    "conflict": lambda reset: (409, CONFLICT | {"type": TWEET.problems + "streaming-connection"}, {}),
    "window": lambda reset: (429, by_status(429), window(reset)),
    "window_v1": lambda reset: (429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}, window(reset)),
    "window_bare": lambda reset: (429, by_status(429), {}),
    "usage_cap": lambda reset: (429, USAGE_CAP, window(reset, 899)),
    "server_empty": lambda reset: (500, "", {}),
    "server_html": lambda reset: (502, OVER, {}),
    "server_problem": lambda reset: (503, by_status(503), window(reset, 899)),
    "list_error": lambda reset: (500, [{"code": 131, "message": "Internal error"}], {}),
    "not_json": lambda reset: (200, HTML_404, {}),
    "redirect": lambda reset: (302, "", {"location": ELSEWHERE}),
    "huge": lambda reset: (200, huge(), {}),
    "bomb": lambda reset: (200, bomb(), {"content-encoding": "gzip"}),
}
# The usual answer, told badly: fields of a Fault.
ARRIVING: dict[str, dict[str, Any]] = {
    "slow": {"slow": 0.5},
    "trickle": {"trickle": 1.0},
    "cut": {"cut": True},
    "malformed": {"malformed": True},
}
