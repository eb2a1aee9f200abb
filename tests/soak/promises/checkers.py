"""One judge for each promise of the design. They know files, SQL rows and X's truth, and none of the product's code."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from tests.soak.promises import chain, markup
from tests.soak.promises.history import FOREVER, History, Row, Verdict, spans_off

NEEDED = ("postgres", "disk")  # what publishing needs; Redis, Celery and each process of ours are not among it
BLOCKED_WITHIN, LEARNED_WITHIN, OFF_WITHIN = 5.0, 900.0, 10.0
DECIDE = {"editor", "lead"}
TAKES_OFF = {"block", "reopen", "undo", "move"}


def answers(history: History) -> Iterator[tuple[Row, Row]]:
    """Each request of an editor with each of its results."""
    for asked in history.clients:
        for result in asked["results"]:
            yield asked, result


def acknowledged(history: History) -> dict[tuple[int, int], float]:
    """When somebody was first told of an act's decision on a candidate."""
    found: dict[tuple[int, int], float] = {}
    for asked, result in answers(history):
        if result["status"] == 201:
            place = (asked["act"], result["id"])
            found[place] = min(found.get(place, FOREVER), asked["answered"])
    return found


# --- 1
def blocks(history: History) -> Verdict:
    """What was blocked, or taken off otherwise, is in no snapshot that was committed after the answer, and in no body
    asked for 5 s later."""
    verdict, told = Verdict(), acknowledged(history)
    for candidate, rows in history.decisions.items():
        for row, again in spans_off(rows):
            at = told.get((row["act"], candidate))
            if at is None or row["verb"] not in TAKES_OFF:
                continue
            end = history.after(at, BLOCKED_WITHIN, *NEEDED)
            seen = _seen(history, history.place_of(candidate), end, again)
            late = [one["number"] for one in _snapshots_of(history, candidate) if at < one["committed"] < again]
            verdict.expect(not seen, f"candidate {candidate}: {row['verb']} told at {at:.1f}, still shown: {seen[:2]}")
            verdict.expect(not late, f"candidate {candidate}: {row['verb']} told at {at:.1f}, in snapshots {late[:3]}")
    for words, kept in _blocked_authors(history):
        verdict.expect(kept, words)
    return verdict


def _seen(history: History, place: tuple[str, str, int] | None, start: float, end: float) -> list[str]:
    """What was asked for after `start` and answered before `end`, when it may have been put on again."""
    shown = history.shown.get(place, []) if place else []
    seen = [one for one in shown if start < one.asked and one.answered < end]
    return [f"{one.id} in {one.path} {one.asked - start:.1f} s late" for one in seen]


def _snapshots_of(history: History, candidate: int) -> list[Row]:
    index: dict[int, list[Row]] | None = history.__dict__.get("_by_candidate")
    if index is None:
        made: defaultdict[int, list[Row]] = defaultdict(list)
        for row in history.table("snapshots"):
            for entry in row["entries"]:
                made[entry["candidate"]].append(row)
        index = history.__dict__["_by_candidate"] = dict(made)
    return index.get(candidate, [])


def _blocked_authors(history: History) -> Iterator[tuple[str, bool]]:
    lifted: dict[int, float] = {}
    for asked in history.clients:
        if act := asked.get("undoes"):
            lifted[act] = min(lifted.get(act, FOREVER), asked["sent"])
    authors = {int(first): post["author"] for first, post in history.truth.items()}
    for asked in history.clients:
        if not asked.get("blocks_author") or not any(one["status"] == 201 for one in asked["results"]):
            continue
        start = history.after(asked["answered"], BLOCKED_WITHIN, *NEEDED)
        seen = [
            one
            for (market, category, first), shown in history.shown.items()
            if market == asked["market"] and asked["category"] in (None, category)
            if authors.get(first) == asked["blocks_author"]
            for one in shown
            if start < one.asked < lifted.get(asked["act"], FOREVER)
        ]
        yield f"author {asked['blocks_author']} blocked in {asked['market']}, still shown: {seen[:2]}", not seen


