"""What phones saw, written down by themselves, and a judge. Nothing here knows how the product works: only the form of
the published document and what its editors were told."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self


class Phones(threading.Thread):
    """Ask for feeds one after the other; each answer is a line of a file, with the moment at which it was asked for."""

    def __init__(self, port: int, paths: Iterable[str], file: Path, pause: float = 0.03) -> None:
        super().__init__(daemon=True)
        self.port, self.paths, self.file, self.pause = port, list(paths), file, pause
        self.over = threading.Event()
        self.rounds = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join(30)

    def run(self) -> None:
        with self.file.open("a") as out:
            while not self.over.is_set():
                for path in self.paths:
                    out.write(json.dumps(self.asked(path)) + "\n")
                    self.over.wait(self.pause)
                out.flush()
                self.rounds += 1

    def asked(self, path: str) -> dict[str, Any]:
        line, at = HTTPConnection("127.0.0.1", self.port, timeout=20), time.monotonic()
        try:
            line.request("GET", f"/api/v1/feeds/{path}", headers={"Accept-Encoding": "gzip"})
            reply = line.getresponse()
            body = reply.read()
        except (OSError, HTTPException) as error:
            return {"at": at, "path": path, "cut": repr(error)}
        finally:
            line.close()
        told = {"at": at, "path": path, "status": reply.status}
        if reply.status != 200:
            return told
        document = json.loads(gzip.decompress(body))
        shown = {one["id"]: [one["context"], one["label"]] for one in document["entries"]}
        seen = {"etag": reply.headers["ETag"], "sha": sha256(body).hexdigest(), "number": document["snapshot"]}
        return told | seen | {"shown": shown}


@dataclass
class Notes:
    """What was acknowledged to editors, by X's id of the post and the moment of the answer."""

    removed: dict[str, float] = field(default_factory=dict)
    approved: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    decisions: int = 0
    kinds: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, verb: str, post: str) -> None:
        with self.lock:
            self.decisions += 1
            self.kinds[verb] += 1
            if verb in ("block", "withdraw", "erase"):
                self.removed[post] = time.monotonic()

    def asks_for(self, post: str) -> None:
        """Before an approval is sent: it is on the phones before it is acknowledged."""
        with self.lock:
            self.approved[post].append(time.monotonic())


@dataclass(frozen=True)
class Loss:
    """The database was lost at `at`, publishing open again at `back`. `bare`: what the phones were given went too."""

    at: float
    back: float
    bare: bool


def judged(files: Iterable[Path], notes: Notes, losses: list[Loss]) -> dict[str, Any]:
    """How many answers there were, and what was wrong with them, by kind; all of `wrong` should be empty."""
    wrong: dict[str, list[str]] = {
        kind: [] for kind in ("reappeared", "unapproved", "number went back", "two bodies", "refused")
    }
    answers = restored = 0
    bodies: dict[tuple[str, str], str] = {}
    numbers: dict[tuple[str, int], str] = {}
    newest: dict[str, int] = {}
    latest: dict[str, dict[str, Any]] = {}
    before: dict[tuple[int, str], dict[str, Any]] = {}
    for one in in_order(files):
        path, at = one["path"], one["at"]
        passed = [number for number, loss in enumerate(losses) if at > loss.at]
        if one.get("status") != 200:
            if not any(loss.bare and loss.at - 1 <= at <= loss.back + 1 for loss in losses):
                wrong["refused"].append(f"{path}: {one}")
            continue
        answers += 1
        wrong["reappeared"] += [f"{path}: {post}" for post in one["shown"] if notes.removed.get(post, at) < at]
        if one["number"] < newest.get(path, 0):
            wrong["number went back"].append(f"{path}: {one['number']} after {newest[path]}")
        newest[path] = max(one["number"], newest.get(path, 0))
        for known, key in ((bodies, (path, one["etag"])), (numbers, (path, one["number"]))):
            if known.setdefault(key, one["sha"]) != one["sha"]:  # type: ignore[attr-defined]
                wrong["two bodies"].append(str(key))
        if passed:
            last = passed[-1]
            kept = before.setdefault((last, path), {} if losses[last].bare else latest.get(path, {}))
            if at > losses[last].back:
                restored += 1
                for post, words in one["shown"].items():
                    anew = any(losses[last].at < asked < at + 1 for asked in notes.approved.get(post, ()))
                    if kept.get(post) != words and not anew:
                        wrong["unapproved"].append(f"{path}: {post} {words}, kept {kept.get(post)}")
        latest[path] = one["shown"]
    return {"answers": answers, "after a restore": restored, "wrong": wrong}


def in_order(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    lines = (json.loads(line) for file in files for line in file.read_text().splitlines())
    yield from sorted(lines, key=lambda one: float(one["at"]))
