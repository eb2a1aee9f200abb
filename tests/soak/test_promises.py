"""The whole house under every fault, and a judge for each of the twelve promises; the twelfth is test_restore_drill's.

SOAK_MINUTES says how long things are broken: 45, SOAK=long 75; SOAK=short takes six, and lets posts grow old ten
times faster so that X is asked about them. SOAK_SEED draws people, posts and faults. The history stays in
SOAK_HISTORY, or in a folder of pytest's that the end names: `python -m tests.soak.promises FOLDER` judges it again."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.edge.conftest import nginx_here  # noqa: F401  a fixture
from tests.soak.promises.checkers import judge
from tests.soak.promises.faults import every_fault
from tests.soak.promises.history import History
from tests.soak.promises.run import Run
from tests.soak.sizes import SEED, sized

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
MINUTES = sized("SOAK_MINUTES", short=6, whole=45, long=75)
SCALE = 10 if MINUTES < 40 else 1


def test_every_promise_is_kept(
    nginx_here: None,  # noqa: F811
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = Run(tmp_path, SEED, scale=SCALE)
    try:
        run.whole(60 * MINUTES)
    finally:
        kept = run.history
        if folder := os.environ.get("SOAK_HISTORY"):
            kept = Path(folder) / f"promises-{SEED}-{run.began:.0f}"
            shutil.copytree(run.history, kept)
    told = History.read(run.history)
    found = judge(told)
    missed = [fault for fault in every_fault() if fault not in run.done]
    figures = {
        "faults": dict(Counter(fault.kind for fault in run.done)), "not reached": len(missed),
        "crash points met": sum(bool(one.get("met")) for one in told.faults if one["kind"] == "crash"),
        "faults of X": json.loads((run.history / "chaos.json").read_text()),
        "requests": len(told.clients), "answers of the edge": len(told.looks), "posts": len(told.truth),
        "decisions": len(told.table("decisions")), "snapshots": len(told.table("snapshots")), "seed": SEED,
        "rechecks": sum(one["kind"] == "recheck" for one in told.table("asked")),
        "scale": SCALE, "seconds": round(time.time() - run.began), "settled in": round(run.settled),
        "died by themselves": [words.partition(":")[0] for words in run.house.died],
    }  # fmt: skip
    with capsys.disabled():
        print(f"\n{json.dumps(figures)}\nhistory: {kept}")
        for name, verdict in found.items():
            print(f"{name}: {len(verdict.wrong)} in {verdict.trials} trials {verdict.wrong[:3]}")
    assert (run.desk.wrong, run.x_hand.wrong) == ([], [])
    assert {name: verdict.wrong[:20] for name, verdict in found.items() if verdict.wrong} == {}
    assert figures["rechecks"] >= figures["seconds"] / 60 if SCALE > 1 else figures["rechecks"]
    assert all(verdict.trials for verdict in found.values())
