"""A thousand tampered logs, changed, removed from, inserted into, recomputed or cut off at the end: all are detected.

SOAK_SEED changes the logs and what is done to them; SOAK=short tampers a hundred times."""

import os
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from curation import operations
from curation.models import Decision, Seal
from regions.models import Market, Role
from tests.cast import make_user
from tests.curation.tampering import NOON, TAMPERINGS, make_log, tamper_and_look

pytestmark = [pytest.mark.soak, pytest.mark.django_db]
LOGS = 5
EACH = (100 if os.environ.get("SOAK") == "short" else 1000) // LOGS // len(TAMPERINGS)
SEED = int(os.environ.get("SOAK_SEED") or 1)


@pytest.mark.parametrize("seed", range(SEED, SEED + LOGS))
def test_all_tampered_logs_are_detected(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chance = Random(seed)
    people = {code: make_user(f"editor_{code}", {code: Role.EDITOR}) for code in ("de", "nl", "gr")}
    file = make_log(people, tmp_path / "seals.jsonl", seed=seed, acts=90)
    told, missed = Counter[str](), []
    markets = list(Market.objects.filter(code__in=people).order_by("pk"))
    for kind in TAMPERINGS:
        for turn in range(EACH):
            found, expected = tamper_and_look(kind, chance, chance.choice(markets), file)
            told[kind] += bool(found & expected)
            missed += [] if found & expected else [(kind, turn, found, expected)]
    with capsys.disabled():
        print(f"\n{Decision.objects.count()} decisions in {Seal.objects.count()} seals; detected: {dict(told)}")
    assert missed == []
    assert told == dict.fromkeys(TAMPERINGS, EACH)
    assert [operations.verify_log(market, file, now=NOON).found for market in markets] == [0, 0, 0]