# --- 2
def decisions(history: History) -> Verdict:
    """Each acknowledged decision is in the log once, as it was told; each key has one act."""
    verdict = Verdict()
    log = {(row["act"], row["candidate"]): row for row in history.table("decisions")}
    known: dict[tuple[str, str], int] = {}
    for asked in history.clients:
        done = [one for one in asked["results"] if one["status"] == 201]
        for one in done:
            row, seen = log.get((asked["act"], one["id"])), asked["seen"].get(str(one["id"]))
            right = row is not None and (row["by"], row["verb"]) == (asked["who"], asked["verb"])
            right = right and (seen is None or row["version"] == seen + 1)  # an undone block gives back others as well
            verdict.expect(
                right, f"{asked['who']} was told of {asked['verb']} on {one['id']}, act {asked['act']}: {row}"
            )
        if asked["key"] and done:
            before = known.setdefault((asked["who"], asked["key"]), asked["act"])
            verdict.expect(before == asked["act"], f"key {asked['key']}: acts {before} and {asked['act']}")
    for candidate, rows in history.decisions.items():
        versions = [row["version"] for row in rows]
        stands = history.candidates[candidate]
        whole = versions == list(range(2, len(rows) + 2)) and stands["version"] == versions[-1]
        same = stands["state"] == rows[-1]["after"]["state"]
        verdict.expect(whole and same, f"candidate {candidate} stands at {stands['version']}, log {versions}")
    return verdict


# --- 3
def races(history: History) -> Verdict:
    """Of the edits from one version one won; the others were told by whom."""
    verdict = Verdict()
    log = {(row["candidate"], row["version"]): row for row in history.table("decisions")}
    won: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for asked, result in answers(history):
        seen = asked["seen"].get(str(result["id"]))
        if result["status"] == 201 and seen is not None:
            won[result["id"], seen].add(asked["act"])
        elif result["status"] == 409 and result.get("code") == "stale_version":
            verdict.expect(_told_by_whom(history, result, seen), f"{asked['who']} lost and was told {result}")
    for (candidate, seen), acts in won.items():
        row = log.get((candidate, seen + 1))
        right = len(acts) == 1 and row is not None and row["act"] in acts
        verdict.expect(right, f"candidate {candidate} from version {seen}: acts {sorted(acts)} won, log {row}")
    return verdict


def _told_by_whom(history: History, result: Row, seen: int | None) -> bool:
    """Whether a decision on the candidate is what the loser was told of."""
    rows = [row for row in history.decisions.get(result["id"], []) if seen is None or row["version"] > seen]
    return any((row["by"], row["verb"]) == (result.get("by"), result.get("verb")) for row in rows)


# --- 4
def strangers(history: History) -> Verdict:
    """A foreign market answers as what is not there does, and nothing of it was changed by somebody without a role."""
    verdict = Verdict()
    for asked in history.strangers:
        same = asked["status"] in (403, 404) and (asked["status"], asked["told"]) == (
            asked["nothing"],
            asked["told_nothing"],
        )
        verdict.expect(same, f"{asked['who']}: {asked['method']} {asked['path']} gave {asked['status']}")
    theirs = {(row["user"], row["market"]) for row in history.table("roles")}
    for row in history.table("decisions"):
        if row["by"] is not None and row["by"] not in history.plan.get("chiefs", ()):
            verdict.expect((row["by"], row["market"]) in theirs, f"{row['by']} decided in {row['market']}: {row['id']}")
    return verdict


# --- 5
def withdrawals(history: History) -> Verdict:
    """What X took back or changed is off within 10 s of the commit that stored it, and we learn it in time."""
    verdict = Verdict()
    for candidate, rows in history.decisions.items():
        for row, again in spans_off(rows):
            if row["verb"] in ("withdraw", "edit"):
                end = history.after(row["committed"], OFF_WITHIN, *NEEDED)
                seen = _seen(history, history.place_of(candidate), end, again)
                verdict.expect(not seen, f"candidate {candidate}: {row['verb']} stored, still shown: {seen[:2]}")
    limit = LEARNED_WITHIN / history.plan.get("scale", 1) + OFF_WITHIN
    live = _live_again(history)
    for event in history.x:
        for market, number in _forbidden(history, event):
            late = [
                one
                for place, shown in history.shown.items()
                if place[0] == market and place[2] == number
                for one in shown
                if one.id in event["ids"] and event["at"] < one.asked < event.get("until", FOREVER)
                if one.asked > history.after(_since(live[place], event["at"], one.asked), limit, *NEEDED, "x", "celery")
            ]
            verdict.expect(not late, f"{event['kind']} of {number} at X, shown {late[:1]} {limit:.0f} s later")
    return verdict


