"""Races of two to eight simultaneous decisions from one version, through the real server.

SOAK_RACES and SOAK_SEED change them; SOAK=long runs 10,000, SOAK=short 500."""

import time
from pathlib import Path

import pytest

from regions.models import Channel
from tests.soak.farm import environment
from tests.soak.house import serving
from tests.soak.races import compare, run_races, say
from tests.soak.sizes import SEED, sized

pytestmark = [pytest.mark.soak, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
RACES = sized("SOAK_RACES", short=500, whole=3_000, long=10_000)
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
