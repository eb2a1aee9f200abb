"""Each judge of the promises' soak complains of a small history in which its promise is broken, and of nothing else."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest

from tests.soak.promises import chain
from tests.soak.promises.checkers import CHECKERS, judge
from tests.soak.promises.files import whole_lines
from tests.soak.promises.history import History, Row

ROOM = Path(__file__).parent / "promises"
JUDGES = ("checkers", "chain", "history", "markup", "keeping", "files")
TEXT = 'Rat <tdkx onclick="tdkx()">'


def body(snapshot: int, *entries: Row) -> bytes:
    feed = {
        "version": 1, "market": "de", "category": "politics", "language": "de", "snapshot": snapshot,
        "published_at": "2026-11-22T08:41:07Z", "ttl": 60, "entries": list(entries), "removed": [],
    }  # fmt: skip
    return json.dumps(feed).encode()


ENTRY = {
    "id": "100", "url": "u", "category": "politics", "pinned": False, "context": None, "label": None,
    "expires_at": None, "text": TEXT.replace("<", "&lt;").replace(">", "&gt;"), "entities": {}, "lang": "de",
    "created_at": "", "edited": False, "author": {}, "media": [],
}  # fmt: skip


def decision(version: int, verb: str, before: str, after: str, committed: float, **more: object) -> Row:
    told = {
        "id": version, "act": version * 10, "candidate": 7, "market": "de", "verb": verb, "by": "anna", "reason": "",
        "version": version, "before": {"state": before}, "after": {"state": after}, "committed": committed,
    }  # fmt: skip
    return told | more


def request(verb: str, seen: int, answered: float, /, **result: object) -> Row:
    results = [{"id": 7, "status": 201} | result]
    act = (seen + 1) * 10 if results[0]["status"] == 201 else None
    return {
        "who": "anna", "market": "de", "category": "politics", "verb": verb, "key": f"{verb}{seen}",
        "seen": {"7": seen}, "sent": answered - 0.2, "answered": answered, "act": act, "results": results,
    }  # fmt: skip


def raw(number: int) -> Row:
    return dict.fromkeys(chain.FIELDS) | {"id": number, "market": 1, "verb": "approve", "before": {}, "after": {}}


def sealed(rows: list[Row]) -> Row:
    digests = chain.digests_of(rows)
    seal = {
        "market": 1, "code": "de", "number": 1, "first_id": rows[0]["id"], "last_id": rows[-1]["id"], "form": 1,
        "at": 5, "digests": digests.hex(),
    }  # fmt: skip
    return seal | {"head": chain.head_of(seal, "", digests)}


def look(asked: float, snapshot: int) -> Row:
    told = {"path": "de/politics/", "asked": asked, "answered": asked + 0.01, "status": 200}
    return told | {"etag": f"e{snapshot}", "body": f"b{snapshot}"}


def clean() -> History:
    """Anna approves a post at 10 and blocks it at 20; X deletes another one at 30, which we learn at 40."""
    rows, seal = [raw(2), raw(3)], sealed([raw(2), raw(3)])
    other = {"version": 2, "candidate": 8}
    return History(
        plan={"scale": 1, "countries": {"de": "DE"}, "chiefs": []},
        clients=[
            request("approve", 1, 10.1),
            request("block", 2, 20.1),
            request("pin", 2, 20.3, status=409, code="stale_version", by="anna", verb="block"),
        ],
        strangers=[
            {
                "who": "bram",
                "method": "GET",
                "path": "/x/7/",
                "status": 404,
                "told": "no",
                "nothing": 404,
                "told_nothing": "no",
            }
        ],
        looks=[look(12, 1), look(26, 2), look(51, 3)],
        bodies={"b1": body(1, ENTRY), "b2": body(2, ENTRY | {"id": "200", "text": "Tor"}), "b3": body(3)},
        pages={"desk.html": b"<p>Rat &lt;tdkx onclick=&quot;tdkx()&quot;&gt;</p>", "de.xml": b"<rss/>"},
        faults=[],
        x=[{"at": 30.0, "kind": "delete", "ids": [200]}],
        samples=[
            {
                "at": 9.0,
                "stored": [100, 200],
                "charged": {"2026-11-22": {"de": 2}},
                "limits": {"de": 5},
                "cursors": [{"source": 1, "author": 5, "newest": 200, "floor": None, "until": None, "from": 0}],
            }
        ],
        truth={
            "100": {"author": 5, "versions": [100], "lasts": True, "texts": {"100": TEXT}},
            "200": {"author": 5, "versions": [200], "lasts": False, "texts": {"200": "Tor"}},
        },
        sql={
            "decisions": [
                decision(2, "approve", "pending", "approved", 10.0),
                decision(3, "block", "approved", "blocked", 20.0),
                decision(2, "approve", "pending", "approved", 25.0, id=4, act=40, candidate=8),
                decision(3, "withdraw", "approved", "withdrawn", 40.0, id=5, act=50, by=None, candidate=8),
            ],
            "candidates": [
                {"id": 7, "market": "de", "category": "politics", "first_id": 100, "version": 3, "state": "blocked"},
                {"id": 8, "market": "de", "category": "politics", "first_id": 200, "version": 3, "state": "withdrawn"},
            ],
            "snapshots": [
                {"id": 1, "number": 1, "committed": 10.05, "entries": [{"candidate": 7}]},
                {"id": 2, "number": 2, "committed": 25.05, "entries": [other]},
                {"id": 3, "number": 3, "committed": 40.05, "entries": []},
            ],
            "tweets": [{"first_id": 100}, {"first_id": 200}],
            "sources": [{"id": 1, "author": 5, "market": "de", "category": "politics", "auto_approve": False}],
            "roles": [{"user": "anna", "market": "de", "role": "editor", "from": 0.0, "to": 1e9}],
            "raw_decisions": rows,
            "seals": [seal],
            "seal_file": [{"market": "de", "number": 1, "head": seal["head"]}],
        },
    )


def test_all_are_content_with_a_clean_history() -> None:
    found = judge(clean())
    assert {name: one.wrong for name, one in found.items()} == {name: [] for name in CHECKERS}
    assert all(one.trials for one in found.values()), "each had something to judge"


def blocked_still_served(told: History) -> None:
    told.looks.append(look(26, 1) | {"path": "de/"})


def blocked_in_a_later_snapshot(told: History) -> None:
    told.sql["snapshots"].append({"id": 9, "number": 9, "committed": 20.2, "entries": [{"candidate": 7}]})


def blocked_author_served(told: History) -> None:
    told.clients[1] |= {"blocks_author": 5, "category": None}


def decision_lost(told: History) -> None:
    told.clients.append(request("annotate", 3, 21.0))


def decision_in_another_name(told: History) -> None:
    told.sql["decisions"][0]["by"] = "ben"
    told.sql["roles"].append({"user": "ben", "market": "de", "role": "editor", "from": 0.0, "to": 1e9})


def key_of_two_acts(told: History) -> None:
    told.clients[1]["key"] = told.clients[0]["key"]


def gap_in_the_versions(told: History) -> None:
    told.sql["candidates"][0]["version"] = 4


def two_winners(told: History) -> None:
    told.clients.append(request("reopen", 2, 20.2) | {"act": 99})


def loser_told_of_somebody_else(told: History) -> None:
    told.clients[2]["results"][0]["by"] = "carla"


def foreign_market_answers(told: History) -> None:
    told.strangers[0] |= {"status": 200}


def foreign_market_told_apart(told: History) -> None:
    told.strangers[0] |= {"told": "not yours"}


def stranger_decides(told: History) -> None:
    told.sql["roles"] = [{"user": "anna", "market": "nl", "role": "editor", "from": 0.0, "to": 1e9}]


def learned_and_still_served(told: History) -> None:
    told.looks.append(look(52, 2) | {"path": "de/"})


def never_learned(told: History) -> None:
    told.sql["decisions"].pop()
    told.sql["candidates"][1] |= {"version": 2, "state": "approved"}
    told.looks.append(look(950, 2) | {"path": "de/"})


def torn_answer(told: History) -> None:
    told.bodies["b4"] = b'{"snapshot": 4, "entr'
    told.looks.append(look(60, 4))


def refused_answer(told: History) -> None:
    told.looks.append(look(60, 3) | {"status": 503})


def answer_going_back(told: History) -> None:
    told.bodies["b0"] = body(0)
    told.looks.append(look(60, 0))


def two_bodies_for_an_etag(told: History) -> None:
    told.bodies["b4"] = body(4)
    told.looks.append(look(60, 4) | {"etag": "e3"})


def post_missing(told: History) -> None:
    told.truth["150"] = {"author": 5, "versions": [150, 160], "lasts": True, "texts": {}}


def post_stored_twice(told: History) -> None:
    told.sql["tweets"].append({"first_id": 100})


def post_invented(told: History) -> None:
    told.sql["tweets"].append({"first_id": 300})


def cursor_ahead(told: History) -> None:
    told.samples[0]["stored"] = [200]


def entry_without_approval(told: History) -> None:
    told.sql["snapshots"][0]["committed"] = 9.0


def approved_without_the_right(told: History) -> None:
    told.sql["roles"][0]["to"] = 5.0


def approved_by_an_unnamed_rule(told: History) -> None:
    told.sql["decisions"][2] |= {"by": None, "reason": "source:1"}


def decision_changed(told: History) -> None:
    told.sql["raw_decisions"][0]["verb"] = "block"


def chain_made_anew(told: History) -> None:
    told.sql["raw_decisions"][0]["verb"] = "block"
    told.sql["seals"] = [sealed(told.sql["raw_decisions"])]


def never_sealed(told: History) -> None:
    told.sql["raw_decisions"].append(raw(9))


def never_in_the_file(told: History) -> None:
    told.sql["seal_file"] = []


def over_budget(told: History) -> None:
    told.samples[0]["charged"]["2026-11-22"]["de"] = 6


def body_no_json(told: History) -> None:
    told.bodies["b3"] = body(3).replace(b"[]", b"[,]", 1)


def body_of_another_form(told: History) -> None:
    told.bodies["b3"] = body(3).replace(b'"ttl"', b'"secret"')


def text_changed(told: History) -> None:
    told.bodies["b1"] = body(1, ENTRY | {"text": "Rat"})


def text_runs(told: History) -> None:
    told.pages["desk.html"] = b"<p>Rat <tdkx onclick='tdkx()'></p>"


def text_in_an_attribute(told: History) -> None:
    told.pages["desk.html"] = b'<p title="x" tdkx="1">Rat</p>'


def text_in_a_script(told: History) -> None:
    told.pages["desk.html"] = b"<script>let words = 'tdkx'</script>"


BROKEN: dict[str, list[Callable[[History], None]]] = {
    "1 blocks": [blocked_still_served, blocked_in_a_later_snapshot, blocked_author_served],
    "2 decisions": [decision_lost, decision_in_another_name, key_of_two_acts, gap_in_the_versions],
    "3 races": [two_winners, loser_told_of_somebody_else],
    "4 strangers": [foreign_market_answers, foreign_market_told_apart, stranger_decides],
    "5 withdrawals": [learned_and_still_served, never_learned],
    "6 edge": [torn_answer, refused_answer, answer_going_back, two_bodies_for_an_etag],
    "7 ingest": [post_missing, post_stored_twice, post_invented, cursor_ahead],
    "8 approvals": [entry_without_approval, approved_without_the_right, approved_by_an_unnamed_rule],
    "9 seals": [decision_changed, chain_made_anew, never_sealed, never_in_the_file],
    "10 budget": [over_budget],
    "11 foreign text": [body_no_json, body_of_another_form, text_changed, text_runs, text_in_an_attribute,
                        text_in_a_script],
}  # fmt: skip


@pytest.mark.parametrize(("name", "doctor"), [(name, one) for name, many in BROKEN.items() for one in many])
def test_each_complains_of_its_promise(name: str, doctor: Callable[[History], None]) -> None:
    told = deepcopy(clean())
    doctor(told)
    assert CHECKERS[name](told).wrong


def test_every_judge_was_seen_to_complain() -> None:
    assert BROKEN.keys() == CHECKERS.keys()


@pytest.mark.parametrize(("answered", "late"), [(49.9, True), (50.1, False)])
def test_an_answer_that_took_until_it_was_put_on_again_may_show_it(answered: float, late: bool) -> None:
    told = clean()
    told.looks.append(look(49.8, 1) | {"path": "de/", "answered": answered})
    told.sql["decisions"].append(decision(4, "approve", "blocked", "approved", 50.0, id=9, act=90))
    assert bool(CHECKERS["1 blocks"](told).wrong) == late


@pytest.mark.parametrize(("asked", "late"), [(26, False), (34, True)])
def test_time_without_postgresql_does_not_count(asked: float, late: bool) -> None:
    told = clean()
    told.looks.append(look(asked, 1) | {"path": "de/"})
    told.faults.append({"kind": "killed", "away": ["postgres"], "from": 21.0, "to": 29.0})
    assert bool(CHECKERS["1 blocks"](told).wrong) == late


@pytest.mark.parametrize(("asked", "late"), [(1_800, False), (1_950, True)])
def test_what_was_not_live_is_learned_from_when_it_is(asked: float, late: bool) -> None:
    told = clean()
    told.sql["decisions"][-1] |= {"verb": "block", "by": "anna"}
    told.sql["decisions"].append(
        decision(4, "approve", "pending", "approved", 1_000.0, id=6, act=60, candidate=8),
    )
    told.looks.append(look(asked, 2) | {"path": "de/"})
    assert bool(CHECKERS["5 withdrawals"](told).wrong) == late


def test_a_folder_reads_as_it_was_written(tmp_path: Path) -> None:
    told = clean()
    for name in ("clients", "strangers", "looks", "faults", "x", "samples"):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in getattr(told, name)))
    for name in ("plan", "truth", "sql"):
        (tmp_path / f"{name}.json").write_text(json.dumps(getattr(told, name)))
    for name in ("bodies", "pages"):
        (tmp_path / name).mkdir()
        for file, raw_bytes in getattr(told, name).items():
            (tmp_path / name / file).write_bytes(raw_bytes)
    assert History.read(tmp_path) == told


@pytest.mark.parametrize("name", JUDGES)
def test_the_judges_import_nothing_of_the_product(name: str) -> None:
    tree = ast.parse((ROOM / f"{name}.py").read_text())
    found = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    found += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = {f"tests.soak.promises.{judge}" for judge in JUDGES} | {"tests.soak.promises"}
    strange = [one for one in found if one.split(".")[0] in ("regions", "curation", "feeds", "django", "tests")]
    assert [one for one in strange if one not in ours] == []


def test_a_torn_seal_is_none_until_it_is_written_anew(tmp_path: Path) -> None:
    """A full disk takes half of a line; the product ends that line and writes the seal after it."""
    file = tmp_path / "seals.jsonl"
    file.write_text('{"number": 1}\n{"market": "gr", "number": 2, \n{"number": 2}\n{"num')
    assert whole_lines(file) == [{"number": 1}, {"number": 2}]