def _live_again(history: History) -> defaultdict[tuple[str, str, int], list[float]]:
    """When each post was put on the feed: what is not live need not be asked about."""
    found: defaultdict[tuple[str, str, int], list[float]] = defaultdict(list)
    for candidate, rows in history.decisions.items():
        place = history.place_of(candidate)
        if place:
            found[place] += [
                row["committed"] for row in rows if _approved(row) and row["before"]["state"] != "approved"
            ]
    return found


def _since(put_on: list[float], event: float, asked: float) -> float:
    """Since when a post, shown when it was asked for, has been live and gone at X."""
    return max([event, *(at for at in put_on if at <= asked)])


def _forbidden(history: History, event: Row) -> set[tuple[str, int]]:
    """Where each of an event's posts stood when it happened, if it may stand there no more."""
    places = history.plan.get("countries", {})
    return {
        (market, first)
        for (market, _category, first), shown in history.shown.items()
        if any(one.id in event["ids"] and one.asked <= event["at"] for one in shown)
        if not event.get("countries") or places.get(market) in event["countries"] or "XX" in event["countries"]
    }


# --- 6
def edge(history: History) -> Verdict:
    """Every answer whole; no number lower than one that was read before the question; one body for each ETag."""
    verdict = Verdict()
    by_path: defaultdict[str, list[Row]] = defaultdict(list)
    for look in history.looks:
        whole = look.get("status") == 200 and look.get("body") in history.read_bodies
        verdict.expect(whole, f"{look['path']} at {look['asked']:.1f}: {look.get('error') or look.get('status')}")
        if whole:
            by_path[look["path"]].append(look)
    for path, looks in by_path.items():
        _forward(history, path, looks, verdict)
        bodies: defaultdict[str, set[str]] = defaultdict(set)
        for look in looks:
            bodies[look["etag"]].add(look["body"])
        verdict.wrong += [f"{path}: {len(two)} bodies for {etag}" for etag, two in bodies.items() if len(two) > 1]
    return verdict


def _forward(history: History, path: str, looks: list[Row], verdict: Verdict) -> None:
    ended = sorted(looks, key=lambda look: look["answered"])
    newest, n = -1, 0
    for look in sorted(looks, key=lambda look: look["asked"]):
        while n < len(ended) and ended[n]["answered"] < look["asked"]:
            newest, n = max(newest, history.read_bodies[ended[n]["body"]].snapshot), n + 1
        number = history.read_bodies[look["body"]].snapshot
        if number < newest:
            verdict.wrong.append(f"{path}: {number} after {newest}")


# --- 7
def ingest(history: History) -> Verdict:
    """Stored is what X has, once; offered where it is read, once; and no cursor was ever ahead."""
    verdict = Verdict()
    stored = Counter(row["first_id"] for row in history.table("tweets"))
    offered = Counter((row["market"], row["category"], row["first_id"]) for row in history.table("candidates"))
    read = {source["author"]: (source["market"], source["category"]) for source in history.table("sources")}
    for first, post in history.truth.items():
        if post["author"] in read:
            times, once = stored[int(first)], offered[*read[post["author"]], int(first)]
            right = times == once == 1 or (not post["lasts"] and once <= times <= 1)
            verdict.expect(right, f"post {first} is stored {times} times, offered {once} times")
    strange = set(stored) - {int(first) for first, post in history.truth.items() if post["author"] in read}
    places = {(*read[post["author"]], int(first)) for first, post in history.truth.items() if post["author"] in read}
    verdict.wrong += [f"post {one} is not X's" for one in strange] + [f"offered {one}" for one in set(offered) - places]
    there: set[int] = set()
    for sample in history.samples:
        there.update(sample["stored"])
        for cursor in sample["cursors"]:
            ahead = [first for first in _passed(history, cursor) if first not in there]
            verdict.expect(not ahead, f"source {cursor['source']} at {sample['at']:.1f} passed {ahead[:3]}")
    return verdict


