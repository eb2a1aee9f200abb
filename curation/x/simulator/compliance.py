"""Batch compliance: a job, a list of ids put to its address, and what befell them as JSON lines.

Jobs are kept in memory. A job is created, in_progress once its ids came, complete `seconds` later;
without ids it expires after a quarter of an hour. Only ids that something befell are told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from curation.x.simulator.accounts import Account
from curation.x.simulator.asking import Request
from curation.x.simulator.dialects import JOB_FIELDS
from curation.x.simulator.faults import Reply
from curation.x.simulator.fields import Json, chosen
from curation.x.simulator.posts import iso, milliseconds, snowflake
from curation.x.simulator.problems import Asked, Complaint, invalid_request
from curation.x.simulator.world import World

STORAGE = re.compile(r"/compliance/(\d+)/(submission|delivery)")
UPLOAD_MS = 15 * 60_000
DOWNLOAD_MS = 7 * 86_400_000
TYPES = ("tweets", "users")
STATUSES = ("created", "in_progress", "failed", "complete")


@dataclass
class Job:
    """Times in Unix milliseconds; `result` once it is complete."""

    id: int
    type: str
    name: str | None
    resumable: bool
    created: int
    uploaded: int | None = None
    ids: tuple[int, ...] = ()
    result: bytes | None = None


class Compliance:
    """`base` gives the address that uploads and downloads are reached at."""

    def __init__(self, world: World, seconds: float, base: Callable[[], str]) -> None:
        self.world = world
        self.seconds = seconds
        self.base = base
        self.jobs: dict[int, Job] = {}

    # The endpoints; callers hold the world's lock.

    def created(self, request: Request) -> Json:
        order = request.sent if isinstance(request.sent, dict) else {}
        name = order.get("name")
        if order.get("type") not in TYPES or not isinstance(name, str | None) or len(name or "") > 64:
            complaint = Complaint("type", [str(order.get("type"))], f"$.type: is not one of [{','.join(TYPES)}]")
            raise invalid_request([complaint], request.dialect)
        now = self.world.now()
        number = snowflake(now) + 1
        while number in self.jobs:
            number += 1
        job = Job(number, order["type"], name, bool(order.get("resumable")), now)
        self.jobs[number] = job
        return {"data": self._body(job, request)}

    def listed(self, request: Request) -> Json:
        found = [job for job in self.jobs.values() if job.type == request.text("type")]
        wanted = request.text("status")
        shown = [self._body(job, request) for job in reversed(found) if wanted in (None, self.status(job))]
        return ({"data": shown} if shown else {}) | {"meta": {"result_count": len(shown)}}

    def one(self, request: Request) -> Json:
        job = self.jobs.get(int(request.parameters["id"]))
        if job is None:
            return {"errors": [Asked("compliance_job", "id", request.parameters["id"]).missing(request.dialect)]}
        return {"data": self._body(job, request)}

    def status(self, job: Job) -> str:
        now = self.world.now()
        if job.uploaded is None:
            return "expired" if now >= job.created + UPLOAD_MS else "created"
        if job.result is None and now >= job.uploaded + self.seconds * 1000:
            job.result = self._result(job)
        return "in_progress" if job.result is None else "complete"

    def _body(self, job: Job, request: Request) -> Json:
        address = f"{self.base()}/compliance/{job.id}/"
        makers: dict[str, Callable[[], Any]] = {
            "id": lambda: str(job.id),
            "type": lambda: job.type,
            "name": lambda: job.name,
            "status": lambda: self.status(job),
            "resumable": lambda: job.resumable,
            "created_at": lambda: iso(job.created),
            "upload_url": lambda: address + "submission",
            "upload_expires_at": lambda: iso(job.created + UPLOAD_MS),
            "download_url": lambda: address + "delivery",
            "download_expires_at": lambda: iso(job.created + DOWNLOAD_MS),
        }
        return chosen({"id", "type", *(request.values("compliance_job.fields") or JOB_FIELDS)}, makers)

    # The storage beside the API, which needs no token.

    def storage(self, method: str, path: str, sent: bytes) -> Reply:
        """PUT of ids, one a line; GET of the result, once it is there."""
        found = STORAGE.fullmatch(path)
        with self.world.lock:
            job = self.jobs.get(int(found[1])) if found else None
            if found and job and (method, found[2]) == ("PUT", "submission"):
                return self._uploaded(job, sent)
            if found and job and (method, found[2]) == ("GET", "delivery"):
                return self._downloaded(job)
        return _plain(404, b"NoSuchKey")

    def _uploaded(self, job: Job, sent: bytes) -> Reply:
        if self.status(job) != "created":
            return _plain(403, b"AccessDenied")
        words = sent.split()
        if not all(word.isdigit() and len(word) < 20 for word in words):
            return _plain(400, b"every line must be an id")
        job.ids, job.uploaded = tuple(dict.fromkeys(map(int, words))), self.world.now()
        return _plain(200, b"")

    def _downloaded(self, job: Job) -> Reply:
        if self.status(job) != "complete" or job.result is None:
            return _plain(404, b"NoSuchKey")
        expired = self.world.now() >= job.created + DOWNLOAD_MS
        return _plain(403, b"AccessDenied") if expired else _plain(200, job.result)

    def _result(self, job: Job) -> bytes:
        told = self._post if job.type == "tweets" else self._user
        lines = (json.dumps(line) for number in job.ids if (line := told(number)))
        return "".join(f"{line}\n" for line in lines).encode()

    def _post(self, number: int) -> Json | None:
        post = self.world.posts.get(number)
        reason = "deleted" if post is None or post.deleted else befell(self.world.author(post))
        line = {"id": str(number), "action": "delete", "created_at": iso(milliseconds(number)), "reason": reason}
        return line if reason else None

    def _user(self, number: int) -> Json | None:
        account = self.world.by_id.get(number)
        reason = befell(account) if account else "deleted"
        return {"id": str(number), "action": "delete", "reason": reason} if reason else None


def befell(account: Account) -> str:
    return "suspended" if account.suspended else "protected" if account.protected else ""


def created(request: Request) -> Json:
    return request.compliance.created(request)


def listed(request: Request) -> Json:
    return request.compliance.listed(request)


def one(request: Request) -> Json:
    return request.compliance.one(request)


def _plain(status: int, body: bytes) -> Reply:
    return Reply(status, body, {"content-type": "text/plain; charset=utf-8"})
