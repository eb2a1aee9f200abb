"""What can go wrong at X's door: a class for each outcome that ingest treats apart.

All can be pickled; none holds the token.

Statuses and bodies: X_API, section "Shapes".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from curation.x.entities import clean
from regions.numbers import whole

WAIT_WITHOUT_RESET = 60
LONGEST_MESSAGE = 500
LATEST = 10**11 - 1  # epoch seconds; a header that names later ones is broken


@dataclass(frozen=True)
class Answer:
    """What X answered: status, lower-case header names, body as bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def problem(self) -> dict[str, Any]:
        """The body when it is a JSON object, else an empty one."""
        try:
            body = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    def reset_at(self) -> int | None:
        """When the window opens again, in epoch seconds."""
        return whole(self.headers.get("x-rate-limit-reset", ""), LATEST)


class Failure(Exception):
    """X was asked and gave nothing. `message` is in plain words, X's own where it gave some.

    `free`: certainly nothing was charged, since X answered with an error or was never reached."""

    free = True

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message


class WindowClosed(Failure):
    """Too many requests in this window; `reset_at` in epoch seconds, `endpoint` as the door names it."""

    def __init__(self, message: str, reset_at: int, endpoint: str = "") -> None:
        super().__init__(message)
        self.args = (message, reset_at, endpoint)
        self.reset_at = reset_at
        self.endpoint = endpoint


class MonthlyCapReached(Failure):
    """No more posts in this period: waiting for the window is useless."""


class OutOfCredits(Failure):
    """The account at X has no credits left."""


class BadToken(Failure):
    """X does not accept our token."""


class QueryRefused(Failure):
    """The source asks for what X cannot understand or does not have: its lead must change it."""


class NotPermitted(Failure):
    """X does not let us read this."""


class Gone(NotPermitted):
    """The account or list of the source is gone; `cause`: deleted, suspended or protected."""

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message)
        self.args = (message, cause)
        self.cause = cause


class Unreachable(Failure):
    """No answer, a broken one, or a fault on X's side: try again later."""

    def __init__(self, message: str, free: bool = False) -> None:
        super().__init__(message)
        self.args = (message, free)
        self.free = free


class BudgetSpent(Failure):
    """X is not asked: what the market may read of it is used up until then, an aware instant.

    `passing`: readings under way hold what is left, and may give back some of it."""

    def __init__(self, message: str, market_id: int, until: datetime, cause: str, passing: bool = False) -> None:
        super().__init__(message)
        self.args = (message, market_id, until, cause, passing)
        self.market_id, self.until, self.cause, self.passing = market_id, until, cause, passing


def failure_of(answer: Answer | None, asked_at: float) -> Failure:
    """The outcome of an answer that was no success; without an answer X is unreachable."""
    if answer is None:
        return Unreachable("X cannot be reached, or broke off its answer.")
    problem = answer.problem()
    said = message_of(problem)
    if answer.status == 429:
        return _too_many(answer, problem, said, asked_at)
    if answer.status == 404:
        return QueryRefused(said) if said else Unreachable("X knows no such address (404).", free=True)
    known = {
        400: QueryRefused(said or "X refuses the query without saying why."),
        401: BadToken("X does not accept the bearer token."),
        402: OutOfCredits(said or "The account at X has no credits left."),
        403: NotPermitted(said or "X does not permit this."),
    }
    free = not 200 <= answer.status < 300
    return known.get(answer.status) or Unreachable(_trouble(answer.status, said), free)


def _trouble(status: int, said: str) -> str:
    if 200 <= status < 300:
        return "X's answer could not be read."
    return f"X answered {status}" + (f": {said}" if said else ".")


def _too_many(answer: Answer, problem: dict[str, Any], said: str, asked_at: float) -> Failure:
    if last_segment(problem.get("type")) == "usage-capped" or problem.get("title") == "UsageCapExceeded":
        return MonthlyCapReached(said or "X's cap on posts is reached.")
    reset = answer.reset_at() or int(asked_at) + WAIT_WITHOUT_RESET
    return WindowClosed(said or "Too many requests in this window.", reset)


def last_segment(problem_type: Any) -> str:
    """The part of a problem's type to compare: X changed the host before it."""
    return problem_type.rstrip("/").rsplit("/", 1)[-1] if isinstance(problem_type, str) else ""


def cause_of(error: dict[str, Any]) -> str:
    """Why X does not show a post or an account, by the last segment of the problem's type and its title (X_API,
    section "Shapes"): deleted, suspended or protected; empty when it does not say that."""
    problem = last_segment(error.get("type"))
    if problem == "not-authorized-for-resource":
        return "protected"
    if problem == "resource-not-found":
        return "suspended" if error.get("title") == "Forbidden" else "deleted"
    return ""


def message_of(problem: Mapping[str, Any]) -> str:
    """X's own words, from each entry of `errors`, else from detail or title."""
    errors = problem.get("errors")
    entries = errors if isinstance(errors, list) else []
    told = [entry.get("message") or entry.get("detail") for entry in entries if isinstance(entry, dict)]
    words = [word for word in told if isinstance(word, str)] or [
        word for word in (problem.get("detail"), problem.get("title")) if isinstance(word, str)
    ][:1]
    return shortened(clean(" ".join(words)))


def shortened(words: str) -> str:
    """Both ends of what is long: X repeats the whole query before it says what is wrong with it."""
    half = LONGEST_MESSAGE // 2 - 1
    return words if len(words) <= LONGEST_MESSAGE else f"{words[:half]}…{words[-half:]}"
