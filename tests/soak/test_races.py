"""Ten thousand races of two to eight simultaneous decisions from one version, through the real server.

SOAK_RACES and SOAK_SEED change them; SOAK=short runs 500."""

import os
import time
from pathlib import Path

import pytest

from regions.models import Channel
from tests.soak.farm import environment
from tests.soak.house import serving
from tests.soak.races import compare, run_races, say

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
RACES = int(os.environ.get("SOAK_RACES") or (500 if os.environ.get("SOAK") == "short" else 10_000))
SEED = int(os.environ.get("SOAK_SEED") or 1)
MARKETS = ("de", "gr", "hr")


def test_of_ten_thousand_races_each_has_one_winner(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    began = time.monotonic()
    channels = Channel.objects.select_related("market", "category").filter(market__code__in=MARKETS)[:6]
    with serving(environment()["DATABASE_URL"], tmp_path) as port:
        lanes = run_races(port, channels, RACES, seed=SEED)
    with capsys.disabled():
        print("\n" + say(lanes, time.monotonic() - began))
        print("".join(f"{words}\n" for lane in lanes for words in lane.wrong))
    assert [words for lane in lanes for words in lane.wrong] == []
    assert set(compare(lanes).values()) == {0}, compare(lanes)
    assert sum(lane.counts["races"] for lane in lanes) >= RACES
