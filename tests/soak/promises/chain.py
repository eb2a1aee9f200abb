"""The seals of the decision log, recomputed from docs/decisions.md: form 1, byte by byte."""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from hashlib import sha256
from typing import Any

from tests.soak.promises.history import History, Row

FIELDS = (
    "id", "act", "candidate", "channel", "market", "verb", "by", "at", "reason", "version", "current_id", "text_hash",
    "before", "after", "act_by", "act_verb", "act_at", "act_undoes",
)  # fmt: skip
SEAL = ("market", "number", "first_id", "last_id", "form", "at")


def as_json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode("ascii")


def digests_of(rows: list[Row]) -> bytes:
    """`rows` hold the raw columns: ids, and times in microseconds."""
    told = ({name: row[name] for name in FIELDS} for row in sorted(rows, key=lambda row: row["id"]))
    return b"".join(struct.pack(">q", one["id"]) + sha256(as_json(one)).digest() for one in told)


def head_of(seal: Row, previous: str, digests: bytes) -> str:
    told = {name: seal[name] for name in SEAL} | {"previous": previous}
    return sha256(as_json(told) + b"\n" + digests).hexdigest()


def judge(history: History) -> tuple[int, list[str]]:
    """How many seals were recomputed, and what is wrong with them."""
    rows: defaultdict[int, list[Row]] = defaultdict(list)
    for row in history.table("raw_decisions"):
        rows[row["market"]].append(row)
    seals: defaultdict[int, list[Row]] = defaultdict(list)
    for row in sorted(history.table("seals"), key=lambda row: row["number"]):
        seals[row["market"]].append(row)
    kept = {(line["market"], line["number"]): line["head"] for line in history.table("seal_file")}
    wrong: list[str] = []
    for market in rows.keys() | seals.keys():
        wrong += _judge_market(market, rows[market], seals[market], kept)
    return sum(map(len, seals.values())), wrong


def _judge_market(market: int, rows: list[Row], seals: list[Row], kept: dict[tuple[str, int], str]) -> list[str]:
    wrong, previous, last = [], "", 0
    for place, seal in enumerate(seals, 1):
        name = f"market {market}, seal {seal['number']}"
        mine = [row for row in rows if seal["first_id"] <= row["id"] <= seal["last_id"]]
        digests = digests_of(mine)
        if seal["number"] != place or seal["first_id"] <= last:
            wrong.append(f"{name}: a gap")
        if digests.hex() != seal["digests"]:
            wrong.append(f"{name}: its decisions are not what was sealed")
        if head_of(seal, previous, bytes.fromhex(seal["digests"])) != seal["head"]:
            wrong.append(f"{name}: its head does not follow")
        if kept.get((seal["code"], seal["number"])) != seal["head"]:
            wrong.append(f"{name}: the file has another head")
        if any(last < row["id"] < seal["first_id"] for row in rows):
            wrong.append(f"{name}: decisions before it were left out")
        previous, last = seal["head"], seal["last_id"]
    left = [row["id"] for row in rows if row["id"] > last]
    return wrong + ([f"market {market}: never sealed: {left[:3]}"] if left else [])