def _passed(history: History, cursor: Row) -> list[int]:
    """The posts that a cursor says were read: those that were never deleted or edited."""
    posts: dict[int, list[int]] | None = history.__dict__.get("_by_author")
    if posts is None:
        made: defaultdict[int, list[int]] = defaultdict(list)
        for first, post in history.truth.items():
            if post["lasts"] and len(post["versions"]) == 1:
                made[post["author"]].append(int(first))
        posts = history.__dict__["_by_author"] = dict(made)
    newest, floor, until = cursor["newest"] or 0, cursor["floor"], cursor["until"] or 0
    mine = [one for one in posts.get(cursor["author"], []) if cursor["from"] < one <= newest]
    return [one for one in mine if floor is None or not floor < one < until]


# --- 8
def approvals(history: History) -> Verdict:
    """Each entry of each snapshot was approved before by somebody who held the right then, or by a lead's rule."""
    verdict, sent = Verdict(), dict[int, float]()
    for asked in history.clients:
        if asked["act"]:
            sent[asked["act"]] = min(sent.get(asked["act"], FOREVER), asked["sent"])
    rules = {f"source:{row['id']}" for row in history.table("sources") if row["auto_approve"]}
    good = {
        candidate: [
            (row["committed"], next((one["committed"] for one in rows[n + 1 :] if not _approved(one)), FOREVER))
            for n, row in enumerate(rows)
            if _approved(row) and _had_the_right(history, row, sent, rules)
        ]
        for candidate, rows in history.decisions.items()
    }
    for snapshot in history.table("snapshots"):
        for entry in snapshot["entries"]:
            spans = good.get(entry["candidate"], [])
            # a snapshot may commit a moment after a decision that it could not know of
            held = any(start <= snapshot["committed"] <= end + OFF_WITHIN for start, end in spans)
            verdict.expect(held, f"snapshot {snapshot['id']} shows {entry['candidate']}: approved in {spans}")
    return verdict


def _approved(row: Row) -> bool:
    return bool(row["after"]["state"] == "approved")


def _had_the_right(history: History, row: Row, sent: dict[int, float], rules: set[str]) -> bool:
    if row["by"] is None:
        return (row["verb"] == "approve" and row["reason"] in rules) or row["before"]["state"] == "approved"
    if row["by"] in history.plan.get("chiefs", ()):
        return True
    began, ended = sent.get(row["act"], row["committed"] - 2), row["committed"]
    return any(
        span["role"] in DECIDE and span["from"] <= ended and span["to"] >= began
        for span in history.table("roles")
        if (span["user"], span["market"]) == (row["by"], row["market"])
    )


# --- 9
def seals(history: History) -> Verdict:
    """The chain that docs/decisions.md describes, made anew; everything is sealed."""
    return Verdict(*chain.judge(history))


# --- 10
def budget(history: History) -> Verdict:
    """At no moment had X charged a market and day more than its budget."""
    verdict = Verdict()
    for sample in history.samples:
        for day, charged in sample["charged"].items():
            for market, posts in charged.items():
                most = sample["limits"][market]
                verdict.expect(posts <= most, f"{market} {day}: X charged {posts} of {most} at {sample['at']:.1f}")
    return verdict


# --- 11
def foreign_text(history: History) -> Verdict:
    """Every body is JSON of the contract's form; foreign text stands in strings only, as X has it."""
    return Verdict(*markup.judge(history))


CHECKERS: dict[str, Callable[[History], Verdict]] = {
    "1 blocks": blocks,
    "2 decisions": decisions,
    "3 races": races,
    "4 strangers": strangers,
    "5 withdrawals": withdrawals,
    "6 edge": edge,
    "7 ingest": ingest,
    "8 approvals": approvals,
    "9 seals": seals,
    "10 budget": budget,
    "11 foreign text": foreign_text,
}


def judge(history: History) -> dict[str, Any]:
    """The verdict of each promise. Of the twelfth tests/soak/test_restore_drill.py tells."""
    return {name: check(history) for name, check in CHECKERS.items()}
