"""Error bodies as X words them (shapes: X_API's section on shapes and recorded bodies)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curation.x.simulator.dialects import TWEET, Dialect

Body = dict[str, Any]
HTML_404 = "<!DOCTYPE html><html><head><title>404</title></head><body><h1>Not Found</h1></body></html>\n"


class Refused(Exception):
    """The request ends here with this status and body."""

    def __init__(self, status: int, body: Body | str) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


@dataclass(frozen=True)
class Complaint:
    """One thing wrong with one parameter."""

    parameter: str
    values: list[str]
    message: str

    def body(self) -> Body:
        return {"parameters": {self.parameter: self.values}, "message": self.message}


def invalid_request(complaints: list[Complaint], dialect: Dialect = TWEET) -> Refused:
    return Refused(
        400,
        {
            "errors": [complaint.body() for complaint in complaints],
            "title": "Invalid Request",
            "detail": "One or more parameters to your request was invalid.",
            "type": dialect.problems + "invalid-request",
        },
    )


def blank(status: int, title: str) -> Body:
    return {"title": title, "detail": title, "type": "about:blank", "status": status}


def by_status(status: int) -> Body:
    """What X says with that status when there is nothing more to say."""
    if status == 402:
        return {
            "account_id": 1000000000000000001,
            "title": "CreditsDepleted",
            "detail": "Your enrolled account [1000000000000000001] does not have any credits to fulfill this request.",
            "type": TWEET.problems + "credits",
        }
    titles = {
        401: "Unauthorized",
        403: "Forbidden",
        404: "Not Found",
        429: "Too Many Requests",
        500: "Internal Server Error",
        503: "Service Unavailable",
    }
    return blank(status, titles.get(status, "Error"))


@dataclass(frozen=True)
class Asked:
    """What was asked for and not given: the `parameter` that named it, and its `value`."""

    kind: str
    parameter: str
    value: str

    @property
    def section(self) -> str:
        return "data" if self.parameter in ("id", "ids", "username", "usernames") else "includes"

    def missing(self, dialect: Dialect) -> Body:
        noun = self.kind.replace("_", " ")
        detail = f"Could not find {noun} with {self.parameter}: [{self.value}]."
        return self._body(dialect, "resource-not-found", "Not Found Error", detail)

    def suspended(self, dialect: Dialect) -> Body:
        detail = f"User has been suspended: [{self.value}]."
        return self._body(dialect, "resource-not-found", "Forbidden", detail)

    def protected(self, dialect: Dialect) -> Body:
        noun = {"tweet": "Tweet", "user": "user", "list": "list"}[self.kind]
        detail = f"Sorry, you are not authorized to see the {noun} with {self.parameter}: [{self.value}]."
        return self._body(dialect, "not-authorized-for-resource", "Authorization Error", detail)

    def _body(self, dialect: Dialect, problem: str, title: str, detail: str) -> Body:
        body = {
            "value": self.value,
            "detail": detail,
            "title": title,
            "resource_type": self.kind,
            "parameter": self.parameter,
            "resource_id": self.value,
            "type": dialect.problems + problem,
        }
        return body | ({"section": self.section} if problem.startswith("not-auth") else {})
