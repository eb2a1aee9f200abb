"""An editor who triages by keys, and what happens meanwhile; every frame and every key is noted in the page.

What is compared is what the eye saw a moment before a key: the row that was current then, and the line it stood on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from statistics import quantiles
from time import monotonic
from typing import Any

from django.db import close_old_connections, connections
from playwright.sync_api import Page, expect

from curation import events, operations
from curation.models import Candidate, Decision, State
from regions.models import Channel, User
from regions.problems import Refusal
from tests.cast import make_candidate

EYE = 150  # milliseconds between what is seen and the finger
LONGEST = 5000  # milliseconds from a key to its mark; else the mark was another key's
VERBS = {"a": "approve", "b": "block"}
NOTES = """
(() => {
  const notes = (window.notes = { frames: [], keys: [], marks: {} });
  const look = () => {
    const row = document.querySelector("#rows .row.is-current");
    const top = row && Math.round(row.getBoundingClientRect().top);
    return { at: performance.now(), id: row?.dataset.candidate, top };
  };
  const frame = () => {
    notes.frames.push(look());
    if (notes.frames.length > 300) notes.frames.shift();
    requestAnimationFrame(frame);
  };
  addEventListener("DOMContentLoaded", () => {
    requestAnimationFrame(frame);
    new MutationObserver((changes) => {
      for (const { target } of changes)
        if (target.matches?.(".row.is-sent")) (notes.marks[target.dataset.candidate] ??= []).push(performance.now());
    }).observe(document.querySelector("#rows"), { subtree: true, attributeFilter: ["class"] });
  });
  addEventListener("keydown", (event) => {
    if (!/^[ab]$/.test(event.key)) return;
    const now = look(), last = notes.keys.at(-1)?.at ?? 0;
    const seen = notes.frames.filter((one) => one.at > last + 50 && one.at <= now.at - EYE).at(-1);
    notes.keys.push({ ...now, key: event.key, seen });
  }, true);
})();
""".replace("EYE", str(EYE))
CURRENT = """async () => {
  await new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn)));
  const row = document.querySelector("#rows .row.is-current");
  const now = !row || row.matches(".is-sent") ? "none" : row.matches(".is-decided") ? "decided" : "open";
  return [now, Object.keys(window.notes.marks).length];
}"""


@dataclass(frozen=True)
class Triage:
    """What one triage came to: milliseconds from key to marked row, keys that hit another row than the eye's, rows that
    moved under the eye, keys that did nothing, and the seconds that all of it took."""

    marked: list[float]
    other: list[dict[str, Any]]
    moved: list[dict[str, Any]]
    pressed: dict[int, str]
    held: int
    seconds: float

    @property
    def p95(self) -> float:
        return quantiles(self.marked, n=20)[-1]

    @property
    def a_minute(self) -> float:
        return len(self.pressed) * 60 / self.seconds


def decide_all(page: Page, most: int, *, chance: Random, rest: int = 0) -> Triage:
    """Presses a key for each open row that is current, until `most` are decided; `rest` milliseconds between keys."""
    began = page.evaluate("performance.now()")
    for _ in range(4 * most):
        if stand_on_an_open_row(page) >= most:
            break
        if rest:
            page.wait_for_timeout(rest)
        page.keyboard.press(chance.choice("ab"))
    expect(page.locator(".is-sent")).to_have_count(0, timeout=60_000)
    seconds = (page.evaluate("performance.now()") - began) / 1000
    return told_by(page.evaluate("window.notes"), seconds)


def stand_on_an_open_row(page: Page) -> int:
    """Waits for it, and gives how many are marked so far; from a row that a colleague decided while one stood there,
    one goes on oneself."""
    for _ in range(300):
        now, marked = page.evaluate(CURRENT)
        if now == "open":
            return int(marked)
        if now == "decided":
            page.keyboard.press("j")
        page.wait_for_timeout(0 if now == "decided" else 100)
    raise AssertionError("no row is open")


def told_by(notes: dict[str, Any], seconds: float) -> Triage:
    """A mark is that of the last key before it that was pressed on its row; keys that were held back did nothing."""
    hit = []
    for pk, marks in notes["marks"].items():
        keys = [one for one in notes["keys"] if one.get("id") == pk and 0 <= marks[0] - one["at"] < LONGEST]
        hit += [one | {"marked": marks[0]} for one in keys[-1:]]
    held = len(notes["keys"]) - len(hit)
    seen = [one for one in hit if one.get("seen")]
    return Triage(
        marked=[one["marked"] - one["at"] for one in hit],
        other=[one for one in seen if one["seen"]["id"] != one["id"]],
        moved=[one for one in seen if one["seen"]["id"] == one["id"] and abs(one["seen"]["top"] - one["top"]) > 1],
        pressed={int(one["id"]): VERBS[one["key"]] for one in hit},
        held=held,
        seconds=seconds,
    )


def strays(triage: Triage, by: User) -> list[int]:
    """Candidates that the log has otherwise than the keys said; where somebody was faster, it has nothing of `by`."""
    told = dict(Decision.objects.filter(by=by, version=2).values_list("candidate", "verb"))
    return [pk for pk, verb in told.items() if triage.pressed.get(pk) != verb]


@contextmanager
def meanwhile(
    channel: Channel, by: User, *, arrivals: float, decisions: float, seed: int = 1
) -> Iterator[Counter[str]]:
    """While it lasts, so many candidates a second arrive, and `by` decides so many a second at random."""
    done: Counter[str] = Counter()
    over, chance = threading.Event(), Random(seed)

    def arrive() -> None:
        made = make_candidate(channel, f"Neu {done['arrived']}\n" * chance.randint(1, 4), rank=chance.uniform(0, 100))
        events.tell("arrivals", channel.market.code, {"category": channel.category.slug, "revision": made.pk})
        done["arrived"] += 1

    def decide() -> None:
        waiting = Candidate.objects.filter(channel=channel, state=State.PENDING).order_by("-rank")[:60]
        one = chance.choice(list(waiting) or [None])
        if one is None:
            return
        try:
            operations.decide(chance.choice(["block", "approve"]), one, by=by, version=one.version)
            done["decided"] += 1
        except Refusal:
            done["too late"] += 1

    def again(work: Any, pause: float) -> None:
        due = monotonic()
        try:
            while not over.wait(max(0, due - monotonic())):
                due += pause
                close_old_connections()
                work()
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=again, args=(work, 1 / rate))
        for work, rate in ((arrive, arrivals), (decide, decisions))
    ]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        over.set()
        for thread in threads:
            thread.join()
